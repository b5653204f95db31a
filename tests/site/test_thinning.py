"""Fewer points, every spike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runfolio.site.thinning import thin


@given(st.lists(st.floats(allow_nan=False) | st.just("NaN"), max_size=300), st.integers(4, 60))
def test_ends_and_extremes_stay(values: list, most: int) -> None:
    kept = thin(values, most)
    assert kept == sorted(set(kept)) and len(kept) <= max(most, 4)
    if values:
        assert kept[0] == 0 and kept[-1] == len(values) - 1
    numbers = [value for value in values if value != "NaN"]
    if numbers:
        shown = [values[at] for at in kept if values[at] != "NaN"]
        assert (min(shown), max(shown)) == (min(numbers), max(numbers))
