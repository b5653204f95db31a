"""How a recorded run is started again: command, folder, variables; or why it cannot be.

>>> Start(("{python}", "train.py", "--depth", "5")).argv("/env/bin/python")
['/env/bin/python', 'train.py', '--depth', '5']
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.gitstore.repo import Repo
from runfolio.records.redaction import MASK
from runfolio.records.runs import Run
from runfolio.records.sweeps import METRICS_TAG
from runfolio.reproduction.asking import CannotRunError

PYTHON = "{python}"
CELLS = "cells.py"
_MAGIC = re.compile(r"^\s*(?:[%!?]|\S+\?\s*$)", re.MULTILINE)
_CUT = re.compile(r"… and \d+ more\Z")


@dataclass(frozen=True, slots=True)
class Start:
    """A command that makes a run again.

    Parameters
    ----------
    words : tuple of str
        The command; ``{python}`` stands for the environment's.
    shown : tuple of str
        The command as it may be recorded, secrets masked.
    folder : str
        Working folder from the code's root.
    variables : Mapping of str to str
        Of its environment.
    cells : str
        Code that is in no file of the tree, written beside it as ``cells.py``; ``{cells}`` in `words` stands for its path.
    notes : tuple of str
    """

    words: tuple[str, ...]
    shown: tuple[str, ...] = ()
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    cells: str = ""
    notes: tuple[str, ...] = ()

    def argv(self, python: str, cells: str = "") -> list[str]:
        """Return the command for an environment."""
        return [{PYTHON: python, "{cells}": cells}.get(word, word) for word in self.words]


def start_of(repo: Repo, run: Run, experiment: str, root: Path, filled: Mapping[str, str]) -> Start:
    """Work out how a run is started again.

    Parameters
    ----------
    repo : Repo
        That keeps the code.
    run : Run
    experiment : str
        Name of its experiment.
    root : Path
        Where its code lies now.
    filled : Mapping of str to str
        Values for what the record has as ``***``, by the option's name.

    Raises
    ------
    UsageError
        If a masked argument has no value.
    CannotRunError
        If the record does not say how.
    """
    entry = run.entry
    script, kind = str(entry.get("script", "")), str(entry.get("type", "LOCAL"))
    recorded = [str(item) for item in entry.get("args", ())]
    if recorded and _CUT.match(recorded[-1]):
        raise CannotRunError(f"the record keeps the first {len(recorded) - 1} arguments only ({recorded[-1]})")
    if not script:
        raise CannotRunError("the record does not say what was started: the run was made through the client API, or imported")
    if kind == "PROGRAM" and METRICS_TAG in run.tags:
        raise CannotRunError(
            "it is a sweep of many runs: make one of its trials again. They are told by: runfolio sweep --show RUN"
        )
    args = _expanded(with_values(recorded, filled))
    folder, notes = str(entry.get("cwd", "")), []
    if folder == "..":
        folder = ""
        notes.append("the run was started from outside its repository: it ran in the repository's root")
    variables = {"PYTHONHASHSEED": str(entry["hash_seed"])} if entry.get("hash_seed") else {}
    variables["RUNFOLIO_EXPERIMENT_NAME"] = experiment
    for key, value in entry.get("env", {}).items():
        if MASK in str(value):
            notes.append(f"the variable {key} held a secret: it is taken from the environment here")
        else:
            variables[str(key)] = str(value)
    if kind == "NOTEBOOK" or script in ("-c", "ipython"):
        return _of_cells(repo, run, script, recorded, args, folder, variables, notes)
    if script == "<stdin>":
        raise CannotRunError("its program came from standard input, which is not recorded. Save it as a file and run that")
    words = _words(run, script, kind, experiment, root, folder)
    return Start((*words, *args), (*_shown(words, root), *recorded), folder, variables, "", tuple(notes))


def _words(run: Run, script: str, kind: str, experiment: str, root: Path, folder: str) -> tuple[str, ...]:
    file = root / script
    here = os.path.relpath(file, root / folder) if file.is_file() else ""
    if kind == "PROGRAM":
        named = ("--name", run.name) if run.name else ()
        program = str(file) if here else script
        return PYTHON, "-m", "runfolio", "record", "--experiment", experiment, *named, "--", program
    if kind == "PROJECT":
        if not here:
            raise CannotRunError(f"{script}, whose project was run, is not in the recorded code")
        # The environment is made already; the entry point and its parameters are the arguments.
        named = ("--run-name", run.name) if run.name else ()
        return (
            PYTHON,
            "-m",
            "runfolio",
            "run",
            str(file.parent),
            "--env-manager",
            "local",
            "--experiment-name",
            experiment,
            *named,
        )
    if run.entry.get("module"):
        return PYTHON, "-m", str(run.entry["module"])
    if here:
        return PYTHON, here
    if "/" in script or script.endswith((".py", ".ipynb")):
        raise CannotRunError(f"{script}, which was started, is not in the recorded code")
    return (script,)  # a program that a package of the environment brings


def _shown(words: Sequence[str], root: Path) -> tuple[str, ...]:
    return tuple(word.replace(f"{root}/", "").replace(PYTHON, "python") for word in words)


def _of_cells(
    repo: Repo,
    run: Run,
    script: str,
    recorded: list[str],
    args: list[str],
    folder: str,
    variables: dict[str, str],
    notes: list[str],
) -> Start:
    """Start the cells of a notebook, or the text after ``python -c``."""
    tree = str(run.code.get("cells", ""))
    data = repo.read(f"{tree}:{CELLS}") if tree else None
    if data is None:
        why = "is not in this clone: runfolio sync" if tree else "was not kept (capture.notebook is off, or no folio was at hand)"
        raise CannotRunError(f"its code, which was in no file, {why}")
    text = data.decode("utf-8", "replace")
    if MASK in text:
        raise CannotRunError(
            f"its code held a secret, which was replaced by {MASK}. Read secrets from the environment, and run it anew"
        )
    if script == "-c":
        return Start((PYTHON, "-c", text, *args), ("python", "-c", "…", *recorded), folder, variables, "", tuple(notes))
    # In a notebook the working folder is on the path, and nothing has a display.
    variables = {**variables, "PYTHONPATH": ".", "MPLBACKEND": "Agg"}
    count = text.count("# In [")
    notes.append(f"a notebook: the {count} cells that had been run when the run started ran again, as one script")
    if _MAGIC.search(text):
        words = (PYTHON, "-m", "IPython", "--no-banner", "--colors=NoColor", "{cells}")
        return Start(words, ("ipython", "cells.ipy"), folder, variables, text, tuple(notes))
    return Start((PYTHON, "{cells}"), ("python", CELLS), folder, variables, text, tuple(notes))


def masked(args: Sequence[str]) -> list[tuple[int, str]]:
    """Return place and name of each argument that the record has masked.

    >>> masked(["--api-key", "***", "--token=***", "x"])
    [(1, '--api-key'), (2, '--token')]
    """
    found = []
    for at, arg in enumerate(args):
        if MASK in arg:
            before = args[at - 1] if at else ""
            name = before if arg == MASK and before.startswith("-") else arg.partition("=")[0] if "=" in arg else ""
            found.append((at, name if name and MASK not in name else f"argument {at + 1}"))
    return found


def with_values(args: Sequence[str], filled: Mapping[str, str]) -> list[str]:
    """Put values in the place of what is masked.

    Raises
    ------
    UsageError
        If one has no value, or a value is for nothing that is masked.
    """
    made, lacking, used = list(args), [], set()
    for at, name in masked(args):
        key = next((key for key in (name, _key(name)) if key in filled), None)
        if key is None:
            lacking.append(name)
        else:
            used.add(key)
            made[at] = args[at].replace(MASK, filled[key])
    if lacking:
        one = "the value" if len(lacking) == 1 else "the values"
        raise UsageError(
            f"The record has {MASK} in the place of {one} of {', '.join(lacking)}: a secret is never recorded. Give it: "
            f"--fill {_key(lacking[0])}=VALUE, or =@NAME to read it from the environment variable NAME."
        )
    strange = set(filled) - used
    if strange:
        raise UsageError(f"--fill {min(strange)}: the record has nothing masked of that name.")
    return made


def _key(name: str) -> str:
    return name.lstrip("-").replace(" ", "-")


def _expanded(args: Sequence[str]) -> list[str]:
    """Return arguments with the home folder, which the record has as ``~``."""
    home = os.path.expanduser("~")
    made = []
    for arg in args:
        head, sign, tail = arg.partition("=")
        if arg == "~" or arg.startswith("~/"):
            arg = home + arg[1:]
        elif sign and (tail == "~" or tail.startswith("~/")):
            arg = f"{head}={home}{tail[1:]}"
        made.append(arg)
    return made
