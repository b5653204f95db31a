"""The site: what a build costs beside its peers, and what a reader's browser waits for."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import peers
from benchmarks.browsing import OUR_ROWS, THEIR_ROWS, Visit, browser, chromium, mlflow_ui, served, visit
from benchmarks.places import HERE, clean_environment, fill, folio, mlflow, result

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

MANY = 102_500
"""Not 100,000, whose last shard is just full: the table's part that a new run changes is half as large as it can be."""
ONE_RUN = "import runfolio\nrunfolio.set_experiment('bench')\nwith runfolio.start_run(): runfolio.log_metric('m0', 0.5)\n"
NUMBER = [{"order": [{"key": f"metrics.m{key}", "ascending": True}]} for key in (1, 0)]
TEXT = [{"order": [{"key": key, "ascending": True}]} for key in ("attributes.run_name", "params.p1")]
FILTER = [{"text": "metrics.m0 > 0.5 and params.p1 = '3'"}, {"text": ""}]


def _folio(setting: Setting, count: int) -> Path:
    folder = folio(setting.folder / f"runs-{count}", "process", "ledger")
    fill(folder, count, "refs/heads/ledger")
    return folder


def _build(folder: Path, out: Path) -> float:
    """Return the CPU seconds of one build, our start included."""
    from benchmarks.rows import cpu_of

    return cpu_of([sys.executable, "-m", "runfolio", "site", "build", "-o", str(out)], folder)


def _full(setting: Setting, folder: Path, number: int) -> float:
    return _build(folder, setting.folder / f"site-{folder.name}-{number}")


def _median(rounds: int, folder: Path, setting: Setting) -> float:
    return statistics.median(_full(setting, folder, number) for number in range(rounds))


def site_build(setting: Setting) -> Iterator[Row]:
    """Builds: full, with nothing new, with one new run; beside asv and a bare loop of Jinja2."""
    from benchmarks.rows import Row

    few, many = setting.size(10_000, 1000), setting.size(MANY, 4000)
    rounds = setting.size(3, 1)
    folder = _folio(setting, few)
    subprocess.run([sys.executable, "-m", "runfolio", "runs", "list", "-n", "1"], cwd=folder, env=clean_environment(), check=True)
    full = _median(rounds, folder, setting)
    out = setting.folder / f"site-{folder.name}-0"
    if not setting.alone:
        yield from _beside_asv(setting, full, few)
    yield from _beside_jinja(setting, folder, out, few)
    again = statistics.median(_build(folder, out) for _ in range(rounds))
    yield Row(
        f"a build with nothing new, {few:,} runs", "a full one", again / full, "≤ 5 %", f"{again:.2f} s CPU, start included"
    )
    large = _folio(setting, many)
    subprocess.run([sys.executable, "-m", "runfolio", "runs", "list", "-n", "1"], cwd=large, env=clean_environment(), check=True)
    whole, out = _full(setting, large, 0), setting.folder / f"site-{large.name}-0"
    yield Row(
        f"CPU a run of a full build, {many:,} runs", f"{few:,} runs", whole / many / (full / few), "about 1", f"{whole:.0f} s CPU"
    )
    again = _build(large, out)
    yield Row(f"a build with nothing new, {many:,} runs", "a full one", again / whole, "≤ 5 %", f"{again:.2f} s CPU")
    subprocess.run([sys.executable, "-c", ONE_RUN], cwd=large, env=clean_environment(), check=True)
    subprocess.run([sys.executable, "-m", "runfolio", "commit"], cwd=large, env=clean_environment(), check=False)
    one = _build(large, out)
    yield Row(f"a build with one new run among {many:,}", "a full one", one / whole, "≤ 10 %", f"{one:.2f} s CPU")
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    yield Row(f"bytes of the site of {many:,} runs", "400 MB", sum(sizes) / 4e8, "≤ 1 ×", f"{sum(sizes) / 1e6:.0f} MB")
    yield Row(f"files of the site of {many:,} runs", "10,000", len(sizes) / 10_000, "≤ 1 ×", f"{len(sizes):,} files")


def _beside_asv(setting: Setting, full: float, count: int) -> Iterator[Row]:
    from benchmarks.rows import Row, cpu_of

    python, work = peers.python_of("asv"), setting.new("asv")
    subprocess.run([sys.executable, str(HERE / "asv_results.py"), str(work), str(count)], env=clean_environment(), check=True)
    theirs = cpu_of([str(python), "-m", "asv", "publish"], work)
    yield Row(
        f"CPU of a full build, {count:,} runs", f"`asv publish`, {count:,} results of 5 values", full / theirs, "< 1 ×",
        f"{full:.1f} s beside {theirs:.1f} s",
    )  # fmt: skip


def _beside_jinja(setting: Setting, folder: Path, out: Path, count: int) -> Iterator[Row]:
    """Measure both sides in turn, and yield the median of the ratios."""
    from benchmarks.rows import Row, cpu_of

    plain = [sys.executable, str(HERE / "plain_jinja.py")]
    turns: list[tuple[float, float, float]] = []
    for number in range(setting.size(5, 1)):
        whole, bare = setting.new(f"plain-records-{number}"), setting.new(f"plain-pages-{number}")
        ours = _build(folder, setting.folder / f"site-beside-{number}")
        reads = cpu_of([*plain, "records", str(folder), "refs/heads/ledger", str(whole)], setting.folder)
        turns.append((ours, reads, float(result([*plain, "pages", str(count), str(bare)], setting.folder))))
    ours, reads, bare = (statistics.median(side) for side in zip(*turns, strict=True))
    what = f"CPU of a full build, {count:,} runs"
    ratio = statistics.median(turn[0] / turn[1] for turn in turns)
    notes = f"{ours:.1f} s beside {reads:.1f} s: reads the same records from git, parses each once, one page of 5 kB a run; starts included"
    yield Row(what, "a plain Jinja2 program over the same records", ratio, "≤ 2 ×", notes)
    ratio = statistics.median(turn[0] / turn[2] for turn in turns)
    notes = f"beside {bare:.1f} s: only rendering and writing, of values that are at hand; ours starts, reads, chooses, encodes"
    yield Row(what, "the loop of that program alone", ratio, "≤ 2 ×", notes)
    same = float(result([*plain, "copy", str(out), str(setting.new("plain-copy"))], setting.folder))
    notes = f"beside {same:.1f} s, for what a build costs beyond writing bytes: most are data, and no templates"
    yield Row(what, "a bare Jinja2 loop that writes the same files, encoded already", ours / same, "", notes)


def site_pages(setting: Setting) -> Iterator[Row]:
    """An experiment's page in Chromium, from the navigation to rows; beside MLflow's page of 10,000 runs."""
    if chromium() is None:
        print("site-pages: NOT MEASURED, Chromium is not installed", file=sys.stderr)
        return
    rounds = setting.size(5, 1)
    with browser() as started:
        theirs = [] if setting.alone else _theirs(setting, started, setting.size(10_000, 2000), rounds)
        for count in (setting.size(10_000, 1000), setting.size(MANY, 4000)):
            folder = _folio(setting, count)
            out = setting.folder / f"site-{folder.name}"
            _build(folder, out)
            with served(out) as url:
                page = f"{url}/e/bench/index.html"
                acts = {"number": NUMBER, "text": TEXT, "filter": FILTER}
                fast = [visit(started, page, OUR_ROWS, count, acts=acts) for _ in range(rounds)]
                slow = [visit(started, page, OUR_ROWS, count, slow=True) for _ in range(rounds)]
            yield from _page_rows(count, fast, slow, theirs)


def _theirs(setting: Setting, started: Any, count: int, rounds: int) -> list[Visit]:
    python, work = peers.python_of("mlflow"), setting.new("ui-mlflow")
    store = f"sqlite:///{work}/m.db"
    mlflow(python, work, "fill", store, count)
    with mlflow_ui(python, work, store) as url:
        page = f"{url}/#/experiments/1"
        visit(started, page, THEIR_ROWS)  # its workers start and compile with the first
        return [visit(started, page, THEIR_ROWS) for _ in range(rounds)]


def _page_rows(count: int, fast: list[Visit], slow: list[Visit], theirs: list[Visit]) -> Iterator[Row]:
    from benchmarks.rows import Row

    def middle(visits: list[Visit], name: str) -> float:
        return statistics.median(getattr(item, name) for item in visits)

    first, whole, runs = middle(fast, "first"), middle(fast, "whole"), f"{count:,} runs"
    if theirs:
        peer, shown = "MLflow 2.22's page of 10,000 runs, SQLite", middle(theirs, "first")
        notes = f"{first:.0f} ms beside {shown:.0f} ms"
        yield Row(f"navigation to first rows, {runs}", peer, shown / first, "≥ 5 ×" if count <= 10_000 else "> 1 ×", notes)
        notes = f"{whole:.0f} ms; theirs are the newest 100 rows, and the server sorts"
        yield Row(f"navigation to all rows, sorted here, {runs}", peer, shown / whole, "", notes)
        ours_, their = (sum(visits[0].wire.values()) for visits in (fast, theirs))
        yield Row(
            f"bytes of the page at rest, {runs}", peer, their / ours_, "", f"{ours_ / 1e3:,.0f} kB beside {their / 1e3:,.0f} kB"
        )
    before = fast[0].before
    start = before["Document"] + before["Stylesheet"]
    yield Row(
        f"bytes to first rows, {runs}", "25 kB", start / 25e3, "≤ 1 ×", f"{start / 1e3:.1f} kB: HTML and CSS, heads included"
    )
    most = 250e3 if count <= 10_000 else 1.9e6
    came = statistics.median(sum(item.before.values()) for item in fast)
    yield Row(f"bytes to the whole table, {runs}", f"{most / 1e3:,.0f} kB", came / most, "≤ 1 ×", f"{came / 1e3:,.0f} kB")
    limit = 100 if count <= 10_000 else 150
    for act, words in (("number", "sort by a number"), ("text", "sort by text"), ("filter", "filter by two conditions")):
        took = statistics.median(item.acts[act] for item in fast)
        yield Row(f"{words}, call to paint, {runs}", f"{limit} ms", took / limit, "≤ 1 ×", f"{took:.0f} ms")
    heap, limit = middle(fast, "heap"), 40
    yield Row(
        f"heap of the page's scripts, typed arrays included, {runs}", f"{limit} MB", heap / limit, "≤ 1 ×", f"{heap:.1f} MB"
    )
    took, limit = middle(slow, "whole"), 800 if count <= 10_000 else 2500
    yield Row(f"whole table at 10 Mbit/s and 40 ms, {runs}", f"{limit} ms", took / limit, "≤ 1 ×",
              f"{took:.0f} ms; first rows after {middle(slow, 'first'):.0f} ms")  # fmt: skip
