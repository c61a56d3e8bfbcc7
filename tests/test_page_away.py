"""The page without its server, without a network, and below a folder of a site."""

import contextlib
import json
import signal

import pytest
from child_page import (
    WEB,
    choose_photo,
    my_turn,
    needs_browser,
    needs_vendor,
    on_screen,
    play_with_a_friend,
    wait_until,
)
from PIL import Image
from serving import BelowServer, Server, shipped_generator

pytestmark = needs_browser


@contextlib.contextmanager
def stopped(server):
    """The server hangs meanwhile: it takes connections, and answers nothing."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


# All that was said of how far the mirror's files are: on a quick machine it stands there for a moment.
KEEPING = """window.said = [];
addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector("#keeping");
    new MutationObserver(() => window.said.push(place.textContent)).observe(place, {childList: true});
});"""
MIRROR_IS_KEPT = "import('./offline.js').then(({isKept}) => isKept())"


@needs_vendor
def test_the_mirror_is_kept_by_a_page_without_its_worker(open_page, server):
    """As at a first visit on a slow phone, whose worker comes late, and after a forced reload. Failures are mended."""
    page = open_page(server.url, worker=False)
    wait_until(page, MIRROR_IS_KEPT)
    page.evaluate("caches.keys().then((all) => Promise.all(all.map((name) => caches.delete(name))))")
    page.route("**/real-face-judge.tflite", lambda route: route.abort())
    page.reload()
    wait_until(page, "document.querySelector('#keeping').textContent.startsWith('거울을 다')")
    page.unroute("**/real-face-judge.tflite")
    wait_until(page, MIRROR_IS_KEPT)
    wait_until(page, "!document.querySelector('#keeping').textContent")
    assert page.evaluate("navigator.serviceWorker.controller") is None


@pytest.mark.slow
@needs_vendor
def test_a_server_that_hangs_and_then_is_gone(open_page, tmp_path):
    """The page opens from what it kept at the first visit, the mirror too; nobody waits before an empty screen."""
    with Server(tmp_path, STARGAN_FE_CHECKPOINT=str(shipped_generator(tmp_path, trained_on="drawn"))) as server:
        page = open_page(server.url, script=KEEPING, worker=True)
        wait_until(page, "window.said.some((text) => text.includes('%'))")  # how far it is
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


def test_opens_without_a_network_and_without_a_generator(open_page, tmp_path):
    """A friend can be played with all the same; what a child need not read is said to the adult."""
    with Server(tmp_path, STARGAN_FE_CHECKPOINT="latest") as bare:
        page = open_page(bare.url, worker=True)
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


def test_the_api_page_shows_the_contract(page, server):
    page.goto(server.url + "/docs")
    page.wait_for_selector("text=/generate")


def test_the_manifest_names_files_that_are_there():
    manifest = json.loads((WEB / "manifest.webmanifest").read_text())
    for icon in manifest["icons"]:
        path = WEB / icon["src"]
        assert path.is_file()
        if path.suffix == ".png":
            assert Image.open(path).size == tuple(map(int, icon["sizes"].split("x")))
    service_worker = (WEB / "sw.js").read_text()
    for script in WEB.glob("*.js"):
        assert script.name in ("sw.js", "docs.js") or f'"{script.name}"' in service_worker, "would be missing offline"
