"""review/annotations.py: gates and alarms on the lines that they are about."""

from __future__ import annotations

import pytest

from runfolio.formats.runs import encode_run
from runfolio.records.findings import Finding, Severity
from runfolio.review.annotations import findings_of, line_of_field, lines_in
from tests.review import changes

RECORD = encode_run(changes.run("a", 0.5, metrics=[("a.b", 0.1), ("a.b.c", 0.2)], depth="3"))
MODEL = b"schema: 1\nname: wine-quality\naliases:\n  champion: 2\nstages:\n  # live\n  Production:\n    - 2\n  Staging: [1, 3]\n"


def line(data: bytes, number: int) -> str:
    return data.decode().splitlines()[number - 1].strip()


def test_failed_gates_come_first_and_alarms_follow() -> None:
    found = findings_of(changes.everything())
    assert [item.rule for item in found] == ["review.gate", "review.result-edited", "review.run-deleted", "review.policy"]
    assert found[0].message == (
        "wine-quality 2 may not go to Production: gate not-worse: log_loss is 0.31, worse than 0.24 of version 1 by more than 0.01"
    )
    assert (found[0].file, found[0].severity) == ("models/wine-quality/model.yaml", Severity.ERROR)


def test_a_gate_stands_on_the_line_of_the_promotion() -> None:
    change = changes.everything()
    assert lines_in(change, lambda path: None)(findings_of(change)[0]) == 7


@pytest.mark.parametrize(
    ("field", "begins"),
    [
        ("metrics.accuracy.last", '"accuracy": {'),
        ("metrics.a.b.last", '"a.b": {'),
        ("metrics.a.b.c.last", '"a.b.c": {'),
        ("metrics", '"metrics": {'),
        ("metrics.gone.last", '"metrics": {'),
        ("params.depth", '"depth": "3"'),
        ("status", '"status": "FINISHED"'),
    ],
)
def test_a_field_of_a_record_has_a_line(field: str, begins: str) -> None:
    assert line(RECORD, line_of_field(RECORD, "runs/x.json", field)).startswith(begins)


@pytest.mark.parametrize(
    ("field", "begins"),
    [
        ("stages.Production[0]", "- 2"),
        ("stages.Production", "Production:"),
        ("stages.Staging[1]", "Staging:"),
        ("aliases.champion", "champion: 2"),
    ],
)
def test_a_field_of_a_yaml_file_has_a_line(field: str, begins: str) -> None:
    assert line(MODEL, line_of_field(MODEL, "models/x/model.yaml", field)).startswith(begins)


@pytest.mark.parametrize(
    ("data", "path", "field"),
    [
        (b"", "a.json", "x"), (b"\xff\xfe\x00", "a.json", "x"), (b'{\n  "\\ud800x": 1\n}', "a.json", "y"), (b"a: [", "a.yaml", "a"),
        (b"\x00", "a.yaml", "a"), (RECORD, "a.json", "nothing"), (RECORD, "a.json", ""), (b"binary\x00", "model.bin", "x"),
    ],
)  # fmt: skip
def test_a_file_without_the_field_has_no_line(data: bytes, path: str, field: str) -> None:
    assert line_of_field(data, path, field) == 0


def test_each_file_is_read_once_and_a_missing_one_has_no_line() -> None:
    asked: list[str] = []

    def read(path: str) -> bytes | None:
        asked.append(path)
        return RECORD if path == "runs/a.json" else None

    line_of = lines_in(changes.improved(), read)
    here = Finding("r", Severity.ERROR, "runs/a.json", "params.depth", "m")
    assert line_of(here) == line_of(here) > 0
    assert line_of(Finding("r", Severity.ERROR, "gone.json", "x", "m")) == 0
    assert line_of(Finding("r", Severity.ERROR, "", "", "m")) == 0
    assert asked == ["runs/a.json", "gone.json"]
