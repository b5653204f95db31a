"""The environment of a run: made of its recorded lock, and compared with the one in which it ran again.

A package that was installed from the repository's own folder (``pip install -e .``) is no package that an index has: its code is the
recorded code, and it is put on the path.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.environments import LOCAL, VIRTUALENV, Environment, EnvironmentFailedError, Wanted, make_environment
from runfolio.errors import MissingPackageError
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.records.runs import Run
from runfolio.reproduction.asking import CannotRunError

_LOCAL_MARKS = ("# editable install", "# from a local file")
_NAME = re.compile(r"""^\s*name\s*=\s*["']([A-Za-z0-9._-]+)["']""", re.MULTILINE)
_SETUP_NAME = re.compile(r"""\bname\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_INSTALLERS = frozenset(("pip", "setuptools", "wheel", "uv", "virtualenv", "distribute"))
_FACTS = ("python", "implementation", "platform")
_DEEP = 3


@dataclass(frozen=True, slots=True)
class Surroundings:
    """An environment for a run.

    Parameters
    ----------
    environment : Environment
    paths : tuple of str
        Folders of the code that stand for packages that were installed from it.
    notes : tuple of str
    """

    environment: Environment
    paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def lock_of(folio: Folio, run: Run) -> str | None:
    """Return the package list that a run names, or None where it names none, or it is not there."""
    name = str(run.environment.get("lock", ""))
    data = folio.place.read(folio.place.tip(), paths.environment_path(name)) if name else None
    if data is None and name:
        data = folio.spool.environment(name)
    return None if data is None else data.decode("utf-8", "replace")


def chosen_manager(folio: Folio, run: Run) -> str:
    """Return ``local`` where the Python at hand is just what the run had; else ``virtualenv``."""
    from runfolio.tracking.packages import installed, lock_name

    here = "{}.{}.{}".format(*sys.version_info[:3])
    same = run.environment.get("python") == here and run.environment.get("lock") == lock_name(installed())
    return LOCAL if same else VIRTUALENV


def surroundings_of(folio: Folio, run: Run, manager: str, root: Path, tell: Callable[[str], None]) -> Surroundings:
    """Make, or find, the environment of a run.

    Parameters
    ----------
    folio : Folio
    run : Run
    manager : {"local", "virtualenv", "uv", "conda"}
    root : Path
        The recorded code.
    tell : callable
        Told of what takes long.

    Raises
    ------
    CannotRunError
        With each package that cannot be had, and why.
    """
    lock = lock_of(folio, run)
    if manager == LOCAL:
        return Surroundings(make_environment(Wanted(), LOCAL, tell=tell), tuple(_own(lock or "", root).values()))
    if lock is None:
        named = run.environment.get("lock")
        why = f"the package list environments/{named}.txt is not there" if named else "the record names no package list"
        raise CannotRunError(f"the environment cannot be made: {why}. Use what is installed here: --env-manager local")
    own = _own(lock, root)
    lines = tuple(line for line in lock.splitlines() if _package(line) not in own)
    wanted = Wanted(lines, python=str(run.environment.get("python", "")), closed=True)
    try:
        made = make_environment(wanted, manager, tell=tell)
    except (EnvironmentFailedError, MissingPackageError) as error:
        raise CannotRunError(error.message) from None
    notes = [f"{name} was installed from a folder: its code is the recorded code" for name in own]
    return Surroundings(made, tuple(own.values()), (*notes, *made.notices))


def packages_of(lock: str) -> dict[str, str]:
    """Return the version, or the address, of each package in a list; without runfolio's own.

    >>> packages_of("numpy==2.4.0\\nrunfolio==0.1.0  # editable install\\ntools @ git+https://x/y@1\\n")
    {'numpy': '2.4.0', 'tools': 'git+https://x/y@1'}
    """
    made = {}
    for line in lock.splitlines():
        text = line.partition("  #")[0].strip()
        name, sign, version = text.partition("==") if "==" in text else text.partition(" @ ")
        name = _normal(name)
        if sign and name and name != "runfolio":
            made[name] = version.strip()
    return made


def changed_packages(old: str, new: str) -> dict[str, tuple[str, str]]:
    """Return the packages that two lists say different things of; installers count only where both have them."""
    before, after = packages_of(old), packages_of(new)
    made = {}
    for name in sorted(before.keys() | after.keys()):
        pair = before.get(name, ""), after.get(name, "")
        if pair[0] != pair[1] and (all(pair) or name not in _INSTALLERS):
            made[name] = pair
    return made


def changed_facts(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Return Python, its kind and the platform, where they differ."""
    return {key: (str(old[key]), str(new[key])) for key in _FACTS if old.get(key) and new.get(key) and old[key] != new[key]}


def _own(lock: str, root: Path) -> dict[str, str]:
    """Return the packages of a list that were installed from the code itself, with the folder that holds their modules."""
    names = {_package(line) for line in lock.splitlines() if line.rstrip().endswith(_LOCAL_MARKS)} - {"runfolio"}
    found: dict[str, str] = {}
    if not names:
        return found
    for project in _projects(root):
        name = _normal(_name_in(project))
        if name in names and name not in found:
            folder = project.parent
            found[name] = str(folder / "src" if (folder / "src").is_dir() else folder)
    return found


def _projects(root: Path) -> list[Path]:
    patterns = ["/".join(("*",) * depth) for depth in range(1, _DEEP)]
    files = [root / name for name in ("pyproject.toml", "setup.cfg", "setup.py")]
    for pattern in patterns:
        files += sorted(root.glob(f"{pattern}/pyproject.toml")) + sorted(root.glob(f"{pattern}/setup.*"))
    return [file for file in files if file.is_file() and file.name in ("pyproject.toml", "setup.cfg", "setup.py")]


def _name_in(file: Path) -> str:
    text = file.read_text("utf-8", "replace")
    if file.name == "setup.cfg":
        match = re.search(r"^\s*name\s*=\s*([A-Za-z0-9._-]+)\s*$", text, re.MULTILINE)
    else:
        match = (_NAME if file.name == "pyproject.toml" else _SETUP_NAME).search(text)
    return match[1] if match else ""


def _package(line: str) -> str:
    return _normal(re.split(r"==| @ |\s", line.strip(), maxsplit=1)[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def obtainable(run: Run, lock: str) -> list[str] | None:
    """Ask the package index for every package of a list; return those that cannot be had, each with its reason.

    Nothing is installed: each line is resolved by itself, and the installer stops before it would. None where there is neither
    pip nor uv to ask.
    """
    asking = _installer()
    if asking is None:
        return None
    wanted = Wanted(tuple(lock.splitlines()), python=str(run.environment.get("python", "")), closed=True)
    made = [f"{item.line}: {item.reason}" for item in wanted.never]
    for line in wanted.requirements:
        done = subprocess.run([*asking, line], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            said = [text.strip() for text in done.stderr.splitlines() if text.strip()]
            made.append(f"{line}: {said[-1].removeprefix('ERROR: ') if said else f'it ended with {done.returncode}'}")
    return made


def _installer() -> list[str] | None:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", "--quiet"]
    uv = shutil.which("uv")
    return [uv, "pip", "install", "--dry-run", "--no-deps", "--reinstall", "--quiet", "--python", sys.executable] if uv else None
