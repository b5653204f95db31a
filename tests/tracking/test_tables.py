"""Tables keep every cell as it was, through any number of appends."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError, MissingPackageError, UsageError
from runfolio.tracking.tables import append_table, check_table_file, logged_table_tag, table_frame

pandas = pytest.importorskip("pandas")
numpy = pytest.importorskip("numpy")


def said(data: bytes) -> Any:
    return json.loads(data)


def test_dictionary_of_columns_is_split_json() -> None:
    assert said(append_table(None, {"q": ["a", "b"], "s": [0.5, 1]})) == {"columns": ["q", "s"], "data": [["a", 0.5], ["b", 1.0]]}


def test_dictionary_of_single_values_is_one_row() -> None:
    assert said(append_table(None, {"q": "a", "n": 1})) == {"columns": ["q", "n"], "data": [["a", 1]]}


def test_pandas_reads_what_we_write() -> None:
    import io

    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    pandas.testing.assert_frame_equal(pandas.read_json(io.BytesIO(append_table(None, frame)), orient="split"), frame)


def test_the_index_is_not_stored() -> None:
    assert said(append_table(None, pandas.DataFrame({"a": [1]}, index=["row"]))) == {"columns": ["a"], "data": [[1]]}


def test_rows_are_appended() -> None:
    data = append_table(append_table(None, {"a": [1]}), {"a": [2, 3]})
    assert table_frame(data)["a"].tolist() == [1, 2, 3]


def test_appending_fills_columns_that_one_side_lacks() -> None:
    data = append_table(append_table(None, {"a": [1], "b": [2]}), {"b": [3], "c": [4]})
    assert said(data) == {"columns": ["a", "b", "c"], "data": [[1, 2, None], [None, 3, 4]]}


def test_appending_never_retypes_what_is_there() -> None:
    first = append_table(None, {"zip": ["007", "1e3"], "modified": ["2024-01-01", "no"], "x": [0.1 + 0.2, 1e-17]})
    second = append_table(first, {"zip": ["8"], "modified": ["-"], "x": [1.0]})
    assert said(second)["data"][:2] == [["007", "2024-01-01", 0.1 + 0.2], ["1e3", "no", 1e-17]]


def test_mlflows_own_table_is_taken_up() -> None:
    theirs = pandas.DataFrame({"a": [1], "b": ["x"]}).to_json(orient="split", index=False, date_format="iso").encode()
    assert table_frame(append_table(theirs, {"a": [2], "b": ["y"]})).to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


CELLS = [
    (None, None),
    (math.nan, None),
    (math.inf, None),
    (True, True),
    (numpy.int64(7), 7),
    (numpy.float32(0.5), 0.5),
    (numpy.arange(2), [0, 1]),
    ({"k": (1, math.nan)}, {"k": [1, None]}),
    (datetime(2026, 1, 2, tzinfo=timezone.utc), "2026-01-02T00:00:00+00:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (Decimal("1.10"), "1.10"),
    (PurePosixPath("a/b"), "a/b"),
    ("\ud800é\u2028", "\ud800é\u2028"),
]


@pytest.mark.parametrize(("value", "stored"), CELLS, ids=lambda value: ascii(value)[:30])
def test_cells_become_what_json_has(value: object, stored: object) -> None:
    column = pandas.Series([value, "text"], dtype=object)
    assert said(append_table(None, pandas.DataFrame({"c": column})))["data"][0] == [stored]


@pytest.mark.parametrize(
    ("column", "stored"),
    [
        (pandas.array([1, None], "Int64"), [1, None]),
        (pandas.Categorical(["a", None]), ["a", None]),
        (pandas.to_datetime(["2026-01-02", None]), ["2026-01-02T00:00:00", None]),
        (pandas.to_timedelta(["1s", None]), ["P0DT0H0M1S", None]),
        (pandas.period_range("2026-01", periods=2, freq="M"), ["2026-01", "2026-02"]),
        (numpy.array([0.5, numpy.nan]), [0.5, None]),
    ],
    ids=["nullable", "category", "time", "span", "period", "float"],
)
def test_columns_of_every_kind_are_stored(column: Any, stored: list[Any]) -> None:
    assert [row[0] for row in said(append_table(None, pandas.DataFrame({"c": column})))["data"]] == stored


@pytest.mark.parametrize("name", ["t.json", "t.parquet"])
def test_images_in_cells_are_refused_with_advice(name: str) -> None:
    image = pytest.importorskip("PIL.Image").new("L", (1, 1))
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    with pytest.raises(UsageError, match="'c' holds images.*log_image"):
        append_table(None, {"c": [image]}, name)


REFUSED = {
    "an object": ({"c": [object()]}, "holds a object"),
    "bytes": ({"c": [b"x"]}, "holds a bytes"),
    "columns of two lengths": ({"a": [1], "b": [1, 2]}, "as many values"),
    "a list": ([1, 2], "a pandas.DataFrame or a dictionary"),
    "doubled columns": (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "same name"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused(name: str) -> None:
    data, message = REFUSED[name]
    with pytest.raises(UsageError, match=message):
        append_table(None, data)


@pytest.mark.parametrize(
    "name", ["a.csv", "a", "a.json.gz", "a:b.json", "a'.json", "{a}.json", "a,b.parquet", "[a].json", 'a".json']
)
def test_file_names_that_mlflow_refuses_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"forbidden character|ends in '\.json' or '\.parquet'"):
        check_table_file(name)


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b'{"columns": ["a"]}',
    b'{"columns": ["a"], "data": [[1, 2]]}',
    b'{"columns": "a", "data": []}',
    b"\xff",
]


@pytest.mark.parametrize("data", DAMAGED)
def test_a_damaged_table_is_named(data: bytes) -> None:
    for act in (lambda: table_frame(data, "qa.json"), lambda: append_table(data, {"a": [1]}, "qa.json")):
        with pytest.raises(DamagedError, match=r"qa\.json: this is no table"):
            act()


def test_an_empty_table_goes_through() -> None:
    assert table_frame(append_table(None, {})).shape == (0, 0)
    assert list(table_frame(append_table(None, {"a": []})).columns) == ["a"]


def test_parquet_is_appended_and_read() -> None:
    pytest.importorskip("pyarrow")
    data = append_table(None, {"a": [1], "b": ["x"]}, "t.parquet")
    data = append_table(data, {"a": [2], "b": ["y"]}, "t.parquet")
    assert table_frame(data, "t.parquet").to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


def test_parquet_of_mixed_columns_is_refused_with_advice() -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(UsageError, match="one type"):
        append_table(None, {"a": pandas.Series([1, "x"], dtype=object)}, "t.parquet")


def test_damaged_parquet_is_named() -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(DamagedError, match=r"t\.parquet"):
        table_frame(b"PAR1 no", "t.parquet")


def test_parquet_without_pyarrow_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match="pip install pyarrow"):
        append_table(None, {"a": [1]}, "t.parquet")


def test_the_tag_lists_each_table_once() -> None:
    tag = logged_table_tag(logged_table_tag(logged_table_tag(None, "a.json"), "b.json"), "a.json")
    assert json.loads(tag) == [{"path": "a.json", "type": "table"}, {"path": "b.json", "type": "table"}]
    assert json.loads(logged_table_tag("nonsense", "a.json")) == [{"path": "a.json", "type": "table"}]


_cells = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.lists(_cells, min_size=1, max_size=4), max_size=3))
def test_every_cell_survives_appending(parts: list[list[Any]]) -> None:
    data = None
    for part in parts:
        data = append_table(data, pandas.DataFrame({"c": pandas.Series(part, dtype=object)}))
    if data is not None:
        stored = [row[0] for row in said(data)["data"]]
        expected = [value for part in parts for value in part]
        assert stored == expected
        assert [type(value) for value in stored] == [type(value) for value in expected]
