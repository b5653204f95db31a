"""From a dataset to what a run record keeps of it, within MLflow's limits.

A name or digest that is too long is refused, as in MLflow. A schema or profile that is too long is left out and the user
is told: a table with a hundred thousand columns must not fail the run that read it.

>>> from runfolio.tracking.datasets.files import from_file
>>> to_input(from_file(__file__), context="training").tags
{'mlflow.data.context': 'training'}
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from runfolio import records
from runfolio.errors import UsageError
from runfolio.records.names import (
    MAX_DATASET_DIGEST_LENGTH,
    MAX_DATASET_NAME_LENGTH,
    MAX_DATASET_PROFILE_LENGTH,
    MAX_DATASET_SCHEMA_LENGTH,
    MAX_DATASET_SOURCE_LENGTH,
    MAX_INPUT_TAG_KEY_LENGTH,
    MAX_INPUT_TAG_VALUE_LENGTH,
)
from runfolio.records.redaction import Redactor
from runfolio.tracking.datasets.dataset import Dataset
from runfolio.tracking.datasets.sources import DatasetSource, clean_source, source_from_record

CONTEXT_TAG = "mlflow.data.context"


def to_input(
    dataset: Any,
    context: str | None = None,
    tags: Mapping[str, Any] | None = None,
    *,
    notify: Callable[[str], None] | None = None,
    redactor: Redactor | None = None,
) -> records.DatasetInput:
    """Make the record of a dataset that a run read.

    Parameters
    ----------
    dataset : Dataset, entities.Dataset, or another object whose ``to_dict()`` or ``to_dictionary()`` gives MLflow's six fields
    context : str, optional
        How the run used it, such as ``"training"``.
    tags : Mapping, optional
        Further tags.
    notify : callable, optional
        Called with a sentence for what had to be left out; a warning by default.
    redactor : Redactor, optional
        Takes secrets out of the source; one that knows this user's home folder by default.

    Returns
    -------
    records.DatasetInput

    Raises
    ------
    UsageError
        If it is no dataset, or its name, digest, source or a tag is empty or too long.
    """
    said = _fields(dataset, redactor)
    name = _checked("name", said.get("name"), MAX_DATASET_NAME_LENGTH)
    where = f"dataset '{name[:60]}': "
    tell = notify or _warn
    return records.DatasetInput(
        name=name,
        digest=_checked("digest", said.get("digest"), MAX_DATASET_DIGEST_LENGTH, where),
        source_type=_checked("source type", said.get("source_type"), MAX_DATASET_NAME_LENGTH, where),
        source=_checked("source", said.get("source"), MAX_DATASET_SOURCE_LENGTH, where),
        schema=_bounded("schema", said.get("schema"), MAX_DATASET_SCHEMA_LENGTH, where, tell),
        profile=_bounded("profile", said.get("profile"), MAX_DATASET_PROFILE_LENGTH, where, tell),
        tags=_tags(context, tags or {}, where),
    )


def stored_input(item: Any, *, notify: Callable[[str], None] | None = None) -> records.DatasetInput:
    """Make the record of an input as the client's ``log_inputs`` gets it.

    Parameters
    ----------
    item : entities.DatasetInput
    notify : callable, optional
        As in :func:`to_input`.

    Raises
    ------
    UsageError
        If it is no input, or :func:`to_input` refuses it.
    """
    if not hasattr(item, "dataset") or not hasattr(item, "tags"):
        raise UsageError(f"log_inputs takes DatasetInput(dataset, tags) objects, this is {type(item).__name__}.")
    return to_input(item.dataset, None, {tag.key: tag.value for tag in item.tags or ()}, notify=notify or _warn)


def get_source(dataset: Any) -> DatasetSource:
    """Return where a dataset came from.

    Parameters
    ----------
    dataset : Dataset, entities.Dataset, entities.DatasetInput or records.DatasetInput

    Returns
    -------
    DatasetSource

    Raises
    ------
    UsageError
        If it is no dataset, or its source has an unknown form.
    """
    if isinstance(dataset, Dataset):
        return dataset.source
    inner = getattr(dataset, "dataset", dataset)
    source_type, source = getattr(inner, "source_type", None), getattr(inner, "source", None)
    if not isinstance(source_type, str) or not isinstance(source, str):
        raise UsageError(f"get_source takes a dataset or a run's dataset input, this is {type(dataset).__name__}.")
    return source_from_record(source_type, source)


def _fields(dataset: Any, redactor: Redactor | None) -> Mapping[str, Any]:
    if isinstance(dataset, Dataset):
        return dataset.to_dict(redactor)
    for method in ("to_dict", "to_dictionary"):
        give = getattr(dataset, method, None)
        said = give() if callable(give) else None
        if isinstance(said, Mapping) and {"name", "digest", "source"} <= said.keys():
            return {**said, "source": clean_source(said["source"], redactor)}
    raise UsageError(
        f"log_input takes a dataset, this is {type(dataset).__name__}. Make one with runfolio.data.from_pandas, from_numpy or from_file."
    )


def _checked(what: str, value: Any, longest: int, where: str = "") -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where}the dataset's {what} must be text and not empty, this is {value!r}.")
    if len(value) > longest:
        raise UsageError(f"{where}the dataset's {what} '{value[:40]}…' has {len(value)} characters, {longest} are the most.")
    return value


def _bounded(what: str, value: Any, longest: int, where: str, tell: Callable[[str], None]) -> str:
    if value is None:
        return ""
    text = str(value)
    if len(text) > longest:
        tell(f"{where}the {what} was left out: it has {len(text)} characters, {longest} are the most")
        return ""
    return text


def _tags(context: str | None, tags: Mapping[str, Any], where: str) -> dict[str, str]:
    made = {} if context is None else {CONTEXT_TAG: context}
    made.update({key: str(value) for key, value in tags.items()})
    for key, value in made.items():
        if not isinstance(key, str) or not 0 < len(key) <= MAX_INPUT_TAG_KEY_LENGTH:
            raise UsageError(
                f"{where}the input tag {str(key)[:40]!r} must be text of 1 to {MAX_INPUT_TAG_KEY_LENGTH} characters."
            )
        if len(value) > MAX_INPUT_TAG_VALUE_LENGTH:
            raise UsageError(
                f"{where}the input tag {key!r} has a value of {len(value)} characters, {MAX_INPUT_TAG_VALUE_LENGTH} are the most."
            )
    return made


def _warn(sentence: str) -> None:
    warnings.warn(sentence, UserWarning, stacklevel=4)
