"""WCAG 2.2 AA, as far as a machine can check it, on every kind of page of a built site: axe-core finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from tests.site.real_folios import BuiltSite
from tests.site.visiting import leave_dialog, settled

pytestmark = pytest.mark.browser
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def kinds(site: BuiltSite) -> dict[str, str]:
    """One address of each kind of page."""
    own = next(run for run in site.runs if (site.out / "r" / run.run_id).is_dir() and run.experiment == "digits")
    other = [run.run_id for run in site.runs if run.experiment == "wine"]
    changes = sorted((path.stat().st_size, path.parent.name) for path in (site.out / "changes").glob("*/index.html"))
    return {
        "home": "index.html",
        "experiments": "experiments/index.html",
        "experiment": "e/wine/index.html",
        "run": f"r/{own.run_id}/index.html",
        "shell": f"r/run.html#{other[0]}",
        "compare": "compare.html#r=" + ",".join(other[:4]),
        "changes": "changes/index.html",
        "change": f"changes/{changes[-1][1]}/index.html",
        "search": "search.html",
        "models": "models/index.html",
        "data": "data.html",
        "about": "about.html",
        "missing": "404.html",
    }


def violations(page: Any) -> list[str]:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="NOT TESTED: axe-playwright-python is not installed"
    )
    found = axe.Axe().run(page, options={"preload": False, "runOnly": TAGS, "resultTypes": ["violations"]})
    return [
        f"{item['id']}: {node['html'][:160]} ({node.get('failureSummary', '')[:200]})"
        for item in found.response["violations"]
        for node in item["nodes"][:2]
    ]


def visit(page: Any, site: BuiltSite, place: str) -> None:
    page.goto("about:blank")
    page.goto(site.address(place))
    settled(page)


@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, True)], ids=["light on a desk", "dark on a phone"])
def test_no_kind_of_page_has_a_fault(team_site: BuiltSite, open_page: Callable[..., Any], dark: bool, phone: bool) -> None:
    page = open_page(team_site.out / "index.html", dark=dark, phone=phone, bypass_csp=True)
    faults = {}
    for kind, place in kinds(team_site).items():
        visit(page, team_site, place)
        if found := violations(page):
            faults[kind] = found
    assert faults == {}


def test_what_opens_has_no_fault_either(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.address("e/wine/index.html"), dark=True, bypass_csp=True)
    settled(page)
    faults = {}

    def look(what: str) -> None:
        if found := violations(page):
            faults[what] = found

    page.click("[data-do=columns]")
    page.wait_for_selector("dialog .choice")
    look("columns")
    leave_dialog(page)
    page.keyboard.press("?")
    page.wait_for_selector("dialog")
    look("help")
    leave_dialog(page)
    page.click("details.menu summary")
    look("download")
    leave_dialog(page)
    page.click("[data-do=group]")
    page.wait_for_selector("tr.group")
    look("groups")
    page.click("[data-do=group]")
    for key in "jxbjxjx":
        page.keyboard.press(key)
    settled(page)
    look("selection")
    page.fill("#rf-filter", "metrics.accuracy >")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rf-fault:not([hidden])")
    look("fault")
    assert faults == {}


def test_headings_go_down_by_one_and_begin_with_one(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.out / "index.html")
    for kind, place in kinds(team_site).items():
        visit(page, team_site, place)
        levels = page.eval_on_selector_all(
            "h1, h2, h3, h4, h5, h6",
            "all => all.filter(one => one.checkVisibility()).map(one => Number(one.localName[1]))",
        )
        assert levels[0] == 1, kind
        assert levels.count(1) == 1, kind
        assert all(after - before <= 1 for before, after in pairwise(levels)), (kind, levels)


def test_a_dialog_takes_the_focus_and_gives_it_back(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.address("e/wine/index.html"))
    settled(page)
    page.focus("[data-do=columns]")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog .choice")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    leave_dialog(page)
    assert page.evaluate("document.activeElement.dataset.do") == "columns"


def test_the_first_tab_leads_to_the_content(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.out / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_nothing_moves_where_less_motion_is_wanted(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.out / "index.html", reduced_motion="reduce")
    moving = """all => all.filter(one => { const style = getComputedStyle(one);
        return [style.transitionDuration, style.animationDuration].some(text => text.split(",").some(part => parseFloat(part) > 0.01)); })
        .map(one => one.outerHTML.slice(0, 80))"""
    for kind, place in kinds(team_site).items():
        visit(page, team_site, place)
        assert page.eval_on_selector_all("*", moving) == [], kind
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto", kind


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_on_paper_facts_are_whole_and_dark_on_white(team_site: BuiltSite, open_page: Callable[..., Any], dark: bool) -> None:
    page = open_page(team_site.out / "index.html", dark=dark)
    cut = """() => [...document.querySelectorAll("main table, main pre, main dl, main .card")].filter(one => one.checkVisibility())
        .filter(one => { const style = getComputedStyle(one); return (style.overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1)
          || (style.overflowY !== "visible" && one.scrollHeight > one.clientHeight + 1); }).map(one => one.outerHTML.slice(0, 120))"""
    for kind in ("home", "experiment", "run", "compare", "change"):
        visit(page, team_site, kinds(team_site)[kind])
        page.emulate_media(media="print")
        assert page.evaluate(cut) == [], kind
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"), (
            kind
        )
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).color.match(/\\d+/g).every(part => part < 80)"), kind
        assert page.locator("main h1").is_visible()
        assert not page.locator(".topbar .find").is_visible()
        page.emulate_media(media="screen")
    # On a sheet of A4 within its margins nothing is wider than the sheet, and a long list begins where it is.
    page.set_viewport_size({"width": 703, "height": 1000})
    wide = """() => [...document.querySelectorAll("main *")].filter(one => one.checkVisibility() && !one.closest(".visually-hidden"))
        .filter(one => one.getBoundingClientRect().right > 704).map(one => one.outerHTML.slice(0, 120))"""
    for kind in ("home", "experiment", "run", "change"):
        visit(page, team_site, kinds(team_site)[kind])
        page.emulate_media(media="print")
        assert page.evaluate(wide) == [], kind
        assert (
            page.evaluate("getComputedStyle(document.querySelector('main table').closest('.card') || document.body).breakInside")
            == "auto"
        )
        assert page.pdf().startswith(b"%PDF")
        if kind == "experiment":
            drawn = page.locator("main .side svg")
            assert drawn.count() and all(
                one.is_visible() for one in drawn.all() if one.locator("xpath=ancestor::*[contains(@class, 'no-js')]").count()
            )
            assert not page.locator("main .side [data-chart]").first.is_visible()
        page.emulate_media(media="screen")
