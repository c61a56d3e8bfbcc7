"""results.html: the results of a folder of photos on one page, to look through in any browser. It needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from checkpoint import write_atomically
from pictures import GAP
from result_files import Results

TEMPLATE = Path(__file__).with_name("results_page.html")


@dataclass(frozen=True)
class Row:
    """What the page shows of one photo; `note` says what is to be known about it, `results` None where it has none."""

    photo: str
    results: Results | None
    note: str = ""


def write_page(folder: Path, rows: Sequence[Row], domains: Sequence[str]) -> Path:
    """Write `results.html` into the results' folder and return its path."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        done=[_shown(folder, row.photo, row.note, row.results, domains) for row in rows if row.results],
        left_out=[row for row in rows if not row.results],
    )
    path = folder / "results.html"
    write_atomically(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
    return path


def _shown(folder: Path, photo: str, note: str, results: Results, domains: Sequence[str]) -> dict[str, object]:
    """What the template shows of a photo: its strip, the size of one picture of it, and the file behind each."""

    def address(path: Path) -> str:
        return quote(path.relative_to(folder).as_posix())

    with Image.open(results.strip) as strip:
        width, height = strip.size
    pictures = 1 + len(domains)
    return {
        "photo": photo,
        "note": note,
        "strip": address(results.strip),
        "width": (width + GAP) // pictures - GAP,
        "height": height,
        "files": {"original": address(results.strip)} | {d: address(results.of(d)) for d in domains},
    }
