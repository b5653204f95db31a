"""Make an environment, or find it made.

The order: create, put runfolio in (so that a package that needs runfolio finds it), install, put runfolio in again, say that it is
whole.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from runfolio.environments import own
from runfolio.environments.cache import NAME_LENGTH, cache_folder, clear, locked, mark_used, read_facts, write_facts
from runfolio.environments.environment import Environment
from runfolio.environments.installing import Installer, program_of, why
from runfolio.environments.missing import EnvironmentFailedError, Missing, lines_not_had, told
from runfolio.environments.pythons import Interpreter, asked, at_hand, exact_python, find_python
from runfolio.environments.wanted import CONDA, LOCAL, MANAGERS, UV, Wanted
from runfolio.errors import UsageError, storage_errors
from runfolio.records.redaction import Redactor

SCHEMA = 1
"""Goes into every digest: another number makes all environments anew."""


def make_environment(
    wanted: Wanted,
    manager: str,
    *,
    tell: Callable[[str], None] = lambda _: None,
    base: Path | None = None,
    without_missing: bool = False,
) -> Environment:
    """Return an environment, made now or before.

    Parameters
    ----------
    wanted : Wanted
    manager : {"local", "virtualenv", "uv", "conda"}
        ``local`` is the Python at hand with what is installed in it.
    tell : callable, optional
        Told of what takes long.
    base : Path, optional
        Where relative paths in the lines begin; the current folder by default.
    without_missing : bool, optional
        Make it without what cannot be had, and name that in :attr:`Environment.unavailable`; by default it is an error.

    Raises
    ------
    EnvironmentFailedError
        If it cannot be made: with every requirement that cannot be had, and why.
    MissingPackageError
        If the manager's program is not here.
    """
    if manager not in MANAGERS:
        raise UsageError(f"There is no env manager {manager!r}. Choose one of: {', '.join(MANAGERS)}.")
    if manager == LOCAL:
        here = at_hand()
        return Environment(Path(here.path), LOCAL, version=here.version)
    if wanted.never and not without_missing:
        raise _failed(wanted.never)
    interpreter, notice = _interpreter(wanted, manager)
    digest = _digest(wanted, manager, interpreter, without_missing)
    place = cache_folder() / digest[:NAME_LENGTH]
    found = _found(place, manager, digest)
    if found is not None:
        return found
    with storage_errors(f"make the environment {place}"), locked(place) as lock:
        found = _found(place, manager, digest)  # whom we waited for has made it
        if found is not None:
            return found
        clear(place)
        count = len(wanted.requirements) + len(wanted.extra)
        tell(f"making an environment of {count} requirement{'s' * (count != 1)} with {manager} in {place}")
        began = time.monotonic()
        try:
            installer = Installer(manager, place, base or Path.cwd(), (lock,))
            left_out = _fill(installer, place, wanted, interpreter, without_missing, tell)
            _finish(place, wanted, manager, [*wanted.never, *left_out], [notice] if notice else [])
        except BaseException:
            clear(place)
            raise
        tell(f"made in {time.monotonic() - began:.0f} s")
        found = _found(place, manager, digest, made=True)
        assert found is not None
        return found


def _interpreter(wanted: Wanted, manager: str) -> tuple[Interpreter, str]:
    if manager == CONDA:
        return Interpreter("", wanted.python or at_hand().version), ""
    if manager == UV and wanted.python:
        return exact_python(wanted.python) or Interpreter(wanted.python, wanted.python), ""  # uv may fetch it
    return find_python(wanted.python)


def _digest(wanted: Wanted, manager: str, interpreter: Interpreter, without_missing: bool) -> str:
    text = json.dumps(
        [
            SCHEMA, manager, program_of(manager), interpreter.path, interpreter.version, own.identity(), wanted.options, wanted.build,
            wanted.requirements, wanted.extra, wanted.closed, wanted.conda, wanted.content, without_missing,
            [item.line for item in wanted.never],
        ]
    )  # fmt: skip
    return hashlib.sha256(text.encode()).hexdigest()


def _found(place: Path, manager: str, digest: str, *, made: bool = False) -> Environment | None:
    """Return an environment that is whole, and whose Python and runfolio are where they were."""
    facts = read_facts(place)
    python = place / "bin" / "python"
    if facts is None or not python.exists() or not own.is_in(place):
        return None
    mark_used(place)
    return Environment(
        python, manager, digest, place, made, str(facts.get("python", "")), tuple(facts.get("unavailable", ())),
        tuple(facts.get("notices", ())),
    )  # fmt: skip


def _fill(
    installer: Installer,
    place: Path,
    wanted: Wanted,
    interpreter: Interpreter,
    without_missing: bool,
    tell: Callable[[str], None],
) -> list[Missing]:
    """Make it and install; returns what could not be had."""
    installer.create(interpreter.path, wanted)
    own.put_in(place)
    if installer.install(wanted.build, wanted.options, closed=False):
        raise _failed(lines_not_had(wanted.build, lambda some: _why(installer, some, wanted.options)), "")
    lines = [*wanted.requirements, *wanted.extra] if not wanted.conda else list(wanted.extra)
    left_out: list[Missing] = []
    said = installer.install(lines, wanted.options, closed=wanted.closed)
    if said:
        tell("it failed: finding out which requirements cannot be had")
        left_out = lines_not_had(lines, lambda some: _why(installer, some, wanted.options))
        gone = {item.line for item in left_out}
        rest = [line for line in lines if line not in gone]
        if not without_missing or not left_out:
            raise _failed([*wanted.never, *left_out], said)
        said = installer.install(rest, wanted.options, closed=wanted.closed)
        if said:
            raise _failed([*wanted.never, *left_out], said)
    own.put_in(place)
    return left_out


def _why(installer: Installer, lines: Sequence[str], options: Sequence[str]) -> str:
    said = installer.attempt(lines, options)
    return why(said) if said else ""


def _failed(missing: Sequence[Missing], said: str = "") -> EnvironmentFailedError:
    if not missing:
        return EnvironmentFailedError(
            f"The environment could not be made, though each requirement can be had for itself:\n{said}\n"
            "Mend the requirements so that they fit each other."
        )
    many = "1 requirement" if len(missing) == 1 else f"{len(missing)} requirements"
    return EnvironmentFailedError(
        f"The environment could not be made: {many} cannot be had:\n{told(missing)}\n"
        "Mend the requirements, or make the packages available to pip (its settings are as you have them).",
        missing,
    )


def _finish(place: Path, wanted: Wanted, manager: str, left_out: Sequence[Missing], notices: Sequence[str]) -> None:
    hidden = Redactor(home=str(Path.home()))
    python = asked(str(place / "bin" / "python"))
    if python is None:
        raise EnvironmentFailedError(f"{place}: the environment was made, and its Python does not start.")
    facts = {
        "schema": SCHEMA,
        "manager": manager,
        "python": python.version,
        "lines": [hidden.text(line) for line in (*wanted.options, *wanted.build, *wanted.requirements, *wanted.extra)],
        "unavailable": [str(item) for item in left_out],
        "notices": list(notices),
    }
    write_facts(place, facts)
