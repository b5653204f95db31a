"""What a trial calls: a function that is named, carried along or at hand, or a program.

A function that can be imported is named (``train:objective``), so that a worker imports what is installed there. One that was
written in a notebook or in the script itself is carried along by cloudpickle. A program is a list of arguments with ``{name}``
where a param goes: no shell ever sees a value.

>>> Command(("python", "train.py", "--depth={depth}")).filled({"depth": "3; rm -rf /"})
['python', 'train.py', '--depth=3; rm -rf /']
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError, missing_package
from runfolio.formats.fields import suggestion

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
ALL_PARAMS = "{params}"
NUMBER, RUN = "trial", "run_id"


@dataclass(frozen=True, slots=True)
class Called:
    """A function of this process; it goes nowhere else."""

    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """As it is shown."""
        return _name_of(self.function)

    def load(self) -> Callable[..., Any]:
        """Return the function."""
        return self.function


@dataclass(frozen=True, slots=True)
class Imported:
    """A function by where it is.

    Parameters
    ----------
    reference : str
        ``module:function``.
    """

    reference: str

    @property
    def name(self) -> str:
        """As it is shown."""
        return self.reference

    def load(self) -> Callable[..., Any]:
        """Import it.

        Raises
        ------
        UsageError
            If there is no such module or function.
        """
        module, colon, path = self.reference.partition(":")
        if not module or not colon or not path:
            raise UsageError(f"{self.reference!r} names no function. Write module:function, such as train:objective.")
        try:
            found: Any = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module.split(".")[0] and error.name != module:
                raise
            raise UsageError(f"{self.reference}: there is no module {module!r}. Is its folder on PYTHONPATH?") from None
        for part in path.split("."):
            if not hasattr(found, part):
                near = suggestion(part, [name for name in dir(found) if not name.startswith("_")][:200]).split("; known")[0]
                raise UsageError(f"{self.reference}: {module} has no {part!r}{near}.")
            found = getattr(found, part)
        if not callable(found):
            raise UsageError(f"{self.reference} is a {type(found).__name__}, and cannot be called.")
        return found  # type: ignore[no-any-return]  # callable, as was just asked


@dataclass(frozen=True, slots=True)
class Carried:
    """A function carried along: bytes of the sweep's own process, never out of a record.

    Parameters
    ----------
    data : bytes
        By cloudpickle.
    name : str
    """

    data: bytes
    name: str

    def load(self) -> Callable[..., Any]:
        """Unpack it."""
        import pickle

        return pickle.loads(self.data)  # type: ignore[no-any-return]  # noqa: S301 - what our own parent process packed


@dataclass(frozen=True, slots=True)
class Command:
    """A program.

    Parameters
    ----------
    arguments : tuple of str
        With ``{name}`` where a param's value goes, ``{trial}`` for the trial's number, ``{run_id}`` for its run, and ``{params}``, as an
        argument of its own, for ``--name=value`` of each param. ``{{`` and ``}}`` are braces.
    records : bool
        The program goes on with the trial's run by itself, and keeps its output there, as ``runfolio run --run-id`` does.
    """

    arguments: tuple[str, ...]
    records: bool = False

    @property
    def name(self) -> str:
        """As it is shown."""
        return " ".join(self.arguments)

    def filled(self, params: Mapping[str, Any], number: int = 0, run_id: str = "RUN") -> list[str]:
        """Return the arguments with the values in place."""
        known = {NUMBER: number, RUN: run_id, **params}
        made: list[str] = []
        for argument in self.arguments:
            if argument == ALL_PARAMS:
                made += [f"--{name}={_spelled(value)}" for name, value in params.items()]
            else:
                made.append(_PLACE.sub(lambda match: _put(match, known), argument))
        return made

    def unknown(self, names: Iterable[str]) -> list[str]:
        """List the places for which there is no param."""
        known = {NUMBER, RUN, ALL_PARAMS[1:-1], *names}
        found = [match[1] for argument in self.arguments for match in _PLACE.finditer(argument) if match[1] is not None]
        return [name for name in dict.fromkeys(found) if name not in known]


Objective: TypeAlias = "Called | Imported | Carried | Command"


def _put(match: re.Match[str], known: Mapping[str, Any]) -> str:
    if match[1] is None:
        return match[0][0]
    if match[1] not in known:
        raise UsageError(f"command: there is no param {match[1]!r} for {match[0]}{suggestion(match[1], known, '.')}")
    return _spelled(known[match[1]])


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def objective_of(said: Any) -> Objective:
    """Return an objective for what a user gives: a function, ``"module:function"``, or a list of arguments.

    Raises
    ------
    UsageError
        If it is none of them.
    """
    if isinstance(said, (Called, Imported, Carried, Command)):
        return said
    if isinstance(said, str):
        return Imported(said)
    if callable(said):
        return Called(said)
    if isinstance(said, Sequence) and said and all(isinstance(item, str) for item in said):
        return Command(tuple(said))
    raise UsageError(f"The objective is a function, 'module:function', or a list of arguments; this is {type(said).__name__}.")


def portable(objective: Objective) -> Objective:
    """Return an objective that another process can load.

    Raises
    ------
    MissingPackageError
        If a function has to be carried along, and cloudpickle is not installed.
    UsageError
        If it cannot be carried: it holds something that lives in this process only.
    """
    if not isinstance(objective, Called):
        return objective
    function = objective.function
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if module not in (None, "__main__") and "<" not in path:
        found: Any = sys.modules.get(str(module))
        for part in path.split("."):
            found = getattr(found, part, None)
        if found is function:
            return Imported(f"{module}:{path}")
    try:
        import cloudpickle  # type: ignore[import-untyped]
    except ImportError:
        raise missing_package("cloudpickle", "sweeps", "send a function of a script or notebook to other processes") from None
    try:
        return Carried(cloudpickle.dumps(function), objective.name)
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UsageError(
            f"The objective {objective.name} cannot be sent to other processes: {error}. Open files, connections and locks inside it, "
            "or run it in this process (n_jobs=1)."
        ) from None


def _name_of(function: Callable[..., Any]) -> str:
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return f"{module}:{name}" if module and module != "__main__" else str(name)
