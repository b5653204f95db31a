"""site/svg/spread.py: configurations beside each other."""

from __future__ import annotations

import re

import pytest

from runfolio.site.svg.spread import spread


def heights(svg: str, kind: str) -> list[float]:
    return [float(y) for y in re.findall(rf'class="{kind}[^"]*" (?:cx="[\d.]+" cy="|d="M[\d.]+ )([\d.]+)', svg)]


def test_each_run_is_a_dot_each_mean_a_stroke_and_the_baseline_a_band() -> None:
    svg = str(spread([[0.9, 0.8], [0.5]], [0.6, 0.7], "accuracy"))
    dots, means, (base,), (band,) = (heights(svg, kind) for kind in ("svg-ring", "svg-line", "svg-base", "svg-band"))
    assert len(dots) == 3
    assert dots[0] < means[0] < dots[1] < band < base < dots[2] == means[1], "larger values are higher up"
    assert "<title>accuracy of 2 configurations, the baseline at 0.6500</title>" in svg


def test_configurations_are_counted_by_whole_numbers() -> None:
    svg = str(spread([[1.0], [2.0]], [], "loss"))
    assert re.findall(r'text-anchor="middle">([^<]*)<', svg) == ["1", "2"]
    assert "svg-base" not in svg


def test_a_name_is_text() -> None:
    assert "<title>&lt;b&gt; of" in str(spread([[1.0]], [], "<b>"))


@pytest.mark.parametrize("groups", [[], [[]], [[float("nan")]], [[float("inf")], [1.0]]])
def test_nothing_is_drawn_where_there_is_nothing(groups: list[list[float]]) -> None:
    assert spread(groups, [], "loss") == ""
