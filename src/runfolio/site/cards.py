"""The picture that a chat shows beside a link to an experiment: its name, what it seeks, how many runs, the best value.

Drawn only where the site's address is known (the picture must have an absolute one) and Pillow is installed. The letters are
those of Pillow's own font, so that every machine with the same Pillow draws the same bytes.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from runfolio.records.visible import visible
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.output import canonical
from runfolio.site.plan import Page
from runfolio.site.summaries import summary_of
from runfolio.site.words import count_words, number_words

SIZE = (1200, 630)
PAPER, SHEET, INK, MUTED, ACCENT, HAIR = "#faf9f6", "#ffffff", "#1a1e23", "#59616c", "#0b645f", "#e3dfd6"


def is_available() -> bool:
    """Tell whether pictures can be drawn here."""
    return find_spec("PIL") is not None


def card_path(site: Site, item: ExperimentData) -> str:
    """Return where an experiment's picture is, from the site's root; empty where there is none."""
    return f"e/{item.slug}/card.png" if site.base_url and is_available() else ""


def files(site: Site) -> Iterator[Page]:
    """Yield the pictures."""
    for item in site.experiments:
        path = card_path(site, item)
        if path:
            facts = _facts(site, item)
            yield Page(path, canonical(facts), lambda facts=facts: draw(facts))  # type: ignore[misc]


def _facts(site: Site, item: ExperimentData) -> dict[str, Any]:
    found = summary_of(site, item)
    return {
        "site": visible(site.title)[:60],
        "name": visible(item.name)[:120],
        "runs": count_words(found.runs, "run"),
        "best": "" if found.best_value is None else f"best {visible(found.metric)[:40]} {number_words(found.best_value)}",
        "line": [value for _, value in found.steps][-200:],
        "direction": found.direction,
    }


def draw(facts: dict[str, Any]) -> bytes:
    """Return a picture as PNG."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((40, 40, SIZE[0] - 40, SIZE[1] - 40), radius=24, fill=SHEET, outline=HAIR, width=2)
    pen.rectangle((40, 84, 48, 190), fill=ACCENT)

    def text(at: tuple[int, int], words: str, size: int, colour: str) -> None:
        pen.text(at, words, font=ImageFont.load_default(size), fill=colour)

    text((88, 78), facts["site"], 28, MUTED)
    for number, line in enumerate(_lines(facts["name"])):
        text((88, 128 + 72 * number), line, 60, INK)
    text((88, 488), facts["best"] or facts["runs"], 44, ACCENT if facts["best"] else INK)
    if facts["best"]:
        text((88, 542), facts["runs"], 28, MUTED)
    points = _points(facts["line"])
    if len(points) > 1:
        pen.line(points, fill=ACCENT, width=5, joint="curve")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _lines(name: str) -> list[str]:
    """Break a name into two lines at most; the font has no more than Latin letters, others are left to its own mark."""
    made, words = [""], name.split(" ")
    for word in words:
        if made[-1] and len(made[-1]) + len(word) > 32:
            made.append("")
        made[-1] = f"{made[-1]} {word}".strip()
    return [line[:34] for line in made[:2]]


def _points(values: list[float]) -> list[tuple[float, float]]:
    """Lay a step line into the right half of the picture."""
    finite = [value for value in values if isinstance(value, (int, float)) and abs(value) < 1e300]
    if len(finite) < 2:
        return []
    low, high = min(finite), max(finite)
    span = (high - low) or 1.0
    step = 460 / (len(finite) - 1)
    places = [(660 + number * step, 540 - 200 * (value - low) / span) for number, value in enumerate(finite)]
    made = [places[0]]
    for before, now in itertools.pairwise(places):
        made += [(now[0], before[1]), now]
    return made
