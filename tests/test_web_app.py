"""The phone web app in a real browser at a phone's size, its camera showing drawn faces, before a real server."""

import base64
import contextlib
import io
import json
import math
import random
import signal
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from browser import AXE, CHROMIUM, ELSEWHERE, camera_of, faults, film, launch
from PIL import Image
from serving import ROOT, BelowServer, Server, jpeg, killed, shipped_generator

from apps import expression_rules, face_reading, learned_feedback
from apps.record.entries import Consent
from apps.record.store import Record, now
from face_detection import FaceFinder
from imaging.draw_faces import draw_face

VENDOR = ROOT / "apps/page/web" / "vendor" / "vision_bundle.mjs"
PHONE = {"width": 390, "height": 844}
IDENTITY = 7
EMOTIONS = ("happy", "sadness", "surprised", "angry", "fearful")
SETTINGS = {"STARGAN_FE_COLLECT": "1", "STARGAN_FE_HOSTS": ELSEWHERE}
SIZES = ((844, 390), (320, 568), (820, 1180), (1366, 768), (390, 844))
LONG = {"settings", "cards"}  # an adult's: they may be scrolled
FLOW_SECONDS = 120  # patience with a busy machine

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")
needs_vendor = pytest.mark.skipif(
    not (VENDOR.is_file() and AXE.is_file()), reason="needs the npm packages (python -m apps.page.fetch_vendor)"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    made = shipped_generator(folder, trained_on="photos")  # of others an adult is warned first
    with Server(folder, **SETTINGS, STARGAN_FE_CHECKPOINT=str(made)) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium whose camera sees a neutral face."""
    camera = film(tmp_path_factory.mktemp("camera") / "camera.mjpeg", IDENTITY, "neutral")
    with sync_api.sync_playwright() as playwright:
        chromium = launch(playwright, camera)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Opens the app on a phone, in Korean. At the end: no error on the page, no request to another host was tried."""
    contexts, asked, errors = [], set(), []

    def open_page(url, locale="ko-KR", script="", first="start"):
        context = browser.new_context(
            viewport=PHONE, device_scale_factor=1, is_mobile=True, has_touch=True, locale=locale
        )
        context.set_default_timeout(1000 * FLOW_SECONDS)
        context.add_init_script(script)
        context.on("request", lambda request: asked.add(request.url))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        on_screen(page, first)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    assert all(url.startswith(("http://localhost:", f"http://{ELSEWHERE}:", "blob:", "data:")) for url in asked)


@pytest.fixture
def page(open_page, server):
    return open_page(server.url)


def wait_until(page, expression):
    """Poll, as the page's own policy forbids what Playwright's waiting does."""
    giving_up = time.monotonic() + FLOW_SECONDS
    while not (value := page.evaluate(expression)):
        assert time.monotonic() < giving_up, f"never became true: {expression}"
        time.sleep(0.05)
    return value


def on_screen(page, name):
    try:
        page.wait_for_selector(f"#{name}:not([hidden])")
    except sync_api.TimeoutError:
        raise AssertionError(f"no {name}, but: {page.inner_text('main')}") from None


def choose_photo(page, image=None):
    """Choose a photo and say yes to it."""
    photo = jpeg(draw_face(IDENTITY, "neutral", size=480) if image is None else image)
    page.set_input_files("#file", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo})
    on_screen(page, "sure")
    page.click("#sure-yes")


def look_first(page, then="overview"):
    """The adult has seen the new faces, and shows them to the child."""
    on_screen(page, "review")
    hold(page, "#review-done")
    on_screen(page, then)


def play_with_a_friend(page):
    """A drawn one, the last: needs no server."""
    page.click("#with-friends")
    page.wait_for_selector(".person")
    page.click(".person >> nth=-1")
    on_screen(page, "overview")


def my_turn(page, emotion):
    """From the overview: an emotion's mirror, the camera running."""
    page.click(f"#overview .cards button:has-text('{emotion}')")
    page.click("#my-turn")
    wait_until(page, "document.querySelector('#turn video').videoWidth > 0")


def hold(page, selector):
    """Keep an adult's button pressed."""
    page.locator(selector).scroll_into_view_if_needed()
    page.hover(selector)
    page.mouse.down()
    time.sleep(1.6)
    page.mouse.up()


def address(page, selector):
    """The picture that is shown; it comes a moment after its screen."""
    return wait_until(page, f"document.querySelector({selector!r})?.getAttribute('src')")


def check_usable(page):
    """Nothing that axe knows, by day and by night; every target large enough; nothing beyond the edge."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert not faults(page), scheme
    small = page.evaluate(
        """[...document.querySelectorAll("button, a, summary, label:has(input)")].filter((element) => {
            const {width, height} = element.getBoundingClientRect();
            return element.offsetParent && (width < 48 || height < 48);
        }).map((element) => element.outerHTML)"""
    )
    assert not small
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# How much of an element is below the window's edge, or under the buttons that stay in view.
HIDDEN = """(element) => {
    const box = element.getBoundingClientRect();
    const bar = element.closest("section").querySelector(".actions");
    const { left, right, top } = bar.getBoundingClientRect();
    const under = !bar.contains(element) && box.left < right && left < box.right && box.top < top;
    return Math.max(-box.top, box.bottom - (under ? top : innerHeight));
}"""


def check_in_view(page, *selectors, zoom=True):
    """On a phone, lying, a small one, a tablet, a laptop, and with `zoom` at 200 %: all is seen without scrolling."""
    for _ in range(2):  # languages
        for width, height in ((195, 422), *SIZES):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate(f"document.documentElement.scrollWidth <= {width}"), (width, height)
            for selector in selectors if zoom or width > 195 else ():
                hidden = page.locator(selector).first.evaluate(HIDDEN)
                where = selector, width, height, page.evaluate("document.documentElement.lang")
                assert hidden <= 1, (where, hidden)
        page.click("#language")


# Where a text's last line is far shorter than its longest.
LONE_WORDS = """[...document.querySelectorAll("h1, .note")].filter((element) => {
    if (!element.offsetParent) return false;
    const range = document.createRange();
    range.selectNodeContents(element);
    const widths = new Map();
    for (const { bottom, width } of range.getClientRects()) widths.set(bottom, (widths.get(bottom) ?? 0) + width);
    return [...widths.values()].at(-1) < 0.4 * Math.max(...widths.values());
}).map((element) => element.textContent)"""


# Buttons that a finger at their middle or near their lower edge would not hit: out of view, or covered.
OUT_OF_REACH = """[...document.querySelectorAll("main > section:not([hidden]) button")].filter((button) => {
    const {left, bottom, width, height} = button.getBoundingClientRect();
    const hits = (y) => button.contains(document.elementFromPoint(left + width / 2, y));
    return button.offsetParent && !(hits(bottom - height / 2) && hits(bottom - 8));
}).map((button) => button.outerHTML)"""


def check_screen(page, name):
    """One screen: usable, and in both languages at every size all that can be done is seen without scrolling."""
    on_screen(page, name)
    wait_until(page, "!document.body.classList.contains('arriving')")
    check_usable(page)
    for _ in range(2):
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            where = name, width, height, page.evaluate("document.documentElement.lang")
            assert page.evaluate(f"document.documentElement.scrollWidth <= {width}"), where
            assert name in LONG or not page.evaluate(OUT_OF_REACH), (where, page.evaluate(OUT_OF_REACH))
        page.click("#language")


def guess_all(page):
    """A guess is right once in three, and five must be; it ends long before a hundred."""
    for _ in range(100):
        page.click(".choice >> nth=0")
        assert page.inner_text("#guessing .hint").startswith(("맞았어!", "이건", "Yes!", "This is"))
        page.click("#guess-next")
        if page.is_hidden("#guessing .stage"):
            return


@needs_vendor
def test_photo_to_faces_to_own_faces_to_stored_pictures(open_page, server):
    """The mirror takes the picture itself once a face was held; only faces that were reached are sent and kept."""
    seen = {emotion: draw_face(IDENTITY, emotion, size=480) for emotion in ("neutral", "happy")}
    page = open_page(server.url, script=camera_of(**seen))
    check_usable(page)
    page.click(".pick:has-text('기쁜')")
    choose_photo(page)
    look_first(page, "face")
    assert page.inner_text("#face h1") == "기쁜 얼굴", "the face that was chosen before"
    picture = address(page, "#face .frame img")
    check_in_view(page, "#face .frame", "#my-turn", zoom=False)
    check_usable(page)
    page.click("[data-strength='0.5']")
    wait_until(page, f"document.querySelector('#face .frame img').src !== {picture!r}")
    page.click("[data-strength='1']")
    page.click("#my-turn")
    meter = "Number(document.querySelector('#turn .meter').getAttribute('aria-valuenow'))"
    hint = "document.querySelector('#turn .hint').textContent"
    wait_until(page, f"{meter} < 30 && {hint} === '입꼬리를 올려 볼까?'")
    assert page.is_visible("#turn .arrow")
    page.evaluate("window.camera = 'happy'")
    on_screen(page, "compare")  # it smiled, and has held it
    assert page.inner_text("#compare h1") == "해냈어! 참 잘했어!"
    time.sleep(3)
    assert page.is_visible("#compare .star"), "the praise stays"
    assert address(page, "#compare figure:first-child img") == picture
    check_in_view(page, "#keep", "#compare .star")
    check_usable(page)
    page.click("#keep")
    on_screen(page, "face")
    assert page.inner_text("#face h1") == "슬픈 얼굴"
    assert page.locator(".dot.done").count() == 1
    page.click(".dot >> nth=0")
    check_in_view(page, "#face .badge", "#my-turn", zoom=False)
    page.click(".dot >> nth=1")
    page.click("#my-turn")
    wait_until(page, "!document.querySelector('#turn [data-shutter]').disabled")
    page.click("#turn [data-shutter]")  # neither a neutral nor a happy face is sad
    on_screen(page, "compare")
    assert page.is_hidden("#compare .star")
    page.click("#keep")
    page.click("#face [data-back]")
    on_screen(page, "overview")
    wait_until(page, "document.querySelectorAll('#overview .cards .own').length === 2")
    assert page.locator("#overview .cards .star").count() == 1
    check_in_view(page, "#finish", "#overview .cards li:last-child", zoom=False)
    check_usable(page)
    before = server.kept()
    page.click("#finish")
    on_screen(page, "ending")
    assert page.locator("#ending .mine img").count() == 2
    assert page.locator("#ending .star").count() == 1
    check_usable(page)
    page.click("#send-ask")
    on_screen(page, "consent")
    assert page.is_disabled("#send"), "nothing is sent before somebody agrees"
    check_screen(page, "consent")
    assert server.kept() == before
    page.check("#consent input")
    page.click("#send")
    on_screen(page, "bye")
    assert "1장" in page.inner_text("#bye [role=status]")
    check_usable(page)
    assert [path.parent.name for path in server.kept() - before] == ["happy"]
    assert not page.evaluate("[...document.images].some((image) => image.src)"), "pictures are still there"


def test_five_own_faces_and_what_is_said_of_them(page):
    """None lies over a name; at the end all five are seen, and at consent the words with them."""
    choose_photo(page)
    look_first(page)
    page.click("#overview .cards button >> nth=0")
    for emotion in ("happy", "sadness", "surprised", "angry", "fearful"):
        page.click("#my-turn")
        own = jpeg(draw_face(IDENTITY, emotion, size=480))
        page.set_input_files("#turn-file", {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": own})
        page.click("#keep")
    on_screen(page, "overview")
    wait_until(page, "document.querySelectorAll('#overview .cards .own').length === 5")
    for _ in range(2):
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            over = """[...document.querySelectorAll("#overview .cards button")].filter((card) =>
                card.querySelector(".own").getBoundingClientRect().bottom
                > card.lastElementChild.previousElementSibling.getBoundingClientRect().top + 1
            ).map((card) => card.innerText)"""
            assert not page.evaluate(over), (width, height)
            # neither does it lie over the middle of the face to make
            covered = """[...document.querySelectorAll("#overview .cards .both")].filter((both) => {
                const [model, own] = [...both.children].map((picture) => picture.getBoundingClientRect());
                return own.left < model.left + 0.75 * model.width;
            }).length"""
            assert not page.evaluate(covered), (width, height)
        page.click("#language")
    page.click("#finish")
    on_screen(page, "ending")
    check_in_view(page, "#ending .mine li:last-child", "#the-end", zoom=False)
    in_order = page.locator("#ending li:has(.star)").all_inner_texts()
    hold(page, "#keep-ask")
    page.click("[data-cards=own]")
    for _ in range(2):
        page.set_viewport_size({"width": 844, "height": 390})
        assert page.locator("#cards [data-back]").evaluate(HIDDEN) <= 1, "lying, an adult finds no way back"
        page.click("#language")
    page.set_viewport_size(PHONE)
    page.click("#cards [data-back]")
    page.click("#send-ask")
    on_screen(page, "consent")
    words = ("#consent .mine li:last-child", "#consent > p:nth-of-type(2)", "#send")
    check_in_view(page, *words, zoom=False)
    assert page.locator("#consent .mine li").all_inner_texts() == in_order
    page.route("**/submit", lambda route: route.fulfill(json={"kept": {}}))
    page.check("#consent input")
    page.click("#send")
    wait_until(page, "document.querySelector('#consent .state').textContent.includes('저장하지 않았습니다')")
    check_in_view(page, *words, zoom=False)


HELD = """const decode = window.createImageBitmap.bind(window);
window.createImageBitmap = (...given) => window.held
    ? new Promise((go) => (window.goOn = () => go(decode(...given)))) : decode(...given);"""


def test_a_photo_that_was_read_too_late(open_page, server):
    """Chosen, but left before it was read: it appears neither over a friend nor as another emotion."""
    page = open_page(server.url, script=HELD + REFUSED)
    photo = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": jpeg(draw_face(IDENTITY, "happy", size=480))}
    page.evaluate("window.held = true")
    page.set_input_files("#file", photo)
    play_with_a_friend(page)
    wait_until(page, "'goOn' in window")
    page.evaluate("window.goOn()")
    time.sleep(1)
    assert page.is_visible("#overview")
    page.click("#overview .cards button >> nth=0")
    page.click("#my-turn")
    page.evaluate("delete window.goOn")
    page.set_input_files("#turn-file", photo)
    wait_until(page, "'goOn' in window")
    page.click("#turn [data-back]")
    page.click(".dot >> nth=1")
    page.evaluate("window.goOn()")
    time.sleep(1)
    assert page.is_visible("#face")


def test_never_another_childs_face(page):
    """A's faces arrive late, when B's photo waits; and B, without a face, is not shown A's."""
    held = []
    page.route("**/generate", lambda route: held.append(route))
    choose_photo(page)
    wait_until(page, "!document.querySelector('#waiting').hidden")
    wait_until_python(page, lambda: len(held) == 1)
    page.click("#waiting [data-back]")
    on_screen(page, "start")
    page.unroute("**/generate")
    b = draw_face(11, "neutral", size=480)
    choose_photo(page, b)
    with contextlib.suppress(sync_api.Error):  # the page has given the request up
        held[0].continue_()
    look_first(page)
    shown = address(page, "#overview .cards img")
    assert difference(shown, b) < difference(shown, draw_face(IDENTITY, "neutral", size=480))
    page.click("#home-button")
    page.click("dialog button[value=leave]")
    on_screen(page, "start")
    choose_photo(page, np.full((300, 300, 3), 150, np.uint8))
    on_screen(page, "message")
    assert "다시" in page.inner_text("#message-text")
    check_usable(page)
    page.click("#message-again")
    on_screen(page, "start")
    assert not page.evaluate("[...document.images].some((image) => image.src)")


def wait_until_python(page, true):
    giving_up = time.monotonic() + FLOW_SECONDS
    while not true():
        assert time.monotonic() < giving_up
        page.wait_for_timeout(50)


def difference(data_url, face):
    """Mean grey levels between the head in a picture and the middle of a drawing, both small."""
    shown = Image.open(io.BytesIO(base64.b64decode(data_url.split(",")[1]))).resize((24, 24))
    drawn = Image.fromarray(face).resize((24, 24))
    return np.abs(np.asarray(shown, int) - np.asarray(drawn, int)).mean()


@needs_vendor
def test_a_face_of_a_group_is_chosen(page):
    group = np.full((480, 1100, 3), 200, np.uint8)
    group[60:420, 20:380] = draw_face(IDENTITY, "neutral", size=360)
    group[180:420, 800:1040] = draw_face(11, "neutral", size=240)
    choose_photo(page, group)
    on_screen(page, "who")
    assert page.locator("#who .person").count() == 2
    head = page.get_attribute("#who li:nth-child(2) img", "src")
    check_usable(page)
    page.click("#who li:nth-child(2) button")
    look_first(page)
    shown = address(page, "#overview .cards img")
    decode = [np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))), int) for url in (head, shown)]
    assert np.abs(decode[0] - decode[1]).mean() < 3


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server with an access code, whose generator has learned from drawings."""
    folder = tmp_path_factory.mktemp("guarded")
    made = shipped_generator(folder, trained_on="drawn")
    with Server(folder, **SETTINGS, STARGAN_FE_CHECKPOINT=str(made), STARGAN_FE_TOKEN="비밀 코드") as running:
        yield running


@pytest.mark.slow
@needs_vendor
def test_code_consent_and_a_server_that_comes_and_goes(open_page, guarded):
    """Asked at the start; a wrong code says so; whatever was interrupted goes on; no picture is lost."""
    page = open_page(guarded.url.replace("localhost", ELSEWHERE), first="code")
    page.fill("#code-input", "wrong")
    page.keyboard.press("Enter")
    wait_until(page, "document.querySelector('#code-problem').textContent.includes('이 코드로는')")
    check_screen(page, "code")
    assert page.locator("#code-input").bounding_box()["height"] < 80, "a field for one line"
    page.fill("#code-input", "비밀 코드")
    page.keyboard.press("Enter")
    on_screen(page, "start")
    asked = []
    page.on("request", lambda request: asked.append(request.method))
    page.click("#choose")
    on_screen(page, "adult")
    text = page.inner_text("#adult")
    assert ELSEWHERE in text and "그림으로 그린 얼굴" in text and "친구와 하기" in text
    check_screen(page, "adult")
    page.click("#adult-agree")
    assert page.is_visible("#adult"), "a child's tap agrees to nothing"
    assert "POST" not in asked
    with page.expect_file_chooser() as chooser:
        hold(page, "#adult-agree")
    photo = jpeg(draw_face(IDENTITY, "neutral", size=480))
    chooser.value.set_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo})
    on_screen(page, "sure")
    guarded.__exit__()
    page.click("#sure-yes")
    on_screen(page, "message")
    assert "연결" in page.inner_text("#message-text")
    page.click("#language")
    assert "no connection" in page.inner_text("#message-text"), "a message is translated too"
    page.click("#language")
    guarded.__enter__()
    page.click("#message-again")
    look_first(page)
    page.click("#overview .cards button:has-text('기쁜')")
    page.click("#my-turn")
    with page.expect_file_chooser() as chooser:  # browsers lend no camera over plain HTTP
        page.click("#turn-choose")
    own = jpeg(draw_face(IDENTITY, "happy", size=480))
    chooser.value.set_files({"name": "b.jpg", "mimeType": "image/jpeg", "buffer": own})
    on_screen(page, "compare")
    page.click("#keep")
    page.click("#face [data-back]")
    guarded.__exit__()
    page.click("#finish")
    on_screen(page, "ending")
    assert page.locator("#ending .mine img").count() == 1
    page.click("#send-ask")
    page.check("#consent input")
    page.click("#send")
    wait_until(page, "document.querySelector('#consent .state').textContent.includes('여기 그대로')")
    guarded.__enter__()
    page.evaluate("sessionStorage.clear()")  # the code has expired
    page.click("#send")
    on_screen(page, "code")
    page.fill("#code-input", "비밀 코드")
    page.click("#code [type=submit]")
    on_screen(page, "consent")
    page.check("#consent input")
    page.click("#send")
    on_screen(page, "bye")
    assert len(guarded.kept()) == 1


NO_WORKER = "delete Navigator.prototype.serviceWorker;"  # which would keep the mirror's files


@pytest.mark.slow
@needs_vendor
def test_a_server_killed_at_each_step_loses_no_picture(open_page, server):
    """From the photo to what is sent. While it is away, what needs no server goes on."""
    page = open_page(server.url, script=NO_WORKER)
    choose_photo(page, np.hstack([draw_face(identity, "neutral", size=480) for identity in (IDENTITY, 11)]))
    on_screen(page, "who")
    with killed(server):
        page.click("#who li:nth-child(1) button")
        on_screen(page, "message")
    page.route("**/vendor/**", lambda route: route.abort())  # away again before the mirror's files came
    page.click("#message-again")
    look_first(page)
    with killed(server):
        my_turn(page, "기쁜")
        wait_until(page, "document.querySelector('#turn .hint').textContent.startsWith('오늘은 거울')")
        own = jpeg(draw_face(IDENTITY, "happy", size=480))
        page.set_input_files("#turn-file", {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": own})
        on_screen(page, "compare")
        page.click("#keep")
    page.unroute("**/vendor/**")
    page.click("#my-turn")
    wait_until(page, "document.querySelector('#turn').dataset.state")  # the mirror came back with the server
    page.click("#turn [data-back]")
    page.click("#face [data-back]")
    with killed(server):
        page.click("#to-guess")
        assert address(page, "#guessing img")
        page.click("#guessing [data-back]")
        wait_until(page, "document.querySelectorAll('#overview .cards .own').length === 1")
        # Only a face that was reached may be sent, and the server that judges was away: as if it had seen it.
        page.evaluate("import('./visit.js').then(({visit}) => { visit.retakes.happy.reached = true; })")
        page.click("#finish")
        on_screen(page, "ending")
        assert page.locator("#ending .mine img").count() == 1
        page.click("#send-ask")
        page.check("#consent input")
        page.click("#send")
        wait_until(page, "document.querySelector('#consent .state').textContent.includes('여기 그대로')")
    assert page.locator("#consent .mine img").count() == 1
    before = server.kept()
    page.click("#send")
    on_screen(page, "bye")
    assert len(server.kept() - before) == 1


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
    time.sleep(0.4)  # a touch so soon after a screen came would be taken for a double tap
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
    assert page.is_visible("#leave-dialog")
    page.go_back()
    assert page.is_hidden("#leave-dialog") and page.is_visible("#overview")
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


VOICES = """window.said = [];
speechSynthesis.getVoices = () => ["ko-KR", "en-US"].flatMap((lang) => [
    {lang, localService: false, name: "sends it away"}, {lang, localService: true, name: "here"}]);
Object.defineProperty(SpeechSynthesisUtterance.prototype, "voice", {set({name}) { this.spoken = name; }});
speechSynthesis.speak = (utterance) => {
    window.said.push(utterance.spoken === "here" ? utterance.text : "to somebody's server");
    utterance.onstart();
    setTimeout(() => utterance.onend(), 30);
};"""


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
    hold(page, "#settings-button")
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


@needs_vendor
def test_what_a_child_practised_is_kept_and_nothing_without_one(open_page, server):
    """Settings, attempts and guesses go to the server as they come: reloaded, or without the server, none is lost."""
    record, child = make_child(server.folder, "민들레")
    page = open_page(server.url)
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
    time.sleep(3)
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


def test_a_record_opens_to_nobody_else_in_the_network(guarded):
    _, child = make_child(guarded.folder, "토끼")
    asked = (("GET", "/children", None), ("POST", f"/children/{child}/sessions", b"{}"))
    assert [guarded._ask(*each, {"Content-Type": "application/json"})[0] for each in asked] == [401, 401]
    bearer = {"Authorization": f"Bearer {quote('비밀 코드')}", "Content-Type": "application/json"}
    assert guarded._ask(*asked[0], bearer)[0] == 200
    assert guarded._ask(*asked[1], bearer)[0] == 422
    assert (
        guarded._ask("POST", "/children/unknown/sessions", b'{"id": "a", "began": "2026-01-01T10:00:00Z"}', bearer)[0]
        == 404
    )


@needs_vendor
def test_all_can_be_heard(open_page, server):
    """By the sound alone: the speaker says what a screen offers, in its order, and what is touched is said."""
    page = open_page(server.url, script=VOICES)
    assert page.evaluate("window.said") == [], "nothing is said before the speaker was pressed"

    def listen():
        page.evaluate("window.said.length = 0")
        page.click("#speaker")
        return page.evaluate("window.said")

    assert listen()[0] == "어떤 표정을 지어 볼까?"
    assert {"기쁜 얼굴", "겁먹은 얼굴", "친구와 하기"} < set(page.evaluate("window.said"))
    page.click("#with-friends")
    page.wait_for_selector(".person img")
    assert listen()[:2] == ["누구와 놀까?", "친구 1"]
    page.click(".person >> nth=-1")
    on_screen(page, "overview")
    wait_until(page, "window.said.includes('여섯 얼굴이 모였어')")
    assert "슬픈 얼굴 보기" in listen()
    page.click("#to-guess")
    known, names = "document.querySelector('#guessing .hint').textContent", set()
    for _ in range(100):  # the words alone lead to the end
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
    page.click("#guessing [data-back]")
    my_turn(page, "기쁜")
    wait_until(page, "window.said.includes('입꼬리를 올려 볼까?')")
    assert "to somebody's server" not in page.evaluate("window.said")


def test_only_a_face_that_was_reached_bears_its_name(open_page, guarded):
    """Over plain HTTP no mirror sees a photo: the server judges it. A calm face is neither a star nor "angry"."""
    page = open_page(guarded.url.replace("localhost", ELSEWHERE), first="code")
    page.fill("#code-input", "비밀 코드")
    page.keyboard.press("Enter")
    on_screen(page, "start")
    play_with_a_friend(page)
    for emotion, shown in (("화난", "neutral"), ("기쁜", "happy")):
        page.click(f"#overview .cards button:has-text('{emotion}')")
        page.click("#my-turn")
        own = jpeg(draw_face(IDENTITY, shown, size=480))
        page.set_input_files("#turn-file", {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": own})
        on_screen(page, "compare")
        assert page.is_visible("#compare .star") == (shown == "happy")
        page.click("#opinion summary")
        page.wait_for_selector("#opinion meter")
        assert page.locator("#opinion li").count() == 5
        page.click("#keep")
        page.click("#face [data-back]")
    page.click("#finish")
    assert page.locator("#ending .mine li").all_inner_texts() == ["기쁜 얼굴", "내가 해 본 얼굴"]
    hold(page, "#keep-ask")
    page.click("[data-cards=own]")
    assert page.locator(".sheet li").all_inner_texts() == ["기쁜 얼굴", "내가 해 본 얼굴"], "in the page's language"
    page.click("#cards-both")
    assert page.locator(".sheet li").all_inner_texts()[0] == "기쁜 얼굴 · Happy face"


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
        wait_until(page, "document.querySelector('#move').ariaPressed === 'false'")
        shown = page.evaluate("[...window.seen]")
        assert len(shown) == steps and {calm, full} <= set(shown), motion
        assert address(page, "#face .frame img") == full, "it ends as it began"


def test_an_adult_leaves_a_face_out(page):
    choose_photo(page)
    on_screen(page, "review")
    check_usable(page)
    page.click("#review .card[data-emotion=fearful]")
    page.click("#review-done")
    assert page.is_visible("#review"), "a child's tap shows nothing"
    hold(page, "#review-done")
    on_screen(page, "overview")
    wait_until(page, "document.querySelectorAll('#overview .cards li').length === 5")
    assert "겁먹은" not in page.inner_text("#overview")


def test_a_file_that_is_no_photo_is_refused_when_chosen(page):
    text = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"hello"}
    page.set_input_files("#file", text)
    on_screen(page, "message")
    assert "열리지 않네" in page.inner_text("#message-text")
    page.click("#message-again")
    play_with_a_friend(page)
    page.click("#overview .cards button >> nth=0")
    page.click("#my-turn")
    page.set_input_files("#turn-file", text)
    on_screen(page, "message")  # which the mirror's hints do not overwrite
    assert "열리지 않네" in page.inner_text("#message-text")
    page.click("#message-again")
    on_screen(page, "turn")


@contextlib.contextmanager
def stopped(server):
    """The server hangs meanwhile: it takes connections, and answers nothing."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


MIRROR_IS_KEPT = "import('./offline.js').then(({isKept}) => isKept())"


@needs_vendor
def test_the_mirror_is_kept_by_a_page_without_its_worker(open_page, server):
    """As at a first visit on a slow phone, whose worker comes late, and after a forced reload. Failures are mended."""
    page = open_page(server.url)
    wait_until(page, MIRROR_IS_KEPT)
    page.evaluate("caches.keys().then((all) => Promise.all(all.map((name) => caches.delete(name))))")
    page.route("**/real-face-judge.tflite", lambda route: route.abort())
    with page.expect_navigation():
        page.context.new_cdp_session(page).send("Page.reload", {"ignoreCache": True})
    wait_until(page, "document.querySelector('#keeping').textContent.startsWith('거울을 다')")
    assert page.evaluate("navigator.serviceWorker.controller") is None
    page.unroute("**/real-face-judge.tflite")
    wait_until(page, MIRROR_IS_KEPT)
    wait_until(page, "!document.querySelector('#keeping').textContent")


@needs_vendor
def test_a_server_that_hangs_and_then_is_gone(open_page, tmp_path):
    """The page opens from what it kept at the first visit, the mirror too; nobody waits before an empty screen."""
    with Server(tmp_path, STARGAN_FE_CHECKPOINT=str(shipped_generator(tmp_path, trained_on="drawn"))) as server:
        page = open_page(server.url)
        wait_until(page, "document.querySelector('#keeping').textContent.includes('%')")  # how far it is
        wait_until(page, MIRROR_IS_KEPT)
        wait_until(page, "caches.match('friends.json').then(Boolean)")
        page.context.set_default_timeout(30_000)  # it took 45 s and more
        with stopped(server):
            page.reload()
            on_screen(page, "start")
            page.click("#with-friends")
            page.wait_for_selector(".person img")
            page.click("#choose-friend [data-back]")
            choose_photo(page)
            assert page.inner_text("#waiting [role=status]")
            wait_until(page, "document.querySelector('#waiting [role=status]').textContent.startsWith('조금 오래')")
            assert page.evaluate("document.querySelector('#waiting progress').value") < 0.95, "full before it is done"
            page.click("#waiting [data-back]")
    play_with_a_friend(page)
    my_turn(page, "슬픈")
    wait_until(page, "document.querySelector('#turn').dataset.state === 'hint'")


def test_below_a_folder_of_a_site(browser, tmp_path):
    """Behind a proxy with --root-path every address is relative: the page, its worker, its manifest, its server."""
    with BelowServer(tmp_path) as server:
        context = browser.new_context(locale="en-US")
        page = context.new_page()
        refused = []
        page.on("response", lambda answer: answer.status < 400 or refused.append(answer.url))
        page.goto(f"{server.url}/play/")
        wait_until(page, "navigator.serviceWorker.ready.then(({scope}) => scope.endsWith('/play/'))")
        wait_until(page, "caches.match('friends.json').then(Boolean)")
        manifest = json.loads(server.get("/play/" + page.get_attribute("link[rel=manifest]", "href"))[2])
        assert (manifest["id"], manifest["lang"], manifest["name"]) == ("face-play", "en", "Face play")
        play_with_a_friend(page)
        assert not refused
        context.close()


REFUSED = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('refused'));"
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
    page.click("#photograph [data-timer]")
    wait_until(page, "document.querySelector('#photograph .countdown').textContent === '2'")
    on_screen(page, "sure")
    page.click("#sure [data-back]")
    play_with_a_friend(page)
    page.dblclick("#overview .cards button >> nth=0")
    time.sleep(0.5)
    assert page.is_visible("#face"), "a double tap jumps ahead"


def test_without_mirror_and_without_consent(page, server):
    """The page works less its mirror, and says so; nothing is stored anywhere."""
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


def test_nothing_of_the_child_remains(page):
    """After "start again" the page's memory holds no part of the photo."""
    face = draw_face(23, "neutral", size=320)
    choose_photo(page, face)
    look_first(page)
    piece = address(page, "#overview .cards img")[3000:3080]
    assert piece in heap(page)
    page.click("#home-button")
    page.click("dialog button[value=leave]")
    on_screen(page, "start")
    wait_until_python(page, lambda: piece not in heap(page))


def heap(page):
    """All that JavaScript holds, as text."""
    session = page.context.new_cdp_session(page)
    chunks = []
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot")
    session.detach()
    return "".join(chunks)


def test_waiting_when_the_server_is_busy(page):
    busy = [True]

    def answer(route):
        if busy:
            busy.pop()
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"code": "busy"})
        else:
            route.continue_()

    page.route("**/generate", answer)
    choose_photo(page)
    on_screen(page, "waiting")
    wait_until(page, "document.querySelector('#waiting [role=status]').textContent.includes('차례')")
    look_first(page)


def test_opens_without_a_network_and_without_a_generator(open_page, tmp_path):
    """A friend can be played with all the same; what a child need not read is said to the adult."""
    with Server(tmp_path, STARGAN_FE_CHECKPOINT="latest") as bare:
        page = open_page(bare.url)
        wait_until(page, "navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller))")
        wait_until(page, "document.querySelector('#take').hidden")
        assert "모델" not in page.inner_text("#start")
        assert "checkpoint" not in page.inner_text("#start")
        page.click("#start-problem summary")
        assert "holds no checkpoint" in page.inner_text("#start-problem")
        assert "설치한 분께" in page.inner_text("#start-problem"), "said in the page's language too"
        page.context.set_offline(True)
        page.reload()
        on_screen(page, "start")
        play_with_a_friend(page)
        page.click("#home-button")
        page.click("dialog button[value=leave]")
        on_screen(page, "start")
        choose_photo(page)
        on_screen(page, "message")
        assert "연결" in page.inner_text("#message-text")


def test_the_page_and_python_read_the_rules_alike(page):
    """Random values of all 52 blendshapes and the judge: the same meter at every level, chances and hint."""
    with FaceFinder() as finder:
        names = list(finder.mesh(draw_face(IDENTITY, "neutral")).blendshapes)
    assert len(names) == 52
    random.seed(0)
    faces = [{name: random.random() ** 3 for name in names} for _ in range(40)]
    for face in faces[::2]:  # what was not seen counts as usual
        face |= {name: face_reading.FLOOR * random.random() for name in face_reading.LOOKS}
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
def test_the_judge_sees_in_the_browser_what_it_sees_in_python(page):
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
                    return mirror.judge.look(image, mirror.landmarker.detect(image).faceLandmarks[0]);
                }""",
                address,
            )
            assert list(seen) == list(face_reading.LOOKS)
            for name in face_reading.LOOKS:
                assert math.exp(seen[name]) == pytest.approx(math.exp(expected[name]), abs=0.1), (emotion, name)
            assert max(seen, key=seen.get) == f"looks{emotion.capitalize()}"


def test_the_api_page_shows_the_contract(page, server):
    page.goto(server.url + "/docs")
    page.wait_for_selector("text=/generate")


def test_the_manifest_names_files_that_are_there():
    manifest = json.loads((ROOT / "apps/page/web" / "manifest.webmanifest").read_text())
    for icon in manifest["icons"]:
        path = ROOT / "apps/page/web" / icon["src"]
        assert path.is_file()
        if path.suffix == ".png":
            assert Image.open(path).size == tuple(map(int, icon["sizes"].split("x")))
    service_worker = (ROOT / "apps/page/web" / "sw.js").read_text()
    for script in Path(ROOT / "apps/page/web").glob("*.js"):
        assert script.name in ("sw.js", "docs.js") or f'"{script.name}"' in service_worker, "would be missing offline"


@pytest.mark.xfail(reason="under repair: ends after the friends' screen")
@pytest.mark.slow
@needs_vendor
def test_every_screen_at_every_size_by_day_and_by_night(open_page, server):
    """All screens but the access code's and the adult's, which only a guarded server shows."""
    page, seen = open_page(server.url), set()

    def check(name):
        check_screen(page, name)
        seen.add(name)

    check("start")
    for _ in range(2):
        page.set_viewport_size({"width": 320, "height": 568})
        assert not page.evaluate(LONE_WORDS)
        page.click("#language")
    page.click("#take")
    wait_until(page, "!document.querySelector('#photograph [data-shutter]').disabled")
    check("photograph")
    page.click("#photograph [data-shutter]")
    check("sure")
    held = []
    page.route("**/generate", lambda route: held.append(route))
    page.click("#sure-yes")
    wait_until_python(page, lambda: held)
    check("waiting")
    page.click("#waiting [data-back]")
    on_screen(page, "start")
    page.unroute("**/generate")
    choose_photo(page, np.hstack([draw_face(identity, "neutral", size=360) for identity in (IDENTITY, 11, 20, 3)]))
    on_screen(page, "who")
    assert page.locator("#who .person").count() == 4
    check("who")
    page.click("#who [data-back]")
    choose_photo(page, np.full((300, 300, 3), 150, np.uint8))
    on_screen(page, "message")
    page.click("#message summary")
    check("message")
    page.click("#message-again")
    page.click("#with-friends")
    page.wait_for_selector(".person img")
    check("choose-friend")
    page.click(".person >> nth=-1")
    check("overview")
    my_turn(page, "슬픈")
    wait_until(page, "document.querySelector('#turn').dataset.state === 'hint'")
    page.evaluate("import('./visit.js').then(async ({visit}) => (await visit.mirror).stop())")  # or it ends by itself
    check("turn")
    check_in_view(page, "#turn .meter", "#turn .hint", "#turn video")
    page.click("#rest-button")
    check("rest")
    page.click("#rest [data-back]")
    wait_until(page, "!document.querySelector('#turn [data-shutter]').disabled")
    page.click("#turn [data-shutter]")
    check("compare")
    page.click("#keep")
    check("face")
    page.click("#face [data-back]")
    page.click("#to-guess")
    check("guessing")
    guess_all(page)
    assert page.inner_text("#guessing h1") == "다 봤어! 얼굴을 잘 살펴봤네.", "the question is over"
    check("guessing")
    page.click("#guessing [data-back]")
    page.click("#home-button")
    check_usable(page)
    page.click("dialog button[value=stay]")
    page.click("#finish")
    check("ending")
    hold(page, "#keep-ask")
    for kind in ("symbol", "photo", "own"):
        page.click(f"[data-cards={kind}]")
        check("cards")
    page.click("#cards [data-back]")
    page.click("#the-end")
    check("bye")
    page.click("#bye [data-home]")
    hold(page, "#settings-button")
    check("settings")
    assert set(page.evaluate("[...document.querySelectorAll('main > section')].map(({id}) => id)")) - seen == {
        "adult",
        "code",
        "consent",
    }
