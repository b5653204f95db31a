"""Charts as static SVG: what they draw, and that no text of a record gets out of its place."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from runfolio.site.svg.curve import Line, curve
from runfolio.site.svg.histogram import bins_of, histogram
from runfolio.site.svg.plot import round_ticks
from runfolio.site.svg.scatter import scatter
from runfolio.site.svg.sparkline import sparkline

HOSTILE = """"><script>alert(1)</script>&amp;'"""


def paths(svg: str, kind: str) -> list[str]:
    return re.findall(rf'<path class="{kind}[^"]*" d="([^"]*)"', svg)


@pytest.mark.parametrize(
    ("low", "high", "count"), [(0, 1, 5), (-3, 7, 4), (1e-9, 2e-9, 4), (0, 1e12, 6), (0.97, 0.984, 4), (-1e-3, 1e-3, 5)]
)
def test_ticks_are_round_and_inside(low: float, high: float, count: int) -> None:
    ticks = round_ticks(low, high, count)
    assert 2 <= len(ticks) <= 2 * count + 1
    assert all(low - 1e-9 * abs(low) <= tick <= high + 1e-9 * abs(high) for tick in ticks)
    steps = {f"{after - before:.3e}" for before, after in pairwise(ticks)}
    assert len(steps) == 1
    assert steps.pop()[0] in "125"


def test_a_value_that_is_not_finite_is_a_gap_and_a_point_alone_is_a_dot() -> None:
    svg = str(curve([Line([0, 1, 2, 3, 4], [1.0, 2.0, "NaN", 3.0, "Infinity"])], "loss"))
    (path,) = paths(svg, "svg-line")
    assert path.count("M") == 2
    assert path.count("L") == 1
    assert svg.count("<circle") == 1


def test_a_curve_of_one_point_is_a_dot_and_one_of_none_is_nothing() -> None:
    assert str(curve([Line([7], [0.5])], "loss")).count("<circle") == 1
    assert curve([Line([0, 1], ["NaN", "NaN"])], "loss") == ""
    assert curve([Line([], [])], "loss") == ""


def test_a_spike_survives_the_thinning_of_a_long_curve() -> None:
    values = [0.0] * 10_000
    values[4321] = 99.0
    (path,) = paths(str(curve([Line(range(10_000), values)], "loss")), "svg-line")
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]
    assert min(heights) == 8.0
    assert len(heights) <= 400


@pytest.mark.parametrize(
    "svg",
    [
        curve([Line([0, 1], [0.0, 1.0])], HOSTILE),
        scatter([(0.0, 1.0), (1.0, 2.0)], HOSTILE, HOSTILE, marked=[1]),
        histogram([1.0, 2.0, 3.0], HOSTILE),
        sparkline([1.0, 2.0]),
    ],
    ids=["curve", "scatter", "histogram", "sparkline"],
)
def test_a_chart_is_well_formed_and_carries_no_style_and_no_script(svg: str) -> None:
    root = ElementTree.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "path", "circle", "text"}
    assert not any("style" in element.attrib or any(key.startswith("on") for key in element.attrib) for element in root.iter())


def test_a_chart_says_in_a_sentence_what_it_shows() -> None:
    assert "<title>loss from 0.5000 at step 0 to 0.2500 at step 9</title>" in curve([Line([0, 9], [0.5, 0.25])], "loss")
    assert 'role="img"' in curve([Line([0, 9], [0.5, 0.25])], "loss")
    assert "acc against lr, 2 runs" in scatter([(0.1, 1.0), (0.2, 2.0)], "lr", "acc")


def test_a_histogram_counts_every_finite_value_once() -> None:
    low, high, counts = bins_of([0.1 * number for number in range(100)])
    assert (low, round(high, 6), sum(counts), len(counts)) == (0.0, 9.9, 100, 10)
    assert histogram([float("nan")], "loss") == ""
    assert paths(str(histogram([5.0, 5.0], "loss")), "svg-bar")


def test_of_many_runs_some_are_drawn_and_the_words_say_so() -> None:
    svg = str(scatter([(float(at), float(at)) for at in range(10_000)], "x", "y", marked=[7]))
    assert svg.count("<circle") == 2001
    assert "2,001 of 10,000 runs" in svg
    assert svg.count("svg-mark") == 1


def test_a_sparkline_of_fewer_than_two_values_is_nothing() -> None:
    assert sparkline([]) == sparkline([1.0]) == sparkline(["NaN", 1.0]) == ""
