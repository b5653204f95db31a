"""Requirements of a model changed after it was saved: MLflow's ``update_model_requirements``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runfolio.environments.wanted import package_of
from runfolio.errors import DamagedError, StateError, UsageError
from runfolio.formats.mlmodel import render_yaml
from runfolio.tracking.fetching import MODELS, download_artifacts
from runfolio.tracking.model_logging import RECORDED

_PIP, _CONDA = "requirements.txt", "conda.yaml"


def update_model_requirements(model_uri: str | os.PathLike[str], operation: str, requirement_list: Sequence[str]) -> None:
    """Add requirements to a model, or remove some: in a local folder, or in the run that is active.

    Its ``requirements.txt`` and ``conda.yaml`` are changed; ``python_env.yaml`` refers to the first.

    Parameters
    ----------
    model_uri : str or path
    operation : {"add", "remove"}
        A requirement that is added takes the place of another one of the same package; one is removed whatever its version.
    requirement_list : sequence of str
        As ``["numpy==1.26.4", "pandas>=2"]``.

    Raises
    ------
    UsageError
        For a version of a registered model: it is what its digest says. For an operation that there is not, or what names no package.
    StateError
        For a run that has ended: its record stands.
    """
    from runfolio.tracking import fluent, fluent_logging

    uri = os.fspath(model_uri)
    if operation not in ("add", "remove"):
        raise UsageError(f"operation: 'add' or 'remove' is expected, found {operation!r}.")
    if isinstance(requirement_list, str) or not all(isinstance(each, str) and package_of(each) for each in requirement_list):
        raise UsageError(
            f"requirement_list: a list of requirements such as numpy==1.26.4 is expected, found {requirement_list!r}."
        )
    if uri.startswith(MODELS):
        raise UsageError(
            f"{uri}: a version is what its digest says. Log the model again with other requirements, and register that."
        )
    if not uri.startswith(RECORDED):
        _change(Path(download_artifacts(uri)), operation, requirement_list)
        return
    run_id, _, path = uri.removeprefix("runs:/").lstrip("/").partition("/")
    active = fluent.active_run()
    if active is None or active.info.run_id != run_id:
        raise StateError(f"{uri}: the run has ended, and its record stands. Log the model again with other requirements.")
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        for file in _change(Path(download_artifacts(uri, dst_path=folder)), operation, requirement_list):
            fluent_logging.log_artifact(str(file), path.rstrip("/") or None)


def _change(folder: Path, operation: str, requirements: Sequence[str]) -> list[Path]:
    """Change the files of a folder, and return those that were."""
    import yaml

    made = []
    if (folder / _PIP).is_file():
        lines = (folder / _PIP).read_text("utf-8").splitlines()
        (folder / _PIP).write_text("\n".join(_changed(lines, operation, requirements)), "utf-8")
        made.append(folder / _PIP)
    if (folder / _CONDA).is_file():
        said = yaml.safe_load((folder / _CONDA).read_text("utf-8"))
        _change_conda(said, operation, requirements, folder / _CONDA)
        (folder / _CONDA).write_bytes(render_yaml(said))
        made.append(folder / _CONDA)
    if not made:
        raise UsageError(f"{folder}: there is no {_PIP} and no {_CONDA} here: this is no folder of a model.")
    return made


def _change_conda(said: Any, operation: str, requirements: Sequence[str], file: Path) -> None:
    if not isinstance(said, dict) or not isinstance(said.get("dependencies"), list):
        raise DamagedError(f"{file}: dependencies: a list is expected.")
    for each in said["dependencies"]:
        if isinstance(each, dict) and isinstance(each.get("pip"), list):
            each["pip"] = _changed(each["pip"], operation, requirements)
            return
    if operation == "add":
        said["dependencies"].append({"pip": list(requirements)})


def _changed(lines: Sequence[str], operation: str, requirements: Sequence[str]) -> list[str]:
    """Return lines of requirements without those of the packages named, and with these at the end where they are added."""
    named = {package_of(each) for each in requirements}
    kept = [line for line in lines if not line.strip() or line.strip().startswith(("#", "-")) or package_of(line) not in named]
    return [*kept, *requirements] if operation == "add" else kept
