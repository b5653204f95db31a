"""Datasets in numpy arrays: features, and targets where there are some.

>>> import numpy
>>> from_numpy(numpy.zeros((3, 2)), name="train").profile
{'features_shape': [3, 2], 'features_size': 6, 'features_nbytes': 48}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.errors import UsageError
from runfolio.tracking.datasets.dataset import Dataset
from runfolio.tracking.datasets.digests import digest_arrays
from runfolio.tracking.datasets.schemas import TensorSchema, tensor_schema
from runfolio.tracking.datasets.sources import DatasetSource, resolve_source


class NumpyDataset(Dataset):
    """Arrays that a run read; made by :func:`from_numpy`."""

    def __init__(self, features: Any, source: DatasetSource, targets: Any, name: str | None, digest: str | None) -> None:
        sampled = None
        if digest is None:
            digest, sampled = digest_arrays(features, targets)
        super().__init__(source, name, digest)
        self._features, self._targets, self._sampled = features, targets, sampled

    @property
    def features(self) -> Any:
        """The features, as they were given."""
        return self._features

    @property
    def targets(self) -> Any:
        """The targets, as they were given; None where there are none."""
        return self._targets

    @property
    def schema(self) -> TensorSchema:
        """Element types and shapes."""
        targets = None if self._targets is None else tensor_schema(self._targets)
        return TensorSchema(tensor_schema(self._features), targets)

    @property
    def profile(self) -> dict[str, Any]:
        """Shape, elements and bytes of each side; and how many rows the digest read, where not all."""
        profile = _sizes("features", self._features)
        if self._targets is not None:
            profile.update(_sizes("targets", self._targets))
        if self._sampled is not None:
            profile["digest_rows"] = self._sampled
        return profile


def from_numpy(
    features: Any, source: Any = None, targets: Any = None, name: str | None = None, digest: str | None = None
) -> NumpyDataset:
    """Make a dataset of numpy arrays.

    Parameters
    ----------
    features : ndarray or dict of str to ndarray
    source : str, path or DatasetSource, optional
        Where the data came from; the run's own code by default.
    targets : ndarray or dict of str to ndarray, optional
    name : str, optional
        ``"dataset"`` by default.
    digest : str, optional
        Computed from the content by default.

    Returns
    -------
    NumpyDataset

    Raises
    ------
    UsageError
        If features or targets are no arrays.
    """
    _check(features, "features")
    if targets is not None:
        _check(targets, "targets")
    return NumpyDataset(features, resolve_source(source), targets, name, digest)


def _check(side: Any, what: str) -> None:
    import numpy

    arrays = list(side.values()) if isinstance(side, Mapping) else [side]
    for array in arrays:
        if not isinstance(array, numpy.ndarray):
            raise UsageError(
                f"from_numpy: {what} must be numpy arrays or a dictionary of them, this is {type(array).__name__}. "
                "Convert it with numpy.asarray, or use from_pandas for a table."
            )


def _sizes(what: str, side: Any) -> dict[str, Any]:
    named: Mapping[Any, Any] = side if isinstance(side, Mapping) else {"": side}
    shapes = {str(name): list(array.shape) for name, array in named.items()}
    sizes = {str(name): int(array.size) for name, array in named.items()}
    nbytes = {str(name): int(array.nbytes) for name, array in named.items()}
    if isinstance(side, Mapping):
        return {f"{what}_shape": shapes, f"{what}_size": sizes, f"{what}_nbytes": nbytes}
    return {f"{what}_shape": shapes[""], f"{what}_size": sizes[""], f"{what}_nbytes": nbytes[""]}
