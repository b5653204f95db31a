"""Records to columns and columns to what a page's script reads."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from runfolio.site.columns import Cells, cells_of, encode_column, facts_of, join_facts, script
from runfolio.site.details import detail_of, row_cells

RECORD = {
    "schema": 1, "run_id": "01", "experiment": "wine", "status": "FINISHED", "start": 1000, "end": 3500, "name": "calm-ibis",
    "user": "ann", "params": {"lr": "0.1"}, "metrics": {"acc": {"last": 0.9, "step": 3, "at": 2000}, "loss": {"last": "NaN", "step": 0, "at": 5}},
    "tags": {"team": "red"}, "inputs": [{"name": "wine", "digest": "d1", "tags": {"mlflow.data.context": "training"}}],
    "entry": {"script": "train.py"}, "code": {"commit": "ab", "branch": "main"},
}  # fmt: skip


def decoded(column: dict, rows: int) -> list:
    """Read a column as the page's script does."""
    kind, made = column["t"], [None] * rows
    if kind == "d":
        total = 0
        for row, step in enumerate(column["v"]):
            total += step
            made[row] = total
        return made
    places = column.get("i", range(rows))
    values = column["v"] if "v" in column else [None if code < 0 else column["d"][code] for code in column["c"]]
    for row, value in zip(places, values, strict=True):
        made[row] = tuple(value) if isinstance(value, list) else value
    return made


def test_a_row_has_the_names_of_the_query_language() -> None:
    cells = row_cells(RECORD)
    assert cells["num"] == {
        "metrics.acc": 0.9,
        "metrics.loss": "NaN",
        "attributes.duration": 2500,
        "attributes.artifact_count": 0,
    }
    assert cells["time"] == {"attributes.start_time": 1000}
    assert cells["text"]["params.lr"] == "0.1" and cells["text"]["tags.mlflow.source.name"] == "train.py"
    assert cells["list"]["datasets.context"] == ("training",)


def test_a_detail_names_every_number_of_a_metric() -> None:
    detail = detail_of(RECORD, "Wine", None, {"b.txt": {"digest": "sha256:1", "size": 3}, "a.png": {"digest": "sha256:2", "size": 4}},
                       {"b.txt": "artifacts/x.txt"})  # fmt: skip
    assert detail["metrics"]["acc"] == {"last": 0.9, "step": 3, "timestamp": 2000, "count": 1, "min": 0.9, "max": 0.9,
                                        "min_step": 3, "max_step": 3}  # fmt: skip
    assert [(item["path"], item["preview"]) for item in detail["artifacts"]] == [("a.png", None), ("b.txt", "artifacts/x.txt")]


@given(
    st.integers(1, 40).flatmap(
        lambda rows: st.tuples(
            st.just(rows),
            st.dictionaries(
                st.integers(0, rows - 1), st.sampled_from(["NaN", "Infinity", "-Infinity"]) | st.floats(-1e9, 1e9), min_size=1
            ),
        )
    )
)
def test_numbers_come_back(case: tuple[int, dict]) -> None:
    rows, given_cells = case
    cells = Cells("num", sorted(given_cells), [given_cells[row] for row in sorted(given_cells)])
    column = json.loads(json.dumps(encode_column(cells, rows, None)))
    assert decoded(column, rows) == [given_cells.get(row) for row in range(rows)]


@given(
    st.lists(st.none() | st.text(max_size=4), min_size=1, max_size=60).filter(
        lambda cells: any(cell is not None for cell in cells)
    )
)
def test_text_comes_back(values: list) -> None:
    filled = [(row, value) for row, value in enumerate(values) if value is not None]
    cells = Cells("text", [row for row, _ in filled], [value for _, value in filled])
    assert decoded(encode_column(cells, len(values), None), len(values)) == values


def test_times_are_differences() -> None:
    column = encode_column(Cells("time", [0, 1, 2], [1000, 1500, 1400]), 3, None)
    assert column == {"t": "d", "v": [1000, 500, -100]}


def test_numbers_are_rounded_only_where_it_is_said() -> None:
    cells = Cells("num", [0, 1], [0.123456789, "NaN"])
    assert encode_column(cells, 2, None)["v"] == [0.123456789, "NaN"]
    assert encode_column(cells, 2, 5)["v"] == [0.12346, "NaN"]


def test_facts_of_shards_join_to_those_of_the_whole() -> None:
    first = facts_of(Cells("num", [0, 1], [3, "NaN"]))
    second = facts_of(Cells("num", [4], [-2.5]))
    assert join_facts([first, second]) == {"kind": "num", "filled": 3, "min": -2.5, "max": 3}
    same = facts_of(Cells("text", [0], ["a"]))
    assert join_facts([same, same])["only"] == "a"
    assert "only" not in join_facts([same, facts_of(Cells("text", [0], ["b"]))])


def test_columns_of_rows_that_lack_keys() -> None:
    made = cells_of([{"text": {"params.a": "1"}}, {}, {"text": {"params.a": "2"}}])
    assert (made["params.a"].rows, made["params.a"].values) == ([0, 2], ["1", "2"])


def test_a_data_file_is_ascii_and_one_call() -> None:
    data = script("data/e/x", {"a": "</script>\u2028é"})
    assert data.isascii() and data.startswith(b'rfData("data/e/x",{') and data.endswith(b");\n")
