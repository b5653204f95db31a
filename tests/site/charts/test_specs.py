"""What of a specification a site shows: nothing that loads, links, or speaks to the page around it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.site.charts.specs import clean_spec, columns_in, fitted, logged_spec, uses_runs

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.1.0.json"
POINT: dict[str, Any] = {"data": {"name": "runs"}, "mark": "point"}

HOSTILE = {
    "data by address": ({"mark": "point", "data": {"url": "https://evil.example/a.json"}}, "data.url"),
    "data by address in a lookup": (
        {**POINT, "transform": [{"lookup": "a", "from": {"data": {"url": "//x"}, "key": "a"}}]},
        "transform[0].from.data.url",
    ),
    "a link on every mark": ({**POINT, "encoding": {"href": {"value": "javascript:alert(1)"}}}, "encoding.href"),
    "a link in the mark": ({"mark": {"type": "point", "href": "javascript:alert(1)"}}, "mark.href"),
    "a link by configuration": ({**POINT, "config": {"mark": {"href": "//x"}}}, "config.mark.href"),
    "pictures": ({"mark": "image", "encoding": {"url": {"field": "u"}}}, "encoding.url"),
    "pictures in a layer": ({"layer": [{"mark": {"type": "image", "width": 9}}]}, "layer[0].mark.type"),
    "an input elsewhere in the page": (
        {**POINT, "params": [{"name": "a", "bind": {"input": "text", "element": "#main"}}]},
        "params[0].bind.element",
    ),
    "a loader": ({**POINT, "config": {"loader": {"baseURL": "//x"}}}, "config.loader"),
    "Vega itself": ({"$schema": "https://vega.github.io/schema/vega/v6.json", "mark": "point"}, "$schema"),
    "no chart at all": ({"hello": 1}, "mark: is missing"),
    "an input that is a picture": (
        {**POINT, "params": [{"name": "a", "bind": {"input": "image", "src": "https://evil.example/a.png"}}]},
        "params[0].bind.src: inputs have",
    ),
    "an input with a style": (
        {**POINT, "params": [{"name": "a", "bind": {"input": "text", "style": "color: red"}}]},
        "params[0].bind.style: inputs have",
    ),
    "inputs by field with a handler": (
        {**POINT, "params": [{"name": "a", "select": "point", "bind": {"lr": {"input": "range", "onfocus": "alert(1)"}}}]},
        "params[0].bind.lr.onfocus: inputs have",
    ),
    "an input by field without a kind": (
        {**POINT, "params": [{"name": "a", "select": "point", "bind": {"lr": {"input": ["file"]}}}]},
        "params[0].bind.lr.input: one of checkbox",
    ),
    "a cursor from elsewhere": ({"mark": {"type": "point", "cursor": "url(//x), auto"}}, "mark.cursor: a word such as pointer"),
    "a calculated cursor": ({**POINT, "view": {"cursor": {"expr": "'u' + 'rl(//x)'"}}}, "view.cursor: a word such as pointer"),
    "a param that is the cursor": (
        {**POINT, "params": [{"name": "cursor", "value": "url(//x), auto"}]},
        "params[0].name: the name is",
    ),
    "signals of Vega": ({**POINT, "config": {"signals": [{"name": "cursor", "value": "url(//x)"}]}}, "config.signals"),
    "a calculated number of ticks": (
        {**POINT, "encoding": {"x": {"axis": {"tickCount": {"expr": "1e9"}}}}},
        "encoding.x.axis.tickCount: a number is expected",
    ),
    "an endless sequence": ({"data": {"sequence": {"start": 0, "stop": 1e15}}, "mark": "point"}, "data.sequence"),
    "a sequence without steps": ({"data": {"sequence": {"start": 0, "stop": 5, "step": 0}}, "mark": "point"}, "data.sequence"),
    "a chart as wide as a house": ({**POINT, "width": 1e9}, "width: at most 4,000"),
    "too many rows": ({"mark": "point", "data": {"values": [{"a": 1}] * 5001}}, "data.values: 5,001 rows"),
    "too many rows by name": ({**POINT, "datasets": {"d": [{"a": 1}] * 5001}}, "datasets.d: 5,001 rows"),
    "keys that are numbers": ({**POINT, "encoding": {1: {"field": "a"}}}, "encoding: the key 1"),
    "not JSON": ({**POINT, "title": object()}, "title: <object"),
    "not a number": ({**POINT, "height": float("nan")}, "height: nan"),
}

# A logged figure may carry as many rows as its file holds; the others are no JSON.
NOT_IN_FILES = ("too many rows", "too many rows by name", "keys that are numbers", "not JSON", "not a number")


@pytest.mark.parametrize(("spec", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_specification_is_refused_by_chart_and_key(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        clean_spec(spec, "runfolio.yaml: site.charts[3] (Loss)")
    assert caught.value.message.startswith("runfolio.yaml: site.charts[3] (Loss): ")
    assert said in caught.value.message


@pytest.mark.parametrize("spec", [spec for name, (spec, _) in HOSTILE.items() if name not in NOT_IN_FILES])
def test_a_hostile_logged_figure_is_shown_as_text(spec: dict[str, Any]) -> None:
    assert logged_spec(json.dumps({"$schema": SCHEMA, **spec})) is None


BINDINGS: dict[str, Any] = {
    "a range": {"input": "range", "min": 0, "max": 9, "step": 1, "name": "Least", "debounce": 100},
    "a choice": {"input": "select", "options": ["adam", None], "labels": ["Adam", "all"]},
    "inputs by field": {"lr": {"input": "range"}, "input": {"input": "text", "placeholder": "any"}},
    "the scales": "scales",
    "a legend": {"legend": "dblclick"},
}


@pytest.mark.parametrize("bind", BINDINGS.values(), ids=BINDINGS)
def test_what_vega_lite_binds_a_param_to_is_kept(bind: Any) -> None:
    spec = {**POINT, "mark": {"type": "point", "cursor": "zoom-in"}, "params": [{"name": "a", "bind": bind}]}
    assert clean_spec(spec, "chart") == spec


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        clean_spec({"mark": {"type": "image", "href": "x"}, "data": {"url": "y"}}, "chart")
    assert all(place in caught.value.message for place in ("mark.type", "mark.href", "data.url"))


def test_nothing_speaks_to_the_page() -> None:
    spec = {
        **POINT,
        "$schema": SCHEMA,
        "usermeta": {"embedOptions": {"actions": True}},
        "layer": [{"usermeta": {}, "mark": "bar"}],
    }
    assert "usermeta" not in json.dumps(clean_spec(spec, "chart"))


def test_columns_of_inline_data_may_have_any_name() -> None:
    spec = {"mark": "point", "data": {"values": [{"url": "https://example.org", "href": 1, "mark": "image"}]}}
    assert clean_spec(spec, "chart") == spec


def test_a_specification_nested_without_end_is_refused() -> None:
    spec: dict[str, Any] = {"mark": "point"}
    for _ in range(100):
        spec = {"layer": [spec]}
    with pytest.raises(UsageError, match="nested deeper than 60"):
        clean_spec(spec, "chart")
    assert logged_spec('{"$schema": "' + SCHEMA + '", "layer": ' + "[" * 100_000) is None


def test_what_altair_logs_is_a_chart() -> None:
    altair = pytest.importorskip("altair")
    chart = altair.Chart(altair.Data(values=[{"x": 1}])).mark_point().encode(x="x:Q")
    spec = logged_spec(json.dumps(chart.to_dict()))
    assert spec is not None
    made = fitted(spec)
    assert made["width"] == "container"
    assert "continuousWidth" not in made["config"]["view"]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[1]",
        '{"$schema": 5, "a": "vega.github.io/schema/vega-lite/"}',
        '"vega.github.io/schema/vega-lite/"',
        "{vega.github.io/schema/vega-lite/",
    ],
)
def test_other_json_is_no_chart(text: str) -> None:
    assert logged_spec(text) is None


@pytest.mark.parametrize(
    ("spec", "asks"),
    [
        (POINT, True),
        ({"hconcat": [{"mark": "point"}, POINT]}, True),
        ({"data": {"name": "other"}, "mark": "point"}, False),
        ({"data": {"name": "runs", "values": []}, "mark": "point"}, False),
        ({"data": {"values": [{"data": {"name": "runs"}}]}, "mark": "point"}, False),
    ],
)
def test_charts_over_the_runs_are_told_from_those_with_data_of_their_own(spec: dict[str, Any], asks: bool) -> None:
    assert uses_runs(spec) is asks


@pytest.mark.parametrize(
    "said",
    [
        "metrics.val.loss",
        r"metrics\.val\.loss",
        "datum['metrics.val.loss'] > 1",
        'datum.metrics["val.loss"]',
        "mean(metrics.val.loss)",
    ],
)
def test_a_column_is_found_however_it_is_spelled(said: str) -> None:
    assert columns_in({"encoding": {"x": {"field": said}}}, ["metrics.val.loss", "metrics.val.los", "metrics.loss"]) == [
        "metrics.val.loss"
    ]


def test_attributes_are_named_with_and_without_their_prefix() -> None:
    keys = ["attributes.start_time", "attributes.status"]
    assert columns_in({"a": "start_time", "b": "attributes.status"}, keys) == keys
    assert columns_in({"a": "restart_times"}, keys) == []


def test_charts_side_by_side_keep_their_widths() -> None:
    for spec in ({"hconcat": [POINT]}, {**POINT, "width": 90}, {**POINT, "encoding": {"row": {"field": "a"}}}):
        assert fitted(spec) == spec
