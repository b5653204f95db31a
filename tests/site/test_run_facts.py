"""What a run's page says of it, without a browser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runfolio.site.run_facts import dataset_facts, metric_rows, origin_facts, param_rows, reproduce_lines


def detail(**more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "run_id": "01a20af6586b7000ad3376d9e9ffcfe6",
        "user": "Ada",
        "code": {},
        "entry": {},
        "environment": {},
    }
    return {**made, **more}


def test_params_that_differ_from_the_baseline_come_first_and_say_what_it_has() -> None:
    rows = param_rows({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"})
    assert [(row["key"], row["value"], row["base"], row["differs"]) for row in rows] == [
        ("b", "2", "3", True),
        ("c", None, "4", True),
        ("a", "1", "1", False),
    ]
    assert not any(row["differs"] for row in param_rows({"a": "1"}, None))


def test_the_objective_is_the_first_metric_and_nan_has_no_difference() -> None:
    def metric(last: Any) -> dict[str, Any]:
        return {"last": last, "step": 0, "count": 1, "min": last, "max": last}

    rows = metric_rows({"a": metric(1.0), "loss": metric("NaN"), "z": metric(2.0)}, {"z": metric(1.5), "loss": metric(1)}, "z")
    assert [(row["key"], row["delta"]) for row in rows] == [("z", 0.5), ("a", None), ("loss", None)]


def test_code_and_packages_are_brought_back_and_words_are_quoted() -> None:
    run = detail(code={"tree": "t"}, entry={"script": "my train.py", "args": ["--name", "a; rm -rf ~"]})
    assert reproduce_lines(run, "ml/environments/ab.txt", "runs") == [
        "git show runs:ml/environments/ab.txt > requirements.txt",
        "python -m pip install -r requirements.txt",
        "runfolio runs code 01a20af6586b7000 again",
        "cd again",
        "python 'my train.py' --name 'a; rm -rf ~'",
    ]


@pytest.mark.parametrize(
    ("kind", "last"),
    [("PROGRAM", "make train"), ("NOTEBOOK", "cd again"), ("LOCAL", "python make train"), (None, "python make train")],
)
def test_what_was_started_is_started_as_it_was(kind: str | None, last: str) -> None:
    entry = {"script": "make", "args": ["train"], **({"type": kind} if kind else {})}
    assert reproduce_lines(detail(code={"tree": "t"}, entry=entry), "", "HEAD")[-1] == last


def test_without_kept_code_there_is_nothing_to_bring_back() -> None:
    assert reproduce_lines(detail(entry={"script": "train.py"}), "environments/ab.txt", "HEAD") == []


def test_origin_leaves_out_what_is_not_known() -> None:
    assert origin_facts(detail(user="", code={"dirty": False})) == [("Work tree", "clean", False)]


@pytest.mark.parametrize(
    ("schema", "columns"),
    [
        ({"mlflow_colspec": [{"name": "x", "type": "double"}, {"type": "string"}]}, [("x", "double"), ("", "string")]),
        ({"mlflow_tensorspec": {"features": json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 64]}}])}},
         [("features", "float64 [-1, 64]")]),
        ({"mlflow_colspec": "odd"}, []),
        ([1], []),
    ],
)  # fmt: skip
def test_both_forms_of_a_schema_are_read(schema: Any, columns: list[tuple[str, str]]) -> None:
    found = dataset_facts({"name": "wine", "digest": "ab", "schema": json.dumps(schema), "profile": '{"num_rows": 178}'})
    assert found["columns"] == columns
    assert found["profile"] == [("num_rows", "178")]


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"x"', "null", "1"])
def test_a_schema_profile_or_source_that_is_no_json_object_is_no_fault(text: str) -> None:
    found = dataset_facts({"name": "wine", "digest": "ab", "schema": text, "profile": text, "source": text})
    assert (found["columns"], found["profile"], found["source"]) == ([], [], text)
