"""A fault in every fifth request: no wrong byte is taken for a right one, no record that others see names what is not there.

CI does some rounds of each; all of them: ``RUNFOLIO_SCALE=full python -m pytest tests/objects/test_spoiled.py``.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

import runfolio
from runfolio.errors import RunfolioError
from runfolio.folio import Folio, initialise, open_folio
from runfolio.folio.checking import check
from runfolio.folio.syncing import sync
from runfolio.objects import Stored, open_store
from runfolio.objects.remote import RemoteStore
from runfolio.records import Digest
from runfolio.tracking.session import forget_sessions
from tests.conftest import git
from tests.objects import s3

FULL = os.environ.get("RUNFOLIO_SCALE") == "full"
PUTS = 500 if FULL else 60
ROUNDS = 60 if FULL else 8
SIZES = (1, 900, 4096, 70_000, 70_000, (9 << 20) + 5)


def opened(bucket: str, endpoint: str, folder: Path) -> RemoteStore:
    store = open_store(f"s3://{bucket}/x?endpoint={endpoint}", folder / "objects", folder)
    assert isinstance(store, RemoteStore)
    return store


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that hangs is given up before it comes."""
    monkeypatch.setenv("RUNFOLIO_STORE_TIMEOUT", str(s3.HANG_S / 2))


def contents(number: int, large: int) -> list[bytes]:
    made = random.Random(7)
    sizes = [SIZES[-1]] * large + [made.choice(SIZES[:-1]) for _ in range(number - large)]
    return [made.randbytes(size) + str(at).encode() for at, size in enumerate(sizes)]


@pytest.mark.usefixtures("impatient")
def test_puts_and_gets_are_right_or_clearly_failed(s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> None:
    said: Counter[str] = Counter()
    with s3.FaultProxy(s3_endpoint, s3.Faults(0.2, seed=5)) as proxy:
        store = opened(s3_bucket, proxy.endpoint, tmp_path / "a")
        held = {store.put_bytes(data)[0]: data for data in contents(PUTS, 3)}
        for _ in range(6):
            try:
                store.upload()
            except RunfolioError as error:
                said[type(error).__name__] += 1
            there = set(opened(s3_bucket, s3_endpoint, tmp_path / "plain").digests())
            waiting = set(store.waiting.digests())
            assert there | waiting == set(held)  # what waits no more is there
        store.cache.store.root.rename(tmp_path / "gone")
        right: set[Digest] = set()
        for digest, data in held.items():
            try:
                assert store.read(digest) == data
                right.add(digest)
            except RunfolioError as error:
                said[type(error).__name__] += 1
            try:
                store.verify(digest)
            except RunfolioError as error:
                said[type(error).__name__] += 1
            assert {item.digest for item in _listed(store)} <= set(held)
        assert set(proxy.faults.kinds) - set(proxy.faults.done) == set()
    assert not waiting
    assert len(right) >= PUTS * 0.98
    assert said["DamagedError"] == 0  # wrong on the way is not called damaged
    plain = opened(s3_bucket, s3_endpoint, tmp_path / "b")
    for digest in held:
        plain.verify(digest)


def named_but_absent(hub: Path, plain: RemoteStore) -> list[str]:
    """What ``check`` finds of the objects that the records in a bare repository name, every byte read past the proxy."""
    opened_hub = open_folio(str(hub))
    folio = Folio(opened_hub.place)
    folio.store = plain  # type: ignore[misc]
    try:
        return [item.message for item in check(folio, read_data=1.0) if item.rule.startswith("object.")]
    finally:
        folio.close()
        opened_hub.close()


@pytest.mark.usefixtures("impatient")
def test_no_record_that_was_pushed_names_an_object_that_is_not_there(
    s3_endpoint: str, s3_bucket: str, repo_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, said = tmp_path / "hub.git", Counter[str]()
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(hub))
    git(repo_dir, "remote", "add", "origin", str(hub))
    plain = opened(s3_bucket, s3_endpoint, tmp_path / "plain")
    with s3.FaultProxy(s3_endpoint, s3.Faults(0.2, seed=11)) as proxy:
        monkeypatch.setenv("RUNFOLIO_ARTIFACTS", f"s3://{s3_bucket}/x?endpoint={proxy.endpoint}")
        initialise(repo_dir, commit=True).folio.close()
        for number in range(ROUNDS):
            gone = number % 30 == 2  # now and then the whole bucket is
            proxy.faults.rate, proxy.faults.kinds = (1.0, ("404",)) if gone else (0.2, s3.Faults().kinds)
            runfolio.set_tracking_uri(repo_dir)
            with runfolio.start_run(run_name=f"run-{number}") as run:
                runfolio.log_text("weights" * number, "model/weights.txt")
                runfolio.log_text("shared", "model/tokens.txt")
            runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
            forget_sessions()
            folio = open_folio(str(repo_dir))
            try:
                sync(folio, with_code=True)
                said["synced"] += 1
            except RunfolioError as error:
                said[type(error).__name__] += 1
            folio.close()
            assert named_but_absent(hub, plain) == []
        proxy.faults.rate = 0.0
        folio = open_folio(str(repo_dir))
        sync(folio, with_code=True)
        assert folio.store.waits() == (0, 0)
        folio.close()
    assert named_but_absent(hub, plain) == []
    assert git(hub, "ls-tree", "-r", "--name-only", "main").count(".json") >= ROUNDS
    assert (said["synced"] >= ROUNDS // 2, said["StorageError"] > 0) == (True, True), said


def _listed(store: RemoteStore) -> list[Stored]:
    try:
        return list(store.listed())
    except RunfolioError:
        return []
