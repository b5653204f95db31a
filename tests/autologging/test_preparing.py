"""What comes after a process's first training is imported while it goes on: each in a process of its own, which has imported nothing yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.frameworks
pytest.importorskip("sklearn")

_LOGGED = """
import sys, threading, time
import numpy, sklearn.preprocessing, sklearn.pipeline, sklearn.linear_model, sklearn.dummy
import runfolio

def seen(rows):
    deadline = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < deadline and not ({"yaml", "PIL.Image"} <= set(sys.modules)):
        threading.Event().wait(0.01)
    found.append(sorted({"yaml", "PIL.Image"} & set(sys.modules)))
    return rows

found = []
rows, target = numpy.arange(40.0).reshape(-1, 1), numpy.arange(40) % 2
runfolio.sklearn.autolog(log_datasets=False, **eval(sys.argv[3]))
steps = sklearn.preprocessing.FunctionTransformer(seen), eval(sys.argv[1])
assert not ({"yaml", "PIL.Image"} & set(sys.modules))
sklearn.pipeline.make_pipeline(*steps).fit(rows, target)
print(found[0], runfolio.last_active_run().data.tags.get("runfolio.autolog.faults"))
"""


def fitted(folio: Path, estimator: str, seconds: float, **options: object) -> str:
    command = [sys.executable, "-c", _LOGGED, estimator, str(seconds), repr(options)]
    return subprocess.run(command, cwd=folio, capture_output=True, text=True, check=True).stdout.strip()


def test_what_describes_models_and_draws_is_imported_while_a_classifier_is_fitted(folio: Path) -> None:
    assert fitted(folio, "sklearn.linear_model.LogisticRegression()", 20) == "['PIL.Image', 'yaml'] None"


def test_what_will_not_be_needed_is_not_imported(folio: Path) -> None:
    assert fitted(folio, "sklearn.dummy.DummyRegressor()", 0.5) == "['yaml'] None"
    assert fitted(folio, "sklearn.dummy.DummyRegressor()", 0.5, log_models=False) == "[] None"


def test_fork_waits_until_it_is_imported(tmp_path: Path) -> None:
    """A child would wait for ever for the lock of a module that a thread of its parent was importing."""
    script = """
import os, sys
from runfolio.autologging.preparing import models, plots, prepare
prepare(models, plots)
child = os.fork()
if not child:
    import PIL.ImageDraw, yaml
    os._exit(0 if PIL.ImageDraw.Draw and yaml.dump else 1)
print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n", done.stderr


def test_what_cannot_be_imported_is_no_fault_before_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "PIL").mkdir()
    (tmp_path / "PIL" / "__init__.py").write_text("raise OSError('a library is missing')\n")
    script = "from runfolio.autologging.preparing import _beside, models, plots, prepare\nprepare(plots, models)\n_beside.wait()\nimport sys\nprint('yaml' in sys.modules)"
    env = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2] / 'src'}"}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True\n", "")
