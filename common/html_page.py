"""HTML pages that stand alone: a Jinja template and what it shows, every text escaped."""

from __future__ import annotations

from pathlib import Path


def render(template: Path, **shown: object) -> str:
    """The page that `template` makes of `shown`."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template.read_text(encoding="utf-8")).render(**shown)
