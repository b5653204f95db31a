"""What a page of 10,000 runs weighs, and how it compares with a plain page over the same data. Bytes and ratios; no milliseconds."""

from __future__ import annotations

import gzip
import json
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.places import fill
from runfolio.folio import initialise, open_folio
from runfolio.site import build_site

RUNS = 10_000
ROUNDS, TURNS = 5, 4


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("budget")
    initialise(folder / "folio", branch="ledger", commit=True).folio.close()
    fill(folder / "folio", RUNS, "refs/heads/ledger")
    folio = open_folio(folder / "folio")
    build_site(folio, folder / "site")
    folio.close()
    (folder / "site" / "plain.html").write_text(plain_page(folder / "site"))
    return folder / "site"


def plain_page(site: Path) -> str:
    """The page that one would write in an afternoon: all runs as objects, sorted by a comparator, the first fifty as HTML."""
    core = next(site.glob("data/e/bench/0-core.*.js")).relative_to(site).as_posix()
    return f"""<!doctype html><title>Plain</title><table><tbody id="rows"></tbody></table><script>
window.rfData = (key, value) => {{
  const columns = Object.entries(value.columns);
  const cell = (c, at) => (c.v ? c.v[at] : c.d[c.c[at]]);
  window.all = Array.from({{length: value.rows}}, (_, at) => Object.fromEntries(columns.map(([k, c]) => [k, cell(c, at)])));
  show();
}};
function show() {{
  rows.innerHTML = all.slice(0, 50).map((run) => "<tr>" + Object.values(run).map((v) => "<td>" + v + "</td>").join("") + "</tr>").join("");
}}
function sortBy(key) {{
  all.sort((a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0));
  show();
}}
</script><script src="{core}"></script>"""


def packed(*paths: Path) -> int:
    assert paths
    return sum(len(gzip.compress(path.read_bytes(), 6)) for path in paths)


def page_files(site: Path) -> tuple[Path, list[Path], list[Path]]:
    """The experiment's page, its styles, its scripts."""
    page = site / "e" / "bench" / "index.html"
    text = page.read_text()
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', text)
    scripts = re.findall(r'<script src="([^"]+)"', text)
    return page, [page.parent / href for href in styles], [page.parent / href for href in scripts]


def core_data(site: Path) -> list[Path]:
    return list(site.glob("data/e/bench/*-core.*.js"))


def test_first_rows_weigh_at_most_25_kilobytes(site: Path) -> None:
    page, styles, _ = page_files(site)
    assert page.read_text().count("<tr") > 20
    assert packed(page, *styles) <= 25_000


def test_the_scripts_of_the_table_page_weigh_at_most_60_kilobytes(site: Path) -> None:
    assert packed(*page_files(site)[2]) <= 60_000


def test_the_whole_table_of_ten_thousand_runs_weighs_at_most_250_kilobytes(site: Path) -> None:
    page, styles, scripts = page_files(site)
    assert packed(page, *styles, *scripts, *core_data(site)) <= 250_000


def test_the_table_holds_a_run_in_at_most_18_bytes(site: Path) -> None:
    # 1.9 MB for the whole table of 100,000 runs, of which 100 kB are page, styles and scripts.
    assert packed(*core_data(site)) <= 18 * RUNS


def test_columns_weigh_less_than_half_of_rows(site: Path) -> None:
    text = core_data(site)[0].read_text()
    held = json.loads(text[text.index(",") + 1 : text.rindex(")")])
    columns = {key: [found["v"][at] if "v" in found else found["d"][found["c"][at]] for at in range(RUNS)]
               for key, found in held["columns"].items()}  # fmt: skip
    rows = [{key: values[at] for key, values in columns.items()} for at in range(RUNS)]
    assert len(text) < len(json.dumps(rows, separators=(",", ":"))) / 2


def test_the_files_do_not_follow_the_runs(site: Path) -> None:
    assert sum(path.is_file() for path in site.rglob("*")) < RUNS / 10


@pytest.mark.browser
def test_the_page_asks_for_the_tables_data_once_and_with_its_scripts(
    site: Path, serve: Callable[[Path], str], open_page: Any
) -> None:
    page = open_page(serve(site) + "e/bench/index.html")
    page.evaluate("rf.table.ready")
    asked = [url for url in open_page.requests if "-core." in url]
    assert len(asked) == 1
    assert page.locator("link[rel=preload]").count() == 1


@pytest.mark.browser
def test_no_more_rows_are_drawn_than_the_screen_holds(site: Path, open_page: Any) -> None:
    page = open_page(site / "e" / "bench" / "index.html")
    page.evaluate("rf.table.ready")
    assert page.evaluate("rf.table.rows.length") == RUNS
    assert page.locator("tr").count() < 120


@pytest.mark.browser
def test_a_sort_of_all_runs_is_not_much_slower_than_the_plain_pages(site: Path, open_page: Any) -> None:
    ours, plain = open_page(site / "e" / "bench" / "index.html"), open_page(site / "plain.html")
    ours.evaluate("rf.table.ready")
    measure = """async (sort) => {
      const start = performance.now();
      await sort();
      document.body.offsetHeight;  // the layout belongs to it
      return performance.now() - start;
    }"""
    told = []
    for _ in range(TURNS):
        our_times, plain_times = [], []
        for at in range(ROUNDS):
            key = f"metrics.m{at % 2}"
            order = f"{{ order: [{{ key: '{key}', ascending: {str(at % 3 == 0).lower()} }}] }}"
            our_times.append(ours.evaluate(f"({measure})(() => rf.table.set({order}, true))"))
            plain_times.append(plain.evaluate(f"({measure})(() => sortBy('{key}'))"))
        told.append(f"ours {our_times}, the plain page's {plain_times}")
        # Medians: one round of one page may be far quicker or slower than its others. In turns: so may five, while the machine does other things.
        if statistics.median(our_times) < 1.5 * statistics.median(plain_times):
            return
    pytest.fail("; ".join(told))
