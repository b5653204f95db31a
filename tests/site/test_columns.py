"""The run table's data in the browser: decoding of every encoding over several shards, and the order of rows."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from runfolio.query import parse_order_by, sort_runs
from runfolio.records import Lifecycle, MetricSummary, Run, RunStatus
from tests.site.test_filter import served

pytestmark = pytest.mark.browser

READ = """async ({ page, keys }) => {
  const columns = new rf.Columns(page);
  const spell = (value) => typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  const made = {};
  for (const key of keys) {
    const column = await columns.get(key);
    made[key] = column && Array.from({ length: column.length }, (_, row) => spell(column.value(row)));
  }
  return made;
}"""


def spelled(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def mixed_rows(count: int) -> list[dict[str, Any]]:
    """Rows with every kind of column: dense, sparse, with NaN, dictionary, mostly distinct, lists, one that a few rows have."""
    chance = random.Random(7)
    rows = []
    for at in range(count):
        row: dict[str, Any] = {
            "run_id": f"{at:032x}",
            "attributes.start_time": 1000 * (at // 3),
            "attributes.run_name": f"run-{chance.random()}",
        }
        row["metrics.loss"] = chance.choice(
            [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, chance.gauss(0, 1), 1e-300, -5.0, 3]
        )
        if at % 3:
            row["params.opt"] = chance.choice(["adam", "sgd", "", "é", "😀", "￥"])
        if at % 50 == 0:
            row["metrics.rare"] = at / 2
            row["params.note"] = f"only {at}"
            row["params.rare"] = "yes"
        if at % 2:
            row["datasets.name"] = chance.choice([["wine"], ["wine", "iris"], []])
        rows.append(row)
    return rows


@pytest.mark.parametrize("shard", [1000, 40], ids=["one shard", "several shards"])
def test_every_encoding_is_read(scripts_page, shard: int) -> None:
    rows = mixed_rows(150)
    page = served(scripts_page, rows, shard=shard, pack=2, listed=4)
    keys = sorted({key for row in rows for key in row if key != "run_id"})
    found = scripts_page.evaluate(READ, {"page": page, "keys": [*keys, "metrics.nobody", "attributes.run_id"]})
    assert found.pop("metrics.nobody") is None
    assert found.pop("attributes.run_id") == [row["run_id"] for row in rows]
    assert found == {key: [spelled(row.get(key)) for row in rows] for key in keys}


def test_a_column_is_loaded_when_it_is_asked_for_and_not_before(scripts_page, open_page) -> None:
    page = served(scripts_page, mixed_rows(60), pack=1)
    open_page.requests.clear()
    scripts_page.evaluate(READ, {"page": page, "keys": ["params.opt"]})
    loaded = [url for url in open_page.requests if "/data/" in url]
    assert len(loaded) == 2  # the list of columns says in which pack it is
    assert loaded[0].endswith("/columns.0123abcd.js")


def test_a_file_that_is_missing_or_empty_is_named(scripts_page, open_page) -> None:
    said = "path => rf.load(path).catch(error => error.message)"
    assert "data/none.js could not be loaded" in scripts_page.evaluate(said, "data/none.js")
    assert scripts_page.evaluate(said, "assets/app.js") == "assets/app.js holds no data for assets/app. Build the site again."
    open_page.faults.clear()  # Chromium tells of the missing file itself


SORT = """async ({ page, orders }) => {
  const columns = new rf.Columns(page);
  const all = rf.order.newestFirst(columns.length, await columns.get("attributes.start_time"));
  const made = [];
  for (const order of orders) {
    const keys = [];
    for (const { entity, key, ascending } of rf.filter.parseOrder(order)) keys.push({ column: await columns.get(`${entity}.${key}`), ascending });
    made.push(Array.from(rf.order.sort(all, keys)));
  }
  return made;
}"""

ORDERS = [
    [],
    ["metrics.loss"],
    ["metrics.loss DESC"],
    ["params.opt"],
    ["params.opt DESC", "metrics.loss"],
    ["metrics.rare DESC", "params.opt", "metrics.loss DESC"],
    ["run_name"],
    ["run_name DESC"],
    ["start_time"],
    ["metrics.nobody", "params.note"],
]


def test_order_is_pythons_stable_with_nan_and_missing_last(scripts_page) -> None:
    rows = mixed_rows(700)
    runs = [
        Run(
            run_id=row["run_id"],
            experiment="wine",
            name=row["attributes.run_name"],
            status=RunStatus.FINISHED,
            start=row["attributes.start_time"],
            end=None,
            lifecycle=Lifecycle.ACTIVE,
            params={key[7:]: value for key, value in row.items() if key.startswith("params.")},
            metrics={key[8:]: MetricSummary(float(value), 0, 0) for key, value in row.items() if key.startswith("metrics.")},
        )
        for row in rows
    ]
    page = served(scripts_page, rows, shard=256, pack=3)
    found = scripts_page.evaluate(SORT, {"page": page, "orders": ORDERS})
    wanted = [[int(run.run_id, 16) for run in sort_runs(runs, parse_order_by(order))] for order in ORDERS]
    assert found == wanted


def test_a_key_of_every_object_is_a_key_of_its_own_in_a_script_and_text_stays_text() -> None:
    from runfolio.site.columns import script

    value = {"__proto__": {"a": 1, "__proto__": "x"}, 'say "__proto__": ': '{"__proto__":1}'}
    made = script("k", value).decode()
    assert made.count('["__proto__"]:') == 2
    assert json.loads(made.replace('["__proto__"]:', '"__proto__":').removeprefix('rfData("k",').removesuffix(");\n")) == value
