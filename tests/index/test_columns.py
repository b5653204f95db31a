"""Columns kept as one value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runfolio.index.columns import packed_columns, unpacked_columns

WHOLE = st.integers(-(2**63), 2**63 - 1)
VALUES = (WHOLE, WHOLE | st.none(), st.text(), st.sampled_from(["a", "b|c"]))


@given(st.data(), st.integers(1, 5), st.sampled_from([1, 3, 300]))
def test_columns_come_back_as_they_were(data: st.DataObject, columns: int, rows: int) -> None:
    held = []
    for _ in range(columns):
        values = data.draw(st.sampled_from(VALUES))
        few = data.draw(st.lists(values, min_size=1, max_size=3))
        held.append([few[at % len(few)] for at in range(rows)])
    held.append([b"%020d" % at for at in range(rows)])
    held.append([f"run {at}" for at in range(rows)])
    assert [list(column) for column in unpacked_columns(packed_columns(held))] == held
