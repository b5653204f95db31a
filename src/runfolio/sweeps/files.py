"""A sweep in a file: what ``runfolio sweep FILE.yaml`` reads. docs/how-to/sweeps.md shows every field.

>>> found = read_sweep_file(b'''
... command: python train.py --depth={depth}
... metrics: {accuracy: maximize}
... space: {depth: {type: int, low: 2, high: 12}}
... trials: 20
... ''', "sweep.yaml")
>>> found.objective.arguments
('python', 'train.py', '--depth={depth}')

Every mistake of a file is told at once, each with its line and field.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, RunfolioError, UsageError
from runfolio.formats.durations import parse_duration
from runfolio.formats.fields import FieldReader, mapping, some_text, text, whole
from runfolio.formats.yaml import read_yaml
from runfolio.sweeps.objectives import Command, Imported, Objective
from runfolio.sweeps.samplers import choose_pruner, choose_sampler
from runfolio.sweeps.settings import read_metrics, read_replicates
from runfolio.sweeps.space import Space, read_space

FIELDS = (
    "name", "experiment", "description", "command", "function", "project", "space", "metrics", "direction", "sampler", "pruner",
    "trials", "timeout", "replicates", "seed", "jobs", "engine", "address", "engine_config", "attempts", "tags",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SweepFile:
    """What a file says; None where it says nothing.

    Parameters
    ----------
    objective : Objective
    arguments : Mapping
        Of :func:`runfolio.sweep`, by name.
    """

    objective: Objective
    arguments: Mapping[str, Any]


def read_sweep_file(data: bytes, where: str) -> SweepFile:
    """Read a file.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for messages.

    Raises
    ------
    UsageError
        With every mistake, a line each.
    """
    try:
        document = read_yaml(data, where)
        top = FieldReader(document, where)
        top.only(FIELDS)
        made = {
            "name": top.read("name", some_text, None),
            "experiment_name": top.read("experiment", some_text, None),
            "trials": top.read("trials", whole(1), None),
            "timeout": top.read("timeout", _span, None),
            "n_jobs": top.read("jobs", _jobs, None),
            "seed": top.read("seed", whole(), None),
            "engine": top.read("engine", some_text, None),
            "address": top.read("address", some_text, None),
            "engine_config": top.read("engine_config", mapping, None),
            "attempts": top.read("attempts", whole(1), None),
            "sampler": top.read("sampler", _checked(choose_sampler), None),
            "pruner": top.read("pruner", _checked(choose_pruner), None),
            "replicates": top.read("replicates", _checked(read_replicates), None),
            "run_tags": top.read("tags", _tags, None),
        }
        note = top.read("description", text, None)
        if note:
            made["run_tags"] = {**(made["run_tags"] or {}), "mlflow.note.content": note}
        made["space"] = _space(top)
        made["metrics"] = _metrics(top)
        objective = _objective(top, made)
        top.report()
    except DamagedError as error:
        raise UsageError(error.message) from None
    assert objective is not None
    return SweepFile(objective, {key: value for key, value in made.items() if value is not None})


def _checked(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a reader whose errors are told with the line of the field, and not with its name twice."""

    def read(value: Any) -> Any:
        try:
            return reader(value)
        except UsageError as error:
            raise ValueError(error.message.split(": ", 1)[-1]) from None

    return read


def _span(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
        return float(value)
    try:
        return float(parse_duration(value))
    except UsageError as error:
        raise ValueError(error.message) from None


def _jobs(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < -1 or value == 0:
        raise ValueError(f"a number from 1, or -1 for all processors, is expected, found {value!r}")
    return value


def _tags(value: Any) -> dict[str, str]:
    return {str(key): str(each) for key, each in mapping(value).items()}


def _space(top: FieldReader) -> Space | None:
    said = top.value.get("space")
    if said is None:
        return None
    if not isinstance(said, dict):
        top.fault(("space",), "a param on each line is expected, such as depth: {type: int, low: 2, high: 12}")
        return {}
    return read_space(said, lambda path, what: top.fault(("space", *path), what))


def _metrics(top: FieldReader) -> Mapping[str, str] | None:
    said, way = top.value.get("metrics"), top.value.get("direction")
    if said is None and way is None:
        return None
    try:
        return dict(read_metrics(said, way))
    except RunfolioError as error:
        top.fault(("metrics",) if said is not None else ("direction",), error.message.rstrip("."))
    except TypeError:
        top.fault(("metrics",), "names are expected, each with minimize or maximize")
    return None


def _objective(top: FieldReader, made: Mapping[str, Any]) -> Objective | None:
    given = [key for key in ("command", "function", "project") if top.value.get(key) is not None]
    if len(given) != 1:
        top.fault((given[1],) if given else (), "one of command, function and project says what a trial runs; " + (
            f"{' and '.join(given)} are there" if given else "none is there"
        ))  # fmt: skip
        return None
    names = [*(made["space"] or {}), *([made["replicates"].param] if made["replicates"] else [])]
    if given == ["function"]:
        return top.read("function", lambda value: Imported(_reference(value)), None)
    reader = _command if given == ["command"] else lambda value: _project(value, names)
    found: Command | None = top.read(given[0], reader, None)
    if found is not None:
        for name in found.unknown(names):
            top.fault((given[0],), f"there is no param for {{{name}}}; known: {', '.join(names) or 'none'}")
        if made["space"] is None:
            top.fault((), "space: a command draws no params itself: say what each may be")
    return found


def _reference(value: Any) -> str:
    if not isinstance(value, str) or value.count(":") != 1 or not all(value.split(":")):
        raise ValueError(f"module:function is expected, such as train:objective, found {value!r}")
    return value


def _command(value: Any) -> Command:
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"its quotes do not fit: {error}") from None
    if not isinstance(value, list) or not value:
        raise ValueError("a command, or a list of its arguments, is expected")
    return Command(tuple(each if isinstance(each, str) else str(each) for each in value))


def _project(value: Any, names: list[str]) -> Command:
    said = {"uri": value} if isinstance(value, str) else mapping(value)
    unknown = [key for key in said if key not in ("uri", "entry_point", "version", "env_manager")]
    if unknown or not isinstance(said.get("uri"), str):
        raise ValueError("a folder or address, or uri, entry_point, version and env_manager are expected")
    made = [sys.executable, "-m", "runfolio", "run", "--run-id={run_id}"]
    for option, key in (("--entry-point", "entry_point"), ("--version", "version"), ("--env-manager", "env_manager")):
        if said.get(key) is not None:
            made.append(f"{option}={said[key]}".replace("{", "{{").replace("}", "}}"))
    for name in names:
        made += ["-P", f"{name}={{{name}}}"]
    return Command((*made, "--", said["uri"].replace("{", "{{").replace("}", "}}")), records=True)
