"""Chromium, and what it measures of one page: when rows are there, what came over the wire, how long a sort takes to paint."""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.places import HERE, clean_environment

OUR_ROWS, THEIR_ROWS = ".runs-rows tr", ".ag-center-cols-container .ag-row"
# Runs before the page's own scripts: looks at each frame, so that no way of asking from outside is in the figures.
WATCH = """(([rows, total]) => {
  window.bench = {};
  bench.done = new Promise((done) => { bench.end = done; });
  const look = () => {
    const now = performance.now();
    if (bench.first === undefined && document.querySelectorAll(rows).length >= 10) bench.first = now;
    const table = total && window.rf && rf.table;
    if (bench.whole === undefined && table && table.base && table.rows.length === total) bench.whole = now;
    if (bench.first === undefined || (total && bench.whole === undefined)) requestAnimationFrame(look);
    else bench.end([bench.first, bench.whole || 0]);
  };
  requestAnimationFrame(look);
})"""
PAINTED = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
ACT = f"""async (changes) => {{
  {PAINTED}
  const start = performance.now();
  await rf.table.set(changes, true);
  {PAINTED}
  return performance.now() - start;
}}"""


@dataclass
class Visit:
    """What one visit of a page took.

    Parameters
    ----------
    first, whole : float
        Milliseconds from the navigation to the first rows; to the whole table (ours).
    before, wire : dict of str to int
        Bytes that came until the whole table (where none is asked for: the first rows) stood, and in all: heads included, by kind.
    requests : int
    heap : float
        MB of the script engine after a collection, typed arrays included, when the page has come to rest.
    acts : dict of str to float
        Milliseconds from call to paint.
    """

    first: float
    whole: float = 0
    before: dict[str, int] = field(default_factory=dict)
    wire: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    heap: float = 0
    acts: dict[str, float] = field(default_factory=dict)


def chromium() -> str | None:
    """Return the browser's program, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--disable-gpu", "--disable-dev-shm-usage"])
        yield started
        started.close()


def visit(browser: Any, url: str, rows: str, total: int = 0, *, slow: bool = False, acts: dict[str, Any] | None = None) -> Visit:
    """Open a page with nothing cached.

    Parameters
    ----------
    browser : playwright.Browser
    url : str
    rows : str
        Selector of the table's rows.
    total : int
        Runs that the whole table has; 0 where only first rows are asked for.
    slow : bool
        10 Mbit/s with 40 ms, as the browser's developer tools imitate them.
    acts : dict, optional
        Changes of the table's state to time, by name.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("Network.enable")
    if slow:
        rate = 10_000_000 / 8
        tools.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 40, "downloadThroughput": rate, "uploadThroughput": rate},
        )
    arrivals = _Arrivals(tools)
    page.add_init_script(f"{WATCH}({[rows, total]!r})")
    page.goto(url, wait_until="commit")
    # A promise of the page's own: Playwright's waiting evaluates text, which the policy of our pages forbids.
    made = Visit(*page.evaluate("bench.done"))
    page.wait_for_load_state("networkidle")
    made.before, made.wire, made.requests = arrivals.until(made.whole or made.first), arrivals.until(), len(arrivals.kinds)
    tools.send("HeapProfiler.collectGarbage")
    heap = tools.send("Runtime.getHeapUsage")
    made.heap = (heap["usedSize"] + heap.get("backingStorageSize", 0)) / 1e6
    for name, changes in (acts or {}).items():
        made.acts[name] = statistics.median(page.evaluate(ACT, change) for change in changes * 3)
    context.close()
    return made


class _Arrivals:
    """What came over the wire, and when."""

    def __init__(self, tools: Any) -> None:
        self.kinds: dict[str, str] = {}
        self.files: list[tuple[float, str, int]] = []
        self.start = 0.0
        tools.on("Network.requestWillBeSent", self._sent)
        tools.on("Network.responseReceived", lambda said: self.kinds.update({said["requestId"]: said["type"]}))
        tools.on("Network.loadingFinished", self._came)

    def _sent(self, said: dict[str, Any]) -> None:
        self.start = self.start or said["timestamp"]

    def _came(self, said: dict[str, Any]) -> None:
        kind = self.kinds.get(said["requestId"], "Other")
        self.files.append(((said["timestamp"] - self.start) * 1e3, kind, int(said["encodedDataLength"])))

    def until(self, moment: float = float("inf")) -> dict[str, int]:
        """Return the bytes that came before a moment, by kind of file."""
        made: dict[str, int] = {}
        for when, kind, size in self.files:
            if when <= moment:
                made[kind] = made.get(kind, 0) + size
        return made


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Yield the address of a folder on a host that compresses."""
    process = subprocess.Popen([sys.executable, str(HERE / "plain_host.py"), str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def mlflow_ui(python: Path, folder: Path, store: str) -> Iterator[str]:
    """Yield the address of MLflow's own server, as it comes, on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python), "-m", "mlflow", "ui", "--backend-store-uri", store, "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "ui.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=clean_environment(), stdout=log, stderr=log)
    try:
        yield _answering(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait()


def _answering(url: str, process: subprocess.Popen[bytes]) -> str:
    for _ in range(240):
        if process.poll() is not None:
            raise RuntimeError("mlflow ui ended")
        try:
            with urllib.request.urlopen(url, timeout=30):
                return url
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError("mlflow ui does not answer")
