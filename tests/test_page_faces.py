"""A child's photo on the page: to faces, to the child's own pictures, to what is sent."""

import base64
import contextlib
import io
import time

import numpy as np
import pytest
from browser import ELSEWHERE, camera_of
from child_page import (
    CODE,
    HIDDEN,
    IDENTITY,
    PHONE,
    REFUSED,
    SIZES,
    address,
    check_in_view,
    check_screen,
    check_usable,
    choose_photo,
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

from imaging.drawing.picture import draw_face

pytestmark = needs_browser


@needs_vendor
def test_photo_to_faces_to_own_faces_to_stored_pictures(open_page, server):
    """The mirror takes the picture itself once a face was held; only faces that were reached are sent and kept."""
    seen = {emotion: draw_face(IDENTITY, emotion, size=480) for emotion in ("neutral", "happy")}
    page = open_page(server.url, script=camera_of(**seen))
    page.click(".pick:has-text('기쁜')")
    choose_photo(page)
    look_first(page, "face")
    assert page.inner_text("#face h1") == "기쁜 얼굴", "the face that was chosen before"
    picture = address(page, "#face .frame img")
    check_in_view(page, "#face .frame", "#my-turn", zoom=False)
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
    assert [path.parent.name for path in server.kept() - before] == ["happy"]
    assert not page.evaluate("[...document.images].some((image) => image.src)"), "pictures are still there"


@pytest.mark.slow
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
    from playwright.sync_api import Error

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
    with contextlib.suppress(Error):  # the page has given the request up
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
    page.click("#message-again")
    on_screen(page, "start")
    assert not page.evaluate("[...document.images].some((image) => image.src)")


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
    page.click("#who li:nth-child(2) button")
    look_first(page)
    shown = address(page, "#overview .cards img")
    decode = [np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))), int) for url in (head, shown)]
    assert np.abs(decode[0] - decode[1]).mean() < 3


def test_an_adult_leaves_a_face_out(page):
    choose_photo(page)
    on_screen(page, "review")
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


def test_only_a_face_that_was_reached_bears_its_name(open_page, guarded):
    """Over plain HTTP no mirror sees a photo: the server judges it. A calm face is neither a star nor "angry"."""
    page = open_page(guarded.url.replace("localhost", ELSEWHERE), first="code")
    page.fill("#code-input", CODE)
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
        assert page.locator("#opinion li").count() == 0, "nothing that was said of the picture before"
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
    asked = []

    def answer(route):
        asked.append(route)
        if len(asked) == 1:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"code": "busy"})

    page.route("**/generate", answer)
    choose_photo(page)
    on_screen(page, "waiting")
    wait_until(page, "document.querySelector('#waiting [role=status]').textContent.includes('차례')")
    wait_until_python(page, lambda: len(asked) == 2)
    asked[1].continue_()
    look_first(page)


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
    page.fill("#code-input", CODE)
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
    page.fill("#code-input", CODE)
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
