"""Images in a table's cells: what is logged, named and shown is what MLflow does."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

import runfolio
from runfolio.errors import UsageError
from runfolio.tracking.table_images import without_images
from runfolio.tracking.tables import table_frame

pytest.importorskip("PIL")
from PIL import Image


def picture(shade: int) -> Image.Image:
    return Image.new("L", (600, 300), shade)


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_images_become_files_that_the_cells_name(kind: str, folio_dir: Path) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    runfolio.set_tracking_uri(folio_dir)
    name = f"made/gen.{kind}"
    with runfolio.start_run() as run:
        runfolio.log_table({"ask": ["dog", "cat"], "got": [runfolio.Image(numpy.zeros((2, 3))), picture(9)]}, name)
        runfolio.log_table(pandas.DataFrame({"ask": ["cow"], "got": [picture(8)]}, index=[7]), name)
    table = runfolio.load_table(name, run_ids=[run.info.run_id])
    assert table["ask"].tolist() == ["dog", "cat", "cow"]
    sizes, small = [], []
    for cell in table["got"]:
        assert cell["type"] == "image" and cell["filepath"].startswith("table_images/made/gen/")
        sizes.append(runfolio.artifacts.load_image(f"runs:/{run.info.run_id}/{cell['filepath']}").size)
        small.append(runfolio.artifacts.load_image(f"runs:/{run.info.run_id}/{cell['compressed_filepath']}").size)
    assert sizes == [(3, 2), (600, 300), (600, 300)]
    assert small[1:] == [(256, 128), (256, 128)]


def test_the_callers_frame_stays_as_it_is() -> None:
    frame = pandas.DataFrame([[picture(1), 1, picture(2)]], columns=["a", "b", "a"])
    taken, files = without_images(frame, "t.json")
    assert list(taken.columns) == ["a", "b", "a"] and taken.iloc[0, 1] == 1 and len(files) == 4
    assert isinstance(frame.iloc[0, 0], Image.Image)
    assert Image.open(io.BytesIO(files[taken.iloc[0, 2]["filepath"]])).getpixel((0, 0)) == 2


def test_a_table_without_images_names_no_files() -> None:
    taken, files = without_images({"a": [1, None], "b": ["x", ["y"]]}, "t.json")
    assert not files and taken["b"].tolist() == ["x", ["y"]]


@pytest.mark.parametrize("cell", ["text", None, 3])
def test_a_column_is_of_images_or_holds_none(cell: Any) -> None:
    with pytest.raises(UsageError, match="'c' contains a mix of images and non-images"):
        without_images({"c": [picture(1), cell]}, "t.json")


def test_a_refused_table_leaves_no_images(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)
    with runfolio.start_run() as run, pytest.raises(UsageError, match="holds a object"):
        runfolio.log_table({"a": [picture(1)], "b": [object()]}, "t.json")
    assert runfolio.artifacts.list_artifacts(run_id=run.info.run_id) == []


def test_images_within_other_values_are_refused_with_advice(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)
    with runfolio.start_run(), pytest.raises(UsageError, match="'a' holds images within other values"):
        runfolio.log_table({"a": [[picture(1)]]}, "t.json")


def test_what_is_stored_can_be_read_by_pandas_alone() -> None:
    taken, _ = without_images({"a": [picture(1)]}, "t.json")
    from runfolio.tracking.tables import append_table

    assert table_frame(append_table(None, taken))["a"][0]["type"] == "image"
