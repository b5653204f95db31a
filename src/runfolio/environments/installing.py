"""The programs that make environments and install into them: venv and pip, uv, conda.

Invariants: lines of requirements reach a program in a file, never as arguments; the programs are as they are configured here, but
for variables that would lead them out of the environment; what they say is shown without passwords.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from runfolio.environments.missing import EnvironmentFailedError
from runfolio.environments.wanted import CONDA, UV, VIRTUALENV, Wanted
from runfolio.errors import MissingPackageError, missing_package
from runfolio.records.redaction import Redactor

_TAIL = 15
_OUTER = (
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "__PYVENV_LAUNCHER__",
)
_CONDAS = ("conda", "mamba", "micromamba")


class Installer:
    """Makes one environment, and installs into it.

    Parameters
    ----------
    manager : {"virtualenv", "uv", "conda"}
    place : Path
        The environment's folder.
    base : Path
        Where relative paths of the lines begin.
    keep_open : tuple of int
        File descriptors that the programs inherit: the lock, so that one that outlives us keeps it.
    """

    def __init__(self, manager: str, place: Path, base: Path, keep_open: tuple[int, ...] = ()) -> None:
        self._manager, self._place, self._base, self._keep_open = manager, place, base, keep_open
        self._program = program_of(manager)

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self._place / "bin" / "python"

    def create(self, interpreter: str, wanted: Wanted) -> None:
        """Make the environment without packages; with conda, with all that its file names.

        Parameters
        ----------
        interpreter : str
            Path of a Python, or a version for uv and conda to find.
        wanted : Wanted
        """
        if self._manager == VIRTUALENV:
            pip = bundled_pip(interpreter)
            self._must([interpreter, "-m", "venv", *(["--without-pip"] if pip else []), str(self._place)], "make the environment")
            if pip:
                put_pip(self._place, pip)
        elif self._manager == UV:
            self._must([self._program, "venv", "--quiet", "--python", interpreter, str(self._place)], "make the environment")
        else:
            self._create_conda(wanted)

    def _create_conda(self, wanted: Wanted) -> None:
        text = wanted.conda or conda_file(wanted)
        with _file(text, ".yaml") as name:
            # micromamba has no `env create`; conda and mamba have no -y there in older releases.
            verb = ["create", "--yes"] if Path(self._program).name == "micromamba" else ["env", "create"]
            self._must([self._program, *verb, "--quiet", "--prefix", str(self._place), "--file", name], "make the environment")

    def install(self, lines: Sequence[str], options: Sequence[str], *, closed: bool) -> str:
        """Install lines; returns what the installer said where it failed, and nothing where it did not."""
        return self._pip(lines, options, ["--no-deps"] if closed else []) if lines else ""

    def attempt(self, lines: Sequence[str], options: Sequence[str]) -> str:
        """Find out whether lines can be had, each for itself; returns why not."""
        return self._pip(lines, options, ["--no-deps", "--dry-run", *([] if self._manager == UV else ["--ignore-installed"])])

    def _pip(self, lines: Sequence[str], options: Sequence[str], flags: Sequence[str]) -> str:
        with _file("".join(f"{line}\n" for line in (*options, *lines)), ".txt") as name:
            if self._manager == UV:
                command = [self._program, "pip", "install", "--quiet", "--python", str(self.python)]
            else:
                command = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
            return self._run([*command, *flags, "-r", name])

    def _must(self, command: Sequence[str], what: str) -> None:
        said = self._run(command)
        if said:
            raise EnvironmentFailedError(f"Could not {what} with {Path(command[0]).name}:\n{said}")

    def _run(self, command: Sequence[str]) -> str:
        env = {key: value for key, value in os.environ.items() if key not in _OUTER}
        env["PIP_USER"] = "0"
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                errors="replace", cwd=self._base, env=env, pass_fds=self._keep_open,
            )  # fmt: skip
        except OSError as error:
            return f"{command[0]} could not be started: {error.strerror}."
        return _last(done.stdout) or f"it ended with {done.returncode}" if done.returncode else ""


def program_of(manager: str) -> str:
    """Return the path of a manager's program; empty for ``virtualenv``, which needs none.

    Raises
    ------
    MissingPackageError
        If it is not on ``PATH``.
    """
    if manager == UV:
        found = shutil.which("uv")
        if found is None:
            raise missing_package("uv", "", "make environments with --env-manager uv")
        return found
    if manager == CONDA:
        for name in _CONDAS:
            if found := shutil.which(name):
                return found
        raise MissingPackageError(
            "conda is needed to make environments with --env-manager conda, and none of conda, mamba and micromamba is on PATH. "
            "Install one, or choose --env-manager virtualenv."
        )
    return ""


def bundled_pip(interpreter: str) -> Path | None:
    """Return the wheel of pip that a Python brings for its environments; None where its packager put it elsewhere."""
    ask = "import ensurepip, os; print(os.path.dirname(ensurepip.__file__))"
    try:
        done = subprocess.run(
            [interpreter, "-I", "-c", ask], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError:
        return None
    return max(Path(done.stdout.strip()).glob("_bundled/pip-*.whl"), default=None) if done.returncode == 0 else None


def put_pip(place: Path, wheel: Path) -> None:
    """Put pip into an environment as its wheel has it: a pure package is only unpacked (PEP 427), where pip itself takes seconds."""
    python = place / "bin" / "python"
    for packages in (place / "lib").glob("python3.*/site-packages"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
        for info in packages.glob("pip-*.dist-info"):
            (info / "INSTALLER").write_text("runfolio\n", "utf-8")
    for name in ("pip", "pip3"):
        script = place / "bin" / name
        script.write_text(f"#!{python}\nimport sys\n\nfrom pip._internal.cli.main import main\n\nsys.exit(main())\n", "utf-8")
        script.chmod(0o755)


def conda_file(wanted: Wanted) -> str:
    """Return lines of requirements as the text of a ``conda.yaml``."""
    lines = [*wanted.options, *wanted.build, *wanted.requirements, *wanted.extra]
    python = f"python={wanted.python}" if wanted.python else "python"
    pip = "".join(f"      - {_quoted(line)}\n" for line in lines)
    return f"channels:\n  - conda-forge\ndependencies:\n  - {python}\n  - pip\n" + (f"  - pip:\n{pip}" if pip else "")


def why(said: str) -> str:
    """Return the line of an installer's words that says what is wrong.

    Examples
    --------
    >>> why("ERROR: Could not find a version that satisfies …\\nERROR: No matching distribution found for six==99")
    'No matching distribution found for six==99'
    """
    lines = [line.strip(" ╰─▶├×│") for line in said.splitlines() if line.strip()]
    for mark in ("cause: because ", "because ", "error:"):
        found = [line for line in lines if line.lower().startswith(mark)]
        if found:
            return found[-1].removeprefix("ERROR:").removeprefix("error:").removeprefix("cause:").strip()
    return lines[-1] if lines else "the installer did not say why"


def _last(text: str) -> str:
    return Redactor(home=str(Path.home())).text("\n".join(text.strip().splitlines()[-_TAIL:]))


def _quoted(line: str) -> str:
    return "'" + line.replace("'", "''") + "'"


class _file:  # noqa: N801  # used as a function
    """A file with a text that only we may read: an index's address can hold a password."""

    def __init__(self, text: str, suffix: str) -> None:
        handle, self._name = tempfile.mkstemp(prefix="runfolio-", suffix=suffix)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self) -> str:
        return self._name

    def __exit__(self, *_: object) -> None:
        os.unlink(self._name)
