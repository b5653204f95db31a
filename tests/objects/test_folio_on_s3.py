"""A folio whose artifacts lie in S3: logged, offline, synced, read by another clone; and stores mirrored and cleaned up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from runfolio.folio import open_folio
from runfolio.objects.keys import key_of
from tests.objects import s3
from tests.objects.shell import folio, log, run


def status(cwd: Path) -> dict[str, object]:
    made: dict[str, object] = json.loads(folio("status", "--json", cwd=cwd).stdout)
    return made


def test_runs_are_logged_and_read_by_another_clone(here: Path, hub: Path, tmp_path: Path) -> None:
    assert "wait" not in log("first", here)
    assert status(here)["objects_waiting"] == 0
    folio("sync", "--with-code", cwd=here)
    run("git", "clone", "-q", str(hub), "there", cwd=tmp_path)
    there, cache = tmp_path / "there", str(tmp_path / "cache-2")
    folio("artifacts", "get", "first", "model/weights.txt", "-o", "out", cwd=there, RUNFOLIO_CACHE=cache)
    assert (there / "out" / "model" / "weights.txt").read_text() == "first" * 1000
    held = [name for _, _, names in os.walk(cache) for name in names]
    assert len(held) == 1  # one file of a folder, without the rest
    assert "All objects are there" in folio("artifacts", "verify", "--read-data", cwd=there).stdout
    folio("artifacts", "pull", cwd=there)
    closed = f"s3://nowhere/wine?endpoint=http://127.0.0.1:{s3.free_ports(1)[0]}"
    assert folio("artifacts", "cat", "first", "model/tokens.txt", cwd=there, RUNFOLIO_ARTIFACTS=closed).stdout == "shared"


def test_status_says_where_large_uploads_begin_anew(here: Path, tmp_path: Path) -> None:
    assert status(here)["large_uploads_begin_anew"] is None
    (tmp_path / "without").mkdir()
    (tmp_path / "without/sitecustomize.py").write_text("import sys\nsys.modules['boto3'] = None\n")
    told = folio("status", cwd=here, PYTHONPATH=str(tmp_path / "without")).stdout
    assert "large uploads begin anew boto3 is missing: pip install 'runfolio[s3]'" in told
    other = json.loads(folio("status", "--json", cwd=here, RUNFOLIO_ARTIFACTS="local:///x").stdout)
    assert other["large_uploads_begin_anew"] == "places of fsspec cannot go on with one"


def test_offline_work_waits_and_goes_up_at_sync(here: Path, hub: Path, s3_endpoint: str, s3_bucket: str) -> None:
    closed = f"s3://{s3_bucket}/wine?endpoint=http://127.0.0.1:{s3.free_ports(1)[0]}"
    told = log("offline", here, RUNFOLIO_ARTIFACTS=closed)
    assert ("2 objects" in told, "Could not" in told) == (True, True)
    assert status(here)["objects_waiting"] == 2
    where = folio("artifacts", "where", "offline", "model/tokens.txt", cwd=here, RUNFOLIO_ARTIFACTS=closed).stdout
    assert ("file://" in where, "(waits here for runfolio sync)" in where) == (True, True)
    assert folio("artifacts", "cat", "offline", "model/tokens.txt", cwd=here).stdout == "shared"
    refused = folio("sync", "--with-code", cwd=here, code=16, RUNFOLIO_ARTIFACTS=closed)
    assert "Nothing was pushed" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not run("git", "for-each-ref", cwd=hub).stdout
    folio("sync", "--with-code", cwd=here)
    assert status(here)["objects_waiting"] == 0
    assert "  s3://" in folio("artifacts", "where", "offline", "model/tokens.txt", cwd=here).stdout
    assert "refs/heads/main" in run("git", "for-each-ref", cwd=hub).stdout
    verified = folio("artifacts", "verify", "--read-data", cwd=here).stdout
    assert verified == "All objects are there and as they should be: 2 looked up, the bytes of 2 read.\n"
    assert "Could not look for" in folio("artifacts", "verify", cwd=here, code=16, RUNFOLIO_ARTIFACTS=closed).stderr


LARGE = """
import atexit, sys
atexit.register(lambda: print("in parts" if "boto3" in sys.modules else "whole"))  # runs after runfolio's own
import runfolio
with runfolio.start_run(run_name="large"):
    runfolio.log_artifact(sys.argv[1])
"""
LATE = """
import atexit
def late():
    from runfolio.folio import open_folio
    print("unsent:", open_folio().upload())
atexit.register(late)
"""


def test_a_large_file_goes_up_in_parts_as_its_script_ends(here: Path, tmp_path: Path) -> None:
    with (tmp_path / "weights.bin").open("wb") as file:
        file.truncate(65 << 20)
    made = run(sys.executable, "-c", LARGE, str(tmp_path / "weights.bin"), cwd=here)
    assert (made.stdout, made.stderr) == ("in parts\n", "")
    assert (status(here)["waiting"], status(here)["objects_waiting"]) == (0, 0)
    assert "All objects are there" in folio("artifacts", "verify", "--read-data", cwd=here).stdout


def test_a_large_file_goes_up_whole_where_a_folio_is_opened_as_the_process_ends(here: Path, tmp_path: Path) -> None:
    with (tmp_path / "weights.bin").open("wb") as file:
        file.truncate(65 << 20)
    run(sys.executable, "-c", LARGE, str(tmp_path / "weights.bin"), cwd=here, RUNFOLIO_OFFLINE="1")
    made = run(sys.executable, "-c", LATE, cwd=here)
    assert (made.stdout.strip(), made.stderr) == ("unsent:", "")
    assert status(here)["objects_waiting"] == 0


def test_offline_may_be_said(here: Path) -> None:
    assert "RUNFOLIO_OFFLINE is set" in log("offline", here, RUNFOLIO_OFFLINE="1")
    assert "2 objects" in folio("artifacts", "push", cwd=here).stdout
    assert "Nothing waits" in folio("artifacts", "push", cwd=here).stdout


def test_a_user_names_another_place_in_git_config(here: Path, tmp_path: Path) -> None:
    before = run("git", "status", "--porcelain", cwd=here).stdout
    run("git", "config", "runfolio.artifacts", str(tmp_path / "mine"), cwd=here)
    log("first", here)
    assert len(list((tmp_path / "mine" / "sha256").rglob("??*/*"))) == 2
    assert status(here)["objects"] == str(tmp_path / "mine")
    assert run("git", "status", "--porcelain", cwd=here).stdout == before


def test_a_missing_package_is_named_with_its_command(here: Path) -> None:
    code = "import sys; sys.modules['obstore'] = None; from runfolio.cli.main import main; main(['artifacts', 'list', 'x'])"
    (here / "sitecustomize.py").write_text("import sys; sys.modules['obstore'] = None\n")
    made = folio("artifacts", "push", cwd=here, code=20, PYTHONPATH=str(here))
    assert "pip install 'runfolio[s3]'" in made.stderr, code


def test_stores_are_mirrored_both_ways(here: Path, tmp_path: Path) -> None:
    log("first", here)
    log("second", here)
    copy = tmp_path / "copy"
    assert "3 objects" in folio("artifacts", "mirror", str(copy), cwd=here).stdout
    assert "0 objects (0 B) copied, 3 there already" in folio("artifacts", "mirror", str(copy), cwd=here).stdout
    damaged = next((copy / "sha256").rglob("??*/*"))
    damaged.chmod(0o644)
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    made = folio("artifacts", "mirror", "--from", str(copy), cwd=here, RUNFOLIO_ARTIFACTS=str(tmp_path / "new"), code=1)
    assert "2 objects" in made.stdout
    assert "is damaged" in made.stderr
    assert "Traceback" not in made.stderr


def gc(cwd: Path, *args: str, code: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(folio("gc", "--json", *args, cwd=cwd, code=code).stdout or "{}")
    return made


def test_unused_objects_are_found_and_removed_in_s3(here: Path, tmp_path: Path) -> None:
    log("first", here)
    (tmp_path / "stray").write_text("nobody names this")
    other = tmp_path / "other"
    place = folio("status", "--json", cwd=here)
    run("git", "init", "-q", str(other), cwd=tmp_path)
    folio("init", "--artifacts", json.loads(place.stdout)["objects"], cwd=other)
    log("elsewhere", other)
    found = gc(here, "--grace", "0s")
    assert (found["used"], len(found["unused"]), found["deleted"]) == (2, 1, 0)
    assert "--sole" in folio("gc", "--delete", "--grace", "0s", cwd=here, code=13).stderr
    assert gc(here, "--delete", "--grace", "0s", "--also", str(other))["deleted"] == 0
    assert gc(here, "--grace", "14d")["within_grace"] == 1
    assert gc(here, "--delete", "--grace", "0s", "--sole")["deleted"] == 1
    folio("artifacts", "verify", "--read-data", cwd=here)
    assert "missing" in folio("artifacts", "verify", cwd=other, code=1).stdout


def test_a_clean_up_of_s3_that_is_killed_leaves_a_clean_store(here: Path, s3_endpoint: str) -> None:
    log("first", here)
    opened = open_folio(str(here))
    for number in range(300):
        opened.store.put_bytes(b"stray %d" % number)
    whole = sorted(opened.store.digests())
    command = [sys.executable, "-m", "runfolio", "gc", "--delete", "--grace", "0s", "--sole"]
    process = subprocess.Popen(command, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    left = whole
    while process.poll() is None and len(left) == len(whole):
        left = list(opened.store.digests())
    process.kill()
    process.wait()
    for digest in opened.store.digests():
        opened.store.verify(digest)
    opened.close()
    assert "All objects are there" in folio("artifacts", "verify", "--read-data", cwd=here).stdout
    again = gc(here, "--delete", "--grace", "0s", "--sole")
    assert (again["used"], gc(here, "--grace", "0s")["unused"]) == (2, [])
    assert len(left) < len(whole)


def test_gc_says_what_stays_because_a_clean_up_that_was_killed_was_judging_it(here: Path) -> None:
    with closing(open_folio(here)) as opened:
        stray, other = (opened.store.put_bytes(data)[0] for data in (b"stray", b"other"))
        opened.store.upload()
        store: Any = opened.store
        store.bucket.create(f"leaving/{key_of(stray)}")
    time.sleep(1.1)
    done = folio("gc", "--delete", "--grace", "0s", "--sole", cwd=here)
    assert "1 object removed" in done.stdout
    assert "1 object stayed" in done.stderr and "ten minutes" in done.stderr
    with closing(open_folio(here)) as opened:
        assert list(opened.store.digests()) == [stray] != [other]
