"""How declared charts look: as the site's own charts do, in light and in dark.

One configuration of Vega-Lite whose colours are the names of the site's tokens (``--muted``): pages put the values of the theme in
their place that is shown, static pictures those of :func:`tokens`. No frame, hairlines across only, muted ticks of 11 px, round lines
of 2 px, the six series colours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from runfolio.site.assets import templates_folder

SANS = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif'
_SMALL = {"labelColor": "--muted", "labelFontSize": 11, "titleColor": "--muted", "titleFontSize": 11, "titleFontWeight": 500}

THEME: Mapping[str, Any] = {
    "aria": False,
    "background": None,
    "font": SANS,
    "padding": 4,
    "view": {"stroke": None, "continuousHeight": 220},
    "axis": {
        **_SMALL,
        "domain": False,
        "ticks": False,
        "grid": False,
        "gridColor": "--hair",
        "labelPadding": 7,
        "titlePadding": 8,
        "labelOverlap": "greedy",
        "labelSeparation": 4,
    },
    "axisY": {"grid": True, "titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": 0, "titleY": -10},
    "axisX": {"titleAnchor": "end"},
    "legend": {
        **_SMALL,
        "labelColor": "--ink",
        "labelFontSize": 12,
        "symbolStrokeWidth": 2,
        "symbolSize": 60,
        "orient": "bottom",
    },
    "header": {**_SMALL, "labelColor": "--ink", "labelFontSize": 12},
    "title": {
        "color": "--ink",
        "subtitleColor": "--muted",
        "fontSize": 13,
        "fontWeight": 650,
        "subtitleFontSize": 12,
        "anchor": "start",
    },
    "range": {
        "category": ["--s1", "--s2", "--s3", "--s4", "--s5", "--s6"],
        "diverging": ["--s2", "--hair", "--s1"],
        "heatmap": ["--accent-wash", "--accent"],
        "ramp": ["--accent-wash", "--accent"],
        "ordinal": ["--accent-wash", "--accent"],
    },
    "mark": {"color": "--s1"},
    "point": {"filled": True, "size": 45, "opacity": 0.8},
    "circle": {"size": 45, "opacity": 0.8},
    "line": {"strokeWidth": 2, "strokeCap": "round", "strokeJoin": "round"},
    "area": {"opacity": 0.3, "line": True},
    "bar": {"cornerRadiusEnd": 2},
    "rule": {"color": "--hair-strong"},
    "text": {"color": "--ink", "fontSize": 11},
    "boxplot": {"median": {"color": "--sheet"}, "rule": {"color": "--muted"}},
}


@lru_cache(maxsize=1)
def tokens() -> Mapping[str, Mapping[str, str]]:
    """Return the colours of ``light`` and ``dark`` by token, as the site's own style sheet has them."""
    text = (templates_folder() / "assets" / "css" / "10-base.css").read_text("utf-8")
    blocks = {
        "light": re.search(r":root \{(.*?)\}", text, re.DOTALL),
        "dark": re.search(r'\n *:root\[data-theme="dark"\] \{(.*?)\}', text, re.DOTALL),
    }
    return {name: dict(re.findall(r"(--[\w-]+):\s*(#[0-9a-f]{3,8});", found[1])) for name, found in blocks.items() if found}


def coloured(value: Any, colours: Mapping[str, str]) -> Any:
    """Return the configuration with colours in the place of their names."""
    if isinstance(value, Mapping):
        return {key: coloured(inner, colours) for key, inner in value.items()}
    if isinstance(value, list):
        return [coloured(inner, colours) for inner in value]
    return colours[value] if isinstance(value, str) and value.startswith("--") else value
