"""``--env-manager virtualenv``: a model runs in an environment that is made of its own requirements, by a real pip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.cli.main import main
from runfolio.serving import environments
from tests.serving.conftest import DEADLINE_S, Models, Serve


def prefix_model() -> Any:
    """Return a model that says which Python it runs in, and what it was given."""

    class Prefix(runfolio.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import sys

            return [sys.prefix, str(model_input)]

    return Prefix()


def reaches_packages(folder: Path) -> bool:
    """Return whether pip, as it is configured here, can fetch what an environment needs at least."""
    python = folder / "fresh" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True, timeout=DEADLINE_S)
    fetch = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--retries",
        "0",
        "--timeout",
        "10",
        "-d",
        str(folder),
        "cloudpickle",
    ]
    return subprocess.run([str(python), *fetch], capture_output=True, timeout=DEADLINE_S, check=False).returncode == 0


@pytest.mark.slow
def test_a_model_is_served_in_an_environment_of_its_requirements(serve: Serve, tmp_path: Path) -> None:
    if not reaches_packages(tmp_path):
        pytest.skip("NOT TESTED: pip reaches no packages here, so no environment of a model's own can be made")
    runfolio.pyfunc.save_model(tmp_path / "model", python_model=prefix_model(), pip_requirements=["cloudpickle"])
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    server = serve(tmp_path / "model", "--env-manager", "virtualenv", env=env)
    [prefix, given] = server.post({"inputs": "who"}).json["predictions"]
    assert Path(prefix).parent == tmp_path / "cache" / "runfolio" / "environments"
    assert given == "who"
    [ready] = (tmp_path / "cache").rglob("environment.json")
    made = ready.stat().st_ino
    server.end()
    assert (
        serve(tmp_path / "model", "--env-manager", "virtualenv", env=env).post({"inputs": "b"}).json["predictions"][0] == prefix
    )
    assert ready.stat().st_ino == made


@pytest.mark.slow
def test_an_environment_prepared_ahead_is_the_one_that_serves(serve: Serve, tmp_path: Path) -> None:
    if not reaches_packages(tmp_path):
        pytest.skip("NOT TESTED: pip reaches no packages here, so no environment of a model's own can be made")
    runfolio.pyfunc.save_model(tmp_path / "model", python_model=prefix_model(), pip_requirements=["cloudpickle"])
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    prepare = [sys.executable, "-m", "runfolio", "models", "prepare-env", "-m", str(tmp_path / "model"), "--trust"]
    first, second = (
        subprocess.run(prepare, capture_output=True, text=True, env={**os.environ, **env}, check=False, timeout=600)
        for _ in range(2)
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "made in" in first.stderr
    assert second.stderr == "it was there already\n"
    assert first.stdout == second.stdout
    server = serve(tmp_path / "model", "--env-manager", "virtualenv", env=env)
    assert server.post({"inputs": "who"}).json["predictions"][0] == first.stdout.strip()


def test_what_cannot_be_prepared_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runfolio.pyfunc.save_model(tmp_path / "model", python_model=prefix_model(), pip_requirements=["cloudpickle"])
    (tmp_path / "model" / "requirements.txt").unlink()
    said = ["models", "prepare-env", "-m", str(tmp_path / "model")]
    assert main([*said, "--env-manager", "local"]) == 2  # it is made already
    assert main([*said, "--trust"]) != 0
    assert "no requirements.txt" in capsys.readouterr().err


def test_an_environment_for_the_onnx_engine_has_its_packages(models: Models) -> None:
    plain, onnx = (environments.needed(models["forest"], engine) for engine in ("native", "onnx"))
    assert any(line.startswith("scikit-learn==") for line in plain)
    assert onnx[: len(plain)] == plain
    assert [line.partition(">")[0] for line in onnx[len(plain) :]] == ["onnx", "onnxruntime", "skl2onnx"]
