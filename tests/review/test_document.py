"""review/document.py and change.schema.json: a change for machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runfolio.diff.states import ABSENT, FieldChange
from runfolio.review import change as model
from runfolio.review.change import Change
from runfolio.review.document import change_document, json_value
from tests.review import changes

SCHEMA: dict[str, Any] = json.loads(files("runfolio.review").joinpath("change.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
MADE: list[Callable[[], Change]] = [
    changes.everything, changes.improved, changes.regressed, changes.within_noise, changes.single, changes.other_data, changes.nothing,
    changes.tampered, changes.promoted, lambda: changes.hostile("@a\udcff\u202e"), lambda: Change(changes.SPAN),
]  # fmt: skip


def test_the_schema_itself_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("made", MADE)
def test_every_change_is_valid_and_strict_json(made: Callable[[], Change]) -> None:
    document = change_document(made())
    text = json.dumps(document, allow_nan=False)
    VALIDATOR.validate(json.loads(text))
    assert json.loads(text) == document


@pytest.mark.parametrize("spoil", [{"schema": 2}, {"base": "HEAD"}, {"counts": {}}, {"surprise": 1}, {"alarms": [{"rule": "x"}]}])
def test_the_schema_refuses_what_is_no_change(spoil: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(change_document(changes.everything()) | spoil)


def test_nothing_of_a_change_is_left_out() -> None:
    document = change_document(changes.everything())
    assert {item.name for item in fields(Change)} - {"span"} <= document.keys()
    assert {item.name for item in fields(model.ExperimentChange)} <= document["experiments"][0].keys()
    assert {item.name for item in fields(model.Promotion)} - {"verdict"} <= document["promotions"][0].keys()
    assert {item.name for item in fields(model.RegistryChange)} == document["registry"][0].keys()
    assert {item.name for item in fields(model.Edited)} == document["edited"][0].keys()
    assert {item.name for item in fields(model.ArtifactChange)} == document["artifacts"][0].keys()
    assert {item.name for item in fields(model.CodeChange)} == document["code"][0].keys()


def test_what_was_not_there_has_no_value_and_null_is_one() -> None:
    edited = model.Edited(changes.run("a"), "p", (FieldChange(("a",), ABSENT, None), FieldChange(("b",), float("nan"), ABSENT)))
    found = change_document(Change(changes.SPAN, edited=(edited,)))["edited"][0]["fields"]
    assert found == [{"path": ["a"], "new": None}, {"path": ["b"], "old": "NaN"}]


def test_numbers_that_json_cannot_write_are_spelled_as_in_records() -> None:
    assert json_value({"a": [float("inf"), -float("inf"), 1, 0.5, True, None]}) == {
        "a": ["Infinity", "-Infinity", 1, 0.5, True, None]
    }


def test_the_numbers_are_those_of_the_change() -> None:
    document = change_document(changes.everything())
    assert document["counts"] == {
        "runs_added": 10, "runs_failed": 1, "runs_edited": 1, "runs_deleted": 1, "alarms": 3, "errors": 2, "promotions": 1,
        "promotions_refused": 1,
    }  # fmt: skip
    verdict = document["experiments"][0]["verdict"]
    assert (verdict["word"], verdict["tried"], verdict["method"]) == ("improved", 3, "Welch's interval")
    assert verdict["difference"] == pytest.approx(0.0246666, abs=1e-6)
    assert [gate["state"] for gate in document["promotions"][0]["gates"]] == ["passed", "failed", "waived", "pending"]
    assert document["code"][0]["files"][1] == {"path": "data.bin", "added": None, "removed": None}
