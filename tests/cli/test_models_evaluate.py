"""``runfolio models evaluate``, as a user types it."""

from __future__ import annotations

import json
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


def test_a_missed_threshold_ends_with_1_and_keeps_the_run(data: Path, run_cli: Command) -> None:
    done = run_cli("models", "evaluate", "-m", "models:/Odd/2", "-d", str(data), *GIVEN, "--threshold", "accuracy_score >= 0.9")
    assert done.code == 1
    assert "accuracy_score value threshold check failed" in done.err
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
