"""What is loaded when: logging, listing and the help load no heavy package. Each fact is read off a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = (
    "IPython PIL altair catboost fsspec git jinja2 keras lightgbm lightning matplotlib numpy obstore onnx onnxruntime optuna pandas plotly polars "
    "prophet psutil pyarrow pynvml rich skl2onnx sklearn spacy statsmodels tensorflow torch transformers xgboost"
).split()
LOG_A_RUN = """
import runfolio
runfolio.set_experiment("wine")
with runfolio.start_run(run_name="first"):
    runfolio.log_params({"depth": 5, "eta": 0.1})
    runfolio.log_metric("accuracy", 0.98, step=1)
    runfolio.log_metric("accuracy", 0.99, step=2)
    runfolio.set_tag("team", "red")
    runfolio.log_text("hello", "hello.txt")
"""
SUBPROCESS = ["subprocess"] if sys.version_info >= (3, 11) else []
"""Python 3.10's uuid, which click imports, brings it along through platform."""
COMMAND = """
from runfolio.cli.main import main
code = main({args!r})
assert code == 0, code
"""
REPORT = """
import sys
print("LOADED " + " ".join(sys.modules))
"""


def loaded_by(code: str, folder: Path) -> set[str]:
    """Run code in a fresh interpreter and return the top-level modules that it loaded."""
    env = {
        **os.environ,
        "HOME": str(folder),
        "PYTHONWARNINGS": "error",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
    }
    env.update(GIT_COMMITTER_NAME="A", GIT_COMMITTER_EMAIL="a@example.org")
    done = subprocess.run([sys.executable, "-c", code + REPORT], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return set(done.stdout.rsplit("LOADED", 1)[1].split())


@pytest.fixture(scope="module")
def folio_with_a_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    folder = tmp_path_factory.mktemp("folio")
    loaded_by(COMMAND.format(args=["init", "."]), folder)
    return folder, loaded_by(LOG_A_RUN, folder)


def heavy(loaded: set[str], *more: str) -> list[str]:
    return [name for name in (*HEAVY, *more) if name in loaded]


def test_import_loads_nothing_heavy(tmp_path: Path) -> None:
    loaded = loaded_by("import runfolio", tmp_path)
    assert heavy(loaded, "click", "yaml", "sqlite3", "json", "subprocess") == []
    assert not {name for name in loaded if name.startswith("runfolio.")} - {"runfolio._version"}


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    assert heavy(loaded_by(COMMAND.format(args=["--help"]), tmp_path), "yaml", "sqlite3", *SUBPROCESS) == []


def test_logging_a_run_loads_nothing_heavy(folio_with_a_run: tuple[Path, set[str]]) -> None:
    _, loaded = folio_with_a_run
    assert heavy(loaded, "click") == []


def test_a_run_without_files_loads_no_hashing_and_no_packing(tmp_path: Path) -> None:
    loaded_by(COMMAND.format(args=["init", "."]), tmp_path)
    numbers = "\n".join(line for line in LOG_A_RUN.splitlines() if "log_text" not in line)
    loaded_by(numbers, tmp_path)
    loaded = loaded_by(numbers, tmp_path)
    assert heavy(loaded, "click", "hashlib", "gzip", "dataclasses", "inspect") == []
    assert not loaded & {"runfolio.tracking.copies", "runfolio.objects.buckets"}


def test_a_short_run_of_a_committed_script_loads_next_to_nothing(tmp_path: Path) -> None:
    loaded_by(COMMAND.format(args=["init", "."]), tmp_path)
    body = "import runfolio\nwith runfolio.start_run():\n    runfolio.log_param('depth', 5)\n    runfolio.log_metric('accuracy', 0.98)\n"
    (tmp_path / "train.py").write_text(
        f"{body}from runfolio.tracking.session import forget_sessions\nforget_sessions()\n{REPORT}"
    )
    for command in (["add", "."], ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "code"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    run = "import subprocess, sys\nprint(subprocess.run([sys.executable, 'train.py'], check=True, capture_output=True, text=True).stdout)"
    loaded_by(run, tmp_path)
    os.utime(tmp_path / ".git" / "index", (time.time() + 10, time.time() + 10))  # one as young as its files is git's to change
    shown = subprocess.run([sys.executable, "train.py"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    loaded = set(shown.rsplit("LOADED", 1)[1].split())
    assert heavy(loaded, "typing", "datetime", "unicodedata", "signal", "subprocess", "shutil", "dataclasses", "inspect") == []
    assert not {name for name in loaded if name.startswith("runfolio.objects.")} - {"runfolio.objects.media_types"}


@pytest.mark.parametrize(
    "args",
    [
        ["runs", "list"], ["runs", "list", "--json"], ["runs", "list", "--csv"], ["experiments", "list"], ["status"], ["commit"],
        ["check"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_command_loads_nothing_heavy(folio_with_a_run: tuple[Path, set[str]], args: list[str]) -> None:
    folder, _ = folio_with_a_run
    assert heavy(loaded_by(COMMAND.format(args=args), folder)) == []


def test_a_build_of_the_site_with_nothing_new_opens_no_folio(folio_with_a_run: tuple[Path, set[str]]) -> None:
    folder, _ = folio_with_a_run
    build = COMMAND.format(args=["site", "build", "-o", str(folder.with_name("site"))])
    loaded_by(build, folder)
    code = (
        build
        + "\nassert not {'runfolio.folio.folio', 'runfolio.index.table', 'runfolio.site.render', 'hashlib'} & set(sys.modules)"
    )
    assert heavy(loaded_by("import sys\n" + code, folder), "yaml", "sqlite3", *SUBPROCESS) == []


def test_showing_a_run_loads_nothing_heavy(folio_with_a_run: tuple[Path, set[str]]) -> None:
    folder, _ = folio_with_a_run
    run_id = next(folder.glob("runs/*/*/*/*.json")).stem.split(".")[0]
    assert heavy(loaded_by(COMMAND.format(args=["runs", "show", run_id]), folder)) == []


def test_what_keeps_a_server_of_a_folder_loads_neither_the_command_line_nor_what_reads_models(tmp_path: Path) -> None:
    loaded = loaded_by("import runfolio.cli.models_serving, runfolio.serving.supervisor", tmp_path)
    assert heavy(loaded, "click", "yaml", "sqlite3", "asyncio") == []
    assert not {name for name in loaded if name.startswith(("runfolio.flavors", "runfolio.folio", "runfolio.formats"))}
