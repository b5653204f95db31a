"""An environment that can be used."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runfolio._dataclass import dataclass

_LEFT_OUT = ("PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "__PYVENV_LAUNCHER__", "UV_PROJECT_ENVIRONMENT")


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that can be used.

    Parameters
    ----------
    python : Path
        Its interpreter.
    manager : {"local", "virtualenv", "uv", "conda"}
    digest : str
        64 hex digits: of the lines, the Python and the manager. Empty for ``local``.
    folder : Path or None
        None for ``local``.
    made : bool
        It was made by this call, and not found.
    version : str
        Of its Python, ``3.11.7``.
    unavailable : tuple of str
        What was wanted and is not in it, each with its reason.
    notices : tuple of str
        What differs from what was wanted.
    """

    python: Path
    manager: str
    digest: str = ""
    folder: Path | None = None
    made: bool = False
    version: str = ""
    unavailable: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def variables(self, outer: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a process that runs in it: its programs come first on ``PATH``.

        Parameters
        ----------
        outer : Mapping
            Those of this process, as a rule.
        """
        if self.folder is None:
            return {**outer, "PATH": _first(self.python.parent, outer)}
        made = {key: value for key, value in outer.items() if key not in _LEFT_OUT}
        made["PATH"] = _first(self.folder / "bin", outer)
        # What the caller's PYTHONPATH names would come before the environment's own packages.
        made.pop("PYTHONPATH", None)
        made["CONDA_PREFIX" if self.manager == "conda" else "VIRTUAL_ENV"] = str(self.folder)
        return made

    @contextmanager
    def held(self) -> Iterator[int | None]:
        """Keep it from being removed meanwhile; yields a file descriptor that a process may inherit, and so go on with the hold."""
        if self.folder is None:
            yield None
            return
        lock = os.open(self.folder.with_name(f"{self.folder.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield lock
        finally:
            os.close(lock)


def _first(folder: Path, outer: Mapping[str, str]) -> str:
    path = outer.get("PATH", os.defpath)
    return f"{folder}{os.pathsep}{path}" if path else str(folder)
