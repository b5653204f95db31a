"""What a folio costs is measured on it, and advice comes where a measure says so."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from runfolio.folio import Folio, initialise
from runfolio.folio.health import LARGE_INDEX, MANY_RUNS, Health, advise, examine
from runfolio.folio.limits import GITHUB, HOSTS, host_of, limits_of
from runfolio.folio.lock import locked
from runfolio.folio.measuring import IndexSize, RecordSizes, RepositorySize, StoreSize
from runfolio.folio.opening import open_folio
from runfolio.records.findings import Severity
from tests.conftest import git
from tests.folio.damage import START, add_run

NOW = START + 86_400_000
RUNS = 40


@pytest.fixture
def folio(folio_dir: Path) -> Iterator[Folio]:
    with closing(open_folio(folio_dir)) as made:
        for number in range(RUNS):
            add_run(made, number, points=number % 3, files=1)
        assert made.commit().folded == RUNS
        yield made


def rules(health: Health) -> set[str]:
    return {item.rule for item in health.advice}


def test_runs_files_and_rate_are_counted(folio: Folio) -> None:
    records = examine(folio, now_ms=NOW).records
    listed = git(folio.place.root, "ls-tree", "-r", "--name-only", "HEAD", "runs", "experiments").split()
    assert (records.runs, records.files) == (RUNS, len(listed))
    assert records.bytes == sum((folio.place.root / path).stat().st_size for path in listed)
    assert (records.recent, records.a_day) == (RUNS, RUNS / 2)
    old = examine(folio, now_ms=NOW + 60 * 86_400_000).records
    assert (old.recent, old.a_day) == (0, 0.0)


def test_bytes_a_run_are_those_that_git_stores_for_records_alone(folio: Folio) -> None:
    before = examine(folio).records
    (folio.place.root / "data.bin").write_bytes(os.urandom(200_000))
    git(folio.place.root, "add", "data.bin")
    git(folio.place.root, "commit", "-qm", "data")
    git(folio.place.root, "gc", "-q")
    after = examine(folio)
    assert 0 < after.records.stored < before.stored
    assert after.repository.bytes > 200_000 > after.records.stored
    assert after.records.a_run == after.records.stored / RUNS
    assert (after.repository.packs, after.repository.loose_objects) == (1, 0)


def test_index_is_read_with_the_share_that_is_records(folio: Folio) -> None:
    index = examine(folio).index
    assert index is not None
    listed = git(folio.place.root, "ls-files").split()
    assert index.entries == len(listed)
    assert index.records == len([path for path in listed if path.startswith(("runs/", "experiments/"))])
    assert 0 < index.record_bytes < index.bytes == (folio.place.root / ".git" / "index").stat().st_size


def test_ledger_branch_and_bare_repository_cost_the_index_nothing(tmp_path: Path, pinned_git: Path) -> None:
    for name, options in (("ledger", {"branch": "runs"}), ("bare", {"bare": True})):
        with closing(initialise(tmp_path / name, commit=True, **options).folio) as folio:  # type: ignore[arg-type]
            add_run(folio, 1)
            folio.commit()
            health = examine(folio)
            assert health.records.runs == 1
            assert health.index is None or health.index.records == 0


def test_object_store_and_disk_are_measured(folio: Folio) -> None:
    store = examine(folio).store
    assert store is not None
    sizes = [file.stat().st_size for file in Path(store.place).joinpath("sha256").rglob("*") if file.is_file()]
    assert (store.objects, store.bytes, store.recent) == (len(sizes), sum(sizes), sum(sizes))
    assert 0 < store.free <= store.total == shutil.disk_usage(folio.place.root).total


def test_sync_is_timed_and_nothing_is_left(folio: Folio) -> None:
    before = git(folio.place.root, "status", "--porcelain")
    health = examine(folio)
    assert health.sync_ms is not None and health.sync_ms > 0
    assert not list((folio.place.local / "tmp").iterdir())
    assert git(folio.place.root, "status", "--porcelain") == before


def test_folio_in_order_with_a_remote_gets_no_advice(folio: Folio, tmp_path: Path) -> None:
    git(folio.place.root, "remote", "add", "origin", str(tmp_path / "elsewhere.git"))
    # What this disk is like is not of the folio.
    assert rules(examine(folio)) - {"doctor.limit", "doctor.sync"} == set()


def test_repository_without_remote_is_said_to_be_the_only_copy(folio: Folio) -> None:
    advice = next(item for item in examine(folio).advice if item.rule == "doctor.remote")
    assert advice.severity is Severity.NOTE and "git remote add" in advice.remedy


def test_password_in_a_remote_is_not_shown(folio: Folio) -> None:
    git(folio.place.root, "remote", "add", "origin", "https://ada:s3cret@git.example.org/x.git")
    assert examine(folio).clone.remotes == (("origin", "https://git.example.org/x.git"),)


def test_live_waiting_and_left_runs_are_told_apart(folio: Folio) -> None:
    add_run(folio, 90)
    header = {"schema": 1, "run_id": "f" * 32, "experiment": "wine", "start": START}
    with closing(folio.start(header)) as writer:
        assert writer.path.exists()
        left = folio.spool.journals_folder / f"{'0' * 32}.jsonl"
        left.write_bytes(b'["open",{"schema":1,"run_id":"' + b"0" * 32 + b'","experiment":"wine","start":5}]\n')
        health = examine(folio)
    assert (health.journals.live, health.journals.waiting, health.journals.left) == (1, 1, 1)
    assert {"doctor.left", "doctor.waiting"} <= rules(health)


def test_lock_that_another_holds_is_told_and_not_waited_for(folio: Folio) -> None:
    assert examine(folio).lock == "free"
    with locked(folio.repo.common_dir / "runfolio"):
        assert examine(folio).lock == "held"


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [("core.compression", "0", "doctor.compression"), ("commit.gpgSign", "true", "doctor.signing")],
)
def test_setting_of_git_that_matters_is_named(folio: Folio, key: str, value: str, rule: str) -> None:
    git(folio.place.root, "config", key, value)
    assert next(item for item in examine(folio).advice if item.rule == rule).field == key


def test_line_ends_at_risk_are_named_with_the_file(folio: Folio) -> None:
    (folio.place.root / ".gitattributes").write_text("* text=auto\n")
    advice = next(item for item in examine(folio).advice if item.rule == "doctor.attributes")
    assert (advice.file, advice.severity) == (".gitattributes", Severity.WARNING)


def test_shallow_and_partial_clones_are_named(folio: Folio, tmp_path: Path) -> None:
    git(folio.place.root, "config", "uploadpack.allowFilter", "true")
    url = folio.place.root.as_uri()
    for option, rule in (("--depth=1", "doctor.shallow"), ("--filter=blob:none", "doctor.partial")):
        target = tmp_path / rule
        subprocess.run(["git", "clone", "-q", option, url, str(target)], check=True, capture_output=True)
        with closing(open_folio(target)) as clone:
            assert rule in rules(examine(clone))


def test_move_to_a_ledger_branch_is_advised_from_many_runs_or_a_large_index(folio: Folio) -> None:
    health = examine(folio)
    index = IndexSize(LARGE_INDEX * 2, 10, 9)
    cases = {
        "few": (health, False),
        "many runs": (replace(health, records=replace(health.records, runs=MANY_RUNS)), True),
        "large index": (replace(health, index=index), True),
        "ledger": (replace(health, index=index, ledger=True), False),
        "sparse": (replace(health, index=index, clone=replace(health.clone, sparse=True)), False),
    }
    for name, (case, advised) in cases.items():
        assert any(item.rule == "doctor.ledger" for item in advise(folio.place, case, NOW)) is advised, name


def test_many_single_files_slow_sync_and_unwritable_folder_are_named(folio: Folio) -> None:
    health = examine(folio)
    found = {
        item.rule: item
        for case in (
            replace(health, repository=replace(health.repository, loose_objects=10_000, garbage=5)),
            replace(health, sync_ms=80.0),
            replace(health, sync_ms=None),
        )
        for item in advise(folio.place, case, NOW)
    }
    assert "git gc" in found["doctor.loose"].remedy
    assert {"doctor.garbage", "doctor.sync"} <= found.keys()
    assert found["doctor.unwritable"].severity is Severity.ERROR
    quick = replace(health, sync_ms=80.0, durability="process")
    assert not any(item.rule == "doctor.sync" for item in advise(folio.place, quick, NOW))


# Limits

DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("git@github.com:ada/x.git", "github.com"),
        ("https://gitlab.com/ada/x", "gitlab.com"),
        ("ssh://git@bitbucket.org/ada/x.git", "bitbucket.org"),
        ("https://git.example.org/x", "github.com"),
        ("/srv/x.git", "github.com"),
        ("", "github.com"),
    ],
)
def test_host_is_read_from_the_remote(remote: str, name: str) -> None:
    assert host_of(remote) is HOSTS[name]


def test_limit_comes_closer_with_every_run() -> None:
    records = RecordSizes(runs=1000, stored=1_000_000, recent=300, a_day=10.0, largest=5)
    repository, file, disk = limits_of(
        GITHUB, records, RepositorySize(packed=GITHUB.repository - 50_000), StoreSize("", 9, 900, 300_000, 400_000, 10**6), DAY
    )
    assert (repository.runs_left, repository.day) == (50, date(2026, 11, 29))
    assert (file.now, file.limit, file.day) == (5, GITHUB.file, None)
    # 300,000 bytes of objects in 30 days, and 10,000 bytes of records a day.
    assert (disk.runs_left, disk.day) == (200, date(2026, 12, 14))


def test_limit_without_runs_or_far_away_has_no_day() -> None:
    store = StoreSize("", 0, 0, 0, 5, 10)
    assert all(limit.day is None for limit in limits_of(GITHUB, RecordSizes(), RepositorySize(), store, DAY))
    slow = RecordSizes(runs=10, stored=1000, recent=1, a_day=0.03)
    assert limits_of(GITHUB, slow, RepositorySize(), store, DAY)[0].day is None


def test_limit_that_is_near_becomes_advice(folio: Folio) -> None:
    health = examine(folio, now_ms=NOW)
    near = replace(health.limits[0], now=95, limit=100)
    far = replace(health.limits[0], now=5, limit=100, day=None)
    soon = replace(far, day=date.fromtimestamp(NOW / 1000 + 20 * 86_400))
    for limit, said in ((near, True), (far, False), (soon, True)):
        advice = advise(folio.place, replace(health, limits=(limit,)), NOW)
        assert any(item.rule == "doctor.limit" for item in advice) is said


def test_folio_without_commit_is_examined(tmp_path: Path, pinned_git: Path) -> None:
    with closing(initialise(tmp_path / "new", commit=False).folio) as folio:
        health = examine(folio)
    assert health.records == RecordSizes() and health.records.a_run == 0


def test_a_damaged_repository_is_examined_and_the_damage_told(folio: Folio) -> None:
    root = folio.place.root
    tree = git(root, "rev-parse", "HEAD:runs").strip()
    git(root, "repack", "-adq")
    pack = next((root / ".git" / "objects" / "pack").glob("*.pack"))
    kept = root / "kept.pack"
    pack.rename(kept)
    pack.with_suffix(".idx").unlink()
    subprocess.run(["git", "unpack-objects", "-q"], cwd=root, input=kept.read_bytes(), check=True)
    (root / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with closing(open_folio(root)) as again:
        health = examine(again, now_ms=NOW)
    advice = next(item for item in health.advice if item.rule == "doctor.unreadable")
    assert advice.severity is Severity.ERROR and tree in advice.message and "runfolio check" in advice.remedy
    assert health.records.runs == 0 and health.store and health.store.objects
