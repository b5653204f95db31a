"""Copies that become objects later: whole, under their digest, and never removed while anybody names them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from runfolio.errors import DamagedError, NotFoundError, StorageError, UsageError
from runfolio.objects import LocalStore
from runfolio.objects.copies import LEAST_BYTES, MOST_BYTES, Copy
from runfolio.objects.layered import LayeredStore
from tests.objects.test_local import digest_of, full_disk, store  # noqa: F401 - fixtures

DATA = os.urandom(LEAST_BYTES + 12345)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "model.bin"
    made.write_bytes(DATA)
    return made


def taken(store: LocalStore, file: Path) -> Copy:  # noqa: F811
    copy = store.copies.take(file)
    assert copy is not None
    return copy


def left(store: LocalStore) -> list[str]:  # noqa: F811
    return sorted(os.listdir(store.incoming))


def test_a_copy_becomes_the_object_of_its_bytes(store: LocalStore, file: Path) -> None:  # noqa: F811
    copy = taken(store, file)
    assert copy.size == len(DATA)
    assert list(store.digests()) == []
    file.write_bytes(b"changed after it was copied")
    digest = store.copies.settle(*copy)
    assert digest == digest_of(DATA)
    assert store.read(digest) == DATA
    assert os.stat(store.path(digest)).st_mode & 0o222 == 0
    assert left(store) == [copy.name]
    store.copies.drop(copy.name)
    store.copies.drop(copy.name)
    assert left(store) == []
    assert store.read(digest) == DATA


def test_a_copy_is_settled_again_as_often_as_one_likes(store: LocalStore, file: Path) -> None:  # noqa: F811
    copy = taken(store, file)
    assert store.copies.settle(*copy) == store.copies.settle(*copy) == digest_of(DATA)
    assert left(store) == [copy.name]


def test_content_that_is_there_is_not_stored_again_and_counts_as_young(store: LocalStore, file: Path) -> None:  # noqa: F811
    digest, _ = store.put_bytes(DATA)
    os.utime(store.path(digest), (1, 1))
    before = os.stat(store.path(digest)).st_ino
    assert store.copies.settle(*taken(store, file)) == digest
    assert os.stat(store.path(digest)).st_ino == before
    assert store.modified(digest) > 1_000_000


def test_a_damaged_object_is_replaced(store: LocalStore, file: Path) -> None:  # noqa: F811
    digest, _ = store.put_bytes(DATA)
    os.chmod(store.path(digest), 0o644)
    store.path(digest).write_bytes(b"damaged")
    copy = taken(store, file)
    assert store.copies.settle(*copy) == digest
    store.verify(digest)
    assert left(store) == [copy.name]


def test_small_and_large_files_are_not_copied(store: LocalStore, file: Path) -> None:  # noqa: F811
    file.write_bytes(b"x" * (LEAST_BYTES - 1))
    assert store.copies.take(file) is None
    os.truncate(file, MOST_BYTES + 1)
    assert store.copies.take(file) is None
    assert not store.incoming.exists()


def test_what_is_no_file_is_refused_as_when_it_is_put(store: LocalStore, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(UsageError, match="a folder, not a file"):
        store.copies.take(tmp_path)
    with pytest.raises(NotFoundError, match="There is no file"):
        store.copies.take(tmp_path / "absent")


def test_a_copy_that_is_gone_or_cut_is_said(store: LocalStore, file: Path) -> None:  # noqa: F811
    copy = taken(store, file)
    with pytest.raises(DamagedError, match="had 1 when it was taken"):
        store.copies.settle(copy.name, 1)
    store.copies.drop(copy.name)
    with pytest.raises(NotFoundError, match="is not in"):
        store.copies.settle(*copy)
    assert list(store.digests()) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "model.bin", "", ".0123.copy", f".{'0' * 32}.copy/.."])
def test_only_names_of_copies_are_taken(store: LocalStore, name: str) -> None:  # noqa: F811
    with pytest.raises(DamagedError, match="not the name of a copy"):
        store.copies.settle(name, 1)
    with pytest.raises(DamagedError, match="not the name of a copy"):
        store.copies.drop(name)


def test_old_copies_that_nobody_names_are_swept(store: LocalStore, file: Path) -> None:  # noqa: F811
    named, stray, young = taken(store, file), taken(store, file), taken(store, file)
    for copy in (named, stray):
        os.utime(store.incoming / copy.name, (1, 1))
    assert store.sweep(older_than_s=-1) == 0
    assert store.copies.sweep({named.name}) == 1
    assert left(store) == sorted((named.name, young.name))


def test_a_full_disk_leaves_no_half_copy(full_disk: Path, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "big.bin"
    file.write_bytes(os.urandom(2 << 20))
    store = LocalStore(full_disk / "objects", durable=False)  # noqa: F811
    with pytest.raises(StorageError, match="No space left"):
        store.copies.take(file)
    assert left(store) == []


def test_where_links_cannot_be_made_a_copy_is_put(file: Path, tmp_path: Path) -> None:
    """A file has a most number of links; at 65,000 of them ext4 refuses one more, as other file systems refuse the first."""
    store = LocalStore(tmp_path / "objects", durable=False)  # noqa: F811
    copy = taken(store, file)
    many = store.root / "links"
    many.mkdir()
    try:
        for number in range(65_000):
            os.link(store.incoming / copy.name, many / str(number))
    except OSError:
        pass
    else:
        pytest.skip("NOT TESTED: this file system takes any number of links")
    assert store.copies.settle(*copy) == digest_of(DATA)
    assert hashlib.sha256(store.path(digest_of(DATA)).read_bytes()).hexdigest() == digest_of(DATA)[7:]


def test_of_two_stores_the_first_takes_copies(store: LocalStore, file: Path, tmp_path: Path) -> None:  # noqa: F811
    both = LayeredStore(store, LocalStore(tmp_path / "behind"))
    copy = both.copies.take(file)
    assert copy is not None
    assert store.exists(both.copies.settle(*copy))
