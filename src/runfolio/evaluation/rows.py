"""The rows that a model is evaluated on: features, targets, predictions where they are given, and the dataset to record.

>>> import pandas
>>> rows = read_rows(pandas.DataFrame({"size": [1, 2], "price": [3.0, 5.0]}), targets="price")
>>> list(rows.features.columns), rows.targets.tolist(), rows.dataset.name
(['size'], [3.0, 5.0], 'dataset')
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError, storage_errors
from runfolio.tracking.datasets import Dataset, NumpyDataset, from_numpy, from_pandas

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Rows:
    """What a model is evaluated on.

    Parameters
    ----------
    frame : DataFrame
        All columns, for slices.
    features : DataFrame
        What the model gets.
    targets : ndarray, shape (n,), or None
    targets_name : str or None
    predictions : ndarray, shape (n,), or None
        Of a dataset that brings them.
    predictions_name : str or None
    dataset : Dataset
        To be logged.
    unnamed : bool
        Whether the columns got their names here: the data was an array.
    """

    frame: Any
    features: Any
    targets: Any
    targets_name: str | None
    predictions: Any
    predictions_name: str | None
    dataset: Dataset
    unnamed: bool = False

    def __len__(self) -> int:
        return len(self.features)


def read_rows(
    data: Any,
    targets: Any = None,
    predictions: str | None = None,
    feature_names: Sequence[str] | None = None,
    source: str | None = None,
) -> Rows:
    """Read what ``evaluate`` was given.

    Parameters
    ----------
    data : DataFrame of pandas or polars, ndarray, list, or Dataset
    targets : str, or array where `data` is one
        Name of the column, or the values.
    predictions : str, optional
        Name of the column that holds predictions.
    feature_names : sequence of str, optional
        Columns that the model gets; or, for an array, what to call its columns.
    source : str, optional
        Where the data came from.

    Raises
    ------
    UsageError
        Saying which column, length or shape is wrong.
    """
    if isinstance(data, NumpyDataset):
        return _of_array(data.features, data.targets, feature_names, data)
    if isinstance(data, Dataset):
        if not hasattr(data, "df"):
            raise UsageError(
                f"evaluate: a {type(data).__name__} holds no rows. Give a table: runfolio.data.from_pandas(frame, targets=…)."
            )
        return _of_frame(_pandas(data.df), data.targets, data.predictions or predictions, feature_names, data)  # type: ignore[attr-defined]
    if hasattr(data, "columns") and hasattr(data, "shape"):
        frame = _pandas(data)
        _check_columns(frame, targets=targets, predictions=predictions)
        # What a model answered is no part of the data: the digest must be that of the same rows evaluated with a model.
        known = frame.drop(columns=[predictions]) if predictions is not None else frame
        return _of_frame(frame, targets, predictions, feature_names, from_pandas(known, source=source, targets=targets))
    if predictions is not None:
        raise UsageError("predictions=… names a column, so the data must be a DataFrame, or a Dataset made of one.")
    if isinstance(data, list) or hasattr(data, "__array__"):
        return _of_array(data, targets, feature_names, None, source)
    raise UsageError(f"evaluate takes a DataFrame, an array, a list or a Dataset as data, this is {type(data).__name__}.")


def _pandas(data: Any) -> Any:
    import pandas

    if isinstance(data, pandas.DataFrame):
        return data
    if hasattr(data, "to_dict") and hasattr(data, "get_columns"):
        return pandas.DataFrame(data.to_dict(as_series=False))
    raise UsageError(f"evaluate takes tables of pandas and polars, this is {type(data).__module__}.{type(data).__name__}.")


def _check_columns(frame: Any, **named: Any) -> None:
    columns = list(frame.columns)
    for role, name in named.items():
        if name is None:
            continue
        if not isinstance(name, str):
            raise UsageError(
                f"evaluate: where the data is a table, {role} is the name of a column, this is {type(name).__name__}."
            )
        if name not in columns:
            raise UsageError(f"evaluate: the data has no column {name!r} for {role}. It has: {_named(columns)}.")
    if len(set(columns)) < len(columns):
        twice = sorted({str(name) for name in columns if columns.count(name) > 1})
        raise UsageError(f"evaluate: columns of the data share a name: {_named(twice)}. Rename them.")


def _of_frame(frame: Any, targets: str | None, predictions: str | None, names: Sequence[str] | None, dataset: Dataset) -> Rows:
    _check_columns(frame, targets=targets, predictions=predictions)
    if names is not None:
        _check_features(list(names))
        lacking = [name for name in names if name not in frame.columns]
        if lacking:
            raise UsageError(
                f"evaluate: feature_names: the data has no column {_named(lacking)}. It has: {_named(list(frame.columns))}."
            )
        features = frame[list(names)]
    else:
        features = frame.drop(columns=[name for name in (targets, predictions) if name is not None])
    values = [None if name is None else frame[name].to_numpy() for name in (targets, predictions)]
    return _checked(Rows(frame, features, values[0], targets, values[1], predictions, dataset))


def _of_array(data: Any, targets: Any, names: Sequence[str] | None, dataset: Dataset | None, source: str | None = None) -> Rows:
    import numpy
    import pandas

    if isinstance(data, list) and data and not isinstance(data[0], (list, tuple, numpy.ndarray)):
        data = [[value] for value in data]
    shape = "an array of features has two dimensions: one row an example, and all of one length"
    try:
        features = numpy.asarray(data)
    except ValueError:
        raise UsageError(f"evaluate: {shape}.") from None
    if features.ndim != 2:
        raise UsageError(f"evaluate: {shape}; this has {features.ndim}.")
    if isinstance(targets, str):
        raise UsageError("evaluate: where the data is an array, targets are the values themselves: an array or a list.")
    wanted = None if targets is None else numpy.asarray(targets)
    if wanted is not None and (wanted.ndim != 1 or len(wanted) != len(features)):
        raise UsageError(
            f"evaluate: {len(features)} rows of features, and targets of shape {wanted.shape}: one target a row is expected."
        )
    if names is not None:
        _check_features(list(names))
        if len(names) != features.shape[1]:
            raise UsageError(f"evaluate: {features.shape[1]} features, and {len(names)} feature_names.")
    width = len(str(features.shape[1]))
    named = list(names) if names is not None else [f"feature_{at + 1:0{width}d}" for at in range(features.shape[1])]
    frame = pandas.DataFrame(features, columns=named)
    made = dataset or from_numpy(features, source=source, targets=wanted)
    whole = frame if wanted is None or "target" in frame else frame.assign(target=wanted)
    return _checked(Rows(whole, frame, wanted, None, None, None, made, unnamed=names is None))


def _check_features(names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise UsageError("`feature_names` argument must be a list containing unique feature names.")


def _checked(rows: Rows) -> Rows:
    if not len(rows):
        raise UsageError("evaluate: the data has no rows.")
    for what, values in (("targets", rows.targets), ("predictions", rows.predictions)):
        if values is not None:
            check_present(values, what)
    return rows


def read_file(path: Path) -> Any:
    """Read a file of rows: ``.csv``, ``.parquet`` or ``.jsonl``; a DataFrame.

    Raises
    ------
    UsageError
        If it is of another kind, or not what its name says.
    StorageError
        If it cannot be read.
    """
    import pandas

    readers: dict[str, Callable[[Path], Any]] = {
        ".csv": pandas.read_csv,
        ".parquet": pandas.read_parquet,
        ".jsonl": lambda place: pandas.read_json(place, lines=True),
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path}: rows are read from {', '.join(readers)} files.")
    with storage_errors(f"read {path}"):
        try:
            return reader(path)
        except (ValueError, ImportError) as error:
            raise UsageError(f"{path} cannot be read as {path.suffix[1:]}: {' '.join(str(error).split())}") from None


def check_present(values: Any, what: str) -> None:
    """Refuse values of which some are missing.

    Parameters
    ----------
    values : ndarray
    what : str
        For the error.
    """
    import numpy
    import pandas

    missing = numpy.asarray(pandas.isna(values))
    lacking = numpy.flatnonzero(missing if missing.ndim == 1 else missing.reshape(len(missing), -1).any(axis=1))
    if len(lacking):
        rows = ", ".join(str(at) for at in lacking[:MOST_NAMED]) + (", …" if len(lacking) > MOST_NAMED else "")
        raise UsageError(
            f"evaluate: {what}: {len(lacking)} of {len(values)} rows have no value (rows {rows}). No metric counts them: drop those rows, "
            "or say what they are."
        )


def _named(names: Sequence[Any]) -> str:
    shown = ", ".join(str(name) for name in names[:20])
    return shown + (", …" if len(names) > 20 else "")
