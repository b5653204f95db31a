"""``runfolio models evaluate``, as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import Command
from tests.conftest import git

pandas = pytest.importorskip("pandas")
pytest.importorskip("sklearn")


@pytest.fixture
def data(folio_dir: Path, run_cli: Command) -> Path:
    """A CSV file of rows, and the registered model ``Odd`` with two versions: one that is right, and one that always says 0."""
    frame = pandas.DataFrame({"x": range(40), "kind": ["a", "b"] * 20, "odd": [0, 1] * 20, "said": [0, 1] * 19 + [1, 1]})
    path = folio_dir / "rows.csv"
    frame.to_csv(path, index=False)
    runfolio.set_tracking_uri(folio_dir)
    with runfolio.start_run():
        for at, function in enumerate((lambda model_input: model_input["x"] % 2, lambda model_input: model_input["x"] * 0)):
            runfolio.pyfunc.log_model(f"m{at}", python_model=function, registered_model_name="Odd")
    forget_sessions()
    return path


GIVEN = ("--targets", "odd", "--model-type", "classifier")


def test_a_model_is_evaluated_and_its_run_committed(data: Path, run_cli: Command) -> None:
    done = run_cli(
        "models", "evaluate", "-m", "models:/Odd/1", "-d", str(data), *GIVEN, "--baseline", "models:/Odd/2", "--slice", "x > 30",
        "--threshold", "accuracy_score >= 0.9", "--min-change", "accuracy_score 10%", "--experiment", "trials", "--name", "first",
    )  # fmt: skip
    assert done.code == 0, done.err
    lines = {line.split()[0]: line.split() for line in done.out.splitlines() if line}
    assert lines["accuracy_score"][1:] == ["1", "0.9124", "to", "1", "wilson", "+0.5"]
    assert lines["x"][:6] == ["x", ">", "30", "9", "1", "0.7009"]
    assert "first" in run_cli("runs", "list", "-e", "trials").out
    (made,) = json.loads(run_cli("runs", "list", "-e", "trials", "--json").out)
    assert made["duration_ms"] >= 20, "computing is part of the run, though all is computed before anything is logged"


def test_a_missed_threshold_ends_with_1_and_keeps_the_run(data: Path, run_cli: Command) -> None:
    done = run_cli("models", "evaluate", "-m", "models:/Odd/2", "-d", str(data), *GIVEN, "--threshold", "accuracy_score >= 0.9")
    assert done.code == 1
    assert "accuracy_score value threshold check failed" in done.err
    assert "to baseline" not in done.out
    assert len(json.loads(run_cli("runs", "list", "--json").out)) == 2


def test_answers_in_the_file_need_no_model(data: Path, run_cli: Command) -> None:
    done = run_cli("models", "evaluate", "-d", str(data), *GIVEN, "--predictions", "said", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["metrics"]["accuracy_score"] == 0.975


@pytest.mark.parametrize(
    ("args", "says", "code"),
    [
        (["--threshold", "accuracy"], "write METRIC >= VALUE", 2),
        (["--threshold", "accuracy_score >= high"], "is no number", 2),
        (["--min-change", "odd_metric 1"], "nobody says which way", 2),
        (["--targets", "nosuch"], "has no column 'nosuch'", 2),
        (["-m", "models:/Nobody/1"], "Nobody", 11),
        (["--slice", "nosuch > 1"], "no column and no expression", 2),
    ],
)
def test_what_does_not_fit_is_told(data: Path, run_cli: Command, args: list[str], says: str, code: int) -> None:
    done = run_cli("models", "evaluate", "-m", "models:/Odd/1", "-d", str(data), *GIVEN, *args)
    assert (done.code, says in done.err) == (code, True), done.err
    assert len(json.loads(run_cli("runs", "list", "--json").out)) == 1, "an evaluation that fails leaves no run"


def test_without_matplotlib_that_is_told_once_with_what_to_do(data: Path, tmp_path: Path) -> None:
    # A finder before all others, in a process of its own: there is no matplotlib for it.
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'matplotlib' else found(name, package)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "runfolio", "models", "evaluate", "-m", "models:/Odd/1", "-d", str(data), *GIVEN, "--json"]
    done = subprocess.run(command, cwd=data.parent, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("matplotlib is not installed (pip install matplotlib)") == 1
    assert json.loads(done.stdout)["document"]["notes"] == []  # the site draws it all the same


POLICY = """schema: 1
promotions:
  - to: Production
    require:
      - evaluated: {{dataset: {digest}, where: metrics.worst_slice_accuracy_score >= 0.9 AND metrics.delta_accuracy_score_low > 0}}
"""


def test_a_promotion_needs_an_evaluation_of_these_bytes_on_that_dataset(data: Path, run_cli: Command) -> None:
    frame = pandas.read_csv(data)
    digest = runfolio.data.from_pandas(frame).digest
    (data.parent / "policy.yaml").write_text(POLICY.format(digest=digest))
    git(data.parent, "add", "policy.yaml")
    git(data.parent, "commit", "-qm", "policy")
    promote = ("models", "promote", "Odd", "1", "Production", "--direct")
    refused = run_cli(*promote)
    assert refused.code == 1
    assert "No run evaluated the version" in refused.out + refused.err
    evaluate = ("models", "evaluate", "-d", str(data), *GIVEN, "--slice", "kind")
    # Of other bytes, on other data, without the baseline that the gate asks about: none of these helps.
    other = data.parent / "other.csv"
    frame.assign(more=1).to_csv(other)
    assert run_cli(*evaluate, "-m", "models:/Odd/2", "--baseline", "models:/Odd/1").code == 0
    assert (
        run_cli(
            "models",
            "evaluate",
            "-d",
            str(other),
            *GIVEN,
            "--slice",
            "kind",
            "-m",
            "models:/Odd/1",
            "--baseline",
            "models:/Odd/2",
        ).code
        == 0
    )
    assert "No run evaluated the version on" in run_cli(*promote).err + run_cli(*promote).out
    assert run_cli(*evaluate, "-m", "models:/Odd/1").code == 0
    lacking = run_cli(*promote)
    assert "delta_accuracy_score_low" in lacking.out + lacking.err
    assert run_cli(*evaluate, "-m", "models:/Odd/1", "--baseline", "models:/Odd/2").code == 0
    done = run_cli(*promote)
    assert done.code == 0, done.err
    assert json.loads(run_cli("models", "show", "Odd", "1", "--json").out)["stage"] == "Production"
    # The same in CI, by two commits.
    assert run_cli("policy", "check", "HEAD~1..HEAD").code == 0
