"""The child's page in a real browser at a phone's size, before a real server: fixtures, and the steps of a visit.

A plugin of pytest's (`conftest.py`), so that each test file of the page has the same fixtures.
"""

from __future__ import annotations

import time

import pytest
from browser import AXE, CHROMIUM, ELSEWHERE, faults, film, launch
from serving import ROOT, Server, jpeg, shipped_generator

from imaging.drawing.picture import draw_face

WEB = ROOT / "apps" / "page" / "web"
PHONE = {"width": 390, "height": 844}
IDENTITY = 7  # random seed of the drawn child
EMOTIONS = ("happy", "sadness", "surprised", "angry", "fearful")
SIZES = ((844, 390), (320, 568), (820, 1180), (1366, 768), (390, 844))
LONG = {"settings", "cards"}  # an adult's: they may be scrolled
CODE = "비밀 코드"
ARRIVED = "!document.body.classList.contains('arriving')"
FLOW_SECONDS = 120  # patience with a busy machine
REFUSED = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('refused'));"

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")
needs_vendor = pytest.mark.skipif(
    not ((WEB / "vendor" / "vision_bundle.mjs").is_file() and AXE.is_file()),
    reason="needs the npm packages (python -m apps.page.fetch_vendor)",
)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server that keeps what is submitted; its generator is one that no adult is warned of."""
    folder = tmp_path_factory.mktemp("web")
    made = shipped_generator(folder, trained_on="photos")
    with Server(folder, STARGAN_FE_COLLECT="1", STARGAN_FE_CHECKPOINT=str(made)) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server elsewhere, with an access code, whose generator has learned from drawings."""
    folder = tmp_path_factory.mktemp("guarded")
    made = shipped_generator(folder, trained_on="drawn")
    settings = {"COLLECT": "1", "HOSTS": ELSEWHERE, "CHECKPOINT": str(made), "TOKEN": CODE}
    with Server(folder, **{f"STARGAN_FE_{name}": value for name, value in settings.items()}) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium whose camera sees a neutral face."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
    camera = film(tmp_path_factory.mktemp("camera") / "camera.mjpeg", IDENTITY, "neutral")
    with sync_api.sync_playwright() as playwright:
        browser = launch(playwright, camera)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens the app on a phone, in Korean; with `worker` its service worker is there, which comes at any moment.

    At the end: no error on the page, no request to another host was tried.
    """
    contexts, asked, errors = [], set(), []

    def open_page(url, locale="ko-KR", script="", first="start", worker=False):
        context = browser.new_context(
            viewport=PHONE,
            device_scale_factor=1,
            is_mobile=True,
            has_touch=True,
            locale=locale,
            service_workers="allow" if worker else "block",
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
    """The page on its first screen."""
    return open_page(server.url)


def wait_until(page, expression):
    """Poll, as the page's own policy forbids what Playwright's waiting does."""
    giving_up = time.monotonic() + FLOW_SECONDS
    while not (value := page.evaluate(expression)):
        assert time.monotonic() < giving_up, f"never became true: {expression}"
        time.sleep(0.05)
    return value


def wait_until_python(page, true):
    giving_up = time.monotonic() + FLOW_SECONDS
    while not true():
        assert time.monotonic() < giving_up
        page.wait_for_timeout(50)


def on_screen(page, name):
    from playwright.sync_api import TimeoutError

    try:
        page.wait_for_selector(f"#{name}:not([hidden])")
    except TimeoutError:
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


def hold(page, selector, *, really=False):
    """Keep an adult's button pressed: its clock goes on by two seconds meanwhile, or with `really` everybody waits.

    Once more where it moved away from the finger, as a word came or went above it.
    """
    button, held = page.locator(selector), f"document.querySelector({selector!r}).classList.contains('holding')"
    for _ in range(5):
        button.scroll_into_view_if_needed()
        button.hover()
        page.mouse.down()
        if really:
            page.wait_for_timeout(1600)
        else:
            page.evaluate("const now = performance.now(); performance.now = () => now + 2000")
        was_held = page.evaluate(held)
        page.mouse.up()
        page.evaluate("delete performance.now")
        if was_held:
            return
    raise AssertionError(f"{selector} can't be held")


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
    for width, height in (*([(195, 422)] if zoom else []), *SIZES):
        page.set_viewport_size({"width": width, "height": height})
        for _ in range(2):  # languages
            where = width, height, page.evaluate("document.documentElement.lang")
            assert page.evaluate(f"document.documentElement.scrollWidth <= {width}"), where
            for selector in selectors:
                assert page.locator(selector).first.evaluate(HIDDEN) <= 1, (selector, where)
            page.click("#language")


# Buttons that a finger at their middle or near their lower edge would not hit: out of view, or covered.
OUT_OF_REACH = """[...document.querySelectorAll("main > section:not([hidden]) button")].filter((button) => {
    const {left, bottom, width, height} = button.getBoundingClientRect();
    const hits = (y) => button.contains(document.elementFromPoint(left + width / 2, y));
    return button.offsetParent && !(hits(bottom - height / 2) && hits(bottom - 8));
}).map((button) => button.outerHTML)"""


def check_screen(page, name):
    """One screen: usable, and in both languages at every size all that can be done is seen without scrolling."""
    on_screen(page, name)
    wait_until(page, ARRIVED)
    check_usable(page)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for _ in range(2):
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
