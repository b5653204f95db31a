"""A folder of objects: whole or absent, verified before use, whatever happens to the process or the disk."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import DamagedError, NotFoundError, StorageError, UsageError
from runfolio.objects import LocalStore, ObjectStore
from runfolio.records import Digest

ABSENT = Digest("sha256:" + "0" * 64)
BIG = bytes(range(256)) * 4096 * 3


@pytest.fixture(params=[True, False], ids=["durable", "quick"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "objects", durable=request.param)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("NOT TESTED: a full disk needs root, to mount a small file system")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"NOT TESTED: a full disk needs a mount: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def digest_of(data: bytes) -> Digest:
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def place_of(store: LocalStore, digest: Digest) -> Path:
    return store.root / "sha256" / digest[7:9] / digest[9:]


def damage(store: LocalStore, digest: Digest, data: bytes) -> None:
    path = place_of(store, digest)
    path.chmod(0o644)
    path.write_bytes(data)


def left_behind(store: LocalStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file() and path.parent.parent.name != "sha256"]


def run_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


def test_a_local_store_fits_the_port(tmp_path: Path) -> None:
    store: ObjectStore = LocalStore(tmp_path)
    assert list(store.digests()) == []


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=5000))
def test_what_is_put_comes_back_by_its_digest(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    store = LocalStore(tmp_path_factory.mktemp("objects"), durable=False)
    source = tmp_path_factory.mktemp("source") / "file"
    source.write_bytes(data)
    wanted = (digest_of(data), len(data))
    assert store.put_bytes(data) == store.put_file(source) == store.put_stream(io.BytesIO(data)) == wanted
    assert store.read(wanted[0]) == data
    assert store.size(wanted[0]) == len(data)
    assert list(store.digests()) == [wanted[0]]


def test_an_object_lies_under_its_digest_and_cannot_be_written_by_accident(store: LocalStore) -> None:
    digest, _ = store.put_bytes(b"weights")
    path = place_of(store, digest)
    assert path.read_bytes() == b"weights"
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    assert store.url(digest) == path.as_uri()
    assert left_behind(store) == []


def test_a_large_file_is_stored_in_chunks(store: LocalStore, tmp_path: Path) -> None:
    source = tmp_path / "big"
    source.write_bytes(BIG)
    digest, size = store.put_file(source)
    assert (digest, size) == (digest_of(BIG), len(BIG))
    store.verify(digest)
    with store.open_verified(digest) as file:
        assert file.read() == BIG


def test_putting_what_is_there_writes_no_file_but_marks_it_as_young(store: LocalStore) -> None:
    digest, _ = store.put_bytes(b"data")
    path = place_of(store, digest)
    os.utime(path, (1, 1))
    before = path.stat().st_ino
    assert store.modified(digest) == 1000
    store.put_stream(io.BytesIO(b"data"))
    assert path.stat().st_ino == before
    assert store.modified(digest) > 1_600_000_000_000


def test_putting_mends_an_object_of_a_wrong_size(store: LocalStore) -> None:
    digest, _ = store.put_bytes(b"whole content")
    damage(store, digest, b"whole")
    store.put_bytes(b"whole content")
    assert store.read(digest) == b"whole content"


def test_the_content_of_a_linked_file_is_stored(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"content")
    (tmp_path / "link").symlink_to("real")
    digest, _ = store.put_file(tmp_path / "link")
    assert store.read(digest) == b"content"
    assert not place_of(store, digest).is_symlink()


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_only_files_are_stored_and_a_pipe_does_not_hang(store: LocalStore, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd"
    with socket.socket(socket.AF_UNIX) as listening:
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "socket":
            listening.bind(str(path))
        else:
            path.mkdir()
        with pytest.raises(UsageError, match=f"odd is a {kind}, not a file"):
            store.put_file(path)


@pytest.mark.parametrize("name", ["absent", "link", "file/below"])
def test_a_missing_source_is_named(store: LocalStore, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(NotFoundError, match=name):
        store.put_file(tmp_path / name)


def test_a_missing_object_is_named(store: LocalStore, tmp_path: Path) -> None:
    assert not store.exists(ABSENT)
    assert not store.delete(ABSENT)
    for ask in (store.size, store.modified, store.open, store.read, store.verify, store.open_verified):
        with pytest.raises(NotFoundError, match=ABSENT):
            ask(ABSENT)
    with pytest.raises(NotFoundError, match=ABSENT):
        store.copy_to(ABSENT, tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("digest", ["", "sha256:../../etc/passwd", "sha256:" + "A" * 64, "md5:" + "0" * 64, "0" * 64])
def test_what_is_not_a_digest_never_becomes_a_path(store: LocalStore, digest: str) -> None:
    with pytest.raises(UsageError, match="Not the name of an object"):
        store.read(Digest(digest))


@pytest.mark.parametrize("wrong", [b"", b"wrong bytes!!", b"right content", b"right contenu more"])
def test_damage_is_found_and_never_handed_out(store: LocalStore, tmp_path: Path, wrong: bytes) -> None:
    digest, _ = store.put_bytes(b"right contents")
    damage(store, digest, wrong)
    (tmp_path / "target").write_bytes(b"as before")
    for use in (store.read, store.verify, store.open_verified, lambda digest: store.copy_to(digest, tmp_path / "target")):
        with pytest.raises(DamagedError, match=digest):
            use(digest)
    assert (tmp_path / "target").read_bytes() == b"as before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["objects", "target"]


@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 999), bit=st.integers(0, 7))
def test_every_flipped_bit_is_found(tmp_path_factory: pytest.TempPathFactory, place: int, bit: int) -> None:
    store = LocalStore(tmp_path_factory.mktemp("objects"), durable=False)
    data = bytearray(BIG[:1000])
    digest, _ = store.put_bytes(bytes(data))
    data[place] ^= 1 << bit
    damage(store, digest, bytes(data))
    with pytest.raises(DamagedError):
        store.verify(digest)


def test_a_link_in_place_of_an_object_is_not_followed(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"data")
    digest, _ = store.put_bytes(b"data")
    place_of(store, digest).unlink()
    place_of(store, digest).symlink_to(tmp_path / "elsewhere")
    assert not store.exists(digest)
    with pytest.raises(DamagedError, match=digest):
        store.read(digest)
    store.put_bytes(b"data")
    assert store.exists(digest)
    assert not place_of(store, digest).is_symlink()


def test_of_many_those_that_are_not_there_are_told_in_order(store: LocalStore) -> None:
    here, aside, gone, other = (store.put_bytes(text)[0] for text in (b"here", b"aside", b"gone", b"other"))
    place_of(store, aside).rename(store.incoming / f".{aside[7:]}.gone")
    place_of(store, gone).unlink()
    place_of(store, other).unlink()
    assert store.absent([other, here, aside, gone]) == [other, gone]
    assert place_of(store, aside).exists()  # what a clean-up was judging is back
    assert store.absent([here, aside]) == []


def test_an_object_that_a_clean_up_brings_back_this_moment_is_there(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    digest, _ = store.put_bytes(b"data")
    aside = store.incoming / f".{digest[7:]}.gone"
    place_of(store, digest).rename(aside)
    rename = os.rename

    def others_were_first(source: str, target: str) -> None:
        rename(source, target)
        raise FileNotFoundError(source)

    monkeypatch.setattr(os, "rename", others_were_first)
    assert store.exists(digest)
    aside.unlink(missing_ok=True)
    rename(place_of(store, digest), aside)
    assert store.read(digest) == b"data"


def test_copying_makes_the_folder_and_replaces_a_link_itself(store: LocalStore, tmp_path: Path) -> None:
    digest, size = store.put_bytes(BIG)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "precious")
    (tmp_path / "precious").write_bytes(b"keep")
    assert store.copy_to(digest, tmp_path / "out" / "link") == size
    assert store.copy_to(digest, tmp_path / "new" / "deep" / "file") == size
    assert (tmp_path / "out" / "link").read_bytes() == (tmp_path / "new" / "deep" / "file").read_bytes() == BIG
    assert (tmp_path / "precious").read_bytes() == b"keep"
    assert os.access(tmp_path / "new" / "deep" / "file", os.W_OK)


def test_reading_into_memory_has_a_limit(store: LocalStore) -> None:
    digest, _ = store.put_bytes(b"12345")
    assert store.read(digest, limit=5) == b"12345"
    with pytest.raises(UsageError, match="5 bytes, more than 4"):
        store.read(digest, limit=4)


def test_digests_are_listed_in_order_and_strangers_passed_over(store: LocalStore) -> None:
    put = sorted(store.put_bytes(bytes([at]))[0] for at in range(40))
    (store.root / "sha256" / "README").touch()
    (store.root / "sha256" / put[0][7:9] / ".DS_Store").touch()
    assert list(store.digests()) == put
    assert store.delete(put[0])
    assert list(store.digests()) == put[1:]


PUT_MANY = """
import sys
from pathlib import Path
from runfolio.objects import LocalStore
store = LocalStore(Path(sys.argv[1]))
sys.stdin.readline()
for at in range(50):
    print(store.put_bytes(b"%d" % at * 5000)[0])
"""


def test_eight_processes_put_the_same_content_at_once(tmp_path: Path) -> None:
    children = [run_python(PUT_MANY, str(tmp_path / "objects")) for _ in range(8)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [child.communicate()[0].split() for child in children]
    assert [child.returncode for child in children] == [0] * 8
    assert all(digests == said[0] for digests in said)
    store = LocalStore(tmp_path / "objects")
    assert list(store.digests()) == sorted(said[0])
    for digest in store.digests():
        store.verify(digest)
    assert left_behind(store) == []


PUT_HALF = """
import sys
from pathlib import Path
from runfolio.objects import LocalStore

class Half:
    def __init__(self):
        self.left = [b"x" * 100_000]
    def read(self, count):
        if self.left:
            return self.left.pop()
        print("half", flush=True)
        sys.stdin.read()
        return b""

LocalStore(Path(sys.argv[1])).put_stream(Half())
"""


def test_a_killed_put_leaves_nothing_visible_and_is_swept_by_age(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "objects")
    with run_python(PUT_HALF, str(store.root)) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "half\n"
        child.send_signal(signal.SIGKILL)
    assert list(store.digests()) == []
    (part,) = left_behind(store)
    assert part.stat().st_size == 100_000
    assert store.sweep() == 0, "it may still be in the making"
    os.utime(part, (1, 1))
    assert store.sweep() == 1
    assert left_behind(store) == []


def test_sweeping_a_store_that_was_never_used_is_fine(store: LocalStore) -> None:
    assert store.sweep() == 0


def test_a_full_disk_leaves_nothing_half_visible_and_what_was_there_stays(full_disk: Path) -> None:
    store = LocalStore(full_disk / "objects")
    kept, _ = store.put_bytes(b"kept")
    for put in (lambda: store.put_bytes(BIG), lambda: store.put_stream(io.BytesIO(BIG))):
        with pytest.raises(StorageError, match="Free some space") as caught:
            put()
        assert caught.value.errno == errno.ENOSPC
    elsewhere = LocalStore(full_disk.parent / "roomy")
    digest, _ = elsewhere.put_bytes(BIG)
    with pytest.raises(StorageError, match="copy object"):
        elsewhere.copy_to(digest, full_disk / "target")
    assert [path.name for path in full_disk.iterdir()] == ["objects"]
    assert left_behind(store) == []
    assert list(store.digests()) == [kept]
    assert store.read(kept) == b"kept"
    store.put_bytes(b"small things still fit")


PUT_LIMITED = """
import resource, sys
from pathlib import Path
from runfolio.objects import LocalStore
from runfolio.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    LocalStore(Path(sys.argv[1])).put_bytes(b"x" * 200_000)
except StorageError as error:
    print(error.message)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="NOT TESTED: no limit on file sizes here")
def test_a_write_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    said, _ = run_python(PUT_LIMITED, str(tmp_path / "objects")).communicate()
    assert "Could not store an object" in said
    assert left_behind(LocalStore(tmp_path / "objects")) == []
    assert list(LocalStore(tmp_path / "objects").digests()) == []


def test_a_store_below_a_file_is_an_error_of_the_storage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = LocalStore(tmp_path / "file" / "objects")
    with pytest.raises(StorageError):
        store.put_bytes(b"data")
    assert not store.exists(ABSENT)
    assert list(store.digests()) == []
