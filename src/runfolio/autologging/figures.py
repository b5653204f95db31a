"""Figures of matplotlib in the house's style, for plots over time; matplotlib is imported here and only then.

No figure goes through ``pyplot``: no window system is asked, and no figure of the user's is touched. Equal data gives equal bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runfolio.autologging.canvas import GRID, INK, MUTED
from runfolio.errors import missing_package

_STYLE: dict[str, Any] = {
    "font.size": 8.0, "axes.edgecolor": GRID, "axes.labelcolor": MUTED, "axes.titlecolor": INK, "axes.titlesize": 10.0,
    "axes.titlelocation": "left", "axes.titlepad": 10.0, "xtick.color": MUTED, "ytick.color": MUTED, "text.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "grid.color": GRID, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "figure.dpi": 175.0, "savefig.dpi": 175.0, "svg.hashsalt": "runfolio",
}  # fmt: skip


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house's style, whatever the user's is, and leave the user's as it was."""
    try:
        import matplotlib
    except ImportError as error:
        raise missing_package("matplotlib", "", "draw plots of the forecast") from error
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)  # type: ignore[arg-type] # the stubs want literal keys
        yield


def _figure(
    width: float, height: float, *, left: float = 0.65, bottom: float = 0.55, right: float = 0.2, top: float = 0.45
) -> tuple[Any, Any]:
    """Return a figure and its axes; all in inches.

    The margins are reckoned: matplotlib's layouts draw every figure twice to find them, which is half of what a plot costs.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=left / width, bottom=bottom / height, right=1 - right / width, top=1 - top / height)
    return figure, figure.add_subplot()


def figure_of(width: float, height: float, *, panels: int = 1) -> tuple[Any, list[Any]]:
    """Return a figure and axes one below the other; all in inches."""
    figure, axes = _figure(width, height)
    if panels == 1:
        return figure, [axes]
    axes.remove()
    figure.subplots_adjust(hspace=0.85)
    return figure, [figure.add_subplot(panels, 1, index + 1) for index in range(panels)]


def png(figure: Any) -> bytes:
    """Return a figure's bytes, in which nothing tells when or by what they were made."""
    buffer = io.BytesIO()
    figure.canvas.print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()
