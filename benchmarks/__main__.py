"""``python -m benchmarks [--only GROUP] [--quick] [--alone] [--write]``: measure, print the table, write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rows import GROUPS, Row, Setting, machine

HEAD = """\
# Benchmarks

Ratios, measured beside each peer in the same run: `python -m benchmarks --write` makes this page (peers are installed into
environments of their own at the first use). Each line names what both sides promise. Absolute figures stand only to show the size of
things.

"""


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | beside | ratio | aim | notes |", "|---|---|--:|---|---|"]
    for row in rows:
        ratio = f"{row.ratio:,.0f}" if row.ratio >= 20 else f"{row.ratio:.2g}" if row.ratio < 1 else f"{row.ratio:.1f}"
        lines.append(f"| {row.what} | {row.peer} | {ratio} × | {row.target} | {row.note} |")
    return "\n".join(lines) + "\n"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=sorted(GROUPS), help="measure only this group; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--alone", action="store_true", help="only our side: no peer is installed")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    chosen = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="runfolio-benchmark-", ignore_cleanup_errors=True) as name:
        for group in chosen.only or GROUPS:
            began = time.perf_counter()
            for row in GROUPS[group](Setting(_made(Path(name) / group), chosen.quick, chosen.alone)):
                rows.append(row)
                print(table([row]).splitlines()[-1], flush=True)
            print(f"{group}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    if chosen.write:
        when = f"Measured {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d} on {machine()}, {platform.system()}"
        sizes = ", at the small sizes of `--quick`" if chosen.quick else ""
        Path(__file__).parents[1].joinpath("docs", "benchmarks.md").write_text(f"{HEAD}{when}{sizes}.\n\n{table(rows)}", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
