"""Metric histories: what goes in comes out, extremes survive, memory stays bounded."""

from __future__ import annotations

import gzip
import io
import itertools
import math
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import DamagedError, NewerSchemaError, StorageError
from runfolio.formats.canonical import dump
from runfolio.formats.runs import decode_metric, encode_metric
from runfolio.formats.series import MAX_BYTES, Reduction, Series, SeriesWriter, decode_series, encode_series, read_series
from runfolio.records import MetricPoint, MetricSummary

RUN = "0192f0c4d7a27c3e8f0a1b2c3d4e5f60"
NAN = float("nan")
GOOD: dict[str, object] = {"schema": 1, "run_id": "ab12", "whole": True, "points": 0, "metrics": {}}
WHOLE_NUMBERS = st.one_of(st.integers(-5, 5), st.integers(), st.integers(-(10**40), 10**40))
POINTS = st.builds(
    MetricPoint,
    key=st.one_of(st.sampled_from(["loss", "val/acc", "é 1"]), st.text(min_size=1, max_size=5)),
    value=st.floats(),
    timestamp=WHOLE_NUMBERS,
    step=WHOLE_NUMBERS,
)


def history(points: Iterable[MetricPoint]) -> bytes:
    file = io.BytesIO()
    with SeriesWriter(file) as writer:
        for point in points:
            writer.add(point.key, point.step, point.timestamp, point.value)
    return file.getvalue()


def reduction(points: Iterable[MetricPoint]) -> Reduction:
    made = Reduction()
    for point in points:
        made.add(point.key, point.value, point.timestamp, point.step)
    return made


def by_key(points: Iterable[MetricPoint]) -> dict[str, list[str]]:
    """Group points, spelled so that NaN equals NaN and 0.0 differs from -0.0."""
    made: dict[str, list[str]] = {}
    for point in points:
        made.setdefault(point.key, []).append(repr(point))
    return made


def noisy(count: int, keys: int = 1, seed: int = 7) -> list[MetricPoint]:
    noise = random.Random(seed)
    return [MetricPoint(f"m{at % keys:05d}", noise.gauss(0, 1), 1_732_400_000_000 + at * 11, at // keys) for at in range(count)]


def naive_summary(points: list[MetricPoint]) -> MetricSummary:
    last = max(points, key=lambda p: (p.step, p.timestamp, p.value == p.value, p.value if p.value == p.value else 0.0))
    numbers = [point for point in points if not math.isnan(point.value)]
    if not numbers:
        return MetricSummary(last.value, last.step, last.timestamp, len(points))
    low, high = min(numbers, key=lambda p: p.value), max(numbers, key=lambda p: p.value)
    return MetricSummary(last.value, last.step, last.timestamp, len(points), low.value, high.value, low.step, high.step)


# The history: every point.


@given(st.lists(POINTS, max_size=60))
def test_a_history_gives_back_every_point_in_order(points: list[MetricPoint]) -> None:
    assert by_key(read_series(io.BytesIO(history(points)))) == by_key(points)


@given(st.lists(POINTS, min_size=1, max_size=30))
def test_one_metric_of_a_history_can_be_read_alone(points: list[MetricPoint]) -> None:
    key = points[0].key
    assert by_key(read_series(io.BytesIO(history(points)), key)) == {key: by_key(points)[key]}


def test_a_history_longer_than_a_chunk_and_than_the_buffer_is_kept_in_order() -> None:
    points = noisy(9_000) + noisy(70_000, keys=40, seed=8)
    assert by_key(read_series(io.BytesIO(history(points)))) == by_key(points)


def test_a_history_by_another_writer_with_its_fields_in_another_order_is_read() -> None:
    lines = b'{"schema": 1}\n{"steps": [0, 1], "values": [1, "NaN"], "times": [5, 1], "key": "a"}\n'
    found = list(read_series(io.BytesIO(gzip.compress(lines)), "a"))
    assert [(point.step, point.timestamp, point.value) for point in found[:1]] == [(0, 5, 1.0)]
    assert math.isnan(found[1].value)


def test_the_same_points_give_the_same_bytes() -> None:
    made = history(noisy(5_000, keys=3))
    assert made == history(noisy(5_000, keys=3))
    assert made[4:8] == b"\0\0\0\0", "the time in the gzip header"


def test_whole_numbers_are_stored_as_numbers_with_a_point() -> None:
    file = io.BytesIO()
    with SeriesWriter(file) as writer:
        writer.add("epoch", 0, 0, 3)
    (point,) = read_series(io.BytesIO(file.getvalue()))
    assert type(point.value) is float


def test_a_writer_that_failed_writes_no_end() -> None:
    file = io.BytesIO()

    def train() -> None:
        with SeriesWriter(file) as writer:
            writer.add("a", 0, 0, 1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()
    with pytest.raises(DamagedError):
        list(read_series(io.BytesIO(file.getvalue())))


@pytest.mark.parametrize("cut", [0, 1, 9, 10, 30, -1, -5, -9])
def test_a_history_cut_short_is_damaged_and_named(cut: int) -> None:
    data = history(noisy(50))
    with pytest.raises(DamagedError, match=r"^runs/x: not a readable metric history"):
        list(read_series(io.BytesIO(data[:cut]), where="runs/x"))


@given(st.integers(0), st.integers(0, 7))
def test_a_flipped_bit_never_yields_other_points_in_silence(place: int, bit: int) -> None:
    points = noisy(20)
    data = bytearray(history(points))
    data[place % len(data)] ^= 1 << bit
    try:
        found = by_key(read_series(io.BytesIO(bytes(data))))
    except DamagedError:
        return
    assert found == by_key(points), "a bit of the header that says nothing of the content"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "Expecting value"),
        (b"[]", "an object is expected"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"steps": [1], "times": [1], "values": [1]}', "'key' is missing"),
        (b'{"key": 7, "steps": [1], "times": [1], "values": [1]}', "text is expected"),
        (b'{"key": "a", "times": [1], "values": [1]}', "'steps' is missing"),
        (b'{"key": "a", "steps": 3, "times": [1], "values": [1]}', "an array is expected"),
        (b'{"key": "a", "steps": [1, 2], "times": [1], "values": [1]}', "2 steps, 1 times and 1 values"),
        (b'{"key": "a", "steps": [], "times": [], "values": []}', "no point"),
        (b'{"key": "a", "steps": [true], "times": [1], "values": [1]}', "whole numbers are expected, found True"),
        (b'{"key": "a", "steps": [1], "times": [1.5], "values": [1]}', "whole numbers are expected, found 1.5"),
        (b'{"key": "a", "steps": [1], "times": [1], "values": [null]}', "a number is expected"),
        (b'{"key": "a", "steps": [1], "times": [1], "values": ["1.0"]}', "is not a number"),
        (b'{"key": "a", "steps": [1], "times": [1], "values": [1' + b"0" * 400 + b"]}", "too large"),
    ],
)
def test_a_wrong_line_of_a_history_is_named(line: bytes, reason: str) -> None:
    data = gzip.compress(b'{"schema":1}\n' + line + b"\n")
    with pytest.raises(DamagedError, match=r"x.gz: line 2: .*" + reason):
        list(read_series(io.BytesIO(data), where="x.gz"))


def test_a_history_of_a_newer_schema_asks_for_an_upgrade() -> None:
    with pytest.raises(NewerSchemaError, match="Upgrade"):
        list(read_series(io.BytesIO(gzip.compress(b'{"schema":2}\n'))))


def test_a_history_whose_line_never_ends_is_refused_before_it_fills_the_memory() -> None:
    bomb = gzip.compress(b'{"schema":1}\n' + b" " * (40 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(DamagedError, match="line 2 has more than"):
            list(read_series(io.BytesIO(bomb)))
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


def test_a_failing_read_is_an_error_of_the_storage(tmp_path: Path) -> None:
    with (tmp_path / "written_only").open("wb") as unreadable, pytest.raises(StorageError, match="read"):
        list(read_series(unreadable))


# Summaries.


@given(st.lists(POINTS, min_size=1, max_size=60))
def test_summaries_equal_a_naive_count(points: list[MetricPoint]) -> None:
    grouped: dict[str, list[MetricPoint]] = {}
    for point in points:
        grouped.setdefault(point.key, []).append(point)
    made = reduction(points).summaries()
    assert list(made) == list(grouped)
    for key, found in made.items():
        wanted = naive_summary(grouped[key])
        # repr, because NaN differs from itself; 0.0 and -0.0 are one extreme.
        assert repr(found).replace("-0.0", "0.0") == repr(wanted).replace("-0.0", "0.0")


def test_summaries_do_not_depend_on_when_they_are_asked_for() -> None:
    points = noisy(40_000, keys=3)
    points[77] = MetricPoint("m00000", 50.0, 0, 25)
    points[20_000] = MetricPoint("m00002", NAN, 0, 10**9)
    asked, unasked = Reduction(), reduction(points)
    for at, point in enumerate(points):
        asked.add(point.key, point.value, point.timestamp, point.step)
        if at % 6_007 == 0:
            asked.summaries()
    assert repr(asked.summaries()) == repr(unasked.summaries())
    assert asked.points == unasked.points == 40_000


@pytest.mark.parametrize("order", [(1.0, NAN), (NAN, 1.0)])
def test_a_number_is_last_before_nan_at_the_same_step_and_time(order: tuple[float, float]) -> None:
    assert reduction(MetricPoint("a", value, 5, 5) for value in order).summaries()["a"].last == 1.0


def test_a_metric_of_nothing_but_nan_has_no_extremes() -> None:
    summary = reduction(MetricPoint("a", NAN, at, at) for at in range(3)).summaries()["a"]
    assert (summary.count, summary.min, summary.max, summary.step) == (3, None, None, 2)


# The preview.


@given(st.lists(POINTS, min_size=1, max_size=60))
def test_a_short_history_is_whole_in_the_committed_file(points: list[MetricPoint]) -> None:
    made = reduction(points)
    data = made.preview(RUN)
    assert made.whole
    if data is None:
        assert all(len(found) == 1 for found in by_key(points).values())
        return
    series = decode_series(data, "x.series.json")
    assert (series.whole, series.total, series.run_id, series.left_out) == (True, len(points), RUN, 0)
    assert by_key(point for key in series.metrics for point in series.points(key)) == by_key(points)
    assert encode_series(series) == data


@given(st.floats(), st.integers(), st.integers())
def test_a_metric_of_one_point_needs_no_file_since_its_summary_says_it_all(value: float, timestamp: int, step: int) -> None:
    made = reduction([MetricPoint("a", value, timestamp, step)])
    assert made.preview(RUN) is None
    assert made.whole
    summary = decode_metric(encode_metric(made.summaries()["a"]))
    assert repr((summary.last, summary.timestamp, summary.step)) == repr((value, timestamp, step))


@pytest.mark.parametrize(("length", "least"), [(20, 20), (1000, 100)])
def test_hundreds_of_metrics_of_one_point_do_not_thin_the_curves_beside_them(length: int, least: int) -> None:
    singles = [MetricPoint(f"group{number % 10}/metric {number}", number / 7, 0, 0) for number in range(400)]
    curves = [MetricPoint(key, math.exp(-step / 5), step, step) for step in range(length) for key in ("loss", "val/loss")]
    data = reduction([*singles, *curves]).preview(RUN)
    assert data is not None and len(data) <= MAX_BYTES
    series = decode_series(data, "x.series.json")
    assert series.metrics.keys() == {"loss", "val/loss"} and not series.whole
    assert all(len(series.points(key)) >= least for key in series.metrics)


def test_no_points_need_no_file() -> None:
    made = Reduction()
    assert (made.preview(RUN), made.whole, made.points, made.summaries()) == (None, True, 0, {})


@pytest.mark.parametrize(("count", "keys"), [(1_500, 1), (20_000, 1), (300_000, 1), (10_000, 10), (60_000, 60), (60_000, 3_000)])
def test_a_long_history_keeps_to_16_kb(count: int, keys: int) -> None:
    made = reduction(noisy(count, keys))
    data = made.preview(RUN)
    assert data is not None
    assert not made.whole
    assert MAX_BYTES // 2 < len(data) <= MAX_BYTES
    series = decode_series(data, "x")
    assert (series.whole, series.total) == (False, count)
    assert len(series.metrics) + series.left_out == keys


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 19_999), st.integers(0, 19_999), st.integers(1, 12))
def test_a_spike_anywhere_survives(high: int, low: int, keys: int) -> None:
    points = noisy(20_000, keys)
    points[high] = MetricPoint(points[high].key, 1e6, points[high].timestamp, points[high].step)
    points[low] = MetricPoint(points[low].key, -1e6, points[low].timestamp, points[low].step)
    series = decode_series(reduction(points).preview(RUN) or b"", "x")
    for key, found in series.metrics.items():
        own = [point for point in points if point.key == key]
        shown = [point.value for point in found]
        assert (min(shown), max(shown)) == (min(p.value for p in own), max(p.value for p in own))
        assert (found[0], found[-1]) == (own[0], own[-1])
        assert [point.step for point in found] == sorted({point.step for point in found})
        assert set(found) <= set(own)


def test_the_preview_looks_at_the_whole_history_at_one_resolution() -> None:
    series = decode_series(reduction(noisy(200_000)).preview(RUN) or b"", "x")
    steps = [point.step for point in series.points("m00000")]
    gaps = [after - before for before, after in itertools.pairwise(steps)]
    assert max(gaps) < 6 * 200_000 / len(steps)


def test_nan_is_shown_where_it_came_and_does_not_crowd_out_numbers() -> None:
    points = [MetricPoint("a", NAN if at >= 10_000 else at / 10_000, at, at) for at in range(20_000)]
    shown = decode_series(reduction(points).preview(RUN) or b"", "x").points("a")
    empty = [point.step for point in shown if math.isnan(point.value)]
    assert empty[0] == pytest.approx(10_000, abs=100)
    assert len(shown) / 4 < len(empty) < len(shown) / 2


def test_where_not_even_the_extremes_fit_metrics_are_kept_in_order_and_the_rest_counted() -> None:
    series = decode_series(reduction(noisy(12_000 * 3, keys=12_000)).preview(RUN) or b"", "x")
    assert series.left_out == 12_000 - len(series.metrics)
    assert list(series.metrics) == [f"m{at:05d}" for at in range(len(series.metrics))]
    assert len(series.metrics) > 50


def test_a_preview_leaves_the_room_of_single_points_to_the_curves() -> None:
    points = [*noisy(5_000), *(MetricPoint(f"final/{at}", 1.0, 0, 0) for at in range(3_000))]
    series = decode_series(reduction(points).preview(RUN) or b"", "x")
    assert (list(series.metrics), series.left_out, series.total) == (["m00000"], 0, 8_000)


def test_a_preview_says_one_metric_a_line() -> None:
    made = reduction([MetricPoint("a", 0.5, 1000, 0), MetricPoint("b", NAN, 1000, 0), MetricPoint("a", 0.25, 1010, 1)])
    assert (made.preview("ab12") or b"").decode() == (
        "{\n"
        '  "metrics": {\n'
        '    "a": {"steps": [0, 1], "times": [1000, 10], "values": [0.5, 0.25]},\n'
        '    "b": {"steps": [0], "times": [1000], "values": ["NaN"]}\n'
        "  },\n"
        '  "points": 3,\n'
        '  "run_id": "ab12",\n'
        '  "schema": 1,\n'
        '  "whole": true\n'
        "}\n"
    )


def test_unknown_fields_survive() -> None:
    series = Series("ab12", True, 1, {"a": [MetricPoint("a", 1.0, 2, 3)]}, extra={"unit": {"a": "m"}})
    assert decode_series(encode_series(series), "x") == series


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a readable record"),
        (b'{\n  "schema": 1\n}\n', r"(?s)run_id: the field is missing.*whole.*points.*metrics: the field is missing"),
        (dump({**GOOD, "run_id": 5}), "run_id: text is expected, found 5"),
        (dump({**GOOD, "points": -1}), "points: a whole number from 0 is expected, found -1"),
        (dump({**GOOD, "points": 1}), "points: 1 are said, 0 are here"),
        (dump({**GOOD, "left_out": 2}), "whole is true"),
        (dump({**GOOD, "metrics": [], "whole": 1}), r"(?s)whole: true or false is expected.*metrics: an object is expected"),
        (
            dump({**GOOD, "metrics": {"a": [], "b": {"steps": [0], "times": [0], "values": ["x"]}}}),
            r"(?s)metrics: a: an object is expected.*metrics: b: values: 'x' is not a number",
        ),
    ],
)
def test_a_wrong_preview_names_every_wrong_field(data: bytes, reason: str) -> None:
    with pytest.raises(DamagedError, match=reason) as caught:
        decode_series(data, "runs/x.series.json")
    assert str(caught.value).startswith("runs/x.series.json: ")


def test_a_preview_of_a_newer_schema_asks_for_an_upgrade() -> None:
    with pytest.raises(NewerSchemaError, match="Upgrade"):
        decode_series(b'{\n  "schema": 2\n}\n', "x")


# Bounds.


TAKE_MANY = """
import math, os, resource, sys
from runfolio.formats.series import Reduction, SeriesWriter
count, names = int(sys.argv[1]), [f"m{at:05d}" for at in range(int(sys.argv[2]))]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reduction = Reduction()
with open(os.devnull, "wb") as file, SeriesWriter(file) as writer:
    for at in range(count):
        value = math.sin(at) + at
        reduction.add(names[at % len(names)], value, 1_732_400_000_000 + at, at)
        writer.add(names[at % len(names)], at, 1_732_400_000_000 + at, value)
reduction.preview("ab12")
assert reduction.points == writer.points == count
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(("keys", "bound_mb"), [(1, 20), (10, 40), (12_000, 100)])
def test_memory_does_not_follow_the_points(keys: int, bound_mb: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", TAKE_MANY, "600000", str(keys)]
    grown = int(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)
    assert grown < bound_mb


def test_a_noisy_history_is_nearly_as_small_as_its_bits() -> None:
    points = noisy(10_000, keys=10)
    # 8 bytes a value is what no columnar form of noisy doubles goes far below; Parquet with zstd came to 7.5 to 10.
    assert len(history(points)) < 9.5 * len(points)
