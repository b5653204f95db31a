"""diff/describe.py: a record as text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from runfolio.diff import describe_run
from runfolio.diff.describe import duration_text, number_text
from runfolio.records import ArtifactEntry, DatasetInput, Digest, Lifecycle, MetricSummary, Run, RunStatus, SeriesRef
from tests.strategies import runs

DIGEST = Digest("sha256:" + "0" * 64)
RUN = Run(
    "0192f0c4d7a27c3e8f0a1b2c3d4e5f60", "wine", "calm-otter-7", RunStatus.FINISHED, 1795428000000, 1795428065250, user="Ann",
    params={"lr": "0.1", "depth": "3"}, tags={"note": "two\nlines \u202e"}, parent="p1",
    metrics={"acc": MetricSummary(0.9, 3, 0, 4, 0.5, 0.95, 0, 2), "loss": MetricSummary(float("nan"), 0, 0)},
    inputs=(DatasetInput("wine", "abcd", "local", "wine.csv", tags={"mlflow.data.context": "training"}),),
    artifacts={"m.pkl": ArtifactEntry(DIGEST, 10)}, artifact_count=1, series=SeriesRef(5, True),
    code={"commit": "c0ffee", "dirty": False}, entry={"script": "train.py", "args": ["--x", "1"]}, environment={"python": "3.11"},
    notices=("a token was redacted",),
)  # fmt: skip
TEXT = f"""\
run 0192f0c4d7a27c3e8f0a1b2c3d4e5f60
experiment: wine
name: calm-otter-7
status: FINISHED
start: 2026-11-23T10:00:00.000Z
end: 2026-11-23T10:01:05.250Z
duration: 1 min 5.2 s
user: Ann
parent: p1
param depth: 3
param lr: 0.1
metric acc: 0.9 at step 3, min 0.5 at step 0, max 0.95 at step 2, 4 points
metric loss: nan at step 0
series: 5 points, all here
tag note: two lines \\u202e
dataset wine (training): abcd from local wine.csv
code commit: c0ffee
code dirty: false
entry args: ["--x", "1"]
entry script: train.py
environment python: 3.11
artifact m.pkl: 10 bytes, {DIGEST}
notice: a token was redacted
"""


def test_a_run_reads_one_fact_a_line() -> None:
    assert describe_run(RUN) == TEXT


def test_a_changed_metric_is_one_changed_line() -> None:
    other = replace(RUN, metrics=RUN.metrics | {"acc": MetricSummary(0.99, 3, 0, 4, 0.5, 0.99, 0, 3)})  # type: ignore[operator]
    changed = set(describe_run(other).splitlines()) ^ set(TEXT.splitlines())
    assert len(changed) == 2 and all(line.startswith("metric acc: ") for line in changed)


def test_deletion_manifest_and_resumption_are_told() -> None:
    text = describe_run(
        Run(
            "a",
            "wine",
            lifecycle=Lifecycle.DELETED,
            deleted_at=1795428000000,
            resumed=(1795428000000,),
            manifest=ArtifactEntry(DIGEST, 9),
            artifact_count=500,
        )
    )
    assert "lifecycle: deleted since 2026-11-23T10:00:00.000Z\n" in text
    assert "resumed: 2026-11-23T10:00:00.000Z\n" in text
    assert f"artifacts: 500 files, listed in 9 bytes, {DIGEST}\n" in text


@given(runs())
def test_the_text_is_printable_and_does_not_depend_on_order(run: Run) -> None:
    text = describe_run(run)
    assert all(
        line.isprintable()
        or set(line) & set("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
        for line in text.split("\n")
    )
    assert describe_run(replace(run, params=dict(reversed(run.params.items())), tags=dict(reversed(run.tags.items())))) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0.000 s"), (59_999, "59.999 s"), (3_600_000, "1 h 0 min"), (-5, "-0.005 s"), (90_061_000, "25 h 1 min")]
)
def test_durations_are_short(ms: int, text: str) -> None:
    assert duration_text(ms) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.98148, "0.9815"),
        (1.0, "1"),
        (-3.0, "-3"),
        (1e12, "1e+12"),
        (12345.678, "12345.7"),
        (1e-9, "1e-09"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number_text(value) == text
