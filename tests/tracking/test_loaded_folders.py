"""Where files of loaded models lie: one folder for the same bytes, as long as the process, and no longer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

import runfolio
from runfolio.tracking.loaded_folders import fetch_to_load

SCRIPT = """
import multiprocessing, os, pathlib, sys, tempfile
import runfolio

class Lazy(runfolio.pyfunc.PythonModel):
    def load_context(self, context):
        self.path = pathlib.Path(context.artifacts["words"])

    def predict(self, context, model_input):
        return self.path.read_text()

def made():
    return sorted(each for each in os.listdir(tempfile.gettempdir()) if each.startswith("runfolio-"))

def load(uri):
    assert runfolio.pyfunc.load_model(uri).predict(1) == "late"
    return len(made())

def main():
    pathlib.Path("words.txt").write_text("late")
    with runfolio.start_run():
        info = runfolio.pyfunc.log_model("model", python_model=Lazy(), artifacts={"words": "words.txt"}, registered_model_name="lazy")
    assert made() == [], made()
    models = [runfolio.pyfunc.load_model(uri) for uri in (info.model_uri, info.model_uri, "models:/lazy/1", "models:/lazy/latest")]
    assert len(made()) == 2, made()  # runs:/RUN/model has a folder model, a version's files have none
    for start in ("fork", "spawn"):
        with multiprocessing.get_context(start).Pool(1) as pool:
            assert pool.apply(load, ["models:/lazy/1"]) == 3
            pool.close()
            pool.join()
        assert len(made()) == 2, made()
    assert [model.predict(1) for model in models] == ["late"] * 4  # read from the files now

if __name__ == "__main__":
    main()
"""


def _script(folder: Path, tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    place = tmp_path / "temporary"
    place.mkdir()
    (tmp_path / "script.py").write_text(text)
    env = {**os.environ, "TMPDIR": str(place)}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [each.name for each in place.iterdir() if each.name.startswith("runfolio-")] == []
    return done


def test_folders_are_shared_by_loads_and_go_with_their_process(folio_dir: Path, tmp_path: Path) -> None:
    _script(folio_dir, tmp_path, SCRIPT)


def test_other_readers_leave_nothing(folio_dir: Path, tmp_path: Path) -> None:
    text = """
import os, pathlib, tempfile
import runfolio
from runfolio.models import infer_signature, set_signature, update_model_requirements

with runfolio.start_run():
    info = runfolio.pyfunc.log_model("model", python_model=len)
    set_signature(info.model_uri, infer_signature(["a"], [1]))
    update_model_requirements(info.model_uri, "add", ["wheel"])
    left = [each for each in os.listdir(tempfile.gettempdir()) if each.startswith("runfolio-")]
    assert left == [], left
"""
    _script(folio_dir, tmp_path, text)


@pytest.fixture
def model_uri(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folio_dir)
    runfolio.set_tracking_uri(str(folio_dir))
    with runfolio.start_run():
        return str(runfolio.pyfunc.log_model("model", python_model=len).model_uri)


def _changed(folder: Path) -> None:
    (folder / "MLmodel").write_bytes((folder / "MLmodel").read_bytes()[:-1] + b" ")


def _more(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("raise SystemExit")


def _less(folder: Path) -> None:
    (folder / "MLmodel").unlink()


def _linked(folder: Path) -> None:
    (folder / "MLmodel").rename(folder.parent / "elsewhere")
    (folder / "MLmodel").symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize("spoil", [_changed, _more, _less, _linked])
def test_a_folder_that_holds_something_else_is_not_taken_again(model_uri: str, spoil: Callable[[Path], None]) -> None:
    first = fetch_to_load(model_uri)
    assert fetch_to_load(model_uri) == first
    spoil(first)
    second = fetch_to_load(model_uri)
    assert second != first and fetch_to_load(model_uri) == second
    assert runfolio.pyfunc.load_model(model_uri).predict([1, 2]) == 2


def test_what_python_compiled_beside_the_code_does_not_count(model_uri: str) -> None:
    first = fetch_to_load(model_uri)
    (first / "code/__pycache__").mkdir(parents=True)
    (first / "code/__pycache__/helper.cpython-311.pyc").write_bytes(b"")
    assert fetch_to_load(model_uri) == first
    assert str(first).startswith(tempfile.gettempdir())


def test_loads_that_trust_differently_have_folders_of_their_own(model_uri: str) -> None:
    assert len({fetch_to_load(model_uri, purpose) for purpose in (None, True, False, None)}) == 3
