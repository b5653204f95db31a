"""Runs that few people have: without metrics, not finite, ten thousand params, twelve thousand columns, names as long as they may be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.site.real_folios import BuiltSite
from tests.site.visiting import WATCH, faults_at_each_width, settled

pytestmark = pytest.mark.browser


def test_every_page_opens_and_stays_in_its_width(odd_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(odd_site.out / "index.html")
    page.add_init_script(WATCH)
    faults = {}
    wide = {run.run_id for run in odd_site.runs if run.name.startswith("wide ")} - {odd_site.run("wide 3").run_id}
    for place in odd_site.pages():
        if place.split("/")[1:2] and place.split("/")[1] in wide:
            continue  # twenty pages of the same kind; one of them is opened
        page.goto("about:blank")
        page.goto(odd_site.address(place))
        if found := faults_at_each_width(page):
            faults[place] = found
    assert faults == {}


def test_numbers_that_are_not_finite_are_told_and_draw_no_broken_path(odd_site: BuiltSite) -> None:
    run = odd_site.run("not finite")
    text = (odd_site.out / "r" / run.run_id / "index.html").read_text("utf-8")
    for path in re.findall(r'\sd="([^"]*)"', text):
        assert not re.search(r"nan|inf", path, re.IGNORECASE), path
    assert "NaN" in text
    assert "∞" in text or "Infinity" in text


def test_ten_thousand_params_are_all_there_and_folded(odd_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    run = odd_site.run("many params")
    page = open_page(odd_site.out / "r" / run.run_id / "index.html", javascript=False)
    told = page.locator("#params")
    assert "group/00000" in told.inner_text()
    assert page.evaluate("document.documentElement.scrollHeight") < 20_000
    shell = open_page(odd_site.address(f"r/run.html#{run.run_id}"))
    settled(shell)
    assert shell.evaluate("id => rf.detail(id).then(run => Object.keys(run.params).length)", run.run_id) == 10_000


def test_of_twelve_thousand_columns_those_are_loaded_that_are_wanted(odd_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(odd_site.out / "e" / "wide" / "index.html")
    settled(page)
    loaded = [url for url in open_page.requests if re.search(r"-p\d+\.", url)]
    assert len(loaded) <= 1
    page.click("[data-do=columns]")
    page.wait_for_selector("dialog .choice")
    assert page.locator("dialog .choice").count() <= 300
    page.fill("dialog input[type=search]", "m11999")
    page.check("dialog .choice input >> nth=0")
    page.click("dialog >> text=Close")
    page.wait_for_function("() => rf.table.column('metrics.m11999')")
    last = odd_site.run("wide 19")
    assert page.evaluate("() => Array.from(rf.table.column('metrics.m11999').num).filter(Number.isFinite)") == [
        pytest.approx(last.metrics["m11999"].last)
    ]
    page.fill("#rf-filter", "metrics.m00005 >= 5")
    page.keyboard.press("Enter")
    page.wait_for_function("() => rf.table.rows.length === 1")


def test_an_experiment_without_a_run_says_how_to_log_one(odd_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(odd_site.out / "e" / "nobody-logged-here" / "index.html")
    assert "set_experiment" in page.inner_text("main")


def test_a_child_of_a_deleted_run_says_that_its_parent_is_not_there(odd_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    orphan, parent = odd_site.run("orphan"), odd_site.run("parent")
    assert not (odd_site.out / "r" / parent.run_id).exists()
    for place in (f"r/{orphan.run_id}/index.html", f"r/run.html#{orphan.run_id}"):
        page = open_page(odd_site.address(place))
        settled(page)
        assert "not in this site" in page.inner_text("#nested")
        assert page.locator(f"#nested a[href*='{parent.run_id}']").count() == 0


def test_runs_of_elsewhere_with_random_ids_are_found_in_the_shell(odd_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(odd_site.out / "r" / "run.html")
    for run in odd_site.runs:
        if run.name.startswith("imported "):
            page.goto("about:blank")
            page.goto(odd_site.address(f"r/run.html#{run.run_id}"))
            settled(page)
            assert page.text_content("h1") == run.name


def test_text_from_right_to_left_keeps_to_its_cell(odd_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(odd_site.out / "e" / "odd" / "index.html")
    settled(page)
    link = page.locator(".runs-rows a", has_text="שלום עולם").first
    cell = link.locator("xpath=ancestor::th")
    inside, outside = link.bounding_box(), cell.bounding_box()
    assert outside["x"] <= inside["x"]
    assert inside["x"] + inside["width"] <= outside["x"] + outside["width"]
