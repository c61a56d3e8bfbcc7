"""EMOKIDS: the logic of each page, then the whole app in a real browser whose camera shows drawn faces."""

import base64
import csv
import io
import itertools
import math
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import numpy as np
import pytest
from browser import CHROMIUM, faults, film, launch
from serving import OVERWRITING, ROOT, StreamlitServer, in_memory, jpeg, killed, make_checkpoint
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.testing.v1 import AppTest

from apps import expression_rules
from apps.emokids import guess_page, history, kept_visit, mirror_page, mirror_server, settings, visitors, words
from apps.emokids.mirror import Attempt
from apps.emokids.play import Play, Try
from apps.emokids.practice import Practice
from apps.emokids.settings import Settings
from apps.emokids.studio import studio
from apps.learned_feedback import WEIGHTS
from common import emotions
from face_detection import FaceFinder
from imaging.draw_faces import draw_face
from imaging.photo import UnreadablePhoto

IDENTITY = 7
PATIENCE = 120  # seconds, with a busy machine
# All five take over a minute: EMOKIDS_ALL_TARGETS=1 pytest tests/test_streamlit_app.py
TARGETS = emotions.FIVE if os.environ.get("EMOKIDS_ALL_TARGETS") else ("happy",)

# What axe says of Streamlit 1.65's own markup, the newest for Python 3.10: its main part and sidebar are sections.
LANDMARKS = tuple(map(int, version("streamlit").split(".")[:2])) >= (1, 67)
STREAMLITS_FAULTS = () if LANDMARKS else ("region", "aria-allowed-attr")

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")


def child(size=480):
    return draw_face(IDENTITY, "neutral", size=size)


def korean(key, **values):
    return words.WORDS[key][0].format(**values)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def app(checkpoint, monkeypatch):
    """The app at its first page."""
    monkeypatch.setenv("STARGAN_FE_CHECKPOINT", str(checkpoint))
    return AppTest.from_file(str(ROOT / "apps" / "emokids" / "pages.py"), default_timeout=PATIENCE).run()


@pytest.fixture(scope="module", autouse=True)
def close_studio():
    yield
    studio.clear()
    visitors.close_for_everybody()


def upload(app, file, name="a.jpg"):
    return app.file_uploader[0].set_value((name, file, "image/jpeg")).run()


def make_faces(app):
    upload(app, jpeg(child()))
    return app.button(key="face0").click().run()


def page(of, **state):
    """A page by itself, as the frame would show it."""
    app = AppTest.from_string(
        f"from apps.emokids import {of}\nif __name__ == '__main__':\n    {of}.show()", default_timeout=PATIENCE
    )
    for name, value in state.items():
        app.session_state[name] = value
    return app.run()


def press(app, label):
    next(button for button in app.button if button.label == label).click()
    return app.run()


def texts(app):
    return " ".join(
        str(element.value) for kind in ("markdown", "info", "caption", "header") for element in app.get(kind)
    ) + " ".join(element.proto.body for element in app.get("html"))


def pictures(app):
    return texts(app).count('<img class="emokids-picture"')


# --- Making faces ---------------------------------------------------------------------------------------------


def test_this_photo_is_asked_before_it_gives_six_captioned_pictures_and_their_files(app):
    upload(app, jpeg(child()))
    assert korean("sureTitle") in texts(app)
    assert pictures(app) == 1
    assert not app.download_button
    app.button(key="face0").click().run()
    assert not app.exception
    assert pictures(app) == 6
    for korean_word, english in words.FACES.values():
        assert f'<strong lang="ko">{korean_word}</strong><span lang="en">{english}</span>' in texts(app)
    assert [button.label for button in app.download_button] == ["저장"] * 6 + ["카드로 인쇄하기 (A4 PDF)"]
    faces = app.session_state["child"].made["very"]
    assert len(set(faces.photos.values())) == len(set(faces.portraits.values())) == 6
    assert faces.cards().startswith(b"%PDF")
    assert max(faces.rest.values()) > 0, "the mirror knows the resting face"
    app.button_group(key="strength").set_value("little").run()
    softer = app.session_state["child"].made["little"]
    apart = [
        np.abs(pixels(made.portraits["angry"]) - pixels(made.portraits["original"])).mean() for made in (softer, faces)
    ]
    assert 0.3 < apart[0] / apart[1] < 0.7, "a little is about half of it"


def pixels(file):
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(file)), float)


def test_of_several_faces_one_is_chosen(app):
    other = draw_face(11, "neutral", size=480)
    upload(app, jpeg(np.hstack([child(), other])))
    assert not app.exception
    assert [button.label for button in app.button if button.key and button.key.startswith("face")] == [
        korean("thisFace")
    ] * 2
    assert not app.download_button, "nothing is made before somebody chooses"
    app.button(key="face1").click().run()
    assert len(app.download_button) == 7
    left, right = app.session_state["child"].found
    made = pixels(app.session_state["child"].made["very"].photos["angry"])
    before = pixels(app.session_state["child"].made["very"].photos["original"])
    changed = np.abs(made - before).mean(axis=(0, 2))
    assert changed[480:].mean() > 10 * changed[:480].mean() if right.square.cx > left.square.cx else True


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (jpeg(np.full((300, 300, 3), 150, np.uint8)), "noFace"),
        (jpeg(child())[:2000], "unreadable"),
        (b"not a photo at all", "unreadable"),
    ],
)
def test_what_is_no_face_is_met_kindly(app, file, sentence):
    upload(app, file)
    assert [info.value for info in app.info] == [words.WORDS[sentence][0]]
    assert not app.exception
    assert app.file_uploader, "another one can be chosen at once"
    app.button(key="language").click().run()
    assert [info.value for info in app.info] == [words.WORDS[sentence][1]]


def test_play_again_asks_once_and_forgets_the_child(app):
    make_faces(app)
    app.session_state["play"] = Play({"happy": [Try(b"the child's face", True)]})
    app.session_state["turn"] = "happy", app.session_state["child"].made["very"]
    app.session_state["live"] = Live(visitors.opened(mirror_server.LiveMirror))
    app.button(key="start-over").click().run()
    assert [button.label for button in app.get("download_button")][-1] == korean("saveRecordFirst")
    assert "child" in app.session_state, "it was only asked"
    app.button(key="clear-all").click().run()
    for key in ("child", "play", "turn", "live"):
        assert key not in app.session_state, key
    assert app.file_uploader[0].value is None


@pytest.mark.parametrize("file", [b"GIF89a", b"\xff\xd8\xff broken", jpeg(np.zeros((8, 1601, 3), np.uint8))])
def test_a_page_hands_back_no_other_pictures_than_the_app_makes(file):
    kept_visit.check(jpeg(child(64)))
    with pytest.raises(UnreadablePhoto):
        kept_visit.check(file)


def test_the_language_changes_every_word(app):
    assert app.button(key="language").label == "English"
    app.button(key="language").click().run()
    assert app.button(key="language").label == "한국어"
    words = re.sub("<(style|script)>.*?</(style|script)>", "", texts(app), flags=re.DOTALL)
    assert not re.search("[가-힣]", words)
    assert "Which face" in words


def test_words_shared_with_the_phone_are_the_same():
    source = (ROOT / "apps" / "page" / "web" / "words.js").read_text(encoding="utf-8")
    both = [dict(re.findall(r'^  (\w+):\s+"(.*)",$', part, re.MULTILINE)) for part in source.split("const ENGLISH", 1)]
    shared = [key for key in words.WORDS if key in both[0]]
    assert len(shared) >= 20
    for key in shared:
        assert words.WORDS[key] == (both[0][key], both[1][key]), key


def test_every_word_a_page_asks_for_is_there():
    asked = re.compile(r"""\b(?:word|korean|english)\(\s*["'](\w+)["']""")
    for page in (ROOT / "apps" / "emokids").glob("*.py"):
        assert set(asked.findall(page.read_text(encoding="utf-8"))) <= words.WORDS.keys(), page.name


# --- What the adult sets --------------------------------------------------------------------------------------


def test_the_browser_keeps_the_settings_and_a_damaged_cookie_does_no_harm():
    chosen = Settings(english=True, order=("sadness", "happy"), difficulty="hard", minutes=0, spoken=True)
    cookie = settings.to_cookie(chosen)
    assert re.fullmatch(r"[\w%.-]+", cookie), "nothing in it ends a cookie"
    assert settings.from_cookie(cookie) == chosen
    for damaged in ("", "%7B", "[]", "3", '{"order": ["nobody"]}', '{"rounds": 1000}', '{"order": 5}'):
        assert settings.from_cookie(damaged) == Settings(), damaged


def test_the_adult_reads_what_a_level_was_measured_to_mean():
    app = page("adult_page")
    known, unknown = (WEIGHTS["measured"]["easy"][kind] for kind in ("known", "unknown"))
    [easy] = [caption.value for caption in app.caption if caption.value.startswith("쉽게")]
    assert f"{unknown['right']}%" in easy
    assert f"{known['other']}%" in easy


def test_the_adult_chooses_faces_and_order():
    app = page("adult_page")
    app.multiselect(key="set-order").set_value(["fearful", "happy"]).run()
    app.button_group(key="set-rounds").set_value(2).run()
    chosen = app.session_state["settings"]
    assert (chosen.order, chosen.rounds) == (("fearful", "happy"), 2)
    mirror = page("mirror_page", settings=chosen)
    assert mirror.button_group(key="target").options == ["무서운 얼굴", "기쁜 얼굴"]
    assert "무서운 얼굴, 지어 볼까?" in texts(mirror)


# --- The mirror -----------------------------------------------------------------------------------------------


def test_the_mirror_asks_for_the_chosen_emotion_and_stands_beside_a_drawn_face():
    app = page("mirror_page")
    assert not app.exception
    assert "기쁜 얼굴, 지어 볼까?" in texts(app)
    app.button_group(key="target").set_value("sadness").run()
    assert "슬픈 얼굴, 지어 볼까?" in texts(app)
    live = app.session_state["live"]
    answer = look(live, "sadness")
    assert live._mirror.attempt.emotion == "sadness"
    assert answer["state"] == "usualFace", "without a photo it is asked for"
    visitors.close_for_everybody()
    with pytest.raises(mirror_server.MirrorGone):
        look(live, "sadness")


def test_a_judge_that_cannot_be_used_is_done_without(monkeypatch, tmp_path, capsys):
    mirror_page.second_opinion.clear()
    monkeypatch.setenv("STARGAN_FE_JUDGE", str(tmp_path / "missing.pt"))
    app = page("mirror_page")
    assert look(app.session_state["live"], "neutral")["state"] == "usualFace"
    assert "missing.pt" in capsys.readouterr().err
    mirror_page.second_opinion.clear()


def look(live, emotion, frames=2):
    for _ in range(frames):
        answer = live.see(jpeg(child() if emotion == "neutral" else draw_face(IDENTITY, emotion, size=480)))
        time.sleep(0.01)
    return answer


def test_one_mirror_answers_frames_until_it_is_closed():
    with FaceFinder() as finder:
        rest = finder.mesh(child()).blendshapes
    live = mirror_server.LiveMirror()
    live.begin("happy", rest)
    answer = look(live, "neutral")
    assert answer["state"] == "hint"
    assert (answer["korean"], answer["english"]) in {
        (rule.korean, rule.english) for rule in expression_rules.RULES["happy"]
    }
    assert answer["arrow"]["feature"] in {rule.feature for rule in expression_rules.RULES["happy"]}
    assert look(live, "happy", 30)["meter"] > answer["meter"]
    for file in (b"nothing", b"\xff\xd8\xff broken", jpeg(np.zeros((2000, 2000, 3), np.uint8))):
        with pytest.raises(UnreadablePhoto):
            live.see(file)
    token = live.address.removeprefix("/mirror/")
    assert token in mirror_server._live
    live.close()
    live.close()
    assert token not in mirror_server._live
    with pytest.raises(mirror_server.MirrorGone):
        look(live, "neutral")


def test_turns_go_round_until_all_faces_are_through_or_the_time_is_up():
    order = ("happy", "sadness", "angry")
    play = Play()
    assert play.next("sadness", order, rounds=1) == "angry"
    play.add("sadness", Try(b"1", reached=False))
    assert play.comparing
    play.try_again("sadness")
    assert not play.tries["sadness"], "what did not reach it may be taken anew"
    for name in ("sadness", "angry"):
        play.add(name, Try(b"2", reached=name == "angry"))
    assert play.next("angry", order, rounds=1) == "happy"
    play.add("happy", Try(b"3", reached=True))
    play.try_again("happy")
    assert play.has_star("happy"), "a star stays"
    assert play.next("happy", order, rounds=1) is None
    assert play.next("happy", order, rounds=2) == "sadness"
    assert [play.has_star(name) for name in order] == [True, False, True]
    assert not play.time_is_up(1e9, 5)
    play.began = 100.0
    assert [play.time_is_up(now, 5) for now in (399.0, 400.0)] == [False, True]
    assert not play.time_is_up(1e9, 0), "0 is no limit"


def test_after_the_last_face_it_is_over_with_a_star_for_each_that_was_reached():
    picture = jpeg(child(64))
    play = Play({"happy": [Try(picture, True)], "sadness": [Try(picture, False, closer=True)]}, comparing=True)
    app = page("mirror_page", play=play, settings=Settings(order=("happy", "sadness")), emotion="sadness")
    assert korean("closerTitle") in texts(app)
    assert korean("reachedTitle") not in texts(app), "praise is for what was reached"
    press(app, korean("keep"))
    assert korean("endTitle") in texts(app)
    assert texts(app).count('class="face"') == 2
    assert texts(app).count('class="star"') == 1
    assert not [button for button in app.button if button.label == korean("again")], "no endless once more"


def test_a_break_turns_the_mirror_off():
    app = press(page("mirror_page"), korean("rest"))
    assert korean("restText") in texts(app)
    assert not app.get("bidi_component")
    assert press(app, korean("restDone")).get("bidi_component")
    adult = page("adult_page")
    adult.toggle(key="set-break_button").set_value(False).run()
    without = page("mirror_page", settings=adult.session_state["settings"])
    assert korean("rest") not in [button.label for button in without.button]


# --- Guessing -------------------------------------------------------------------------------------------------


def test_a_face_is_guessed_without_anybody_saying_wrong():
    app = page("guess_page", settings=Settings(order=("happy", "angry")), guess=guess_page.Guess(["angry", "happy"]))
    app.button(key="guess-happy").click().run()
    assert korean("guessAgain") in texts(app)
    assert app.button(key="guess-happy").disabled
    app.button(key="guess-angry").click().run()
    assert "맞았어! 화난 얼굴이야." in texts(app)
    app.button(key="guess-next").click().run()
    app.button(key="guess-happy").click().run()
    app.button(key="guess-next").click().run()
    assert korean("guessEnd") in texts(app)
    assert app.session_state["guess"].stars == ["happy"], "a star for what was known at first sight"


# --- For the therapist ----------------------------------------------------------------------------------------


class Live:
    """What the therapist's page sees of a mirror."""

    def __init__(self, mirror=None):
        self.mirror = mirror
        self.practice = Practice()
        for attempt in (
            Attempt("happy", 9.0, 4.26, 0.954),
            Attempt("happy", 6.0, 2.5, 1.0),
            Attempt("angry", 20.0, None, 0.41),
        ):
            self.practice.begin()
            self.practice.note(attempt)


def test_the_therapist_sees_attempts_as_table_charts_and_csv():
    app = page("therapist_page", live=Live())
    assert not app.exception
    table = app.table[0].value
    assert table[korean("emotion")].tolist() == ["기쁨", "분노"]
    assert table["시도"].tolist() == [2, 1]
    assert table["성공"].tolist() == [2, 0]
    assert table["가장 빠른 시간(초)"].tolist() == ["2.5", "–"]
    assert table["최고 점수"].tolist() == [100, 41]
    assert len(app.get("arrow_vega_lite_chart")) + len(app.get("vega_lite_chart")) == 2
    assert [button.label for button in app.download_button] == ["CSV로 저장"]
    press(app, korean("forget"))
    assert not app.table
    assert "아직" in app.info[0].value


def test_a_csv_for_a_spreadsheet():
    rows = list(csv.DictReader(io.StringIO(Live().practice.csv().decode("utf-8-sig"))))
    assert [row["emotion"] for row in rows] == ["happy", "happy", "angry"]
    assert [row["seconds_to_reach"] for row in rows] == ["4.3", "2.5", ""]
    assert [row["best_score"] for row in rows] == ["0.95", "1.00", "0.41"]


def test_an_attempt_counts_from_two_seconds_on_or_once_the_face_is_reached():
    practice = Practice()
    for best, seconds in ((0.3, 0.2), (0.4, 1.9)):
        practice.begin()
        practice.note(Attempt("happy", seconds, None, best))
    assert not practice.entries
    practice.note(Attempt("happy", 2.0, None, 0.5))
    practice.note(Attempt("happy", 2.2, 1.0, 0.9))
    practice.begin()
    practice.note(Attempt("happy", 1.1, 0.1, 0.8))
    assert [entry.attempt.best for entry in practice.entries] == [0.9, 0.8]


def test_a_record_of_several_days_is_kept_only_if_asked_compared_and_deleted(monkeypatch, tmp_path):
    monkeypatch.setattr(history, "FOLDER", tmp_path / "kept")
    live = Live()
    app = page("therapist_page", live=live)
    assert not history.FOLDER.exists()
    for name in ("../up", "a/b", ".hidden", ""):
        app.text_input(key="pseudonym").set_value(name)
        app.button(key="keep-history").click().run()
        assert app.info[-1].value == korean("badPseudonym")
    app.text_input(key="pseudonym").set_value("파란 곰")
    app.button(key="keep-history").click().run()
    live.practice.begin()
    live.practice.note(Attempt("sadness", 5.0, 2.0, 0.8))
    live.practice.entries[-1].began = live.practice.entries[-1].began.replace(year=2001)
    app.button(key="keep-history").click().run()
    assert [path.name for path in history.FOLDER.iterdir()] == ["파란 곰.csv"]
    assert len(history.load("파란 곰", history.FOLDER)) >= 2, (
        "what was kept before is not kept twice, and nothing is lost"
    )
    app.selectbox(key="history").set_value("파란 곰").run()
    assert "2001" in app.table[-1].value[korean("session")].to_string()
    app.button(key="delete-history").click().run()
    assert not list(history.FOLDER.iterdir())
    (history.FOLDER / "a.csv").write_text("something else\n1\n")
    app.run()
    app.selectbox(key="history").set_value("a").run()
    assert "a.csv" in app.info[-1].value
    assert not app.exception


class Sessions:
    """Streamlit's sessions: who is connected, and who was closed for good."""

    def __init__(self, *connected):
        self.connected, self.closed = set(connected), []

    def is_active_session(self, session):
        return session in self.connected

    def close_session(self, session):
        self.closed.append(session)


class Open:
    """Something that is open for a visitor."""

    def __init__(self, name, closed):
        self.name, self.closed = name, closed

    def close(self):
        self.closed.append(self.name)


def test_two_runs_of_a_page_at_once_get_the_same_mirror(monkeypatch):
    """A run that loads the mirror when the next one begins closed that one's, record and all."""
    monkeypatch.setattr(visitors, "_open", {})
    begun, closed = threading.Event(), []

    def slowly():
        begun.set()
        time.sleep(0.3)
        return Open("first", closed)

    with ThreadPoolExecutor() as threads:
        first = threads.submit(visitors.opened, slowly)
        assert begun.wait(10)
        second = visitors.opened(lambda: Open("second", closed))
    assert first.result() is second
    assert not closed


def test_visitors_are_forgotten_a_while_after_they_left_and_their_mirror_with_them(monkeypatch):
    monkeypatch.setattr(visitors, "_last_seen", {"stays": 0.0, "leaves": 0.0})
    closed = []
    monkeypatch.setattr(visitors, "_open", {name: Open(name, closed) for name in ("stays", "leaves")})
    sessions = Sessions("stays", "leaves")
    assert not visitors.look(sessions, 100.0)
    sessions.connected.remove("leaves")
    visitors.look(sessions, 110.0)
    assert not sessions.closed, "a page that is loaded again finds everything as it was"
    for left in visitors.look(sessions, 100.0 + visitors.GRACE_SECONDS + 1):
        left.close()
    assert closed == ["leaves"]
    visitors.look(sessions, 1000.0)
    assert sessions.closed == ["leaves"]


# --- Other generators ----------------------------------------------------------------------------------------


def test_without_a_generator_drawn_friends_play_and_only_adults_read_why(app, monkeypatch, tmp_path, capsys):
    studio.clear()
    monkeypatch.setenv("STARGAN_FE_CHECKPOINT", str(tmp_path / "missing-G.ckpt"))
    app.run()
    assert not app.file_uploader
    assert korean("friendsOnly") in texts(app)
    assert "STARGAN_FE" not in texts(app) + "".join(button.label for button in app.button)
    assert "missing-G.ckpt" in capsys.readouterr().err
    press(app, korean("friend", number=2))
    assert pictures(app) == 6, "a friend needs no generator"
    assert "missing-G.ckpt" in page("adult_page").info[0].value
    studio.clear()


def test_a_generator_of_drawings_gets_no_photo_of_a_child_unless_an_adult_says_so(monkeypatch, tmp_path):
    studio.clear()
    path = make_checkpoint(tmp_path, trained_on="drawn")
    monkeypatch.setenv("STARGAN_FE_CHECKPOINT", str(path))
    app = page("make_faces_page")
    assert not app.file_uploader
    assert korean("photosOff") in texts(app)
    assert len([button for button in app.button if button.key and button.key.startswith("friend-")]) == 3
    adult = page("adult_page")
    assert str(path) in texts(adult)
    assert korean("drawn") in texts(adult)
    adult.toggle(key="set-photos_anyway").set_value(True).run()
    assert page("make_faces_page", settings=adult.session_state["settings"]).file_uploader
    studio.clear()


# --- In a browser ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory, checkpoint):
    folder = tmp_path_factory.mktemp("streamlit")
    with StreamlitServer(folder, STARGAN_FE_CHECKPOINT=str(checkpoint), **OVERWRITING) as running:
        yield running
        assert not running.files(), "something was written to disk"


@pytest.fixture(scope="module")
def playwright():
    with sync_api.sync_playwright() as running:
        yield running


@pytest.fixture(scope="module", params=TARGETS)
def browser(request, playwright, tmp_path_factory):
    """A browser before whose camera somebody rests, then makes a face, over and over."""
    camera = film(tmp_path_factory.mktemp("camera") / "film.mjpeg", IDENTITY, "neutral", request.param, frames=90)
    running = launch(playwright, camera)
    running.target = request.param
    yield running
    running.close()


@pytest.fixture
def visit(browser, server):
    """Open the app at its first page.

    At the end: no error on the page, and no request to another host was tried.
    """
    contexts, asked, errors = [], set(), []

    def open_page(locale="ko-KR", **options):
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale=locale, **options)
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE)
        context.on("request", lambda request: asked.add(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url)
        page.wait_for_selector("h1")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    assert asked
    assert all(url.startswith((server.url, "blob:" + server.url, "data:")) for url in asked), asked


def photo_file(file):
    return {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": file}


def downloaded(page, label, index=0):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label, exact=True).nth(index).click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def click(page, key):
    page.get_by_role("button", name=korean(key), exact=True).click()


def go_to(page, name):
    link = page.get_by_role("link", name=name)
    link.click()
    if name in words.WORDS["adultPage"]:
        page.wait_for_timeout(500)
        assert not page.get_by_text(korean("model")).count(), "a child's tap opens nothing"
        link.hover()
        page.mouse.down()
        page.wait_for_timeout(1600)
        page.mouse.up()


def in_view(page, selector):
    """Whether an element lies in the window without scrolling."""
    box = page.locator(selector).bounding_box()
    return box["y"] >= 0 and box["y"] + box["height"] <= page.viewport_size["height"]


# Buttons and links, in the mirror's view too, that a finger misses; links that are shown only when focused are none.
SMALL = """(() => {
    const within = (root) => [...root.querySelectorAll("*")].flatMap(
        (element) => element.shadowRoot ? within(element.shadowRoot) : [element]);
    return within(document.body).filter((element) => {
        const {width, height} = element.getBoundingClientRect();
        const target = element.matches("button:not([tabindex='-1']), a[href], summary, [role=radio]");
        return target && element.checkVisibility() && width > 1 && (width < 47.5 || height < 47.5);
    }).map((element) => element.outerHTML);
})()"""
# What a screen reader says in English on a Korean page.
ENGLISH_NAMES = """[...document.querySelectorAll("[aria-label], img[alt]")]
    .filter((element) => element.checkVisibility() && !element.closest("[aria-hidden=true]"))
    .map((element) => element.ariaLabel ?? element.alt)
    .filter((name) => /[A-Za-z]{3}/.test(name) && name !== "English")"""


def faults_at_rest(page, state="notRunning"):
    page.wait_for_selector(f"[data-testid=stApp][data-test-script-state={state}]")
    for patience in (600, 3000):  # what is of the page before fades away, slowly on a busy machine
        page.wait_for_timeout(patience)
        if not (found := [fault for fault in faults(page) if fault[0] not in STREAMLITS_FAULTS]):
            break
    return found


def check_usable(page, state="notRunning"):
    """Nothing that axe knows, by day and by night; every target large enough; every name in the page's language."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"getComputedStyle(document.querySelector('.stApp')).colorScheme === '{scheme}'")
        assert not faults_at_rest(page, state), scheme
    assert not page.evaluate(SMALL)
    assert page.evaluate("document.documentElement.lang") == "en" or not page.evaluate(ENGLISH_NAMES)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_frames_find_nobody_elses_mirror(server):
    assert server.post("/mirror/guessed", "{}")[0] == 404
    _, headers, _ = server.get("/")
    assert "connect-src 'self'" in headers["Content-Security-Policy"]


@pytest.mark.slow
@needs_browser
def test_photo_to_faces_to_mirror_to_stars_and_nothing_is_left(visit, server, browser):
    """A child's way through the app, in Korean; then another child plays."""
    target = words.FACES[browser.target][0]
    page = visit()
    file = jpeg(np.random.default_rng(0).integers(100, 130, (900, 900, 3), np.uint8) // 2 + child(900) // 2)
    page.set_input_files("input[type=file]", photo_file(file))
    page.locator(".st-key-face0 button").wait_for()
    check_usable(page)
    page.locator(".st-key-face0 button").click()
    page.wait_for_selector(".st-key-enlarge-happy")
    check_usable(page)
    page.locator("img.emokids-picture").nth(5).wait_for()
    assert page.locator("img.emokids-picture").count() == 6
    name, picture = downloaded(page, "저장", 1)
    assert name == "emokids-angry.jpg"
    assert picture.startswith(b"\xff\xd8\xff")
    page.locator(".st-key-enlarge-happy button").click()
    page.wait_for_selector("[role=dialog] img")
    assert in_view(page, "[role=dialog] img"), "the whole face, not a forehead"
    check_usable(page)
    page.keyboard.press("Escape")
    click(page, "toMirror")
    page.get_by_role("radio", name=target).click()
    page.wait_for_selector(f"text={target}, 지어 볼까?")
    page.wait_for_selector(".pair[data-state]")
    assert in_view(page, "p.hint")
    assert in_view(page, "button.shutter")
    page.wait_for_selector(".emokids-praise")
    page.wait_for_timeout(4000)  # the camera's child rests again meanwhile
    assert page.get_by_text(korean("reachedTitle")).is_visible(), "praise stays"
    assert page.locator(".emokids-pair img.face").count() == 2, "the child's own face beside the model"
    assert page.get_by_role("radio", name=f"{target} ★").is_visible()
    check_usable(page)
    mine = page.locator(".emokids-pair img.face").nth(1).get_attribute("src").partition(",")[2]
    kept = page.evaluate("emokidsVisit.visit")
    click(page, "finish")
    page.wait_for_selector(".emokids-mine img.star")
    check_usable(page)
    go_to(page, korean("recordPage"))
    page.locator("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas").first.wait_for()
    check_usable(page)
    go_to(page, korean("mirrorPage"))
    page.wait_for_selector(".emokids-mine img.star")
    traces = {
        "the photo": file[-3000:-2900],
        "the attempt's picture as sent": mine[2000:2100].encode(),
        "the attempt's picture": base64.b64decode(mine)[3000:3100],
        "a picture as the page keeps it": kept[len(kept) // 2 :][:100].encode(),
    }
    assert "the attempt's picture" in in_memory(server, traces), "the search can find"
    click(page, "startOver")
    page.wait_for_selector("[role=dialog]")
    check_usable(page)
    name, table = downloaded(page, korean("saveRecordFirst"))
    row = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))[-1]
    assert row["emotion"] == browser.target
    assert float(row["best_score"]) >= expression_rules.REACHED
    click(page, "clearAll")
    page.wait_for_selector("[data-testid=stFileUploaderDropzone]")
    page.wait_for_function("!document.documentElement.outerHTML.includes('data:image/jpeg') && !emokidsVisit.visit")
    go_to(page, korean("recordPage"))
    page.wait_for_selector(f"text={korean('nothingYet')}")
    deadline = time.monotonic() + 30
    while left := in_memory(server, traces):
        assert time.monotonic() < deadline, f"still in the server's memory: {left}"
        time.sleep(1)


@needs_browser
def test_an_english_browser_a_language_remembered_and_a_camera_that_is_refused(visit):
    page = visit("en-US", color_scheme="dark")
    page.wait_for_selector("text=Which face shall we make?")
    assert page.locator("html").get_attribute("lang") == "en"
    assert not faults_at_rest(page)
    go_to(page, "Mirror")
    page.wait_for_selector("text=Can you make a happy face?")
    page.get_by_role("button", name="한국어").click()
    page.wait_for_selector("text=기쁜 얼굴, 지어 볼까?")
    page.reload()
    page.wait_for_selector("text=기쁜 얼굴, 지어 볼까?")
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('refused')) }")
    go_to(page, korean("generatePage"))
    page.get_by_role("radio", name=korean("take")).click()
    page.wait_for_selector(f"text={korean('cameraForAdults')}")
    assert not page.locator("button.shutter").is_visible()
    go_to(page, korean("mirrorPage"))
    page.wait_for_selector(f"text={korean('cameraForAdults')}")
    page.locator("p.hint", has_text=korean("cameraTitleClosed")).wait_for()
    assert page.locator("p.hint").text_content() == f"{korean('cameraTitleClosed')}.", "to the child, nothing else"
    child_reads, adult_reads = (font_size(page, of) for of in ("p.hint", "p.adults"))
    assert adult_reads < child_reads
    page.get_by_role("radio", name="놀란 얼굴").click()
    page.wait_for_selector("text=놀란 얼굴, 지어 볼까?")
    page.wait_for_selector(f"text={korean('cameraForAdults')}")


def font_size(page, selector):
    """In pixels; asked again where Streamlit replaces the element at that very moment, for then it has none."""
    sizes = (
        page.locator(selector).evaluate("(element) => parseFloat(getComputedStyle(element).fontSize)")
        for _ in range(50)
    )
    return next(size for size in sizes if not math.isnan(size))


@needs_browser
def test_a_photo_from_the_camera_with_the_self_timer(visit):
    page = visit()
    page.get_by_role("radio", name=korean("take")).click()
    page.wait_for_selector("button.timer:enabled")
    assert in_view(page, "button.shutter")
    assert not faults_at_rest(page)
    page.locator("button.timer").click()
    for number in "321":
        page.wait_for_selector(f"p.count:text('{number}')")
    page.wait_for_selector(f"text={korean('sureTitle')}")
    page.get_by_role("button", name=korean("another")).click()
    page.wait_for_selector("button.shutter:enabled")
    page.locator("button.shutter").click()
    page.wait_for_selector(f"text={korean('sureTitle')}")


@needs_browser
def test_another_expression_gets_no_praise_and_its_picture_can_be_taken(visit, browser):
    page = visit()
    other = next(name for name in emotions.FIVE if name not in (browser.target, "surprised"))
    go_to(page, korean("mirrorPage"))
    page.wait_for_selector(f"text={korean('drawnFace')}")
    page.get_by_role("radio", name=words.FACES[other][0]).click()
    page.wait_for_selector(".pair[data-state]")
    said, end = set(), time.monotonic() + 6
    while time.monotonic() < end:
        said.add(page.locator("p.hint").text_content())
    assert said & {rule.korean for rule in expression_rules.RULES[other]}, said
    face, arrow = (page.locator(f".own {part}").bounding_box() for part in ("video", ".arrow:visible"))
    assert face["x"] < arrow["x"] + arrow["width"] / 2 < face["x"] + face["width"], "an arrow for who can't read"
    assert face["y"] < arrow["y"] + arrow["height"] / 2 < face["y"] + face["height"]
    assert not said & {expression_rules.MESSAGES["hold"][0], expression_rules.MESSAGES["done"][0]}
    page.locator("button.shutter").click()
    page.wait_for_selector(f"text={korean('compareTitle')}")
    assert not page.get_by_text("★").count()


LANGUAGES = pytest.mark.parametrize("locale", ["ko-KR", "en-US"])


def word(locale, key, **values):
    return words.WORDS[key][locale == "en-US"].format(**values)


SMALL_PHONES = ({"width": 320, "height": 568}, {"width": 844, "height": 390})


def scrolled_to_top(page):
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    page.wait_for_timeout(300)


@pytest.mark.slow
@needs_browser
@LANGUAGES
def test_on_a_small_phone_what_to_press_is_in_sight(visit, locale):
    """Upright and on its side, before the camera, the mirror, after a turn and after a guess."""
    page = visit(locale)

    def check(selector):
        page.wait_for_selector(selector)
        for size in SMALL_PHONES:
            page.set_viewport_size(size)
            scrolled_to_top(page)
            assert in_view(page, selector), (selector, size)
        page.set_viewport_size({"width": 1366, "height": 768})

    page.get_by_role("radio", name=word(locale, "take")).click()
    check("button.shutter:enabled")
    go_to(page, word(locale, "guessPage"))
    for name in emotions.FIVE:
        check(f".st-key-guess-{name} button")
    for name in emotions.FIVE:
        if page.locator(".emokids-praise").text_content() == word(locale, "guessAgain"):
            check(f".st-key-guess-{emotions.FIVE[-1]} button")
        if not page.locator(".st-key-guess-next").count():
            page.locator(f".st-key-guess-{name} button").click()
            page.wait_for_selector(f".st-key-guess-{name} button:disabled, .st-key-guess-next")
    check(".st-key-guess-next button")
    go_to(page, word(locale, "mirrorPage"))
    page.get_by_role("radio", name=word(locale, "fearful")).click()
    page.wait_for_selector(".pair[data-state]")
    check("p.hint")
    check("button.shutter:enabled")
    page.set_viewport_size(SMALL_PHONES[0])
    page.wait_for_timeout(300)
    assert page.locator(".own video").bounding_box()["width"] > 115, "large enough to see a brow move"
    page.set_viewport_size({"width": 1366, "height": 768})
    page.locator("button.shutter").click()
    page.wait_for_selector(".emokids-praise")
    check("[data-testid=stBaseButton-primary]")


@needs_browser
@LANGUAGES
def test_after_a_photo_that_was_none_the_way_to_another_one_has_a_name(visit, locale):
    page = visit(locale)
    page.set_input_files("input[type=file]", photo_file(b"none"))
    page.wait_for_selector(f"text={word(locale, 'unreadable')}")
    way = page.locator("[data-testid=stFileUploaderDropzone]").get_by_role("button", name=word(locale, "another"))
    shown = way.evaluate("(button) => getComputedStyle(button, '::after').content")
    assert shown not in ("none", "normal"), "those who see it read the name, too"
    way.click()


@needs_browser
def test_on_a_phone_nothing_lies_on_the_list_of_pages(visit):
    page = visit()
    page.set_viewport_size({"width": 320, "height": 568})
    page.locator("[data-testid=stExpandSidebarButton]").click()
    page.wait_for_timeout(600)
    box = page.locator(".st-key-language button").bounding_box()
    side = page.locator("[data-testid=stSidebar]").bounding_box()
    assert box["x"] < side["x"] + side["width"], "the list reaches below the button"
    top = "([x, y]) => Boolean(document.elementFromPoint(x, y).closest('[data-testid=stSidebar]'))"
    assert page.evaluate(top, [box["x"] + 5, box["y"] + box["height"] / 2])


@needs_browser
@LANGUAGES
def test_on_a_phone_the_adult_sees_all_five_faces_in_their_order(visit, locale):
    page = visit(locale)
    go_to(page, word(locale, "adultPage"))
    page.wait_for_selector(f"text={word(locale, 'model')}")
    page.set_viewport_size({"width": 320, "height": 568})
    page.wait_for_timeout(500)
    field = page.locator("[data-testid=stMultiSelect]")
    bottom = field.bounding_box()["y"] + field.bounding_box()["height"]
    for name in emotions.FIVE:
        face = field.get_by_text(word(locale, name), exact=True)
        assert not face.evaluate("(face) => face.scrollWidth > face.clientWidth + 1"), name
        assert face.bounding_box()["y"] + face.bounding_box()["height"] <= bottom, name


@needs_browser
def test_of_many_faces_each_has_a_button_that_can_be_read(visit):
    page = visit()
    rows = [[child(), draw_face(11, "neutral", size=480)], [draw_face(20, "neutral", size=480), child()]]
    file = jpeg(np.vstack([np.hstack([*row, *row]) for row in rows]))
    page.set_input_files("input[type=file]", photo_file(file))
    page.wait_for_selector(".st-key-face5")
    for width in (320, 820, 1366):
        page.set_viewport_size({"width": width, "height": 768})
        page.wait_for_timeout(500)
        assert not page.evaluate(CUT_OFF), width
        boxes = [page.locator(f".st-key-face{index}").bounding_box() for index in range(4)]
        assert len({round(box["y"]) for box in boxes}) == 2, "two or three in a row"


@needs_browser
def test_long_words_fit_in_their_buttons(visit):
    page = visit("en-US")
    page.set_viewport_size({"width": 820, "height": 1180})
    page.get_by_role("radio", name=word("en-US", "friends")).click()
    press_in(page, "en-US", "friend", number=1)
    page.wait_for_selector(".st-key-enlarge-surprised")
    page.wait_for_timeout(500)
    assert not page.evaluate(CUT_OFF)


# Buttons whose words do not fit in.
CUT_OFF = """[...document.querySelectorAll("[data-testid=stMain] button *")]
    .filter(({clientWidth, scrollWidth}) => clientWidth && scrollWidth > clientWidth + 1)
    .map((element) => element.textContent)"""


@needs_browser
def test_no_korean_word_is_broken(visit):
    """Where Streamlit writes: in notes, in tables, in dialogs."""
    page = visit()
    page.set_viewport_size({"width": 320, "height": 568})
    page.set_input_files("input[type=file]", photo_file(jpeg(np.full((300, 300, 3), 150, np.uint8))))
    page.wait_for_selector("[data-testid=stAlert] p")
    keeps = "(element) => getComputedStyle(element).wordBreak"
    assert page.eval_on_selector("[data-testid=stAlert] p", keeps) == "keep-all"
    page.reload()
    page.get_by_role("radio", name=korean("friends")).click()
    press_in(page, "ko-KR", "friend", number=1)
    press_in(page, "ko-KR", "startOver")
    page.wait_for_selector("[role=dialog] p")
    assert page.eval_on_selector("[role=dialog] p", keeps) == "keep-all"


@needs_browser
def test_own_faces_stand_side_by_side_on_a_phone_too(visit, server):
    page = visit()
    two = settings.to_cookie(Settings(order=("fearful", "angry")))
    page.context.add_cookies([{"name": settings.COOKIE, "value": two, "url": server.url}])
    page.goto(server.url)
    go_to(page, korean("mirrorPage"))
    for _ in range(2):
        page.wait_for_selector("button.shutter:enabled")
        page.locator("button.shutter").click()
        page.wait_for_selector(".emokids-praise")
        click(page, "keep")
        page.wait_for_selector(".emokids-praise", state="detached")
    page.wait_for_selector(".emokids-mine")
    page.set_viewport_size({"width": 320, "height": 568})
    first, second = (page.locator(".emokids-mine figure").nth(index).bounding_box() for index in range(2))
    assert first["y"] == second["y"]


@pytest.mark.slow
@needs_browser
@LANGUAGES
def test_no_page_keeps_people_from_using_it(visit, locale):
    page = visit(locale)
    pages = {
        "generatePage": "[data-testid=stFileUploaderDropzone]",
        "mirrorPage": ".pair[data-state]",
        "guessPage": ".emokids-guess img",
        "recordPage": "[data-testid=stExpander]",
        "adultPage": f"text={word(locale, 'model')}",
    }
    for name, there in pages.items():
        go_to(page, word(locale, name))
        page.wait_for_selector(there)
        for width, height in ((390, 844), (1366, 768)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(500)
            check_usable(page)


# A network on which the app's answers take a second longer once `window.slow` is set.
SLOW_NETWORK = """window.WebSocket = class extends WebSocket {
    constructor(...address) {
        super(...address);
        this.addEventListener("message", (event) => {
            if (!window.slow || event.late) return;
            event.stopImmediatePropagation();
            const late = Object.assign(new MessageEvent("message", {data: event.data}), {late: true});
            setTimeout(() => this.dispatchEvent(late), 1000);
        });
    }
}"""
# The mirror's answer to a frame waits for a click: then the face is made.
MADE_AT_A_CLICK = """() => {
    const clicked = new Promise((yes) => document.addEventListener("click", () => setTimeout(yes), {once: true}));
    const made = JSON.stringify({state: "done", meter: 1, korean: "", english: "", arrow: null});
    window.fetch = () => clicked.then(() => new Response(made));
    window.slow = true;
}"""


@pytest.mark.slow
@needs_browser
def test_a_face_made_while_the_child_leaves_does_not_bring_the_mirror_back(visit):
    page = visit()
    page.add_init_script(SLOW_NETWORK)
    page.reload()
    go_to(page, korean("mirrorPage"))
    page.wait_for_selector(".pair[data-state]")
    page.evaluate(MADE_AT_A_CLICK)
    page.wait_for_timeout(1000)  # the frames that were under way are answered
    go_to(page, korean("guessPage"))
    page.wait_for_selector(".emokids-guess img", timeout=30_000)
    page.wait_for_timeout(3000)
    assert page.url.endswith("/guess")
    assert page.locator(".emokids-guess img").is_visible()


LINK_TO_NOWHERE = """() => {
    const link = document.createElement("a");
    link.href = "/elsewhere";
    link.onclick = (event) => event.preventDefault();
    document.body.append(link);
    link.click();
}"""


@pytest.mark.slow
@needs_browser
def test_a_face_is_kept_after_a_link_that_led_nowhere(visit):
    page = visit()
    go_to(page, korean("mirrorPage"))
    page.wait_for_selector(".pair[data-state]")
    page.evaluate(MADE_AT_A_CLICK)
    page.wait_for_timeout(1000)
    page.evaluate(LINK_TO_NOWHERE)
    page.wait_for_selector(".emokids-pair", timeout=60_000)


@pytest.mark.slow
@needs_browser
@LANGUAGES
def test_no_screen_on_the_way_keeps_people_from_using_it(visit, server, browser, locale):
    """Those that no link leads to, with one face to make and to guess."""
    page = visit(locale)
    one = settings.to_cookie(Settings(order=(browser.target,)))
    page.context.add_cookies([{"name": settings.COOKIE, "value": one, "url": server.url}])
    making = StayAt(page, word(locale, "waitingTitle"))
    page.goto(server.url)
    choose_of_two_and_wait(page, locale, making)
    press_in(page, locale, "toMirror")
    press_in(page, locale, "rest")
    page.wait_for_selector(f"text={word(locale, 'restText')}")
    check_usable(page)
    press_in(page, locale, "restDone")
    page.wait_for_selector(".emokids-praise")
    check_usable(page)
    press_in(page, locale, "keep")
    page.wait_for_selector(f"text={word(locale, 'endTitle')}")
    check_usable(page)
    press_in(page, locale, "startOver")
    page.wait_for_selector("[role=dialog]")
    check_usable(page)
    page.set_viewport_size(SMALL_PHONES[1])
    page.wait_for_timeout(500)
    assert in_view(page, ".st-key-stay button")
    page.set_viewport_size({"width": 1366, "height": 768})
    press_in(page, locale, "stay")
    go_to(page, word(locale, "guessPage"))
    page.locator(f".st-key-guess-{browser.target} button").click()
    page.wait_for_selector(".st-key-guess-next")
    check_usable(page)
    press_in(page, locale, "guessNext")
    page.wait_for_selector(f"text={word(locale, 'guessEnd')}")
    check_usable(page)
    look_at_records_of_several_days(page, server, locale)


def press_in(page, locale, key, **values):
    page.get_by_role("button", name=word(locale, key, **values), exact=True).click()


class StayAt:
    """Keep the page at the screen with this title, until `go_on`: what the server sends after it waits.

    Stopping the server instead may stop it in its next run, when the browser already fades this screen.
    """

    def __init__(self, page, title):
        self.title, self.state, self.waiting = title.encode(), "before", []
        page.route_web_socket("**/_stcore/stream", self.relay)

    def relay(self, socket):
        socket.connect_to_server().on_message(lambda message: self.receive(socket, message))

    def receive(self, socket, message):
        if self.state == "before" and self.title in message:
            self.state = "there"
        elif self.state == "there" and ForwardMsg.FromString(message).WhichOneof("type") != "delta":
            self.state = "held"
        if self.state == "held":
            self.waiting.append((socket, message))
        else:
            socket.send(message)

    def go_on(self):
        self.state = "past"
        for socket, message in self.waiting:
            socket.send(message)


def choose_of_two_and_wait(page, locale, making):
    """Several faces in a photo, and the screen while faces are made."""
    two = np.hstack([child(), draw_face(11, "neutral", size=480)])
    page.set_input_files("input[type=file]", photo_file(jpeg(two)))
    page.wait_for_selector(f"text={word(locale, 'whoTitle')}")
    check_usable(page)
    page.locator(".st-key-face1 button").click()
    page.wait_for_selector(f"text={word(locale, 'waitingTitle')}")
    check_usable(page, "running")
    making.go_on()
    page.locator(".st-key-enlarge-happy button").click()
    page.wait_for_selector("[role=dialog] img")
    check_usable(page)
    page.keyboard.press("Escape")


def look_at_records_of_several_days(page, server, locale):
    """What a therapist kept under a pseudonym, until it is deleted."""
    folder = server.folder / history.FOLDER
    history.keep("파란 곰", Live().practice, folder)
    go_to(page, word(locale, "recordPage"))
    page.get_by_text(word(locale, "severalDays"), exact=True).click()
    check_usable(page)
    choose_record(page, locale, "파란 곰")
    check_usable(page)
    press_in(page, locale, "deleteRecord", name="파란 곰")
    page.wait_for_selector(f"text={word(locale, 'deleteSure')}")
    check_usable(page)
    press_in(page, locale, "deleteSure")
    page.wait_for_selector(f"text={word(locale, 'compareDays')}", state="detached")
    assert not history.pseudonyms(folder)


def choose_record(page, locale, name):
    chooser = page.locator(".st-key-history input")
    chooser.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # scrolling closes a list
    chooser.click()
    page.get_by_role("option", name=name).click()
    page.wait_for_selector(f"text={word(locale, 'compareDays')}")


@needs_browser
def test_a_record_of_several_days_can_be_read_on_a_phone_and_when_it_turns_dark(visit, server):
    page = visit("en-US")
    folder, practice = server.folder / history.FOLDER, Live().practice
    for day in (24, 25, 26):
        for entry in practice.entries:
            entry.began = entry.began.replace(year=2026, month=11, day=day)
        history.keep("곰", practice, folder)
    try:
        go_to(page, word("en-US", "recordPage"))
        page.get_by_text(word("en-US", "severalDays"), exact=True).click()
        page.wait_for_timeout(1000)  # it opens slowly, and what moves closes a list
        choose_record(page, "en-US", "곰")
        drawn = "[data-testid=stVegaLiteChart] text >> text=2026"
        page.wait_for_selector(drawn)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(1000)
        page.wait_for_selector(drawn)
        fits = "(table) => table.offsetWidth <= table.parentElement.clientWidth"
        assert page.locator("table").evaluate(fits)
        labels = page.evaluate(CHART_LABELS)
        assert {colour for *_, colour in labels} == {"rgb(238, 241, 236)"}, "light on dark"
        dates = sorted((left, right) for text, left, right, _ in labels if text.startswith("2026"))
        assert len(dates) == 3
        assert all(right < left for (_, right), (left, _) in itertools.pairwise(dates)), "none over another"
        chart = page.locator("[data-testid=stVegaLiteChart]").bounding_box()
        assert max(right for *_, right, _ in labels) <= chart["x"] + chart["width"] + 1
    finally:
        history.delete("곰", folder)


# What is written in a chart: the words, left and right edge, colour.
CHART_LABELS = """[...document.querySelectorAll("[data-testid=stVegaLiteChart] text")].map((text) => {
    const {left, right} = text.getBoundingClientRect();
    return [text.textContent, left, right, getComputedStyle(text).fill];
})"""


def killed_and_started_again(page, server):
    """The page finds the server again by itself, as another session, which goes on as soon as it is ready."""
    before = page.evaluate("emokidsVisit.session")
    with killed(server):
        page.wait_for_selector(f"text={korean('stoppedText')}")
    page.wait_for_function("(before) => emokidsVisit.session !== before", arg=before)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def sources(page, selector):
    return page.eval_on_selector_all(selector, "(images) => images.map(({src}) => src)")


@pytest.mark.slow
@needs_browser
@pytest.mark.timeout(600)  # a server starts four times
def test_a_server_killed_at_each_step_loses_no_picture_and_none_comes_back_after_play_again(visit, server, browser):
    page = visit()
    page.set_input_files("input[type=file]", photo_file(jpeg(child(900))))
    page.wait_for_selector(f"text={korean('sureTitle')}")
    killed_and_started_again(page, server)
    page.wait_for_selector(f"text={korean('sureTitle')}")
    page.locator(".st-key-face0 button").click()
    page.locator("img.emokids-picture").nth(5).wait_for()
    made = sources(page, "img.emokids-picture")
    click(page, "toMirror")
    page.get_by_role("radio", name=words.FACES[browser.target][0]).click()
    page.wait_for_selector(".emokids-praise")
    pair = sources(page, ".emokids-pair img.face")
    killed_and_started_again(page, server)
    page.wait_for_selector(f"text={korean('reachedTitle')}")
    assert sources(page, ".emokids-pair img.face") == pair
    assert page.evaluate("JSON.parse(emokidsVisit.visit).record.length") == 1
    go_to(page, korean("recordPage"))
    page.wait_for_selector(f"text={korean('bestOverTime')}")
    go_to(page, korean("generatePage"))
    page.locator("img.emokids-picture").nth(5).wait_for()
    assert sources(page, "img.emokids-picture") == made
    click(page, "startOver")
    click(page, "clearAll")
    page.wait_for_selector("[data-testid=stFileUploaderDropzone]")
    killed_and_started_again(page, server)
    page.wait_for_selector("[data-testid=stFileUploaderDropzone]")
    assert not page.evaluate("emokidsVisit.visit")
    go_to(page, korean("recordPage"))
    page.wait_for_selector(f"text={korean('nothingYet')}")


@needs_browser
def test_a_program_that_stopped_is_told_in_the_pages_language(visit, server):
    """The last test: it stops the server that all share."""
    page = visit()
    server.process.terminate()
    page.wait_for_selector(f"text={korean('stoppedText')}")
    assert page.get_by_role("dialog", name=korean("stopped")).is_visible()
    assert not page.get_by_text("streamlit run").is_visible()
