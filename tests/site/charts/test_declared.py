"""Charts that a team declares: read from the commit, drawn by Vega in the browser over what the table shows."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.folio import initialise, open_folio
from runfolio.formats.settings import decode_settings
from runfolio.site import BuildOptions, BuildReport, build_site
from runfolio.site.assets import templates_folder
from runfolio.site.charts.specs import clean_spec, columns_in
from runfolio.site.charts.theme import tokens
from tests.docs.pages import marked

LOG = """
import runfolio
for experiment, count in (("wine", 6), ("digits", 2)):
    runfolio.set_experiment(experiment)
    for number in range(count):
        with runfolio.start_run(run_name=f"run-{number}"):
            runfolio.log_params({"lr": number / 10, "model": "<b>forest</b>" if number % 2 else "linear"})
            runfolio.log_metric("val.loss", 1 / (number + 1))
            runfolio.log_metric("accuracy", float("nan") if number == 4 else number / 6)
            if number == 1:
                runfolio.log_dict(FIGURE, "plots/curve.json")
"""
FIGURE = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "usermeta": {"embedOptions": {"actions": True}},
    "data": {"values": [{"x": at, "y": at * at, "image": "https://evil.example/x.png"} for at in range(4)]},
    "mark": {"type": "point", "tooltip": {"content": "data"}},
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}
SCATTER = {
    "data": {"name": "runs"},
    "mark": {"type": "point", "tooltip": True},
    "encoding": {
        "x": {"field": "params.lr", "type": "quantitative"},
        "y": {"field": "metrics.val\\.loss", "type": "quantitative"},
        "color": {"field": "params.model", "type": "nominal"},
    },
}
PYTHON = """
import os
import altair as alt

assert "SECRET_TOKEN" not in os.environ
assert os.listdir(".") == []

def points(runs):
    print("said", len(runs))
    return alt.Chart(alt.NamedData("runs")).mark_point().encode(x="params\\\\.lr:Q", y="run_name:N")

def own(runs):
    return alt.Chart(runs[["params.lr", "start_time"]].rename(columns={"params.lr": "lr"})).mark_bar().encode(x="lr:Q", y="count()")

def many(runs):
    import pandas
    return alt.Chart(pandas.DataFrame({"a": range(6000)})).mark_point().encode(x="a:Q")

def fails(runs):
    return runs["nothing"]

def text(runs):
    return "a chart"
"""
Declare = Callable[..., Path]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folio")
    initialise(folder, own=True).folio.close()
    subprocess.run([sys.executable, "-c", f"FIGURE = {FIGURE!r}\n{LOG}"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def declare(base: Path, tmp_path: Path) -> Declare:
    """Return a folio with the given charts and files committed."""

    def make(*charts: Mapping[str, Any], **files: str) -> Path:
        folder = tmp_path / "folio"
        shutil.copytree(base, folder)
        settings = folder / "runfolio.yaml"
        settings.write_text(settings.read_text() + "site:\n  charts: " + json.dumps(charts) + "\n")
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text)
        for command in (["add", "-A"], ["-c", "user.name=Ada", "-c", "user.email=a@example.org", "commit", "-qm", "charts"]):
            subprocess.run(["git", *command], cwd=folder, check=True)
        return folder

    return make


def build(folder: Path, out: Path, **options: Any) -> BuildReport:
    folio = open_folio(folder)
    try:
        return build_site(folio, out, BuildOptions(**options))
    finally:
        folio.close()


def spec_of(out: Path, name: str) -> dict[str, Any]:
    [path] = (out / "data" / "charts").glob(f"{name}.*.js")
    found: dict[str, Any] = json.loads(path.read_text().partition(",")[2].rstrip().removesuffix(");"))
    return found


def test_the_example_of_the_page_is_right() -> None:
    (text,) = marked("how-to/site-charts.md", "example", "site-charts")
    charts = decode_settings(text.encode(), "site-charts.md").site.charts
    assert [next(key for key in ("spec", "file", "python") if key in chart) for chart in charts] == ["spec", "file", "python"]
    spec = clean_spec(charts[0]["spec"], "the example")
    assert columns_in(spec, ["metrics.accuracy", "params.lr", "params.model", "params.l"]) == [
        "metrics.accuracy",
        "params.lr",
        "params.model",
    ]


@pytest.fixture
def vega() -> None:
    """See that Vega is there: in the wheel it is, in a work tree the build hook makes it."""
    folder = templates_folder() / "vendor"
    if not (folder / "vega.js").exists():
        pytest.importorskip("vl_convert", reason="NOT TESTED: neither Vega nor the package vl-convert-python is installed")
        root = Path(__file__).parents[3]
        subprocess.run([sys.executable, str(root / "hatch_build.py")], check=True, capture_output=True)


def test_a_chart_is_on_the_pages_of_the_experiments_that_it_is_for(declare: Declare, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(declare({"title": "Loss <by> rate", "experiment": "wi*", "spec": SCATTER}), out)
    assert "Loss &lt;by&gt; rate" in (out / "e/wine/index.html").read_text()
    assert "Loss &lt;by&gt; rate" not in (out / "e/digits/index.html").read_text()
    assert spec_of(out, "wine-0")["columns"] == ["metrics.val.loss", "params.lr", "params.model"]


def test_specifications_come_from_the_commit_and_not_from_the_work_tree(declare: Declare, tmp_path: Path) -> None:
    yaml = "mark: bar\ndata: {name: runs}\nencoding: {x: {aggregate: count}, y: {field: params.model}}\n"
    folder = declare(
        {"title": "A", "file": "a.json"}, {"title": "B", "file": "b.yaml"}, a__json=json.dumps(SCATTER), b__yaml=yaml
    )
    (folder / "a.json").write_text("{")
    build(folder, tmp_path / "site")
    assert spec_of(tmp_path / "site", "wine-0")["spec"]["encoding"] == SCATTER["encoding"]
    assert spec_of(tmp_path / "site", "wine-1")["spec"]["mark"] == "bar"


def test_two_builds_have_the_same_bytes_and_the_second_draws_nothing(declare: Declare, tmp_path: Path) -> None:
    folder = declare({"title": "A", "spec": SCATTER}, {"title": "P", "python": "charts.py:own"}, charts__py=PYTHON)

    def digests(out: Path) -> dict[str, str]:
        return {
            str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in out.rglob("*")
            if path.is_file() and path.name != ".runfolio-build.json"
        }

    build(folder, tmp_path / "one")
    build(folder, tmp_path / "two", jobs=4)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert build(folder, tmp_path / "one").rendered == 0


def test_python_gets_the_runs_and_neither_tokens_nor_the_work_tree(
    declare: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    folder = declare(
        {"title": "P", "python": "charts.py:points"},
        {"title": "O", "python": "charts.py:own", "experiment": "wine"},
        charts__py=PYTHON,
    )
    build(folder, tmp_path / "site")
    assert spec_of(tmp_path / "site", "wine-0")["columns"] == ["attributes.run_name", "params.lr"]
    own = spec_of(tmp_path / "site", "wine-1")
    assert not own["uses_runs"]
    assert [row["lr"] for row in next(iter(own["spec"]["datasets"].values()))] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_without_python_charts_their_code_does_not_run(declare: Declare, tmp_path: Path) -> None:
    folder = declare({"title": "P", "python": "charts.py:fails"}, {"title": "S", "spec": SCATTER}, charts__py=PYTHON)
    report = build(folder, tmp_path / "site", python_charts=False)
    assert any("Charts declared in Python" in warning for warning in report.warnings)
    assert "<h2>S</h2>" in (tmp_path / "site/e/wine/index.html").read_text()


WRONG: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "no title": ({"spec": SCATTER}, "site.charts[0].title"),
    "an unknown key": ({"title": "A", "spec": SCATTER, "speck": 1}, "speck is not known"),
    "two sources": ({"title": "A", "spec": SCATTER, "file": "a.json"}, "found spec, file"),
    "no source": ({"title": "A"}, "found none"),
    "no such file": ({"title": "A", "file": "charts/none.json"}, "there is no file 'charts/none.json' in commit"),
    "a file outside": ({"title": "A", "file": "../a.json"}, "a file inside the folio"),
    "an absolute file": ({"title": "A", "file": "/etc/passwd"}, "a file inside the folio"),
    "a file of git": ({"title": "A", "file": "a:b.json"}, "there is no file"),
    "a broken file": ({"title": "A", "file": "broken.json"}, "site.charts[0] (A), broken.json: the file is not JSON"),
    "a hostile file": ({"title": "A", "file": "bad.yaml"}, "site.charts[0] (A), bad.yaml: data.url"),
    "no function": ({"title": "A", "python": "charts.py"}, "charts.py:loss_by_depth"),
    "a function that is not there": ({"title": "A", "python": "charts.py:none"}, "charts.py has no function none"),
    "a function that fails": ({"title": "A", "python": "charts.py:fails"}, "line 20: KeyError: 'nothing'"),
    "a function that draws nothing": (
        {"title": "A", "python": "charts.py:text"},
        "text returned str; an Altair chart is expected",
    ),
    "a function with too many rows": ({"title": "A", "python": "charts.py:many"}, "6,000 rows; at most 5,000"),
}


@pytest.mark.parametrize(("chart", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_declaration_is_told_by_chart_file_and_key(
    declare: Declare, tmp_path: Path, chart: Mapping[str, Any], said: str
) -> None:
    folder = declare(chart, charts__py=PYTHON, broken__json="{", bad__yaml="mark: point\ndata: {url: //x}\n")
    with pytest.raises(UsageError) as caught:
        build(folder, tmp_path / "site")
    assert said in caught.value.message


def test_vega_is_in_the_site_only_where_there_is_a_chart(declare: Declare, tmp_path: Path, vega: None) -> None:
    folder = declare({"title": "A", "spec": SCATTER})
    assert build(folder, tmp_path / "site").warnings is not None
    assert len(list((tmp_path / "site/assets").glob("vega.*.js"))) == 1
    assert "Vega-Lite" in (tmp_path / "site/about.html").read_text()
    settings = folder / "runfolio.yaml"
    settings.write_text(settings.read_text().partition("site:")[0] + "site: {artifacts: {publish: []}}\n")
    build(folder, tmp_path / "site")
    assert not list((tmp_path / "site/assets").glob("vega.*.js"))
    assert "Vega-Lite" not in (tmp_path / "site/about.html").read_text()


@pytest.mark.browser
def test_charts_draw_the_runs_of_the_table_in_both_themes(declare: Declare, tmp_path: Path, vega: None, open_page: Any) -> None:
    folder = declare({"title": "Loss", "spec": SCATTER}, {"title": "P", "python": "charts.py:points"}, charts__py=PYTHON)
    build(folder, tmp_path / "site")
    page = open_page(tmp_path / "site/e/wine/index.html")
    cards = page.locator("[data-chart=altair]")
    for at in range(2):
        cards.nth(at).scroll_into_view_if_needed()
        cards.nth(at).locator("svg .mark-symbol path").first.wait_for()
    points = cards.nth(0).locator("svg .mark-symbol.role-mark path")
    assert points.count() == 6
    assert cards.nth(1).locator("svg .mark-symbol.role-mark path").count() == 6
    assert cards.nth(0).get_by_role("img", name="Loss").count() == 1
    light = points.first.get_attribute("fill")
    assert light in tokens()["light"].values()
    page.locator("[data-theme-switch]").click()
    dark = [colour for name, colour in tokens()["dark"].items() if tokens()["light"][name] == light]
    cards.nth(0).locator(", ".join(f"svg .mark-symbol.role-mark path[fill='{colour}']" for colour in dark)).first.wait_for()


@pytest.mark.browser
def test_vega_is_loaded_when_a_chart_comes_near(declare: Declare, tmp_path: Path, vega: None, open_page: Any) -> None:
    build(declare({"title": "Loss", "spec": SCATTER}), tmp_path / "site")
    page = open_page(tmp_path / "site/e/wine/index.html", phone=True)
    page.set_viewport_size({"width": 390, "height": 100})
    open_page.requests.clear()
    page.reload(wait_until="networkidle")
    assert not any("assets/vega." in url for url in open_page.requests)
    page.locator("[data-chart=altair]").scroll_into_view_if_needed()
    page.locator("[data-chart=altair] svg").first.wait_for()
    assert any("assets/vega." in url for url in open_page.requests)


@pytest.mark.browser
def test_charts_follow_the_filter(declare: Declare, tmp_path: Path, vega: None, open_page: Any) -> None:
    build(declare({"title": "Loss", "spec": SCATTER}), tmp_path / "site")
    page = open_page(tmp_path / "site/e/wine/index.html")
    card = page.locator("[data-chart=altair]")
    card.scroll_into_view_if_needed()
    card.locator("svg .mark-symbol.role-mark path").first.wait_for()
    page.evaluate("rf.tell('rows', {rows: Uint32Array.of(0, 3), total: 6})")
    card.locator("svg .mark-symbol.role-mark:not(:has(path:nth-child(3))) path:nth-child(2)").wait_for()


@pytest.mark.browser
def test_longer_labels_of_other_rows_get_their_room(declare: Declare, tmp_path: Path, vega: None, open_page: Any) -> None:
    growing = [
        {"window": [{"op": "row_number", "as": "n"}]},
        {"joinaggregate": [{"op": "count", "as": "all"}]},
        {"calculate": "datum.all > 2 ? datum.n : 1000000 + datum.n", "as": "y"},
    ]
    encoding = {
        "x": {"field": "n", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative", "scale": {"zero": False}},
    }
    build(declare({"title": "Loss", "spec": {**SCATTER, "transform": growing, "encoding": encoding}}), tmp_path / "site")
    page = open_page(tmp_path / "site/e/wine/index.html")
    card = page.locator("[data-chart=altair]")
    card.scroll_into_view_if_needed()
    card.locator("svg .mark-symbol.role-mark path").first.wait_for()
    page.evaluate("rf.tell('rows', {rows: Uint32Array.of(0, 3), total: 6})")
    card.locator("svg text", has_text="1,000,00").first.wait_for()
    outside = """svg => [...svg.querySelectorAll("text")].filter(text => text.getBoundingClientRect().left < svg.getBoundingClientRect().left - 1)
        .map(text => text.textContent)"""
    page.wait_for_function(f"() => !({outside})(document.querySelector('[data-chart=altair] svg')).length")


def test_a_chart_that_vega_lite_cannot_draw_fails_the_build(declare: Declare, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert", reason="NOT TESTED: the package vl-convert-python is not installed")
    folder = declare({"title": "Loss", "spec": {**SCATTER, "transform": [{"calculate": "nothing(", "as": "a"}]}})
    with pytest.raises(UsageError, match=r"site.charts\[0\] \(Loss\): Vega-Lite cannot draw it"):
        build(folder, tmp_path / "site")


@pytest.mark.browser
def test_a_chart_that_cannot_be_drawn_says_so_in_its_card(declare: Declare, tmp_path: Path, vega: None, open_page: Any) -> None:
    build(declare({"title": "Loss", "spec": SCATTER}), tmp_path / "site")
    [script] = (tmp_path / "site/assets").glob("vega.*.js")
    script.write_text('rfData("assets/vega", () => Promise.reject(new Error("<b>no such scale</b>")));')
    page = open_page(tmp_path / "site/e/wine/index.html")
    page.locator("[data-chart=altair]").scroll_into_view_if_needed()
    said = page.locator("[data-chart=altair] [role=alert]")
    said.wait_for()
    assert said.inner_text() == "This chart could not be drawn: <b>no such scale</b>"


@pytest.mark.browser
def test_a_chart_that_fails_while_it_is_drawn_says_so_in_its_card(
    declare: Declare, tmp_path: Path, vega: None, open_page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without its picture, whose drawing would tell of the fault at build time.
    monkeypatch.setattr("runfolio.site.charts.stills.can_draw", lambda: False)
    build(
        declare({"title": "Loss", "spec": {**SCATTER, "transform": [{"calculate": "pad('', 1e8)", "as": "a"}]}}),
        tmp_path / "site",
    )
    page = open_page(tmp_path / "site/e/wine/index.html")
    page.locator("[data-chart=altair]").scroll_into_view_if_needed()
    page.locator("[data-chart=altair] [role=alert]", has_text="This chart could not be drawn: pad makes at most").wait_for()


@pytest.mark.browser
@pytest.mark.parametrize("shell", [False, True], ids=["written ahead", "from data"])
def test_logged_figures_are_drawn_and_their_tooltips_are_text(
    declare: Declare, tmp_path: Path, vega: None, open_page: Any, shell: bool
) -> None:
    out = tmp_path / "site"
    build(declare(), out)
    [path] = [path for path in out.glob("r/*/index.html") if "data-figure" in path.read_text() and ">wine<" in path.read_text()]
    page = open_page((out / "r/run.html").as_uri() + "#" + path.parent.name if shell else path)
    page.locator("#artifacts").scroll_into_view_if_needed()
    marks = page.locator("#artifacts svg .mark-symbol.role-mark path")
    marks.nth(2).wait_for()
    marks.nth(2).hover(force=True)
    page.locator(".vega-place .chart-tip", has_text="https://evil.example/x.png").wait_for()
    assert page.locator(".vega-place img, .vega-actions, #vg-tooltip-element").count() == 0


@pytest.mark.browser
def test_without_scripts_there_is_a_picture_in_the_systems_theme(
    declare: Declare, tmp_path: Path, vega: None, open_page: Any
) -> None:
    pytest.importorskip("vl_convert", reason="NOT TESTED: the package vl-convert-python is not installed")
    build(declare({"title": "Loss", "spec": SCATTER}), tmp_path / "site")
    page = open_page(tmp_path / "site/e/wine/index.html", javascript=False, dark=True)
    picture = page.locator("[data-chart=altair] img")
    picture.scroll_into_view_if_needed()
    assert picture.is_visible()
    assert picture.get_attribute("alt") == "Loss"
    svg = next((tmp_path / "site/data/charts").glob("wine-0-dark.*.svg")).read_text()
    assert tokens()["dark"]["--s1"] in svg
    assert "<b>" not in svg
    assert "<script" not in svg


@pytest.mark.browser
@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)], ids=["desktop, light", "phone, dark"])
def test_cards_of_charts_are_accessible_and_widen_no_page(
    declare: Declare, tmp_path: Path, vega: None, open_page: Any, phone: bool, dark: bool
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="NOT TESTED: axe-playwright-python is not installed"
    )
    slider = {**SCATTER, "params": [{"name": "most", "value": 1, "bind": {"input": "range", "min": 0, "max": 1, "name": "Most"}}]}
    wide = {"data": {"name": "runs"}, "hconcat": [{key: value for key, value in SCATTER.items() if key != "data"}] * 4}
    build(declare({"title": "Loss", "spec": slider}, {"title": "Four", "spec": wide}), tmp_path / "site")
    page = open_page(tmp_path / "site/e/wine/index.html", phone=phone, dark=dark)
    for at in range(2):
        card = page.locator("[data-chart=altair]").nth(at)
        card.scroll_into_view_if_needed()
        card.locator("svg .mark-symbol.role-mark path").first.wait_for()
    rules = {"preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    found = axe.Axe().run(page, context=".declared", options=rules).response["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
