"""docs/review-format.md: its example is a change, and every field that is written is told."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from runfolio.review.openmetrics import openmetrics
from tests.docs.pages import DOCS, marked
from tests.review import changes

TEXT = (DOCS / "review-format.md").read_text("utf-8")
SCHEMA: dict[str, Any] = json.loads(files("runfolio.review").joinpath("change.schema.json").read_text("utf-8"))


def names(schema: Any) -> set[str]:
    """Return every property that a schema names."""
    if isinstance(schema, list):
        return set().union(*map(names, schema))
    if not isinstance(schema, dict):
        return set()
    found = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
    return found.union(*(names(value) for value in schema.values()))


def words(schema: Any) -> set[str]:
    """Return every text that an enumeration of a schema allows."""
    if isinstance(schema, list):
        return set().union(*map(words, schema))
    if not isinstance(schema, dict):
        return set()
    found = {word for word in schema.get("enum", ()) if word} if isinstance(schema.get("enum"), list) else set()
    return found.union(*(words(value) for value in schema.values()))


def test_the_example_is_a_change() -> None:
    (text,) = marked("review-format.md", "example", "change")
    document = json.loads(text)
    Draft202012Validator(SCHEMA).validate(document)
    assert document["experiments"][0]["verdict"]["word"] == "improved"


def test_every_field_and_every_word_is_told() -> None:
    assert [name for name in sorted(names(SCHEMA)) if f"`{name}`" not in TEXT] == []
    assert [word for word in sorted(words(SCHEMA) - {"NaN", "Infinity", "-Infinity"}) if f"`{word}`" not in TEXT] == []


def test_every_number_is_told_with_its_labels() -> None:
    for line in openmetrics(changes.everything()).splitlines():
        if not line.startswith("#"):
            name, _, rest = line.partition("{")
            row = next(row for row in TEXT.splitlines() if row.startswith(f"| `{name.split()[0]}` |"))
            assert all(f"`{label.split('=')[0]}`" in row for label in rest.partition("}")[0].split(",") if label)
