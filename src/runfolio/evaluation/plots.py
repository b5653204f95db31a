"""Pictures of an evaluation under MLflow's names: ``roc_curve_plot.png``, ``confusion_matrix.png`` and the others.

Drawn by matplotlib without a window and without its global state, so that a figure that the user has open stays as it is.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from runfolio.evaluation.classification import Answers, sklearn_metrics
from runfolio.evaluation.statistics import Measured

_SIZE, _DPI = (6.0, 4.0), 175
_FLAT = 5
"""Classes beyond which their names stand on end."""


def can_draw() -> bool:
    """Tell whether matplotlib is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def _drawn(draw: Callable[[Any], None], left: float = 0.1, bottom: float = 0.13) -> bytes:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"font.size": 8}):
        figure = Figure(figsize=_SIZE, dpi=_DPI)
        FigureCanvasAgg(figure)
        # Margins are set: to fit them to the labels, matplotlib draws everything twice.
        figure.subplots_adjust(left=left, right=0.97, top=0.92, bottom=bottom)
        draw(figure.add_subplot())
        held = io.BytesIO()
        figure.savefig(held, format="png", metadata={"Software": None})
    return held.getvalue()


def classifier_pictures(said: Answers, most: int, bins: int) -> dict[str, bytes]:
    """Return the pictures of a classification as PNG, by their names in MLflow.

    Parameters
    ----------
    said : Answers
    most : int
        Classes beyond which no curves are drawn.
    bins : int
        Of calibration.
    """
    made: dict[str, bytes] = {}
    curves = _named(said, most)
    if curves:
        made["roc_curve_plot"] = _drawn(lambda axes: _lines(axes, curves, "roc"))
        made["precision_recall_curve_plot"] = _drawn(lambda axes: _lines(axes, curves, "pr"))
    if curves and said.labels.binary:
        made["lift_curve_plot"] = _drawn(lambda axes: _lift(axes, said))
        made["calibration_curve_plot"] = _drawn(lambda axes: _calibration(axes, said, bins))
    # Labels stand left of the matrix, and below it: those of many classes on end.
    longest = min(40, max(map(len, said.labels.texts)))
    made["confusion_matrix"] = _drawn(
        lambda axes: _confusion(axes, said), 0.1 + longest / 90, 0.13 + longest / 70 * (len(said.labels) > _FLAT)
    )
    return made


def regressor_pictures(said: Measured) -> dict[str, bytes]:
    """Return the picture of a regression as PNG: what was answered over what was wanted."""
    return {"prediction_error_plot": _drawn(lambda axes: _scatter(axes, said))}


def _named(said: Answers, most: int) -> list[tuple[str, Any, Any, Any]]:
    """Return name, truth, score and weights of each curve."""
    if said.probabilities is None or len(said.labels) > max(2, most):
        return []
    made = []
    for at, label in enumerate(said.labels.values.tolist()):
        if at or not said.labels.binary:
            made.append((said.labels.texts[at], said.targets == label, said.probabilities[:, at], said.weights))
    return [item for item in made if item[1].any() and not item[1].all()]


def _lines(axes: Any, curves: list[tuple[str, Any, Any, Any]], kind: str) -> None:
    metrics = sklearn_metrics()
    alone = len(curves) == 1
    for name, truth, scores, weights in curves:
        if kind == "roc":
            x, y, _ = metrics.roc_curve(truth, scores, sample_weight=weights)
            said = f"AUC={metrics.roc_auc_score(truth, scores, sample_weight=weights):.3f}"
        else:
            y, x, _ = metrics.precision_recall_curve(truth, scores, sample_weight=weights)
            said = f"AP={metrics.average_precision_score(truth, scores, sample_weight=weights):.3f}"
        axes.plot(x, y, drawstyle="steps-post", linewidth=1, label=said if alone else f"label={name},{said}")
    axes.plot([0, 1], [0, 1] if kind == "roc" else [1, 0], color="gray", alpha=0.3, linestyle="dashed")
    whose = f" (Positive label: {curves[0][0]})" if alone else ""
    axes.set_xlabel(("False Positive Rate" if kind == "roc" else "Recall") + whose)
    axes.set_ylabel(("True Positive Rate" if kind == "roc" else "Precision") + whose)
    axes.set_title("ROC curve" if kind == "roc" else "Precision recall curve")
    axes.legend(loc="best")


def _lift(axes: Any, said: Answers) -> None:
    import numpy

    for at, name in enumerate(said.labels.texts):
        truth = said.targets == said.labels.values.tolist()[at]
        order = numpy.argsort(-said.probabilities[:, at], kind="stable")
        share = numpy.arange(1, len(truth) + 1) / len(truth)
        axes.plot(
            share, numpy.cumsum(truth[order]) / truth.sum() / share, lw=3, label=f"Class {name}" + (" (positive)" if at else "")
        )
    axes.plot([0, 1], [1, 1], "k--", lw=2, label="Baseline")
    axes.set(xlabel="Percentage of sample", ylabel="Lift", title="Lift Curve")
    axes.grid(visible=True)
    axes.legend(loc="best")


def _calibration(axes: Any, said: Answers, bins: int) -> None:
    from runfolio.evaluation.curves import calibration

    found = calibration(said.targets == said.labels.positive, said.probabilities[:, 1], bins)
    axes.plot([0, 1], [0, 1], "k--", lw=1, label="Perfectly calibrated")
    off = [[mid - low for mid, low in zip(found["observed"], found["low"], strict=True)],
           [high - mid for mid, high in zip(found["observed"], found["high"], strict=True)]]  # fmt: skip
    axes.errorbar(
        found["predicted"], found["observed"], yerr=[[max(0, each) for each in side] for side in off], marker="o", capsize=2
    )
    whose = f"(Positive class: {said.labels.texts[1]})"
    axes.set(xlabel=f"Mean predicted probability {whose}", ylabel=f"Fraction of positives {whose}", title="Calibration curve")
    axes.legend(loc="best")


def _confusion(axes: Any, said: Answers) -> None:
    import numpy

    from runfolio.evaluation.curves import confusion

    found = confusion(said)
    counts = numpy.asarray(found["counts"], dtype=float)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        shares = numpy.nan_to_num(counts / counts.sum(axis=1, keepdims=True))
    size = min(8.0, 50.0 / len(counts))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(len(counts)):
        for at in range(len(counts)):
            dark = shares[row, at] > 1 / 2
            axes.text(
                at, row, f"{shares[row, at]:.2g}", ha="center", va="center", fontsize=size, color="white" if dark else "black"
            )
    axes.set_xticks(range(len(counts)), found["labels"], rotation=90 if len(counts) > _FLAT else 0, fontsize=size)
    axes.set_yticks(range(len(counts)), found["labels"], fontsize=size)
    axes.set(xlabel="Predicted label", ylabel="True label", title="Normalized confusion matrix")


def _scatter(axes: Any, said: Measured) -> None:
    from runfolio.evaluation.curves import residuals

    found = residuals(said)
    both = [*found["target"], *found["prediction"]]
    axes.plot([min(both), max(both)], [min(both), max(both)], "k--", lw=1)
    axes.scatter(found["target"], found["prediction"], s=8, alpha=0.6)
    axes.set(xlabel="Actual", ylabel="Predicted", title="Predictions over actual values")
