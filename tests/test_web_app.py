"""The phone web app in a real browser at a phone's size, its camera showing drawn faces, before a real server."""

import json
import random
import time
from pathlib import Path

import numpy as np
import pytest
from browser import AXE, CHROMIUM, film, launch, serious_faults
from PIL import Image
from serving import ROOT, Server, jpeg, make_checkpoint

from apps import expression_rules
from imaging.draw_faces import draw_face

VENDOR = ROOT / "apps/phone/web" / "vendor" / "vision_bundle.mjs"
PHONE = {"width": 390, "height": 844}
IDENTITY = 7
FLOW_SECONDS = 120  # patience with a busy machine

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")
needs_vendor = pytest.mark.skipif(
    not (VENDOR.is_file() and AXE.is_file()), reason="needs the npm packages (python -m apps.phone.fetch_vendor)"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    with Server(folder, STARGAN_FE_CHECKPOINT=str(make_checkpoint(folder))) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium whose camera sees a neutral face for some seconds, then a happy one, over and over."""
    camera = film(tmp_path_factory.mktemp("camera") / "camera.mjpeg", IDENTITY, "neutral", "happy")
    with sync_api.sync_playwright() as playwright:
        chromium = launch(playwright, camera)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, server):
    """The app on a phone. At the end: no error on the page, and no request to another host was tried."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=1, is_mobile=True, has_touch=True)
    context.set_default_timeout(1000 * FLOW_SECONDS)
    asked, errors = set(), []
    context.on("request", lambda request: asked.add(request.url))
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server.url)
    yield page
    context.close()
    assert not errors
    assert all(url.startswith((server.url, "blob:", "data:")) for url in asked)


def wait_until(page, expression):
    """Poll, as the page's own policy forbids what Playwright's waiting does."""
    giving_up = time.monotonic() + FLOW_SECONDS
    while not (value := page.evaluate(expression)):
        assert time.monotonic() < giving_up, f"never became true: {expression}"
        time.sleep(0.05)
    return value


def on_screen(page, name):
    page.wait_for_selector(f"#{name}:not([hidden])")


def choose_photo(page, image=None):
    photo = jpeg(draw_face(IDENTITY, "neutral", size=480) if image is None else image)
    page.set_input_files("#file", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo})


def take_turn(page):
    """From a face: my turn, and a picture with the camera."""
    page.click("#my-turn")
    wait_until(page, "document.querySelector('#turn video').videoWidth > 0")
    page.click("#turn [data-shutter]")
    on_screen(page, "compare")


def check_usable(page):
    """No serious fault that axe knows, every target large enough, nothing beyond the edge."""
    assert not serious_faults(page)
    small = page.evaluate(
        """[...document.querySelectorAll("button, a, label, input:not([type=checkbox])")].filter((element) => {
            const {width, height} = element.getBoundingClientRect();
            return element.offsetParent && (width < 48 || height < 48);
        }).map((element) => element.outerHTML)"""
    )
    assert not small
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@needs_vendor
def test_photo_to_faces_to_retakes_to_stored_pictures(page, server):
    check_usable(page)
    choose_photo(page)
    on_screen(page, "faces")
    seen = set()
    for position, name in enumerate(("원본", "분노", "공포", "기쁨", "슬픔", "놀람")):
        assert page.inner_text("#faces h1") == name
        picture = page.get_attribute("#faces img", "src")
        assert page.evaluate("document.querySelector('#faces img').naturalWidth") == 480
        seen.add(picture)
        if position:
            take_turn(page)
            if position == 1:
                check_usable(page)
            look, me = (image.get_attribute("src") for image in page.query_selector_all("#compare img"))
            assert look == picture
            assert me not in seen
            page.click("#keep")
        else:
            page.click("#faces [data-step='1']")
    assert len(seen) == 6
    assert page.is_visible("#faces .badge")
    check_usable(page)
    before = server.kept()
    page.click("#finish")
    on_screen(page, "consent")
    assert page.is_disabled("#send"), "nothing is sent before somebody agrees"
    check_usable(page)
    assert server.kept() == before
    page.check("#consent input")
    page.click("#send")
    on_screen(page, "thanks")
    check_usable(page)
    new = server.kept() - before
    assert sorted(path.parent.name for path in new) == ["angry", "fearful", "happy", "sadness", "surprised"]


def test_english_swipe_keys_and_start_over(page):
    page.click("#language")
    assert page.evaluate("document.documentElement.lang") == "en"
    choose_photo(page)
    on_screen(page, "faces")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#faces h1") == "Angry"
    box = page.locator("#faces .frame").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(300, y)
    page.mouse.down()
    page.mouse.move(100, y, steps=4)
    page.mouse.up()
    assert page.inner_text("#faces h1") == "Fearful"
    assert not [
        text for text in page.locator("body").inner_text().split() if "가" <= text[0] <= "힣" and text != "한국어"
    ]
    page.click("#home-button")
    page.click("dialog button[value=leave]")
    on_screen(page, "start")
    assert not page.evaluate("[...document.images].some((image) => image.src)"), "pictures are still there"


def test_without_mirror_and_without_consent(page, server):
    """The page works less its mirror, and says so; nothing is stored anywhere."""
    page.route("**/health", lambda route: route.fulfill(json={"mirror": False, "collecting": True}))
    choose_photo(page)
    on_screen(page, "faces")
    page.click("#my-turn")
    page.click("#my-turn")
    wait_until(page, "document.querySelector('#turn .hint').textContent.startsWith('오늘은 거울')")
    assert page.is_hidden("#turn .meter")
    page.click("#turn [data-back]")
    before = server.kept()
    take_turn(page)
    page.click("#keep")
    page.click("#finish")
    page.click("#dont-send")
    on_screen(page, "thanks")
    assert page.inner_text("#thanks [role=status]") == "사진은 저장되지 않았어요."
    assert server.kept() == before
    assert page.context.cookies() == []
    assert page.evaluate("Object.keys({...localStorage, ...sessionStorage})") == []


def test_a_photo_without_a_face_is_met_kindly(page):
    choose_photo(page, np.full((300, 300, 3), 150, np.uint8))
    on_screen(page, "message")
    assert "다시" in page.inner_text("#message p")
    page.click("#message [data-back]")
    on_screen(page, "start")


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
    on_screen(page, "faces")


def test_opens_without_a_network(page):
    wait_until(page, "navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller))")
    page.context.set_offline(True)
    page.reload()
    on_screen(page, "start")
    assert page.inner_text("#start h1")
    choose_photo(page)
    on_screen(page, "message")
    assert "연결" in page.inner_text("#message p")


@needs_vendor
def test_the_mirror_rises_with_the_face_and_speaks_one_hint(page):
    choose_photo(page)
    on_screen(page, "faces")
    wait_until(page, "import('./mirror.js').then(({loadMirror}) => loadMirror()).then((mirror) => mirror?.rest)")
    for _ in range(3):
        page.click("#faces [data-step='1']")
    page.click("#my-turn")
    meter = "Number(document.querySelector('#turn .meter').getAttribute('aria-valuenow'))"
    hint = "document.querySelector('#turn .hint').textContent"
    wait_until(page, f"{meter} < 30 && {hint} === '입꼬리를 올려 볼까?'")  # the camera's face is neutral
    wait_until(page, f"{meter} > 80")  # now it smiles
    wait_until(page, f"{hint} === '해냈어! 참 잘했어!'")  # and has held it
    check_usable(page)


def test_the_page_and_python_read_the_rules_alike(page):
    names = sorted({name for rules in expression_rules.RULES.values() for rule in rules for name in rule.blendshapes})
    random.seed(0)
    faces = [{name: random.random() for name in names} for _ in range(40)]
    cases = [
        (emotion, face, rest)
        for emotion in expression_rules.RULES
        for face, rest in zip(faces, [None, *faces][:40], strict=True)
    ]
    answers = page.evaluate(
        """async (cases) => {
            const {meter, hint} = await import("./feedback.js");
            const table = await (await fetch("feedback.json")).json();
            return cases.map(([emotion, face, rest]) => [
                meter(table, emotion, face, rest), hint(table, emotion, face, rest).korean]);
        }""",
        cases,
    )
    for case, (meter, hint) in zip(cases, answers, strict=True):
        assert meter == pytest.approx(expression_rules.meter(*case))
        assert hint == expression_rules.hint(*case).korean


@needs_vendor
def test_the_api_page_shows_the_contract(page, server):
    page.goto(server.url + "/docs")
    page.wait_for_selector("text=/generate")


def test_the_manifest_names_files_that_are_there():
    manifest = json.loads((ROOT / "apps/phone/web" / "manifest.webmanifest").read_text())
    for icon in manifest["icons"]:
        path = ROOT / "apps/phone/web" / icon["src"]
        assert path.is_file()
        if path.suffix == ".png":
            assert Image.open(path).size == tuple(map(int, icon["sizes"].split("x")))
    service_worker = (ROOT / "apps/phone/web" / "sw.js").read_text()
    for script in Path(ROOT / "apps/phone/web").glob("*.js"):
        assert script.name in ("sw.js", "docs.js") or f'"{script.name}"' in service_worker, "would be missing offline"
