"""Machines without git put runs into the inbox of a bucket; the folio takes each in exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.objects.places import open_bucket
from tests.objects import s3
from tests.objects.shell import LOG, folio, run


@pytest.fixture
def place(here: Path, s3_bucket: str, s3_endpoint: str) -> str:
    """The folio's store, as a worker names it."""
    return f"s3://{s3_bucket}/wine?endpoint={s3_endpoint}"


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    """A folder of a machine without a repository, with two runs that have ended."""
    made = tmp_path / "worker"
    made.mkdir()
    for name in ("one", "two"):
        run(sys.executable, "-c", LOG, name, cwd=made, RUNFOLIO_TRACKING_URI="spool:spool")
    return made


def keys(place: str) -> list[str]:
    return [found.key for found in open_bucket(place).list("inbox/")]


def names(folder: Path) -> list[str]:
    return sorted(item["name"] for item in json.loads(folio("runs", "list", "--json", cwd=folder).stdout))


def test_runs_go_through_the_bucket_exactly_once_with_their_files(here: Path, worker: Path, place: str) -> None:
    sent = folio("send", "spool", "--to", place, "--json", cwd=worker)
    assert len(json.loads(sent.stdout)["sent"]) == 2
    assert not list((worker / "spool/journal").iterdir())
    assert all(".sha256-" in key for key in keys(place))
    assert len(json.loads(folio("collect", "--dry-run", "--json", cwd=here).stdout)["taken"]) == 2
    assert len(keys(place)) > 2, "a dry run takes nothing away"
    assert len(json.loads(folio("collect", "--json", cwd=here).stdout)["taken"]) == 2
    assert names(here) == ["one", "two"] and keys(place) == []
    folio("artifacts", "get", "one", "model/weights.txt", "-o", "out", cwd=here)
    assert (here / "out/model/weights.txt").read_text() == "one" * 1000
    assert "All objects are there" in folio("artifacts", "verify", "--read-data", cwd=here).stdout
    assert folio("check", cwd=here).returncode == 0


def test_a_run_that_was_sent_twice_is_taken_once(here: Path, worker: Path, place: str, tmp_path: Path) -> None:
    run("cp", "-r", "spool", "again", cwd=worker)
    folio("send", "spool", "--to", place, cwd=worker)
    folio("collect", cwd=here)
    folio("send", "again", "--to", place, cwd=worker)
    found = json.loads(folio("collect", "--json", cwd=here).stdout)
    assert found["taken"] == [] and len(found["there"]) == 2
    assert names(here) == ["one", "two"] and keys(place) == []


def test_a_run_of_another_language_goes_through_the_bucket(here: Path, tmp_path: Path, place: str) -> None:
    folder = tmp_path / "spool" / "r-run"
    (folder / "artifacts").mkdir(parents=True)
    (folder / "artifacts/plot.txt").write_text("drawn")
    (folder / "run.json").write_text(
        json.dumps({"schema": 1, "experiment": "from R", "start": 1_795_000_000_000, "status": "FINISHED", "params": {"k": "3"}})
    )
    folio("send", "spool", "--to", place, cwd=tmp_path)
    assert (tmp_path / "spool/r-run.collected").is_dir()
    folio("collect", cwd=here)
    assert len(names(here)) == 1 and keys(place) == []
    assert folio("artifacts", "cat", names(here)[0], "plot.txt", cwd=here).stdout == "drawn"


def test_wrong_bytes_strange_keys_and_torn_files_are_named_and_hide_no_other(
    here: Path,
    worker: Path,
    place: str,
) -> None:
    folio("send", "spool", "--to", place, cwd=worker)
    bucket = open_bucket(place)
    victim = next(key for key in keys(place) if "/journal/" in key)
    bucket.put(victim, b"not what was sent")
    bucket.put("inbox/stray.txt", b"x")
    done = folio("collect", "--json", cwd=here, code=1)
    found = json.loads(done.stdout)
    assert len(found["taken"]) == 1 and len(found["left"]) >= 1
    assert any("not those that were sent" in item["reason"] for item in found["left"])
    assert any("stray.txt: no name of a file in an inbox" in item["reason"] for item in found["left"])
    assert all("/.inbox-" not in item["reason"] for item in found["left"]), "the bucket is named, not the copy"
    assert victim in keys(place), "what was not taken stays"


def test_gc_keeps_what_the_inbox_names(here: Path, worker: Path, place: str) -> None:
    folio("send", "spool", "--to", place, cwd=worker)
    folio("gc", "--delete", "--grace", "0s", "--sole", cwd=here)
    folio("collect", cwd=here)
    assert "All objects are there" in folio("artifacts", "verify", "--read-data", cwd=here).stdout


def test_workers_and_collectors_that_are_killed_lose_and_double_nothing(
    here: Path,
    tmp_path: Path,
    place: str,
    s3_endpoint: str,
) -> None:
    workers = []
    for number in range(3):
        made = tmp_path / f"w{number}"
        made.mkdir()
        for run_number in range(3):
            run(sys.executable, "-c", LOG, f"w{number}-{run_number}", cwd=made, RUNFOLIO_TRACKING_URI="spool:spool")
        workers.append(made)
    for delay in (0.4, 0.7, 1.0, 1.4):
        for made in workers:
            _killed(["send", "spool", "--to", place], made, delay)
        _killed(["collect"], here, delay)
    for made in workers:
        folio("send", "spool", "--to", place, cwd=made)
    folio("collect", cwd=here)
    assert names(here) == sorted(f"w{number}-{run_number}" for number in range(3) for run_number in range(3))
    assert keys(place) == [] and folio("check", cwd=here).returncode == 0


def _killed(args: list[str], cwd: Path, delay: float) -> None:
    process = subprocess.Popen([sys.executable, "-m", "runfolio", *args], cwd=cwd, env=os.environ, stdout=-3, stderr=-3)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_folder_is_no_bucket_and_a_bucket_that_cannot_be_reached_keeps_the_runs(worker: Path) -> None:
    refused = folio("send", "spool", "--to", "/mnt/share", cwd=worker, code=2)
    assert "spool:/mnt/share/inbox/NAME" in refused.stderr
    port = s3.free_ports(1)[0]
    gone = f"s3://b/x?endpoint=http://127.0.0.1:{port}"
    env = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "RUNFOLIO_STORE_TIMEOUT": "1"}
    folio("send", "spool", "--to", gone, cwd=worker, code=1, **env)
    assert len(list((worker / "spool/journal").iterdir())) == 2
