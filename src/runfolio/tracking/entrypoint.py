"""What was started: a script, a module, a notebook, a line of code; and where its code lies.

What it does *not* do: redact. Arguments come as they are; `runfolio.tracking.provenance` redacts them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from runfolio._dataclass import dataclass
from runfolio._typing import Any

LOCAL = "LOCAL"
NOTEBOOK = "NOTEBOOK"


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """How this process was started.

    Parameters
    ----------
    name : str
        Shown where the file is not in a repository: a file name, ``-c``, ``pytest``.
    kind : str
        ``LOCAL``, ``NOTEBOOK``, ``PROJECT`` or ``PROGRAM``, as MLflow names them.
    args : tuple of str
        As given.
    file : Path or None
        The program's own file; None where there is none or it belongs to an installed package.
    inline : str
        Code that is in no file: cells of a notebook so far, the text after ``python -c``.
    interactive : bool
        Whether code may still be changed while the process runs.
    module : str
        The name after ``python -m``; empty where it was started otherwise.
    python : str
        The version of the Python that it runs in, where that is not ours.
    packages : tuple of str
        The folders where that Python finds its packages.
    cwd : str
        Its working folder, where that is not ours.
    env : tuple of (str, str)
        Variables that it alone was given.
    """

    name: str
    kind: str = LOCAL
    args: tuple[str, ...] = ()
    file: Path | None = None
    inline: str = ""
    interactive: bool = False
    module: str = ""
    python: str = ""
    packages: tuple[str, ...] = ()
    cwd: str = ""
    env: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        """Where the code lies: the file's folder, else the working folder."""
        return self.file.parent if self.file else Path.cwd()


def entry_point(given: Mapping[str, Any] | None = None) -> EntryPoint:
    """Find out how this process was started.

    Parameters
    ----------
    given : mapping, optional
        What a caller that started something else says of it: ``script``, ``type``, ``args``, and ``cwd`` where that is another; ``env``,
        variables that it alone was given; of a Python that is not ours ``python`` (its version) and ``packages`` (its folders of packages).

    Returns
    -------
    EntryPoint
    """
    if given is not None:
        return _given(given)
    shell = _shell()
    if shell is not None:
        return _notebook(shell)
    main = sys.modules.get("__main__")
    args = tuple(sys.argv[1:])
    first = sys.argv[0] if sys.argv else ""
    spec: Any = getattr(main, "__spec__", None)
    file = _own_file(_file_of(main) or first)
    if spec is not None and spec.name:
        module = spec.name.removesuffix(".__main__")
        return EntryPoint(module, LOCAL, args, file, module=module)
    if first == "-c":
        return EntryPoint("-c", LOCAL, args, inline=_command_text())
    if first in ("", "-"):
        return EntryPoint("<stdin>", LOCAL, args, interactive=hasattr(sys, "ps1"))
    return EntryPoint(os.path.basename(first), LOCAL, args, file)


def may_be_interactive() -> bool:
    """Tell whether a person may type this process's code as it runs, so that it is another one at each run."""
    return _shell() is not None or hasattr(sys, "ps1")


def _file_of(module: ModuleType | None) -> str | None:
    found = getattr(module, "__file__", None)
    return found if isinstance(found, str) else None


def _given(said: Mapping[str, Any]) -> EntryPoint:
    script = str(said.get("script", ""))
    args = tuple(str(item) for item in said.get("args", ()))
    file = Path(os.path.abspath(script)) if script and os.path.isfile(script) else None
    name, kind = os.path.basename(script) or script, str(said.get("type", LOCAL))
    packages = tuple(str(item) for item in said.get("packages", ()))
    python, cwd = str(said.get("python", "")), str(said.get("cwd", ""))
    env = tuple((str(key), str(value)) for key, value in said.get("env", {}).items())
    return EntryPoint(name, kind, args, _own_file(file), python=python, packages=packages, cwd=cwd, env=env)


@lru_cache(maxsize=8)
def _own_file(file: str | Path | None) -> Path | None:
    """Return a program's file with links resolved, unless it belongs to Python or an installed package.

    Asked at every run of a sweep, and true as it was found first: a process is started by one file, wherever it has gone since.
    """
    if not file or not os.path.isfile(file):
        return None
    plain = os.path.abspath(file)
    if _below_python(plain) and any(plain.startswith(folder + os.sep) for folder in _installed_folders()):
        return None
    return Path(os.path.realpath(plain))


def _below_python(file: str) -> bool:
    """Tell whether a file lies where Python does, and so may be of its own or of a package; Apple's Python has packages elsewhere."""
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    return sys.platform == "darwin" or any(file.startswith(place.rstrip(os.sep) + os.sep) for place in places)


@lru_cache(maxsize=1)
def _installed_folders() -> frozenset[str]:
    import sysconfig  # works them out anew at every question: 1 ms, which would be half of what a short run costs

    found = (sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib", "scripts"))
    return frozenset(folder for folder in found if folder)


def _command_text() -> str:
    """Return what followed ``-c`` when Python was started."""
    given = sys.orig_argv
    for at, word in enumerate(given[1:-1], 1):
        # Short options can be joined (-Bc); the first that ends with c takes the next word.
        if word.startswith("-") and not word.startswith("--") and word.endswith("c"):
            return given[at + 1]
    return ""


def _shell() -> Any:
    """Return IPython's shell if code runs in one. IPython is looked at only if it is there already."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None


def _notebook(shell: Any) -> EntryPoint:
    space: Mapping[str, Any] = getattr(shell, "user_ns", {})
    cells = [str(cell) for cell in space.get("In", ()) if str(cell).strip()]
    inline = "\n\n".join(f"# In [{number}]\n{cell}" for number, cell in enumerate(cells, 1))
    if getattr(shell, "kernel", None) is None:
        return EntryPoint("ipython", LOCAL, (), inline=inline, interactive=True)
    name = space.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or ""
    found = next((path for path in (name, os.path.basename(name)) if path and os.path.isfile(path)), None)
    file = Path(os.path.realpath(found)) if found else None
    return EntryPoint(os.path.basename(name) or "notebook", NOTEBOOK, (), file, inline, True)
