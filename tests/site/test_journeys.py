"""What people do with a site: real folio, real build, real browser. The parts are tested one by one in the files beside this one."""

from __future__ import annotations

import io
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runfolio.folio import open_folio
from tests.site.real_folios import BuiltSite, environment, new_folio, train
from tests.site.visiting import leave_dialog, settled

pytestmark = pytest.mark.browser
CLI = "import sys; from runfolio.cli.main import main; sys.exit(main())"
SHOWN = "rows => rows.map(row => row.querySelector('a').textContent)"
FILTERS = [
    "metrics.accuracy > 0.87",
    "params.depth = '3' AND tags.team = 'red'",
    "params.criterion LIKE 'g%' AND metrics.accuracy < 0.88",
    "attributes.run_name IN ('forest-01', 'forest-07')",
    "tags.missing IS NULL AND params.seed != '0'",
]


def wine(site: BuiltSite, fragment: str = "") -> str:
    return site.address("e/wine/index.html" + fragment)


def names(page: Any) -> list[str]:
    return page.eval_on_selector_all(".runs-rows tr", SHOWN)


def narrow(page: Any, text: str, count: int) -> None:
    page.fill("#rf-filter", text)
    page.keyboard.press("Enter")
    page.wait_for_function("count => rf.table.rows.length === count", arg=count)
    page.evaluate("() => document.activeElement.blur()")


def test_a_filter_finds_what_the_command_line_finds(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(wine(team_site))
    settled(page)
    for text in FILTERS:
        words = ["runs", "search", text, "-e", "wine", "--json"]
        done = subprocess.run(
            [sys.executable, "-c", CLI, *words],
            cwd=team_site.folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        wanted = sorted(run["name"] for run in json.loads(done.stdout))
        assert 0 < len(wanted) < 24
        narrow(page, text, len(wanted))
        assert sorted(names(page)) == wanted, text


def test_two_columns_sort_and_the_link_brings_it_back(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(wine(team_site))
    settled(page)
    narrow(page, "tags.team = 'red'", 12)
    page.click("button.sort[data-key='params.depth']")
    page.click("button.sort[data-key='metrics.accuracy']", modifiers=["Shift"])
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("b")
    settled(page)
    runs = [run for run in team_site.runs if run.tags.get("team") == "red"]
    depths = [int(next(run for run in runs if run.name == name).params["depth"]) for name in names(page)]
    assert depths in (sorted(depths), sorted(depths, reverse=True))
    again = open_page(page.url)
    settled(again)
    assert names(again) == names(page)
    assert again.input_value("#rf-filter") == "tags.team = 'red'"
    assert again.evaluate("[...rf.table.selection.keys()]") == page.evaluate("[...rf.table.selection.keys()]")
    assert again.evaluate("rf.table.baseline") == page.evaluate("rf.table.baseline") >= 0
    assert again.locator(".runs-pinned a").first.text_content() == page.locator(".runs-pinned a").first.text_content()


def test_back_undoes_what_was_done_last(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(wine(team_site))
    settled(page)
    narrow(
        page,
        "metrics.accuracy > 0.87",
        page.evaluate("() => rf.table.column('metrics.accuracy').num.filter(v => v > 0.87).length"),
    )
    page.go_back()
    page.wait_for_function("() => rf.table.rows.length === 24")
    assert page.input_value("#rf-filter") == ""
    page.go_forward()
    page.wait_for_function("() => rf.table.rows.length < 24")


def test_columns_are_chosen_and_replicates_are_one_row(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(wine(team_site))
    settled(page)
    page.click("[data-do=columns]")
    page.fill("dialog input[type=search]", "team")
    page.check("dialog .choice input >> nth=0")
    leave_dialog(page)
    page.wait_for_selector(".runs-names >> text=team")
    page.click("[data-do=group]")
    page.wait_for_selector(".runs-rows tr.group")
    assert page.locator(".runs-rows tr").count() < 24
    assert "±" in page.locator(".runs-rows .goal-value").first.text_content()


def test_keys_lead_from_the_table_to_what_differs(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(wine(team_site))
    settled(page)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "rf-filter"
    leave_dialog(page)
    page.keyboard.press("?")
    assert page.locator("dialog h2").text_content() == "Keyboard shortcuts"
    leave_dialog(page)
    for key in "jxjjxkj":
        page.keyboard.press(key)
    assert page.evaluate("rf.table.selection.size") == 2
    page.keyboard.press("c")
    page.wait_for_url("**/compare.html#r=*")
    page.wait_for_selector("[data-part=Parameters] tbody tr")
    shown = set(page.locator("[data-part=Parameters] tbody th").all_inner_texts())
    chosen = [next(run for run in team_site.runs if run.run_id == one) for one in page.url.partition("#r=")[2].split(",")]
    assert shown == {key for key in chosen[0].params if len({run.params[key] for run in chosen}) > 1}
    assert "same" not in shown


def test_the_theme_that_is_chosen_stays(
    team_site: BuiltSite, serve: Callable[[Path], str], open_page: Callable[..., Any]
) -> None:
    root = serve(team_site.out)
    page = open_page(root + "index.html")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("[data-theme-switch]")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != before
    page.goto(root + "e/wine/index.html")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    settled(page)
    assert page.get_attribute("[data-theme-switch]", "aria-pressed") == "true"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_downloads_are_what_is_shown(team_site: BuiltSite, open_page: Callable[..., Any], kind: str) -> None:
    pandas = pytest.importorskip("pandas")
    page = open_page(wine(team_site))
    settled(page)
    narrow(page, "tags.team = 'blue'", 12)
    page.click("details.menu summary")
    with page.expect_download() as saved:
        page.click(f"[data-save={kind}]")
    data = Path(saved.value.path()).read_bytes()
    frame = pandas.read_csv(io.BytesIO(data)) if kind == "csv" else pandas.read_parquet(io.BytesIO(data))
    assert len(frame) == 12
    runs = {run.run_id: run for run in team_site.runs}
    column = next(name for name in frame.columns if name.endswith("run_id"))
    goal = next(name for name in frame.columns if name.endswith("accuracy"))
    assert dict(zip(frame[column], frame[goal], strict=True)) == {
        one: pytest.approx(runs[one].metrics["accuracy"].last) for one in frame[column]
    }


def test_searching_finds_experiments_and_runs(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.address("search.html"))
    page.fill("#search-box", "forest-07")
    page.wait_for_selector("#search-found a")
    page.click("#search-found a >> text=forest-07")
    settled(page)
    assert page.text_content("h1") == "forest-07"
    page.goto(team_site.address("search.html"))
    page.fill("#search-box", "digits")
    page.wait_for_selector("#search-found a >> text=digits")


def test_a_run_without_a_page_of_its_own_tells_what_those_with_one_tell(
    team_site: BuiltSite, open_page: Callable[..., Any]
) -> None:
    written = next(run for run in team_site.runs if (team_site.out / "r" / run.run_id).is_dir() and run.experiment == "wine")
    assert any(not (team_site.out / "r" / run.run_id).is_dir() for run in team_site.runs)
    facts = """() => ["#metrics", "#params", "#origin", "#artifacts .row", "h1"].map(part => [...document.querySelectorAll(part)]
        .map(found => found.innerText.replace(/\\s+/g, " ").trim()).join("|"))"""
    own, shell = (
        open_page(team_site.address(f"r/{written.run_id}/index.html")),
        open_page(team_site.address(f"r/run.html#{written.run_id}")),
    )
    settled(own)
    settled(shell)
    assert shell.evaluate(facts) == own.evaluate(facts)
    assert "accuracy" in own.inner_text("#metrics")


def test_an_address_that_is_not_there_leads_home_from_any_depth(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.out / "404.html")
    assert page.locator("main a").count() >= 1
    with page.expect_navigation():
        page.click("main a >> nth=0")
    page.locator("h1").wait_for()
    assert page.locator("h1").count() == 1


def test_without_scripts_every_page_shows_its_facts(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.out / "index.html", javascript=False)

    def seen(place: str) -> str:
        page.goto(team_site.address(place))
        assert page.locator(".js-only:visible").count() == 0, place
        return str(page.inner_text("main"))

    assert "forest-23" in seen("index.html") or "mlp-3" in seen("index.html")
    assert page.locator("main svg").count() > 0
    assert "wine" in seen("experiments/index.html")
    assert "forest-23" in seen("e/wine/index.html")
    assert page.locator("main aside svg").count() > 0
    run = team_site.run("mlp-3")
    text = seen(f"r/{run.run_id}/index.html")
    assert "valid_accuracy" in text
    assert "A small network." in text
    assert page.locator("#curves svg path").count() > 0
    assert "runfolio runs compare" in seen("compare.html")
    assert "runs/" in seen("r/run.html")
    change = min(path.parent.name for path in (team_site.out / "changes").glob("*/index.html"))
    for place in (
        "changes/index.html",
        f"changes/{change}/index.html",
        "data.html",
        "about.html",
        "search.html",
        "404.html",
        "models/index.html",
    ):
        assert len(seen(place)) > 20, place


def test_every_link_of_the_site_leads_to_a_file_of_it(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.out / "index.html")
    dead = []
    for place in team_site.pages():
        page.goto("about:blank")
        page.goto(team_site.address(place))
        settled(page)
        for href in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
            path = href.partition("#")[0]
            if path.startswith("file://") and not Path(path.removeprefix("file://")).is_file():
                dead.append((place, href))
    assert dead == []


def test_changes_lead_from_a_commit_to_its_runs(team_site: BuiltSite, open_page: Callable[..., Any]) -> None:
    page = open_page(team_site.out / "changes" / "index.html")
    page.click("main a >> text=/run/ >> nth=0")
    settled(page)
    assert "forest" in page.inner_text("main")
    page.click("main a >> text=/^forest-/ >> nth=0")
    settled(page)
    assert page.text_content("h1").startswith("forest-")


def test_serving_brings_a_new_run_to_a_page_that_is_open(tmp_path: Path, open_page: Callable[..., Any]) -> None:
    folder = new_folio(tmp_path / "folio")
    log = "import sys, runfolio\nrunfolio.set_experiment('wine')\nwith runfolio.start_run(run_name=sys.argv[1]):\n    runfolio.log_metric('a', 1)\n"
    train(folder, log, "first")
    commit(folder)
    with served(folder) as address:
        page = open_page(address)
        assert page.locator("text=first").count() >= 1
        train(folder, log, "second")
        commit(folder)
        page.wait_for_selector("text=second", timeout=60_000)
        page.goto("about:blank")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run ``runfolio site serve`` and give its address."""
    with subprocess.Popen(
        [sys.executable, "-u", "-c", CLI, "site", "serve", "--port", "0"],
        cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        said: queue.Queue[str] = queue.Queue()
        assert process.stderr is not None
        reader = threading.Thread(target=lambda lines: [said.put(line) for line in lines], args=(process.stderr,))
        reader.start()
        try:
            line = said.get(timeout=60)
            assert "http://" in line, line
            yield line[line.index("http://") :].split()[0]
        finally:
            process.terminate()
            reader.join()


def commit(folder: Path) -> None:
    folio = open_folio(folder)
    try:
        folio.commit()
    finally:
        folio.close()
