"""EMOKIDS, the adult's desk: the logic of each page, then the whole in a browser whose camera shows drawn faces."""

import csv
import io
import json
import re
import unicodedata
import zipfile
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from browser import CHROMIUM, faults, film, launch
from practice import CONSENT, month
from serving import ROOT, StreamlitServer, jpeg, make_checkpoint
from streamlit import config
from streamlit.testing.v1 import AppTest

from apps import expression_rules
from apps.collected_photos import is_marked
from apps.desk import child_progress, words
from apps.desk.faces_page import zipped
from apps.desk.studio import Made, MadeFace, studio
from apps.learned_feedback import LEVELS
from apps.record.entries import Consent, Goal, Mark
from apps.record.store import Record, now
from checkpointing import default_generator
from common import emotions
from imaging.drawing.picture import draw_face
from translation.result_check import CALM, COVERED, Check

CODE = "나무 7"
PATIENCE = 120  # seconds, with a busy machine

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")


def korean(key, **values):
    return words.WORDS[key][0].format(**values)


def two_people(size=480):
    return np.concatenate([draw_face(7, "neutral", size=size), draw_face(11, "neutral", size=size)], axis=1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module", autouse=True)
def close_studio():
    yield
    studio.clear()


@pytest.fixture
def desk(checkpoint, monkeypatch, tmp_path):
    """The desk at its first page, its record in an empty folder."""
    monkeypatch.setenv("STARGAN_FE_CHECKPOINT", str(checkpoint))
    monkeypatch.chdir(tmp_path)
    before = config.get_option("server.address")
    config.set_option("server.address", "localhost")  # as .streamlit/config.toml has it
    yield AppTest.from_file(str(ROOT / "apps" / "desk" / "run.py"), default_timeout=PATIENCE)
    config.set_option("server.address", before)


@pytest.fixture
def page(desk):
    """A page by itself, as the frame would show it."""

    def open_page(of):
        script = f"from apps.desk import {of}\nif __name__ == '__main__':\n    {of}.show()"
        return AppTest.from_string(script, default_timeout=PATIENCE).run()

    return open_page


def texts(app):
    kinds = ("title", "header", "subheader", "markdown", "info", "warning", "error", "success", "caption")
    return " ".join(str(element.value) for kind in kinds for element in app.get(kind))


def upload(app, file):
    return app.file_uploader[0].set_value(("a.jpg", file, "image/jpeg")).run()


# --- Making faces ---------------------------------------------------------------------------------------------


def test_every_face_of_a_photo_is_made_saved_and_printed(desk):
    app = upload(desk.run(), jpeg(two_people()))
    assert not app.exception
    assert [header.value for header in app.header] == [korean("face", number=1), korean("face", number=2)]
    assert len(app.get("image")) == 12
    made = app.session_state["made"][1][1.0]
    failed = [check for face in made.faces for check in face.checks.values() if check.state == "failed"]
    labels = [button.label for button in app.download_button]
    assert labels.count(korean("save")) == 12 - len(failed) and labels.count(korean("saveCards")) == 2
    assert all(len(set(face.portraits.values())) == 6 for face in made.faces)
    assert [is_marked(file) for file in made.photos.values()] == [False] + [True] * 5, "never training data"
    app.button_group(key="strength").set_value(0.5).run()
    assert set(app.session_state["made"][1]) == {0.5, 1.0}
    softer = app.session_state["made"][1][0.5]
    assert softer.faces[0].portraits["angry"] != made.faces[0].portraits["angry"]


def test_what_failed_its_check_is_told_and_not_printed_nor_saved():
    pictures = {name: name.encode() for name in words.FACES}
    checks = dict.fromkeys(emotions.FIVE, Check())
    checks["happy"] = Check("failed", "it no longer looks like the same person")
    made = Made(pictures, [MadeFace(pictures, checks), MadeFace(pictures, dict.fromkeys(emotions.FIVE, Check()))], [])
    assert set(made.faces[0].to_show) == set(words.FACES) - {"happy"}
    with zipfile.ZipFile(io.BytesIO(zipped(made))) as packed:
        names = packed.namelist()
    assert "photo/happy.jpg" not in names and "face-1/happy.jpg" not in names
    assert len(names) == 5 + 5 + 6 and "face-2/happy.jpg" in names


def test_a_photo_that_is_not_calm_is_told(desk):
    app = upload(desk.run(), jpeg(draw_face(7, "happy", size=480)))
    assert "웃고 있습니다" in texts(app)
    app = upload(app, jpeg(draw_face(7, "neutral", size=480)))
    assert "만들기 어렵습니다" not in texts(app)


def test_every_reason_of_the_check_has_korean_words():
    source = (ROOT / "translation" / "result_check.py").read_text(encoding="utf-8")
    reasons = re.findall(r'"(?:weak|failed)", "([^"]+ [^"]+)"', source)
    assert {*reasons, *(told for told, _, _ in CALM), COVERED} == set(words.REASONS)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"\xff\xd8\xff no photo", "unreadable"),
        (b"text", "unreadable"),
        (jpeg(np.full((300, 300, 3), 128, np.uint8)), "noFace"),
    ],
)
def test_what_is_no_face_is_told(desk, file, sentence):
    app = upload(desk.run(), file)
    assert not app.exception
    assert korean(sentence) in texts(app)


def test_without_a_generator_the_desk_says_why(desk, monkeypatch):
    studio.clear()
    monkeypatch.setenv("STARGAN_FE_CHECKPOINT", "no-such-file")
    app = desk.run()
    assert korean("modelnone") in texts(app) and "no-such-file" in texts(app)
    studio.clear()


def test_a_pictures_five_meters_and_what_to_try(page):
    app = page("feedback_page")
    upload(app, jpeg(draw_face(7, "happy", size=480)))
    assert not app.exception
    meters = [element.proto.text for element in app.get("progress")]
    assert len(meters) == 5
    shares = [int(re.search(r"(\d+)%", meter)[1]) for meter in meters]
    assert shares == sorted(shares, reverse=True)
    assert meters[0].startswith("기쁨")
    hints = {rule.korean for rules in expression_rules.RULES.values() for rule in rules}
    assert len([text for text in app.markdown if text.value in hints]) >= 4, "what would bring the others nearer"


# --- The code -------------------------------------------------------------------------------------------------


def test_the_desk_opens_with_the_code(desk, monkeypatch):
    monkeypatch.setenv("STARGAN_FE_TOKEN", CODE)
    app = desk.run()
    assert [title.value for title in app.title] == [korean("codeTitle")]
    assert not app.get("file_uploader") and not app.selectbox
    app.text_input[0].set_value("나무 8")
    app.button[0].click().run()
    assert korean("codeWrong") in texts(app)
    app.text_input[0].set_value(unicodedata.normalize("NFD", " 나무 7"))  # as some keyboards send it
    app.button[0].click().run()
    assert [title.value for title in app.title] == [korean("facesPage")]


# --- Children -------------------------------------------------------------------------------------------------


def fill(record):
    """A month of three children, up to now."""
    start = now() - timedelta(days=31)
    consent = Consent("parent", start, (now() + timedelta(days=100)).date(), child_agreed=True)
    children = {}
    for seed, name in enumerate(("곰돌이", "Fox 2", "토끼-3")):
        child_id = children[name] = record.add(name, consent)
        for session in month(seed, start):
            record.keep(child_id, session)
        record.mark(child_id, Mark((start + timedelta(days=10)).date(), "거울 연습 시작", phase=True))
        record.mark(child_id, Mark((start + timedelta(days=12)).date(), "피곤해 보였음"))
    return children


def test_a_desk_that_others_can_reach_wants_a_code(desk):
    config.set_option("server.address", "0.0.0.0")
    app = desk.run()
    assert "STARGAN_FE_TOKEN" in texts(app) and not app.get("file_uploader")


def test_a_child_is_there_only_after_an_adult_and_a_consent(page, tmp_path):
    app = page("children_page")
    assert not list(tmp_path.rglob("*")), "looking writes nothing"
    app.text_input[0].set_value("곰돌이")
    app.button[0].click().run()
    assert not app.exception
    [child] = Record().children()
    assert child.pseudonym == "곰돌이" and child.consent.who == "parent"
    assert (child.consent.until - child.consent.given.date()).days in range(180, 185)
    assert korean("added", name="곰돌이") in texts(app) and korean("nothingYet") in texts(app)
    app.text_input[0].set_value("곰돌이")
    app.button[0].click().run()
    assert korean("takenPseudonym") in texts(app)


def test_a_month_of_three_children_as_it_was_played(page):
    children = fill(Record())
    app = page("children_page")
    app.selectbox[0].set_value(children["Fox 2"]).run()
    assert not app.exception
    assert len(app.get("vega_lite_chart")) == 4
    labels = [button.label for button in app.download_button]
    assert korean("saveCsv") in labels and korean("saveReport") in labels
    played = Record().sessions(children["Fox 2"])
    chart = json.loads(app.get("vega_lite_chart")[0].proto.spec)
    points = {row["number"] for row in chart["layer"][0]["data"]["values"]}
    assert points == set(range(1, len(played) + 1)), "sessions stand side by side"
    tried = [attempt for session in played for attempt in session.attempts]
    happy = [each for each in tried if each.emotion == "happy" and each.level == "easy"]
    cells = re.findall(r"<td[^>]*>([^<]*)", app.get("html")[0].proto.body)
    assert cells[1:4] == ["기쁨", str(len(happy)), str(sum(each.reached for each in happy))]
    app.button_group(key="per").set_value("week").run()
    assert not app.exception


def test_the_table_has_a_row_for_each_phase_and_emotion_and_says_what_is_mastered():
    sessions = month(0)
    begun = sessions[5].began.date()
    rows = child_progress.table(sessions, [Mark(begun, "연습", phase=True)], Goal(1, 1, 1))
    assert [row[korean("phases")] for row in rows] == ["–"] * 5 + ["연습"] * 5
    happy = [each for session in sessions[:5] for each in session.attempts if each.emotion == "happy"]
    assert rows[0][korean("tries")] == str(len(happy))
    assert re.fullmatch(r"2026-03-\d\d 숙달", rows[5][korean("mastery")])


def test_what_is_set_for_a_child_is_kept(page):
    children = fill(Record())
    app = page("children_page")
    app.selectbox[0].set_value(children["토끼-3"]).run()
    app.multiselect[0].set_value(["sadness", "happy"])
    next(field for field in app.number_input if field.label == korean("triesEach")).set_value(5)
    next(button for button in app.button if button.label == korean("keep") and "settings" in button.form_id).click()
    app.run()
    settings = Record().child(children["토끼-3"]).settings
    assert (settings.emotions, settings.tries) == (("sadness", "happy"), 5)


def test_a_child_whose_time_ran_out_is_gone_and_one_whose_time_ends_is_told(page):
    ending = Consent("parent", now(), (now() + timedelta(days=5)).date())
    fox = Record().add("Fox", ending)
    Record().add("Bear", replace(CONSENT, given=now() - timedelta(days=20), until=(now() - timedelta(days=1)).date()))
    app = page("children_page")
    assert list(app.selectbox[0].options) == ["Fox"]
    app.selectbox[0].set_value(fox).run()
    assert korean("consentEnds", days=6) in texts(app)


# --- Words ----------------------------------------------------------------------------------------------------


def test_every_word_a_page_asks_for_is_there_and_no_other():
    files = [*(ROOT / "apps" / "desk").glob("*.py"), ROOT / "apps" / "record" / "entries.py"]
    pages = " ".join(path.read_text(encoding="utf-8") for path in files if path.name != "words.py")
    assert set(re.findall(r"\bword\([\"'](\w+)[\"'][,)]", pages)) <= set(words.WORDS)
    origins = {f"model{origin}" for origin in default_generator.ORIGINS}
    asked = {*re.findall(r"[\"'](\w+)[\"']", pages), *origins, *default_generator.TRAINED_ON, *LEVELS, words.ORIGINAL}
    assert set(words.WORDS) - asked == set()


# --- In the browser -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    with StreamlitServer(folder, STARGAN_FE_CHECKPOINT=str(checkpoint), STARGAN_FE_TOKEN=CODE) as server:
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with sync_api.sync_playwright() as playwright:
        opened = launch(playwright, film(tmp_path_factory.mktemp("film") / "camera.mjpeg", 7, "happy"))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, server):
    """A page of the desk; nobody else is asked for anything, nothing goes wrong unseen."""
    contexts = []

    def open_desk(address="", locale="ko-KR", scheme="light", width=1280, code=CODE):
        context = browser.new_context(locale=locale, color_scheme=scheme, viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request))
        page.goto(f"{server.url}/{address}")
        page.wait_for_selector("h1")
        if code:
            page.fill("input[type=password]", code)
            page.keyboard.press("Enter")
            page.wait_for_selector("input[type=password]", state="detached")
        return page

    yield open_desk
    for context in contexts:
        for page in context.pages:
            hosts = {
                request.url.split("/")[2] for request in page.asked if not request.url.startswith(("data:", "blob:"))
            }
            assert hosts <= {f"localhost:{server.port}"}
        context.close()


@needs_browser
@pytest.mark.parametrize("address", ["", "children", "adult"])
def test_no_address_opens_without_the_code(visit, server, address):
    page = visit(address, code="")
    page.wait_for_selector("input[type=password]")
    assert page.locator("h1").all_inner_texts() == [korean("codeTitle")]
    assert page.locator("input[type=file], [data-testid=stSelectbox]").count() == 0


@needs_browser
def test_the_mirror_is_the_childs_and_judges_in_the_browser(visit):
    page = visit("feedback")
    mirror = page.frame_locator("iframe")
    sent = len(page.asked)
    mirror.get_by_role("button", name="거울 켜기").click()
    mirror.locator("body[data-state=done]").wait_for()  # the film smiles
    assert int(mirror.get_by_role("meter").get_attribute("aria-valuenow")) >= 70
    mirror.get_by_label("표정").select_option("surprised")
    mirror.locator("body[data-state=hint]").wait_for()
    assert mirror.locator(".hint").inner_text()
    assert mirror.locator(".arrow").is_visible()
    assert [request.url for request in page.asked if "/mirror/mirror.js" in request.url], "the page's own"
    assert all(request.method == "GET" for request in page.asked[sent:]), "no picture goes to the server"
    mirror.get_by_role("button", name="거울 끄기").click()
    assert mirror.locator("video").evaluate("video => video.srcObject") is None


@needs_browser
def test_the_csv_is_what_was_played_and_withdrawing_consent_deletes_it_in_two_taps_without_a_trace(visit, server):
    path = server.folder / "data" / "record.sqlite3"
    record = Record(path)
    children = fill(record)
    guesses = {
        name: [guess.id for session in record.sessions(child) for guess in session.guesses]
        for name, child in children.items()
    }
    page = visit("children")
    page.get_by_role("combobox", name="아이").click()
    page.get_by_role("option", name="Fox 2").click()
    with page.expect_download() as downloading:
        page.get_by_role("button", name=korean("saveCsv")).first.click()
    table = list(csv.DictReader(downloading.value.path().open(encoding="utf-8-sig")))
    tried = [attempt for session in record.sessions(children["Fox 2"]) for attempt in session.attempts]
    assert [
        (row["emotion"], row["level"], float(row["best"]), row["reached"], float(row["seconds"]), int(row["hints"]))
        for row in table
        if row["kind"] == "attempt"
    ] == [(a.emotion, a.level, a.best, str(int(a.reached)), a.seconds, a.hints) for a in tried], "as it was played"
    page.get_by_role("tab", name=korean("consentTab")).click()
    page.get_by_role("button", name=korean("withdraw")).click()
    page.get_by_role("button", name=korean("withdrawSure")).click()
    page.get_by_text(korean("deleted", name="Fox 2")).wait_for()
    assert [child.pseudonym for child in record.children()] == ["곰돌이", "토끼-3"]
    everything = b"".join(each.read_bytes() for each in path.parent.rglob("*") if each.is_file())
    assert b"Fox 2" not in everything and children["Fox 2"].encode() not in everything
    assert not any(guess.encode() in everything for guess in guesses["Fox 2"]), "attempts and guesses, too"
    assert all(guess.encode() in everything for guess in guesses["곰돌이"])


# Streamlit's own markup, its English among it, which nobody else can mend: "48MB per file" has 5:1 contrast.
STREAMLITS = "[data-testid=stFileUploader]"


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize(("locale", "scheme", "width"), [("ko-KR", "light", 1280), ("en-US", "dark", 390)])
def test_no_page_keeps_people_from_using_it(visit, server, locale, scheme, width):
    record = Record(server.folder / "data" / "record.sqlite3")
    if not record.children():
        fill(record)
    found = []
    for address in ("", "feedback", "children", "models"):
        page = visit(address, locale, scheme, width)
        if address == "children":
            page.get_by_role("combobox").first.click()
            page.get_by_role("option").first.click()
            page.locator("canvas, .vega-embed svg").nth(3).wait_for()
        else:
            page.locator(
                {"": "input[type=file]", "feedback": "iframe", "models": "h2 >> nth=1"}[address]
            ).first.wait_for(state="attached")
        page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton]')")
        found += [(address, *fault) for frame in page.frames for fault in faults(frame, STREAMLITS)]
        assert page.locator("[data-testid=stAlert] [data-testid=stAlertContentError]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing lies beside the page"
    assert found == []
