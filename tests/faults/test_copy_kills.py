"""A process that logs files is killed at each step that it takes in the file system: what was acknowledged is there, once, and no copy stays.

The steps are Python's own audit events (a file opened, linked, renamed, removed), counted in every thread, so that kills fall between the copy,
the line of the journal, the hash, the object, its line, and the end of the run; and in the same way within recovery.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from runfolio.folio.in_use import copies_named
from runfolio.folio.recovery import recover
from runfolio.objects.copies import COPY_NAME
from tests.faults.repositories import environment, make_folio, scaled

ROOT = Path(__file__).resolve().parents[2]
VICTIM = """
import json, os, random, signal, sys, time
import runfolio
from runfolio.tracking import copies

folder, at, seed, task = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
pick, steps = random.Random(seed), 0
copies.PAUSE_S = pick.choice((0.0001, 0.0001, 0.01, 60))
EVENTS = {"open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.utime"}

def step(event, args):
    global steps
    if event in EVENTS:
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)

def say(*parts):
    os.write(1, (json.dumps(parts) + "\\n").encode())

if task == "recover":
    from runfolio.folio import open_folio
    from runfolio.folio.recovery import recover
    folio = open_folio(folder)
    sys.addaudithook(step)
    recover(folio)
    raise SystemExit
run = runfolio.start_run()
files = []
for number in range(4):
    name = f"{folder}/../{seed}-{at}-{number % 3}.bin"
    with open(name, "wb") as file:
        file.write(random.Random(seed * 10 + number).randbytes(300_000))
    files.append(name)
    if number == 0:
        sys.addaudithook(step)
    runfolio.log_artifact(name)
    say(run.info.run_id, os.path.basename(name), seed * 10 + number)
    if pick.random() < 0.5:
        time.sleep(0.02)
runfolio.end_run()
say(run.info.run_id, "end", 0)
"""


def victim(folder: Path, at: int, seed: int, task: str = "log") -> tuple[int, list[tuple[str, str, int]]]:
    """Run a process that is killed at a step; return how it ended, and what it acknowledged."""
    done = subprocess.run(
        (sys.executable, "-c", VICTIM, str(folder), str(at), str(seed), task),
        cwd=ROOT, env=environment(RUNFOLIO_TRACKING_URI=str(folder), RUNFOLIO_COMMIT="batch"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    lines = [line for line in done.stdout.splitlines(keepends=True) if line.endswith("\n")]
    return done.returncode, [tuple(json.loads(line)) for line in lines]


def content(number: int) -> str:
    return "sha256:" + hashlib.sha256(random.Random(number).randbytes(300_000)).hexdigest()


def compare(folder: Path, said: list[tuple[str, str, int]]) -> list[str]:
    """Recover, and name what is not as it was acknowledged."""
    folio = open_folio(folder)
    faults = []
    try:
        waiting = recover(folio).fold.waiting
        faults += [f"{item.run_id} waits: {item.reason}" for item in waiting]
        wanted: dict[str, dict[str, set[str]]] = {}
        for run_id, path, number in said:
            if path != "end":
                wanted.setdefault(run_id, {})[path] = {content(number)}
        for run_id, paths in wanted.items():
            run = folio.runs.committed(run_id)
            found = folio.runs.artifacts(run) if run is not None else {}
            for path, allowed in paths.items():
                # A file that was logged again under the same name, unacknowledged, may stand in place of the first.
                again = {content(number + 3) for _, other, number in said if other == path and run_id == _}
                if path not in found or str(found[path].digest) not in allowed | again:
                    faults.append(f"{run_id}: {path}")
            for entry in found.values():
                folio.store.verify(entry.digest)
        assert copies_named(folio) == set()
        incoming = folder / ".git/runfolio/objects/incoming"
        left = [name for name in os.listdir(incoming) if COPY_NAME.match(name)] if incoming.is_dir() else []
        # The one that was being taken at the kill: its call never returned, and the clean-up takes it when it is old.
        faults += [f"left: {name}" for name in left[1:]]
        folio.store.copies.sweep((), older_than_s=-1)
    finally:
        folio.close()
    return faults


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_kill_at_any_step_loses_no_file_that_was_acknowledged(tmp_path: Path, durability: str) -> None:
    folder = make_folio(tmp_path / "folio")
    settings = folder / "runfolio.yaml"
    settings.write_text(settings.read_text().replace("durability: power", f"durability: {durability}"))
    pick = random.Random(durability)
    kills = acknowledged = 0
    for round_number in range(scaled(300, 12)):
        at = round_number + 1 if scaled(1, 0) and round_number < 80 else pick.randint(1, 70)
        code, said = victim(folder, at, 1000 + round_number)
        kills += code != 0
        acknowledged += len(said)
        if pick.random() < 0.5:
            kills += victim(folder, pick.randint(1, 60), 0, "recover")[0] != 0
        assert compare(folder, said) == []
    assert kills > 3
    assert acknowledged > 3
