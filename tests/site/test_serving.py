"""The site served on this machine while runs come in, as a real process."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from runfolio.folio import initialise

LOG = 'import runfolio; runfolio.set_experiment("wine")\nwith runfolio.start_run(run_name="fresh"): runfolio.log_metric("a", 1)'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "folio"
    initialise(folder, own=True).folio.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "runfolio", "site", "serve", "--port", "0"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    said = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", said)
    assert found, said
    yield folder, found[0]
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=60)
    assert "Traceback" not in rest and process.returncode == 0


def get(address: str, **headers: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers["Content-Type"]


def test_pages_are_served_and_a_new_commit_is_told_to_those_that_are_open(served: tuple[Path, str]) -> None:
    folder, address = served
    status, text, kind = get(address)
    assert status == 200 and kind == "text/html; charset=utf-8" and "/.runfolio/reload.js" in text
    before = get(f"{address}.runfolio/state.js?")[1]
    state = re.search(r'rfState\("([^"]*)"\)', before)
    assert state
    subprocess.run([sys.executable, "-c", LOG], cwd=folder, check=True, capture_output=True)
    # It answers when a new site is there: of the commit that made the experiment, or already of the one with the run.
    for _ in range(2):
        after = get(f"{address}.runfolio/state.js?{state[1]}")[1]
        assert after != before
        if "fresh" in get(f"{address}index.html")[1]:
            break
        before, state = after, re.search(r'rfState\("([^"]*)"\)', after)
        assert state
    assert "fresh" in get(f"{address}index.html")[1]


def test_nothing_but_the_site_is_served_and_only_under_its_own_name(served: tuple[Path, str]) -> None:
    _, address = served
    assert get(f"{address}..%2f..%2f..%2fetc/passwd")[0] == 404
    assert get(f"{address}.runfolio-build.json")[0] == 404
    assert get(address, Host="attacker.example")[0] == 403
    status, text, _ = get(f"{address}nowhere.html")
    assert status == 404 and "<html" in text


def test_a_port_that_is_taken_is_an_error_in_words(served: tuple[Path, str]) -> None:
    folder, address = served
    port = address.rsplit(":", 1)[1].rstrip("/")
    done = subprocess.run(
        [sys.executable, "-m", "runfolio", "site", "serve", "--port", port],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 16 and f"Port {port}" in done.stderr and "Traceback" not in done.stderr
