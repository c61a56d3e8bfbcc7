"""The mirror's coach in the page, before drawn faces that move: their readings are MediaPipe's."""

import itertools

import numpy as np
import pytest
from coach import NODE, coached, film

from apps import expression_rules
from apps.face_reading import read_face
from common import emotions
from face_detection import FaceFinder
from imaging.drawing.picture import draw_face

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")

PERSON = 7
FIRST = expression_rules.SETTLING_SECONDS + 0.1  # seconds at rest with which a try begins
SHARES = np.linspace(0, 1, 201)


@pytest.fixture(scope="module")
def read():
    """What is read off the person with an emotion."""
    with FaceFinder() as finder:
        kept = {}

        def reading(emotion, intensity=1.0):
            face = draw_face(PERSON, emotion, intensity=intensity, size=240)
            return kept.setdefault((emotion, intensity), read_face(face, finder))

        yield reading


@pytest.fixture
def rest(read):
    return read("neutral")


def states(moments):
    """The states in their order, each stretch of equal ones once."""
    return [state for state, _ in itertools.groupby(moment["state"] for moment in moments)]


def at(meter, rest, happy):
    """Between the two faces, where the meter of happy is this."""
    between = ({name: rest[name] + share * (happy[name] - rest[name]) for name in rest} for share in SHARES)
    return next(face for face in between if expression_rules.meter("happy", face, rest) >= meter)


@pytest.mark.parametrize("emotion", emotions.FIVE)
def test_first_a_hint_then_praise_for_an_expression_held_two_seconds(read, rest, emotion):
    [moments] = coached({"emotion": emotion, "rest": rest, "frames": film((rest, 2), (read(emotion), 4))})
    neutral, made = moments[:20], moments[20:]
    assert states(neutral) == ["hint"]
    assert all(moment["meter"] < 0.3 for moment in neutral)
    wanted = {(rule.korean, rule.english) for rule in expression_rules.RULES[emotion] if rule.weight > 0}
    assert (neutral[0]["sentence"]["korean"], neutral[0]["sentence"]["english"]) in wanted
    assert states(moments) == ["hint", "hold", "done"]
    assert [moment["state"] for moment in made].count("hold") / 10 == pytest.approx(2, abs=0.11)
    assert made[-1]["done"] and made[-1]["meter"] >= expression_rules.REACHED
    assert made[-1]["best"] >= made[-1]["meter"]
    assert made[-1]["clock"] == pytest.approx(5.9)


@pytest.mark.parametrize("target", emotions.FIVE)
def test_an_unrelated_expression_gets_no_praise(read, rest, target):
    others = set(emotions.FIVE) - {target}
    runs = [{"emotion": target, "rest": rest, "frames": film((rest, 0.5), (read(shown), 3))} for shown in others]
    for shown, moments in zip(others, coached(*runs), strict=True):
        assert states(moments) == ["hint"], f"a {shown} face is praised for {target}"


def test_a_face_turned_away_pauses_and_nothing_is_lost(read, rest):
    happy = read("happy")
    [moments] = coached({"emotion": "happy", "rest": rest, "frames": film((happy, 2.1), (happy, 3, 40), (happy, 1.2))})
    before, away, back = moments[:21], moments[21:51], moments[51:]
    assert states(away) == ["hold", "away"]
    assert away[-1]["sentence"]["english"] == "Can you look into the mirror?"
    assert away[-1]["clock"] == before[-1]["clock"], "the clock of the attempt runs on"
    assert states(back)[-2:] == ["hold", "done"], "what was held before the pause counts"


def test_nobody_there_is_said_and_one_frame_without_a_face_is_not(read, rest):
    happy = read("happy")
    frames = film((None, 1), (rest, FIRST), (happy, 1.5), (None, 0.1), (happy, 1.5))
    [moments] = coached({"emotion": "happy", "rest": rest, "frames": frames})
    assert states(moments) == ["noFace", "hint", "hold", "done"]


@pytest.mark.parametrize("emotion", emotions.FIVE)
def test_a_hint_can_be_read_and_does_not_flicker(read, rest, emotion):
    """Readings far noisier than MediaPipe's, of a face that has begun to move."""
    face, rng = read(emotion, 0.1), np.random.default_rng(0)
    noisy = [({name: value + rng.normal(0, 0.03) for name, value in face.items()}, 0.1) for _ in range(300)]
    [moments] = coached({"emotion": emotion, "rest": rest, "frames": film(*noisy)})
    said = [moment["sentence"]["english"] for moment in moments]
    lengths = [len(list(stretch)) for _, stretch in itertools.groupby(said)]
    assert min(lengths[:-1], default=300) >= 10 * expression_rules.HINT_SECONDS
    assert len(lengths) <= 2 + 30 / expression_rules.OTHER_HINT_SECONDS


def test_a_wobble_at_the_threshold_is_one_hold(read, rest):
    wobble = [(at(expression_rules.REACHED - by, rest, read("happy")), 0.4) for by in (0.1, 0)] * 4
    frames = film((rest, FIRST), (read("happy"), 0.6), *wobble)
    [moments] = coached({"emotion": "happy", "rest": rest, "frames": frames})
    assert states(moments) == ["hint", "hold", "done"]


def test_praise_waits_as_long_as_the_adult_chose(read, rest):
    frames = film((read("happy"), 7), rate=2)
    [moments] = coached({"emotion": "happy", "rest": rest, "hold": 5.0, "frames": frames})
    assert moments[8]["state"] == "hold" and moments[13]["state"] == "done"


def test_a_gap_in_the_video_does_not_count_as_held(read, rest):
    frames = [{"face": read("happy"), "seconds": seconds} for seconds in (0, 0.5, 1, 61)]
    [moments] = coached({"emotion": "happy", "rest": rest, "frames": frames})
    assert moments[3]["state"] == "hold" and moments[3]["clock"] < 2


def test_the_usual_face_is_asked_for_once_and_kept_for_the_visit(read, rest):
    other = {name: value / 2 for name, value in rest.items()}
    first, again, known = coached(
        {"emotion": "happy", "visit": "one", "frames": film((rest, 3))},
        {"emotion": "sadness", "visit": "one", "frames": film((rest, 0.1))},
        {"emotion": "happy", "visit": "two", "rest": other, "frames": film((rest, 0.1))},
    )
    assert states(first) == ["usualFace", "hint"]
    assert first[-1]["meter"] < 0.3 and first[-1]["rest"] == pytest.approx(rest)
    assert again[0]["state"] == "hint" and again[0]["rest"] == first[-1]["rest"]
    assert known[0]["state"] == "hint" and known[0]["rest"] == other


def test_a_face_that_never_rests_is_not_waited_for_long(read):
    moving = film(*([(read("happy"), 0.5), (read("surprised"), 0.5)] * 8))
    first, again = coached(
        {"emotion": "happy", "visit": "one", "frames": moving},
        {"emotion": "happy", "visit": "one", "frames": film((read("happy"), 0.1))},
    )
    assert first[0]["state"] == "usualFace" and first[-1]["state"] != "usualFace" and first[-1]["rest"] is None
    assert again[0]["state"] != "usualFace"


def test_coming_closer_than_the_own_first_try_is_praised_once(read, rest):
    low, high = (at(meter, rest, read("happy")) for meter in (0.2, 0.5))
    first, second = coached(
        {"emotion": "happy", "visit": "one", "rest": rest, "frames": film((rest, FIRST), (low, 3))},
        {"emotion": "happy", "visit": "one", "rest": rest, "frames": film((rest, FIRST), (low, 3), (high, 8))},
    )
    assert states(first) == ["hint"]
    assert states(second[:37]) == ["hint"], "as near as before is not nearer"
    assert states(second) == ["hint", "closer", "hint"]


def test_nobody_is_left_before_a_bar_that_does_not_fill(read, rest):
    """Other hints, then praise for the try; the next one is a little easier, where the adult lets it."""
    low = at(0.8, rest, read("happy"))
    run = {"emotion": "happy", "rest": rest, "frames": film((rest, FIRST), (low, 30))}
    first, second, strict, again = coached(
        {**run, "visit": "one"},
        {**run, "visit": "one"},
        {**run, "visit": "two", "eases": False},
        {**run, "visit": "two"},
    )
    hints = [moment["sentence"]["english"] for moment in first if moment["state"] == "hint"]
    assert len(set(hints)) > 1
    assert states(first) == ["hint", "goodTry"]
    assert 25 <= [moment["state"] for moment in first].count("hint") / 10 < 28
    assert first[-1]["sentence"]["english"].startswith("Good try") and not first[-1]["done"]
    assert second[-1]["meter"] > first[-1]["meter"]
    assert strict[-1]["state"] == "goodTry" and again[100]["meter"] == pytest.approx(strict[100]["meter"])


@pytest.mark.parametrize("emotion", ["angry", "surprised"])
def test_who_does_not_smile_is_not_asked_to_stop_smiling(rest, emotion):
    [moments] = coached({"emotion": emotion, "rest": rest, "frames": film((rest, 24))})
    hints = [moment["sentence"]["english"] for moment in moments]
    assert len(set(hints)) > 1 and not any("smiling" in hint for hint in hints)


def test_who_smiles_at_rest_is_asked_again_and_then_taken_as_they_are(read, rest):
    smiling, later = coached(
        {"emotion": "sadness", "visit": "one", "frames": film((read("happy"), 2.5), (rest, 4))},
        {"emotion": "sadness", "visit": "two", "frames": film((read("happy"), 10))},
    )
    asked = [moment["sentence"]["english"] for moment in smiling if moment["state"] == "usualFace"]
    assert "usual face" in asked[0] and "No smile" in asked[-1]
    assert smiling[-1]["rest"] == pytest.approx(rest) and smiling[-1]["meter"] < 0.1
    assert states(later) == ["usualFace", "hint"] and later[-1]["rest"] == pytest.approx(read("happy"))
    assert 4.4 <= [moment["state"] for moment in later].count("usualFace") / 10 <= 5.5, "asked three times"


def test_the_bar_begins_at_the_own_rest(read, rest):
    moments = coached(*({"emotion": emotion, "rest": rest, "frames": film((rest, 1))} for emotion in emotions.FIVE))
    assert all(moment["meter"] == 0 for run in moments for moment in run)
