"""The package with a flavor of its own, built and installed as a user does it; its models load in a fresh process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.folio import open_folio

PACKAGE = Path(__file__).parents[2] / "examples" / "flavor-package"
LOG = """
import runfolio
from polynomial_flavor import Polynomial, log_model

with runfolio.start_run():
    info = log_model(Polynomial([1.0, 0.0, 2.0]), "model", input_example=[0.0, 1.0], registered_model_name="poly")
print(info.signature.outputs)
"""
LOAD = """
import sys
import runfolio

loaded = runfolio.pyfunc.load_model("models:/poly/1", trust=False)
print(loaded.predict([0.0, 1.0, 2.0]), type(loaded.get_raw_model()).__name__, "polynomial_flavor" in sys.modules)
"""
MISFIT = "FLAVOR = LOADER = 'misfit'\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "--target", str(target), str(PACKAGE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def run(code: str, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_flavor_of_another_package_is_logged_registered_and_loaded_by_predict(folio_dir: Path, installed: Path) -> None:
    logged = run(LOG, folio_dir, installed)
    assert logged.returncode == 0, logged.stderr
    assert logged.stdout == "[double (required)]\n"
    version = open_folio(folio_dir).models.version(open_folio(folio_dir).models.find("poly"), 1)
    assert version.flavors == ("polynomial", "python_function") and version.runs_code == ()
    show = [sys.executable, "-m", "runfolio", "models", "show", "poly", "1"]
    shown = subprocess.run(show, cwd=folio_dir, capture_output=True, text=True, check=True).stdout
    assert "runs code:     no" in shown.splitlines()  # as its README says
    loaded = run(LOAD, folio_dir, installed)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout == "[1.0, 3.0, 9.0] Polynomial True\n"


def test_without_the_package_its_model_is_not_loaded(folio_dir: Path, installed: Path, tmp_path: Path) -> None:
    run(LOG, folio_dir, installed)
    done = run(LOAD.replace("trust=False", "trust=True"), folio_dir, tmp_path)
    told = done.stderr.splitlines()[-1]
    assert "MissingPackageError" in told and "'polynomial_flavor'" in told


def test_module_that_does_not_fit_is_told_with_what_it_lacks(folio_dir: Path, installed: Path, tmp_path: Path) -> None:
    (tmp_path / "site/misfit-1.dist-info").mkdir(parents=True)
    (tmp_path / "site/misfit.py").write_text(MISFIT)
    (tmp_path / "site/misfit-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: misfit\nVersion: 1\n")
    (tmp_path / "site/misfit-1.dist-info/entry_points.txt").write_text("[runfolio.flavors]\nmisfit = misfit\n")
    code = "from runfolio.flavors.catalogue import named\nnamed('misfit')"
    done = run(code, folio_dir, tmp_path / "site")
    assert "misfit" in done.stderr and "lacks load_folder, predictor, runs_code" in done.stderr
