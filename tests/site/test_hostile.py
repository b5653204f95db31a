"""A folio whose every field is hostile: no page of its site runs it, asks for anything elsewhere, or is pulled out of shape by it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.site.real_folios import EVIL, BuiltSite
from tests.site.visiting import WATCH, faults_at_each_width, leave_dialog, settled


def visit(page: Any, address: str) -> Any:
    """Open another page; one that differs in its fragment only is loaded anew, too."""
    page.goto("about:blank")
    page.goto(address)
    return page


@pytest.mark.browser
@pytest.mark.parametrize("way", ["file", "sub-path"])
def test_no_page_runs_asks_or_overflows(
    hostile_site: BuiltSite, serve: Callable[[Path], str], open_page: Callable[..., Any], way: str
) -> None:
    root = serve(hostile_site.out) if way == "sub-path" else hostile_site.out.as_uri() + "/"
    page = open_page(root + "index.html")
    page.add_init_script(WATCH)
    faults = {}
    for place in hostile_site.pages():
        visit(page, root + place)
        if found := faults_at_each_width(page):
            faults[place] = found
    assert faults == {}


@pytest.mark.browser
def test_no_artifact_runs_when_it_is_opened_by_itself(
    hostile_site: BuiltSite, serve: Callable[[Path], str], open_page: Callable[..., Any]
) -> None:
    root = serve(hostile_site.out)
    page = open_page(root + "index.html")
    page.add_init_script(WATCH)
    # A page that is a text or a picture names no icon, so that the browser looks for one at the root of the host.
    page.route("**/favicon.ico", lambda asked: asked.fulfill(status=204))
    files = sorted(path.relative_to(hostile_site.out).as_posix() for path in (hostile_site.out / "artifacts").rglob("*.*"))
    assert len(files) > 10
    for name in files:
        if name.endswith((".txt", ".svg", ".png", ".gif")):
            page.goto(root + name)
            assert page.evaluate("() => window.pwned === undefined"), name


@pytest.mark.browser
def test_what_is_hostile_is_still_read_in_full(hostile_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    run = hostile_site.run(EVIL[0])
    page = open_page(hostile_site.out / "r" / run.run_id / "index.html")
    settled(page)
    assert page.text_content("h1") == EVIL[0]
    shown = page.text_content("main")
    for text in EVIL:
        assert " ".join(text.split()) in " ".join(shown.split()), text
    assert page.locator("main script, main iframe, main object, main form").count() == 0


@pytest.mark.browser
def test_a_metric_or_param_may_be_called_as_what_every_object_inherits(
    hostile_site: BuiltSite, open_page: Callable[..., Any]
) -> None:
    run = hostile_site.run(EVIL[0])
    page = open_page(hostile_site.address(f"r/run.html#{run.run_id}"))
    settled(page)
    shown = page.eval_on_selector_all("#params tbody th", "heads => heads.map(head => head.textContent.trim())")
    assert {"__proto__", "constructor", "toString"} <= set(shown)
    detail = page.evaluate(
        "id => rf.detail(id).then(run => [Object.entries(run.params), run.metrics.valueOf === undefined])", run.run_id
    )
    assert dict(detail[0]) == dict(run.params)
    assert detail[1] is True


@pytest.mark.browser
def test_hostile_rows_are_chosen_pinned_grouped_and_filtered(hostile_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(hostile_site.out / "e" / "wine" / "index.html")
    settled(page)
    page.click("[data-do=columns]")
    page.wait_for_selector("dialog .choice")
    boxes = page.locator("dialog .choice input")
    for at in range(0, boxes.count(), 9):
        boxes.nth(at).click()
    leave_dialog(page)
    for key in ("j", "x", "b", "j", "x", "?"):
        page.keyboard.press(key)
    leave_dialog(page)
    page.click("[data-do=group]")
    page.fill("#rf-filter", f"params.`{EVIL[0]}` = '{EVIL[1]}'")
    page.keyboard.press("Enter")
    page.fill("#rf-filter", "<img src=x onerror=window.pwned=1>")
    page.keyboard.press("Enter")
    assert page.locator("#rf-fault").is_visible()
    assert page.evaluate("() => window.pwned === undefined")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


class _Code(HTMLParser):
    """Lists what of a page a browser would take for code: inline scripts, handlers, styles, addresses that run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found += [f"<{tag} {name}>" for name in given if name.startswith("on") or name in ("style", "srcdoc", "formaction")]
        for name in ("href", "src", "action"):
            if given.get(name, "").strip().lower().startswith(("javascript:", "data:text", "vbscript:")):
                self.found.append(f"<{tag} {name}={given[name][:40]}>")
        if tag in ("iframe", "object", "embed", "base", "form", "style"):
            self.found.append(f"<{tag}>")
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.found.append("<script>")


def test_no_page_holds_code_of_the_data(hostile_site: BuiltSite) -> None:
    pages = sorted(hostile_site.out.rglob("*.html"))
    assert len(pages) > 20
    for path in pages:
        reader = _Code()
        reader.feed(path.read_text("utf-8"))
        assert reader.found == [], path


def test_nothing_of_the_data_is_taken_for_a_template(hostile_site: BuiltSite) -> None:
    run = hostile_site.run(EVIL[0])
    text = (hostile_site.out / "r" / run.run_id / "index.html").read_text("utf-8")
    assert "{{7*7}}{% raw %}" in text


def test_feeds_and_answers_of_the_api_are_well_formed(hostile_site: BuiltSite) -> None:
    ElementTree.parse(hostile_site.out / "feed.xml")
    answers = sorted((hostile_site.out / "api").rglob("*.json"))
    assert len(answers) > 5
    for path in answers:
        json.loads(path.read_text("utf-8"))


def test_nothing_is_written_outside_of_the_site(hostile_site: BuiltSite) -> None:
    assert sorted(path.name for path in hostile_site.out.parent.iterdir()) == ["folio", "site"]
    suffixes = {path.suffix for path in hostile_site.out.rglob("*") if path.is_file()}
    assert suffixes <= {".html", ".js", ".css", ".json", ".xml", ".svg", ".png", ".gif", ".wav", ".txt", ".parquet", ".csv", ""}
