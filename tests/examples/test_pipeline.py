"""The pipeline of the examples runs, and is the one that the page shows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runfolio import pipelines
from runfolio.formats.yaml import load_yaml
from tests.conftest import git
from tests.docs.pages import marked

pytest.importorskip("sklearn")
EXAMPLE = Path(__file__).parents[2] / "examples" / "pipeline"


def test_the_page_shows_the_example() -> None:
    (shown,) = marked("how-to/pipelines.md", "example", "pipeline")
    assert load_yaml(shown.encode(), "the page") == load_yaml((EXAMPLE / "pipeline.yaml").read_bytes(), "the example")


@pytest.mark.slow
def test_the_example_trains_and_a_change_of_depth_leaves_the_data_alone(folio_dir: Path) -> None:
    shutil.copytree(EXAMPLE, folio_dir, dirs_exist_ok=True)
    git(folio_dir, "add", "-A")
    git(folio_dir, "commit", "-qm", "the example")
    first = pipelines.run(folio_dir)
    assert [step.state for step in first.steps] == ["made"] * 3
    assert json.loads((folio_dir / "report.json").read_text())["accuracy"] > 0.9
    second = pipelines.run(folio_dir, params={"depth": 2})
    assert [(step.name, step.state) for step in second.steps][:2] == [("prepare", "up to date"), ("train", "made")]
    assert pipelines.run(folio_dir).run_id == ""
