"""Fewer points, every spike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runfolio.site.thinning import share_of, thin


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


@given(st.lists(st.integers(1, 5000), max_size=60), st.integers(480, 4096))
def test_curves_share_their_points_and_a_short_one_leaves_what_it_does_not_need(counts: list[int], most: int) -> None:
    share = share_of(counts, most)
    drawn = [min(count, share) for count in counts]
    assert sum(drawn) <= most
    assert drawn == counts or share >= most // len(counts)


def test_three_hundred_final_metrics_do_not_thin_a_learning_curve() -> None:
    assert share_of([1] * 300 + [20] * 4, 2048) >= 20
