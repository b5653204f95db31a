"""A folder that is removed under a process is told of by name: nothing is acknowledged that is gone, and no traceback is shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.repositories import COMMAND, environment, make_folio, python

GONE = "import os, shutil\nos.mkdir('here'); os.chdir('here'); os.rmdir('../here')\n"


def without_a_folder(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    code = f"{GONE}os.execv({COMMAND[0]!r}, {[*COMMAND, *args]!r})"
    return subprocess.run(
        (sys.executable, "-c", code), cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("args", [("init",), ("runs", "list"), ("record", "--", "true"), ("check",), ("commit",)], ids=" ".join)
def test_a_command_says_that_its_folder_is_gone(args: tuple[str, ...], tmp_path: Path) -> None:
    done = without_a_folder(tmp_path, *args)
    assert (done.returncode, done.stdout) == (10, ""), done.stderr
    assert done.stderr == "runfolio: The current folder is not there any more. Change to one that is: cd FOLDER\n"


def test_a_script_says_that_its_folder_is_gone(tmp_path: Path) -> None:
    done = python(
        tmp_path, f"{GONE}import runfolio\ntry: runfolio.start_run()\nexcept runfolio.exceptions.RunfolioError as e: print(e)"
    )
    assert done.stdout == "The current folder is not there any more. Change to one that is: cd FOLDER\n", done.stderr


def test_the_end_of_a_run_whose_folio_was_removed_is_not_acknowledged(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    code = (
        "import os, shutil, sys, runfolio\nrunfolio.set_tracking_uri(sys.argv[1]); runfolio.start_run(); os.chdir('/')\n"
        "shutil.rmtree(sys.argv[1])\n"
        "try: runfolio.end_run()\nexcept runfolio.exceptions.RunfolioError as e: print(type(e).__name__, e)\nelse: print('acknowledged')"
    )
    done = python(folder, code, str(folder))
    assert done.stdout.startswith("StorageError") and "was removed while the run went on" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr
