"""What an environment is to hold: lines of requirements, a Python, and what runfolio needs in it."""

from __future__ import annotations

import re

from runfolio._dataclass import dataclass
from runfolio.environments.missing import Missing
from runfolio.errors import UsageError

LOCAL, VIRTUALENV, UV, CONDA = "local", "virtualenv", "uv", "conda"
MANAGERS = (LOCAL, VIRTUALENV, UV, CONDA)
LOGGING_NEEDS = ("click>=8.1", "pyyaml>=6.0")
"""What runfolio needs to log to a run, from Python and from the shell."""

_PYTHON = re.compile(r"\d+(?:\.\d+){0,2}\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SEPARATORS = re.compile(r"[-_.]+")
_REASONS = {
    "# editable install": "it was installed from a folder of its author's (editable): no index has that code",
    "# from a local file": "it was installed from a file of its author's: no index has that code",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An environment as it is wanted.

    Parameters
    ----------
    lines : tuple of str
        As in a file of requirements: ``name==version``, ``name @ git+https://…@commit``, options such as ``--index-url``. Lines of a
        recorded lock may end in a comment that says that the package came from a local folder.
    python : str, optional
        ``3.11.4`` or ``3.11``; the Python at hand by default.
    closed : bool, optional
        The lines name all that is to be installed, as a recorded lock does: nothing is resolved, and versions that do not fit each
        other are installed as they were.
    needs : tuple of str, optional
        What runfolio needs in it; a package that the lines name stays as they say.
    build : tuple of str, optional
        Installed before the lines: pip, setuptools, wheel of a ``python_env``.
    conda : str, optional
        The text of a ``conda.yaml``, for the manager ``conda``.
    content : str, optional
        A digest of files that the lines name: other content is another environment.
    """

    lines: tuple[str, ...] = ()
    python: str = ""
    closed: bool = False
    needs: tuple[str, ...] = LOGGING_NEEDS
    build: tuple[str, ...] = ()
    conda: str = ""
    content: str = ""

    def __post_init__(self) -> None:
        if self.python and not _PYTHON.match(self.python):
            raise UsageError(f"{self.python!r} is no version of Python. Write it as 3.11 or 3.11.4.")

    @property
    def options(self) -> tuple[str, ...]:
        """The lines that are options of the installer."""
        return tuple(line for line in self._plain() if line.startswith("-"))

    @property
    def requirements(self) -> tuple[str, ...]:
        """The lines that an installer is given: without comments, what runfolio stands for, and what no index has."""
        return tuple(
            line for line in self._plain() if not line.startswith("-") and package_of(line) != "runfolio" and not _reason(line)
        )

    @property
    def extra(self) -> tuple[str, ...]:
        """What runfolio needs besides."""
        named = {package_of(line) for line in self._plain()}
        return tuple(line for line in self.needs if package_of(line) not in named)

    @property
    def never(self) -> tuple[Missing, ...]:
        """The lines that say themselves that no index has the package."""
        lines = [line for line in self._plain() if package_of(line) != "runfolio"]
        return tuple(Missing(line.partition("#")[0].strip(), reason) for line in lines if (reason := _reason(line)))

    def _plain(self) -> list[str]:
        return [line.strip() for line in self.lines if line.strip() and not line.strip().startswith("#")]


def package_of(line: str) -> str:
    """Return the name of the package that a line asks for, in its normal form (PEP 503); empty for an option or a path.

    Examples
    --------
    >>> package_of("Scikit_Learn[alldeps]>=1.4; python_version > '3.9'")
    'scikit-learn'
    """
    found = _NAME.match(line)
    return _SEPARATORS.sub("-", found[0]).lower() if found else ""


def _reason(line: str) -> str:
    return next((reason for mark, reason in _REASONS.items() if line.endswith(mark)), "")
