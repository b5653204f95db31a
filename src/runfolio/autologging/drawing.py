"""Plots of what a training says of itself, as PNG: the one place that draws with matplotlib, which is imported here and only then.

No plot goes through ``pyplot``: no window system is asked, and no figure of the user's is touched. Equal data gives equal bytes. The
size and resolution are those of MLflow's plots; the colours are read on a light and on a dark page, on a card of white.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from runfolio.errors import missing_package

INK, MUTED, LINE, FILL, GRID = "#1f2328", "#59636e", "#0b63ce", "#cfe3fb", "#d8dee4"
_STYLE: dict[str, Any] = {
    "font.size": 8.0, "axes.edgecolor": GRID, "axes.labelcolor": MUTED, "axes.titlecolor": INK, "axes.titlesize": 10.0,
    "axes.titlelocation": "left", "axes.titlepad": 10.0, "xtick.color": MUTED, "ytick.color": MUTED, "text.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "grid.color": GRID, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "figure.dpi": 175.0, "savefig.dpi": 175.0, "svg.hashsalt": "runfolio",
}  # fmt: skip
_MOST_BARS = 40
_MOST_POINTS = 500
_MOST_NUMBERS = 20


def confusion_matrix(shares: Any, labels: Sequence[Any]) -> bytes:
    """Draw a confusion matrix.

    Parameters
    ----------
    shares : ndarray, shape (k, k)
        Rows are true classes; each row sums to 1.
    labels : sequence of length k
    """
    with style():
        side = min(12.0, max(4.4, 0.28 * len(labels) + 1.6))
        left, bottom = _width(labels), _width(labels) if _long(labels) else 0.55
        told = len(labels) <= _MOST_NUMBERS
        figure, axes = _figure(side + 0.4, side, left=left + 0.25, bottom=bottom + 0.1, right=0.3 if told else 0.1)
        picture = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
        ticks = range(len(labels))
        axes.set(
            xlabel="predicted", ylabel="true", title="Confusion matrix, shares of each true class", xticks=ticks, yticks=ticks
        )
        axes.set_xticklabels([str(each) for each in labels], rotation=90 if _long(labels) else 0)
        axes.set_yticklabels([str(each) for each in labels])
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        if told:
            size = min(9.0, 70.0 / max(len(labels), 1))
            for row in ticks:
                for column in ticks:
                    share = float(shares[row][column])
                    colour = "white" if share > 0.55 else INK
                    axes.text(
                        column, row, f"{share:.2f}" if share else "0", ha="center", va="center", color=colour, fontsize=size
                    )
        else:
            figure.colorbar(picture, ax=axes, fraction=0.04, pad=0.02).outline.set_visible(False)
        return png(figure)


def curve(
    x: Any, y: Any, *, title: str, x_label: str, y_label: str, note: str, chance: tuple[Any, Any] | None, steps: bool
) -> bytes:
    """Draw a curve within the unit square.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    title, x_label, y_label : str
    note : str
        Shown in the legend, such as "AUC = 0.98".
    chance : pair, optional
        x and y of the line that guessing gives.
    steps : bool
        Whether the value holds until the next point.
    """
    with style():
        x, y = _thinned(x), _thinned(y)
        figure, axes = _figure(5.0, 4.4)
        if chance is not None:
            axes.plot(*chance, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), label="by chance")
        draw = axes.step if steps else axes.plot
        draw(x, y, color=LINE, linewidth=1.6, label=note, **({"where": "post"} if steps else {}))
        axes.fill_between(x, y, step="post" if steps else None, color=FILL, alpha=0.45, linewidth=0)
        axes.set(title=title, xlabel=x_label, ylabel=y_label, xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), aspect="equal")
        axes.grid(visible=True)
        axes.legend(frameon=False, loc="lower left" if steps else "lower right")
        return png(figure)


def importances(names: Sequence[str], values: Any, *, kind: str) -> bytes:
    """Draw how important features are, the most important first.

    Parameters
    ----------
    names : sequence of length n
    values : ndarray, shape (n,) or (n, classes)
        One bar a class where there are several.
    kind : str
        Of importance, such as "weight".
    """
    import numpy

    table = numpy.asarray(values, dtype=float).reshape(len(names), -1)
    order = numpy.argsort(-numpy.abs(table).sum(axis=1), kind="stable")
    shown = order[:_MOST_BARS][::-1]
    with style():
        shorts = [_short(str(names[index])) for index in shown]
        figure, axes = _figure(6.4, max(2.4, 0.24 * len(shown) + 1.2), left=_width(shorts))
        places, width = numpy.arange(len(shown)), 0.68 / table.shape[1]
        for index in range(table.shape[1]):
            offset = -(index - (table.shape[1] - 1) / 2) * width
            colour = LINE if table.shape[1] == 1 else f"C{index % 10}"
            label = f"class {index}" if table.shape[1] > 1 else None
            axes.barh(places + offset, table[shown, index], height=width, color=colour, label=label)
        axes.set(title=f"Feature importance ({kind})", xlabel="importance", yticks=(), ylim=(-0.6, len(shown) - 0.4))
        beside = axes.get_yaxis_transform()
        for place, short in enumerate(shorts):  # plain texts: ticks cost a third of the plot
            axes.text(-0.012, place, short, transform=beside, ha="right", va="center", color=MUTED)
        axes.grid(visible=True, axis="x")
        if table.shape[1] > 1:
            axes.legend(frameon=False)
        if len(order) > len(shown):
            axes.annotate(f"{len(shown)} of {len(order)} features", (1, 1.02), xycoords="axes fraction", ha="right", color=MUTED)
        return png(figure)


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house's style, whatever the user's is, and leave the user's as it was."""
    try:
        import matplotlib
    except ImportError as error:
        raise missing_package("matplotlib", "", "draw plots of the training") from error
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


def _thinned(values: Any) -> Any:
    """Return as many points of a curve as a plot of this size can show, the first and last among them."""
    if len(values) <= _MOST_POINTS:
        return values
    return values[[round(each * (len(values) - 1) / (_MOST_POINTS - 1)) for each in range(_MOST_POINTS)]]


def png(figure: Any) -> bytes:
    """Return a figure's bytes, in which nothing tells when or by what they were made."""
    buffer = io.BytesIO()
    figure.canvas.print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _width(labels: Sequence[Any]) -> float:
    """Return about how wide the labels of an axis are, in inches, with room for the axis' own."""
    return 0.4 + 0.065 * max((len(str(each)) for each in labels), default=0)


def _long(labels: Sequence[Any]) -> bool:
    return len(labels) > 12 or max((len(str(each)) for each in labels), default=0) > 8


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:38]}…"
