"""Folders of a layout of our own, called by MLflow: it imports ``python_function.loader_module`` and calls its ``_load_pyfunc``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors.python_function import PyFuncModel, load_folder
from runfolio.flavors.trust import check_trust
from runfolio.formats.mlmodel import FILE


class Loaded:
    """What MLflow calls: ``predict`` of data that it has already held against the signature."""

    def __init__(self, held: PyFuncModel) -> None:
        self.held = held

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Return predictions."""
        return self.held.call(data, dict(params or {}))

    def get_raw_model(self) -> Any:
        """Return the framework's own object."""
        return self.held.implementation


def loaded_for_mlflow(path: str, model_config: Mapping[str, Any] | None = None) -> Loaded:
    """Load the model whose data lies at `path`; whoever calls MLflow trusts the folder.

    Raises
    ------
    UsageError
        If there is no ``MLmodel`` at the path or above.
    """
    place = Path(path)
    for folder in (place, place.parent):
        if (folder / FILE).is_file():
            check_trust(folder, runs=(), verified=True, trust=None)
            return Loaded(load_folder(folder, model_config))
    raise UsageError(f"{path}: no {FILE} there or in the folder above. Name the folder that save_model wrote.")
