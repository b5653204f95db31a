"""The labels of a classification: which there are, which is the positive one, and the column of probabilities of each.

Labels are those of the targets, of the answers, and of the model itself where it says them (``classes_``), ascending. With two of them
one is positive: the greater, or the one that was asked for; it stands last, as in MLflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError

TWO = 2


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a classification.

    Parameters
    ----------
    values : ndarray, shape (k,)
        Of two, the positive one is the last.
    positive : Any
        The positive label; None of more than two.
    """

    values: Any
    positive: Any = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def binary(self) -> bool:
        """Whether there are two."""
        return len(self.values) == TWO

    @property
    def ascending(self) -> Any:
        """The labels in ascending order."""
        import numpy

        return numpy.sort(self.values)

    @property
    def texts(self) -> list[str]:
        """The labels as a page shows them."""
        return [str(value) for value in self.values.tolist()]

    def codes(self, values: Any) -> Any:
        """Return where each value stands among the labels.

        Parameters
        ----------
        values : ndarray, shape (n,)
            Of the labels all.

        Returns
        -------
        ndarray of int, shape (n,)
        """
        import numpy

        order = numpy.argsort(self.values, kind="stable")
        return order[numpy.searchsorted(self.values[order], values)]


def labels_of(targets: Any, answers: Any, classes: Any, wanted: Sequence[Any] | None, positive: Any) -> Labels:
    """Return the labels of a classification.

    Parameters
    ----------
    targets, answers : ndarray, shape (n,)
    classes : ndarray or None
        What the model says.
    wanted : sequence, optional
        ``label_list``: these, and none besides.
    positive : Any, optional
        ``pos_label``.

    Raises
    ------
    UsageError
        If targets and answers are of kinds that cannot be compared, hold labels that are not listed, or there is one label only.
    """
    import numpy

    parts = [("targets", targets), ("predictions", answers)]
    if classes is not None and getattr(classes, "ndim", 0) == 1:
        parts.append(("the model's classes", classes))
    if wanted is not None:
        parts.append(("label_list", numpy.asarray(list(wanted))))
    _refuse_mixed(parts)
    seen = numpy.unique(numpy.concatenate([values for _, values in parts]))
    if wanted is not None:
        listed = numpy.unique(numpy.asarray(list(wanted)))
        strange = [value for value in seen.tolist() if value not in listed.tolist()]
        if strange:
            raise UsageError(f"evaluate: labels that are not in label_list: {_some(strange)}. It has: {_some(listed.tolist())}.")
        seen = listed
    if len(seen) < TWO:
        raise UsageError(
            f"Evaluation dataset for classification must contain at least two unique labels, but only {len(seen)} unique labels were "
            f"found: {_some(seen.tolist())}. Name the others: evaluator_config={{'label_list': […]}}."
        )
    if positive is not None and positive not in seen.tolist():
        raise UsageError(f"'pos_label' {positive} must exist in the labels: {_some(seen.tolist())}.")
    if len(seen) > TWO:
        return Labels(seen)
    if positive is None:
        return Labels(seen, seen.tolist()[-1])
    return Labels(numpy.concatenate([seen[seen != positive], seen[seen == positive]]), positive)


def _refuse_mixed(parts: list[tuple[str, Any]]) -> None:
    """Refuse text beside numbers: numpy would make text of all, and no label of the one would be one of the other."""
    kinds = {what: _kind(values) for what, values in parts}
    if len(set(kinds.values())) > 1:
        said = ", ".join(f"{what} are {kind}" for what, kind in kinds.items())
        raise UsageError(f"evaluate: labels of different kinds cannot be compared: {said}. Give both as the same.")


def _kind(values: Any) -> str:
    if values.dtype.kind in "biuf":
        return "numbers"
    kinds = (
        {"text" if isinstance(value, str) else "numbers" for value in values.tolist()} if values.dtype.kind == "O" else {"text"}
    )
    return kinds.pop() if len(kinds) == 1 else "text and numbers"


def _some(values: Sequence[Any]) -> str:
    return ", ".join(repr(value) for value in values[:10]) + (", …" if len(values) > 10 else "")


def arranged(probabilities: Any, classes: Any, labels: Labels) -> tuple[Any, str]:
    """Return the columns of probabilities in the order of the labels, and why there are none if so.

    Parameters
    ----------
    probabilities : ndarray, shape (n, c)
    classes : ndarray or None
        Labels of the columns; those of the evaluation, ascending, where nobody says.
    labels : Labels

    Returns
    -------
    ndarray, shape (n, k), or None
    str
        Empty, or what is missing.
    """
    import numpy

    values = numpy.asarray(probabilities)
    columns = numpy.asarray(classes) if classes is not None and getattr(classes, "ndim", 0) == 1 else labels.ascending
    if values.ndim != TWO or values.shape[1] != len(columns):
        return None, f"the model's probabilities have the shape {values.shape}, and there are {len(columns)} labels"
    where = {value: at for at, value in enumerate(columns.tolist())}
    unknown = [value for value in labels.values.tolist() if value not in where]
    if unknown:
        return None, f"the model gives no probability for the labels {_some(unknown)}"
    if not numpy.isfinite(values).all():
        return None, "some of the model's probabilities are not finite"
    return values[:, [where[value] for value in labels.values.tolist()]].astype(float), ""
