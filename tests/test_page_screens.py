"""Every screen of the page, by day and by night, in both languages, at every size."""

import re

import numpy as np
import pytest
from child_page import (
    IDENTITY,
    WEB,
    check_in_view,
    check_screen,
    check_usable,
    choose_photo,
    guess_all,
    hold,
    my_turn,
    needs_browser,
    needs_vendor,
    on_screen,
    play_with_a_friend,
    wait_until,
    wait_until_python,
)

from imaging.drawing.picture import draw_face

pytestmark = [needs_browser, needs_vendor, pytest.mark.slow]

WITH_A_PHOTO = ("start", "photograph", "sure", "waiting", "who", "message", "review")
WITH_A_FRIEND = ("choose-friend", "overview", "turn", "rest", "compare", "face")
TO_THE_END = ("guessing", "ending", "cards", "bye", "settings")
GUARDED = {"adult", "code", "consent"}  # test_page_faces.py: a server with an access code shows them

# Where a text's last line is far shorter than its longest.
LONE_WORDS = """[...document.querySelectorAll("h1, .note")].filter((element) => {
    if (!element.offsetParent) return false;
    const range = document.createRange();
    range.selectNodeContents(element);
    const widths = new Map();
    for (const { bottom, width } of range.getClientRects()) widths.set(bottom, (widths.get(bottom) ?? 0) + width);
    return [...widths.values()].at(-1) < 0.4 * Math.max(...widths.values());
}).map((element) => element.textContent)"""


def test_with_a_photo(open_page, server):
    """From the first screen to the adult's look at the faces."""
    page, seen = open_page(server.url), []

    def check(name):
        check_screen(page, name)
        seen.append(name)

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
    choose_photo(page)
    check("review")
    assert tuple(seen) == WITH_A_PHOTO


def test_with_a_friend(open_page, server):
    """From the choice of a friend to a face that was kept."""
    page, seen = open_page(server.url), []

    def check(name):
        check_screen(page, name)
        seen.append(name)

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
    assert tuple(seen) == WITH_A_FRIEND


def test_to_the_end(open_page, server):
    """The guessing game, the end with its cards, and the adult's settings."""
    page, seen = open_page(server.url), []

    def check(name):
        check_screen(page, name)
        seen.append(name)

    play_with_a_friend(page)
    page.click("#to-guess")
    check("guessing")
    guess_all(page)
    assert page.inner_text("#guessing h1") == "다 봤어! 얼굴을 잘 살펴봤네.", "the question is over"
    check_screen(page, "guessing")
    page.click("#guessing [data-back]")
    page.click("#home-button")
    check_usable(page)
    page.click("dialog button[value=stay]")
    page.click("#finish")
    check("ending")
    hold(page, "#keep-ask")
    check("cards")
    for kind in ("symbol", "photo"):
        page.click(f"[data-cards={kind}]")
        check_screen(page, "cards")
    page.click("#cards [data-back]")
    page.click("#the-end")
    check("bye")
    page.click("#bye [data-home]")
    hold(page, "#settings-button")
    check("settings")
    assert tuple(seen) == TO_THE_END


def test_no_screen_is_forgotten():
    screens = set(re.findall(r'<section id="([a-z-]+)"', (WEB / "index.html").read_text()))
    assert screens == {*WITH_A_PHOTO, *WITH_A_FRIEND, *TO_THE_END, *GUARDED}
