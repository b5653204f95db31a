"""Find a Python of a wanted version: the one at hand, those on ``PATH``, those of pyenv.

What it does *not* do: install one. The manager ``uv`` does, where uv is configured to.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.environments.missing import EnvironmentFailedError

_ASK = "import sys; print('%d.%d.%d' % sys.version_info[:3]); print(sys.executable)"
_ASK_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that is here.

    Parameters
    ----------
    path : str
    version : str
        ``3.11.7``.
    """

    path: str
    version: str


def at_hand() -> Interpreter:
    """Return the Python that runs this."""
    return Interpreter(sys.executable, "{}.{}.{}".format(*sys.version_info[:3]))


def find_python(wanted: str) -> tuple[Interpreter, str]:
    """Find a Python, and say where it differs from the wanted one.

    Parameters
    ----------
    wanted : str
        ``3.11``, ``3.11.4``, or empty for the Python at hand. Of another patch release than the wanted one, the newest is taken.

    Returns
    -------
    Interpreter, str
        The second is empty where the version is the wanted one.

    Raises
    ------
    EnvironmentFailedError
        If none of that minor version is here.
    """
    found = _look(wanted)
    if found.exact is not None:
        return found.exact, ""
    if found.near and wanted.count(".") == 2:
        best = max(found.near, key=_order)
        return best, f"Python {wanted} was wanted and is not here: {best.version} is used"
    there = ", ".join(dict.fromkeys(item.version for item in sorted(found.seen, key=_order)))
    raise EnvironmentFailedError(
        f"Python {wanted} is wanted, and is not here. Found: {there}. Install it (pyenv install {wanted}), or let uv fetch it: "
        "--env-manager uv."
    )


def exact_python(wanted: str) -> Interpreter | None:
    """Return a Python of just the wanted version, or None."""
    return _look(wanted).exact


def asked(path: str) -> Interpreter | None:
    """Return the interpreter at a path, as it says itself; None where it does not start."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.splitlines()
    return Interpreter(lines[1], lines[0]) if done.returncode == 0 and len(lines) == 2 else None


@dataclass(frozen=True, slots=True)
class _Seen:
    exact: Interpreter | None
    near: tuple[Interpreter, ...] = ()
    seen: tuple[Interpreter, ...] = ()


def _look(wanted: str) -> _Seen:
    here = at_hand()
    if not wanted or _fits(here.version, wanted):
        return _Seen(here)
    seen = [here]
    for path in _candidates(wanted):
        found = asked(path)
        if found is not None:
            seen.append(found)
            if _fits(found.version, wanted):
                return _Seen(found)
    near = tuple(item for item in seen if _minor(item.version) == _minor(wanted))
    return _Seen(None, near, tuple(seen))


def _order(item: Interpreter) -> list[int]:
    return [int(part) for part in item.version.split(".")]


def _candidates(wanted: str) -> Iterator[str]:
    parts = wanted.split(".")
    names = [f"python{'.'.join(parts[:2])}", f"python{parts[0]}", "python"]
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for folder in sorted(root.glob(f"{'.'.join(parts[:2])}*")) if root.is_dir() else ():
        if re.match(r"\d+\.\d+\.\d+\Z", folder.name):
            yield str(folder / "bin" / "python")
    for name in names:
        path = shutil.which(name)
        if path:
            yield path


def _fits(version: str, wanted: str) -> bool:
    return f"{version}.".startswith(f"{wanted}.")


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
