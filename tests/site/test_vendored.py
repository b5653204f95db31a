"""What the wheel carries of other people's work: made by the build hook, the same every time, drawing under the site's policy."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from collections.abc import Mapping
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


@pytest.mark.browser
def test_a_chart_draws_from_a_folder_under_the_sites_policy(hook: Any, open_page: Any, tmp_path: Path) -> None:
    # What Vega-Lite's expressions, tooltips and inputs need most easily trips over a policy without 'unsafe-eval'.
    spec = {
        "data": {"name": "runs"},
        "datasets": {"runs": [{"a": 1, "b.c": 2}, {"a": 3, "b.c": 5}]},
        "params": [{"name": "least", "value": 1, "bind": {"input": "range", "min": 0, "max": 9}}],
        "transform": [{"calculate": "datum.a * 2", "as": "twice"}, {"filter": "datum.twice > least"}],
        "mark": {"type": "point", "tooltip": True},
        "encoding": {"x": {"field": "twice", "type": "quantitative"}, "y": {"field": "b\\.c", "type": "quantitative"}},
    }
    hook.write_vendored(tmp_path)
    (tmp_path / "before.js").write_text("window.rfData = (key, value) => { window.got = [key, value]; };")
    (tmp_path / "after.js").write_text(
        f"const n = 1, t = 2; got[1](document.getElementById('chart'), {json.dumps(spec)}, "
        "{ast: true, actions: false, defaultStyle: false, tooltip: {disableDefaultStyle: true}, renderer: 'svg'})"
        ";"
    )
    scripts = "".join(f'<script src="{name}.js"></script>' for name in ("before", "vega", "after"))
    (tmp_path / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{CSP}">'
        f'<link rel="icon" href="data:,"><title>Chart</title><body><div id="chart"></div>{scripts}</body></html>'
    )
    page = open_page(tmp_path / "index.html")
    page.locator("#chart .mark-symbol path").first.wait_for()
    assert page.evaluate("got[0]") == "assets/vega"
    assert page.locator("#chart .mark-symbol path").count() == 2
