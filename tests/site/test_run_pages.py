"""The pages of runs and the page that compares them, built from a real folio and opened in Chromium, from a folder and with no scripts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runfolio.folio import initialise, open_folio
from runfolio.records import Objective
from runfolio.site import BuildOptions, build_site
from tests.site.visiting import leave_dialog

pytestmark = pytest.mark.browser
NAME = "</script><script>window.pwned=1</script>\u202egnal"
LOG = """
import math, sys, tempfile, runfolio
name = sys.argv[1]
runfolio.set_experiment("wine")
picture = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f0003830181a4dba2b90000000049454e44ae426082")
for number in range(4):
    with runfolio.start_run(run_name=f"run {number}", nested=False) as run:
        runfolio.log_params({"lr": 0.1 * (1 + number), "optimizer": ["adam", "sgd"][number % 2], "same": "x"})
        for step in range(30):
            runfolio.log_metric("train/loss", math.exp(-step / (5 + number)) + 0.01 * math.sin(step * 7), step=step)
            runfolio.log_metric("gaps", math.nan if step % 5 == 2 else step, step=step)
        runfolio.log_metric("accuracy", 0.9 + number / 100)
        for step in range(3):
            with tempfile.TemporaryDirectory() as folder:
                with open(f"{folder}/epoch-{step}.png", "wb") as file:
                    file.write(picture + bytes([number]))
                runfolio.log_artifact(f"{folder}/epoch-{step}.png", "samples")
        runfolio.log_table({"true": ["a", "b"], "predicted": ["a", "a"]}, "confusion.json")
        with runfolio.start_run(run_name="child", nested=True):
            pass
with runfolio.start_run(run_name=name, description=name):
    runfolio.log_params({f"p/{number}": name for number in range(150)})
    runfolio.log_metrics({"one": 1.0, "x" * 250: float("nan"), "m/a b": float("inf"), "accuracy": 0.5})
    runfolio.set_tags({"team": name, "empty": ""})
    runfolio.log_text(name, "notes.txt")
with runfolio.start_run(run_name="w" * 250):
    runfolio.log_params({f"p{number}/{'x' * 200}": "v" * 400 for number in range(3)})
    for step in range(2):
        runfolio.log_metrics({f"part{number % 7}/metric {number}": number * step for number in range(500)}, step=step)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A built site, and the ids of its runs by name; the code of the runs was changed and not committed."""
    folder = tmp_path_factory.mktemp("folio")
    initialise(folder, own=True).folio.close()
    (folder / "train.py").write_text("print('committed')\n")
    for words in (["add", "train.py"], ["-c", "user.name=Ada", "-c", "user.email=a@example.org", "commit", "-qm", "code"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    (folder / "train.py").write_text(LOG)
    subprocess.run([sys.executable, "train.py", NAME], cwd=folder, check=True, capture_output=True)
    folio = open_folio(folder)
    try:
        folio.commit()
        ids: dict[str, str] = {}
        experiment = next(item for item in folio.experiments.all() if item.name == "wine")
        folio.experiments.edit(experiment.experiment_id, "set the objective of", objective=Objective("accuracy", "max"))
    finally:
        folio.close()
    folio = open_folio(folder)
    try:
        out = folder.parent / f"{folder.name}-site"
        build_site(folio, out, BuildOptions())
        for page in sorted((out / "r").glob("*/index.html")):
            title = re.search(r"<h1>(.*?)</h1>", page.read_text("utf-8"))
            assert title
            ids[title[1]] = page.parent.name
    finally:
        folio.close()
    return out, ids


def page_of(site: tuple[Path, dict[str, str]], name: str) -> Path:
    out, ids = site
    return out / "r" / next(run for title, run in ids.items() if title.startswith(name)) / "index.html"


def texts(page: Any, part: str) -> list[str]:
    shown = [" ".join(text.split()) for text in page.locator(f"{part} :is(th, td, dt, dd, li, h2, pre)").all_inner_texts()]
    return [text for text in shown if text]  # rows that are folded away have none


def test_without_scripts_a_page_shows_its_facts_and_its_curves(site: Any, open_page: Callable[..., Any]) -> None:
    page = open_page(page_of(site, "run 0"), javascript=False)
    assert "0.9000" in page.inner_text("#metrics")
    assert page.locator("#curves svg.chart-svg").count() == 2
    assert "adam" in page.inner_text("#params")
    assert "runfolio reproduce " in page.inner_text("#reproduce")
    assert "python train.py" in (page.text_content("#reproduce") or "")  # by hand, folded away
    assert page.locator("#curves svg title").first.text_content()
    assert "+import math" in page.inner_text("#changes").replace(" ", "") or "import math" in page.inner_text("#changes")
    assert page.locator(".js-only:visible").count() == 0


def test_scripts_put_their_curves_in_the_place_of_the_static_ones(site: Any, open_page: Callable[..., Any]) -> None:
    page = open_page(page_of(site, "run 0"))
    page.wait_for_selector("#curves canvas")
    assert page.locator("#curves svg.chart-svg").count() == 0
    assert page.locator("#curves canvas[role=img]").count() == 2
    labels = [item.get_attribute("aria-label") for item in page.locator("#curves canvas[role=img]").all()]
    assert any(label.startswith("gaps from 0 at step 0 to 29") and "6 values are not a number" in label for label in labels)


@pytest.mark.parametrize("name", ["run 0", "run 3", "&lt;/script"])
def test_the_page_made_from_data_says_what_the_one_written_ahead_says(
    site: Any, open_page: Callable[..., Any], name: str
) -> None:
    written = open_page(page_of(site, name))
    made = open_page((site[0] / "r" / "run.html").as_uri() + "#" + page_of(site, name).parent.name)
    made.wait_for_selector("[data-run]:not([aria-busy])")
    assert made.inner_text("h1") == written.inner_text("h1")
    for part in ("#metrics", "#params", "#origin", "#reproduce", "#artifacts"):
        assert texts(made, part) == texts(written, part), part
    assert [" ".join(text.split()) for text in made.locator(".kpi").all_inner_texts()] == [
        " ".join(text.split()) for text in written.locator(".kpi").all_inner_texts()
    ]


@pytest.mark.parametrize("scripts", [True, False])
def test_runs_of_one_day_are_told_apart_by_their_time(site: Any, open_page: Callable[..., Any], scripts: bool) -> None:
    place = site[0] / "e" / "wine" / "index.html"
    if len(set(re.findall(r'datetime="(.{10})T', place.read_text("utf-8")))) > 1:
        pytest.skip("NOT TESTED: midnight (UTC) came between the runs")
    page = open_page(place, javascript=scripts)
    if scripts:
        page.wait_for_function("() => window.rf && rf.table && rf.table.columns.length")
    times = page.locator(".runs-rows .c-time").all_inner_texts()
    assert len(times) > 3 and all(re.fullmatch(r"\d\d:\d\d:\d\d", text) for text in times)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", page.locator(".runs-groups th").last.inner_text())


def test_hostile_names_stay_text_everywhere(site: Any, open_page: Callable[..., Any]) -> None:
    path = page_of(site, "&lt;/script")
    addresses = [path.as_uri(), (site[0] / "r" / "run.html").as_uri() + f"#{path.parent.name}"]
    addresses.append((site[0] / "compare.html").as_uri() + f"#r={path.parent.name},{page_of(site, 'run 0').parent.name}")
    for address in addresses:
        page = open_page(address)
        page.wait_for_selector("#params, [data-part=Parameters]")
        assert page.evaluate("window.pwned") is None
        assert NAME in page.text_content("main")
        assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_comparing_shows_only_what_differs_until_it_is_asked(site: Any, open_page: Callable[..., Any]) -> None:
    ids = [page_of(site, f"run {number}").parent.name for number in range(3)]
    page = open_page((site[0] / "compare.html").as_uri() + "#r=" + ",".join(ids))
    page.wait_for_selector("[data-part=Parameters]")
    rows = page.locator("[data-part=Parameters] tbody th").all_inner_texts()
    assert rows == ["lr", "optimizer"]
    page.click("[data-part=Parameters] .linkish")
    assert page.locator("[data-part=Parameters] tbody th").all_inner_texts() == ["lr", "optimizer", "same"]
    assert page.evaluate("document.activeElement.className") == "linkish small"
    page.select_option("select[aria-label=Baseline]", ids[2])
    page.wait_for_selector(f".chip-base a[href$='{ids[2]}']")
    assert f"base={ids[2]}" in page.url
    assert "▼ −0.0200" in page.inner_text("[data-part=Metrics]")
    page.click(".chip-x >> nth=0")
    page.wait_for_selector("h1:has-text('Compare 2 runs')")
    page.go_back()
    page.wait_for_selector("h1:has-text('Compare 3 runs')")


def test_pictures_of_runs_stand_side_by_side_with_a_slider_over_steps(site: Any, open_page: Callable[..., Any]) -> None:
    ids = [page_of(site, f"run {number}").parent.name for number in range(2)]
    page = open_page((site[0] / "compare.html").as_uri() + "#r=" + ",".join(ids))
    page.wait_for_selector("[aria-label='Artifacts side by side'] figure")
    beside = page.locator("[aria-label='Artifacts side by side']")
    assert "The same in all: confusion.json." in beside.inner_text() and page.locator("figure .confusion").count() == 0
    page.click("[aria-label='Show the artifacts that are the same in all']")
    assert "The same in all" not in beside.inner_text()
    page.wait_for_selector("figure .preview table >> nth=1")  # what a preview shows comes from a file of its own
    assert page.locator("figure .preview table").count() == 2
    assert page.locator("figure .confusion").count() == 2
    slider = page.locator("input[aria-label='Step of samples/epoch-….png']")
    assert slider.evaluate("(slider) => slider.value") == "2"
    slider.press("ArrowLeft")
    assert "samples/epoch-1.png (2 of 3)" in page.inner_text("[aria-label='Artifacts side by side']")


def test_pictures_over_steps_and_confusion_matrices_are_drawn_on_a_page_of_a_run(
    site: Any, open_page: Callable[..., Any]
) -> None:
    path = page_of(site, "run 0")
    for address in (path.as_uri(), (site[0] / "r" / "run.html").as_uri() + f"#{path.parent.name}"):
        page = open_page(address)
        page.wait_for_selector(".confusion")
        assert "1 of 2 right" in page.inner_text(".confusion caption")
        assert page.locator("input[aria-label='Step of samples/epoch-….png']").count() == 1


def test_a_run_that_is_not_there_is_told_and_no_error(site: Any, open_page: Callable[..., Any]) -> None:
    page = open_page((site[0] / "r" / "run.html").as_uri() + "#" + "0" * 32)
    page.wait_for_selector("[role=alert]")
    assert "No run" in page.inner_text("[role=alert]")
    page = open_page((site[0] / "compare.html").as_uri() + "#r=" + "f" * 32)
    page.wait_for_selector("[role=alert]")


def test_a_phone_shows_everything_in_its_width(site: Any, open_page: Callable[..., Any]) -> None:
    names = ("run 0", "&lt;/script", "www")
    addresses = [page_of(site, name).as_uri() for name in names]
    addresses.append((site[0] / "compare.html").as_uri() + "#r=" + ",".join(page_of(site, name).parent.name for name in names))
    for address in addresses:
        page = open_page(address, phone=True)
        page.wait_for_selector("#params, [data-part=Parameters]")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
def test_no_page_has_a_fault_of_accessibility(site: Any, open_page: Callable[..., Any], dark: bool, phone: bool) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="NOT TESTED: axe-playwright-python is not installed"
    )
    out, ids = site
    addresses = [
        (out / "e" / "wine" / "index.html").as_uri(),
        page_of(site, "run 1").as_uri(),
        page_of(site, "&lt;/script").as_uri(),
        (out / "r" / "run.html").as_uri() + "#" + page_of(site, "run 2").parent.name,
        (out / "compare.html").as_uri() + "#r=" + ",".join(ids.values()),
    ]
    for address in addresses:
        page = open_page(address, dark=dark, phone=phone, bypass_csp=True)
        page.wait_for_selector("#params, [data-part=Parameters], #runs")
        page.wait_for_function("() => !document.querySelector('[aria-busy]')")
        found = axe.Axe().run(
            page, options={"preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
        )
        faults = [(item["id"], item["nodes"][0]["html"][:200]) for item in found.response["violations"]]
        assert faults == [], address


def drag(page: Any, chart: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over a chart, from and to shares of its width and height."""
    canvas = page.locator(f"[data-chart={chart}] canvas[role=img]")
    canvas.evaluate("(canvas) => canvas.scrollIntoView({ block: 'center' })")  # not below the bar that stays at the top
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=4)
    page.mouse.up()


def test_charts_and_the_table_of_an_experiment_follow_each_other(site: Any, open_page: Callable[..., Any]) -> None:
    page = open_page(site[0] / "e" / "wine" / "index.html")
    for chart in ("curves", "scatter", "parcoords", "importance"):
        page.wait_for_selector(f"[data-chart={chart}] canvas")
    assert page.evaluate("rf.table.rows.length") == page.evaluate("rf.table.columns.length")
    drag(page, "importance", (0.7, 0.5), (1.0, 0.6))
    page.wait_for_function("() => rf.table.rows.length === 4")
    page.locator("[data-chart=importance] canvas[role=img]").focus()
    leave_dialog(page)
    page.wait_for_function("() => rf.table.rows.length === rf.table.columns.length")
    page.wait_for_selector("[data-chart=scatter] canvas[aria-label*=against]")
    drag(page, "scatter", (0.15, 0.02), (0.99, 0.3))
    page.wait_for_function("() => rf.table.rows.length < rf.table.columns.length")
    page.locator("[data-chart=scatter] canvas[role=img]").focus()
    leave_dialog(page)
    page.wait_for_function("() => rf.table.rows.length === rf.table.columns.length")
    page.evaluate("rf.table.select([rf.table.rows[0], rf.table.rows[1]], true)")
    page.wait_for_selector("[data-chart=curves] .legend li:nth-child(2)")
    assert page.evaluate("rf.chartView.slots.size") == 2
    page.evaluate("rf.table.select([rf.table.rows[0]], false)")
    page.wait_for_function("() => document.querySelectorAll('[data-chart=curves] .legend li').length === 1")
    # The run that stays keeps its colour.
    assert page.evaluate("rf.chartView.slots.get(rf.table.rows[1])") == 2


def test_an_axis_of_the_parallel_coordinates_is_brushed_by_the_keyboard(site: Any, open_page: Callable[..., Any]) -> None:
    page = open_page(site[0] / "e" / "wine" / "index.html")
    page.wait_for_selector("[data-chart=parcoords] canvas")
    page.wait_for_function("() => rf.table.rows.length === rf.table.columns.length")
    page.locator("[data-chart=parcoords] canvas[role=img]").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("() => rf.table.rows.length < rf.table.columns.length && rf.table.rows.length > 0")
    leave_dialog(page)
    page.wait_for_function("() => rf.table.rows.length === rf.table.columns.length")


def test_smoothing_and_axes_are_in_the_address_of_a_comparison(site: Any, open_page: Callable[..., Any]) -> None:
    ids = [page_of(site, f"run {number}").parent.name for number in range(2)]
    page = open_page((site[0] / "compare.html").as_uri() + "#r=" + ",".join(ids) + "&sm=0.5&log=1")
    page.wait_for_selector("input[aria-label=Smoothing]")
    assert page.input_value("input[aria-label=Smoothing]") == "0.5"
    assert page.is_checked(".chart-controls input[type=checkbox]")
    page.select_option("select[aria-label='Horizontal axis'] >> nth=-1", "relative")
    assert "x=relative" in page.url
    assert "sm=0.5" in page.url


def test_artifacts_that_say_most_come_first() -> None:
    from runfolio.site.pages.runs import _pictures_first

    kinds = {
        "estimator.html": "text", "model/MLmodel": "text", "model/conda.yaml": "text", "model/model.pkl": None, "notes.md": "markdown",
        "roc.png": "image", "table.csv": "table", "weights.bin": None, "modelling.txt": "text",
    }  # fmt: skip
    entries = [{"path": path, "preview": {"kind": kind} if kind else None} for path, kind in sorted(kinds.items())]
    assert [entry["path"] for entry in _pictures_first(entries)] == [
        "roc.png", "notes.md", "table.csv", "estimator.html", "modelling.txt", "model/MLmodel", "model/conda.yaml", "model/model.pkl",
        "weights.bin",
    ]  # fmt: skip
