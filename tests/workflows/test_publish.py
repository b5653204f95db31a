"""Push, the generated workflow's own steps, pages on a static server under a sub-path, Chromium on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.site.destinations.links import broken
from tests.workflows.conftest import Team, team_at
from tests.workflows.host import host_at


def pages(team: Team) -> dict[str, bytes]:
    top = team.host.pages
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def test_a_push_publishes_and_nothing_new_costs_nothing(team: Team) -> None:
    team.log(0.5, 0.75)
    first = team.on_push("publish")
    assert first.outcome == "success", first.jobs["build"].text()
    shown = pages(team)
    assert not broken(shown) and shown["index.html"] and not [path for path in shown if path.startswith(".")]
    assert b"https://team.example.org/wine" in shown["feed.xml"]
    assert b"Ada" not in b"".join(shown.values())  # --public
    again = team.on_push("publish")
    assert "cache: hit" in again.jobs["build"].text() and "  0 files written" in again.jobs["build"].text()
    assert pages(team) == shown
    team.log(0.875)
    third = team.on_push("publish")
    log = third.jobs["build"].text()
    assert "restored an earlier one" in log and "0 kept" not in log, log
    later = pages(team)
    assert later != shown and not broken(later) and "0.875" in later["e/wine/index.html"].decode()


def test_a_job_may_do_what_its_permissions_say_and_no_more(team: Team) -> None:
    team.log(0.5)
    team.push()
    text = team.workflow("publish")
    from tests.workflows.runner import Run

    without = Run(team.host, "workflow_dispatch", {}, {"ref": "refs/heads/main"}).start(
        text.replace("pages: write", "pages: read")
    )
    assert without.jobs["build"].outcome == "success" and without.jobs["deploy"].outcome == "failure"
    assert not team.host.pages.exists()
    blind = Run(team.host, "workflow_dispatch", {}, {"ref": "refs/heads/main"}).start(
        text.replace("contents: read", "actions: read")
    )
    assert blind.jobs["build"].outcome == "failure" and blind.jobs["deploy"].outcome == "skipped"


def test_a_push_to_another_branch_starts_nothing(team: Team) -> None:
    from tests.workflows.runner import Run

    assert not Run(team.host, "push", {}, {"ref": "refs/heads/topic"}).start(team.workflow("publish")).jobs


@pytest.mark.parametrize("within", ["", "ml/folio"])
def test_a_folio_with_a_ledger_in_a_folder_is_published_too(tmp_path: Path, pinned_git: Path, within: str) -> None:
    with host_at(tmp_path / "host") as host:
        team = team_at(tmp_path, host, "--ledger", "runfolio/ledger", within=within)
        team.log(0.625, folder=team.ada / within)
        team.runfolio("sync", folder=team.ada / within)
        run = team.on_push("publish")
        assert run.outcome == "success", run.jobs["build"].text()
        assert "records  " in run.jobs["build"].text()
        assert "0.625" in pages(team)["e/wine/index.html"].decode()


@pytest.mark.browser
def test_the_published_pages_open_in_a_browser_under_a_sub_path(team: Team, open_page: Any, serve: Any) -> None:
    team.log(0.5, 0.75, depth="3")
    assert team.on_push("publish").outcome == "success"
    page = open_page(serve(team.host.pages) + "index.html")
    page.get_by_role("link", name="Wine").first.click()
    page.wait_for_selector("table tbody tr")
    assert "0.75" in page.inner_text("main")
