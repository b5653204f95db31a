"""The steps of a pipeline as a picture: boxes in layers, an edge for what one passes on to another.

On a page the colours are the page's classes; a file of its own brings them along. A wide picture goes from left to right, a tall one, for
narrow screens, from top to bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup, escape

from runfolio._dataclass import dataclass
from runfolio.site.svg.layers import Layout, lay_out

BOX_WIDE, BOX_HIGH = 176, 58
ACROSS, BETWEEN = 56, 18
EDGE = 3
MOST_DRAWN = 60
_LETTERS = 20

_STYLE = """
.step-box{fill:#fff;stroke:#cfc9bc}.step-name{fill:#1a1e23;font:650 13px system-ui,sans-serif}
.step-note{fill:#59616c;font:12px system-ui,sans-serif}.step-edge{fill:none;stroke:#8b8677;stroke-width:1.5}.step-tip{fill:#8b8677}
.step-mark{fill:#8b8677}.step-made .step-mark{fill:#176f34}.step-failed .step-mark,.step-killed .step-mark{fill:#b3261e}
@media (prefers-color-scheme:dark){.step-box{fill:#171b1e;stroke:#3b434a}.step-name{fill:#e8eaec}.step-note{fill:#a3adb7}}
"""


@dataclass(frozen=True, slots=True)
class Box:
    """One step as it is drawn.

    Parameters
    ----------
    name : str
    needs : tuple of str
        Names of boxes before it.
    note : str
        The line below its name.
    kind : str
        ``made``, ``kept``, ``failed``, ``killed``, ``waits`` or empty: the colour of its mark.
    href : str
        Empty for a step without a run.
    words : str
        What is read out of it, and shown where a mouse rests.
    """

    name: str
    needs: tuple[str, ...] = ()
    note: str = ""
    kind: str = ""
    href: str = ""
    words: str = ""


def steps_picture(boxes: Sequence[Box], words: str, *, tall: bool = False, alone: bool = False) -> Markup:
    """Draw steps.

    Parameters
    ----------
    boxes : sequence of Box
        Each after those that it needs; only the first `MOST_DRAWN` are drawn.
    words : str
        One sentence that says what there is to see.
    tall : bool, optional
        From top to bottom.
    alone : bool, optional
        A file of its own.
    """
    drawn = list(boxes)[:MOST_DRAWN]
    known = {box.name for box in drawn}
    layout = lay_out({box.name: [name for name in box.needs if name in known] for box in drawn})
    wide, high = _size(layout, tall)
    inside = "".join(_edge(edge, tall) for edge in layout.edges)
    inside += "".join(_box(box, *_corner(layout.places[box.name], tall)) for box in drawn)
    head = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    shape = "tall" if tall else "wide"
    size = f' width="{wide:.0f}" height="{high:.0f}"'
    style = f"<style>{_STYLE}</style>" if alone else ""
    return Markup(
        f'<svg{head} class="steps-svg steps-{shape}" viewBox="0 0 {wide:.0f} {high:.0f}"{size} role="group" '
        f'aria-label="{escape(words)}"><title>{escape(words)}</title>{style}{inside}</svg>'
    )


def _size(layout: Layout, tall: bool) -> tuple[float, float]:
    if tall:
        wide = layout.widest * (BOX_WIDE + BETWEEN) - BETWEEN
        high = layout.layers * (BOX_HIGH + ACROSS * 0.6) - ACROSS * 0.6
    else:
        wide = layout.layers * (BOX_WIDE + ACROSS) - ACROSS
        high = layout.widest * (BOX_HIGH + BETWEEN) - BETWEEN
    return max(wide, BOX_WIDE) + 2 * EDGE, max(high, BOX_HIGH) + 2 * EDGE


def _corner(place: tuple[int, float], tall: bool) -> tuple[float, float]:
    """Return the upper left corner of the box at a layer and a place in it."""
    layer, at = place
    if tall:
        return EDGE + at * (BOX_WIDE + BETWEEN), EDGE + layer * (BOX_HIGH + ACROSS * 0.6)
    return EDGE + layer * (BOX_WIDE + ACROSS), EDGE + at * (BOX_HIGH + BETWEEN)


def _edge(through: Sequence[tuple[int, float]], tall: bool) -> str:
    points: list[tuple[float, float]] = []
    for number, place in enumerate(through):
        left, top = _corner(place, tall)
        into = (left + BOX_WIDE / 2, top) if tall else (left, top + BOX_HIGH / 2)
        out = (left + BOX_WIDE / 2, top + BOX_HIGH) if tall else (left + BOX_WIDE, top + BOX_HIGH / 2)
        points += [out] if number == 0 else [into] if number == len(through) - 1 else [into, out]
    end = points[-1]
    points[-1] = (end[0], end[1] - 5) if tall else (end[0] - 5, end[1])
    path = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    for number, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
        if number % 2:
            path += f"L{to_x:.0f} {to_y:.0f}"
        elif tall:
            path += f"C{x:.0f} {(y + to_y) / 2:.0f} {to_x:.0f} {(y + to_y) / 2:.0f} {to_x:.0f} {to_y:.0f}"
        else:
            path += f"C{(x + to_x) / 2:.0f} {y:.0f} {(x + to_x) / 2:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
    x, y = end
    tip = f"M{x:.0f} {y:.0f}l-4.5 -7h9z" if tall else f"M{x:.0f} {y:.0f}l-7 -4.5v9z"
    return f'<path class="step-edge" d="{path}"/><path class="step-tip" d="{tip}"/>'


def _box(box: Box, left: float, top: float) -> str:
    title = f"<title>{escape(box.words)}</title>" if box.words else ""
    body = (
        f'{title}<rect class="step-box" x="{left:.1f}" y="{top:.1f}" width="{BOX_WIDE}" height="{BOX_HIGH}" rx="8"/>'
        f'<circle class="step-mark" cx="{left + 16:.1f}" cy="{top + 22:.1f}" r="4.5"/>'
        f'<text class="step-name" x="{left + 29:.1f}" y="{top + 26.5:.1f}">{escape(_cut(box.name, _LETTERS - 2))}</text>'
        f'<text class="step-note" x="{left + 29:.1f}" y="{top + 45:.1f}">{escape(_cut(box.note, _LETTERS + 3))}</text>'
    )
    kind = f"step step-{box.kind}" if box.kind else "step"
    if box.href:
        return f'<a class="{kind}" href="{escape(box.href)}">{body}</a>'
    return f'<g class="{kind}">{body}</g>'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
