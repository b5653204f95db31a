"""What the files ``dvc.yaml``, ``dvc.lock`` and ``*.dvc`` of a revision declare: params, metrics, plots, what was made and what was read.

Paths are from the root of the revision. What a template or an unknown form hides is told, never guessed.
"""

from __future__ import annotations

import json
import posixpath
import sys
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError
from runfolio.formats.dvc import DvcOut, is_dvc, read_dvc
from runfolio.formats.yaml import load_yaml
from runfolio.transfer.dvc.trees import Files

MOST_BYTES = 4 << 20
_YAML, _JSON, _TOML = (".yaml", ".yml"), (".json",), (".toml",)


@dataclass(slots=True)
class Declared:
    """What a revision declares.

    Parameters
    ----------
    params, metrics, plots : list of str
        Files; a plot may be a folder.
    commands : dict of str to str
        Of the stages.
    made, read : list of DvcOut
        What stages and dvclive made; other files that DVC tracks: data.
    artifacts : dict of str to dict
        Named ones, as ``dvc.yaml`` has them, with their path.
    """

    params: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    plots: list[str] = field(default_factory=list)
    commands: dict[str, str] = field(default_factory=dict)
    made: list[DvcOut] = field(default_factory=list)
    read: list[DvcOut] = field(default_factory=list)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)


def declared_of(files: Files, tell: Callable[[str], None]) -> Declared:
    """Read what a revision declares; `tell` is given what could not be read."""
    made = Declared()
    for path in files.paths:
        if posixpath.basename(path) == "dvc.yaml":
            value = structure(files, path, tell)
            if isinstance(value, dict):
                _pipeline(value, posixpath.dirname(path), made, tell)
    folders = {posixpath.dirname(path) for path in files.paths if posixpath.basename(path) == "dvc.yaml"} | {""}
    defaults = [path for folder in sorted(folders) if (path := posixpath.join(folder, "params.yaml")) in files.paths]
    made.params[:] = list(dict.fromkeys([*defaults, *made.params]))
    made.metrics[:], made.plots[:] = list(dict.fromkeys(made.metrics)), list(dict.fromkeys(made.plots))
    _tracked(files, made, tell)
    return made


def _pipeline(value: dict[str, Any], folder: str, made: Declared, tell: Callable[[str], None]) -> None:
    where = posixpath.join(folder, "dvc.yaml")

    def paths(found: Any) -> Iterator[str]:
        for item in found if isinstance(found, list) else [found] if isinstance(found, (str, dict)) else []:
            for name in item if isinstance(item, dict) else [item]:
                if "${" in str(name):
                    tell(f"{where}: {name}: a template is not filled in here; that file is not looked at")
                else:
                    yield posixpath.normpath(posixpath.join(folder, str(name)))

    made.metrics += paths(value.get("metrics"))
    made.plots += paths(value.get("plots"))
    made.params += paths(value.get("params"))
    for name, stage in _mapping(value.get("stages")).items():
        inner = _mapping(stage)
        for one in (inner, _mapping(inner.get("do"))):
            if one.get("cmd"):
                made.commands[name] = "; ".join(one["cmd"]) if isinstance(one["cmd"], list) else str(one["cmd"])
            made.metrics += paths(one.get("metrics"))
            made.plots += paths(one.get("plots"))
            for item in one.get("params") or ():
                files = item if isinstance(item, dict) else [str(item).rpartition(":")[0]]
                made.params += paths([file for file in files if file])
    for name, artifact in _mapping(value.get("artifacts")).items():
        if isinstance(artifact, dict) and isinstance(artifact.get("path"), str):
            path = posixpath.normpath(posixpath.join(folder, artifact["path"]))
            made.artifacts[name] = {**artifact, "path": path}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _tracked(files: Files, made: Declared, tell: Callable[[str], None]) -> None:
    """Tell what was made from what was read: outputs of stages, named artifacts and what lies in a folder of dvclive were made."""
    named = {artifact["path"] for artifact in made.artifacts.values()}
    live = {posixpath.dirname(path) for path in made.metrics}
    for path in files.paths:
        if not is_dvc(path):
            continue
        try:
            outs = read_dvc(files.read(path) or b"", path)
        except DamagedError as error:
            tell(error.message)
            continue
        for out in outs:
            inside = any(folder and out.path.startswith(f"{folder}/") for folder in live)
            (made.made if path.endswith("dvc.lock") or out.path in named or inside else made.read).append(out)


def structure(files: Files, path: str, tell: Callable[[str], None]) -> Any:
    """Return what a YAML, JSON or TOML file says; None where it is missing or cannot be read, which is told."""
    data = files.read(path)
    if data is None:
        return None
    ending = posixpath.splitext(path)[1].lower()
    try:
        if ending in _YAML:
            return load_yaml(data, path, limit=MOST_BYTES)
        if ending in _JSON:
            return json.loads(data)
        if ending in _TOML:
            return _toml(data)
    except DamagedError as error:
        tell(error.message)
    except (ValueError, RecursionError, ImportError) as error:
        tell(f"{path}: it cannot be read: {error}")
    else:
        tell(f"{path}: files with the ending {ending or 'none'} are not read here; its values are not taken")
    return None


def _toml(data: bytes) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib.loads(data.decode())
    raise ImportError("TOML is read by Python 3.11 and newer")
