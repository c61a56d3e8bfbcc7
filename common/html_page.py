"""HTML pages that stand alone: a Jinja template and what it shows, every text escaped."""

from __future__ import annotations

from pathlib import Path


def render(template: Path, **shown: object) -> str:
    """The page that `template` makes of `shown`, fit for UTF-8: a file's name that is not has a ? where it isn't."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(template.read_text(encoding="utf-8")).render(**shown)
    return page.encode("utf-8", "replace").decode("utf-8")
