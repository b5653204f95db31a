"""Names that a folio cannot hold are spelled so that it can, each otherwise, and what they were is read back from tags."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.records.models import check_model_name
from runfolio.records.names import MAX_TAG_LENGTH, check_artifact_path, check_experiment_name, check_key
from runfolio.transfer.spelling import (
    KINDS,
    NAMES_TAG,
    RunNames,
    name_of,
    name_tag,
    names_of,
    spelled_experiment,
    spelled_model,
)

ODD = st.one_of(
    st.text(st.sampled_from("./\\:%@ a_é\n\ud800"), max_size=12),
    st.text(max_size=600),
    st.sampled_from(["", ".", "..", "/", "//", "a//b", "../a", "a/../b", "C:\\x", "a/", "x" * 300, "é" * 200, "😀" * 130]),
)


def refused(kind: str, name: str) -> bool:
    """Say whether the folio refuses a name of a run."""
    try:
        return (check_artifact_path(name) if kind == "artifacts" else check_key(name, kind)) != name
    except Exception:  # noqa: BLE001 # refused, whichever way
        return True


@pytest.mark.parametrize("kind", KINDS)
@given(names=st.lists(ODD, max_size=8, unique=True))
def test_names_of_a_run_can_be_held_stay_apart_and_come_back(kind: str, names: list[str]) -> None:
    spelled = RunNames()
    made = [spelled.spell(kind, name, names) for name in names]
    assert len(set(made)) == len(names) and not any(refused(kind, name) for name in made)
    assert [name for name, here in zip(names, made, strict=True) if name == here] == [
        name for name in names if not refused(kind, name)
    ]
    back = names_of(json.loads(json.dumps(spelled.tags()))).get(kind, {})
    assert [back.get(here, here) for here in made] == names
    assert made == [spelled.spell(kind, name, names) for name in names]


@given(name=ODD)
def test_names_of_experiments_and_models_can_be_held(name: str) -> None:
    assert check_experiment_name(spelled_experiment(name)) and check_model_name(spelled_model(name))
    assert spelled_experiment(spelled_experiment(name)) == spelled_experiment(name)
    assert name_of("x", {"runfolio.imported_name": name_tag(name)}) == name_tag(name)
    assert name_tag(name) == name or "\ud800" in name


def test_the_spelling_can_be_read() -> None:
    spelled = RunNames()
    assert spelled.spell("metrics", "acc@5", []) == "acc:x40:5"
    assert spelled.spell("params", "opt[lr]", []) == "opt:x5b:lr:x5d:"
    assert spelled.spell("artifacts", "a\\b.txt", []) == "a%5Cb.txt"
    assert spelled_model("team/a:b") == "team%2Fa%3Ab"


def test_many_names_are_told_by_several_tags_each_short_enough() -> None:
    spelled = RunNames()
    names = [f"metric@{number}" for number in range(1000)]
    for name in names:
        spelled.spell("metrics", name, names)
    tags = spelled.tags()
    assert len(tags) > 3 and all(len(text) <= MAX_TAG_LENGTH and key.startswith(NAMES_TAG) for key, text in tags.items())
    assert sorted(names_of(tags)["metrics"].values()) == sorted(names)


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"metrics": 3}', '{"metrics": {"a": 1}}'])
def test_a_tag_that_was_written_by_hand_harms_nothing(text: str) -> None:
    assert names_of({NAMES_TAG: text}) in ({}, {"metrics": {"a": "1"}})
