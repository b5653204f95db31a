"""folio/unused.py: what is in use stays, whoever names it; the rest goes, and a clean-up that is killed leaves a clean store."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runfolio.errors import DamagedError, StateError
from runfolio.folio import Folio, initialise, open_folio
from runfolio.folio.checking import check
from runfolio.folio.sealing import MAX_INLINE_ARTIFACTS
from runfolio.folio.unused import Unused, find_unused, remove_unused
from runfolio.records import Digest


@pytest.fixture
def folio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folio]:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")
    made = initialise(tmp_path / "folio", commit=True).folio
    yield made
    made.close()


def python(folio: Folio, code: str) -> str:
    made = subprocess.run([sys.executable, "-c", code], cwd=folio.place.root, check=True, capture_output=True, text=True)
    return made.stdout.strip()


def logged(folio: Folio, text: str, files: int = 1) -> str:
    """Log a run in a process of its own, committed when that ends; returns its id."""
    return python(
        folio,
        "import runfolio\nwith runfolio.start_run() as run:\n"
        f"    for number in range({files}): runfolio.log_text({text!r} + str(number), f'many/{{number}}.txt')\n"
        "print(run.info.run_id)",
    )


def look(folio: Folio, grace_s: float = -1, *, deleted_runs: bool = False) -> Unused:
    opened = open_folio(str(folio.place.root))
    try:
        return find_unused(opened, grace_s=grace_s, deleted_runs=deleted_runs)
    finally:
        opened.close()


def unused(folio: Folio) -> set[Digest]:
    return set(look(folio).digests)


def git(folio: Folio, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folio.place.root, check=True, capture_output=True, text=True).stdout


def test_what_nothing_names_is_unused_and_young_things_are_spared(folio: Folio) -> None:
    logged(folio, "first")
    stray, _ = folio.store.put_bytes(b"stray")
    assert unused(folio) == {stray}
    assert look(folio, 3600).young == 1
    assert look(folio, 3600).digests == {}


@pytest.mark.parametrize("where", ["branch", "tag", "remote", "stash", "worktree", "reflog", "index"])
def test_a_record_anywhere_keeps_its_object(folio: Folio, where: str) -> None:
    base = git(folio, "rev-parse", "HEAD").strip()
    logged(folio, "first")
    tip = git(folio, "rev-parse", "HEAD").strip()
    if where == "branch":
        git(folio, "branch", "side")
    elif where == "tag":
        git(folio, "tag", "-a", "v1", "-m", "v1")
    elif where == "remote":
        git(folio, "update-ref", "refs/remotes/origin/main", tip)
    elif where == "worktree":
        git(folio, "worktree", "add", "-q", "--detach", "../other", tip)
    elif where == "stash":
        git(folio, "reset", "-q", "--soft", base)
        git(folio, "stash")
        git(folio, "update-ref", "--create-reflog", "refs/heads/main", base)
    git(folio, "reset", "-q", "--soft" if where == "index" else "--hard", base)
    if where != "reflog":
        git(folio, "reflog", "expire", "--expire=now", "HEAD", "refs/heads/main")
        assert unused(folio) == set()
    else:
        assert look(folio, 3600).digests == {}
        assert look(folio, 3600).used == 1


def test_a_record_that_nothing_holds_any_more_lets_its_object_go(folio: Folio) -> None:
    base = git(folio, "rev-parse", "HEAD").strip()
    logged(folio, "first")
    git(folio, "reset", "-q", "--hard", base)
    assert len(unused(folio)) == 1


def test_a_folio_in_a_folder_of_the_repository_knows_its_own_records(tmp_path: Path, folio: Folio) -> None:
    git(folio, "init", "-q", "-b", "main", str(tmp_path / "code"))
    inner = initialise(tmp_path / "code" / "ml" / "wine", commit=True).folio
    logged(inner, "first")
    stray, _ = inner.store.put_bytes(b"stray")
    assert unused(inner) == {stray}
    inner.close()


def test_a_folio_of_another_store_need_not_be_named(tmp_path: Path, folio: Folio) -> None:
    other = initialise(tmp_path / "other", commit=True).folio
    logged(other, "elsewhere", files=300)
    with pytest.raises(DamagedError, match=r"other is named as a folio that uses this store: .*--also"):
        find_unused(folio, grace_s=-1, others=[other])
    other.close()


@pytest.mark.parametrize("undo", [["revert", "--no-edit", "HEAD"], ["rm", "-qr", "runs"]])
def test_a_record_that_a_commit_removed_lately_keeps_its_object_in_any_clone(
    folio: Folio, tmp_path: Path, undo: list[str]
) -> None:
    logged(folio, "first")
    git(folio, *undo)
    if undo[0] == "rm":
        git(folio, "commit", "-qm", "remove")
    git(folio, "clone", "-q", "--bare", f"file://{folio.place.root}", str(tmp_path / "bare"))
    bare = open_folio(str(tmp_path / "bare"))
    held = Folio(bare.place)
    held.store = folio.store  # type: ignore[misc]
    assert find_unused(held, grace_s=60).used == 1
    assert len(find_unused(held, grace_s=-5).digests) == 1
    held.close()
    bare.close()


def test_a_record_that_lies_in_a_worktree_only_keeps_its_object(folio: Folio) -> None:
    base = git(folio, "rev-parse", "HEAD").strip()
    logged(folio, "first")
    git(folio, "reset", "-q", "--mixed", base)
    git(folio, "reflog", "expire", "--expire=now", "--all")
    assert unused(folio) == set()
    git(folio, "clean", "-qfd", "runs")
    assert len(unused(folio)) == 1


def test_an_object_that_a_killed_clean_up_left_aside_is_found_by_whoever_asks(folio: Folio) -> None:
    for ask in (folio.store.exists, folio.store.size, folio.store.read):
        digest, _ = folio.store.put_bytes(b"stray")
        aside = folio.store.incoming / f".{digest[7:]}.gone"  # type: ignore[attr-defined]
        folio.store.path(digest).rename(aside)  # type: ignore[attr-defined]
        assert ask(digest)
        assert not aside.exists()


LIVE = """
import runfolio
runfolio.start_run()
runfolio.log_text("live", "a.txt")
print("ready", flush=True)
input()
"""


def test_a_live_run_and_one_that_died_keep_their_objects(folio: Folio) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LIVE], cwd=folio.place.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        live = look(folio)
        process.kill()
    died = look(folio)
    assert [(item.used, len(item.digests)) for item in (live, died)] == [(1, 0), (1, 0)]


def test_files_of_deleted_runs_go_when_that_is_asked_for(folio: Folio) -> None:
    run_id = logged(folio, "first")
    python(folio, f"import runfolio; runfolio.delete_run({run_id!r})")
    git(folio, "reflog", "expire", "--expire=now", "--all")
    assert unused(folio) == set()
    found = look(folio, deleted_runs=True)
    assert len(found.digests) == 1
    remove_unused(folio, found, grace_s=-1, again=lambda: look(folio, deleted_runs=True))
    assert found.deleted == 1
    assert [item for item in check(folio, read_data=1.0) if item.rule.startswith("object")] == []


def test_a_list_of_files_that_cannot_be_read_stops_everything(folio: Folio) -> None:
    run_id = logged(folio, "x", files=MAX_INLINE_ARTIFACTS + 1)
    manifest = folio.runs.get(run_id).manifest
    assert manifest is not None
    found = look(folio)
    assert (found.used, len(found.digests)) == (MAX_INLINE_ARTIFACTS + 2, 0)
    folio.store.delete(manifest.digest)
    with pytest.raises(DamagedError, match="nothing was removed"):
        look(folio)


def test_in_a_clone_whose_store_is_empty_nothing_is_unused(folio: Folio, tmp_path: Path) -> None:
    logged(folio, "first", MAX_INLINE_ARTIFACTS + 1)  # so many files are a list, which lies in the store
    git(folio, "clone", "-q", ".", str(tmp_path / "clone"))
    opened = open_folio(str(tmp_path / "clone"))
    assert find_unused(opened) == Unused()
    opened.store.put_bytes(b"stray")
    with pytest.raises(DamagedError, match="nothing was removed"):
        find_unused(opened)
    opened.close()


def test_a_shallow_clone_is_refused(folio: Folio, tmp_path: Path) -> None:
    logged(folio, "first")
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{folio.place.root}", str(tmp_path / "shallow")], check=True)
    opened = open_folio(str(tmp_path / "shallow"))
    with pytest.raises(StateError, match="shallow"):
        find_unused(opened)
    opened.close()


def test_what_comes_into_use_between_the_looks_stays(folio: Folio) -> None:
    stray, _ = folio.store.put_bytes(b"firs0")
    found = look(folio)
    assert set(found.digests) == {stray}

    def again() -> Unused:
        logged(folio, "firs", files=1)
        return look(folio)

    remove_unused(folio, found, grace_s=-1, again=again)
    assert (found.deleted, folio.store.read(stray)) == (0, b"firs0")


def test_an_object_that_is_put_again_is_young_again(folio: Folio) -> None:
    stray, _ = folio.store.put_bytes(b"stray")
    os.utime(folio.store.path(stray), (1, 1))  # type: ignore[attr-defined]
    before = int(time.time() * 1000) - 60_000
    folio.store.put_bytes(b"stray")
    folio.store.discard([stray], before)
    assert folio.store.read(stray) == b"stray"


KILLED = "import sys; from runfolio.cli.main import main; print('ready', flush=True); main(['gc', '--delete', '--grace', '0s'])"


@pytest.mark.parametrize("round_number", range(6))
def test_a_clean_up_that_is_killed_leaves_a_clean_store(folio: Folio, round_number: int) -> None:
    logged(folio, "first")
    for number in range(400):
        folio.store.put_bytes(b"stray %d" % number)
    time.sleep(0.01)
    process = subprocess.Popen([sys.executable, "-c", KILLED], cwd=folio.place.root, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        process.wait(random.Random(round_number).uniform(0.1, 0.5))
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()
    process.stdout.close()
    left = list(folio.store.digests())
    for digest in left:
        folio.store.verify(digest)
    found = look(folio)
    assert (found.used, found.used + len(found.digests)) == (1, len(left))
    remove_unused(folio, found, grace_s=-1, again=lambda: found)
    assert len(list(folio.store.digests())) == 1


WRITER = """
import random, sys, runfolio
made = random.Random(int(sys.argv[1]))
for number in range(int(sys.argv[2])):
    with runfolio.start_run():
        for name in ("a.txt", "b.txt"):
            runfolio.log_text("content %d" % made.randrange(4), name)
"""


def test_clean_ups_beside_writers_take_nothing_that_a_record_names(folio: Folio) -> None:
    """Contents that come and go out of use, four for all; clean-ups one after the other that spare nothing for its age."""
    runs = 40 if os.environ.get("RUNFOLIO_SCALE") == "full" else 6
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(seed), str(runs)], cwd=folio.place.root, stderr=subprocess.PIPE)
        for seed in range(2)
    ]
    rounds = removed = 0
    while any(writer.poll() is None for writer in writers):
        folio.store.put_bytes(b"content %d" % (rounds % 4))
        folio.store.put_bytes(b"stray %d" % rounds)
        found = look(folio, 0)
        remove_unused(folio, found, grace_s=0, again=lambda: look(folio, 0))
        rounds, removed = rounds + 1, removed + found.deleted
    assert [(writer.returncode, writer.communicate()[1]) for writer in writers] == [(0, b"")] * 2
    assert removed >= rounds > 1
    opened = open_folio(str(folio.place.root))
    assert [item for item in check(opened, read_data=1.0) if item.rule.startswith("object")] == []
    opened.close()
