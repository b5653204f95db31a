"""Sweeps on the pages of their runs: told and drawn without scripts, whole for those that were killed, harmless whatever a document says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.folio import initialise, open_folio
from runfolio.site import BuildOptions, build_site
from runfolio.tracking.session import forget_sessions
from tests.conftest import GIT_CONFIG, git
from tests.site.test_accessible import violations
from tests.site.visiting import faults_at_each_width, settled

pytest.importorskip("optuna", reason="NOT TESTED: optuna is not installed")

SPACE = {
    "rate": {"type": "float", "low": 1e-4, "high": 0.3, "log": True},
    "depth": {"type": "int", "low": 1, "high": 12},
    "kind": ["relu", "tanh"],
}
HOSTILE = {
    "format": "runfolio-sweep",
    "schema": 1,
    "name": "<b>name</b>",
    "objective": "</script><script>alert(1)</script>",
    "metrics": [{"name": "<img src=x onerror=alert(1)>", "direction": "minimize"}],
    "space": {"<i>p</i>": {"type": "categorical", "choices": ["<u>a</u>"]}},
    "trials": [
        {"number": 0, "state": "complete", "values": ["Infinity"], "params": {"<i>p</i>": "<u>a</u>"}, "runs": ["nosuch"]},
        {"number": 1, "state": "complete", "values": [1e299], "params": {"<i>p</i>": 1e299}, "samples": [[1e299], [-1e299]]},
        {"number": 2, "state": "complete", "values": ["NaN"], "params": {}},
    ],
    "best": [1],
    "replicates": {"param": "<s>s</s>", "values": ["<s>1</s>"]},
    "importance": {"method": "<b>m</b>", "metrics": {"<img src=x onerror=alert(1)>": {"<i>p</i>": 1}}},
}
TAGS = {
    "runfolio.sweep.metrics": '[["loss", "minimize"]]', "runfolio.sweep.sampler": '{"type": "tpe"}', "runfolio.sweep.trials": "9",
    "runfolio.sweep.objective": "train:objective",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Pages of a sweep with replicates, one with two metrics, one that was killed, and one whose document somebody made up."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "config").write_text(GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "config"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        folio = folder / "folio"
        folio.mkdir()
        git(folio, "init", "-q")
        git(folio, "commit", "-qm", "first", "--allow-empty")
        initialise(folio, commit=True).folio.close()
        runfolio.set_tracking_uri(folio)
        runfolio.sweep(
            lambda rate, depth, kind, seed: rate + depth + (kind == "tanh") + seed / 10,
            SPACE, name="replicated", metrics="loss", trials=15, seed=1, replicates=2,
        )  # fmt: skip
        runfolio.sweep(
            lambda rate, depth, kind: {"loss": 1 / depth + rate, "cost": float(depth)},
            SPACE, name="two metrics", metrics={"loss": "minimize", "cost": "minimize"}, trials=15, seed=1, sampler="random",
        )  # fmt: skip
        with runfolio.start_run(run_name="killed", tags=TAGS), runfolio.start_run(run_name="plain-child", nested=True):
            pass
        with runfolio.start_run(run_name="hostile", tags=TAGS):
            runfolio.log_dict(HOSTILE, "sweep.json")
        forget_sessions()
        runfolio.set_tracking_uri(None)
        opened = open_folio(folio)
        build_site(opened, folder / "site", BuildOptions())
        opened.close()
        yield folder / "site"


def page_of(site: Path, name: str) -> Path:
    (found,) = (path for path in site.glob("r/*/index.html") if f"<h1>{name}</h1>" in path.read_text("utf-8"))
    return found


def section(page: Path) -> str:
    return page.read_text("utf-8").partition('<section id="sweep"')[2].partition('<section id="metrics"')[0]


def test_without_scripts_the_best_and_the_course_are_told(site: Path) -> None:
    page = page_of(site, "replicated")
    said = section(page)
    for words in (
        "15 complete",
        "Best trials",
        "loss by trial",
        "What explains loss",
        "Params of the trials",
        "loss over seed",
        "seed: 0, 1",
        "±",
    ):
        assert words in said, words
    assert said.count('class="sweep-line') == 15
    link = re.search(r'<a href="(\.\./[^"]+index\.html)">trial \d+</a>', said)
    assert link is not None
    assert (page.parent / link[1]).resolve().is_file()
    assert "compare.html#r=" in said


def test_two_metrics_have_a_front(site: Path) -> None:
    said = section(page_of(site, "two metrics"))
    assert "On the front" in said
    assert "cost against loss" in said
    assert 'class="sweep-front"' in said
    assert "What explains cost" in said


def test_a_sweep_that_was_killed_shows_what_it_searches_and_its_children(site: Path) -> None:
    page = page_of(site, "killed")
    said = section(page)
    assert "train:objective" in said
    assert "--resume" in said
    assert "plain-child" in page.read_text("utf-8").partition('id="nested"')[2]


def test_other_runs_have_no_such_section(site: Path) -> None:
    assert 'id="sweep"' not in page_of(site, "plain-child").read_text("utf-8")


def test_a_document_that_somebody_made_up_is_harmless(site: Path) -> None:
    text = page_of(site, "hostile").read_text("utf-8")
    for markup in ("<img src=x", "<script>alert", "<u>a</u>", "<i>p</i>", "<s>", "<b>m</b>"):
        assert markup not in text, markup
    assert "nan" not in section(page_of(site, "hostile")).replace("nanti", "")


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_section_is_accessible_and_fits_each_width(site: Path, open_page: Callable[..., Any], dark: bool) -> None:
    for name in ("replicated", "two metrics", "hostile"):
        page = open_page(page_of(site, name), dark=dark, phone=dark, bypass_csp=True)
        settled(page)
        assert violations(page) == []
        if not dark:
            assert faults_at_each_width(page) == []


@pytest.mark.browser
def test_the_page_of_any_run_shows_the_best_from_data(site: Path, open_page: Callable[..., Any]) -> None:
    page = open_page(f"file://{site}/r/run.html#{page_of(site, 'replicated').parent.name}")
    page.wait_for_selector("text=Best trial")
    assert faults_at_each_width(page) == []
