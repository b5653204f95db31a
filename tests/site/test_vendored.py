"""What the wheel carries of other people's work: made by the build hook, the same every time, drawing under the site's policy."""

from __future__ import annotations

import importlib.util
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import CSP

ROOT = Path(__file__).parents[2]
INSIDE = "runfolio/site_templates/vendor/"

pytest.importorskip("vl_convert", reason="NOT TESTED: the package vl-convert-python is not installed")


def built_wheel(folder: Path) -> Mapping[str, bytes]:
    """Build the wheel as pip does, and return its files."""
    builder = pytest.importorskip("hatchling.builders.wheel", reason="NOT TESTED: the package hatchling is not installed")
    [path] = builder.WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        return {name: archive.read(name) for name in names}


@pytest.fixture(scope="module")
def hook() -> Any:
    pytest.importorskip("hatchling", reason="NOT TESTED: the package hatchling is not installed")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_two_wheels_hold_the_same_bytes(tmp_path: Path) -> None:
    first, second = built_wheel(tmp_path / "1"), built_wheel(tmp_path / "2")
    assert first == second
    assert len(first[INSIDE + "vega.js"]) > 500_000


def test_every_licence_in_the_wheel_has_its_text_and_its_holder(hook: Any, tmp_path: Path) -> None:
    names = hook.write_vendored(tmp_path)
    listed = json.loads((tmp_path / "licences.json").read_text())
    assert {"Vega", "Vega-Lite", "Vega-Embed"} <= {item["name"] for item in listed}
    assert sorted([*(item["file"] for item in listed), "licences.json", "vega.js"]) == names
    for item in listed:
        text = (tmp_path / item["file"]).read_text()
        assert "{" not in text
        assert "opyright" in text or item["licence"] == "Unlicense"


def test_the_versions_of_the_three_packages_are_told(hook: Any) -> None:
    assert all(part.version[0].isdigit() for part in hook.parts()[:3])


def test_the_work_tree_holds_no_vendored_script() -> None:
    assert "/site_templates/vendor/" in (ROOT / ".gitignore").read_text().split()


@pytest.fixture(scope="module")
def vendored(hook: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vendored")
    hook.write_vendored(folder)
    return folder


@pytest.fixture
def draw(vendored: Path, open_page: Any, tmp_path: Path) -> Callable[..., Any]:
    """Draw a specification in a page of its own, under the site's policy; ``window.said`` tells how it went."""

    def make(spec: Mapping[str, Any], renderer: str = "svg") -> Any:
        shutil.copy(vendored / "vega.js", tmp_path)
        (tmp_path / "before.js").write_text("window.rfData = (key, value) => { window.got = [key, value]; };")
        (tmp_path / "after.js").write_text(
            f"const n = 1, t = 2; got[1](document.getElementById('chart'), {json.dumps(spec)}, {{ast: true, actions: false, "
            f"defaultStyle: false, tooltip: {{disableDefaultStyle: true}}, renderer: '{renderer}'}}).then("
            "(made) => { window.said = made.view.faults.map(String).join() || 'drawn'; }, (error) => { window.said = String(error); });"
        )
        scripts = "".join(f'<script src="{name}.js"></script>' for name in ("before", "vega", "after"))
        (tmp_path / "index.html").write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{CSP}">'
            f'<link rel="icon" href="data:,"><title>Chart</title><body><div id="chart"></div>{scripts}</body></html>'
        )
        page = open_page(tmp_path / "index.html")
        page.wait_for_function("window.said")
        return page

    return make


@pytest.mark.browser
def test_a_chart_draws_from_a_folder_under_the_sites_policy(draw: Any) -> None:
    # What Vega-Lite's expressions, tooltips and inputs need most easily trips over a policy without 'unsafe-eval'.
    page = draw(
        {
            "data": {"name": "runs"},
            "datasets": {"runs": [{"a": 1, "b.c": 2}, {"a": 3, "b.c": 5}]},
            "params": [{"name": "least", "value": 1, "bind": {"input": "range", "min": 0, "max": 9}}],
            "transform": [{"calculate": "datum.a * 2", "as": "twice"}, {"filter": "datum.twice > least"}],
            "mark": {"type": "point", "tooltip": True},
            "encoding": {"x": {"field": "twice", "type": "quantitative"}, "y": {"field": "b\\.c", "type": "quantitative"}},
        }
    )
    assert page.evaluate("got[0]") == "assets/vega"
    assert page.locator("#chart .mark-symbol.role-mark path").count() == 2


PLAIN: Mapping[str, Any] = {
    "data": {
        "values": [
            {"a": 1, "b": 2, "paint": "url(https://evil.example/a.svg#x)"},
            {"a": 3, "b": 5, "paint": ["url(//evil.example)"]},
        ]
    },
    "mark": {"type": "point", "filled": True},
    "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "quantitative"}},
}
ELSEWHERE = "url(https://evil.example/a.svg#x)"
# Each asked evil.example for something, or ended the tab, before there was a guard.
HOSTILE: Mapping[str, Mapping[str, Any]] = {
    "a paint": {**PLAIN, "mark": {"type": "point", "filled": True, "color": ELSEWHERE}},
    "a paint with an escape": {**PLAIN, "mark": {"type": "point", "filled": True, "color": ELSEWHERE.replace("u", "\\75", 1)}},
    "a paint inside a variable": {**PLAIN, "mark": {"type": "point", "filled": True, "color": f"var(--none, {ELSEWHERE})"}},
    "paints out of data": {**PLAIN, "encoding": {**PLAIN["encoding"], "fill": {"field": "paint", "scale": None}}},
    "strokes out of data": {**PLAIN, "encoding": {**PLAIN["encoding"], "stroke": {"field": "paint", "scale": None}}},
    "a paint put together": {**PLAIN, "title": {"text": "t", "color": {"expr": f"'{ELSEWHERE[:5]}' + '{ELSEWHERE[5:]}'"}}},
    "a view": {**PLAIN, "view": {"fill": ELSEWHERE, "stroke": ELSEWHERE}},
    "an axis": {**PLAIN, "config": {"axis": {"labelColor": ELSEWHERE, "gridColor": ELSEWHERE}}},
    "data by address": {**PLAIN, "data": {"url": "https://evil.example/a.json"}},
    "pictures": {**PLAIN, "mark": {"type": "image", "url": "https://evil.example/a.png", "width": 9, "height": 9}},
}


@pytest.mark.browser
@pytest.mark.parametrize("renderer", ["svg", "canvas"])
@pytest.mark.parametrize("spec", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_chart_asks_nobody_for_anything(draw: Any, spec: Mapping[str, Any], renderer: str) -> None:
    page = draw(spec, renderer)  # open_page fails for requests, console errors and violations
    named = ", ".join(f"#chart [{name}*='evil']" for name in ("fill", "stroke", "style", "href", "src"))
    assert page.locator(named).count() == 0


@pytest.mark.browser
def test_colours_and_gradients_are_painted(draw: Any) -> None:
    colours = ["#0b645f", "red", "rgb(1, 2, 3)", "rgba(1,2,3,.5)", "hsl(120 50% 50% / 0.5)", "oklch(60% 0.1 120)"]
    page = draw(
        {
            **PLAIN,
            "data": {"values": [{"a": at, "b": at, "paint": colour} for at, colour in enumerate(colours)]},
            "encoding": {**PLAIN["encoding"], "fill": {"field": "paint", "scale": None}},
            "view": {"fill": {"gradient": "linear", "stops": [{"offset": 0, "color": "red"}, {"offset": 1, "color": "blue"}]}},
        }
    )
    marks = page.locator("#chart .mark-symbol.role-mark path")
    assert [marks.nth(at).get_attribute("fill") for at in range(len(colours))] == colours
    assert (page.locator("#chart path.background").first.get_attribute("fill") or "").endswith("#gradient_0)")


@pytest.mark.browser
@pytest.mark.parametrize("expression", ["length(sequence(0, 1e9))", "length(sequence(1e9))", "pad('', 1e9, 'x')"])
def test_an_expression_cannot_take_all_of_the_memory(draw: Any, expression: str) -> None:
    page = draw({**PLAIN, "transform": [{"calculate": expression, "as": "much"}]})
    assert "makes at most" in page.evaluate("said")
