"""A model's ``MLmodel``: what it says about the folder it lies in.

Invariant: what a file said and this class does not know is written back unchanged (:attr:`Model.more`).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, NotFoundError
from runfolio.flavors.examples import load_example
from runfolio.flavors.schema import ParamSchema, Schema
from runfolio.flavors.signatures import ModelSignature
from runfolio.formats.mlmodel import FILE, parse_mlmodel, render_yaml

WRITTEN_AS = "2.22.0"  # the version of MLflow whose format this is
NEWEST_READ = "3.17"  # the newest MLflow whose folders the tests read
KNOWN_KEYS = frozenset((
    "prompts", "resources", "auth_policy", "env_vars", "databricks_runtime", "is_signature_from_type_hint", "type_hint_from_example",
    "model_id",
))  # fmt: skip
"""Further keys of MLflow up to the newest that is read: kept, and without a say in how a model is loaded here."""


def _now() -> str:
    return datetime.now(timezone.utc).replace(tzinfo=None).isoformat(sep=" ")


@dataclass(slots=True)
class Model:
    """What ``MLmodel`` holds.

    Parameters
    ----------
    artifact_path, run_id : str, optional
        Where it was logged.
    flavors : dict
        By name.
    signature : ModelSignature, optional
    saved_input_example_info : dict, optional
    model_uuid, utc_time_created : str
    metadata : dict, optional
    model_size_bytes : int, optional
        Of all files but ``MLmodel``.
    mlflow_version : str, optional
        Whose format it is.
    more : dict
        Other keys.
    """

    artifact_path: str | None = None
    run_id: str | None = None
    flavors: dict[str, dict[str, Any]] = field(default_factory=dict)
    signature: ModelSignature | None = None
    saved_input_example_info: dict[str, Any] | None = None
    model_uuid: str | None = field(default_factory=lambda: uuid.uuid4().hex)
    utc_time_created: str = field(default_factory=_now)
    metadata: dict[str, Any] | None = None
    model_size_bytes: int | None = None
    mlflow_version: str | None = WRITTEN_AS
    more: dict[str, Any] = field(default_factory=dict)

    def add_flavor(self, name: str, **params: Any) -> Model:
        """Add a flavor, and return the model."""
        self.flavors[name] = params
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return what the file holds."""
        said: dict[str, Any] = {
            "flavors": self.flavors,
            "model_uuid": self.model_uuid,
            "utc_time_created": self.utc_time_created,
            "mlflow_version": self.mlflow_version,
            "prompts": None,
        }
        for name in ("artifact_path", "run_id", "saved_input_example_info", "metadata", "model_size_bytes"):
            if getattr(self, name) is not None:
                said[name] = getattr(self, name)
        if self.signature is not None:
            said |= {"signature": self.signature.to_dict(), "is_signature_from_type_hint": False, "type_hint_from_example": False}
        return {**said, **self.more}

    def get_input_schema(self) -> Schema | None:
        """Return what it takes."""
        return self.signature.inputs if self.signature else None

    def get_output_schema(self) -> Schema | None:
        """Return what it gives."""
        return self.signature.outputs if self.signature else None

    def get_params_schema(self) -> ParamSchema | None:
        """Return its parameters."""
        return self.signature.params if self.signature else None

    def get_model_info(self) -> ModelInfo:
        """Return what is known of it."""
        return model_info(self, f"runs:/{self.run_id}/{self.artifact_path}" if self.run_id else "")

    def load_input_example(self, path: str | os.PathLike[str]) -> Any:
        """Return the input example that was saved with it in the folder `path`, or None."""
        inputs = self.signature.inputs if self.signature else None
        return load_example(Path(path), self.saved_input_example_info, inputs)

    def to_yaml(self) -> str:
        """Return the file's text."""
        return render_yaml(self.to_dict()).decode()

    @classmethod
    def from_dict(cls, model_dict: Mapping[str, Any]) -> Model:
        """Read it from what the file holds."""
        said = dict(model_dict)
        signature = _signature(said.pop("signature", None), said.get("mlflow_version"))
        known = {name: said.pop(name) for name in _PLAIN if name in said}
        known.setdefault("model_uuid", None)
        known.setdefault("mlflow_version", None)
        return cls(**known, signature=signature, more=said)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file."""
        Path(path).write_bytes(render_yaml(self.to_dict()))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Read the ``MLmodel`` file, or the one in a folder.

        Raises
        ------
        NotFoundError
            If there is none.
        DamagedError
            If it does not hold what it should.
        """
        file = Path(path) / FILE if Path(path).is_dir() else Path(path)
        if not file.is_file():
            raise NotFoundError(f"No model in {str(path)!r}: there is no file {FILE}. Name the folder that save_model wrote.")
        return cls.from_dict(parse_mlmodel(file.read_bytes(), str(file)))


def _signature(said: Any, version: Any) -> ModelSignature | None:
    try:
        return ModelSignature.from_dict(said) if said else None
    except DamagedError as error:
        raise DamagedError(f"{error}{newer(version)}") from None


def newer(version: Any, known: str = WRITTEN_AS) -> str:
    """Return a sentence where a model was written by a newer MLflow than the one whose format is known here; empty otherwise."""
    numbers = [[int(each) for each in str(text).split(".")[:2] if each.isdecimal()] for text in (version, known)]
    if version is None or numbers[0] <= numbers[1]:
        return ""
    return (
        f" MLflow {version} wrote it, and the format of {known} is known here: update runfolio, or save it with an older MLflow."
    )


_PLAIN = (
    "artifact_path",
    "run_id",
    "flavors",
    "saved_input_example_info",
    "model_uuid",
    "utc_time_created",
    "metadata",
    "model_size_bytes",
    "mlflow_version",
)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a logged model; see :class:`Model` for the fields that are not here."""

    artifact_path: str | None
    flavors: dict[str, dict[str, Any]]
    model_uri: str
    model_uuid: str | None
    run_id: str | None
    saved_input_example_info: dict[str, Any] | None
    signature: ModelSignature | None
    utc_time_created: str
    mlflow_version: str | None
    metadata: dict[str, Any] | None = None
    registered_model_version: int | None = None

    @property
    def signature_dict(self) -> dict[str, str | None] | None:
        """The signature as the file holds it."""
        return self.signature.to_dict() if self.signature else None


def model_info(model: Model, uri: str, version: int | None = None) -> ModelInfo:
    """Return what is known of a model that lies at `uri`."""
    same = {name: getattr(model, name) for name in ModelInfo.__slots__ if name not in ("model_uri", "registered_model_version")}
    return ModelInfo(**same, model_uri=uri, registered_model_version=version)
