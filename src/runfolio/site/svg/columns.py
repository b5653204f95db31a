"""A column's recorded histogram, small."""

from __future__ import annotations

from markupsafe import Markup, escape

from runfolio.records.datasets import Histogram
from runfolio.site.words import number_words

WIDTH, HEIGHT = 180, 36


def column_histogram(shape: Histogram, name: str) -> Markup:
    """Draw how the values of a column are spread.

    Parameters
    ----------
    shape : Histogram
    name : str

    Returns
    -------
    Markup
        An ``<svg>`` element.
    """
    most = max(shape.counts) or 1
    wide = WIDTH / len(shape.counts)
    gap = 1.0 if wide > 3 else 0.0
    bars = ""
    for place, count in enumerate(shape.counts):
        if count:
            top = HEIGHT - max(count / most * HEIGHT, 1.0)
            left, right = place * wide, (place + 1) * wide - gap
            bars += f"M{left:.1f} {HEIGHT}V{top:.1f}H{right:.1f}V{HEIGHT}Z"
    end = shape.start + shape.width * len(shape.counts)
    words = f"{name}: {number_words(shape.start)} to {number_words(end)}, bins of {number_words(shape.width)}"
    return Markup(
        '<svg class="column-shape" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        'aria-label="{words}"><path class="svg-bar" d="{bars}"/></svg>'
    ).format(w=WIDTH, h=HEIGHT, words=escape(words), bars=bars)
