"""What people wrote of an experiment, a run, a model and a version is Markdown, as in MLflow: on its page, and in one line in lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import runfolio
from runfolio import MlflowClient
from runfolio.site import BuildOptions, build_site
from runfolio.site.markdown import lead_words
from tests.site.folios import close_all, committed, opened

NOTE = "Wider layers, **less** `lr`.\n\n## Why\n\n- [the talk](https://example.org/talk)\n- <script>window.pwned=1</script>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
LEAD = '<p class="lead">Wider layers, <strong>less</strong> <code>lr</code>.</p>'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site in which everything has the same notes, and one run has words without a first paragraph."""
    folder = tmp_path_factory.mktemp("notes")
    from runfolio.folio import initialise

    initialise(folder, own=True).folio.close()
    runfolio.set_tracking_uri(str(folder))
    try:
        runfolio.set_experiment("wine")
        with runfolio.start_run(run_name="told", description=NOTE) as run:
            runfolio.log_text("x", "model/x.txt")
        with runfolio.start_run(run_name="listed", description="# Plan\n\n1. one\n2. two"):
            pass
        committed(folder).close()
        client = MlflowClient(str(folder))
        client.create_registered_model("m", description=NOTE)
        client.create_model_version("m", f"runs:/{run.info.run_id}/model", run.info.run_id, description=NOTE)
        folio = opened(folder)
        wine = next(item for item in folio.experiments.all() if item.name == "wine")
        folio.experiments.edit(wine.experiment_id, "describe", description=NOTE)
        out = folder.parent / "site"
        build_site(opened(folder), out, BuildOptions())
        return out
    finally:
        runfolio.set_tracking_uri(None)
        close_all()


def test_the_first_paragraph_stands_below_the_name_and_the_rest_in_a_card(site: Path) -> None:
    pages = [next(path for path in site.glob("r/*/index.html") if "<h1>told</h1>" in path.read_text("utf-8"))]
    pages += [site / "e" / "wine" / "index.html", site / "m" / "m" / "index.html", site / "m" / "m" / "1" / "index.html"]
    for page in pages:
        text = page.read_text("utf-8")
        assert LEAD in text, page
        notes = re.search(r'<section id="notes".*?</section>', text, re.DOTALL)
        assert notes, page
        assert "Wider" not in notes[0]
        assert "<h4>Why</h4>" in notes[0] and "<th>a</th>" in notes[0]
        assert '<a href="https://example.org/talk" rel="nofollow noopener noreferrer">the talk</a>' in notes[0]
        assert "&lt;script&gt;" in notes[0] and "<script>window" not in text


def test_words_that_begin_with_no_paragraph_are_all_in_the_card(site: Path) -> None:
    text = next(page for path in site.glob("r/*/index.html") if "<h1>listed</h1>" in (page := path.read_text("utf-8")))
    assert 'class="lead"' not in text
    assert re.search(r'<section id="notes".*?<h3>Plan</h3><ol><li>', text, re.DOTALL)
    assert '<a href="#notes">Notes</a>' in text


@pytest.mark.parametrize("page", ["index.html", "experiments/index.html", "models/index.html"])
def test_lists_say_the_first_paragraph_in_plain_words(site: Path, page: str) -> None:
    text = (site / page).read_text("utf-8")
    assert "Wider layers, less lr." in text and "**" not in text and "## Why" not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("# Only a *title*", "Only a title"),
        ("- a\n- b", "ab"),
        ("one\ntwo  \nthree", "one two three"),
        ("***\n\nafter", "after"),
    ],
)
def test_one_line_of_notes(text: str, words: str) -> None:
    assert lead_words(text) == words
