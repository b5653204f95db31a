"""A row of points is what the points are one by one, or nothing."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runfolio.journal import JournalWriter
from runfolio.journal.events import encode_key, encode_point


@given(st.lists(st.tuples(st.from_regex(r"[\w/ .-]+\Z"), st.floats() | st.integers() | st.none()), max_size=4), st.booleans())
def test_a_row_is_its_points_one_by_one_or_nothing(made: list[tuple[str, float | None]], each: bool) -> None:
    keys, values = [encode_key(key) for key, _ in made], [value for _, value in made]
    plain = not each and all(type(value) is float and math.isfinite(value) for value in values)
    with tempfile.TemporaryDirectory() as folder:
        writer = JournalWriter(Path(folder, "journal"), each=each, create=True)
        assert writer.row(keys, values, 1, 2) is plain
        writer.close()
        expected = (
            encode_point(key, value, 1, 2) for key, value in zip(keys, values, strict=True) if value is not None and plain
        )
        assert Path(folder, "journal").read_bytes() == b"".join(expected)
