"""formats/run.schema.json: the record described for other languages."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from runfolio.formats.canonical import load
from runfolio.formats.runs import _KNOWN, encode_run
from runfolio.records import Run
from tests.formats.test_runs import BAD, RUN
from tests.strategies import runs

SCHEMA: dict[str, Any] = json.loads(files("runfolio.formats").joinpath("run.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_itself_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_names_every_field_that_the_reader_knows() -> None:
    assert set(SCHEMA["properties"]) == _KNOWN


@given(runs())
def test_every_written_run_is_valid(run: Run) -> None:
    VALIDATOR.validate(json.loads(encode_run(run)))


# JSON Schema takes 1.0 for a whole number.
@pytest.mark.parametrize("name", sorted(BAD.keys() - {"start as a float"}))
def test_what_the_reader_refuses_the_schema_refuses(name: str) -> None:
    assert not VALIDATOR.is_valid(load(encode_run(RUN), "f") | BAD[name][0])


@pytest.mark.parametrize("section", ["metrics", "artifacts"])
def test_unknown_fields_are_allowed_at_the_top_only(section: str) -> None:
    fields = load(encode_run(RUN), "f")
    assert VALIDATOR.is_valid(fields | {"later": 1})
    next(iter(fields[section].values()))["later"] = 1
    assert not VALIDATOR.is_valid(fields)
