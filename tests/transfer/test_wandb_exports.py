"""Files that were exported of W&B: in the forms that its guide, its API and its pages have; none was made by W&B's service itself.

Rows of the history are those of ``run.scan_history()``; dictionaries in CSV are what pandas writes of ``run.config`` and ``run.summary``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError
from runfolio.transfer.wandb.exports import literal
from tests.transfer.apart import findings, points_of, runs_of, take

RUNS: list[dict[str, Any]] = [
    {
        "id": "abc1", "name": "first", "project": "mnist", "entity": "team", "state": "finished", "created_at": "2025-01-02T03:04:05Z",
        "heartbeat_at": "2025-01-02T03:05:05Z", "config": {"lr": 0.1, "opt": {"name": "adam"}, "_wandb": {"x": 1}, "raw": {"value": 3, "desc": None}},
        "summary": {"loss": 0.25, "best": 0.9, "_step": 3, "_timestamp": 1735787100.0, "_runtime": 55},
        "history": [{"_step": step, "_timestamp": 1735787046.0 + step, "loss": 1 / (step + 1)} for step in range(4)],
        "tags": ["a", "b"], "group": "cv", "job_type": "train", "notes": "A note", "user": {"username": "ada"}, "commit": "0" * 40,
        "system_metrics": {"system.cpu": 5.0}, "url": "https://wandb.ai/team/mnist/runs/abc1",
    },
    {"id": "abc2", "name": "second", "project": "mnist", "state": "crashed", "created_at": "2025-01-03T00:00:00", "config": {}, "summary": {}},
    {"id": "abc3", "name": "third", "project": "mnist", "state": "running", "created_at": "2025-01-04", "config": {}, "summary": {"x": "NaN"}},
]  # fmt: skip


def _by_name(folio: Path) -> dict[str, Any]:
    return {run.info.run_name: run for run in runs_of(folio).values()}


@pytest.mark.parametrize("form", ["runs.json", "wrapped.json", "runs.jsonl"])
def test_runs_of_the_api_as_json(folio_dir: Path, tmp_path: Path, form: str) -> None:
    place = tmp_path / form
    lines = "".join(f"{json.dumps(run)}\n" for run in RUNS)
    place.write_text(lines if form.endswith("l") else json.dumps({"runs": RUNS} if form == "wrapped.json" else RUNS))
    did = take(folio_dir, "wandb", str(place), code=1)
    assert did["counts"]["runs"] == did["verified"] == 3
    runs = _by_name(folio_dir)
    first = runs["first"]
    assert first.data.params == {"lr": "0.1", "opt.name": "adam", "raw": "3"}
    assert (
        points_of(folio_dir, first, "loss") == [(step, 1 / (step + 1)) for step in range(4)] and first.data.metrics["best"] == 0.9
    )
    assert "summary/loss" not in first.data.metrics and first.data.metrics["system.cpu"] == 5.0
    tags = {"labels": "a, b", "group": "cv", "job_type": "train", "mlflow.note.content": "A note", "mlflow.user": "ada"}
    assert {
        **tags,
        "runfolio.imported_id": "team/mnist/abc1",
        "mlflow.source.git.commit": "0" * 40,
    }.items() <= first.data.tags.items()
    assert first.info.start_time == 1735787045000 and first.info.end_time == 1735787105000
    assert [runs[name].info.status for name in ("first", "second", "third")] == ["FINISHED", "KILLED", "KILLED"]
    assert "its state is 'running'" in findings(did) and runs["second"].data.tags["wandb.state"] == "crashed"
    again = take(folio_dir, "wandb", str(place), code=1)
    assert again["counts"] == {} and again["there"]["runs"] == 3


def test_the_csv_of_the_guide_on_exports(folio_dir: Path, tmp_path: Path) -> None:
    place = tmp_path / "project.csv"
    rows = [
        [
            {"loss": 0.5, "bad": float("nan"), "low": float("-inf"), "_timestamp": 1735787100.0, "_runtime": 60},
            {"lr": 0.1, "layers": [1, 2]},
            "one",
        ]
    ]
    rows += [[{"loss": 0.6, "_timestamp": 1735787200.0}, {"lr": 0.2}, "one"]]  # a name may stand twice
    pandas.DataFrame(rows, columns=["summary", "config", "name"]).to_csv(place)
    did = take(folio_dir, "wandb", str(place), "--project", "mnist")
    assert did["counts"]["runs"] == 2 and did["counts"]["experiments"] == 1
    found = sorted((run.data.params["lr"], run.data.metrics["loss"]) for run in runs_of(folio_dir).values())
    assert found == [("0.1", 0.5), ("0.2", 0.6)]
    assert take(folio_dir, "wandb", str(place), "--project", "mnist")["counts"] == {}


TABLE = """\ufeff"Name","State","Notes","User","Tags","Created","Runtime","Sweep","lr","optimizer","loss","acc"
"swift-1","finished","-","ada","[""a"",""b""]","2025-01-02T03:04:05.000Z","60","","0.1","adam","0.5",""
"swift-2","failed","-","ada","","2025-01-02T03:04:06.000Z","30","","0.2","sgd","0.6","0.7"
"""


def test_the_table_of_the_pages(folio_dir: Path, tmp_path: Path) -> None:
    place = tmp_path / "wandb_export.csv"
    place.write_text(TABLE)
    guessed = findings(take(folio_dir, "wandb", str(place), "--dry-run", code=1))
    assert "the table does not say what is a param: lr, loss, acc are metrics here" in guessed
    take(folio_dir, "wandb", str(place), "--param", "lr", "--project", "mnist")
    runs = _by_name(folio_dir)
    assert runs["swift-1"].data.params == {"lr": "0.1", "optimizer": "adam"} and runs["swift-1"].data.metrics == {"loss": 0.5}
    assert runs["swift-2"].data.metrics == {"loss": 0.6, "acc": 0.7} and runs["swift-2"].info.status == "FAILED"
    assert runs["swift-1"].data.tags["labels"] == "a, b" and "mlflow.note.content" not in runs["swift-1"].data.tags
    assert runs["swift-1"].info.end_time - runs["swift-1"].info.start_time == 60_000


def test_a_history_is_a_run_alone_or_lies_beside_its_run(folio_dir: Path, tmp_path: Path) -> None:
    history = tmp_path / "abc.csv"
    pandas.DataFrame(
        {"_step": [0, 5], "_timestamp": [1735787046.5, 1735787047.0], "loss": [1.0, None], "note": ["x", "y"]}
    ).to_csv(history)
    take(folio_dir, "wandb", str(history))
    place = tmp_path / "runs.json"
    place.write_text(
        json.dumps([{"id": "r", "name": "beside", "history": "abc.csv"}, {"id": "s", "name": "away", "history": "../x.csv"}])
    )
    said = findings(take(folio_dir, "wandb", str(place), code=1))
    runs = _by_name(folio_dir)
    for name in ("abc", "beside"):
        assert points_of(folio_dir, runs[name], "loss") == [(0, 1.0)] and runs[name].info.start_time == 1735787046500
    assert "history: ../x.csv is outside of the file's folder" in said and said.count("it says no time") == 1


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("a.json", "[{", 14, "cannot be read as JSON"),
        ("a.json", "[1]", 1, "it is no run"),
        ("a.csv", "config,name\n\"{'a': __import__('os')}\",x\n", 1, "is neither JSON nor a dictionary"),
        ("a.csv", "config,name\n1,2,3\n", 14, "more cells than there are columns"),
        ("a.json", '[{"id": "x", "created_at": "2025-01-01"}, {"id": "x", "created_at": "2025-01-01"}]', 1, "the file has it twice"),
        ("a.json", '[{"id": "x", "created_at": "yesterday"}]', 1, "'yesterday' is no time"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_words(folio_dir: Path, tmp_path: Path, name: str, text: str, code: int, said: str) -> None:
    (tmp_path / name).write_text(text)
    did = take(folio_dir, "wandb", str(tmp_path / name), code=code)
    assert said in (did["error"] if "error" in did else findings(did))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_python_writes_is_read_back(value: Any) -> None:
    assert repr(literal(repr({"value": value}))) == repr({"value": value})


@pytest.mark.parametrize("text", ["print(1)", "a.b", "[x for x in y]", "(" * 500, "{**{}}", "nan.real", "f'{1}'"])
def test_nothing_is_executed(text: str) -> None:
    with pytest.raises(DamagedError):
        literal(text)
