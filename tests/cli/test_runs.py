"""Runs found, shown, compared and changed through the command line, on real repositories."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import runfolio
from runfolio.cli.listing import age_text, as_tree
from runfolio.records import Run
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import Command, Done
from tests.conftest import git


def names(done: Done) -> list[str]:
    """Return the names of the runs in a JSON list."""
    assert done.code == 0, done.err
    return [row["name"] for row in json.loads(done.out)]


def shape(done: Done) -> Any:
    assert done.code == 0, done.err
    return json.loads(done.out)


def commits(folder: Path) -> int:
    return int(git(folder, "rev-list", "--count", "HEAD"))


def test_list_shows_newest_first_with_what_tells_the_runs_apart(run_cli: Command, sweep: dict[str, str]) -> None:
    done = run_cli("runs", "list")
    lines = done.out.splitlines()
    assert lines[0].split() == ["id", "name", "status", "started", "duration", "acc", "loss", "depth", "solver"]
    assert [line.split()[1] for line in lines[1:]] == ["fold", "try-3", "try-2", "try-1", "try-0"]
    assert done.err == "5 of 5 runs\n"


def test_equal_params_are_left_out_and_the_objective_comes_first(run_cli: Command, sweep: dict[str, str]) -> None:
    run_cli("experiments", "set-objective", "wine-classification", "loss", "--min")
    head = run_cli("runs", "list", "--filter", "run_name LIKE 'try%'").out.splitlines()[0].split()
    assert "solver" not in head
    assert head[head.index("loss") : head.index("loss") + 3] == ["loss", "↓", "acc"]


def test_filter_order_and_limit(run_cli: Command, sweep: dict[str, str]) -> None:
    ordered = run_cli("runs", "list", "--order-by", "metrics.acc DESC", "--json")
    assert names(ordered) == ["try-3", "try-2", "try-1", "try-0", "fold"]
    assert names(run_cli("runs", "search", "metrics.acc > 0.905 AND status = 'FINISHED'", "--json")) == ["try-2", "try-1"]
    limited = run_cli("runs", "list", "-n", "2")
    assert limited.err == "2 of 5 runs; more with --limit\n"
    assert len(limited.out.splitlines()) == 3


def test_a_wrong_filter_points_at_its_place(run_cli: Command, sweep: dict[str, str]) -> None:
    done = run_cli("runs", "search", "metrics.acc >")
    assert done.code == 2
    assert "^" in done.err


def test_json_begins_with_the_run_id_and_spells_nan(run_cli: Command, sweep: dict[str, str]) -> None:
    rows = shape(run_cli("runs", "list", "--json"))
    assert next(iter(rows[0])) == "run_id"
    assert {row["name"]: row["run_id"] for row in rows} == sweep
    assert next(row for row in rows if row["name"] == "fold")["metrics"]["acc"] == "NaN"


def test_csv_has_mlflows_columns_or_those_asked_for(run_cli: Command, sweep: dict[str, str]) -> None:
    rows = list(csv.DictReader(io.StringIO(run_cli("runs", "list", "--csv").out)))
    assert list(rows[0])[:6] == ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
    assert {row["tags.mlflow.runName"] for row in rows} == set(sweep)
    assert (
        run_cli("runs", "search", "run_name = 'try-2'", "--csv", "--columns", "name,depth,metrics.acc").out
        == "name,depth,metrics.acc\ntry-2,2,0.92\n"
    )


def test_an_unknown_column_lists_what_there_is(run_cli: Command, sweep: dict[str, str]) -> None:
    done = run_cli("runs", "list", "--columns", "id,nonsense")
    assert done.code == 2
    assert "'nonsense'" in done.err
    assert "params.KEY" in done.err


def test_tree_puts_children_under_their_parents(run_cli: Command, sweep: dict[str, str]) -> None:
    lines = run_cli("runs", "list", "--tree", "--columns", "id,name").out.splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines[1:3]] == ["try-3", "└ fold"]


def test_runs_that_name_each_other_as_parent_are_still_shown() -> None:
    one, other, own = Run("a", "wine", parent="b"), Run("b", "wine", parent="a"), Run("c", "wine", parent="c")
    assert {run.run_id for _, run in as_tree([one, other, own])} == {"a", "b", "c"}


def test_a_live_run_is_shown_as_running(run_cli: Command, folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)
    run = runfolio.start_run(run_name="on-going")
    runfolio.log_metric("acc", 0.5)
    [row] = shape(run_cli("runs", "list", "--json"))
    assert (row["run_id"], row["status"], row["metrics"]) == (run.info.run_id, "RUNNING", {"acc": 0.5})
    assert "RUNNING" in run_cli("runs", "show", "on-going").out


def test_an_unborn_branch_has_no_runs(run_cli: Command, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    (empty / "runfolio.yaml").write_text("schema: 1\n")
    assert shape(run_cli("-C", str(empty), "runs", "list", "--json")) == []
    assert run_cli("-C", str(empty), "runs", "list").err == "No runs are to be shown.\n"


def test_at_asks_the_past_by_revision_and_by_date(run_cli: Command, folio_dir: Path, sweep: dict[str, str]) -> None:
    git(folio_dir, "tag", "v1.0")
    run_cli("runs", "rename", "try-2", "best")
    run_cli("runs", "delete", "try-0")
    assert "try-0" in names(run_cli("runs", "list", "--at", "v1.0", "--json"))
    assert "try-0" not in names(run_cli("runs", "list", "--json"))
    assert shape(run_cli("runs", "show", "try-2", "--at", "v1.0", "--json"))["name"] == "try-2"
    assert names(run_cli("runs", "list", "--at", "2999-01-01", "--json")) == names(run_cli("runs", "list", "--json"))
    assert run_cli("runs", "list", "--at", "1999-01-01").code == 11
    assert "a day such as" in run_cli("runs", "list", "--at", "no-such-thing").err


def test_a_day_means_its_end_and_not_the_clock(run_cli: Command, folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day, text in (("2020-05-01T23:59:00Z", "one"), ("2020-05-02T00:01:00Z", "two")):
        monkeypatch.setenv("GIT_COMMITTER_DATE", day)
        git(folio_dir, "commit", "-q", "--allow-empty", "-m", text, "--date", day)
    from runfolio.folio import open_folio
    from runfolio.folio.past import commit_at

    folio = open_folio(folio_dir)
    assert git(folio_dir, "log", "-1", "--format=%s", commit_at(folio.place, "2020-05-01")) == "one\n"
    assert git(folio_dir, "log", "-1", "--format=%s", commit_at(folio.place, "2020-05-02")) == "two\n"
    folio.close()


def test_at_a_code_revision_reads_the_ledger_of_that_moment(tmp_path: Path, repo_dir: Path, run_cli: Command) -> None:
    from runfolio.folio import initialise

    ledger = tmp_path / "ledger"
    ledger.mkdir()
    git(ledger, "init", "-q")
    initialise(ledger, branch="runfolio/ledger", commit=True).folio.close()
    runfolio.set_tracking_uri(ledger)
    with runfolio.start_run(run_name="logged"):
        pass
    forget_sessions()
    git(ledger, "commit", "-q", "--allow-empty", "-m", "code after the run")
    assert names(run_cli("-C", str(ledger), "runs", "list", "--at", "main", "--json")) == ["logged"]


def test_show_gives_all_that_is_known(run_cli: Command, sweep: dict[str, str]) -> None:
    done = run_cli("runs", "show", sweep["try-1"][:20])
    for part in ("try-1", "Wine classification", "FINISHED", "depth", "loss", "█", "notes/depth.txt", "runfolio runs code"):
        assert part in done.out
    whole = shape(run_cli("runs", "show", "try-1", "--json"))
    assert next(iter(whole)) == "run_id"
    assert whole["metric_summaries"]["loss"]["count"] == 20
    assert whole["artifacts"][0]["path"] == "notes/depth.txt"


def test_an_ambiguous_name_lists_the_runs(run_cli: Command, folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)
    ids = []
    for _ in range(2):
        with runfolio.start_run(run_name="twin") as run:
            ids.append(run.info.run_id)
    forget_sessions()
    done = run_cli("runs", "show", "twin")
    assert done.code == 2
    assert all(run_id in done.err for run_id in ids)
    assert "is the name of 2 runs" in done.err
    assert "begins the ids of 2 runs" in run_cli("runs", "show", ids[0][:6]).err
    assert run_cli("runs", "show", "nobody").code == 11


def test_compare_shows_only_what_differs_and_deltas(run_cli: Command, sweep: dict[str, str]) -> None:
    done = run_cli("runs", "compare", "try-1", "try-2")
    assert "0.92 (+0.01)" in done.out
    assert "solver" not in done.out
    assert "solver" in run_cli("runs", "compare", "try-1", "try-2", "--all").out
    made = shape(run_cli("runs", "compare", "try-1", "try-2", "--baseline", "try-2", "--json"))
    assert made["baseline"] == sweep["try-2"]
    assert next(row for row in made["rows"] if row["key"] == "acc")["deltas"] == [pytest.approx(-0.01), 0.0]
    head = run_cli("runs", "compare", "try-1", "try-2", "--csv").out.splitlines()[0].split(",")
    assert head[:4] == ["kind", "key", sweep["try-1"], sweep["try-2"]]
    assert run_cli("runs", "compare", "try-1").code == 2


def test_the_tag_of_logged_models_is_no_difference(run_cli: Command, sweep: dict[str, str]) -> None:
    for name in ("try-1", "try-2"):
        assert run_cli("runs", "tag", name, f"mlflow.log-model.history={name}", f"team={name}").code == 0
    done = run_cli("runs", "compare", "try-1", "try-2")
    assert "log-model.history" not in done.out and "team" in done.out
    assert "log-model.history" in run_cli("runs", "compare", "try-1", "try-2", "--all").out


def test_history_gives_every_point(run_cli: Command, sweep: dict[str, str]) -> None:
    points = shape(run_cli("runs", "history", "try-1", "loss", "--json"))
    assert [point["value"] for point in points] == [1 / (step + 1) for step in range(20)]
    assert len(run_cli("runs", "history", "try-1", "loss", "--csv").out.splitlines()) == 21
    assert "acc, loss" in run_cli("runs", "history", "try-1", "nonsense").err


def test_a_run_is_shown_as_a_row_of_the_list(run_cli: Command, sweep: dict[str, str]) -> None:
    one = list(csv.DictReader(io.StringIO(run_cli("runs", "show", "try-2", "--csv").out)))
    rows = list(csv.DictReader(io.StringIO(run_cli("runs", "list", "--csv").out)))
    [same] = [row for row in rows if row["run_id"] == sweep["try-2"]]
    assert one == [{key: value for key, value in same.items() if key in one[0]}]
    assert one[0]["experiment_id"] == "wine-classification"
    assert run_cli("runs", "show", "try-2", "--csv", "--json").code == 2


def test_artifacts_of_the_past_are_listed_and_copied(
    run_cli: Command, sweep: dict[str, str], folio_dir: Path, tmp_path: Path
) -> None:
    then = git(folio_dir, "rev-parse", "HEAD").strip()
    runfolio.MlflowClient(folio_dir).log_text(sweep["try-2"], "later", "notes/depth.txt")
    forget_sessions()
    old, new = (run_cli("runs", "artifacts", "try-2", *at, "--csv").out for at in (("--at", then), ()))
    assert old.splitlines()[0] == "path,size,digest"
    assert old != new
    assert run_cli("runs", "artifacts", "try-2", "--at", then, "--get", str(tmp_path)).code == 0
    assert (tmp_path / "notes/depth.txt").read_text() == "depth 2"


def test_artifacts_are_listed_and_copied(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    assert shape(run_cli("runs", "artifacts", "try-2", "--json"))[0]["path"] == "notes/depth.txt"
    target = tmp_path / "fetched"
    assert run_cli("runs", "artifacts", "try-2", "notes", "--get", str(target)).code == 0
    assert (target / "notes/depth.txt").read_text() == "depth 2"
    assert run_cli("runs", "artifacts", "try-2", "nonsense").code == 11


def test_code_brings_the_uncommitted_script_back(run_cli: Command, folio_dir: Path, tmp_path: Path) -> None:
    script = folio_dir / "train.py"
    script.write_text("import runfolio\nwith runfolio.start_run(run_name='dirty'):\n    pass\n")
    subprocess.run([sys.executable, "train.py"], cwd=folio_dir, check=True)
    text = script.read_text()
    script.write_text("print('changed since')\n")
    target = tmp_path / "code"
    assert run_cli("runs", "code", "dirty", str(target)).code == 0
    assert (target / "train.py").read_text() == text
    assert run_cli("runs", "code", "dirty", str(target)).code == 13


def test_many_runs_are_deleted_and_restored_by_one_commit_each(run_cli: Command, folio_dir: Path, sweep: dict[str, str]) -> None:
    before = commits(folio_dir)
    assert run_cli("runs", "delete", "try-0", "try-1", "try-2").code == 0
    assert commits(folio_dir) == before + 1
    assert names(run_cli("runs", "list", "--json")) == ["fold", "try-3"]
    assert set(names(run_cli("runs", "list", "--deleted", "--json"))) == {"try-0", "try-1", "try-2"}
    assert run_cli("runs", "restore", "try-0", "try-1", "try-2").code == 0
    assert commits(folio_dir) == before + 2
    assert len(names(run_cli("runs", "list", "--json"))) == 5
    assert git(folio_dir, "status", "--short") == ""


def test_delete_by_filter_is_a_dry_run_without_yes(run_cli: Command, folio_dir: Path, sweep: dict[str, str]) -> None:
    before = commits(folio_dir)
    shown = run_cli("runs", "delete", "--filter", "metrics.acc < 0.915", "--status", "FINISHED")
    assert (shown.code, commits(folio_dir)) == (0, before)
    assert "try-0" in shown.out
    assert shown.err == "2 runs would be deleted. Do it with --yes.\n"
    assert run_cli("runs", "delete", "--filter", "metrics.acc < 0.915", "--older-than", "90d", "--yes").err == "0 runs deleted.\n"
    assert run_cli("runs", "delete", "--filter", "metrics.acc < 0.915", "--yes").err == "2 runs deleted.\n"
    assert commits(folio_dir) == before + 1
    assert run_cli("runs", "delete").code == 2
    assert run_cli("runs", "delete", "try-2", "--filter", "x").code == 2


def test_delete_by_filter_never_takes_a_run_that_goes_on(run_cli: Command, folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)
    runfolio.start_run(run_name="on-going")
    assert shape(run_cli("runs", "delete", "--filter", "start_time > 0", "--json")) == []


def test_an_empty_filter_deletes_nothing(run_cli: Command, folio_dir: Path, sweep: dict[str, str]) -> None:
    # --filter "$FILTER" --yes with a variable that is not set took every run.
    for empty in ("", "  "):
        done = run_cli("runs", "delete", "--filter", empty, "--yes")
        assert done.code == 2 and "--filter is empty, and would take every run" in done.err
    assert len(names(run_cli("runs", "list", "--json"))) == 5
    assert run_cli("runs", "delete", "--filter", "", "--status", "failed", "--yes").err == "1 run deleted.\n"
    assert run_cli("runs", "delete", "--older-than", "0s", "--yes").err == "4 runs deleted.\n"


def test_names_and_a_filter_are_not_said_to_be_missing(run_cli: Command, sweep: dict[str, str]) -> None:
    assert "one of the two" in run_cli("runs", "delete", "try-2", "--filter", "metrics.acc > 0").err


def test_what_is_deleted_or_there_already_is_not_counted_as_done(run_cli: Command, sweep: dict[str, str]) -> None:
    assert run_cli("runs", "restore", "try-0").err == "0 runs restored; 1 run was active already.\n"
    assert run_cli("runs", "delete", "try-0").err == "1 run deleted.\n"
    assert run_cli("runs", "delete", "try-0", "try-1").err == "1 run deleted; 1 run was deleted already.\n"
    assert run_cli("runs", "restore", "try-0", "try-1").err == "2 runs restored.\n"


def test_an_empty_revision_is_not_the_present(run_cli: Command, sweep: dict[str, str]) -> None:
    for command in (("runs", "list"), ("experiments", "list"), ("check",)):
        done = run_cli(*command, "--at", "")
        assert done.code == 2 and "it is empty" in done.err, command


def test_a_date_before_the_first_commit_names_a_commit_that_at_takes(run_cli: Command, sweep: dict[str, str]) -> None:
    done = run_cli("runs", "list", "--at", "2001-01-01")
    first = done.err.split("The first, ")[1].split(",")[0]
    assert done.code == 11 and "or that commit;" in done.err
    assert run_cli("runs", "list", "--at", first).code == 0


def test_a_rule_that_cannot_be_read_is_named_with_its_file(run_cli: Command, folio_dir: Path) -> None:
    settings = folio_dir / "runfolio.yaml"
    settings.write_text(
        "schema: 1\nretention:\n  - {filter: status = 'FAILED', older_than: 1d}\n  - {filter: metrics.a >, older_than: 1d}\n"
    )
    for _ in range(2):  # the second time the file is known, and not parsed again
        done = run_cli("runs", "retain", "--yes")
        assert (done.code, done.out) == (2, "")
        assert f"{settings}: line 4: retention[1].filter: Invalid filter" in done.err


def test_retain_applies_the_rules_of_the_folio(run_cli: Command, folio_dir: Path, sweep: dict[str, str]) -> None:
    assert "no retention rules" in run_cli("runs", "retain").err
    settings = folio_dir / "runfolio.yaml"
    settings.write_text(
        "schema: 1\nretention:\n  - filter: metrics.acc < 0.915\n    older_than: 0s\n  - filter: ''\n    older_than: 900d\n"
    )
    shown = run_cli("runs", "retain")
    assert "2 runs would be deleted" in shown.err
    done = run_cli("runs", "retain", "--yes", "--json")
    assert {row["name"] for row in shape(done)} == {"try-0", "try-1"}
    assert set(names(run_cli("runs", "list", "--deleted", "--json"))) == {"try-0", "try-1"}


def test_tags_names_and_notes_are_changed(run_cli: Command, folio_dir: Path, sweep: dict[str, str]) -> None:
    assert run_cli("runs", "tag", "try-1", "team=red", "url=https://a:b@x.org/").code == 0
    tags = shape(run_cli("runs", "show", "try-1", "--json"))["tags"]
    assert tags == {"team": "red", "url": "https://x.org/"}
    assert run_cli("runs", "tag", "try-1", "--remove", "team").code == 0
    assert run_cli("runs", "tag", "try-1", "--remove", "team").code == 11
    assert run_cli("runs", "tag", "try-1", "nonsense").code == 2
    assert run_cli("runs", "rename", "try-1", "chosen").code == 0
    assert run_cli("runs", "note", "chosen", "kept for the paper").code == 0
    assert run_cli("runs", "note", "chosen").out == "kept for the paper\n"
    assert run_cli("runs", "note", "chosen", "--remove").code == 0
    assert run_cli("runs", "note", "chosen").out == "\n"
    made = shape(run_cli("runs", "show", "chosen", "--json"))
    assert (made["status"], made["params"]["depth"], made["resumed"]) == ("FINISHED", "1", [])


def test_a_deleted_run_is_not_tagged(run_cli: Command, sweep: dict[str, str]) -> None:
    run_cli("runs", "delete", "try-1")
    done = run_cli("runs", "tag", "try-1", "a=b")
    assert done.code == 13
    assert "runfolio runs restore" in done.err


def test_a_run_that_goes_on_in_another_process_is_tagged_in_its_own_journal(run_cli: Command, folio_dir: Path) -> None:
    program = "import runfolio, sys\nwith runfolio.start_run(run_name='other'):\n    print('up', flush=True)\n    sys.stdin.readline()\n"
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=folio_dir, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "up\n"
        assert run_cli("runs", "tag", "other", "team=red").code == 0
        assert shape(run_cli("runs", "show", "other", "--json"))["status"] == "RUNNING"
        other.communicate("\n")
    assert other.returncode == 0
    made = shape(run_cli("runs", "show", "other", "--json"))
    assert (made["status"], made["tags"]) == ("FINISHED", {"team": "red"})


def test_a_merge_under_way_keeps_the_change_waiting(run_cli: Command, folio_dir: Path, sweep: dict[str, str]) -> None:
    (folio_dir / ".git/MERGE_HEAD").write_text(git(folio_dir, "rev-parse", "HEAD"))
    done = run_cli("runs", "delete", "try-1")
    assert done.code == 13
    assert "merge is under way" in done.err
    os.unlink(folio_dir / ".git/MERGE_HEAD")
    assert run_cli("commit").code == 0
    assert "try-1" in names(run_cli("runs", "list", "--deleted", "--json"))


def test_an_unreadable_record_hides_no_other(run_cli: Command, folio_dir: Path, sweep: dict[str, str]) -> None:
    [record] = folio_dir.glob(f"runs/*/*/*/{sweep['try-1']}.json")
    record.write_text("{ nonsense")
    git(folio_dir, "commit", "-qam", "break a record")
    done = run_cli("runs", "list", "--json")
    assert set(names(done)) == set(sweep) - {"try-1"}
    assert "1 record is unreadable" in done.err


def test_a_name_that_paints_is_shown_spelled_out(run_cli: Command, sweep: dict[str, str]) -> None:
    run_cli("runs", "rename", "try-1", "\x1b[31m\u202eevil")
    assert "\\u001b[31m\\u202eevil" in run_cli("runs", "list").out
    assert "\x1b[31m" not in run_cli("runs", "show", sweep["try-1"]).out


@pytest.mark.parametrize(
    ("ago_s", "text"),
    [(5, "5 s ago"), (60, "1 min ago"), (7200, "2 h ago"), (86_400 * 3, "3 d ago"), (86_400 * 40, "2026-10-15")],
)
def test_age(ago_s: int, text: str) -> None:
    now = 1_795_478_400_000
    assert age_text(now - ago_s * 1000, now) == text


def test_the_past_is_compared_and_its_histories_are_printed(run_cli: Command, sweep: dict[str, str], folio_dir: Path) -> None:
    before = git(folio_dir, "rev-parse", "HEAD").strip()
    run_cli("runs", "tag", "try-0", "team=red")
    run_cli("runs", "rename", "try-1", "renamed")
    done = run_cli("runs", "compare", "try-0", "try-1", "--at", before, "--json")
    assert done.code == 0, done.err
    rows = [row for row in json.loads(done.out)["rows"] if row["kind"] in ("tag", "attribute")]
    assert ("tag", "team") not in {(row["kind"], row["key"]) for row in rows}
    assert ["try-0", "try-1"] in [row["values"] for row in rows if row["key"] == "name"]
    assert run_cli("runs", "history", "try-1", "acc").code == 11
    assert json.loads(run_cli("runs", "history", "try-1", "acc", "--at", before, "--json").out)


def test_deleted_shows_the_runs_of_deleted_experiments_too(run_cli: Command, sweep: dict[str, str]) -> None:
    run_cli("runs", "delete", "try-0")
    run_cli("experiments", "create", "other")
    assert names(run_cli("runs", "list", "--deleted", "--json")) == ["try-0"]
    run_cli("experiments", "delete", "wine-classification")
    assert names(run_cli("runs", "list", "--deleted", "--json")) == ["fold", "try-3", "try-2", "try-1", "try-0"]
    assert names(run_cli("runs", "list", "--deleted", "-n", "2", "--json")) == ["fold", "try-3"]
    assert names(run_cli("runs", "list", "--json")) == []


def test_a_name_keeps_its_room_and_other_columns_go() -> None:
    from runfolio.cli.tables import Column, render_table

    columns = [Column("name", least=24), Column("solver", rank=3), Column("note", rank=4)]
    text, dropped = render_table(columns, [["a-name-of-twenty-four-xx", "lbfgs-with-options", "long words here"]], 40)
    assert dropped == ["note"] and "a-name-of-twenty-four-xx" in text


def test_one_long_name_does_not_make_a_narrow_table_as_wide() -> None:
    from runfolio.cli.tables import Column, render_table

    columns = [Column("id", whole=True), Column("name", least=24), Column("status", whole=True)]
    text, dropped = render_table(columns, [["01a22052a9227000", "x" * 300, "FINISHED"], ["01a22052a9227001", "y", "KILLED"]], 40)
    assert dropped == []
    lines = click.unstyle(text).splitlines()
    assert [len(line) for line in lines] == [50, 52, 50]
    assert lines[1].endswith("x" * 23 + "…  FINISHED")


def test_a_run_that_is_not_found_may_be_one_that_cannot_be_read(run_cli: Command, sweep: dict[str, str], folio_dir: Path) -> None:
    assert "List the runs: runfolio runs list\n" in run_cli("runs", "show", "nobody").err
    record = next((folio_dir / "runs").rglob(f"{sweep['try-1']}.json"))
    record.write_text("{")
    git(folio_dir, "commit", "-qam", "damaged")
    done = run_cli("runs", "show", "try-1")
    assert (done.code, "or it is one of the 1 that cannot be read: runfolio check" in done.err) == (11, True), done.err


def test_a_run_that_comes_back_without_its_files_says_so(run_cli: Command, folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)
    with runfolio.start_run(run_name="with-a-file"):
        runfolio.log_text("words", "notes.txt")
    forget_sessions()
    assert run_cli("runs", "delete", "with-a-file").code == 0
    assert "are gone" not in run_cli("runs", "restore", "with-a-file").err
    assert run_cli("runs", "delete", "with-a-file").code == 0
    for item in (folio_dir / ".git" / "runfolio" / "objects").rglob("*"):
        if item.is_file() and item.read_bytes() == b"words":
            item.unlink()
    assert "are gone, as after a clean-up" in run_cli("runs", "restore", "with-a-file").err
