"""No version and no alias that was acknowledged is lost: to kill -9 in the middle of a commit, or to others who commit at once.

A change of the registry is a small commit, which is made in the process itself: this is where a kill meets half-written objects and
locks of refs.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from runfolio.gitstore.ref_files import left_refs
from tests.faults.kill_loop import WAYS, kill, start, wait_for
from tests.faults.repositories import fsck, git, leave_work, locks, make_folio, python, runfolio, scaled, work_of

FIRST = """
import pathlib, runfolio
folder = pathlib.Path("weights")
folder.mkdir()
(folder / "model.bin").write_text("weights")
client = runfolio.MlflowClient()
client.create_registered_model("wine")
assert client.create_model_version("wine", str(folder)).version in (1, "1")
"""
OPTIONS = pytest.mark.parametrize("options", [(), ("--ledger", "runfolio/ledger")], ids=["branch at hand", "ledger"])


def made(folder: Path, options: tuple[str, ...]) -> Path:
    make_folio(folder, *options)
    done = python(folder, FIRST)
    assert done.returncode == 0, done.stderr
    leave_work(folder)
    return folder


def acknowledged(lines: list[str]) -> tuple[list[int], int]:
    """Return the versions that were acknowledged, and the last that the alias was said to be at."""
    said = [json.loads(line) for line in lines if line.endswith("\n")]
    return [int(number) for kind, number in said if kind == "version"], max(
        (int(number) for kind, number in said if kind == "alias"), default=0
    )


@OPTIONS
def test_kill_9_loses_no_acknowledged_version(tmp_path: Path, options: tuple[str, ...]) -> None:
    folder, pick = made(tmp_path / "folio", options), random.Random(len(options))
    before = work_of(folder)
    there, kills, last = {1}, 0, 0
    while kills < scaled(300, 12):
        process = start(folder, "register", 0)
        lines: list[str] = []
        left = iter(range(pick.choice((1, 2, 3, 8))))
        wait_for(process, lines, lambda line, left=left: next(left, None) is None)
        time.sleep(pick.random() * 0.02)  # a point within the call that is under way: nothing waits for it
        kill(process, pick.choice(WAYS))
        assert process.stdout is not None
        lines += process.stdout.readlines()
        process.communicate()
        kills += process.returncode == -9
        versions, alias = acknowledged(lines)
        there.update(versions)
        last = max(last, alias)
        assert runfolio(folder, "recover").returncode == 0
        assert locks(folder) == []
        assert work_of(folder) == before
    compare(folder, options, there, {"by-0": last})


@OPTIONS
def test_versions_that_many_register_at_once_are_all_there(tmp_path: Path, options: tuple[str, ...]) -> None:
    folder = made(tmp_path / "folio", options)
    before = work_of(folder)
    processes = [start(folder, "register", seed, str(scaled(200, 8))) for seed in range(4)]
    said = [process.communicate() for process in processes]
    assert [(process.returncode, err) for process, (_, err) in zip(processes, said, strict=True)] == [(0, "")] * 4
    found = [acknowledged(out.splitlines(keepends=True)) for out, _ in said]
    numbers = [number for versions, _ in found for number in versions]
    assert sorted(numbers) == list(range(2, len(numbers) + 2))  # no number twice, none left out
    assert work_of(folder) == before
    compare(folder, options, {1, *numbers}, {f"by-{seed}": alias for seed, (_, alias) in enumerate(found)})


def compare(folder: Path, options: tuple[str, ...], versions: set[int], aliases: dict[str, int]) -> None:
    """Look at what is committed."""
    rev = options[1] if options else "HEAD"
    folio = open_folio(folder)
    model = folio.models.find("wine")
    assert versions <= set(folio.models.numbers(model))
    assert all(model.aliases[name] >= number for name, number in aliases.items())
    folio.close()
    added = git(folder, "log", "--diff-filter=A", "--format=", "--name-only", rev, "--", "models/wine/versions").split()
    assert set(Counter(added).values()) == {1}
    assert locks(folder) == []
    assert not left_refs(folder / ".git")
    assert fsck(folder) == ""
    git(folder, "gc", "-q", "--prune=now")
    assert fsck(folder) == ""
