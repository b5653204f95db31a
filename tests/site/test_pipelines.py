"""Pipelines on the pages of their runs: the graph, links to the runs that made each step, and nothing that a document could do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio import pipelines
from runfolio.folio import initialise, open_folio
from runfolio.site import BuildOptions, build_site
from runfolio.tracking.session import forget_sessions
from tests.conftest import GIT_CONFIG, git
from tests.pipelines.conftest import SCRIPTS, write
from tests.site.test_accessible import violations
from tests.site.visiting import faults_at_each_width, settled

HOSTILE = {
    "format": "runfolio-pipeline",
    "schema": 1,
    "name": "<img src=x onerror=alert(1)>",
    "description": "</script><script>alert(1)</script>",
    "steps": [
        {
            "name": "<b>a</b>",
            "state": "made",
            "run": "../../../etc",
            "command": "<i>",
            "start": 5,
            "end": 1,
            "outputs": [{}, {"path": "<u>"}],
        },
        {
            "name": "b",
            "state": "running",
            "needs": ["<b>a</b>", "nobody"],
            "inputs": [{"path": "x", "step": "nobody", "size": -1}],
        },
        {"name": "b", "state": "made"},
        {"state": "made"},
        {"name": "c", "state": "exploded"},
    ],
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A site with a pipeline that failed, one that went on, and a document that somebody made up."""
    folder = tmp_path_factory.mktemp("pipelines")
    (folder / "config").write_text(GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "config"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        place = folder / "folio"
        place.mkdir()
        git(place, "init", "-q")
        git(place, "commit", "-qm", "first", "--allow-empty")
        initialise(place, commit=True).folio.close()
        write(place)
        runfolio.set_tracking_uri(place)
        (place / "count.sh").write_text("exit 3\n")
        failed = pipelines.run(place)
        (place / "count.sh").write_text(SCRIPTS["count.sh"])
        went_on = pipelines.run(place)
        with runfolio.start_run() as run:
            runfolio.log_text(json.dumps(HOSTILE), "pipeline.json")
        forget_sessions()
        made = open_folio(place)
        build_site(made, folder / "site", BuildOptions())
        made.close()
        yield {"site": folder / "site", "failed": failed, "went_on": went_on, "hostile": run.info.run_id}


def page(built: dict[str, Any], run_id: str) -> Path:
    return Path(built["site"]) / "r" / run_id / "index.html"


def test_each_step_links_to_the_run_that_made_it(built: dict[str, Any]) -> None:
    text = page(built, built["went_on"].run_id).read_text()
    words, count, _ = built["went_on"].steps
    assert words.run_id == built["failed"].steps[0].run_id
    assert f'<a class="step step-kept" href="../../r/{words.run_id}/index.html">' in text
    assert f'<a class="step step-made" href="../../r/{count.run_id}/index.html">' in text
    assert page(built, words.run_id).is_file()
    # The way of a file: what it was made by, under its digest.
    digest = words.files["made/sorted.txt"].digest
    assert f'<code title="{digest}">' in text
    assert f'from <a href="../../r/{words.run_id}/index.html">words</a>' in text


def test_a_step_that_was_not_run_is_told_without_a_link(built: dict[str, Any]) -> None:
    text = page(built, built["failed"].run_id).read_text()
    assert '<g class="step step-waits">' in text
    assert "it needs count, which failed" in text
    assert "exit status 3" in text


def test_the_page_of_a_run_without_a_pipeline_has_none(built: dict[str, Any]) -> None:
    assert 'id="pipeline"' not in page(built, built["went_on"].steps[1].run_id).read_text()


def test_a_made_up_document_is_harmless(built: dict[str, Any]) -> None:
    text = page(built, built["hostile"]).read_text()
    assert "<img src=x" not in text
    assert "<script>alert" not in text
    assert "&lt;b&gt;a&lt;/b&gt;" in text
    assert "etc" not in text.split('id="pipeline"')[1].split("</section>")[0]
    assert "exploded" not in text


@pytest.mark.browser
def test_the_pages_work_on_every_width_and_for_everybody(built: dict[str, Any], browser: Any) -> None:
    for run_id in (built["failed"].run_id, built["went_on"].run_id, built["hostile"]):
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme)
            shown = context.new_page()
            errors: list[str] = []
            shown.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            shown.on("console", lambda said, errors=errors: errors.append(said.text) if said.type == "error" else None)
            shown.goto(page(built, run_id).as_uri())
            settled(shown)
            assert not errors
            assert not violations(shown)
            assert not faults_at_each_width(shown)
            context.close()


@pytest.mark.browser
def test_a_phone_gets_the_picture_from_top_to_bottom(built: dict[str, Any], browser: Any) -> None:
    shown = browser.new_page(viewport={"width": 390, "height": 844})
    shown.goto(page(built, built["went_on"].run_id).as_uri())
    assert shown.locator(".steps-tall").is_visible() and not shown.locator(".steps-wide").is_visible()
    box = shown.locator(".steps-tall").bounding_box()
    assert box["width"] <= 390
    shown.set_viewport_size({"width": 1280, "height": 900})
    assert shown.locator(".steps-wide").is_visible() and not shown.locator(".steps-tall").is_visible()
    shown.close()
