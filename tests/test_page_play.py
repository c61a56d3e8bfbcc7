"""Playing on the page: friends, the mirror, games, sound, the adult's settings and the record."""

import base64
import math
import random
import time
from datetime import timedelta

import pytest
from browser import camera_of
from child_page import (
    ARRIVED,
    EMOTIONS,
    IDENTITY,
    PHONE,
    REFUSED,
    address,
    check_in_view,
    check_usable,
    choose_photo,
    guess_all,
    hold,
    look_first,
    my_turn,
    needs_browser,
    needs_vendor,
    on_screen,
    play_with_a_friend,
    wait_until,
    wait_until_python,
)
from PIL import Image
from serving import jpeg, killed

from apps import expression_rules, face_reading, learned_feedback
from apps.record.entries import Consent
from apps.record.store import Record, now
from face_detection import FaceFinder
from imaging.drawing.picture import draw_face

pytestmark = needs_browser


def test_english_friends_swipes_keys_and_guessing(open_page, server):
    """An English browser reads English first; steps are announced; nothing of it needs a photo."""
    page = open_page(server.url, "en-US")
    assert page.evaluate("document.documentElement.lang") == "en"
    play_with_a_friend(page)
    assert page.inner_text("#overview .cards li:first-child") == "My friend's face"
    page.click("#overview .cards button:has-text('Happy')")
    on_screen(page, "face")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#face h1") == "Sad face"
    assert page.text_content("#announce") == "Sad face"
    box = page.locator("#face .frame").bounding_box()
    y = box["y"] + box["height"] / 2
    wait_until(page, ARRIVED)  # a touch so soon after a screen came would be taken for a double tap
    page.mouse.move(300, y)
    page.mouse.down()
    page.mouse.move(100, y, steps=4)
    page.mouse.up()
    assert page.inner_text("#face h1") == "Surprised face"
    page.focus(".step[data-step='1']")
    for _ in range(3):
        page.keyboard.press("Enter")
    assert page.inner_text("#face h1") == "Scared face"
    assert page.evaluate("document.activeElement.className") == "step", "the focus stays at the end"
    page.click(".dot >> nth=0")
    assert page.inner_text("#face h1") == "Happy face"
    assert not [
        text for text in page.locator("body").inner_text().split() if "가" <= text[0] <= "힣" and text != "한국어"
    ]
    page.click("#face [data-back]")
    page.click("#to-guess")
    check_usable(page)
    check_in_view(page, "#guessing h1")
    guess_all(page)
    assert page.inner_text("#guessing h1").startswith("That was all")
    page.click("#guessing [data-back]")
    page.go_back()  # the phone's own button asks before pictures go, and a second time takes the question back
    page.wait_for_selector("#leave-dialog")
    page.go_back()
    page.wait_for_selector("#leave-dialog", state="hidden")
    assert page.is_visible("#overview")
    page.click("#finish")
    assert page.is_hidden("#send-ask"), "of a friend nothing is sent"
    with page.expect_download() as saved:
        hold(page, "#keep-ask")
        check_usable(page)
        page.click("#save")
    assert Image.open(saved.value.path()).size == (960, 3 * 564)
    page.click("#home-button")
    page.click("dialog button[value=leave]")
    on_screen(page, "start")
    assert not page.evaluate("[...document.images].some((image) => image.src)"), "pictures are still there"


def make_child(folder, pseudonym):
    """A child of the record that the server in this folder keeps; the record and its id."""
    record = Record(folder / "data/record.sqlite3")
    agreed = Consent("parent", now(), now().date() + timedelta(days=100))
    return record, record.add(pseudonym, agreed)


def choose_child(page, pseudonym):
    hold(page, "#settings-button")
    on_screen(page, "settings")
    page.check(f"#set-child label:has-text('{pseudonym}') input")


def test_the_adults_page(open_page, server):
    """Kept on this device: faces and order, tries. A child's tap opens nothing, and says why."""
    page = open_page(server.url)
    page.click("#settings-button")
    assert page.is_hidden("#settings")
    assert page.inner_text("#settings-button") == "조금 더 길게 눌러 주십시오."
    hold(page, "#settings-button", really=True)
    on_screen(page, "settings")
    page.uncheck("#set-emotions li:has-text('겁먹은') input")
    page.click("#set-emotions [data-move='surprised-1']")
    page.check("#set-choices [name=tries][value='1']")
    check_usable(page)
    page.click("#language")
    assert page.inner_text("#set-model").startswith("The model that was set, learned"), "a comma between the two"
    page.set_viewport_size({"width": 320, "height": 568})
    words = "[...document.querySelectorAll('#set-emotions label span')]"
    assert page.evaluate(f"{words}.every((word) => word.scrollHeight < 50)"), "words are broken"
    page.click("#language")
    page.set_viewport_size(PHONE)
    page.click("#settings [data-back]")
    on_screen(page, "start")
    assert page.locator(".pick").all_inner_texts() == ["기쁜 얼굴", "놀란 얼굴", "슬픈 얼굴", "화난 얼굴"]
    play_with_a_friend(page)
    my_turn(page, "기쁜")
    page.click("#turn [data-shutter]")
    page.click("#keep")
    page.click(".dot >> nth=0")
    assert page.is_visible("#face .enough") and page.is_hidden("#my-turn"), "one try was enough"
    page.reload()
    on_screen(page, "start")
    assert page.locator(".pick").count() == 4, "kept on this device"


@pytest.mark.slow
@needs_vendor
def test_what_a_child_practised_is_kept_and_nothing_without_one(open_page, server):
    """Settings, attempts and guesses go to the server as they come: reloaded, or without the server, none is lost."""
    record, child = make_child(server.folder, "민들레")
    page = open_page(server.url, worker=True)
    play_with_a_friend(page)
    page.click("#to-guess")
    page.click(".choice >> nth=0")
    page.click("#home-button")
    page.click("dialog button[value=leave]")
    choose_child(page, "민들레")
    page.uncheck("#set-emotions li:has-text('겁먹은') input")
    wait_until_python(page, lambda: "fearful" not in record.child(child).settings.emotions)
    assert record.sessions(child) == [], "what was played before belongs to nobody"
    page.click("#settings [data-back]")
    play_with_a_friend(page)
    page.click("#to-guess")
    page.click(".choice >> nth=0")
    wait_until_python(page, lambda: record.sessions(child))
    page.click("#guessing [data-back]")
    my_turn(page, "슬픈")
    wait_until(page, "document.querySelector('#turn').dataset.state === 'hint'")
    wait_until(page, "import('./visit.js').then(({visit}) => visit.mirror).then(({coach}) => coach.clock >= 2.5)")
    page.reload()  # in the middle of an attempt
    on_screen(page, "start")
    wait_until_python(page, lambda: record.sessions(child)[0].attempts)
    [session] = record.sessions(child)
    [attempt], [guess] = session.attempts, session.guesses
    assert (attempt.emotion, attempt.reached, attempt.level) == ("sadness", False, "medium")
    assert attempt.seconds >= 2 and attempt.hints >= 1
    assert guess.emotion in EMOTIONS and len(guess.choices) == 1
    assert page.locator(".pick").count() == 4, "the child is still chosen"
    play_with_a_friend(page)
    with killed(server):
        page.click("#to-guess")
        page.click(".choice >> nth=0")
        page.click("#guess-next")
        time.sleep(1)
        page.reload()
        on_screen(page, "start")
    page.reload()
    wait_until_python(page, lambda: sum(len(each.guesses) for each in record.sessions(child)) == 2)
    choose_child(page, "기록하지 않기")
    page.click("#settings [data-back]")
    assert page.locator(".pick").count() == 5
    kept = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert "민들레" not in kept and child not in kept
    record.delete(child)


VOICES = """window.said = [];
speechSynthesis.getVoices = () => ["ko-KR", "en-US"].flatMap((lang) => [
    {lang, localService: false, name: "sends it away"}, {lang, localService: true, name: "here"}]);
Object.defineProperty(SpeechSynthesisUtterance.prototype, "voice", {set({name}) { this.spoken = name; }});
speechSynthesis.speak = (utterance) => {
    window.said.push(utterance.spoken === "here" ? utterance.text : "to somebody's server");
    utterance.onstart();
    setTimeout(() => utterance.onend(), 30);
};"""


def test_another_visit_is_another_session(open_page, server):
    """Begun anew at the home button, on another day, or not at all by a reload in between."""
    record, child = make_child(server.folder, "다람쥐")
    page = open_page(server.url)
    choose_child(page, "다람쥐")
    page.click("#settings [data-back]")
    guesses = 0

    def guess():
        nonlocal guesses
        on_screen(page, "start")
        play_with_a_friend(page)
        page.click("#to-guess")
        page.click(".choice >> nth=0")
        guesses += 1
        wait_until_python(page, lambda: sum(len(each.guesses) for each in record.sessions(child)) == guesses)
        return len(record.sessions(child))

    assert guess() == 1
    page.reload()
    assert guess() == 1, "a reload goes on"
    page.click("#home-button")
    page.click("dialog button[value=leave]")
    page.reload()
    assert guess() == 2
    page.clock.set_fixed_time(now() + timedelta(days=1))
    page.reload()
    assert guess() == 3, "the tab was left open over night"
    record.delete(child)


@needs_vendor
def test_every_game_is_played_by_the_sound_alone(open_page, server):
    """The speaker says what a screen offers, in its order; what is touched is said; the words alone lead to the end."""
    seen = {emotion: draw_face(IDENTITY, emotion, size=480) for emotion in ("neutral", "happy")}
    page = open_page(server.url, script=VOICES + camera_of(**seen))
    assert page.evaluate("window.said") == [], "nothing is said before the speaker was pressed"

    def listen():
        page.evaluate("window.said.length = 0")
        page.click("#speaker")
        return page.evaluate("window.said")

    def touch(word):
        """What was heard."""
        assert word in listen()
        page.locator("main > section:not([hidden])").get_by_role("button", name=word, exact=True).click()

    def hear(words):
        wait_until(page, f"window.said.includes({words!r})")

    assert listen()[0] == "어떤 표정을 지어 볼까?"
    assert {"기쁜 얼굴", "겁먹은 얼굴"} < set(page.evaluate("window.said"))
    touch("친구와 하기")
    page.wait_for_selector(".person img")
    assert listen()[:2] == ["누구와 놀까?", "친구 1"]
    touch("친구 6")
    hear("여섯 얼굴이 모였어")
    touch("표정 알아맞히기")
    known, names = "document.querySelector('#guessing .hint').textContent", set()
    for _ in range(100):
        choices = [word for word in listen() if word.endswith("얼굴") and word != "어떤 얼굴일까?"]
        names |= set(choices)
        assert len(choices) == page.locator(".choice svg").count() == 3, "each has its symbol"
        page.click(f".choice:has-text('{choices[0]}')")
        wait_until(page, f"window.said.at(-1) === {known}")
        assert choices[0] in page.evaluate("window.said"), "what was touched is said"
        page.click("#guess-next")
        if page.is_hidden("#guessing .stage"):
            break
    assert len(names) == 5
    touch("모두 보기")
    touch("기쁜 얼굴 보기")
    hear("기쁜 얼굴")
    touch("움직여 보기")
    wait_until(page, "document.querySelector('#move').ariaPressed === 'true'")
    touch("움직여 보기")
    wait_until(page, "document.querySelector('#move').ariaPressed === 'false'")
    touch("내 차례")
    hear("입꼬리를 올려 볼까?")
    page.evaluate("window.camera = 'happy'")
    hear("해냈어! 참 잘했어!")
    on_screen(page, "compare")
    touch("좋아, 다음!")
    hear("슬픈 얼굴")
    touch("모두 보기")
    touch("다 했어")
    hear("오늘의 내 얼굴들")
    touch("이제 끝!")
    hear("참 잘했어!")
    assert "to somebody's server" not in page.evaluate("window.said")


def test_a_face_in_steps_and_as_it_moves(page):
    """Without any of the emotion it is called the own face; it moves from one to the other in steps, or at once."""
    play_with_a_friend(page)
    page.click("#overview .cards button:has-text('놀란')")
    on_screen(page, "face")
    full = address(page, "#face .frame img")
    page.click("[data-strength='0']")
    wait_until(page, f"document.querySelector('#face .frame img').src !== {full!r}")
    assert page.inner_text("#face h1") == "친구 얼굴"
    calm = address(page, "#face .frame img")
    page.click("[data-strength='1']")
    assert page.inner_text("#face h1") == "놀란 얼굴"
    seen = """window.seen = new Set(); new MutationObserver(() => window.seen.add(
        document.querySelector("#face .frame img").src)).observe(
        document.querySelector("#face .frame img"), {attributes: true, attributeFilter: ["src"]})"""
    for motion, steps in (("no-preference", 5), ("reduce", 2)):
        page.emulate_media(reduced_motion=motion)
        page.evaluate(seen)
        page.click("#move")
        if motion == "no-preference":  # it ends by itself, or at the next touch
            wait_until(page, "window.seen.size >= 5")
            page.click("#move")
        wait_until(page, "document.querySelector('#move').ariaPressed === 'false'")
        shown = page.evaluate("[...window.seen]")
        assert len(shown) == steps and {calm, full} <= set(shown), motion
        assert address(page, "#face .frame img") == full, "it ends as it began"


COUNTED = """window.counted = []; new MutationObserver(() => window.counted.push(
    document.querySelector("#photograph .countdown").textContent)).observe(
    document.querySelector("#photograph .countdown"), {childList: true})"""
SLOW = """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) => new Promise((go) => (window.openCamera = () => go(open(wanted))));"""


def test_a_camera_that_is_refused_slow_or_unseen(open_page, server):
    page = open_page(server.url, script=REFUSED)
    play_with_a_friend(page)
    page.click("#overview .cards button >> nth=0")
    page.click("#my-turn")
    wait_until(page, "document.querySelector('#turn .hint').textContent.startsWith('카메라가 쉬고')")
    own = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": jpeg(draw_face(3, "happy"))}
    with page.expect_file_chooser() as chooser:
        page.click("#turn-choose")
    chooser.value.set_files(own)
    on_screen(page, "compare")

    page = open_page(server.url, script=SLOW)
    page.click("#take")
    on_screen(page, "photograph")
    assert page.is_disabled("#photograph [data-shutter]")
    page.evaluate("window.openCamera()")
    wait_until(page, "!document.querySelector('#photograph [data-shutter]').disabled")
    page.evaluate("""Object.defineProperty(document, "hidden", {value: true, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"))""")
    assert page.evaluate("document.querySelector('#photograph video').srcObject") is None, "runs on unseen"
    page.evaluate("""delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))""")
    page.evaluate("window.openCamera()")
    wait_until(page, "!document.querySelector('#photograph [data-shutter]').disabled")
    page.evaluate(COUNTED)
    page.click("#photograph [data-timer]")
    on_screen(page, "sure")
    assert page.evaluate("window.counted") == ["3", "2", "1", ""]
    page.click("#sure [data-back]")
    play_with_a_friend(page)
    page.dblclick("#overview .cards button >> nth=0")
    time.sleep(0.5)
    assert page.is_visible("#face"), "a double tap jumps ahead"


def test_without_mirror_and_without_consent(page, server):
    """The page works without its mirror, and says so; nothing is stored anywhere."""
    health = {"mirror": False, "collecting": True, "generating": True, "token_required": False}
    page.route("**/health", lambda route: route.fulfill(json=health))
    page.reload()
    choose_photo(page)
    look_first(page)
    my_turn(page, "기쁜")
    wait_until(page, "document.querySelector('#turn .hint').textContent.startsWith('오늘은 거울')")
    assert page.is_hidden("#turn .meter")
    check_in_view(page, "#turn [data-shutter]", "#turn .hint", "#turn video")
    page.evaluate("localStorage.removeItem('language')")  # chosen by that check
    check_usable(page)
    before = server.kept()
    page.click("#turn [data-shutter]")
    page.click("#keep")
    page.click("#face [data-back]")
    page.click("#finish")
    page.click("#the-end")
    on_screen(page, "bye")
    assert "사진은 모두 지웠어." in page.inner_text("#bye")
    assert server.kept() == before
    assert page.context.cookies() == []
    assert page.evaluate("Object.keys({...localStorage, ...sessionStorage})") == []


def test_the_page_and_python_read_the_rules_alike(page):
    """Random values of all that is read off a face: the same meter at every level, chances and hint."""
    with FaceFinder() as finder:
        names = list(finder.mesh(draw_face(IDENTITY, "neutral")).blendshapes)
    assert len(names) == 52
    random.seed(0)
    faces = [{name: random.random() ** 3 for name in names} for _ in range(40)]
    for face in faces[::2]:  # what was not seen counts as usual
        face |= {name: face_reading.FLOOR * random.random() for name in face_reading.LOOKS}
        face |= {name: -2 * random.random() for name in face_reading.SPANS}
    cases = [
        (emotion, face, rest, level)
        for emotion in expression_rules.RULES
        for level in learned_feedback.LEVELS
        for face, rest in zip(faces, [None, *faces[:19], *[None] * 20], strict=True)
    ]
    answers = page.evaluate(
        """async (cases) => {
            const {chances, meter, hint} = await import("./feedback.js");
            const table = await (await fetch("feedback.json")).json();
            return cases.map(([emotion, face, rest, level]) => [
                meter(table, emotion, face, rest, level), chances(table, face, rest),
                hint(table, emotion, face, rest).korean]);
        }""",
        cases,
    )
    for case, (meter, chances, hint) in zip(cases, answers, strict=True):
        assert meter == pytest.approx(expression_rules.meter(*case))
        assert chances == pytest.approx(learned_feedback.chances(*case[1:3]))
        assert hint == expression_rules.hint(*case[:3]).korean


@needs_vendor
def test_each_childs_rest_is_read_off_their_own_photo(page):
    """One whose photo shows surprise between two others: only theirs is no rest."""
    photos = [draw_face(IDENTITY, emotion, size=480) for emotion in ("neutral", "surprised", "neutral")]
    rests = page.evaluate(
        """async (addresses) => {
            const { loadMirror } = await import("./mirror.js");
            const mirror = await loadMirror();
            const rests = [];
            for (const src of addresses) {
                const image = Object.assign(new Image(), { src });
                await image.decode();
                await mirror.learnRest(image);
                rests.push(mirror.rest !== null);
            }
            return rests;
        }""",
        [f"data:image/jpeg;base64,{base64.b64encode(jpeg(photo)).decode()}" for photo in photos],
    )
    assert rests == [True, False, True]


@needs_vendor
def test_a_face_is_read_in_the_browser_as_in_python(page):
    with FaceFinder() as finder:
        for emotion in ("happy", "surprised"):
            picture = draw_face(IDENTITY, emotion, size=480)
            expected = face_reading.read_face(picture, finder)
            address = f"data:image/jpeg;base64,{base64.b64encode(jpeg(picture)).decode()}"
            seen = page.evaluate(
                """async (address) => {
                    const { loadMirror } = await import("./mirror.js");
                    const image = new Image();
                    image.src = address;
                    await image.decode();
                    const mirror = await loadMirror();
                    await mirror.landmarker.setOptions({ runningMode: "IMAGE" });
                    return mirror.read(image, mirror.landmarker.detect(image));
                }""",
                address,
            )
            assert set(seen) == set(expected)
            for name in face_reading.LOOKS:
                assert math.exp(seen[name]) == pytest.approx(math.exp(expected[name]), abs=0.1), (emotion, name)
            assert max(face_reading.LOOKS, key=seen.get) == f"looks{emotion.capitalize()}"
            for name in face_reading.SPANS:
                assert seen[name] == pytest.approx(expected[name], abs=0.1), (emotion, name)
