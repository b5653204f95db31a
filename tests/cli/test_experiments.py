"""Experiments listed, shown, made and changed through the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

import runfolio
from tests.cli.conftest import Command, Done
from tests.conftest import git


def shape(done: Done) -> Any:
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_list_counts_runs_and_hides_deleted_experiments(run_cli: Command, sweep: dict[str, str]) -> None:
    rows = {row["name"]: row for row in shape(run_cli("experiments", "list", "--json"))}
    assert {name: row["runs"] for name, row in rows.items()} == {"Default": 0, "Wine classification": 5}
    assert run_cli("experiments", "delete", "Wine classification").code == 0
    assert [row["name"] for row in shape(run_cli("experiments", "list", "--json"))] == ["Default"]
    assert [row["name"] for row in shape(run_cli("experiments", "list", "--deleted", "--json"))] == ["Wine classification"]
    assert "deleted" in run_cli("experiments", "list", "--all").out
    assert run_cli("runs", "list", "--json").out == "[]\n"
    assert run_cli("experiments", "restore", "wine-classification").code == 0
    assert len(shape(run_cli("runs", "list", "--json"))) == 5


def test_list_by_filter_and_order(run_cli: Command) -> None:
    for name in ("alpha", "beta"):
        run_cli("experiments", "create", name)
    made = shape(run_cli("experiments", "list", "--filter", "name LIKE '%a'", "--order-by", "name DESC", "--json"))
    assert [row["name"] for row in made] == ["beta", "alpha"]
    assert run_cli("experiments", "list", "--csv").out.startswith("experiment_id,name,lifecycle,runs,")


def test_the_past_is_listed_shown_and_exported(run_cli: Command, sweep: dict[str, str], folio_dir: Path) -> None:
    then = git(folio_dir, "rev-parse", "HEAD").strip()
    assert run_cli("runs", "delete", "try-0").code == 0
    assert run_cli("experiments", "describe", "Wine classification", "later").code == 0
    assert run_cli("experiments", "rename", "Wine classification", "Grapes").code == 0
    assert run_cli("experiments", "create", "new").code == 0
    [old] = [row for row in shape(run_cli("experiments", "list", "--at", then, "--json")) if row["runs"]]
    assert (old["name"], old["runs"], old["description"]) == ("Wine classification", 5, "")
    assert "new" not in run_cli("experiments", "list", "--at", then).out
    assert shape(run_cli("experiments", "show", "Wine classification", "--at", then, "--json")) == old
    assert "runs:        5" in run_cli("experiments", "show", "Wine classification", "--at", then).out
    assert len(run_cli("experiments", "csv", "Wine classification", "--at", then).out.splitlines()) == 6
    assert len(run_cli("experiments", "csv", "Grapes").out.splitlines()) == 5
    gone = run_cli("experiments", "show", "Wine classification")
    assert gone.code == 11
    assert "Grapes" in gone.err
    assert run_cli("experiments", "show", "new", "--at", then).code == 11


def test_an_experiment_is_shown_as_a_row_of_the_list(run_cli: Command, sweep: dict[str, str]) -> None:
    [title, *rows] = run_cli("experiments", "list", "--csv").out.splitlines()
    assert run_cli("experiments", "show", "wine-classification", "--csv").out.splitlines() == [title, rows[1]]
    assert run_cli("experiments", "show", "0", "--csv", "--json").code == 2


def test_runs_that_go_on_are_counted(run_cli: Command, sweep: dict[str, str], folio_dir: Path) -> None:
    client = runfolio.MlflowClient(folio_dir)
    live = client.create_run("wine-classification").info.run_id
    client.set_tag(sweep["try-0"], "seen", "yes")  # a change that waits makes no run more
    assert shape(run_cli("experiments", "show", "wine-classification", "--json"))["runs"] == 6
    client.delete_run(live)
    assert shape(run_cli("experiments", "show", "wine-classification", "--json"))["runs"] == 5
    client.set_terminated(live)


def test_create_prints_the_id_and_commits(run_cli: Command, folio_dir: Path) -> None:
    done = run_cli("experiments", "create", "Churn model", "--description", "who leaves", "--tag", "team=red")
    assert done.out == "churn-model\n"
    assert "description: who leaves" in git(folio_dir, "show", "HEAD:experiments/churn-model.yaml")
    assert run_cli("experiments", "create", "Churn model").code == 12
    assert run_cli("experiments", "create", " ").code == 2


def test_rename_describe_tag(run_cli: Command) -> None:
    run_cli("experiments", "create", "churn")
    assert run_cli("experiments", "rename", "churn", "Leaving").code == 0
    assert run_cli("experiments", "describe", "Leaving", "who leaves").code == 0
    assert run_cli("experiments", "tag", "Leaving", "a=1", "b=2").code == 0
    assert run_cli("experiments", "tag", "Leaving", "--remove", "a").code == 0
    assert run_cli("experiments", "tag", "Leaving", "--remove", "a").code == 11
    made = shape(run_cli("experiments", "show", "churn", "--json"))
    assert (made["name"], made["description"], made["tags"]) == ("Leaving", "who leaves", {"b": "2"})


def test_comments_of_people_survive_a_change(run_cli: Command, folio_dir: Path) -> None:
    run_cli("experiments", "create", "churn")
    path = folio_dir / "experiments/churn.yaml"
    path.write_text(path.read_text() + "# asked by Ben\n")
    git(folio_dir, "commit", "-qam", "a comment")
    run_cli("experiments", "set-objective", "churn", "auc", "--max")
    assert "# asked by Ben" in path.read_text()
    assert "metric: auc" in path.read_text()


def test_objective_and_baseline_are_shown_with_the_best_runs(run_cli: Command, sweep: dict[str, str]) -> None:
    assert run_cli("experiments", "set-objective", "Wine classification", "acc").code == 2
    assert run_cli("experiments", "set-objective", "Wine classification", "acc", "--max").code == 0
    assert run_cli("experiments", "baseline", "Wine classification", "try-0").code == 0
    shown = run_cli("experiments", "show", "Wine classification").out
    assert f"{sweep['try-0']} try-0" in shown
    assert [line.split()[-1] for line in shown.splitlines() if line.startswith("best:")] == ["try-2", "try-1", "try-0"]
    assert shape(run_cli("experiments", "show", "0", "--json"))["objective"] is None
    assert run_cli("experiments", "baseline", "Wine classification", "--clear").code == 0


def test_the_default_experiment_is_not_deleted(run_cli: Command) -> None:
    done = run_cli("experiments", "delete", "Default")
    assert done.code == 13


def test_an_unknown_experiment_lists_those_that_are_there(run_cli: Command, sweep: dict[str, str]) -> None:
    done = run_cli("experiments", "show", "nonsense")
    assert done.code == 11
    assert "Wine classification" in done.err


@pytest.mark.parametrize("how", [("-x", "wine-classification"), ("Wine classification",)])
def test_csv_has_mlflows_leading_columns(run_cli: Command, sweep: dict[str, str], tmp_path: Path, how: tuple[str, ...]) -> None:
    target = tmp_path / "runs.csv"
    assert run_cli("experiments", "csv", *how, "-o", str(target)).code == 0
    text = run_cli("experiments", "csv", *how).out
    assert target.read_text() == text
    rows = list(csv.DictReader(io.StringIO(text)))
    titles = list(rows[0])
    assert titles[:6] == ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
    assert [title.partition(".")[0] for title in titles[6:]] == sorted(title.partition(".")[0] for title in titles[6:])
    assert {row["run_id"] for row in rows} == set(sweep.values())


def test_csv_is_read_by_pandas_as_mlflows_is(run_cli: Command, sweep: dict[str, str]) -> None:
    import pandas

    frame = pandas.read_csv(
        io.StringIO(run_cli("experiments", "csv", "-x", "wine-classification").out), parse_dates=["start_time", "end_time"]
    )
    assert str(frame.start_time.dt.tz) == "UTC"
    assert frame["metrics.acc"].max() == 0.93
