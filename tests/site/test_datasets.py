"""site/datasets.py and its pages: the list, a dataset's facts, versions and runs; links from runs; drift on the compare page."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.folio import open_folio
from runfolio.site import BuildOptions, build_site
from runfolio.tracking.session import forget_sessions
from tests.site.test_accessible import violations
from tests.site.visiting import faults_at_each_width, settled


@pytest.fixture
def told(folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A folio whose dataset drifted between two runs, and its site."""
    monkeypatch.chdir(folio_dir)
    runfolio.set_tracking_uri(folio_dir)
    for number, mean in enumerate((13.0, 14.0)):
        source = random.Random(number)
        lines = "".join(f"{source.gauss(mean, 0.8):.3f},{source.choice(['<b>red', 'white'])}\n" for _ in range(300))
        Path("wine.csv").write_text("alcohol,colour\n" + lines)
        runfolio.data.add("wine.csv", description="Which <i>cultivar</i>", top_values=3)
        with runfolio.start_run(run_name=f"run {number}"):
            runfolio.log_input(runfolio.data.from_folio("wine"), context="training")
    forget_sessions()
    return folio_dir, made(folio_dir, tmp_path / "site")


def made(folder: Path, out: Path, *, public: bool = False) -> Path:
    folio = open_folio(str(folder))
    build_site(folio, out, BuildOptions(public=public))
    folio.close()
    return out


def test_a_dataset_has_a_page_with_shapes_versions_and_runs(told: tuple[Path, Path]) -> None:
    page = (told[1] / "d" / "wine" / "index.html").read_text("utf-8")
    assert page.count('class="column-shape"') == 1
    assert "alcohol: mean" in page and "PSI" in page and "large" in page
    assert "the first version" in page and ">current<" in page
    assert page.count("run 0") == 1 and page.count("run 1") == 1
    assert "<b>red" not in page and "&lt;b&gt;red" in page and "&lt;i&gt;cultivar" in page
    assert "wine" in (told[1] / "datasets" / "index.html").read_text("utf-8")
    assert 'href="datasets/index.html"' in (told[1] / "index.html").read_text("utf-8")


def test_a_run_links_to_the_data_that_it_read(told: tuple[Path, Path]) -> None:
    pages = list((told[1] / "r").glob("*/index.html"))
    assert len(pages) == 2
    assert all('<a href="../../d/wine/index.html">wine</a>' in page.read_text("utf-8") for page in pages)


def test_the_compare_page_knows_how_contents_drifted(told: tuple[Path, Path]) -> None:
    text = (told[1] / "compare.html").read_text("utf-8")
    found = re.search(r'id="rf-page">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    drift = json.loads(found[1])["datasets"]["wine"]["drift"]
    assert len(drift) == 2
    assert all("300 rows as before" in words and "alcohol: mean" in words for words in drift.values())


def test_a_site_for_everybody_shows_no_dataset(told: tuple[Path, Path], tmp_path: Path) -> None:
    out = made(told[0], tmp_path / "public", public=True)
    assert not (out / "d").exists() and not (out / "datasets").exists()
    assert "datasets/index.html" not in (out / "index.html").read_text("utf-8")


def test_a_change_of_data_is_seen_by_the_next_build(told: tuple[Path, Path]) -> None:
    folder, out = told
    before = (out / "d" / "wine" / "index.html").read_bytes()
    Path("wine.csv").write_text("alcohol,colour\n1,red\n")
    runfolio.data.add("wine.csv")
    forget_sessions()
    made(folder, out)
    assert (out / "d" / "wine" / "index.html").read_bytes() != before


@pytest.mark.parametrize("place", ["datasets/index.html", "d/wine/index.html"])
def test_a_page_fits_desk_and_phone(told: tuple[Path, Path], open_page: Any, place: str) -> None:
    page = open_page(told[1] / place)
    assert faults_at_each_width(page) == []
    assert violations(page) == []


def test_compared_runs_say_how_their_data_differ(told: tuple[Path, Path], open_page: Any) -> None:
    runs = sorted(place.name for place in (told[1] / "r").iterdir() if place.is_dir())
    page = open_page(f"{(told[1] / 'compare.html').as_uri()}#r={','.join(runs)}")
    settled(page)
    said = page.locator("[data-part=Data]")
    said.wait_for()
    assert "alcohol: mean" in said.inner_text()
    assert said.locator("a").first.get_attribute("href") == "d/wine/index.html"
