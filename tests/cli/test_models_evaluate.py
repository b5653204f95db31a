"""``runfolio models evaluate``, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import runfolio
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import Command

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
