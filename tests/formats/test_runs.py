"""formats/runs.py: run records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.formats.canonical import dump, load
from runfolio.formats.runs import decode_run, encode_run, run_fields
from runfolio.records import ArtifactEntry, DatasetInput, Digest, MetricSummary, Run, RunStatus, SeriesRef
from tests.strategies import runs

DIGEST = Digest("sha256:" + "0" * 64)
RUN = Run(
    run_id="0192f0c4d7a27c3e8f0a1b2c3d4e5f60", experiment="wine", name="calm-otter-7", status=RunStatus.FINISHED,
    start=1732400000000, end=1732400001000, params={"depth": "3"}, tags={"a": "b"},
    metrics={"acc": MetricSummary(0.9, 3, 1732400000500, 4, 0.5, 0.95, 0, 2)},
    inputs=(DatasetInput("wine", "abcd", tags={"mlflow.data.context": "training"}),),
    artifacts={"m.pkl": ArtifactEntry(DIGEST, 10)}, artifact_count=1, series=SeriesRef(4, True), notices=("one",),
)  # fmt: skip


@given(runs())
def test_a_run_reads_back_as_it_was_written(run: Run) -> None:
    data = encode_run(run)
    again = decode_run(data, "f")
    assert encode_run(again) == data
    assert repr(again.metrics) == repr({key: again.metrics[key] for key in again.metrics})
    # NaN is not equal to itself, so metrics are compared as text.
    assert {key: repr(value) for key, value in again.metrics.items()} == {key: repr(value) for key, value in run.metrics.items()}
    assert decode_run(data, "f", trusted=True).params == run.params
    for field in set(Run.__dataclass_fields__) - {"metrics"}:
        assert getattr(again, field) == getattr(run, field), field


@given(st.lists(runs(), min_size=2, max_size=4))
def test_runs_are_spelled_as_their_fields_are_whatever_was_spelled_before(several: list[Run]) -> None:
    for run in (*several, *several):
        assert encode_run(run) == dump(run_fields(run))


@pytest.mark.parametrize("value", [1, True, 1.0, "1", None, 0, False, [1], {"a": 1}])
@pytest.mark.parametrize("before", [1, True, 1.0, "1", None, 0, False, [1], {"a": True}])
def test_a_field_that_equals_the_one_before_is_spelled_by_its_types(before: Any, value: Any) -> None:
    for said in (before, value):
        run = replace(RUN, code={"dirty": said, "branch": "main"})
        assert load(encode_run(run), "f")["code"] == {"dirty": said, "branch": "main"}
        assert encode_run(run) == dump(run_fields(run))


def test_a_record_torn_at_any_byte_is_refused() -> None:
    data = encode_run(RUN)
    for end in range(len(data)):
        with pytest.raises(DamagedError):
            decode_run(data[:end], "f")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "start as text": ({"start": "1"}, "start: a whole number"),
    "start as a float": ({"start": 1.0}, "start: a whole number"),
    "start as true": ({"start": True}, "start: a whole number"),
    "end null": ({"end": None}, "end: a whole number"),
    "unknown status": (
        {"status": "DONE"},
        "status: one of RUNNING, SCHEDULED, FINISHED, FAILED, KILLED is expected, found 'DONE'",
    ),
    "status a list": ({"status": []}, "status"),
    "params a list": ({"params": []}, "params: an object"),
    "param a number": ({"params": {"depth": 3}}, "params: depth: text"),
    "tag null": ({"tags": {"a": None}}, "tags: a: text"),
    "metric a number": ({"metrics": {"acc": 0.9}}, "metrics: acc: an object"),
    "metric without a step": ({"metrics": {"acc": {"last": 1.0, "at": 1}}}, "metrics: acc: the field 'step' is missing"),
    "metric with a minimum only": (
        {"metrics": {"a": {"at": 1, "last": 1.0, "min": 1.0, "step": 0}}},
        "metrics: a: the field 'max'",
    ),
    "metric nan in lower case": ({"metrics": {"acc": {"at": 1, "last": "nan", "step": 0}}}, "metrics: acc: 'nan'"),
    "digest cut short": ({"artifacts": {"m": {"digest": "sha256:00", "size": 1}}}, "artifacts: m: 'sha256:'"),
    "digest in upper case": ({"artifacts": {"m": {"digest": "sha256:" + "A" * 64, "size": 1}}}, "artifacts: m: 'sha256:'"),
    "size a float": ({"artifacts": {"m": {"digest": DIGEST, "size": 1.5}}}, "artifacts: m: a whole number"),
    "manifest text": ({"manifest": "x"}, "manifest: an object"),
    "inputs an object": ({"inputs": {}}, "inputs: a list"),
    "input text": ({"inputs": ["wine"]}, "inputs: an object"),
    "notices text": ({"notices": "abc"}, "notices: a list"),
    "resumed an object": ({"resumed": {}}, "resumed: a list"),
    "resumed text": ({"resumed": ["1"]}, "resumed: a whole number"),
    "series a number": ({"series": 4}, "series: an object"),
    "series whole as 1": ({"series": {"points": 4, "whole": 1}}, "series: whole: true or false"),
    "name a number": ({"name": 7}, "name: text"),
    "code text": ({"code": "abc"}, "code: an object"),
    "schema text": ({"schema": "1"}, "schema: a whole number"),
    "schema true": ({"schema": True}, "schema: a whole number"),
    "schema zero": ({"schema": 0}, "schema: a whole number"),
    "lifecycle unknown": ({"lifecycle": "gone"}, "lifecycle: one of active, deleted is expected, found 'gone'"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_retyped_field_is_named(name: str) -> None:
    fields, message = BAD[name]
    with pytest.raises(DamagedError, match=r"runs/x\.json") as caught:
        decode_run(dump(load(encode_run(RUN), "f") | fields), "runs/x.json")
    assert message in caught.value.message


@pytest.mark.parametrize("key", ["schema", "run_id", "experiment", "status", "start"])
def test_a_missing_field_is_named(key: str) -> None:
    fields = load(encode_run(RUN), "f")
    del fields[key]
    with pytest.raises(DamagedError, match=key):
        decode_run(dump(fields), "f")


def test_all_faults_are_told_at_once() -> None:
    fields = load(encode_run(RUN), "f") | {"start": "1", "params": {"a": 1}, "status": "DONE"}
    with pytest.raises(DamagedError) as caught:
        decode_run(dump(fields), "f")
    assert len(caught.value.message.splitlines()) == 3


def test_a_newer_schema_asks_for_an_upgrade() -> None:
    with pytest.raises(NewerSchemaError, match="pip install -U runfolio"):
        decode_run(dump(load(encode_run(RUN), "f") | {"schema": 2, "start": "later"}), "f")


def test_an_unknown_field_is_kept() -> None:
    data = dump(load(encode_run(RUN), "f") | {"later": {"x": [1, None]}})
    run = decode_run(data, "f")
    assert run.extra == {"later": {"x": [1, None]}}
    assert encode_run(run) == data
