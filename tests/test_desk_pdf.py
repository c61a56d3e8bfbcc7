"""What the desk prints, read by another program: one A4 page, its font embedded, every word of the desk in it."""

import itertools

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from practice import CONSENT, month
from serving import jpeg

from apps.desk import print_font, words
from apps.desk.cards_pdf import COLUMNS, ROWS, Card, cards_pdf
from apps.desk.child_progress import table
from apps.desk.report_pdf import report
from apps.record.entries import Child, Goal, Mark, Settings
from common import emotions

MM = 72 / 25.4
WORDS = list(words.FACES.values())
EACH_WORD = " ".join(word for pair in WORDS for word in pair).split()
GREYS = range(40, 220, 30)


def sheet(count=6):
    pictures = [jpeg(np.full((300, 300, 3), grey, np.uint8)) for grey in GREYS]
    cards = [Card(picture, *words) for picture, words in zip(pictures, WORDS, strict=True)]
    return pypdfium2.PdfDocument(cards_pdf(cards[:count]))


def test_one_a4_page_with_all_words_in_order():
    document = sheet()
    assert len(document) == 1
    assert document[0].get_size() == pytest.approx((210 * MM, 297 * MM), abs=0.1)
    assert document[0].get_textpage().get_text_range().split() == EACH_WORD


def test_the_words_bring_their_font():
    """A laptop without Korean fonts shows and prints them too."""
    texts = list(sheet()[0].get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]))
    assert len(texts) == 12
    for text in texts:
        assert pdfium.FPDFFont_GetIsEmbedded(pdfium.FPDFTextObj_GetFont(text.raw)) == 1


def test_each_picture_large_on_its_own_card():
    page = sheet()[0].render(scale=1).to_numpy()[..., 0]
    height, width = page.shape
    for index, grey in enumerate(GREYS):
        row, column = divmod(index, COLUMNS)
        card = page[row * height // ROWS : (row + 1) * height // ROWS, column * width // COLUMNS :][
            :, : width // COLUMNS
        ]
        share = np.mean(np.abs(card.astype(int) - grey) < 3)
        assert share > 0.4, "the picture fills less than 4/10 of its card"


def test_fewer_cards_and_too_many():
    assert sheet(2)[0].get_textpage().get_text_range().split() == EACH_WORD[:8]
    card = Card(jpeg(np.zeros((8, 8, 3), np.uint8)), "원본", "Original")
    with pytest.raises(ValueError, match="6 cards, not 7"):
        cards_pdf([card] * 7)


def test_the_font_has_every_character_of_the_desk():
    """It once held 18 syllables of the emotions' words, and the cards printed boxes for the others."""
    every = [text for pair in words.WORDS.values() for text in pair] + list(words.REASONS.values())
    every += EACH_WORD + [name.korean for name in emotions.EMOTIONS.values()]
    missing = {character for text in every for character in text if print_font.printable(character) != character}
    assert missing == set()
    assert print_font.printable("뷁 곰 漢") == "? 곰 ?"


def test_a_report_is_one_page_with_the_childs_numbers_phases_and_notes():
    sessions = month(1)
    first = sessions[0].began.date()
    child = Child("id", "곰돌이", Settings(), Goal(), CONSENT)
    notes = [Mark(first, f"메모 {number} " + "잘했음 " * 30) for number in range(30)]
    marks = [Mark(first, "거울 연습", phase=True), *notes]
    document = pypdfium2.PdfDocument(report(child, sessions, marks, table(sessions, marks, child.goal)))
    assert len(document) == 1
    text = document[0].get_textpage().get_text_range()
    assert "곰돌이" in text and "거울 연습" in text and "메모 29" in text and "메모 0 " not in text
    tried = [attempt for session in sessions for attempt in session.attempts if attempt.emotion == "happy"]
    reached = sum(attempt.reached for attempt in tried)
    assert f"{len(tried)} {reached} {100 * reached / len(tried):.0f}" in " ".join(text.split())
    width, height = document[0].get_size()
    for item in document[0].get_objects():
        left, bottom, right, top = item.get_bounds()
        assert left >= 0 and bottom >= 0 and right <= width and top <= height, "off the page"


def test_long_phases_close_together_lie_over_nothing_in_a_report():
    sessions = month(1)
    days = [session.began.date() for session in sessions[5:8]]
    marks = [Mark(day, f"{day} Mirror practice begins, at home and at school", phase=True) for day in days]
    child = Child("id", "Fox", Settings(), Goal(), CONSENT)
    page = pypdfium2.PdfDocument(report(child, sessions, marks, table(sessions, marks, child.goal)))[0]
    words = [text.get_bounds() for text in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT])]
    assert max(right for _, _, right, _ in words) <= (210 - 14) * MM, "in the margin"
    for (left, bottom, right, top), other in itertools.combinations(words, 2):
        across, along = min(right, other[2]) - max(left, other[0]), min(top, other[3]) - max(bottom, other[1])
        assert across < 1 or along < 1
