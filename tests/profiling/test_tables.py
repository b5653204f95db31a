"""profiling: what is in a file of data, in one pass, against what numpy and pandas say of the whole."""

from __future__ import annotations

import gzip
import io
import json
import random
import tracemalloc
from pathlib import Path

import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.profiling import SAMPLE, Asked, Table
from runfolio.profiling.arrays import read_npy, read_npz
from runfolio.profiling.delimited import read_delimited
from runfolio.profiling.lines import count_lines, read_json_lines
from runfolio.profiling.numbers import NumberStats
from runfolio.profiling.parquet import read_parquet
from runfolio.records.datasets import ColumnFacts


def of_csv(text: str | bytes, asked: Asked | None = None) -> Table:
    table = Table(asked)
    read_delimited(io.BytesIO(text if isinstance(text, bytes) else text.encode()), table)
    return table


def types(table: Table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns()}


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=300), st.integers(1, 7))
def test_statistics_of_chunks_are_those_of_the_whole(values: list[float], chunk: int) -> None:
    made = NumberStats(SAMPLE)
    for start in range(0, len(values), chunk):
        made.add(values[start : start + chunk], whole=False)
    assert made.count == len(values)
    assert (made.min, made.max) == (min(values), max(values))
    assert made.mean == pytest.approx(numpy.mean(values), rel=1e-9, abs=1e-6)
    assert made.std == pytest.approx(numpy.std(values, ddof=1), rel=1e-6, abs=1e-4)
    shape = made.shape()
    assert shape is not None
    assert shape.quantiles == pytest.approx(numpy.quantile(values, numpy.linspace(0, 1, 21)), abs=1e-4)
    assert sum(shape.histogram.counts) == len(values)
    assert len(shape.histogram.counts) <= 26


def test_numbers_far_from_zero_keep_their_deviation() -> None:
    made = NumberStats(SAMPLE)
    for _ in range(50):
        made.add([1e12 + 1, 1e12 + 2, 1e12 + 3], whole=False)
    assert made.std == pytest.approx(0.8192, rel=1e-3)


def test_more_values_than_are_held_are_sampled_evenly_and_always_alike() -> None:
    def run() -> ColumnFacts:
        table = Table()
        table.begin(["x"])
        source = random.Random(1)
        for _ in range(60):
            table.add_values([[source.gauss(10, 2) for _ in range(1000)]], 1000)
        return table.columns()[0]

    made = run()
    assert made.sampled == SAMPLE
    assert made.count == 60_000
    assert made.quantiles[10] == pytest.approx(10, abs=0.1)
    assert made.quantiles[1] == pytest.approx(10 - 1.645 * 2, abs=0.2)
    assert made.histogram is not None and sum(made.histogram.counts) == SAMPLE
    assert run() == made


def test_one_far_value_does_not_hide_the_others() -> None:
    table = Table()
    table.begin(["x"])
    table.add_values([[number / 100 for number in range(2000)] + [1e12]], 2001)
    (made,) = table.columns()
    assert made.histogram is not None and len(made.histogram.counts) > 10
    assert made.max == 1e12


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [0.0, 0.0], [1e300, -1e300], [5e-324, 0.0], [2.0**60, 2.0**60 + 4096]])
def test_odd_spreads_have_a_histogram(values: list[float]) -> None:
    made = NumberStats(SAMPLE)
    made.add(values, whole=False)
    shape = made.shape()
    assert shape is not None and sum(shape.histogram.counts) == len(values)


def test_types_of_a_csv_are_found() -> None:
    table = of_csv(
        'id,price,when,flag,word,zip,gone,big\n1,1.5,2026-01-02,true,"a, b",01A,,1_000\n'
        '2,NA,2026-01-03,false,"c\nd",33,?,7\n-3,inf,2026-02-01,true,é,44,null,8\n'
    )
    assert types(table) == {
        "id": "integer",
        "price": "number",
        "when": "date",
        "flag": "boolean",
        "word": "text",
        "zip": "mixed",
        "gone": "empty",
        "big": "mixed",
    }
    made = {column.name: column for column in table.columns()}
    assert (made["id"].min, made["id"].max, made["id"].mean) == (-3, 2, 0.0)
    assert (made["price"].missing, made["price"].not_finite, made["price"].max) == (1, 1, 1.5)
    assert (made["when"].min, made["when"].max) == ("2026-01-02", "2026-02-01")
    assert made["flag"].values == {"true": 2, "false": 1}
    assert (made["word"].length_min, made["word"].length_max, made["word"].distinct) == (1, 4, 3)
    assert made["zip"].texts == 1
    assert table.rows == 3


def test_values_are_kept_only_on_request() -> None:
    text = "name,age\nAda,36\nAda,37\nBob,40\n"
    plain = of_csv(text)
    assert plain.sample == []
    assert all(not column.values for column in plain.columns())
    asked = of_csv(text, Asked(sample=2, top_values=1))
    assert asked.sample == [{"name": "Ada", "age": "36"}, {"name": "Ada", "age": "37"}]
    assert asked.columns()[0].values == {"Ada": 2}


@pytest.mark.parametrize(
    ("text", "names", "rows", "note"),
    [
        ("a;b\n1;2\n", ["a", "b"], 1, None),
        ("a\tb\n1\t2\n", ["a", "b"], 1, None),
        ("1,2\n3,4\n", ["0", "1"], 2, None),
        ("a,b\n1\n1,2,3\n\n", ["a", "b"], 2, "1 rows have more fields"),
        ("\ufeffa,\n1,2\n", ["a", "column 2"], 1, None),
        ("a\r\n1\r\n2", ["a"], 2, None),
        ("", [], 0, "the file is empty"),
        (b"a\n\xe9\n", ["a"], 1, "not UTF-8"),
        ("a\n" + "x" * 200_000 + "\n", ["a"], 0, "cannot be read on"),
    ],
)
def test_odd_files_are_read_as_far_as_they_go(text: str | bytes, names: list[str], rows: int, note: str | None) -> None:
    table = of_csv(text)
    assert table.names == names
    assert table.rows == rows
    assert any(note in said for said in table.notes) if note else table.notes == ()


def test_a_table_of_many_columns_is_bounded() -> None:
    table = of_csv(",".join(f"c{number}" for number in range(700)) + "\n" + ",".join("1" * 700) + "\n")
    assert (len(table.columns()), table.left_out) == (500, 200)


def test_a_large_file_is_read_in_bounded_memory(tmp_path: Path) -> None:
    place = tmp_path / "large.csv"
    with place.open("w") as file:
        file.write("a,b,c\n")
        for number in range(300_000):
            file.write(f"{number},{number % 97 / 7:.6f},word{number}\n")
    assert place.stat().st_size > 7_000_000
    tracemalloc.start()
    table = Table()
    with place.open("rb") as source:
        read_delimited(source, table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table.rows == 300_000
    assert table.columns()[2].distinct is None
    assert peak < 6_000_000


def test_a_frame_and_its_files_are_described_alike(tmp_path: Path) -> None:
    source = random.Random(3)
    frame = pandas.DataFrame({"x": [source.gauss(0, 1) for _ in range(500)], "n": range(500), "s": ["a", "b"] * 250})
    frame.loc[3, "x"] = float("nan")
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True, double_precision=15)
    from_csv, from_parquet, from_json = Table(), Table(), Table()
    with (tmp_path / "t.csv").open("rb") as file:
        read_delimited(file, from_csv)
    read_parquet(tmp_path / "t.parquet", from_parquet)
    with (tmp_path / "t.jsonl").open("rb") as file:
        read_json_lines(file, from_json)
    assert from_csv.columns() == from_parquet.columns()
    assert types(from_json) == types(from_csv) == {"x": "number", "n": "integer", "s": "text"}
    assert from_json.columns()[0].mean == pytest.approx(frame["x"].mean())
    assert from_csv.columns()[0].std == pytest.approx(frame["x"].std())
    assert from_csv.columns()[0].missing == 1


def test_json_lines_have_keys_as_they_come() -> None:
    table = Table()
    lines = [{"a": 1}, {"a": 2, "b": [1]}, {"b": {"c": 1}, "d": True}]
    read_json_lines(io.BytesIO(b"\n".join(json.dumps(line).encode() for line in lines)), table)
    assert types(table) == {"a": "integer", "b": "nested", "d": "boolean"}
    assert table.columns()[2].missing == 2
    broken = Table()
    read_json_lines(io.BytesIO(b'{"a": 1}\n[1]\n{"a": 2}\n'), broken)
    assert broken.rows == 1 and "line 2" in broken.notes[0]


def test_arrays_tell_shape_and_columns(tmp_path: Path) -> None:
    numpy.save(tmp_path / "x.npy", numpy.arange(12.0).reshape(4, 3))
    numpy.savez(tmp_path / "xy.npz", x=numpy.zeros((4, 3)), y=numpy.zeros(4, dtype="int32"))
    numpy.save(tmp_path / "o.npy", numpy.array([{}], dtype=object), allow_pickle=True)
    table, arrays = Table(), dict[str, str]()
    read_npy(tmp_path / "x.npy", table, arrays)
    assert arrays == {"array": "4 × 3 float64"}
    assert [column.mean for column in table.columns()] == [4.5, 5.5, 6.5]
    table, arrays = Table(), {}
    read_npz(tmp_path / "xy.npz", table, arrays)
    assert arrays == {"x": "4 × 3 float64", "y": "4 int32"}
    assert table.rows == 4
    table = Table()
    read_npy(tmp_path / "o.npy", table, {})
    assert "cannot be read" in table.notes[0]


def test_lines_of_a_text_are_counted() -> None:
    for data, lines in ((b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2)):
        table = Table()
        count_lines(io.BytesIO(data), table)
        assert table.rows == lines


def test_a_packed_csv_streams(tmp_path: Path) -> None:
    place = tmp_path / "t.csv.gz"
    place.write_bytes(gzip.compress(b"a\n1\n2\n"))
    table = Table()
    with gzip.open(place) as file:
        read_delimited(file, table)
    assert table.columns()[0].mean == 1.5
