"""diff/messages.py: git log reads like a lab book."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.diff import commit_message
from runfolio.records import Experiment, MetricSummary, Objective, Run, RunStatus
from tests.strategies import experiments, runs


def run(number: int, status: RunStatus = RunStatus.FINISHED, experiment: str = "wine-classification", **metrics: float) -> Run:
    summaries = {key: MetricSummary(value, 0, 0, 1, value, value) for key, value in metrics.items()}
    return Run(f"{number:032x}", experiment, f"otter-{number}", status, params={"depth": str(number)}, metrics=summaries)


def wine(objective: Objective | None = None, name: str = "wine-classification") -> dict[str, Experiment]:
    return {"wine-classification": Experiment("wine-classification", "wine-classification", name, objective=objective)}


BEST = Objective("accuracy", "max")
FIVE = [run(number, accuracy=0.941 + number / 100, loss=1.0) for number in range(5)]

SUBJECTS = {
    "best by objective": (FIVE, wine(BEST), "runs: wine-classification: 5 runs, best accuracy 0.981"),
    "lowest by objective": (FIVE, wine(Objective("accuracy", "min")), "runs: wine-classification: 5 runs, best accuracy 0.941"),
    "one run is not the best": (FIVE[:1], wine(BEST), "runs: wine-classification: 1 run, accuracy 0.941"),
    "no objective, two metrics": (FIVE, wine(), "runs: wine-classification: 5 runs"),
    "no objective, one metric": (
        [run(1, acc=0.5), run(2, acc=0.75)],
        wine(),
        "runs: wine-classification: 2 runs, acc 0.5 to 0.75",
    ),
    "no objective, one metric, one value": (
        [run(1, acc=0.5), run(2, acc=0.5)],
        wine(),
        "runs: wine-classification: 2 runs, acc 0.5",
    ),
    "not all runs have the metric": ([run(1, acc=0.5), run(2)], wine(), "runs: wine-classification: 2 runs"),
    "objective not logged": (FIVE, wine(Objective("f1")), "runs: wine-classification: 5 runs"),
    "unknown experiment": (FIVE, {}, "runs: wine-classification: 5 runs"),
    "failed and killed": (
        [run(1, accuracy=0.5), run(2, RunStatus.FAILED, accuracy=0.99), run(3, RunStatus.FAILED), run(4, RunStatus.KILLED)],
        wine(BEST),
        "runs: wine-classification: 4 runs (2 failed, 1 killed), accuracy 0.5",
    ),
    "all failed": ([run(1, RunStatus.FAILED, accuracy=0.5)], wine(BEST), "runs: wine-classification: 1 run (1 failed)"),
    "nan and infinity are not the best": (
        [run(1, accuracy=float("nan")), run(2, accuracy=float("inf")), run(3, accuracy=0.5)],
        wine(BEST),
        "runs: wine-classification: 3 runs, accuracy 0.5",
    ),
    "two experiments": ([run(1, acc=1), run(2, experiment="other")], wine(BEST), "runs: 2 experiments: 2 runs"),
    "renamed": (FIVE, wine(BEST, "Wine\n\u202e"), "runs: Wine \\u202e: 5 runs, best accuracy 0.981"),
    "long name gives way": (
        FIVE,
        wine(BEST, "Wine classification with every feature we could think of"),
        "runs: Wine classification with every featu…: 5 runs, best accuracy 0.981",
    ),
    "long metric": (FIVE[:1], wine(), "runs: wine-classification: 1 run"),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_subject_says_what_came(name: str) -> None:
    added, shown, subject = SUBJECTS[name]
    message = commit_message(added, shown)
    assert message.split("\n")[0] == subject
    assert len(subject) <= 72


def test_the_body_has_a_line_a_run_with_the_objective_first() -> None:
    assert commit_message([FIVE[0], run(9, RunStatus.FAILED)], wine(Objective("loss", "min"))) == (
        "runs: wine-classification: 2 runs (1 failed), loss 1\n"
        "\n"
        "- 00000000000000000000000000000000 otter-0: loss 1, accuracy 0.941, depth=0\n"
        "- 00000000000000000000000000000009 otter-9: failed, depth=9\n"
    )


def test_the_body_is_bounded() -> None:
    lines = commit_message([run(number) for number in range(200)], wine()).splitlines()
    assert len(lines) == 23 and lines[-1] == "… and 180 more"


def test_edits_and_deletions_are_named() -> None:
    message = commit_message([], wine(BEST), edited=FIVE[:1], deleted=FIVE[1:3])
    assert message.splitlines()[0] == "runs: wine-classification: 1 run edited, 2 runs deleted"
    assert message.splitlines()[2].startswith("- edited 000") and message.splitlines()[3].startswith("- deleted 000")


def test_changes_of_experiments_alone_have_a_message() -> None:
    assert commit_message([], wine()) == "experiments: wine-classification\n"
    both = wine() | {"b": Experiment("b", "b", "B")}
    assert commit_message([], both) == "experiments: 2 changed\n\n- B\n- wine-classification\n"


@given(
    st.lists(runs(), max_size=3),
    st.lists(runs(), max_size=2),
    st.lists(runs(), max_size=2),
    st.lists(experiments(), max_size=3),
    st.booleans(),
)
def test_any_message_has_a_short_subject_and_no_trailer_or_control_characters(
    added: list[Run], edited: list[Run], deleted: list[Run], shown: list[Experiment], one: bool
) -> None:
    table = {experiment.slug: experiment for experiment in shown}
    if one and shown:
        added = [replace(run, experiment=shown[0].slug) for run in added]
    message = commit_message(added, table, edited, deleted)
    subject, _, body = message.partition("\n")
    assert 0 < len(subject) <= 72
    assert subject.startswith(("runs: ", "experiments: "))
    assert all(line.startswith(("- ", "… and ")) for line in body.strip("\n").split("\n") if line)
    assert not any(letter in message for letter in "\x00\x1b\r\u202e\u200b\u2028\ufeff")
