"""review/fitting.py: a report is never longer than it may be, and tells what it left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runfolio.review.fitting import SMALLEST, characters, fit, render_bodies
from runfolio.review.options import ReportOptions
from runfolio.review.report import report_sections
from tests.review import changes
from tests.review.hosts_markdown import read


@pytest.fixture(scope="module")
def crowded() -> object:
    return changes.many(10_000)


def test_ten_thousand_runs_stay_useful_and_under_the_limit(crowded: changes.Change) -> None:
    bodies = render_bodies(crowded, ReportOptions())
    assert [len(body) for body in bodies] == sorted((len(body) for body in bodies), reverse=True)
    text = bodies[0]
    assert characters(text) <= 60_000
    assert "10,000 new training runs in 1 experiment" in text
    assert "…and 9,980 more runs" in text
    assert "best of 2,000 configurations tried, interval widened for it" in text
    assert text.count("```mermaid") == 1
    assert "of the best 20 of 2,000 new configurations (green), and the baseline (orange)" in text
    assert characters(bodies[-1]) <= SMALLEST


@pytest.mark.parametrize("limit", [65_536, 20_000, 8_000, 4_000, SMALLEST, 900])
@pytest.mark.parametrize(
    "text",
    ["x", "`" * 60, "😀" * 70, "\U000e0041" * 30, "| a\n<details>"],
    ids=["short", "backticks", "surrogates", "invisible", "markup"],
)
def test_every_limit_is_kept_and_everything_closed(text: str, limit: int) -> None:
    options = ReportOptions(marker=(("head", "2b"),))
    shown = fit(report_sections(changes.hostile(text), options), limit, "<!-- runfolio:review head=2b -->")
    assert characters(shown) <= limit
    seen = read(shown)
    assert seen.unbalanced == seen.links == seen.strange == []
    assert shown.count("```mermaid") <= 1
    assert shown.splitlines()[0] == "<!-- runfolio:review head=2b -->"
    assert len(seen.headings) > 0


def test_the_least_important_goes_first_and_is_counted() -> None:
    options = ReportOptions()
    sections = report_sections(changes.everything(), options)
    whole = fit(sections, 60_000)
    assert "Left out" not in whole
    less = fit(sections, len(whole) - 500)
    assert "Existing runs that were edited" in less
    assert "### Gates" in less
    least = fit(sections, SMALLEST)
    assert "[!CAUTION]" in least
    assert "Left out, because a comment has a limit: " in least
    assert "artifacts (1 row)" in least
    assert "a result of an existing run was edited" in least


def test_ten_thousand_alarms_are_counted_and_leave_room() -> None:
    change = changes.tampered()
    flood = replace(change, alarms=change.alarms[:1] * 10_000, edited=change.edited * 10_000, deleted=change.deleted * 10_000)
    text = render_bodies(flood, ReportOptions())[0]
    assert characters(text) <= 60_000
    assert "- …and 9,970 more alarms" in text
    assert "…and 19,970 more fields" in text
    assert "### Results" in text


def test_bodies_get_smaller_down_to_what_any_host_takes() -> None:
    change = changes.everything()
    flood = replace(change, alarms=change.alarms * 100, edited=change.edited * 100, packages=change.packages * 100)
    bodies = render_bodies(flood, ReportOptions(rows=500, limit=64_000))
    sizes = [characters(body) for body in bodies]
    assert len(bodies) > 3
    assert all(size <= max(64_000 // 2**at, SMALLEST) for at, size in enumerate(sizes))
    assert sizes == sorted(set(sizes), reverse=True)
    assert all(read(body).unbalanced == [] for body in bodies)


def test_a_character_beyond_the_first_plane_counts_twice() -> None:
    assert characters("aé😀") == 4
