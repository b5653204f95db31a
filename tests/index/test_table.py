"""The index follows the commits, says what is damaged, and knows the past."""

from __future__ import annotations

import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runfolio.errors import GitError
from runfolio.formats.runs import encode_run
from runfolio.gitstore.repo import Repo
from runfolio.index import ExperimentSummary, Index, contents
from runfolio.query import parse_filter
from runfolio.records import Experiment, Lifecycle, Run, ViewType
from tests.index.history import History, make_run, metric, path_of


def ids(index: Index, text: str = "") -> list[str]:
    return [run.run_id for run in index.search_runs(parse_filter(text), view=ViewType.ALL)]


def updated(history: History, commit: str | None, prefix: str = "") -> Index:
    index = Index.open()
    index.update(history.repo, commit, prefix)
    return index


A = Run("aa1", "wine", start=10, params={"depth": "3"}, metrics={"acc": metric(0.5)})
B = Run("ab2", "wine", start=20, params={"depth": "4"}, metrics={"acc": metric(0.7)})


def test_nothing_committed_is_an_empty_folio(history: History) -> None:
    index = updated(history, None)
    assert index.search_runs() == []
    assert index.experiments() == [Experiment("0", "default", "Default")]
    assert index.faults() == []
    index.update(history.repo, history.commit_runs([A]))
    assert ids(index) == ["aa1"]
    index.update(history.repo, None)
    assert ids(index) == []


def test_update_reads_only_the_records_that_differ(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    index = updated(history, history.commit_runs([A]))
    read: list[str] = []
    read_many = Repo.read_many

    def watched(repo: Repo, names: object) -> object:
        listed = list(names)  # type: ignore[call-overload]
        read.extend(listed)
        return read_many(repo, listed)

    monkeypatch.setattr(Repo, "read_many", watched)
    index.update(history.repo, history.commit_runs([B]))
    assert ids(index) == ["ab2", "aa1"]
    assert len(read) == 1


def test_changed_and_deleted_records_are_followed(history: History) -> None:
    index = updated(history, history.commit_runs([A, B]))
    index.update(history.repo, history.commit_runs([replace(A, params={"depth": "9"}, lifecycle=Lifecycle.DELETED)]))
    assert ids(index, "params.depth = '9'") == ["aa1"]
    assert ids(index, "params.depth = '3'") == []
    assert [run.run_id for run in index.search_runs()] == ["ab2"]
    index.update(history.repo, history.commit({path_of(A): None}))
    assert ids(index) == ["ab2"]
    assert index.get_run("aa1") is None


def test_series_and_other_files_are_not_records(history: History) -> None:
    files = {
        path_of(A): encode_run(A),
        path_of(A)[:-5] + ".series.json": b"{}",
        "runs/README.md": b"x",
        "experiments/notes.txt": b"x",
    }
    index = updated(history, history.commit(files))
    assert ids(index) == ["aa1"]
    assert index.faults() == []


def test_a_folio_in_a_folder_sees_only_that_folder(tmp_path: Path) -> None:
    inner = History(tmp_path / "repo.git", "deep/[földer]/")
    inner.commit_runs([A])
    outer = inner.repo
    first = inner.commit({"experiments/wine.yaml": b"schema: 1\nname: Wine list\n"})
    index = updated(inner, first, "deep/[földer]/")
    assert ids(index) == ["aa1"]
    assert index.path_of("aa1") == path_of(A)
    assert [item.name for item in index.experiments()] == ["Wine list", "Default"]
    index.update(outer, inner.commit_runs([B]), "deep/[földer]/")
    assert ids(index) == ["ab2", "aa1"]
    index.update(outer, outer.resolve("main"), "")
    assert ids(index) == []
    outer.close()


BAD = {
    "torn": b'{\n  "run_id": "zz',
    "empty": b"",
    "not an object": b"[]\n",
    "binary": b"\xff\xfe\x00",
    "newer schema": b'{\n  "schema": 99\n}\n',
    "missing fields": b'{\n  "schema": 1\n}\n',
    "nested too deeply": b"[" * 100_000,
    "huge number": b'{\n  "experiment": "wine",\n  "metrics": {\n    "m": {"at": 1, "last": 1' + b"0" * 400 + b', "step": 0}\n  },\n'
    b'  "run_id": "zz9",\n  "schema": 1,\n  "start": 1,\n  "status": "FINISHED"\n}\n',
    "another run's record": encode_run(A),
    "key without a letter's other half": b'{"schema": 1, "run_id": "zz9", "experiment": "wine", "status": "FINISHED", "start": 1, "params": {"\\ud800": 3}}',
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_record_is_a_fault_and_hides_no_other(bad: bytes, history: History) -> None:
    place = "runs/wine/1970-01/01/zz9.json"
    index = updated(history, history.commit({path_of(A): encode_run(A), place: bad}))
    assert ids(index) == ["aa1"]
    (fault,) = index.faults()
    assert fault.path == place
    assert place in fault.message
    index.update(history.repo, history.commit_runs([Run("zz9", "wine", start=1)]))
    assert index.faults() == []
    assert ids(index) == ["aa1", "zz9"]
    index.update(history.repo, history.commit({place: bad}))
    assert [fault.path for fault in index.faults()] == [place]
    assert ids(index) == ["aa1"]


def test_two_records_of_one_run_show_one_and_name_the_other(history: History) -> None:
    first, second = "runs/wine/1970-01/01/aa1.json", "runs/wine/1970-01/02/aa1.json"
    again = encode_run(replace(A, name="again"))
    index = updated(history, history.commit({second: again}))
    assert index.faults() == []
    index.update(history.repo, history.commit({first: encode_run(A)}))
    for found in (index, updated(history, history.repo.resolve("main"))):
        assert ids(found) == ["aa1"]
        assert found.path_of("aa1") == first
        assert [fault.path for fault in found.faults()] == [second]
    index.update(history.repo, history.commit({first: None}))
    assert [run.name for run in index.search_runs()] == ["again"]
    assert index.faults() == []


def test_experiments_are_those_with_a_file_the_default_and_those_with_runs(history: History) -> None:
    wine = b"schema: 1\nname: Wine\ntags:\n  team: red\n"
    index = updated(
        history, history.commit({"experiments/wine.yaml": wine, "experiments/bad.yaml": b"a: [", path_of(A): encode_run(A)})
    )
    assert [fault.path for fault in index.faults()] == ["experiments/bad.yaml"]
    index.update(history.repo, history.commit_runs([replace(B, experiment="iris")]))
    found = {item.slug: item for item in index.experiments()}
    assert found.keys() == {"default", "wine", "iris"}
    assert (found["wine"].name, found["wine"].tags) == ("Wine", {"team": "red"})
    assert found["iris"] == Experiment("iris", "iris", "iris")
    index.update(
        history.repo, history.commit({"experiments/wine.yaml": wine.replace(b"Wine", b"Whine"), "experiments/bad.yaml": None})
    )
    assert {item.name for item in index.experiments()} == {"Whine", "iris", "Default"}
    assert index.faults() == []


def test_the_default_experiment_keeps_its_id_and_takes_what_its_file_says(history: History) -> None:
    index = updated(history, history.commit({"experiments/default.yaml": b"schema: 1\ndescription: Anything\n"}))
    (default,) = index.experiments()
    assert (default.experiment_id, default.name, default.description) == ("0", "Default", "Anything")


def test_summaries_count_active_runs(history: History) -> None:
    index = updated(
        history, history.commit_runs([A, B, Run("c", "iris", start=5), Run("d", "iris", lifecycle=Lifecycle.DELETED)])
    )
    assert index.summaries() == [ExperimentSummary("iris", 1, 5), ExperimentSummary("wine", 2, 20)]


def test_runs_are_found_by_id_and_by_the_beginning_of_it(history: History) -> None:
    index = updated(history, history.commit_runs([A, B, Run("ba1", "iris")]))
    assert index.get_run("ab2") == B
    assert index.get_run("ab") is None
    assert index.get_run("\ud800") is None
    assert index.find_prefix("a") == ["aa1", "ab2"]
    assert index.find_prefix("a", limit=1) == ["aa1"]
    assert index.find_prefix("") == ["aa1", "ab2", "ba1"]
    assert index.find_prefix("é") == index.find_prefix("%") == []
    assert index.paths() == {run.run_id: path_of(run) for run in (A, B, Run("ba1", "iris"))}
    assert index.path_of("zz") is None


def test_the_past_is_asked_without_moving_the_index(history: History, tmp_path: Path) -> None:
    first = history.commit_runs([A])
    index = Index.open(tmp_path / "index.sqlite")
    index.update(history.repo, history.commit_runs([B]))
    assert ids(index.at(history.repo, first)) == ["aa1"]
    assert ids(index) == ["ab2", "aa1"]


def test_a_collected_commit_is_no_obstacle(history: History) -> None:
    first = history.commit_runs([A])
    index = updated(history, first)
    place = str(history.repo.git_dir)
    subprocess.run(["git", "-C", place, "update-ref", "-d", "refs/heads/main"], check=True)
    second = history.commit_runs([B])
    subprocess.run(["git", "-C", place, "-c", "gc.reflogExpire=now", "gc", "-q", "--prune=now"], check=True)
    fresh = Repo.discover(place)
    assert fresh.read_kind(first) is None
    index.update(fresh, second)
    assert ids(index) == ["ab2"]
    fresh.close()


def test_a_commit_that_is_not_there_is_an_error_and_the_index_recovers(history: History) -> None:
    first = history.commit_runs([A])
    index = updated(history, first)
    with pytest.raises(GitError):
        index.update(history.repo, "0123456789" * 4)
    index.update(history.repo, first)
    assert ids(index) == ["aa1"]


def test_many_changes_at_once_are_loaded_anew(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runfolio.index.load._BATCH", 3)
    index = updated(history, history.commit_runs([A, B]))
    index.update(history.repo, history.commit_runs(Run(f"r{place}", "wine", start=place) for place in range(10)))
    assert len(ids(index)) == 12


steps = st.lists(
    st.dictionaries(st.integers(0, 12), st.none() | st.integers(0, 10**6), min_size=1, max_size=6), min_size=2, max_size=5
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_following_the_differences_is_building_anew(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, made: list[dict[int, int | None]]
) -> None:
    monkeypatch.setattr(contents, "_WORTH_KEEPING", 1)
    monkeypatch.setattr(contents, "_FEW_TOUCHED", 2)
    history = History(tmp_path_factory.mktemp("steps") / "repo.git")
    index = Index.open()
    held: dict[str, bytes] = {}
    for step in made:
        files: dict[str, bytes | None] = {}
        for name, seed in step.items():
            run = make_run(seed or 0, f"r{name}")
            path = f"runs/{run.experiment}/1970-01/01/r{name}.json"
            for old in [old for old in {**held, **files} if old.endswith(f"/r{name}.json")]:
                files[old] = None
            if seed is not None:
                files[path] = encode_run(run)
        index.update(history.repo, history.commit(files))
        held = {path: data for path, data in {**held, **files}.items() if data is not None}
        anew = updated(history, history.repo.resolve("main"))
        assert index.paths() == anew.paths() == {path.rsplit("/", 1)[1][:-5]: path for path in sorted(held)}
        for text in ("", "params.k != 'a'", "metrics.k > 0", "tags.`a b` IS NULL", "dataset.name IS NOT NULL"):
            assert ids(index, text) == ids(anew, text)
        assert outline(index) == outline(anew)
    history.repo.close()


def outline(index: Index) -> list[tuple[object, bytes]]:
    """Return the rows, without the numbers that another index may give them, each with its record."""
    rows = index.outline()
    return [(row[1:], body) for row, body in zip(rows, index.bodies([row.pk for row in rows]), strict=True)]


def test_of_a_kept_outline_only_what_changed_is_read_again(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_WORTH_KEEPING", 1)
    history.commit_runs(Run(f"r{place}", "wine", start=place) for place in range(5))
    index = Index.open(tmp_path / "index.sqlite")
    index.update(history.repo, history.repo.resolve("main"))
    whole = index.outline()
    with sqlite3.connect(tmp_path / "index.sqlite") as db:
        db.execute("UPDATE runs SET status = 'OTHER' WHERE run_id = 'r2'")  # not told to the triggers, so it is not seen
        db.execute("DELETE FROM touched")
    assert index.outline() == whole
    index.update(history.repo, history.commit_runs([Run("r3", "wine", start=9, name="new")]))
    assert [(row.run_id, row.name, row.status) for row in index.outline() if row.run_id in ("r2", "r3")] == [
        ("r2", "", "RUNNING"),
        ("r3", "new", "RUNNING"),
    ]
    for damaged in ("[[1]", b"[]\n", b'[["numbers",null,7]]\n1234567', b'[["few",["a"],1]]\n\x01', b""):
        with sqlite3.connect(tmp_path / "index.sqlite") as db:
            db.execute("UPDATE outlines SET columns = ?", (damaged,))
        assert {row.status for row in index.outline()} == {"RUNNING", "OTHER"}, "a damaged one is read anew"


def test_an_outline_is_read_where_it_cannot_be_kept(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_WORTH_KEEPING", 1)
    file = tmp_path / "index.sqlite"
    index = Index.open(file)
    index.update(history.repo, history.commit_runs([A, B]))
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")  # somebody writes
        assert [row.run_id for row in index.outline()] == ["aa1", "ab2"] and index.file == file
        other.execute("ROLLBACK")
        assert other.execute("SELECT count(*) FROM outlines").fetchone() == (0,)
    assert len(index.outline()) == 2
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT count(*) FROM outlines").fetchone() == (1,)
    index.close()
