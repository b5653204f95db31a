"""Two measures against each other, as they are without scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from runfolio.site.svg.plot import frame, plot_of
from runfolio.site.words import count_words

MOST = 2000


def scatter(
    points: Sequence[tuple[float, float]], x_title: str, y_title: str, marked: Sequence[int] = (), most: int = MOST
) -> Markup:
    """Draw a point for each run.

    Parameters
    ----------
    points : sequence of (float, float)
        Not all need be finite; those that are not are left out. Of more than `most` every so many are drawn, and the words say so.
    x_title, y_title : str
    marked : sequence of int, optional
        Places of points that stand out; they are always drawn.
    most : int, optional
        Points that are drawn, about.

    Returns
    -------
    Markup
        An ``<svg>`` element, or nothing where no point is finite.
    """
    every = -(-len(points) // most) if points else 1
    stands_out = set(marked)
    shown = [
        (at, x, y)
        for at, (x, y) in enumerate(points)
        if math.isfinite(x) and math.isfinite(y) and (at % every == 0 or at in stands_out)
    ]
    if not shown:
        return Markup("")
    plot = plot_of([x for _, x, _ in shown], [y for _, _, y in shown])
    inside = ""
    for at, x, y in sorted(shown, key=lambda item: (item[0] in stands_out, item[0])):
        px, py = plot.at(x, y)
        inside += f'<circle class="{"svg-mark" if at in stands_out else "svg-ring"}" cx="{px:.1f}" cy="{py:.1f}" r="3"/>'
    told = count_words(len(shown), "run") if every == 1 else f"{len(shown):,} of {count_words(len(points), 'run')}"
    return frame(plot, inside, f"{y_title} against {x_title}, {told}", x_title)
