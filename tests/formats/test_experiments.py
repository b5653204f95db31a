"""formats/experiments.py: files that people edit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import DamagedError, NewerSchemaError, UsageError
from runfolio.formats.experiments import decode_experiment, edit_experiment, encode_experiment
from runfolio.records import Experiment, Lifecycle, Objective
from tests.strategies import NASTY, experiments

WHERE = "experiments/wine.yaml"
WRITTEN = b"""\
# what we try this winter
schema: 1
name: 'Wine classification'  # not the regression
created: 2026-11-23T10:00:00.000Z
tags:
  team: core   # ours
  # the next is read by the site
  colour: red
objective: {metric: accuracy}
asked_by: someone
"""


@given(experiments())
def test_an_experiment_reads_back_as_it_was_written(experiment: Experiment) -> None:
    data = encode_experiment(experiment)
    assert decode_experiment(data, f"experiments/{experiment.slug}.yaml") == experiment
    assert encode_experiment(experiment) == data


@given(experiments(slug="wine"), experiments(slug="wine"))
@settings(max_examples=200)
def test_an_edit_makes_the_file_say_the_other_experiment(before: Experiment, after: Experiment) -> None:
    old = encode_experiment(before)
    made = edit_experiment(old, after)
    assert decode_experiment(made, WHERE) == after
    assert edit_experiment(old, before) == old


@given(experiments(slug="wine"))
def test_an_edit_keeps_the_comments_that_people_wrote(after: Experiment) -> None:
    old = WRITTEN.replace(b"  # not the regression", b"").replace(b"   # ours", b"")
    made = edit_experiment(old, after)
    assert decode_experiment(made, WHERE) == after
    assert b"# what we try this winter\n" in made


@pytest.mark.parametrize("name", [text for text in NASTY if text.strip() and len(text) <= 500])
def test_nasty_names_survive(name: str) -> None:
    made = replace(decode_experiment(WRITTEN, WHERE), name=name)
    assert decode_experiment(edit_experiment(WRITTEN, made), WHERE).name == name
    assert decode_experiment(encode_experiment(made), WHERE).name == name


def test_one_line_is_an_experiment() -> None:
    assert decode_experiment(b"schema: 1\n", WHERE) == Experiment("wine", "wine", "wine")


def test_what_people_wrote_is_read() -> None:
    read = decode_experiment(WRITTEN, WHERE)
    assert (read.name, read.experiment_id, read.created) == ("Wine classification", "wine", 1795428000000)
    assert (read.objective, read.tags) == (Objective("accuracy", "max", "seed"), {"team": "core", "colour": "red"})
    assert read.extra == {"asked_by": "someone"}


EDITS = {
    "name": ({"name": "Wine"}, "'Wine classification'  #", "Wine  #"),
    "direction": ({"objective": Objective("accuracy", "min")}, "{metric: accuracy}", None),
    "tag": ({"tags": {"team": "data", "colour": "red"}}, "core   # ours", "data   # ours"),
    "tag away": ({"tags": {"colour": "red"}}, "  team: core   # ours\n", ""),
    "new tag": ({"tags": {"team": "core", "colour": "red", "no": "1"}}, "  colour: red\n", '  colour: red\n  "no": "1"\n'),
    "deleted": ({"lifecycle": Lifecycle.DELETED}, "asked_by: someone\n", "asked_by: someone\nlifecycle: deleted\n"),
    "unknown away": ({"extra": {}}, "asked_by: someone\n", ""),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_changes_only_what_differs(name: str) -> None:
    changes, old, new = EDITS[name]
    after = replace(decode_experiment(WRITTEN, WHERE), **changes)  # type: ignore[arg-type]
    made = edit_experiment(WRITTEN, after)
    assert decode_experiment(made, WHERE) == after
    if new is not None:
        assert made == WRITTEN.replace(old.encode(), new.encode())


BAD = {
    "name: 5": "line 2: name: text is expected, found 5; put it in quotes",
    "name: ' '": "blank",
    "created: yesterday": "line 2: created: a time such as 2026-11-23T10:00:00.000Z",
    "created: 1795428000000": "created: text",
    "tags: {year: 2024}": "tags: year: text is expected, found 2024; put it in quotes",
    "tags: [a]": "tags: 'key: value' lines",
    "objective: {direction: max}": "objective: metric is missing",
    "objective: accuracy": "objective: 'key: value' lines",
    "objective: {metric: a, directon: max}": "did you mean 'direction'?",
    "baseline: a/b": "baseline: Invalid run ID",
    "lifecycle: gone": "lifecycle: one of active, deleted",
    "experiment_id: ''": "experiment_id: Invalid experiment ID",
    "experiment_id: 5": "experiment_id: text is expected",
    "description: [a]": "description: text",
}


@pytest.mark.parametrize("line", BAD)
def test_a_wrong_field_is_named(line: str) -> None:
    with pytest.raises(DamagedError, match=r"^experiments/wine\.yaml: line 2: ") as caught:
        decode_experiment(f"schema: 1\n{line}\n".encode(), WHERE)
    assert BAD[line] in caught.value.message


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(DamagedError) as caught:
        decode_experiment(b"name: 5\ntags: []\nbaseline: a/b\n", WHERE)
    assert len(caught.value.message.splitlines()) == 4


def test_a_newer_schema_asks_for_an_upgrade() -> None:
    with pytest.raises(NewerSchemaError):
        decode_experiment(b"schema: 2\n", WHERE)


def test_a_file_name_that_is_no_slug_is_refused() -> None:
    with pytest.raises(DamagedError, match="Rename it"):
        decode_experiment(b"schema: 1\n", "experiments/My Wine.yaml")


@given(st.integers(0, 10))
def test_many_long_tags_of_an_import_fit(count: int) -> None:
    made = Experiment("wine", "wine", "wine", tags={f"t{index}": "x" * 20_000 for index in range(count)})
    assert decode_experiment(encode_experiment(made), WHERE) == made


def test_too_long_an_experiment_is_refused_before_it_is_written() -> None:
    long = Experiment("wine", "wine", "wine", description="x" * 2_000_000)
    for write in (lambda: encode_experiment(long), lambda: edit_experiment(WRITTEN, long)):
        with pytest.raises(UsageError, match="Shorten"):
            write()
