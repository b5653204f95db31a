"""Values in words: the page's scripts spell them as the generator does, so that nothing changes when they take over."""

from __future__ import annotations

import random

import pytest

from runfolio.site.words import bytes_words, duration_words, number_words, pair_words, param_words, signed_words

pytestmark = pytest.mark.browser

VALUES = [
    0, -0.0, 1, -1, 3.0, 0.5, 0.98134, -0.98134, 99.99995, 100.0, 100.125, 0.03125, 0.00125, 2.5, 0.09375, 999.995, 1000.5, 1234.6,
    123456.5, 0.001, 0.00099999, 1e-7, 1.5e-300, 1e9, 1.5e9, 1e15, 123456789012345, 1e300, -2e-5, -1e12, 1 / 3, 5e-324, 12345678.5,
]  # fmt: skip


def test_numbers(scripts_page) -> None:
    chance = random.Random(3)
    values = [*VALUES, *(chance.gauss(0, 1) * 10 ** chance.randint(-8, 12) for _ in range(3000))]
    found = scripts_page.evaluate("values => values.map(rf.number)", values)
    assert dict(zip(values, found, strict=True)) == {value: number_words(value) for value in values}
    assert scripts_page.evaluate("[NaN, Infinity, -Infinity, null, 'NaN', '-Infinity'].map(rf.number)") == [
        number_words(value) for value in (float("nan"), float("inf"), -float("inf"), None, "NaN", "-Infinity")
    ]
    assert scripts_page.evaluate("[0.0218, -3, 0].map(rf.signed)") == [signed_words(value) for value in (0.0218, -3, 0)]


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        (0.9839571, 0.9839431, ("0.983957", "0.983943")), (0.98, 0.9801, ("0.98000", "0.98010")), (0.98, 0.9, ("0.9800", "0.9000")),
        (-0.5, -0.50002, ("−0.500000", "−0.500020")), (3, 3.0004, ("3.00000", "3.00040")), (0.5, 0.5, ("0.5000", "0.5000")),
        (0.1 + 0.2, 0.3, ("0.3000", "0.3000")), (1e-5, 2e-5, ("1e-5", "2e-5")), (1234.5, 1234.5001, ("1,234", "1,235")),
        (float("nan"), 0.5, ("NaN", "0.5000")), ("Infinity", 0.5, ("∞", "0.5000")), (None, 0.5, ("–", "0.5000")),
    ],
)  # fmt: skip
def test_values_beside_each_other_show_how_far_they_are_apart(one: object, other: object, shown: tuple[str, str]) -> None:
    assert pair_words(one, other) == shown  # type: ignore[arg-type]


def test_params_that_are_long_numbers_are_spelled_as_metrics_and_all_else_as_it_is(scripts_page) -> None:
    texts = [
        "0.30000000000000004", "1.2345678e-05", "-1.2345678901e+22", "12345678.12345678", "1e-05", "1E5", "0.001", "3", "-0.5",
        "1234567890123", "adam", "", "1.0.0.20240101", "0x1f", "1e", "nan", "١٢٣.٤٥٦٧٨٩٠١", "0.1234567890 ",
    ]  # fmt: skip
    assert dict(zip(texts, scripts_page.evaluate("texts => texts.map(rf.param)", texts), strict=True)) == {
        text: param_words(text) for text in texts
    }
    assert param_words("1.2345678e-05") == "1.235e-5"


def test_durations_and_sizes(scripts_page) -> None:
    times = [0, 0.5, 1.5, 12, 999.5, 1000, 1500, 1250, 59_949, 59_950, 60_000, 83_000, 3_599_500, 7_380_000, 90_000_000, -5000]
    assert scripts_page.evaluate("times => times.map(rf.duration)", times) == [duration_words(ms) for ms in times]
    sizes = [0, 999, 1000, 1050, 1250, 12_900_000, 999_949, 999_950, 10**12, 10**16]
    assert scripts_page.evaluate("sizes => sizes.map(rf.bytes)", sizes) == [bytes_words(size) for size in sizes]


def test_moments_are_utc_and_relative_to_now(scripts_page) -> None:
    at = 1_764_000_000_000  # 2025-11-24 16:00:00 UTC
    assert scripts_page.evaluate("at => [rf.time(at), rf.day(at), rf.moment(at), rf.time(1e18)]", at) == [
        "2025-11-24 16:00", "2025-11-24", "2025-11-24 16:00:00 UTC", "1000000000000000000 ms",
    ]  # fmt: skip
    assert scripts_page.evaluate("at => [rf.clock(at + 61e3), rf.clock(NaN), rf.clock(1e18)]", at) == [
        "16:01:01",
        "–",
        "1000000000000000000 ms",
    ]
    ago = "at => [0, 60e3, 3.7e6, 86.4e6 * 3, 86.4e6 * 400, -86.4e6 * 2].map((past) => rf.ago(at - past, at))"
    assert scripts_page.evaluate(ago, at) == ["just now", "1 minute ago", "1 hour ago", "3 days ago", "1 year ago", "in 2 days"]
