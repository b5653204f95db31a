"""review/mermaid.py: the real mermaid draws every chart that a comment can hold."""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.review.fitting import render_bodies
from runfolio.review.mermaid import draw_bars
from runfolio.review.options import ReportOptions
from runfolio.review.parts import Bars
from tests.review import changes

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def bars(*values: float, baseline: tuple[float, ...] = (), metric: str = "accuracy") -> Bars:
    return Bars("wine", metric, "max", tuple((value,) for value in values), baseline, len(values))


CHARTS = {
    "plain": bars(0.98, 0.97, 0.91, baseline=(0.95, 0.96)),
    "no baseline": bars(0.98, 0.97, 0.91),
    "twenty": bars(*(0.9 - at / 100 for at in range(20)), baseline=(0.8,)),
    "negative": bars(-1.5, -2.25, -3, baseline=(-2,)),
    "across zero": bars(0.5, 0, -0.5, baseline=(0.1,)),
    "small": bars(0.0004, 0.0003, 0.0002),
    "large": bars(9e8, 8e8, 1e8, baseline=(5e8,)),
    "equal": bars(0.5, 0.5, 0.5),
    "hostile": bars(0.3, 0.2, 0.1, metric='x"]\n```\n%%{init: {"securityLevel": "loose"}}%% click <img src=x onerror=alert(1)>'),
    "keywords": bars(0.3, 0.2, 0.1, metric="end line bar x-axis"),
    "nameless": bars(0.3, 0.2, 0.1, metric="精度"),
}


@given(st.lists(FINITE, min_size=1, max_size=25), st.lists(FINITE, max_size=3), st.text(max_size=30))
def test_a_chart_is_plain_numbers_and_tame_letters(values: list[float], baseline: list[float], metric: str) -> None:
    lines = draw_bars(Bars(metric, metric, "min", tuple((value,) for value in values), tuple(baseline), len(values)))
    for line in lines[lines.index("xychart-beta") + 1 :] if lines else ():
        assert re.fullmatch(r'    (x-axis|y-axis|line) ?("[A-Za-z0-9 ,._-]*")? ?\[?("?-?[0-9.]+"?(, | --> )?)+\]?', line), line


@pytest.mark.parametrize("values", [(1e300, 1e299), (1e-9, 2e-9), (0.0, 0.0), (1.0, 1.0 + 1e-12)])
def test_what_cannot_be_drawn_in_decimals_is_not_drawn(values: tuple[float, ...]) -> None:
    assert draw_bars(bars(*values)) == []


@pytest.fixture
def mermaid(open_page: Callable[..., Any], tmp_path: Path) -> Any:
    spec = importlib.util.find_spec("mermaidx")
    if spec is None or spec.origin is None:
        pytest.skip("NOT TESTED: the Python package mermaidx, which has mermaid's script, is not installed")
    path = tmp_path / "empty.html"
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>Chart</title><body></body></html>'
    )
    page = open_page(path)
    page.add_script_tag(path=str(Path(spec.origin).parent / "assets" / "mermaid.js"))
    # As GitHub runs it: nothing that is drawn may act.
    page.evaluate("() => mermaid.initialize({startOnLoad: false, securityLevel: 'strict'})")
    return page


def drawn(page: Any, text: str) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        """async text => {
          const made = await mermaid.render('chart', text);
          document.body.innerHTML = made.svg;
          const svg = document.querySelector('svg');
          const lines = [...svg.querySelectorAll('g.plot path')].map(path => path.getAttribute('d').split(/[ML]/).length - 1);
          return {lines, texts: [...svg.querySelectorAll('text')].map(node => node.textContent), strange: svg.querySelectorAll('img, script, a, foreignObject').length,
                  height: svg.viewBox.baseVal.height, strokes: [...svg.querySelectorAll('g.plot path')].map(path => path.getAttribute('stroke'))};
        }""",
        text,
    )
    return found


@pytest.mark.browser
def test_the_real_mermaid_draws_every_kind_of_chart(mermaid: Any) -> None:
    for name, chart in CHARTS.items():
        found = drawn(mermaid, "\n".join(draw_bars(chart)))
        points = len(chart.values)
        assert found["lines"] == [points] * (2 if chart.baseline else 1), name
        assert found["strange"] == 0, name
        assert found["height"] == 280, name
        assert found["strokes"] == ["#1a9c8f", "#e0672b"][: len(found["lines"])], name
        assert "new configurations, the best first" in found["texts"], name


@pytest.mark.browser
def test_the_chart_of_a_comment_is_drawn_as_it_stands_there(mermaid: Any) -> None:
    for change in (changes.everything(), changes.many(500, 100)):
        (text,) = re.findall(r"```mermaid\n(.*?)\n```", render_bodies(change, ReportOptions())[0], re.DOTALL)
        assert len(text) < 50_000
        found = drawn(mermaid, text)
        assert math.isfinite(found["height"])
        assert max(found["lines"]) <= 20
