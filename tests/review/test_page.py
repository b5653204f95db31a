"""review/page.py: one file that shows a change, from a folder, without scripts, to everybody."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from runfolio.diff import compare_runs
from runfolio.review.change import Change
from runfolio.review.options import ReportOptions
from runfolio.review.page import change_page, sections_page
from runfolio.review.runs import comparison_sections
from tests.review import changes

OPTIONS = ReportOptions()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
KINDS: dict[str, Callable[[], str]] = {
    "everything": lambda: change_page(changes.everything(), OPTIONS, "wine-lab"),
    "noise": lambda: change_page(changes.within_noise(), OPTIONS, "wine-lab"),
    "hostile": lambda: change_page(changes.hostile("</style><script>alert(1)</script>\u202e'\"&"), OPTIONS, "<b>"),
    "nothing": lambda: change_page(changes.nothing(), OPTIONS, "wine-lab"),
    "runs": lambda: runs_page(changes.improved()),
}
_VOID = frozenset("meta link img br hr".split())


def runs_page(change: Change) -> str:
    found = list(change.experiments[0].added[:3])
    return sections_page(comparison_sections(compare_runs(found).only_differences(), found, OPTIONS), OPTIONS, "wine-lab")


class Elements(HTMLParser):
    """The elements of a page, and those that are not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_one_file_without_scripts_or_addresses(kind: str) -> None:
    found = Elements(KINDS[kind]())
    assert found.open == []
    assert {tag for tag, _ in found.tags} & {"script", "iframe", "object", "form", "a", "base"} == set()
    assert sum(tag == "style" for tag, _ in found.tags) == 1
    for _, attrs in found.tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs)
        assert all((attrs.get(name) or "data:").startswith("data:") for name in ("src", "href"))


def test_the_policy_names_the_one_style_by_its_digest() -> None:
    page = KINDS["everything"]()
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert (
        html.unescape(policy)
        == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_the_page_says_what_the_comment_says() -> None:
    page = KINDS["everything"]()
    for words in (
        "Do not merge yet: 2 errors to explain and 1 promotion refused", "improved by 0.0247", "95 % interval +0.0107 to +0.0386",
        "the pickle is our own", "a result of an existing run was edited", "scikit-learn", "12 files of records were too large to read",
    ):  # fmt: skip
        assert words in page


def test_the_chart_shows_each_run_and_the_baseline() -> None:
    page = KINDS["everything"]()
    assert page.count('class="svg-ring"') == 9
    assert page.count('class="svg-line s1"') == 3
    assert page.count('class="svg-base s2"') == page.count('class="svg-band"') == 1
    assert "<title>accuracy of 3 configurations, the baseline at 0.9567</title>" in page


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_accessible(dark: bool, tmp_path: Path, open_page: Callable[..., Any]) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="NOT TESTED: axe-playwright-python is not installed"
    )
    for kind, made in KINDS.items():
        (tmp_path / f"{kind}.html").write_text(made(), "utf-8")
    # axe is injected as a script, which the page's own policy rightly refuses: it alone is let in.
    page = open_page(tmp_path / "everything.html", dark=dark, bypass_csp=True)
    for kind in KINDS:
        page.goto((tmp_path / f"{kind}.html").as_uri())
        page.evaluate("() => document.querySelectorAll('details').forEach(found => { found.open = true; })")
        found = axe.Axe().run(page, options={"preload": False, "runOnly": TAGS, "resultTypes": ["violations"]})
        assert [f"{kind}: {item['id']}: {item['nodes'][0]['html']}" for item in found.response["violations"]] == []


@pytest.mark.browser
def test_a_page_fits_a_phone_and_is_styled_under_its_policy(tmp_path: Path, open_page: Callable[..., Any]) -> None:
    for kind in ("everything", "hostile", "runs"):
        (tmp_path / f"{kind}.html").write_text(KINDS[kind](), "utf-8")
    page = open_page(tmp_path / "everything.html", phone=True)
    for kind in ("everything", "hostile", "runs"):
        page.goto((tmp_path / f"{kind}.html").as_uri())
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, kind
        assert page.evaluate("() => getComputedStyle(document.querySelector('.card')).borderTopLeftRadius") == "12px"
