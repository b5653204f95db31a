"""Publishing the site: with nothing new, with one new run, beside the first time."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.places import clean_environment, fill, folio
from benchmarks.site_rows import ONE_RUN

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting


def _published(folder: Path, destination: list[str]) -> float:
    """Return the CPU seconds of one publish, build and our start included."""
    from benchmarks.rows import cpu_of

    return cpu_of([sys.executable, "-m", "runfolio", "site", "publish", *destination], folder)


def _with_one_more(folder: Path, destination: list[str]) -> float:
    """Log a run, and return the CPU seconds of publishing it."""
    subprocess.run([sys.executable, "-c", ONE_RUN], cwd=folder, env=clean_environment(), check=True)
    subprocess.run([sys.executable, "-m", "runfolio", "commit"], cwd=folder, env=clean_environment(), check=False)
    return _published(folder, destination)


@contextmanager
def _host(folder: Path) -> Iterator[str]:
    """Serve a folder's repositories as a host does: its processes are not the publisher's, so their CPU is not counted."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    where = [
        f"--base-path={folder}",
        "--export-all",
        "--enable=receive-pack",
        "--listen=127.0.0.1",
        f"--port={port}",
        "--reuseaddr",
    ]
    with subprocess.Popen(["git", "daemon", *where], stderr=subprocess.DEVNULL) as server:
        try:
            while server.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.05)
            yield f"git://127.0.0.1:{port}"
        finally:
            server.terminate()


def publishing(setting: Setting) -> Iterator[Row]:
    """To a folder and to a branch of a host: first, again with nothing new, again with one new run."""
    with _host(setting.new("hosted")) as host:
        yield from _rows(setting, host)


def _rows(setting: Setting, host: str) -> Iterator[Row]:
    from benchmarks.rows import Row

    count = setting.size(10_000, 1000)
    folder = folio(setting.folder / f"published-{count}", "process", "ledger")
    fill(folder, count, "refs/heads/ledger")
    subprocess.run(["git", "init", "-q", "--bare", str(setting.folder / "hosted" / "site.git")], check=True)
    subprocess.run(["git", "remote", "add", "origin", f"{host}/site.git"], cwd=folder, check=True)
    # As for the builds, the index is at hand.
    subprocess.run([sys.executable, "-m", "runfolio", "runs", "list", "-n", "1"], cwd=folder, env=clean_environment(), check=True)
    rounds = setting.size(3, 1)
    ways = {"a folder": [str(setting.folder / f"www-{count}")], "a branch": ["--branch", "gh-pages"]}
    # Whichever is first pays for the build, so the branch is; then each is asked again.
    first = {way: _published(folder, ways[way]) for way in reversed(ways)}
    whole = first["a branch"]
    for way, destination in ways.items():
        same = statistics.median(_published(folder, destination) for _ in range(rounds))
        yield Row(
            f"publishing {count:,} runs to {way}, nothing new",
            "building and publishing them",
            same / whole,
            "≤ 5 %",
            f"{same:.2f} s CPU",
        )
    for way, destination in ways.items():
        one = statistics.median(_with_one_more(folder, destination) for _ in range(rounds))
        yield Row(
            f"publishing one new run among {count:,} to {way}",
            "building and publishing them",
            one / whole,
            "≤ 10 %",
            f"{one:.2f} s CPU",
        )
