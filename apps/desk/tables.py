"""Tables that everybody can read: Streamlit's own have grey heads, and can't be moved sideways by the keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

CELL = "padding: 0.3rem 0.6rem; border-bottom: 1px solid #7a8d8f; text-align: left; white-space: nowrap"
LONG = 24  # letters
LONG_CELL = CELL.replace("nowrap", "normal; min-width: 12rem")  # over several lines


def show(label: str, rows: Sequence[dict[str, str]]) -> None:
    """A table, a row for each of `rows`, their keys as its head; `label` is said to whoever can't see it."""
    head = "".join(f'<th scope="col" style="{CELL}">{escape(name)}</th>' for name in rows[0])
    cells = [
        [f'<td style="{LONG_CELL if len(text) > LONG else CELL}">{escape(text)}</td>' for text in row.values()]
        for row in rows
    ]
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    st.html(
        f'<div role="region" tabindex="0" aria-label="{escape(label)}" style="overflow-x: auto">'
        f'<table style="border-collapse: collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )
