"""Pictures that were logged over steps, by the script of a user: what is published, and what the page of the run does with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runfolio.folio import initialise, open_folio
from runfolio.site import BuildOptions, build_site
from runfolio.site.step_images import artifact_name, is_small_copy, logged_image

LOG = """
import numpy, runfolio
runfolio.set_experiment("digits")
for name in ("first", "second"):
    with runfolio.start_run(run_name=name):
        for step in (0, 1, 2, 10):
            runfolio.log_image(numpy.full((8, 8), 20 * step + len(name), dtype="uint8"), key="samples/digit", step=step)
        runfolio.log_metric("loss", 0.5)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    initialise(folder / "folio", own=True).folio.close()
    subprocess.run([sys.executable, "-c", LOG], cwd=folder / "folio", check=True)
    folio = open_folio(folder / "folio")
    build_site(folio, folder / "site", BuildOptions())
    folio.close()
    return folder / "site"


@pytest.mark.parametrize(
    ("path", "key", "step", "small"),
    [
        ("images/loss%step%0%timestamp%17%z1-2.png", "loss", 0, False),
        ("images/a#b c%step%12%timestamp%17%z1-2%compressed.webp", "a/b c", 12, True),
        ("images/a%step%1%step%2%timestamp%17%z1-2.png", "a%step%1", 2, False),
    ],
)
def test_a_name_says_key_and_step(path: str, key: str, step: int, small: bool) -> None:
    assert logged_image(path) == (key, step, small)
    assert artifact_name(path) == f"{key}, step {step}"


@pytest.mark.parametrize(
    "path",
    [
        "images/photo.png",
        "other/a%step%0%timestamp%1%z.png",
        "images/a%step%x%timestamp%1%z.png",
        "images/a%step%٣%timestamp%1%z.png",
        "",
    ],
)
def test_other_names_are_left_as_they_are(path: str) -> None:
    assert logged_image(path) is None and artifact_name(path) == path


def test_a_small_copy_is_one_only_beside_what_it_is_of() -> None:
    whole = "images/a%step%0%timestamp%1%z.png"
    small = "images/a%step%0%timestamp%1%z%compressed.webp"
    assert is_small_copy(small, {whole, small}) and not is_small_copy(small, {small}) and not is_small_copy(whole, {whole, small})


def test_small_copies_are_not_published(built: Path) -> None:
    assert {path.suffix for path in (built / "artifacts").rglob("*") if path.is_file()} == {".png"}


def test_a_slider_goes_through_the_steps(built: Path, open_page: Any) -> None:
    page = next(path for path in sorted((built / "r").glob("*/index.html")) if "<h1>first" in path.read_text())
    opened = open_page(page.as_uri())
    slider, picture = opened.get_by_label("Step of samples/digit"), opened.locator(".image-grid img")
    assert picture.get_attribute("alt") == "samples/digit, step 10"
    seen = []
    slider.press("Home")
    for _ in range(4):
        seen.append((picture.get_attribute("alt"), picture.get_attribute("src")))
        slider.press("ArrowRight")
    assert [alt for alt, _ in seen] == [f"samples/digit, step {step}" for step in (0, 1, 2, 10)]
    assert len({source for _, source in seen}) == 4
    assert opened.locator(".artifacts summary").inner_text() == "4 pictures over steps, each by itself"


def test_two_runs_are_compared_step_by_step(built: Path, open_page: Any) -> None:
    ids = [path.parent.name for path in sorted((built / "r").glob("*/index.html"))]
    opened = open_page(f"{(built / 'compare.html').as_uri()}#r={','.join(ids)}")
    pictures = opened.locator(".image-grid img")
    pictures.nth(1).wait_for()
    assert [picture.get_attribute("alt") for picture in pictures.all()] == ["samples/digit, step 10"] * 2
    opened.get_by_label("Step of samples/digit").press("Home")
    assert [picture.get_attribute("alt") for picture in pictures.all()] == ["samples/digit, step 0"] * 2
    assert len({picture.get_attribute("src") for picture in pictures.all()}) == 2
