"""The run table in a real browser: what a reader does with it."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from runfolio.diff.statistics import values_of_replicates
from tests.site.table_site import TableSite
from tests.site.visiting import leave_dialog

pytestmark = pytest.mark.browser

CORE = [
    "attributes.run_name", "metrics.acc", "metrics.loss", "params.opt", "params.lr", "attributes.status", "attributes.start_time",
    "attributes.duration",
]  # fmt: skip
OBJECTIVE = {"metric": "acc", "direction": "max", "replicate": "seed"}


def some_rows(count: int) -> list[dict[str, Any]]:
    chance = random.Random(5)
    rows = []
    for at in range(count):
        rows.append(
            {
                "run_id": f"0193a0{at:06x}7{at:019x}",
                "attributes.run_name": f"run-{at}",
                "attributes.status": "FAILED" if at % 40 == 39 else "FINISHED",
                "attributes.start_time": 1_763_000_000_000 + 60_000 * at,
                "attributes.duration": 1000 * at,
                "metrics.acc": round(chance.uniform(0.5, 1), 6),
                "metrics.loss": round(chance.uniform(0, 3), 6),
                "params.opt": chance.choice(["adam", "sgd"]),
                "params.lr": chance.choice(["0.1", "0.01"]),
                "params.seed": str(at % 5),
                "tags.team": chance.choice(["red", "blue"]),
            }
        )
    return rows


def best(rows: Sequence[dict[str, Any]], count: int = 50) -> list[int]:
    return sorted(range(len(rows)), key=lambda at: (-rows[at]["metrics.acc"], -at))[:count]


class Reader:
    """Somebody in front of the table."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.evaluate("rf.table && rf.table.ready")

    def settle(self) -> None:
        self.page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done)), 60))")
        self.page.evaluate("rf.table && rf.table.drawn")
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def names(self) -> list[str]:
        return self.page.eval_on_selector_all(".runs-rows tr", "rows => rows.map(row => row.querySelector('a').textContent)")

    def rows(self) -> list[int]:
        return self.page.evaluate("Array.from(rf.table.rows)")

    def filter(self, text: str) -> None:
        self.page.fill("#rf-filter", text)
        self.page.keyboard.press("Enter")
        self.settle()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            if key == "Escape":  # Chromium closes a dialog when its own process has heard of the key
                self.page.wait_for_selector("dialog", state="detached")
            self.settle()

    @property
    def hash(self) -> str:
        return self.page.evaluate("location.hash")


@pytest.fixture
def table(open_page: Any, tmp_path: Path) -> Callable[..., Reader]:
    def make(
        rows: list[dict[str, Any]], *, fragment: str = "", phone: bool = False, first: Sequence[int] | None = None, **more: Any
    ) -> Reader:
        options = {"core": CORE, "objective": OBJECTIVE, "baseline": 3, **more}
        site = TableSite(tmp_path / "site", rows, **options)
        path = site.page(best(rows) if first is None else first)
        return Reader(open_page(path.as_uri() + fragment, phone=phone))

    return make


# ---- taking over


def test_nothing_changes_when_the_script_takes_over_from_the_html(open_page, tmp_path) -> None:
    rows = some_rows(300)
    path = TableSite(tmp_path, rows, core=CORE, objective=OBJECTIVE, baseline=3).page(best(rows))
    shape = """() => ["thead tr:last-child > *", ".runs-pinned tr > *", ".runs-rows tr:nth-child(-n+20) > *"].map((places) =>
      [...document.querySelectorAll(places)].filter((cell) => cell.offsetWidth).map((cell) => {
        const { x, y, width, height } = cell.getBoundingClientRect();
        return [cell.innerText.trim(), getComputedStyle(cell).color, getComputedStyle(cell).fontWeight, x, y, width, height].join("|");
      }))"""
    live = open_page(path)
    live.evaluate("rf.table.ready")
    after = live.evaluate(shape)
    stopped = TableSite(tmp_path / "still", rows, core=CORE, objective=OBJECTIVE, baseline=3).page(best(rows), scripts=False)
    stopped.write_text(stopped.read_text().replace('<html lang="en">', '<html lang="en" class="js">'))
    html = open_page(stopped)
    assert html.evaluate(shape) == after


def test_without_scripts_the_first_rows_are_there_and_nothing_that_needs_them_shows(open_page, tmp_path) -> None:
    rows = some_rows(300)
    page = open_page(TableSite(tmp_path, rows, core=CORE, objective=OBJECTIVE, baseline=3).page(best(rows)), javascript=False)
    assert page.locator(".runs-rows tr").count() == 50
    assert not page.locator("#rf-filter").is_visible()
    assert page.locator(".runs input").first.is_visible() is False
    assert "50 of 300 runs" in page.text_content(".runs-foot")


# ---- rows in view


def test_only_rows_in_view_exist_and_scrolling_brings_the_others(table) -> None:
    rows = some_rows(2000)
    reader = table(rows)
    order = [f"run-{at}" for at in best(rows, 2000)]
    assert reader.names() == order[: len(reader.names())]
    assert len(reader.names()) < 60
    reader.page.evaluate("document.querySelector('.runs-scroll').scrollTop = 36 * 1000")
    reader.settle()
    shown = reader.names()
    assert len(shown) < 60
    assert order[1000] in shown
    assert shown == order[order.index(shown[0]) : order.index(shown[0]) + len(shown)]
    first = reader.page.get_attribute(".runs-rows tr", "aria-rowindex")
    assert int(first) == order.index(shown[0]) + 4  # two lines of head and the baseline stand above the first
    assert reader.page.get_attribute(".runs", "aria-rowcount") == "2003"
    reader.page.evaluate("document.querySelector('.runs-scroll').scrollTop = 1e9")
    reader.settle()
    assert reader.names()[-1] == order[-1]
    assert reader.page.text_content(".runs-shown").endswith("2,000 of 2,000")


def test_above_16_million_pixels_the_scroll_bar_is_scaled_and_every_row_is_reached(table) -> None:
    reader = table(some_rows(40))
    reader.page.evaluate(
        "() => { rf.table.entries = Uint32Array.from({ length: 1e6 }, (_, at) => at % 40); rf.table.entries[999999] = 7; rf.view.render(); }"
    )
    assert reader.page.evaluate("document.querySelector('.runs-sizer').offsetHeight") == 16_000_000
    reader.page.evaluate("document.querySelector('.runs-scroll').scrollTop = 16e6")
    reader.settle()
    last = reader.page.locator(".runs-rows tr").last
    assert last.get_attribute("aria-rowindex") == "1000003"
    assert last.locator("a").text_content() == "run-7"
    box, frame = last.bounding_box(), reader.page.locator(".runs-scroll").bounding_box()
    assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1


def test_another_order_starts_at_the_top_and_other_columns_where_the_reader_is(table) -> None:
    reader = table(some_rows(500))
    place = "document.querySelector('.runs-scroll').scrollTop"
    reader.page.evaluate(f"{place} = 5000")
    reader.settle()
    reader.page.evaluate("rf.table.set({ keys: ['metrics.acc', 'params.seed'] })")
    reader.settle()
    assert reader.page.evaluate(place) == 5000
    reader.page.evaluate("rf.table.sortBy('params.seed')")
    reader.settle()
    assert reader.page.evaluate(place) == 0


# ---- order


def test_a_click_sorts_a_second_turns_round_and_shift_adds_a_key(table) -> None:
    rows = some_rows(300)
    reader = table(rows)
    reader.page.click("button.sort[data-key='metrics.loss']")
    reader.settle()
    assert reader.rows() == sorted(range(300), key=lambda at: (-rows[at]["metrics.loss"], -at))
    reader.page.click("button.sort[data-key='metrics.loss']")
    reader.settle()
    assert reader.rows() == sorted(range(300), key=lambda at: (rows[at]["metrics.loss"], -at))
    reader.page.click("button.sort[data-key='params.opt']")
    reader.page.click("button.sort[data-key='params.lr']", modifiers=["Shift"])
    reader.settle()
    assert reader.rows() == sorted(range(300), key=lambda at: (rows[at]["params.opt"], rows[at]["params.lr"], -at))
    assert reader.page.locator(".sort-place").all_text_contents() == ["1", "2"]
    assert reader.page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    assert reader.hash == "#s=params.opt,params.lr"


# ---- filter


def test_a_filter_shows_its_count_and_a_fault_says_where(table) -> None:
    rows = some_rows(300)
    reader = table(rows)
    reader.filter("metrics.acc > 0.9 AND params.opt = 'adam'")
    wanted = [at for at in best(rows, 300) if rows[at]["metrics.acc"] > 0.9 and rows[at]["params.opt"] == "adam"]
    assert reader.rows() == wanted
    assert reader.page.text_content(".filter-count") == f"{len(wanted)} of 300"
    reader.filter("accuracy > 0.9")
    assert "'accuracy' is not an attribute" in reader.page.text_content(".filter-fault")
    assert reader.page.get_attribute("#rf-filter", "aria-invalid") == "true"
    assert reader.rows() == wanted
    reader.filter("tags.team = 'red'")  # a column that is not shown is loaded
    assert reader.rows() == [at for at in best(rows, 300) if rows[at]["tags.team"] == "red"]
    assert reader.page.is_hidden(".filter-fault")
    reader.filter("params.nobody = 'x'")
    assert reader.page.text_content(".runs-shown") == "No run matches the filter"


# ---- address


def test_the_whole_state_is_in_the_address_and_comes_back_from_it(table, open_page) -> None:
    rows = some_rows(200)
    reader = table(rows)
    reader.filter("metrics.acc > 0.7 AND tags.team != 'é,&=+#%'")
    reader.page.click("button.sort[data-key='metrics.loss']")
    reader.page.click("[data-do=columns]")
    reader.page.check("dialog label:has-text('team') input")
    reader.page.uncheck("dialog label:has-text('lr') input")
    reader.page.click("dialog >> text=Close")
    reader.settle()
    reader.press("j", "x", "j", "j", "x", "b")
    state = "({ text: rf.table.text, order: rf.table.order, keys: rf.table.keys, chosen: [...rf.table.selection], base: rf.table.baseline, rows: [...rf.table.rows] })"
    wanted = reader.page.evaluate(state)
    assert wanted["keys"] == ["metrics.acc", "metrics.loss", "params.opt", "tags.team", "attributes.start_time"]
    assert wanted["base"] == wanted["chosen"][1][0] != 3
    again = Reader(open_page(reader.page.url))
    assert again.page.evaluate(state) == wanted
    assert again.page.input_value("#rf-filter") == "metrics.acc > 0.7 AND tags.team != 'é,&=+#%'"


def test_the_back_button_undoes_a_step(table) -> None:
    reader = table(some_rows(100))
    before = reader.rows()
    reader.page.click("button.sort[data-key='metrics.loss']")
    reader.settle()
    sorted_ = reader.rows()
    reader.filter("metrics.acc > 0.9")
    reader.page.go_back()
    reader.settle()
    assert reader.rows() == sorted_
    assert reader.page.input_value("#rf-filter") == ""
    reader.page.go_back()
    reader.settle()
    assert reader.rows() == before
    assert reader.hash == ""


# ---- keys


def test_keys_move_select_pin_and_compare(table, tmp_path) -> None:
    rows = some_rows(120)
    reader = table(rows)
    order = best(rows, 120)
    reader.press("j", "j", "x", "k", "x")
    focused = reader.page.evaluate("document.activeElement.textContent")
    assert focused == f"run-{order[0]}"
    assert reader.page.evaluate("[...rf.table.selection]") == [[order[1], 1], [order[0], 2]]
    assert reader.page.text_content(".runs-chosen") == "2 selected"
    reader.press("b")
    assert reader.page.text_content(".runs-pinned a") == f"run-{order[0]}"
    reader.press("/")
    assert reader.page.evaluate("document.activeElement.id") == "rf-filter"
    reader.press("j", "Escape")  # a letter in the filter, not a key of the table
    assert reader.page.input_value("#rf-filter") == "j"
    reader.page.fill("#rf-filter", "")
    reader.press("Escape", "?")
    assert "Keyboard shortcuts" in reader.page.text_content("dialog")
    reader.press("Escape")
    assert reader.page.locator("dialog").count() == 0
    (tmp_path / "site" / "compare.html").write_text('<link rel="icon" href="data:,">compare')
    reader.page.keyboard.press("c")
    reader.page.wait_for_url("**/compare.html*")
    ids = [rows[at]["run_id"] for at in (order[1], order[0])]
    assert reader.page.url.endswith(f"/compare.html#r={','.join(ids)}")


def test_j_goes_on_beyond_what_is_in_view(table) -> None:
    rows = some_rows(120)
    reader = table(rows)
    for _ in range(45):
        reader.page.keyboard.press("j")
    reader.settle()
    assert reader.page.evaluate("document.activeElement.textContent") == f"run-{best(rows, 120)[44]}"


def test_a_row_leads_to_its_own_page_or_to_the_one_that_reads_its_data(table) -> None:
    rows = some_rows(60)
    reader = table(rows, first=[])
    reader.page.hover(".runs-rows tr:nth-child(2)")
    reader.settle()
    links = reader.page.eval_on_selector_all(
        ".runs-rows a", "links => links.map(link => [link.textContent, link.getAttribute('href')])"
    )
    for name, href in links:
        at = int(name[4:])
        own = f"../../r/{rows[at]['run_id']}/index.html"
        assert href == (own if at % 7 == 0 else f"../../r/run.html#{rows[at]['run_id']}")


# ---- baseline


def test_differences_are_told_against_the_baseline_by_arrow_sign_and_colour(table) -> None:
    rows = some_rows(30)
    for at, value in enumerate((0.7, 0.8, 0.9, 0.8)):
        rows[at]["metrics.acc"] = value
    reader = table(rows)
    cells = dict(reader.page.eval_on_selector_all(
        ".runs-rows tr", "rows => rows.map(row => [row.querySelector('a').textContent, [row.querySelector('.delta').textContent, row.querySelector('.delta').className]])"
    ))  # fmt: skip
    assert cells["run-0"] == ["▼ −0.1000", "delta bad"]
    assert cells["run-1"] == ["±0", "delta faint"]
    assert cells["run-2"] == ["▲ +0.1000", "delta good"]
    assert cells["run-3"] == ["", "delta faint"]
    differing = dict(reader.page.eval_on_selector_all(
        ".runs-rows tr", "rows => rows.map(row => [row.querySelector('a').textContent, [...row.querySelectorAll('.differs')].map(cell => cell.textContent)])"
    ))  # fmt: skip
    for at, row in enumerate(rows):
        assert differing[f"run-{at}"] == [row[key] for key in ("params.opt", "params.lr") if row[key] != rows[3][key]]


# ---- groups


def test_replicates_are_one_row_with_mean_and_interval(table) -> None:
    rows = some_rows(200)
    reader = table(rows)
    reader.page.click("[data-do=group]")
    reader.settle()
    groups: dict[tuple[str, str], list[int]] = {}
    for at in best(rows, 200):
        groups.setdefault((rows[at]["params.opt"], rows[at]["params.lr"]), []).append(at)

    def replicates(members: list[int]) -> tuple[float, ...]:
        return values_of_replicates((rows[at]["params.seed"], rows[at]["metrics.acc"]) for at in members)

    means = {key: statistics.fmean(replicates(members)) for key, members in groups.items()}
    wanted = sorted(groups, key=lambda key: -means[key])
    found = reader.page.evaluate("rf.table.entries")
    assert found == [groups[key] for key in wanted]
    values = replicates(groups[wanted[0]])
    assert len(values) < len(groups[wanted[0]])  # a seed of several runs is one replicate, as in the report
    summary = reader.page.evaluate("rf.groups.summary(rf.table.column('metrics.acc').num, rf.table.entries[0], rf.table.seeds())")
    assert summary["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert summary["count"] == len(values)
    half = reader.page.evaluate("n => rf.groups.quantile(n)", len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    assert summary["half"] == pytest.approx(half, rel=1e-9)
    text = reader.page.text_content(".runs-rows .goal-value")
    assert text == f"{summary['mean']:.4f} ± {summary['half']:.4f} ({len(values)})"
    reader.page.click(".runs-rows .fold")
    reader.settle()
    assert reader.page.evaluate("rf.table.entries.slice(1, 4)") == groups[wanted[0]][:3]
    reader.page.click(".runs-rows .fold")
    reader.page.check(".runs-rows tr.group >> nth=1 >> input")
    reader.settle()
    assert sorted(reader.page.evaluate("[...rf.table.selection.keys()]")) == sorted(groups[wanted[1]])
    assert reader.hash.startswith("#g=1")


def test_a_run_that_was_made_again_is_no_further_replicate(scripts_page) -> None:
    seeded = """() => {
        const seeds = { has: [1, 1, 1, 1, 1, 0], text: (row) => ["a", "a", "b", "c", "c", ""][row] };
        return rf.groups.summary(Float64Array.from([1, 1, 2, 3, 5, 8]), [0, 1, 2, 3, 4, 5], seeds);
    }"""
    found = scripts_page.evaluate(seeded)
    assert (found["mean"], found["count"]) == (3.75, 4)
    bare = "values => rf.groups.summary(Float64Array.from(values), values.map((_, at) => at), null)"
    assert scripts_page.evaluate(bare, [5, 5, 5]) == {"mean": 5, "half": None, "count": 1}
    assert [scripts_page.evaluate(bare, values)["count"] for values in ([5, 6], [5, 5, 6])] == [2, 3]


def test_students_t_is_that_of_the_tables(scripts_page) -> None:
    found = scripts_page.evaluate("[1, 2, 4, 9, 30, 31, 40, 60, 120, 1000].map(rf.groups.quantile)")
    tables = [12.7062, 4.3027, 2.7764, 2.2622, 2.0423, 2.0395, 2.0211, 2.0003, 1.9799, 1.9623]
    assert found == pytest.approx(tables, abs=1e-4)


# ---- columns


def test_twelve_thousand_columns_cost_nothing_until_they_are_wanted(table, open_page) -> None:
    rows = some_rows(20)
    for at, row in enumerate(rows):
        row.update({f"metrics.m{number}": number + at / 100 for number in range(at * 600, at * 600 + 600)})
    reader = table(rows, pack=1000)
    assert not [url for url in open_page.requests if "-p" in url or "/columns." in url]
    reader.page.click("[data-do=columns]")
    reader.page.wait_for_selector("dialog .choice")
    assert reader.page.locator("dialog .choice").count() <= 200
    assert "more columns" in reader.page.text_content("dialog .choices")
    reader.page.fill("dialog input[type=search]", "m11999")
    reader.page.check("dialog .choice input >> nth=0")
    reader.page.click("dialog >> text=Close")
    reader.settle()
    assert reader.page.evaluate("rf.table.column('metrics.m11999').value(19)") == pytest.approx(11999.19)
    reader.filter("metrics.m5 >= 5")
    assert reader.rows() == [0]


# ---- narrow screens


def test_on_a_phone_a_run_is_two_lines_with_only_what_differs(table) -> None:
    rows = some_rows(50)
    reader = table(rows, phone=True)
    assert reader.page.evaluate("document.documentElement.scrollWidth") == 390
    run = next(
        at
        for at in best(rows)
        if rows[at]["params.opt"] != rows[3]["params.opt"] and rows[at]["params.lr"] == rows[3]["params.lr"]
    )
    line = reader.page.locator(".runs-rows tr", has=reader.page.locator("a", has_text=f"run-{run}").first).first
    assert line.locator(".c-diff").text_content() == f"opt {rows[run]['params.opt']}"
    assert line.bounding_box()["height"] == 64
    reader.page.select_option("#rf-sort", "metrics.loss")
    reader.settle()
    assert reader.rows() == sorted(range(50), key=lambda at: (rows[at]["metrics.loss"], -at))


# ---- what the rest of the page hears


def test_going_back_takes_baseline_and_selection_along(table) -> None:
    rows = some_rows(50)
    reader = table(rows, fragment=f"#sel={rows[5]['run_id']}&base={rows[6]['run_id']}")
    assert reader.page.evaluate("[rf.table.baseline, [...rf.table.selection.keys()]]") == [6, [5]]
    reader.page.evaluate(
        "() => { window.heard = []; for (const name of ['selection', 'baseline']) rf.on(name, (detail) => window.heard.push([name, detail])); }"
    )
    reader.page.evaluate("location.hash = '#q='")
    reader.settle()
    assert reader.page.evaluate("window.heard") == [["baseline", {"row": 3}], ["selection", {"rows": [], "ids": [], "slots": []}]]
    reader.page.go_back()
    reader.settle()
    assert reader.page.evaluate("[rf.table.baseline, [...rf.table.selection.keys()]]") == [6, [5]]


def test_charts_hear_of_rows_selection_and_baseline_and_may_hold_rows_back(table) -> None:
    rows = some_rows(50)
    reader = table(rows)
    reader.page.evaluate(
        "() => { window.heard = []; for (const name of ['rows', 'selection', 'baseline']) rf.on(name, (detail) => window.heard.push([name, detail])); }"
    )
    reader.press("j", "x", "b")
    reader.page.evaluate("rf.table.brush('scatter', Uint8Array.from({ length: 50 }, (_, row) => row % 2))")
    reader.settle()
    heard = dict(
        reader.page.evaluate(
            "window.heard.map(([name, detail]) => [name, detail.rows ? { ...detail, rows: [...detail.rows] } : detail])"
        )
    )
    top = best(rows)[0]
    assert heard["selection"] == {"rows": [top], "ids": [rows[top]["run_id"]], "slots": [0]}
    assert heard["baseline"] == {"row": top}
    assert heard["rows"] == {"rows": [at for at in best(rows) if at % 2], "total": 50}


# ---- for everyone


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_that_wcag_2_2_aa_forbids(open_page, tmp_path, phone: bool, dark: bool) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="NOT TESTED: axe-playwright-python is not installed"
    )
    rows = some_rows(200)
    page = open_page(
        TableSite(tmp_path, rows, core=CORE, objective=OBJECTIVE, baseline=3).page(best(rows)), phone=phone, dark=dark
    )
    reader = Reader(page)
    reader.press("j", "x", "j", "x")
    rules = {"preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

    def faults() -> list[str]:
        found = axe.Axe().run(page, options=rules).response["violations"]
        return [f"{item['id']}: {node['html'][:200]}" for item in found for node in item["nodes"]]

    assert faults() == []
    page.evaluate("rf.table.set({ grouped: true, text: 'no such thing' })")
    page.click(".menu summary")
    reader.settle()
    assert faults() == []
    leave_dialog(page)
    page.click("[data-do=columns]")
    page.wait_for_selector("dialog .choice")
    assert faults() == []


# ---- many runs, elsewhere


def test_the_table_works_under_a_sub_path_of_a_server(open_page, serve, tmp_path) -> None:
    rows = some_rows(80)
    TableSite(tmp_path, rows, core=CORE, objective=OBJECTIVE, baseline=3, shard=30).page(best(rows))
    reader = Reader(open_page(serve(tmp_path) + "e/wine/index.html#s=attributes.run_name"))
    assert [f"run-{at}" for at in reader.rows()] == sorted(f"run-{at}" for at in range(80))
    reader.filter("params.seed = '3' AND run_id LIKE '%'")
    assert reader.page.text_content(".filter-count") == "16 of 80"


@pytest.mark.slow
def test_a_hundred_thousand_runs_are_filtered_sorted_and_scrolled_whole(open_page, tmp_path) -> None:
    rows = some_rows(100_000)
    reader = Reader(open_page(TableSite(tmp_path, rows, core=CORE, objective=OBJECTIVE, baseline=3).page(best(rows))))
    reader.filter("metrics.acc >= 0.75 AND params.opt = 'adam'")
    wanted = [at for at in best(rows, 100_000) if rows[at]["metrics.acc"] >= 0.75 and rows[at]["params.opt"] == "adam"]
    assert reader.rows() == wanted
    reader.page.evaluate("document.querySelector('.runs-scroll').scrollTop = 36 * 20000")
    reader.settle()
    assert f"run-{wanted[20_000]}" in reader.names()
    assert reader.page.evaluate("document.querySelectorAll('*').length") < 2500
    reader.page.evaluate("rf.table.set({ text: '', grouped: true })")
    reader.settle()
    assert reader.page.evaluate("rf.table.entries.length") == 4
