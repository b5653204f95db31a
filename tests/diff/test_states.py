"""diff/states.py: two states of a folio."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.diff import ABSENT, FieldChange, StateDiff, apply_diff, diff_states
from runfolio.errors import UsageError
from runfolio.formats.canonical import dump
from runfolio.formats.experiments import experiment_fields
from runfolio.formats.runs import encode_run
from runfolio.records import Experiment, Lifecycle, MetricSummary, Objective, Run
from tests.strategies import experiments, runs


@st.composite
def run_states(draw: st.DrawFn) -> dict[str, Run]:
    return {key: replace(draw(runs()), run_id=key) for key in draw(st.sets(st.sampled_from("abc"), max_size=2))}


@st.composite
def experiment_states(draw: st.DrawFn) -> dict[str, Experiment]:
    return {slug: draw(experiments(slug=slug)) for slug in draw(st.sets(st.sampled_from("xyz"), max_size=2))}


def written(found: dict[str, Run], shown: dict[str, Experiment]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    # Canonically, because equality of values takes True for 1, and because the order of tags says nothing.
    return {key: encode_run(run) for key, run in found.items()}, {
        slug: dump(experiment_fields(one)) for slug, one in shown.items()
    }


@given(run_states(), run_states(), experiment_states(), experiment_states())
def test_the_difference_applied_to_before_gives_after(
    before: dict[str, Run], after: dict[str, Run], shown_before: dict[str, Experiment], shown_after: dict[str, Experiment]
) -> None:
    diff = diff_states(before, after, shown_before, shown_after)
    kept = written(before, shown_before)
    assert written(*apply_diff(before, diff, shown_before)) == written(after, shown_after)
    assert written(before, shown_before) == kept


@given(run_states(), experiment_states())
def test_a_state_does_not_differ_from_itself(state: dict[str, Run], shown: dict[str, Experiment]) -> None:
    copies = {key: replace(run) for key, run in state.items()}
    assert not diff_states(state, copies, shown, dict(shown))


RUN = Run("a", "wine", "otter", params={"depth": "3"}, tags={"t": "x"}, metrics={"m": MetricSummary(1.0, 0, 0, 1, 1.0, 1.0)})


def test_an_edit_is_told_field_by_field() -> None:
    edited = replace(
        RUN,
        tags={"t": "y", "n": "1"},
        params={},
        metrics={"m": MetricSummary(2.0, 0, 0, 1, 2.0, 2.0)},
        lifecycle=Lifecycle.DELETED,
    )
    assert diff_states({"a": RUN}, {"a": edited}).runs_edited == {
        "a": (
            FieldChange(("lifecycle",), ABSENT, "deleted"),
            FieldChange(("metrics", "m", "last"), 1.0, 2.0),
            FieldChange(("params", "depth"), "3", ABSENT),
            FieldChange(("tags", "n"), ABSENT, "1"),
            FieldChange(("tags", "t"), "x", "y"),
        )
    }


def test_a_change_of_type_is_a_change() -> None:
    one, other = replace(RUN, code={"dirty": True, "n": 0.0}), replace(RUN, code={"dirty": 1, "n": -0.0})
    assert [change.path for change in diff_states({"a": one}, {"a": other}).runs_edited["a"]] == [
        ("code", "dirty"),
        ("code", "n"),
    ]


def test_experiments_are_compared_too() -> None:
    one = Experiment("wine", "wine", "Wine")
    diff = diff_states({}, {}, {"wine": one, "old": one}, {"wine": replace(one, objective=Objective("acc")), "new": one})
    assert diff.experiments_changed == {"wine": (FieldChange(("objective",), ABSENT, {"metric": "acc", "direction": "max"}),)}
    assert (list(diff.experiments_added), list(diff.experiments_removed)) == (["new"], ["old"])
    assert bool(diff)


@pytest.mark.parametrize(
    "diff",
    [
        StateDiff(runs_deleted={"zz": RUN}),
        StateDiff(runs_edited={"zz": ()}),
        StateDiff(runs_added={"a": RUN}),
        StateDiff(runs_edited={"a": (FieldChange(("name",), "badger", "x"),)}),
        StateDiff(runs_edited={"a": (FieldChange(("tags", "t"), ABSENT, "x"),)}),
    ],
)
def test_a_difference_from_another_state_is_refused(diff: StateDiff) -> None:
    with pytest.raises(UsageError, match="another state"):
        apply_diff({"a": RUN}, diff)
