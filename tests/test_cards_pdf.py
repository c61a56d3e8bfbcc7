"""The sheet of cards, read by another program: one A4 page, each picture above its words, the words' font embedded."""

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from serving import jpeg

from apps.emokids.cards_pdf import COLUMNS, ROWS, Card, cards_pdf
from common import emotions

MM = 72 / 25.4
WORDS = [
    (emotions.ORIGINAL_KOREAN, "Original"),
    *((emotions.EMOTIONS[name].korean, emotions.EMOTIONS[name].english.capitalize()) for name in emotions.FIVE),
]
GREYS = range(40, 220, 30)


def sheet(count=6):
    pictures = [jpeg(np.full((300, 300, 3), grey, np.uint8)) for grey in GREYS]
    cards = [Card(picture, *words) for picture, words in zip(pictures, WORDS, strict=True)]
    return pypdfium2.PdfDocument(cards_pdf(cards[:count]))


def test_one_a4_page_with_all_words_in_order():
    document = sheet()
    assert len(document) == 1
    assert document[0].get_size() == pytest.approx((210 * MM, 297 * MM), abs=0.1)
    assert document[0].get_textpage().get_text_range().split() == [word for pair in WORDS for word in pair]


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
    assert sheet(2)[0].get_textpage().get_text_range().split() == [word for pair in WORDS[:2] for word in pair]
    card = Card(jpeg(np.zeros((8, 8, 3), np.uint8)), "원본", "Original")
    with pytest.raises(ValueError, match="6 cards, not 7"):
        cards_pdf([card] * 7)
