"""The backend over real HTTP: a real uvicorn with a small real generator and real MediaPipe."""

import asyncio
import base64
import io
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from hostile_bodies import hostile_bodies, png, scan_bomb
from PIL import Image, ImageCms
from serving import OVERWRITING, SHIPPED, Server, in_memory, make_checkpoint

import backend
from apps import chosen_checkpoint
from apps.page.model_thread import ModelThread
from apps.record.entries import Consent
from apps.record.store import Record, now
from checkpointing import default_generator
from common.errors import UserError
from face_detection import FaceFinder
from imaging.drawing.picture import draw_face

CODE = "비밀 코드"  # as a Korean clinic would choose it
BEARER = {"Authorization": f"Bearer {quote(CODE)}"}
EMOTIONS = ["angry", "fearful", "happy", "sadness", "surprised"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backend")
    with Server(folder, STARGAN_FE_CHECKPOINT=str(SHIPPED), STARGAN_FE_COLLECT="1") as running:
        yield running


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A server without a checkpoint, below a folder of its site, that asks for a code and lets one other site ask."""
    folder = tmp_path_factory.mktemp("bare")
    settings = {
        "CHECKPOINT": "latest",
        "TOKEN": CODE,
        "ORIGINS": "https://clinic.example",
        "HOSTS": "faces.example, *.clinic.example",
    }
    with Server(folder, **{f"STARGAN_FE_{name}": value for name, value in settings.items()}) as running:
        yield running


@pytest.fixture(scope="module")
def generated(server):
    status, _, answer = server.post("/generate", {"image": photo(7)})
    assert status == 200
    return json.loads(answer)


def encode(image, format="JPEG", **how):
    file = io.BytesIO()
    Image.fromarray(image).save(file, format, **how)
    return base64.b64encode(file.getvalue()).decode()


def photo(identity, emotion="neutral", **how):
    return encode(draw_face(identity, emotion, size=384), **how)


def pixels(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


def dart_post(server, path, body):
    """The bytes that Dart's http package puts on the wire for the Flutter client, and what comes back."""
    content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nuser-agent: Dart/3.1 (dart:io)\r\ncontent-type: application/json; charset=utf-8\r\n"
        f"accept-encoding: gzip\r\ncontent-length: {len(content)}\r\nhost: 127.0.0.1:{server.port}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as wire:
        wire.sendall(head.encode() + content)
        file = wire.makefile("rb")
        status = int(file.readline().split()[1])
        headers = {}
        while (line := file.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, file.read(int(headers["content-length"]))


def test_the_flutter_client_generates_and_submits(server, generated):
    status, headers, answer = dart_post(server, "/generate", {"image": photo(7)})
    assert status == 200
    assert headers["content-type"] == "application/json; charset=utf-8"  # else Dart reads the labels as Latin-1
    answer = json.loads(answer)
    assert answer["labels"] == ["원본", "분노", "공포", "기쁨", "슬픔", "놀람"]
    six = [pixels(image) for image in answer["images"]]
    original = pixels(photo(7))
    assert [picture.shape for picture in six] == [original.shape] * 6
    assert np.abs(six[0].astype(int) - original).mean() < 4
    assert all(np.abs(picture.astype(int) - six[0]).max() > 20 for picture in six[1:])  # the face is another one
    assert all(np.abs(picture.astype(int) - six[0])[:20].max() < 10 for picture in six[1:])  # and only the face

    images = list(answer["images"])
    images[3] = photo(7, "happy")
    before = server.kept()
    status, _, _ = dart_post(server, "/submit", {"images": images})
    assert status == 200
    [path] = server.kept() - before
    assert path.parts[-3:-1] == ("extended_train", "happy")
    assert np.abs(np.asarray(Image.open(path)).astype(int) - pixels(images[3])).mean() < 3


def test_no_face_is_said_in_two_languages(server):
    wall = np.full((300, 300, 3), 128, np.uint8)
    status, _, answer = dart_post(server, "/generate", {"image": encode(wall)})
    answer = json.loads(answer)
    assert (status, answer["code"]) == (422, "no_face")
    assert answer["message"] == "이미지에 얼굴이 인식되지 않습니다."
    assert answer["message_en"] == "No face was found in the picture."


def test_generated_pictures_are_never_kept(server, generated):
    before = server.kept()
    status, _, answer = server.post("/submit", {"images": generated["images"]})
    assert (status, json.loads(answer)["left_out"]) == (200, 5)
    assert server.kept() == before


@pytest.mark.parametrize("how", [{"format": "PNG"}, {"format": "JPEG", "quality": 60}, {"format": "WEBP"}])
def test_generated_pictures_stored_anew_by_a_client_are_never_kept(server, generated, how):
    before = server.kept()
    images = [encode(pixels(image), **how) for image in generated["images"]]
    images[1] = photo(7, "angry")  # the child's own, of the same person before the same wall
    status, _, answer = server.post("/submit", {"images": images})
    assert (status, json.loads(answer)["kept"]) == (200, {"angry": 1})
    assert len(server.kept() - before) == 1


def test_only_pictures_that_show_their_emotion_are_kept(server, generated):
    """One resting face kept five times was stored as five emotions; the mirror's own doubt counts too."""
    original = generated["images"][0]
    calm = photo(7, "neutral", quality=80)
    before = server.kept()
    status, _, answer = server.post("/submit", {"images": [original, *[calm] * 5]})
    answer = json.loads(answer)
    assert (status, answer["kept"], sorted(answer["not_reached"])) == (200, {}, EMOTIONS)
    assert "5장은 빼 두었습니다" in answer["message"]
    images = [original, photo(7, "angry"), calm, photo(7, "happy"), *generated["images"][4:]]
    answer = json.loads(server.post("/submit", {"images": images, "scores": {"angry": 0.9, "happy": 0.1}})[2])
    assert answer["kept"] == {"angry": 1}
    assert answer["not_reached"]["happy"] == 0.1
    assert answer["not_reached"]["fearful"] < 0.4
    assert [path.parent.name for path in server.kept() - before] == ["angry"]


def test_a_face_of_a_group_is_chosen_and_shown_alone(server):
    """Every face that was found can be chosen, and is cut out wherever it stands."""
    group = np.full((480, 1200, 3), 200, np.uint8)
    group[60:420, 20:380] = draw_face(7, "neutral", size=360)
    group[180:420, 900:1140] = draw_face(11, "neutral", size=240)
    found = json.loads(server.post("/faces", {"image": encode(group)})[2])["faces"]
    assert len(found) == 2
    heads = []
    for number in range(2):
        status, _, answer = server.post("/generate", {"image": encode(group), "face": number, "portrait": True})
        six = [pixels(image).astype(int) for image in json.loads(answer)["images"]]
        assert status == 200
        assert np.abs(six[0] - pixels(found[number])).mean() < 3
        assert all(np.abs(picture - six[0]).max() > 20 for picture in six[1:])
        heads.append(six[0])
    assert np.abs(heads[0] - heads[1]).mean() > 20, "two different people"
    status, _, answer = server.post("/generate", {"image": encode(group), "face": 2})
    assert (status, json.loads(answer)["code"]) == (422, "no_face")


def test_a_face_moves_in_steps(server):
    """Each is further from calm than the one before; a face of random weights fails its check and is never shown."""
    original, *_, surprised = (pixels(image).astype(int) for image in json.loads(
        server.post("/generate", {"image": photo(11)})[2])["images"])  # fmt: skip
    answer = json.loads(server.post("/steps", {"image": photo(11), "emotion": "surprised"})[2])
    way = [*(pixels(image).astype(int) for image in answer["images"]), surprised]
    moved = [np.abs(picture - original).mean() for picture in way]
    assert len(way) == 4 and moved == sorted(moved) and moved[0] > 0.1


def test_a_face_that_fails_its_check_is_not_given_back(tmp_path):
    """Random weights make a face of it that is none: the original is there instead, and why is said."""
    with Server(tmp_path, STARGAN_FE_CHECKPOINT=str(make_checkpoint(tmp_path))) as server:
        answer = json.loads(server.post("/generate", {"image": photo(7)})[2])
    assert answer["left_out"] and all(answer["left_out"].values())
    for name, image in zip(EMOTIONS, answer["images"][1:], strict=True):
        assert (image == answer["images"][0]) == (name in answer["left_out"])


def test_drawn_friends_have_six_faces(bare):
    [*people] = json.loads(bare.get("/friends.json")[2])
    assert len(people) == 3
    assert all(len(set(person["images"])) == 6 for person in people)


def test_kept_pictures_carry_nothing_but_pixels_and_preprocess(server, cli, tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "Kim Minji, home"
    exif.get_ifd(0x8825)[2] = (37.0, 33.0, 59.0)  # GPS latitude
    images = [photo(3), *(photo(3, e, format="PNG" if e == "angry" else "JPEG", exif=exif) for e in EMOTIONS)]
    before = server.kept()
    status, _, answer = server.post("/submit", {"images": images})
    assert (status, json.loads(answer)["kept"]) == (200, dict.fromkeys(EMOTIONS, 1))
    new = server.kept() - before
    assert sorted(path.parent.name for path in new) == EMOTIONS
    for path in new:
        assert len(path.stem) == 32
        assert not Image.open(path).getexif()
        assert b"Kim Minji" not in path.read_bytes()
    ran = cli("datapreprocess.py", "--input", server.folder / "data/extended_train", "--output", tmp_path / "train512",
              "--num_workers", 0)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert {path.parent.name for path in (tmp_path / "train512").glob("*/*.jpg")} == set(EMOTIONS)


def test_one_bad_picture_and_none_is_kept(server, generated):
    images = [*generated["images"][:3], photo(7, "happy"), base64.b64encode(b"\xff\xd8\xff no photo").decode(), "AAAA"]
    before = server.kept()
    status, _, answer = server.post("/submit", {"images": images})
    assert (status, json.loads(answer)["code"]) == (422, "unreadable")
    assert server.kept() == before


def test_a_photo_lying_on_its_side_is_put_upright(server):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    lying = encode(np.rot90(draw_face(5, "neutral", size=384)), exif=exif)
    status, _, answer = server.post("/generate", {"image": lying})
    assert status == 200
    with FaceFinder() as finder:
        assert finder.boxes(pixels(json.loads(answer)["images"][0]))


def malformed_bodies():
    """Requests (path, body) that a careless server answers with 200 or 500."""
    face = base64.b64decode(photo(3))
    files = [
        b"", b"hello", b"GIF89a" + bytes(30), b"%!PS-Adobe\n(/etc/passwd) run", b"<svg onload=alert(1)>",
        png(60000, 60000, 100), png(9000, 9000, 100), face[: len(face) // 2],
        b"\xff\xd8\xff" + bytes(1000), face[:200] + bytes(5000), b"PK\x03\x04" + face,
        b"RIFF\x00\x00\x00\x00WEBP" + face,
    ]  # fmt: skip
    for file in files:
        text = base64.b64encode(file).decode()
        yield "/generate", json.dumps({"image": text})
        yield "/submit", json.dumps({"images": [photo(3), *[text] * 5]})
    for path in ("/generate", "/submit"):
        for raw in (
            "", "{", "null", "[]", '"image"', '{"image": 5}', '{"image": ["a"]}', '{"images": {}}', '{"image": "é"}',
            '{"image": "\\ud800"}', '{"image": "data:image/jpeg;base64,AAAA"}', '{"images": ["../../x"]}', "[" * 100000,
            '{"image": "' + "A" * 3_000_001 + '"}', '{"images": [' + "1," * 100000 + "1]}", "\x00" * 100, "NaN",
            '{"images": ["AAAA","AAAB","AAAB","AAAB","AAAB","AAAB"], "path": "/etc/passwd"}',
        ):  # fmt: skip
            yield path, raw


def test_malformed_bodies_are_refused_and_nothing_is_written(server):
    before = server.files()
    for path, raw in malformed_bodies():
        status, _, answer = server.post(path, raw)
        assert 400 <= status < 500, (path, raw[:60], status)
        problem = json.loads(answer)
        assert set(problem) == {"code", "message", "message_en"}
        assert "/" not in problem["message_en"], "no path in an error"
    assert server.files() == before
    assert server.get("/health")[0] == 200


def test_hostile_bodies_never_break_the_server(server):
    strays = server.files() - server.kept()
    for path, raw in hostile_bodies(20):
        assert server.post(path, raw)[0] < 500, (path, raw[:60])
    assert server.files() - server.kept() == strays
    assert "Traceback" not in server.log()


def test_a_photo_that_takes_too_long_ends_only_itself(server):
    bomb = base64.b64encode(scan_bomb()).decode()
    status, _, answer = server.post("/generate", {"image": bomb})
    assert (status, json.loads(answer)["code"]) == (422, "unreadable")
    assert "too long" in json.loads(answer)["message_en"]
    assert server.post("/generate", {"image": photo(7)})[0] == 200


def test_more_people_than_places_are_asked_to_come_back(server):
    body = {"image": photo(7)}
    with ThreadPoolExecutor(24) as people:
        answers = list(people.map(lambda _: server.post("/generate", body), range(24)))
    assert {status for status, _, _ in answers} == {200, 503}
    assert all(int(headers["Retry-After"]) >= 1 for status, headers, _ in answers if status == 503)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server):
    head = (
        f"POST /generate HTTP/1.1\r\nhost: localhost:{server.port}\r\ncontent-type: application/json\r\n"
        "content-length: 99999999999\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as wire:
        wire.sendall(head.encode())
        assert b" 413 " in wire.makefile("rb").readline()


def test_logs_hold_no_photo(server, generated):
    log = server.log()
    assert "POST /generate" in log
    assert "/9j/" not in log  # how a JPEG begins in base64
    assert max(map(len, log.splitlines())) < 400


def test_a_server_without_checkpoint_starts_and_says_how_to_get_one(bare):
    assert "No pictures will be generated" in bare.log()
    health = json.loads(bare.get("/health")[2])
    assert (health["status"], health["generating"], health["collecting"]) == ("ok", False, False)
    assert (health["problem"], health["token_accepted"]) == ("", False)
    health = json.loads(bare.get("/health", **BEARER)[2])
    assert "holds no checkpoint: train first" in health["problem"]
    assert health["token_accepted"]
    status, _, answer = bare.post("/generate", {"image": photo(1)}, **BEARER)
    assert status == 503
    assert "STARGAN_FE_CHECKPOINT" in json.loads(answer)["message_en"]


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", f"Basic {quote(CODE)}", quote(CODE)])
def test_a_token_is_asked_for(bare, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    for path in ("/generate", "/submit"):
        status, answer_headers, _ = bare.post(path, {"image": "A"}, **headers)
        assert (status, answer_headers["WWW-Authenticate"]) == (401, "Bearer")


def test_nothing_is_collected_unless_asked_for(bare):
    images = [photo(1), *(photo(1, emotion) for emotion in EMOTIONS)]
    status, _, answer = bare.post("/submit", {"images": images}, **BEARER)
    assert (status, json.loads(answer)["kept"]) == (200, {})
    assert not bare.kept()


def test_other_sites_may_ask_only_when_named(server, bare):
    def allowed(running, origin):
        return running.get("/health", Origin=origin)[1].get("Access-Control-Allow-Origin")

    assert allowed(server, "https://clinic.example") is None
    assert allowed(bare, "https://clinic.example") == "https://clinic.example"
    assert allowed(bare, "https://evil.example") is None


BASE64_FORMS = {
    "data address": lambda plain: "data:image/jpeg;base64," + plain,
    "lines": lambda plain: "\r\n".join(plain[at : at + 76] for at in range(0, len(plain), 76)),
    "url-safe without padding": lambda plain: plain.replace("+", "-").replace("/", "_").rstrip("="),
}


@pytest.mark.parametrize("form", BASE64_FORMS)
def test_every_form_of_base64_is_read(server, form):
    assert server.post("/faces", {"image": BASE64_FORMS[form](photo(7))})[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("192.168.0.10:3000", 200), ("[::1]:3000", 200), ("clinic-pc", 200), ("clinic-pc.local", 200),
     ("faces.example", 200), ("a.clinic.example:443", 200), ("evil.example", 421), ("clinic.example.evil", 421),
     ("", 421), ("[", 421)],
)  # fmt: skip
def test_a_name_that_nobody_trusts_is_refused(bare, host, status):
    """A site's name that suddenly means this computer (DNS rebinding) would pass for the page's own."""
    answer = bare.get("/health", Host=host)
    assert answer[0] == status
    assert status == 200 or "STARGAN_FE_HOSTS" in json.loads(answer[2])["message_en"]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [({}, True), ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, True),
     ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
     ({"Origin": "https://evil.example"}, False),
     ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8080"}, False), ({"Origin": "null"}, False),
     ({"Sec-Fetch-Site": "cross-site", "Origin": "https://clinic.example"}, True)],
)  # fmt: skip
def test_other_sites_cannot_send_anything(bare, headers, allowed):
    """Not with a form either, which needs nobody's leave: a submit would be kept as the child's own."""
    status, _, answer = bare.post("/submit", {"images": []}, **BEARER, **headers)
    assert status == (422 if allowed else 403)
    assert allowed or json.loads(answer)["code"] == "other_site"


def test_a_body_of_no_type_is_no_json(bare):
    """A form of another site can send any text, but not as application/json."""
    for kind in ("text/plain", ""):
        status, _, _ = bare.post("/submit", {"images": [photo(3)] * 6}, **BEARER, **{"Content-Type": kind})
        assert status == 422


def test_colours_of_another_profile_become_those_of_every_screen(server):
    """A phone's photo in a wide profile came back pale: its numbers mean other colours. Here red means blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    face = draw_face(7, "neutral", size=384)
    heads = [
        pixels(json.loads(server.post("/faces", {"image": image})[2])["faces"][0]).astype(int)
        for image in (encode(face), encode(face[..., ::-1], icc_profile=exchanged))
    ]
    assert np.abs(heads[0] - heads[1]).mean() < 4


def test_every_answer_carries_the_security_headers(server):
    for path in ("/", "/health", "/docs", "/nowhere", "/app.js"):
        headers = server.get(path)[1]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert server.get("/")[0] == 200  # the Flutter client's ping
    assert server.get("/nowhere")[0] == 404
    assert server.get("/../backend.py")[0] == 404


def test_the_api_describes_itself(server):
    paths = json.loads(server.get("/openapi.json")[2])["paths"]
    body = paths["/submit"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["$ref"].endswith("/Pictures")
    assert {"200", "422", "503"} <= set(paths["/generate"]["post"]["responses"])


def test_which_generator_is_used(tmp_path, monkeypatch, capsys):
    """Your own, else the shipped one, else the demo's; what it learned from is said; each problem is one sentence."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(default_generator, "BESIDE_THE_CODE", Path("nowhere"))
    with pytest.raises(UserError, match="make demo"):
        chosen_checkpoint.choose()
    for folder, origin in (("data/demo/models", "demo"), ("pretrained", "shipped"), ("data/models", "own")):
        Path(folder).mkdir(parents=True)
        made = make_checkpoint(Path(folder))
        if origin == "shipped":
            made.rename("pretrained/people-256.ckpt")
            config = json.loads(Path("pretrained/config.json").read_text())
            config["arguments"]["trained_on"] = "rendered"
            Path("pretrained/people-256.json").write_text(json.dumps(config))
        choice = chosen_checkpoint.choose()
        assert (choice.origin, choice.trained_on) == (origin, "rendered" if origin == "shipped" else "photos")
        chosen_checkpoint.load_translator(choice.path).close()
    config = json.loads(Path("data/models/config.json").read_text())
    Path("data/models/config.json").write_text(json.dumps({**config, "domains": ["a", "b", "c", "d", "happy"]}))
    Path("bad-G.ckpt").write_bytes(b"nothing")
    for wanted, said in (
        ("", "happy, but not angry"),
        ("bad-G.ckpt", "bad-G.ckpt"),
        ("no", "no no:"),
    ):
        model_thread = ModelThread()
        asyncio.run(start_and_close(model_thread, wanted))
        assert model_thread.choice is None
        [line] = capsys.readouterr().err.splitlines()
        assert line == f"No pictures will be generated: {model_thread.problem}"
        assert said in line


async def start_and_close(model_thread, wanted):
    await model_thread.start(wanted)
    await model_thread.close()


def test_a_body_that_never_arrives_keeps_no_place(server):
    """A place is taken before the body is read, and given back when the client leaves."""
    head = (
        f"POST /generate HTTP/1.1\r\nhost: localhost:{server.port}\r\ncontent-type: application/json\r\n"
        "content-length: 1000\r\n\r\n"
    )
    wires = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(backend.PLACES)]
    for wire in wires:
        wire.sendall(head.encode())
    wait_for(lambda: json.loads(server.get("/health")[2])["waiting"] == backend.PLACES)
    assert server.post("/generate", {"image": photo(7)})[0] == 503
    for wire in wires:
        wire.close()
    wait_for(lambda: json.loads(server.get("/health")[2])["waiting"] == 0)
    assert server.post("/generate", {"image": photo(7)})[0] == 200


def wait_for(true):
    giving_up = time.monotonic() + 60
    while not true():
        assert time.monotonic() < giving_up
        time.sleep(0.05)


@pytest.mark.slow
def test_the_servers_memory_keeps_nothing_of_photos_that_were_answered(tmp_path, portrait):
    """The search finds each picture while it arrives; once all is answered, neither it nor what was made of it."""
    sent, own = encode(portrait, quality=92), photo(7, "happy")
    with Server(tmp_path, STARGAN_FE_CHECKPOINT=str(SHIPPED), **OVERWRITING) as server:
        made = json.loads(server.post("/generate", {"image": sent})[2])["images"]
        assert server.post("/faces", {"image": sent})[0] == 200
        pictures = {"the photo": sent, "a made picture": made[3], "the child's own picture": own}
        arriving = {name: text[3000:3100].encode() for name, text in pictures.items()}
        files = {f"{name}'s file": base64.b64decode(text)[3000:3100] for name, text in pictures.items()}
        rows = {f"{name}'s pixels": pixels(text)[200, 150:190].tobytes() for name, text in pictures.items()}
        body = json.dumps({"images": [sent, *made[1:4], own, made[5]]}).encode()
        head = (
            f"POST /submit HTTP/1.1\r\nhost: localhost:{server.port}\r\ncontent-type: application/json\r\n"
            f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=120) as wire:
            wire.sendall(head.encode() + body[:-1])
            wait_for(lambda: in_memory(server, arriving) == set(arriving))
            wire.sendall(body[-1:])
            assert wire.makefile("rb").read().startswith(b"HTTP/1.1 200")
        wait_for(lambda: not in_memory(server, {**arriving, **files, **rows}))


def test_a_record_opens_to_nobody_else_in_the_network(bare):
    child = Record(bare.folder / "data/record.sqlite3").add(
        "토끼", Consent("parent", now(), now().date() + timedelta(days=100))
    )
    json_body = {"Content-Type": "application/json"}
    asked = (("GET", "/children", None), ("POST", f"/children/{child}/sessions", b"{}"))
    assert [bare._ask(*each, json_body)[0] for each in asked] == [401, 401]
    assert [bare._ask(*each, {**json_body, **BEARER})[0] for each in asked] == [200, 422]
    session = b'{"id": "a", "began": "2026-01-01T10:00:00Z"}'
    assert bare._ask("POST", "/children/unknown/sessions", session, {**json_body, **BEARER})[0] == 404
