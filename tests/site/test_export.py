"""What the table shows as CSV and Parquet, read back by pandas and pyarrow."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.site.table_site import TableSite
from tests.site.test_columns import mixed_rows
from tests.site.test_filter import served
from tests.site.test_table import CORE, OBJECTIVE, some_rows

pytestmark = pytest.mark.browser

BYTES = """async ({ page, kind, keys, text, plain }) => {
  if (plain) delete window.CompressionStream;
  const table = new rf.Table(page);
  await table.read();
  table.keys = keys;
  table.text = text;
  await table.update();
  const blob = new Blob(await rf.bytesOf(table, kind));
  const url = await new Promise((done) => { const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(blob); });
  return [url.split(",")[1], Array.from(table.rows)];
}"""
KEYS = ["metrics.loss", "metrics.rare", "params.opt", "params.note", "datasets.name", "attributes.start_time", "metrics.nobody"]


def exported(
    page: Any, rows: list[dict[str, Any]], kind: str, text: str = "", plain: bool = False, keys: Sequence[str] = KEYS
) -> tuple[bytes, list[int]]:
    data = served(page, rows, shard=64)
    body, order = page.evaluate(BYTES, {"page": data, "kind": kind, "keys": list(keys), "text": text, "plain": plain})
    return base64.b64decode(body), order


@pytest.mark.parametrize("plain", [False, True], ids=["gzip", "uncompressed"])
def test_parquet_has_every_value_and_its_type(scripts_page, plain: bool) -> None:
    rows = mixed_rows(150)
    body, order = exported(scripts_page, rows, "parquet", plain=plain)
    made = pq.read_table(io.BytesIO(body))
    assert [str(field.type) for field in made.schema][:4] == ["string", "string", "double", "double"]
    assert str(made.schema.field("attributes.start_time").type).startswith("timestamp[ms")
    assert sorted(order) == list(range(150))
    assert made["attributes.run_id"].to_pylist() == [rows[at]["run_id"] for at in order]
    for key in ("params.opt", "params.note", "metrics.rare"):
        assert made[key].to_pylist() == [rows[at].get(key) for at in order]
    assert made["datasets.name"].to_pylist() == [
        ", ".join(rows[at]["datasets.name"]) if "datasets.name" in rows[at] else None for at in order
    ]
    losses = [rows[at]["metrics.loss"] for at in order]
    for found, wanted in zip(made["metrics.loss"].to_pylist(), losses, strict=True):
        assert found == wanted or (math.isnan(found) and math.isnan(wanted))
    assert [moment.timestamp() * 1000 for moment in made["attributes.start_time"].to_pylist()] == [
        rows[at]["attributes.start_time"] for at in order
    ]
    assert made["metrics.nobody"].to_pylist() == [None] * 150
    assert pq.read_metadata(io.BytesIO(body)).row_group(0).column(0).compression == ("UNCOMPRESSED" if plain else "GZIP")


def test_parquet_of_no_row_and_of_more_than_fifteen_columns_can_be_read(scripts_page) -> None:
    body, order = exported(scripts_page, mixed_rows(30), "parquet", "params.nobody = 'x'")
    assert order == []
    assert pq.read_table(io.BytesIO(body)).num_rows == 0
    more = [f"metrics.more{at}" for at in range(20)]
    body, order = exported(scripts_page, mixed_rows(30), "parquet", keys=[*KEYS, *more])
    assert pq.read_table(io.BytesIO(body)).num_columns == 29


def test_csv_is_what_is_shown(scripts_page) -> None:
    rows = mixed_rows(150)
    rows[0]["params.note"] = 'a "quoted", text\nof two lines'
    rows[50]["params.note"] = "=1+1"
    body, order = exported(scripts_page, rows, "csv", "params.note IS NOT NULL")
    assert sorted(order) == [0, 50, 100]
    made = pd.read_csv(io.BytesIO(body), keep_default_na=False, dtype=str).set_index("attributes.run_id")
    assert list(made.index) == [rows[at]["run_id"] for at in order]
    assert made.loc[rows[0]["run_id"], "params.note"] == rows[0]["params.note"]
    assert made.loc[rows[50]["run_id"], "params.note"] == "'=1+1"  # a spreadsheet would run it
    assert [float(value) for value in made["metrics.rare"]] == [rows[at]["metrics.rare"] for at in order]
    assert made.loc[rows[0]["run_id"], "attributes.start_time"] == "1970-01-01T00:00:00.000Z"


def test_the_file_is_saved_under_the_experiments_name(open_page, tmp_path) -> None:
    page = open_page(TableSite(tmp_path, some_rows(30), core=CORE, objective=OBJECTIVE).page(), accept_downloads=True)
    page.evaluate("rf.table.ready")
    for kind in ("csv", "parquet"):
        page.click(".menu summary")
        with page.expect_download() as caught:
            page.click(f"[data-save={kind}]")
        assert caught.value.suggested_filename == f"wine.{kind}"
        saved = tmp_path / f"saved.{kind}"
        caught.value.save_as(saved)
        made = pd.read_csv(saved) if kind == "csv" else pq.read_table(saved).to_pandas()
        assert len(made) == 30
        assert made["metrics.acc"].max() == max(row["metrics.acc"] for row in some_rows(30))
