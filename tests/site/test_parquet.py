"""The Parquet file of all runs, as other programs read it, and made from the one of the last build."""

from __future__ import annotations

import io
import json
import math
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.formats.parquet import Column, Group, encode_chunk, read_groups, write_parquet
from runfolio.index import RunRow
from runfolio.site import parquet
from runfolio.site.columns import Cells, cells_of
from runfolio.site.details import row_cells


@dataclass
class Rows:
    """As much of a site as the Parquet file looks at."""

    commit: str = "a" * 40
    kept: list[Any] = field(default_factory=list)
    param: str = "é ,"

    def columns(self, rows: list[RunRow]) -> dict[str, Cells]:
        return cells_of(map(row_cells, self.records(rows)))

    def records(self, rows: list[RunRow]) -> list[dict[str, Any]]:
        return [
            {
                "run_id": row.run_id,
                "name": row.name,
                "status": row.status,
                "start": row.start,
                "metrics": {"acc": {"last": "NaN" if row.pk == 2 else row.pk / 3}} if row.pk % 2 == 0 else {},
                "params": {self.param: "\ud800"},
                "tags": {f"only-{row.pk}": "x"},
            }
            for row in rows
        ]


ROWS = [RunRow(pk, f"id{pk}", "wine", "n", "FINISHED", 1000 * pk, None if pk == 1 else 1000 * pk + 5) for pk in range(19)]
ODD = "é ,\ud800"
"""A name that UTF-8 cannot hold, so that the file must call it otherwise."""


def file_of(site: Any, rows: list[RunRow], before: Path | None = None) -> bytes:
    names = [f"{hash(tuple(rows[start:end])):x}" for start, end in parquet.groups_of(len(rows))]
    return parquet.parquet_bytes(site, rows, names, before)


def table_of(data: bytes) -> Any:
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    table.validate(full=True)
    return table


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP", 10)
    monkeypatch.setattr(parquet, "PIECE", 4)


def test_missing_is_told_from_nan() -> None:
    table = table_of(file_of(Rows(), ROWS))
    values = table.column("metrics.acc").to_pylist()
    assert (values[0], values[1], values[4]) == (0.0, None, 4 / 3)
    assert values[2] != values[2]
    assert [value is None for value in table.column("end_time").to_pylist()[:3]] == [False, True, False]


def test_columns_have_the_documented_names_and_types(small: None) -> None:
    table = table_of(file_of(Rows(param=ODD), ROWS))
    assert {field.name: str(field.type) for field in table.schema}.items() >= {
        "experiment": "string", "run_id": "string", "name": "string", "status": "string", "start_time": "timestamp[ms, tz=UTC]",
        "end_time": "timestamp[ms, tz=UTC]", "duration_s": "double", "user": "string", "parent_run_id": "string", "artifact_count": "int64",
        "metrics.acc": "double", "params.é ,?": "string", "tags.only-3": "string",
    }.items()  # fmt: skip
    assert table.column("duration_s").to_pylist()[:2] == [0.005, None]
    assert table.column("user").null_count == len(ROWS)


def test_no_run_is_a_file_with_the_fixed_columns() -> None:
    assert table_of(file_of(Rows(), [])).column_names == list(parquet.FIXED)


def test_the_emptiest_columns_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_CELLS", len(ROWS) * 14)
    table = table_of(file_of(Rows(param=ODD), ROWS))
    assert table.num_columns == 14
    assert {"metrics.acc", "params.é ,?"} <= set(table.column_names)
    assert table.schema.metadata[b"runfolio.columns_left_out"] == b"17"


def rows_with(count: int, changed: int = -1) -> list[RunRow]:
    return [
        RunRow(pk, f"id{pk:05}", "wine", "n", "FAILED" if pk == changed else "FINISHED", pk, None if pk % 7 == 0 else pk + 5)
        for pk in range(count)
    ]


CHANGES = [
    (rows_with(25), rows_with(26)),
    (rows_with(25), rows_with(30)),
    (rows_with(25), rows_with(25, changed=3)),
    (rows_with(25), rows_with(25, changed=24)),
    (rows_with(25), rows_with(20)),
    (rows_with(20), rows_with(20)),
    (rows_with(25), rows_with(5)),
    ([], rows_with(3)),
    (rows_with(3), []),
]


@pytest.mark.parametrize("site", [Rows(), Rows(param=ODD)], ids=["plain", "a name that UTF-8 lacks"])
@pytest.mark.parametrize(("first", "second"), CHANGES)
def test_made_from_the_last_one_it_has_the_same_bytes(
    first: list[RunRow], second: list[RunRow], site: Any, small: None, tmp_path: Path
) -> None:
    before = tmp_path / "runs.parquet"
    before.write_bytes(file_of(site, first, before))
    assert file_of(site, second, before) == file_of(site, second)


def test_made_from_one_with_columns_left_out_it_has_the_same_bytes(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tmp_path / "runs.parquet"
    monkeypatch.setattr(parquet, "MAX_CELLS", 25 * 14)
    before.write_bytes(file_of(Rows(), rows_with(25)))
    assert file_of(Rows(), rows_with(24), before) == file_of(Rows(), rows_with(24))
    monkeypatch.setattr(parquet, "MAX_CELLS", 1 << 20)
    assert file_of(Rows(), rows_with(26), before) == file_of(Rows(), rows_with(26))


def test_only_what_has_changed_is_read_again(small: None, tmp_path: Path) -> None:
    asked: list[int] = []

    class Counting(Rows):
        def records(self, rows: list[RunRow]) -> list[dict[str, Any]]:
            asked.extend(row.pk for row in rows)
            return super().records(rows)

    site: Any = Counting()
    before = tmp_path / "runs.parquet"
    before.write_bytes(file_of(site, rows_with(25)))
    asked.clear()
    file_of(site, rows_with(26), before)
    assert asked == [24, 25]


def test_it_is_the_same_from_columns_that_are_at_hand_in_another_order() -> None:
    site: Any = Rows()
    wanted = file_of(site, ROWS)
    last, first = ROWS[:6:-1], ROWS[2:5]
    site.kept = [(last, site.columns(last)), (first, site.columns(first))]
    asked: list[list[RunRow]] = []
    site.columns = lambda rows: asked.append(rows) or Rows().columns(rows)
    assert file_of(site, ROWS) == wanted
    assert asked == [[*ROWS[:2], *ROWS[5:7]]]
    few: Any = Rows(kept=[(last, Rows().columns(last))])
    assert file_of(few, ROWS[10:]) == file_of(Rows(), ROWS[10:])


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"PAR1",
        b"PAR1" + bytes(50) + b"PAR1",
        b'PAR1{"columns":["a"],"groups":[["x",9,4,[[999,0,1,0,0]]]]}' + struct.pack("<i", 55) + b"PAR1",
    ],
)
def test_a_damaged_one_of_the_last_build_is_made_anew(damage: bytes, tmp_path: Path) -> None:
    before = tmp_path / "runs.parquet"
    before.write_bytes(damage)
    assert file_of(Rows(), ROWS, before) == file_of(Rows(), ROWS)


def test_it_needs_no_package() -> None:
    code = (
        "import sys\nfrom runfolio.index import RunRow\nfrom runfolio.site import parquet\n"
        "class Rows:\n    kept = []\n    columns = staticmethod(lambda rows: {})\n"
        "parquet.parquet_bytes(Rows(), [RunRow(0, 'a', 'b', 'c', 'd', 0, None)], ['x'])\n"
        "print([name for name in ('pyarrow', 'numpy', 'pandas') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]"]


def test_who_calls_a_param_like_our_own_words_deceives_no_build() -> None:
    name = 'params.{"columns":["x"],"groups":[]}'
    group = Group("g", 2, {name: encode_chunk("text", ["a", name])})
    data = write_parquet([Column(name, name, "text")], [group], {})
    assert read_groups(data) == {"g": group}


TEXTS = st.text("ab é😀\n\0", max_size=6)
COLUMNS = {
    "text": st.one_of(TEXTS, st.sampled_from(["a", "b", ""])),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(),
    "time": st.integers(-(10**14), 10**14),
}
PLAIN = {"text": pyarrow.string(), "whole": pyarrow.int64(), "number": pyarrow.float64(), "time": pyarrow.timestamp("ms", "UTC")}


@st.composite
def groups(draw: st.DrawFn) -> tuple[str, list[list[Any]]]:
    kind = draw(st.sampled_from(sorted(COLUMNS)))
    return kind, draw(st.lists(st.lists(st.none() | COLUMNS[kind], max_size=40), max_size=4))


@given(groups())
def test_every_value_comes_back(found: tuple[str, list[list[Any]]]) -> None:
    kind, parts = found
    made = [Group(f"{at}", len(part), {"k": encode_chunk(kind, part)}) for at, part in enumerate(parts)]
    data = write_parquet([Column("k", "name", kind), Column("no", "nothing", "text")], made, {"told": "x"})
    table = table_of(data)
    assert table.schema.field("name").type == PLAIN[kind] and table.schema.metadata[b"told"] == b"x"
    values: Sequence[Any] = (
        table.column("name").cast(pyarrow.int64()).to_pylist() if kind == "time" else table.column("name").to_pylist()
    )
    wanted = [value for part in parts for value in part]
    assert len(values) == len(wanted) == table.column("nothing").null_count
    for one, other in zip(values, wanted, strict=True):
        assert one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))
    assert {name: group.rows for name, group in read_groups(data).items()} == {group.name: group.rows for group in made}


@pytest.mark.parametrize("distinct", [1, 2, 256, 257, 3000])
def test_texts_that_repeat_are_written_once(distinct: int) -> None:
    values = [f"value {at % distinct}" for at in range(6001)]
    chunk = encode_chunk("text", values)
    assert chunk.dictionary and chunk.packed == (distinct > 1)
    data = write_parquet([Column("k", "k", "text")], [Group("g", len(values), {"k": chunk})], {})
    assert table_of(data).column("k").to_pylist() == values
    assert json.loads(table_of(data).schema.metadata[b"runfolio.groups"])["columns"] == ["k"]
