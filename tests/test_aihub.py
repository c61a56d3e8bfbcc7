"""AI Hub's label files: their encodings, their annotators' votes and boxes."""

from __future__ import annotations

import json
import unicodedata

import pytest

from common import emotions
from preprocessing import aihub
from preprocessing.vocabulary import Vocabulary


def record(filename: str, *votes: str, uploader: str = "기쁨", boxes=None) -> dict:
    boxes = boxes or [{"minX": 10, "minY": 20, "maxX": 110, "maxY": 140}] * 3
    made = {"filename": filename, "gender": "여", "age": 20, "isProf": "일반인", "faceExp_uploader": uploader,
            "bg_uploader": "자연"}  # fmt: skip
    for letter, vote, box in zip("ABC", votes, boxes, strict=False):
        made[f"annot_{letter}"] = {"boxes": box, "faceExp": vote, "bg": "자연"}
    return made


def read(*records: dict, encoding: str = "utf-8") -> dict[str, aihub.Label]:
    return dict(aihub.read_labels(json.dumps(records, ensure_ascii=False, indent=1).encode(encoding)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_encodings(encoding):
    labels = read(record("여_기쁨.jpg", "기쁨", "기쁨", "당황"), encoding=encoding)
    assert labels["여_기쁨.jpg"].votes == ("happy", "happy", "surprised")


def test_names_match_whatever_their_unicode_form():
    name = "여_20_기쁨.JPG"
    labels = read(record(unicodedata.normalize("NFD", name), "기쁨", "기쁨", "기쁨"))
    assert emotions.fold(unicodedata.normalize("NFC", name)) in labels


@pytest.mark.parametrize(
    ("votes", "minimum", "agreed"),
    [
        (("기쁨", "기쁨", "기쁨"), 3, "happy"),
        (("기쁨", "기쁨", "슬픔"), 2, "happy"),
        (("기쁨", "기쁨", "슬픔"), 3, None),
        (("기쁨", "중립", "슬픔"), 2, None),
        (("중립", "기쁨", "슬픔"), 1, "happy"),  # among equals, the uploader's
        (("중립", "상처", "슬픔"), 1, None),
        (("상처", "상처", "기쁨"), 2, aihub.HURT),
        (("중립", "중립", "중립"), 0, "happy"),  # 0: the uploader's word
    ],
)
def test_agreement(votes, minimum, agreed):
    assert read(record("a.jpg", *votes))["a.jpg"].agreed(minimum) == agreed


def test_the_box_is_the_median_of_the_annotators():
    boxes = [
        {"minX": 10, "minY": 10, "maxX": 100, "maxY": 100},
        {"minX": 12, "minY": 12, "maxX": 104, "maxY": 104},
        {"minX": 900, "minY": 900, "maxX": 999, "maxY": 999},  # a slip
    ]
    assert read(record("a.jpg", "기쁨", "기쁨", "기쁨", boxes=boxes))["a.jpg"].box == (12, 12, 104, 104)


def test_missing_annotators_and_boxes():
    damaged = record("a.jpg", "기쁨", "기쁨")
    damaged["annot_B"] = None
    damaged["annot_A"]["boxes"] = {"minX": None}
    label = read(damaged)["a.jpg"]
    assert (label.votes, label.box) == (("happy",), None)


def test_a_json_file_that_is_no_label_file_is_none():
    for data in (b"[]", b"{}", b"[1, 2]", b'{"filename": "a.jpg"}', b"not json", b"\xff\xfe", b""):
        assert list(aihub.read_labels(data)) == []


def test_a_label_file_for_one_photo():
    data = json.dumps(record("a.jpg", "분노", "분노", "분노")).encode()
    assert dict(aihub.read_labels(data))["a.jpg"].agreed(3) == "angry"


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_label_file_cut_short_says_so(cut):
    data = json.dumps([record(f"{i}.jpg", "기쁨", "기쁨", "기쁨") for i in range(9)]).encode()
    with pytest.raises(aihub.BrokenLabels):
        list(aihub.read_labels(data[:-cut]))


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("[원천]EMOIMG_기쁨_TRAIN_01", "happy"),
        (unicodedata.normalize("NFD", "[원천]EMOIMG_당황_VALID"), "surprised"),
        ("EMOIMG_상처_TRAIN", aihub.HURT),
        ("joy and fear", None),
        ("holiday", None),
    ],
)
def test_emotions_in_long_names(name, emotion):
    assert Vocabulary().emotion_in(name) == emotion
