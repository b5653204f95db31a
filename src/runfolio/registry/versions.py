"""What a version is made of: its files, and what its ``MLmodel`` file says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.errors import DamagedError, NotFoundError
from runfolio.folio.folio import Folio
from runfolio.formats.canonical import MAX_RECORD_BYTES
from runfolio.objects import decode_manifest
from runfolio.records.models import ModelVersion
from runfolio.records.runs import ArtifactEntry

MLMODEL = "MLmodel"
_MAX_MLMODEL_BYTES = 4 * 1024 * 1024
_RUNS_CODE = (
    ".pkl",
    ".pickle",
    ".joblib",
    ".cloudpickle",
    ".dill",
    ".pt",
    ".pth",
    ".npy.pkl",
    ".py",
    ".so",
    ".dll",
    ".keras",
    ".h5",
)
"""Endings of files that run code when a model is loaded: pickles in all their names, Python, libraries, and Keras archives, whose
lambda layers are marshalled bytecode."""


def files_of(folio: Folio, version: ModelVersion) -> dict[str, ArtifactEntry]:
    """List the files of a version, by their path in the model's folder.

    Raises
    ------
    NotFoundError
        If the version names no manifest, or its object is not in the store.
    DamagedError
        If the manifest is not what its digest says.
    """
    if version.digest is None:
        raise NotFoundError(f"Version {version.version} was registered without files ({version.source or 'no source'}).")
    return decode_manifest(folio.store.read(version.digest, MAX_RECORD_BYTES), f"manifest {version.digest}")


def model_description(folio: Folio, files: Mapping[str, ArtifactEntry]) -> dict[str, Any]:
    """Return what the ``MLmodel`` file among some files says, as far as the registry looks at it.

    Returns
    -------
    dict
        ``flavors`` (tuple of str), ``signature`` (dict of str to JSON text), ``input_example`` (bool).

    Raises
    ------
    DamagedError
        If the file is there and cannot be read.
    """
    entry = files.get(MLMODEL)
    if entry is None:
        return {"flavors": (), "signature": {}, "input_example": False}
    import yaml

    try:
        said = yaml.safe_load(folio.store.read(entry.digest, _MAX_MLMODEL_BYTES))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DamagedError(f"{MLMODEL} ({entry.digest}) is not YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(said, dict):
        raise DamagedError(f"{MLMODEL} ({entry.digest}): 'key: value' lines are expected.")
    signature = said.get("signature")
    flavors = said.get("flavors")
    return {
        "flavors": tuple(str(name) for name in flavors) if isinstance(flavors, dict) else (),
        "signature": {str(key): str(value) for key, value in signature.items() if value} if isinstance(signature, dict) else {},
        "input_example": bool(said.get("saved_input_example_info")),
    }


def code_files(files: Mapping[str, ArtifactEntry]) -> tuple[str, ...]:
    """Return the files that run code when the model is loaded, in order."""
    return tuple(sorted(path for path in files if path.lower().endswith(_RUNS_CODE)))
