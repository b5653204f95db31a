"""review/openmetrics.py and review/summary.py: numbers for scrapers, and the summary of a job."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from runfolio.records.visible import visible
from runfolio.review.change import Change
from runfolio.review.marks import VALUE, shorten
from runfolio.review.openmetrics import openmetrics
from runfolio.review.options import ReportOptions
from runfolio.review.summary import job_summary
from tests.review import changes
from tests.review.hosts_markdown import read


def samples(change: Change) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(openmetrics(change))
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples}


def test_the_numbers_are_those_of_the_change() -> None:
    found = samples(changes.everything())
    objective = (("direction", "max"), ("experiment", "wine"), ("metric", "accuracy"))
    promotion = (("model", "wine-quality"), ("stage", "Production"), ("version", "2"))
    assert found == {
        ("runfolio_runs_added", (("experiment", "wine"),)): 10,
        ("runfolio_runs_failed", (("experiment", "wine"),)): 1,
        ("runfolio_objective_best", objective): pytest.approx(0.981333, abs=1e-6),
        ("runfolio_objective_baseline", objective): pytest.approx(0.956667, abs=1e-6),
        ("runfolio_objective_difference", objective): pytest.approx(0.024667, abs=1e-6),
        ("runfolio_gates_failed", promotion): 1,
        ("runfolio_alarms", ()): 3,
    }


@given(st.text(min_size=1, max_size=120))
def test_any_name_is_a_label(text: str) -> None:
    found = samples(changes.hostile(text))
    assert ("runfolio_runs_added", (("experiment", "wine"),)) not in found or text == "wine"
    assert any(dict(labels).get("experiment") == shorten(visible(text), VALUE) for _, labels in found)


def test_an_empty_change_is_still_a_report() -> None:
    assert samples(changes.nothing()) == {("runfolio_alarms", ()): 0}


def test_a_summary_has_more_room_than_a_comment_but_not_without_end() -> None:
    change = changes.many(3_000)
    assert "…and 2,800 more runs" in job_summary(change, ReportOptions())
    small = job_summary(changes.hostile("é😀" * 30), ReportOptions(), limit=6_000)
    assert len(small.encode()) <= 6_000
    assert read(small).unbalanced == []


def test_a_summary_says_that_nothing_changed() -> None:
    assert job_summary(changes.nothing(), ReportOptions()).startswith("## Nothing that runfolio looks at changed\n")
