"""objects/remote.py and buckets.py: a real S3 server, and a proxy that spoils what goes by."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import fsspec
import obstore
import pytest
from fsspec.implementations.local import LocalFileSystem

from runfolio.errors import DamagedError, MissingPackageError, NotFoundError, StorageError, UsageError
from runfolio.objects import open_store, signs
from runfolio.objects.buckets import reason
from runfolio.objects.cloud_bucket import profile
from runfolio.objects.keys import key_of
from runfolio.objects.remote import RemoteStore
from runfolio.records import Digest
from tests.objects import s3


def opened(place: str, folder: Path) -> RemoteStore:
    store = open_store(place, folder / "objects", folder)
    assert isinstance(store, RemoteStore)
    return store


@pytest.fixture
def store(s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> RemoteStore:
    return opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "here")


@pytest.fixture
def elsewhere(s3_endpoint: str, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RemoteStore:
    """The same bucket, seen from a machine that has nothing yet."""
    monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "other-cache"))
    return opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "there")


def test_what_is_put_waits_goes_up_and_is_read_elsewhere(store: RemoteStore, elsewhere: RemoteStore, tmp_path: Path) -> None:
    digest, size = store.put_bytes(b"weights")
    assert (store.waits(), elsewhere.exists(digest)) == ((1, 7), False)
    assert store.read(digest) == b"weights"
    assert store.upload() == 1
    assert (store.waits(), size) == ((0, 0), 7)
    assert (elsewhere.exists(digest), elsewhere.size(digest), list(elsewhere.digests())) == (True, 7, [digest])
    assert elsewhere.copy_to(digest, tmp_path / "out" / "w") == 7
    assert (tmp_path / "out" / "w").read_bytes() == b"weights"
    assert elsewhere.url(digest).endswith(f"/team/{key_of(digest)}")
    assert elsewhere.modified(digest) > 1_700_000_000_000


def test_a_large_file_goes_up_in_parts_and_comes_back(store: RemoteStore, elsewhere: RemoteStore, tmp_path: Path) -> None:
    data = random.Random(1).randbytes(20 << 20)
    (tmp_path / "big").write_bytes(data)
    digest, _ = store.put_file(tmp_path / "big")
    seen: list[int] = []
    store.upload(seen.append)
    assert (len(seen), sum(seen)) == (20, len(data))
    seen.clear()
    elsewhere.fetch([digest], seen.append)
    assert (len(seen) > 5, sum(seen)) == (True, len(data))
    with elsewhere.open_verified(digest) as source:
        assert source.read() == data


def test_what_is_there_is_not_sent_again(s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> None:
    with s3.FaultProxy(s3_endpoint, s3.Faults()) as proxy:
        place = f"s3://{s3_bucket}/x?endpoint={proxy.endpoint}"
        first, second = opened(place, tmp_path / "a"), opened(place, tmp_path / "b")
        digest, _ = first.put_bytes(b"x" * 70_000)
        first.upload()
        assert second.put_bytes(b"x" * 70_000)[0] == digest
        second.upload()
        assert sum(request.startswith("PUT") for request in proxy.faults.requests) == 1
    assert second.waits() == (0, 0)


def test_ten_files_of_which_one_differs_send_one(s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> None:
    with s3.FaultProxy(s3_endpoint, s3.Faults()) as proxy:
        store = opened(f"s3://{s3_bucket}/x?endpoint={proxy.endpoint}", tmp_path / "a")
        for round_number in range(2):
            for shard in range(10):
                store.put_bytes(b"%d-%d" % (shard, round_number if shard == 3 else 0) * 30_000)
            store.upload()
        assert sum(request.startswith("PUT") for request in proxy.faults.requests) == 11


def test_a_small_object_takes_one_request(s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> None:
    with s3.FaultProxy(s3_endpoint, s3.Faults()) as proxy:
        store = opened(f"s3://{s3_bucket}/x?endpoint={proxy.endpoint}", tmp_path / "a")
        digests = [store.put_bytes(bytes([number]) * (64 << 10))[0] for number in range(20)]
        store.upload()
        assert [request.split()[0] for request in proxy.faults.requests] == ["PUT"] * 20
    assert (set(store.cache.store.digests()), store.waits()) == (set(digests), (0, 0))


def test_a_damaged_object_is_named_and_never_cached(
    store: RemoteStore, elsewhere: RemoteStore, s3_endpoint: str, s3_bucket: str
) -> None:
    digest, _ = store.put_bytes(b"weights")
    store.upload()
    obstore.put(s3.client(s3_endpoint, s3_bucket), f"team/{key_of(digest)}", b"weighty")  # type: ignore[arg-type]
    for ask in (elsewhere.read, elsewhere.open_verified, elsewhere.verify):
        with pytest.raises(DamagedError, match=f"{digest} at s3://{s3_bucket}.*{hashlib.sha256(b'weighty').hexdigest()}"):
            ask(digest)
    assert not elsewhere.cache.store.exists(digest)
    assert store.read(digest) == b"weights"  # what the cache has is good
    with pytest.raises(DamagedError):
        store.verify(digest)  # but the bucket is what is asked about


def test_a_damaged_copy_in_the_cache_is_fetched_anew(store: RemoteStore) -> None:
    digest, _ = store.put_bytes(b"weights")
    store.upload()
    copy = store.cache.store.path(digest)
    copy.chmod(0o644)
    copy.write_bytes(b"weighty")
    assert store.read(digest) == b"weights"
    assert copy.read_bytes() == b"weights"


def test_a_truncated_object_in_the_bucket_is_put_again(store: RemoteStore, s3_endpoint: str, s3_bucket: str) -> None:
    digest, _ = store.put_bytes(b"weights")
    store.upload()
    obstore.put(s3.client(s3_endpoint, s3_bucket), f"team/{key_of(digest)}", b"weig")  # type: ignore[arg-type]
    store.put_bytes(b"weights")
    store.upload()
    store.verify(digest)


def test_what_is_not_there_says_so_and_what_is_deleted_is_gone(store: RemoteStore, elsewhere: RemoteStore) -> None:
    digest, _ = store.put_bytes(b"weights")
    with pytest.raises(NotFoundError, match="If it waits on another machine"):
        elsewhere.read(digest)
    store.upload()
    assert store.delete(digest)
    assert not store.delete(digest)
    assert not elsewhere.exists(digest)
    with pytest.raises(UsageError, match="Not the name of an object"):
        store.exists("../x")  # type: ignore[arg-type]


def test_wrong_keys_say_where_credentials_come_from(store: RemoteStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store.put_bytes(b"weights")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    place = f"{store.bucket.url('')}?endpoint={os.environ.get('X', '')}".split("?")[0].rstrip("/")
    endpoint = store.bucket._store.config["endpoint"]  # type: ignore[attr-defined]
    other = opened(f"{place}?endpoint={endpoint}", tmp_path / "here")
    with pytest.raises(StorageError, match="AWS_ACCESS_KEY_ID") as caught:
        other.upload()
    assert "wrong-secret" not in str(caught.value)
    assert other.waits() == (1, 7)


def test_an_unreachable_place_keeps_everything_waiting(tmp_path: Path, s3_bucket: str) -> None:
    port = s3.free_ports(1)[0]
    store = opened(f"s3://{s3_bucket}/x?endpoint=http://127.0.0.1:{port}", tmp_path)
    digest, _ = store.put_bytes(b"weights")
    with pytest.raises(StorageError):
        store.upload()
    assert (store.waits(), store.read(digest)) == ((1, 7), b"weights")


def test_a_bucket_that_is_not_there_is_said_and_everything_waits_on(s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> None:
    # SeaweedFS makes a bucket that is missing; others answer 404.
    with s3.FaultProxy(s3_endpoint, s3.Faults(1.0, kinds=("404",))) as proxy:
        store = opened(f"s3://{s3_bucket}/x?endpoint={proxy.endpoint}", tmp_path)
        digests = [store.put_bytes(b"weights")[0], store.put_bytes(b"w" * (9 << 20))[0]]
        with pytest.raises(StorageError, match="there is no such bucket"):
            store.upload()
    assert store.waits()[0] == len(digests)


@pytest.mark.parametrize("size", [7, 9 << 20])
def test_what_was_damaged_while_it_waited_is_named_and_not_published(store: RemoteStore, size: int) -> None:
    digest, _ = store.put_bytes(b"w" * size)
    copy = store.waiting.path(digest)
    copy.chmod(0o644)
    copy.write_bytes(b"x" + b"w" * (size - 1))
    good, _ = store.put_bytes(b"good")
    with pytest.raises(DamagedError, match=digest):
        store.upload()
    assert store.bucket.stat(key_of(digest)) is None
    assert store.bucket.stat(key_of(good)) is not None


def test_objects_leave_the_bucket_with_their_signs_and_what_was_left_is_swept(
    store: RemoteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [store.put_bytes(b"old %d" % number)[0] for number in range(3)]
    store.upload()
    later = int(time.time() * 1000) + 2000
    store.bucket.put(f"kept/{key_of(old[0])}", b"")
    gone: list[Digest] = []
    store.discard(old[:2], later, gone.append)
    assert (set(gone), list(store.digests())) == (set(old[:2]), [old[2]])
    assert [stat.key for stat in store.bucket.list("")] == [key_of(old[2])]
    store.discard(old, 1000)
    assert list(store.digests()) == [old[2]]
    store.bucket.put("incoming/abc", b"half")
    assert store.sweep() == 0
    monkeypatch.setattr(signs, "ABANDONED_S", -5.0)
    assert store.sweep() == 1
    assert [item.digest for item in store.listed()] == [old[2]]


KILLED = """
import sys
import time
from pathlib import Path
from runfolio.objects import open_store, signs
store = open_store(sys.argv[1], Path(sys.argv[2]) / "objects", Path(sys.argv[2]))
print("ready", flush=True)
store.upload() if sys.argv[3] == "up" else store.fetch([sys.argv[3]])
"""


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.25])
def test_an_upload_that_is_killed_loses_nothing(
    store: RemoteStore, s3_endpoint: str, s3_bucket: str, tmp_path: Path, delay: float
) -> None:
    contents = {store.put_bytes(random.Random(i).randbytes(200_000))[0] for i in range(40)}
    place = f"s3://{s3_bucket}/team?endpoint={s3_endpoint}"
    process = subprocess.Popen([sys.executable, "-c", KILLED, place, str(tmp_path / "here"), "up"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()
    process.stdout.close()
    there = set(store.digests())
    assert there == contents
    store.upload()
    for digest in contents:
        store.verify(digest)


def test_a_large_download_goes_on_where_it_was_cut(store: RemoteStore, elsewhere: RemoteStore) -> None:
    data = random.Random(3).randbytes(17 << 20)
    digest, _ = store.put_bytes(data)
    store.upload()
    part = elsewhere.cache.store.root / "partial" / digest[7:]
    part.parent.mkdir(parents=True)
    part.write_bytes(data[: 9 << 20])
    starts: list[int] = []
    read = elsewhere.bucket.open
    elsewhere.bucket.open = lambda key, start=0: (starts.append(start), read(key, start))[1]  # type: ignore[method-assign]
    assert elsewhere.read(digest) == data
    assert starts == [9 << 20]
    assert not part.exists()


def test_a_partial_download_with_wrong_bytes_is_thrown_away(store: RemoteStore, elsewhere: RemoteStore) -> None:
    data = random.Random(4).randbytes(17 << 20)
    digest, _ = store.put_bytes(data)
    store.upload()
    part = elsewhere.cache.store.root / "partial" / digest[7:]
    part.parent.mkdir(parents=True)
    part.write_bytes(b"\0" * 1000)
    assert elsewhere.read(digest) == data


def test_the_cache_keeps_to_its_limit(store: RemoteStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    digests = [store.put_bytes(bytes([number]) * 100_000)[0] for number in range(10)]
    store.upload()
    monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "small"))
    monkeypatch.setenv("RUNFOLIO_CACHE_BYTES", "350000")
    small = RemoteStore(store.bucket, tmp_path / "w", type(store.cache)())
    for digest in digests:
        small.read(digest)
    assert 1 <= len(list(small.cache.store.digests())) <= 4


def test_any_place_that_fsspec_reaches_is_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "cache"))
    store = opened(f"local://{tmp_path}/store", tmp_path)
    digest, _ = store.put_bytes(b"weights")
    assert store.upload() == 1
    store.cache.store.delete(digest)
    assert (store.read(digest), list(store.digests())) == (b"weights", [digest])
    store.verify(digest)
    assert not list(store.bucket.list("incoming"))
    assert store.modified(digest) > 1_700_000_000_000
    assert store.delete(digest)
    assert not store.exists(digest)


@pytest.mark.parametrize("place", ["memory://x", "dir::memory://x"])
def test_a_place_that_is_gone_with_its_process_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gone with the process"):
        opened(place, tmp_path)


@pytest.mark.parametrize(("scheme", "module", "package"), [("sftp", "paramiko", "paramiko"), ("smb", "smbclient", "smbprotocol")])
def test_what_fsspec_needs_for_a_scheme_is_named_with_its_command(
    scheme: str, module: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"fsspec.implementations.{scheme}", raising=False)
    with pytest.raises(MissingPackageError, match=f"pip install {package}$"):
        opened(f"{scheme}://host/x", tmp_path)


class Away(LocalFileSystem):
    """A place that cannot be reached until it is back, and whose connections break."""

    protocol = "away"
    back = False
    opened: list[Away] = []
    cachable = False

    def __init__(self, **options: Any) -> None:
        if not Away.back:
            raise OSError("no route to host")
        super().__init__(**options)
        Away.opened.append(self)

    def info(self, path: str, **options: Any) -> Any:
        if self is Away.opened[0]:
            raise OSError("Socket is closed")
        return super().info(path, **options)


def test_logging_needs_no_connection_to_a_place_of_fsspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "cache"))
    fsspec.register_implementation("away", Away, clobber=True)
    store = opened(f"away://{tmp_path}/store", tmp_path)
    digest, _ = store.put_bytes(b"weights")
    with pytest.raises(StorageError, match="no route to host"):
        store.upload()
    assert store.waits() == (1, 7)
    monkeypatch.setattr(Away, "back", True)
    store.upload()  # the first connection breaks; a second is made
    assert (store.waits(), len(Away.opened)) == ((0, 0), 2)
    assert store.read(digest) == b"weights"


class OneEach(LocalFileSystem):
    """A place whose connections serve one thread each, as paramiko's do."""

    protocol = "oneeach"
    cachable = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.thread = threading.get_ident()

    def info(self, path: str, **options: Any) -> Any:
        assert threading.get_ident() == self.thread
        return super().info(path, **options)


def test_each_thread_has_a_connection_of_its_own_to_a_place_of_fsspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "cache"))
    fsspec.register_implementation("oneeach", OneEach, clobber=True)
    store = opened(f"oneeach://{tmp_path}/store", tmp_path)
    held = {store.put_bytes(bytes([number]))[0] for number in range(40)}
    assert store.upload() == 40
    assert set(store.digests()) == held


def test_a_place_that_does_not_check_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "cache"))
    store = opened(f"local://{tmp_path}/store", tmp_path)
    digest, _ = store.put_bytes(b"weights")
    put = store.bucket.put
    store.bucket.put = lambda key, content: put(key, b"weighty")  # type: ignore[method-assign]
    with pytest.raises(StorageError, match="not what was sent"):
        store.upload()
    assert (list(store.bucket.list("")), store.waits()) == ([], (1, 7))
    del store.bucket.put  # type: ignore[attr-defined]
    store.upload()
    store.verify(digest)


def test_the_files_of_the_aws_command_line_are_read(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = A\naws_secret_access_key = B\n[work]\naws_access_key_id=C\n"
    )
    (tmp_path / ".aws" / "config").write_text("[default]\nregion = eu-west-1\n[profile work]\nregion = eu-north-1\n")
    assert profile({}, tmp_path) == {"access_key_id": "A", "secret_access_key": "B", "region": "eu-west-1"}
    assert profile({"AWS_PROFILE": "work", "AWS_REGION": "us-east-1"}, tmp_path) == {"access_key_id": "C"}
    assert profile({"AWS_ACCESS_KEY_ID": "x"}, tmp_path) == {"region": "eu-west-1"}
    (tmp_path / ".aws" / "config").write_text("no section")
    assert profile({"AWS_ACCESS_KEY_ID": "x"}, tmp_path) == {}


def test_messages_hold_no_signature() -> None:
    assert "abc" not in reason("HTTP error for url (http://h/k?X-Amz-Signature=abc&X-Amz-Credential=abc)")


def test_what_waits_and_a_clean_up_had_aside_this_moment_need_not_be_fetched(
    store: RemoteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, _ = store.put_bytes(b"content")
    looks: list[str] = []
    lstat = os.lstat

    def aside_at_first(path: str) -> os.stat_result:
        looks.append(str(path))
        if looks.count(store.waiting.place(digest)) == 1 and str(path) == store.waiting.place(digest):
            raise FileNotFoundError(path)
        return lstat(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "lstat", aside_at_first)
        store.fetch([digest])
    assert store.waiting.place(digest) in looks
    assert store.read(digest) == b"content"
