"""What MLflow 3 says of models beyond their files: one document among the artifacts of a run.

MLflow 3 gives a model an id, a status, tags and params of its own, and says which run read or made it. The files of such a model are
artifacts of the run that made it, below the model's name, as MLflow 2 and our own ``log_model`` put them; the rest stands in
``mlflow_models.json`` of that run. A run that only uses a model says so in a document of its own.

>>> made = RunModels({"m-1": ModelFacts("m-1", "forest", "forest", created=5, updated=5)})
>>> decode_models(encode_models(made)) == made
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError
from runfolio.formats import canonical

FILE = "mlflow_models.json"
TAG = "runfolio.loggedModels"
"""On a run that made models: how many."""
ID_TAG = "runfolio.loggedModel."
"""With a model's id after it, on the run that made it: the model's name."""
CARRIES_TAG = "runfolio.carries"
"""On a run that was made to hold a model that no run made."""
MODEL_ID_TAG = "runfolio.model_id"
"""On a registered version: the id of the logged model that it was made of."""
DIFFERS_TAG = "runfolio.mlflow"
"""On what was imported: what MLflow said otherwise than the record does, as JSON (:mod:`runfolio.transfer.restored`)."""
PENDING, READY, FAILED = "PENDING", "READY", "FAILED"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One logged model, beside its files.

    Parameters
    ----------
    model_id : str
    name : str
    path : str
        The folder of its files among the run's artifacts: its name, unless another model of the run has that.
    status : {"PENDING", "READY", "FAILED"}
    message : str
        Of the status.
    model_type : str
    created, updated : int
        Milliseconds since the epoch, UTC.
    tags, params : Mapping of str to str
    deleted : bool
    """

    model_id: str
    name: str
    path: str = ""
    status: str = PENDING
    message: str = ""
    model_type: str = ""
    created: int = 0
    updated: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class MetricUse:
    """That a metric of the run was measured of a model.

    Parameters
    ----------
    model_id, key : str
    dataset, digest : str
        Name and digest of the dataset that it was measured on; empty where that was not said.
    """

    model_id: str
    key: str
    dataset: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class RunModels:
    """The models of a run.

    Parameters
    ----------
    made : Mapping of str to ModelFacts
        Those whose files the run holds, by id.
    inputs : tuple of str
        Ids of models that the run read.
    outputs : tuple of (str, int)
        Ids of models that the run made, with the step.
    metrics : tuple of MetricUse
    """

    made: Mapping[str, ModelFacts] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[tuple[str, int], ...] = ()
    metrics: tuple[MetricUse, ...] = ()


def encode_models(models: RunModels) -> bytes:
    """Spell a document, canonically."""
    made = {model_id: _plain(item, "model_id") for model_id, item in models.made.items()}
    document: dict[str, Any] = {"schema": 1, "models": made, "inputs": list(models.inputs)}
    document["outputs"] = [{"model": model_id, "step": step} for model_id, step in models.outputs]
    document["metrics"] = [_plain(item) for item in models.metrics]
    return canonical.dump({name: value for name, value in document.items() if value})


def decode_models(data: bytes) -> RunModels:
    """Read a document.

    Raises
    ------
    DamagedError
        If the bytes are none.
    """
    said = canonical.load(data, FILE)
    try:
        return RunModels(
            {model_id: ModelFacts(model_id, **_known(ModelFacts, item)) for model_id, item in said.get("models", {}).items()},
            tuple(map(str, said.get("inputs", ()))),
            tuple((str(item["model"]), int(item["step"])) for item in said.get("outputs", ())),
            tuple(MetricUse(**_known(MetricUse, item)) for item in said.get("metrics", ())),
        )
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise DamagedError(f"{FILE}: not a list of a run's models ({error}).") from None


def _plain(item: Any, without: str = "") -> dict[str, Any]:
    pairs = ((entry.name, getattr(item, entry.name)) for entry in fields(item) if entry.name != without)
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in pairs if value}


def _known(cls: Any, item: Mapping[str, Any]) -> dict[str, Any]:
    names = {entry.name for entry in fields(cls)} - {"model_id" if cls is ModelFacts else ""}
    return {name: value for name, value in item.items() if name in names}
