"""The HTML of a small site, byte for byte, so that a change of it is seen and reviewed.

The folio is written with fixed ids and times; what changes with every release (version, digests of assets and data files, commits) is
normalised. Renew the files, and read the difference::

    RUNFOLIO_RENEW_GOLDEN=1 pytest tests/site/test_golden.py && git diff tests/site/golden
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from runfolio._version import __version__
from runfolio.formats.canonical import dump
from tests.site.real_folios import BuiltSite, built, git, new_folio

GOLDEN = Path(__file__).parent / "golden"
RENEW = "RUNFOLIO_RENEW_GOLDEN"
START = 1_750_000_000_000  # 2025-06-15 15:06:40 UTC
EXPERIMENT = """schema: 1
created: 2025-06-15T15:00:00.000Z
updated: 2025-06-15T15:00:00.000Z
description: "Which forest is enough?\\n\\nThree of them."
objective:
  metric: accuracy
  direction: max
baseline: "01977441e00070008000000000000000"
"""
PAGES = {
    "home": "index.html",
    "experiment": "e/wine/index.html",
    "run": "r/01977441e00070008000000000000001/index.html",
    "about": "about.html",
    "data": "data.html",
}


def record(number: int) -> bytes:
    """Return the record of a run."""
    start = START + 60_000 * number
    at = start + 30_000
    return dump(
        {
            "schema": 1,
            "run_id": f"01977441e0007000800000000000000{number}",
            "experiment": "wine",
            "name": f"forest-{number}",
            "status": "FAILED" if number == 2 else "FINISHED",
            "start": start,
            "end": at,
            "user": "Ada",
            "params": {"depth": str(2 + number), "criterion": "gini", "note": "<b>"},
            "metrics": {
                "accuracy": {"at": at, "last": 0.9 + number / 100, "step": 0},
                "loss": {"at": at, "last": "NaN", "step": 0},
            },
            "tags": {"team": "red & blue", "mlflow.note.content": "A note.\n\nIn two parts."},
            "code": {"branch": "main", "commit": "c" * 40, "dirty": False},
            "entry": {"script": "train.py", "type": "LOCAL", "args": ["--depth", str(2 + number)]},
            "environment": {"python": "3.11.7", "platform": "linux-x86_64"},
        }
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> BuiltSite:
    folder = new_folio(tmp_path_factory.mktemp("golden") / "folio")
    day = folder / "runs" / "wine" / "2025-06" / "15"
    day.mkdir(parents=True)
    for number in range(3):
        (day / f"01977441e0007000800000000000000{number}.json").write_bytes(record(number))
    (folder / "experiments").mkdir(exist_ok=True)
    (folder / "experiments" / "wine.yaml").write_text(EXPERIMENT, "utf-8")
    with (folder / "runfolio.yaml").open("a", encoding="utf-8") as settings:
        settings.write("site:\n  title: Golden\n  description: A site that stands still.\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "three forests", "--date", "2025-06-15T16:00:00Z")
    return built(folder, folder.parent / "site")


def normalised(html: str) -> str:
    """Take out what changes with releases, assets and commits."""
    text = html.replace(__version__, "VERSION")
    text = re.sub(r"\.[0-9a-f]{8,12}\.(css|js|svg|png|parquet|json)", r".HASH.\1", text)
    text = re.sub(r"\b(?!c{40}|01977441)[0-9a-f]{10,40}\b", "COMMIT", text)
    text = re.sub(r"\d+(?:\.\d+)? k?B\b", "SIZE", text)
    return re.sub(r"20(?!25-06-15)\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?Z?)?", "TIME", text)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_it_was(site: BuiltSite, name: str) -> None:
    found = normalised((site.out / PAGES[name]).read_text("utf-8"))
    golden = GOLDEN / f"{name}.html"
    if os.environ.get(RENEW):
        golden.write_text(found, "utf-8")
    assert found == golden.read_text("utf-8"), (
        f"{name}: read the difference; if it is meant: {RENEW}=1 pytest tests/site/test_golden.py"
    )


def test_the_page_of_a_change_is_as_it_was(site: BuiltSite) -> None:
    (page,) = (path for path in (site.out / "changes").glob("*/index.html") if "three forests" in path.read_text("utf-8"))
    found = normalised(page.read_text("utf-8"))
    golden = GOLDEN / "change.html"
    if os.environ.get(RENEW):
        golden.write_text(found, "utf-8")
    assert found == golden.read_text("utf-8"), f"read the difference; if it is meant: {RENEW}=1 pytest tests/site/test_golden.py"
