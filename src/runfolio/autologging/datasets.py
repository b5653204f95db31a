"""Training data as the datasets that a run records: tables as tables, arrays with their targets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from runfolio.tracking.datasets import Dataset, from_numpy, from_pandas, from_polars

DENSE_CELLS = 10_000_000
"""A sparse matrix up to so many cells is described as the array that it stands for, as in MLflow; a larger one by its three arrays."""


class Described:
    """The datasets of one training: what is both trained on and evaluated is described, and its content hashed, once."""

    def __init__(self) -> None:
        self._made: dict[int, Dataset | None] = {}

    def of(self, held: Any, make: Callable[[], Dataset | None], name: str | None) -> Dataset | None:
        """Return the dataset of a framework's own object, or None for data of a kind that has no description.

        Parameters
        ----------
        held : object
            That lives as long as this.
        make : callable
            Describes its data.
        name : str, optional
            What it is called here.
        """
        if id(held) not in self._made:
            self._made[id(held)] = make()
        made = self._made[id(held)]
        return None if made is None else made.called(name)


def dataset_of(features: Any, targets: Any = None, name: str | None = None) -> Dataset | None:
    """Return the dataset that data is, or None for data of a kind that has no description.

    Parameters
    ----------
    features : DataFrame, ndarray or sparse matrix
    targets : array-like or Mapping of str to array-like, optional
        Recorded with arrays; a table stands for itself.
    name : str, optional
    """
    if _is_a(features, "pandas", "DataFrame"):
        return from_pandas(features, name=name)
    if _is_a(features, "polars", "DataFrame"):
        return from_polars(features, name=name)
    if _is_a(features, "numpy", "ndarray"):
        return from_numpy(features, targets=_array(targets), name=name)
    if hasattr(features, "tocsr") and hasattr(features, "nnz"):
        rows, columns = features.shape
        if rows * columns <= DENSE_CELLS:
            return from_numpy(features.toarray(), targets=_array(targets), name=name)
        kept = features.tocsr()
        parts = {"data": kept.data, "indices": kept.indices, "indptr": kept.indptr}
        return from_numpy(parts, targets=_array(targets), name=name)
    return None


def _array(values: Any) -> Any:
    import numpy

    if values is None:
        return None
    if isinstance(values, Mapping):
        return {str(name): numpy.asarray(each) for name, each in values.items()}
    return values.toarray() if hasattr(values, "toarray") else numpy.asarray(values)


def _is_a(value: Any, package: str, name: str) -> bool:
    kind = getattr(sys.modules.get(package), name, None)
    return isinstance(kind, type) and isinstance(value, kind)
