"""In a notebook: what a cell shows, and runs that a cell leaves open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import runfolio

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture(autouse=True)
def _folio(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)


def plain(html: str) -> str:
    return re.sub(r"<[^>]*>", " ", html)


def test_an_active_run_shows_what_was_logged_so_far() -> None:
    with runfolio.start_run(run_name="trial") as run:
        assert "RUNNING" in run._repr_html_()
        runfolio.log_param("depth", 5)
        runfolio.log_metric("acc", 0.98125)
        runfolio.set_tag("team", "red")
        shown = plain(run._repr_html_())
    assert re.search(r"Run\s+trial", shown)
    assert re.search(r"acc\s+0\.98125", shown)
    assert re.search(r"depth\s+5", shown)
    assert re.search(r"team\s+red", shown)
    assert "FINISHED" in run._repr_html_()
    assert run.info.run_id in repr(run)


def test_runs_and_experiments_that_were_found_show_themselves() -> None:
    experiment = runfolio.set_experiment("wine")
    with runfolio.start_run(run_name="trial"):
        runfolio.log_metric("acc", 1)
    [run] = runfolio.search_runs(output_format="list")
    assert "trial" in run._repr_html_()
    assert "wine" in experiment._repr_html_()
    assert "wine" in runfolio.get_experiment(experiment.experiment_id)._repr_html_()


def test_names_and_values_cannot_act() -> None:
    experiment = runfolio.set_experiment(HOSTILE)
    with runfolio.start_run(run_name=HOSTILE, tags={"note": HOSTILE}) as run:
        runfolio.log_param("p", HOSTILE)
    for html in (run._repr_html_(), experiment._repr_html_()):
        assert "<img" not in html
        assert "&lt;img" in html


def test_ipython_shows_them_as_html() -> None:
    formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is not installed: its own formatter is not asked")
    with runfolio.start_run(run_name="trial") as run:
        pass
    data, _ = formatters.DisplayFormatter().format(run)
    assert "trial" in data["text/html"]
    assert run.info.run_id in data["text/plain"]


def test_a_cell_that_fails_in_its_block_leaves_no_run_open() -> None:
    with pytest.raises(ZeroDivisionError), runfolio.start_run() as run:
        1 / 0  # noqa: B018
    assert runfolio.active_run() is None
    assert runfolio.get_run(run.info.run_id).info.status == "FAILED"


def test_a_cell_that_is_run_again_is_told_of_the_run_that_it_left_open() -> None:
    first = runfolio.start_run()
    with pytest.raises(runfolio.MlflowException, match="is already active") as refused:
        runfolio.start_run()
    assert first.info.run_id in str(refused.value)
    runfolio.end_run()
    runfolio.start_run()
    runfolio.end_run()
