"""Large uploads that go on where their process died: a real S3 server, processes that are killed, parts that are planted.

CI sends 100 MB; the size of the issue: ``RUNFOLIO_SCALE=full python -m pytest tests/objects/test_resuming.py``.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import DamagedError, RunfolioError
from runfolio.objects import open_store, remote, resuming
from runfolio.objects.keys import key_of
from runfolio.objects.part_uploads import Part, part_of, sizes_of
from runfolio.objects.remote import RemoteStore
from tests.objects import s3
from tests.objects.slow import SlowProxy

boto3: Any = pytest.importorskip("boto3", reason="boto3 is not installed: large uploads to S3 are not gone on with")

FULL = os.environ.get("RUNFOLIO_SCALE") == "full"
SIZE = (300 if FULL else 100) * 1_000_000
KILLS = 6 if FULL else 3
MB = 1 << 20
PART = 8 * MB
UPLOAD = """
import sys
from pathlib import Path
from runfolio.objects import open_store
store = open_store(sys.argv[1], Path(sys.argv[2]) / "objects", Path(sys.argv[2]))
store.upload()
"""


def opened(place: str, folder: Path) -> RemoteStore:
    store = open_store(place, folder / "objects", folder)
    assert isinstance(store, RemoteStore)
    return store


def uploading(place: str, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", UPLOAD, place, str(folder)])


@pytest.fixture
def client(s3_endpoint: str, s3_bucket: str) -> Any:
    return boto3.client(
        "s3", endpoint_url=s3_endpoint, aws_access_key_id=s3.KEY, aws_secret_access_key=s3.SECRET, region_name="us-east-1"
    )


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 16 MB are large."""
    monkeypatch.setattr(resuming, "RESUME_BYTES", 16 * MB)


class Planted:
    """An object of five parts that waits, and an upload of it that another process began."""

    def __init__(self, store: RemoteStore, client: Any, bucket: str) -> None:
        self.data = random.Random(5).randbytes(36 * MB)
        self.digest = store.put_bytes(self.data)[0]
        self.client, self.at = client, {"Bucket": bucket, "Key": f"team/{key_of(self.digest)}"}
        self.upload = client.create_multipart_upload(**self.at, ChecksumAlgorithm="SHA256")["UploadId"]

    def put(self, number: int, data: bytes | None = None) -> None:
        data = self.data[number * PART : (number + 1) * PART] if data is None else data
        self.client.upload_part(**self.at, UploadId=self.upload, PartNumber=number + 1, Body=data, ChecksumAlgorithm="SHA256")

    def verify(self, endpoint: str, folder: Path) -> None:
        """Read the object past any proxy."""
        opened(f"s3://{self.at['Bucket']}/team?endpoint={endpoint}", folder / "plain").verify(self.digest)


def parts_sent(proxy: s3.FaultProxy) -> list[int]:
    return sorted(
        int(word.split("=")[1]) - 1
        for request in proxy.faults.requests
        if request.startswith("PUT")
        for word in request.partition("?")[2].split("&")
        if word.startswith("partNumber=")
    )


def uploads(client: Any, bucket: str) -> list[str]:
    return [item["UploadId"] for item in client.list_multipart_uploads(Bucket=bucket).get("Uploads") or ()]


@pytest.mark.slow
def test_an_upload_that_is_killed_again_and_again_sends_little_twice(
    s3_endpoint: str, s3_bucket: str, client: Any, tmp_path: Path
) -> None:
    made = random.Random(SIZE)
    data = b"".join(made.randbytes(1_000_000) for _ in range(SIZE // 1_000_000))
    with SlowProxy(s3_endpoint, rate=SIZE / 8) as proxy:
        place = f"s3://{s3_bucket}/team?endpoint={proxy.endpoint}"
        store = opened(place, tmp_path / "here")
        digest, _ = store.put_bytes(data)
        killed, until = 0, 0.0
        for kill in range(KILLS):
            until += SIZE / (KILLS + 1) * made.uniform(0.7, 1.3)
            process = uploading(place, tmp_path / "here")
            assert proxy.wait_for(int(until), 120)
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            assert (killed, store.waits()[0], store.bucket.stat(key_of(digest))) == (kill + 1, 1, None)
        assert uploading(place, tmp_path / "here").wait(120) == 0
        # What a killed process had on its way is lost: at most the parts that are sent at once.
        assert proxy.up < SIZE + KILLS * 4 * PART
        print(f"{SIZE:,} bytes, {killed} kills: {proxy.up:,} bytes went up, {proxy.up / SIZE:.2f} ×")
    elsewhere = opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "there")
    elsewhere.verify(digest)
    assert (elsewhere.size(digest), store.waits(), uploads(client, s3_bucket)) == (SIZE, (0, 0), [])
    assert list((tmp_path / "here/waiting/uploads").iterdir()) == []


NOTES = {
    "nothing": None,
    "damaged": b'{"place": "s3:',
    "no object": b"[1, 2]",
    "of another place": b'{"place": "s3://other/", "key": "sha256/ab/cd", "upload": "1"}',
    "of another key": b'{"place": "s3://BUCKET/team/", "key": "sha256/ab/cd", "upload": "1"}',
    "an upload that is gone": b'{"place": "s3://BUCKET/team/", "key": "KEY", "upload": "gone"}',
    "the upload": b'{"place": "s3://BUCKET/team/", "key": "KEY", "upload": "UPLOAD"}',
}


@pytest.mark.usefixtures("early")
@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
def test_parts_that_are_there_are_not_sent_again_whatever_is_noted(
    s3_endpoint: str, s3_bucket: str, client: Any, tmp_path: Path, note: bytes | None
) -> None:
    with s3.FaultProxy(s3_endpoint, s3.Faults()) as proxy:
        store = opened(f"s3://{s3_bucket}/team?endpoint={proxy.endpoint}", tmp_path / "here")
        planted = Planted(store, client, s3_bucket)
        for number in (0, 1, 3):
            planted.put(number)
        if note is not None:
            words = {b"BUCKET": s3_bucket, b"KEY": key_of(planted.digest), b"UPLOAD": planted.upload}
            for word, meant in words.items():
                note = note.replace(word, meant.encode())
            state = store._sender.in_parts._state(planted.digest)  # type: ignore[union-attr]
            state.parent.mkdir()
            state.write_bytes(note)
        seen: list[int] = []
        store.upload(seen.append)
        assert parts_sent(proxy) == [2, 4]
    planted.verify(s3_endpoint, tmp_path)
    # A bar begins where the upload stands: what is there is told, too.
    assert (sum(seen), uploads(client, s3_bucket), store.waits()) == (len(planted.data), [], (0, 0))


@pytest.mark.usefixtures("early")
@pytest.mark.parametrize("wrong", [b"\0" * PART, b"short" * MB], ids=["as long", "shorter"])
def test_a_part_with_other_bytes_is_sent_again(
    s3_endpoint: str, s3_bucket: str, client: Any, tmp_path: Path, wrong: bytes
) -> None:
    with s3.FaultProxy(s3_endpoint, s3.Faults()) as proxy:
        store = opened(f"s3://{s3_bucket}/team?endpoint={proxy.endpoint}", tmp_path / "here")
        planted = Planted(store, client, s3_bucket)
        for number in range(5):
            planted.put(number, wrong if number == 1 else None)
        store.upload()
        assert parts_sent(proxy) == [1]
    planted.verify(s3_endpoint, tmp_path)


@pytest.mark.usefixtures("early")
def test_an_upload_that_is_aborted_meanwhile_begins_anew(
    s3_endpoint: str, s3_bucket: str, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "here")
    planted = Planted(store, client, s3_bucket)
    seen: list[int] = []

    def abort(size: int) -> None:
        seen.append(size)
        if len(seen) == 2:
            client.abort_multipart_upload(**planted.at, UploadId=planted.upload)

    store.upload(abort)
    assert (sum(seen), uploads(client, s3_bucket)) == (len(planted.data), [])
    store.verify(planted.digest)


@pytest.mark.usefixtures("early")
def test_what_was_damaged_while_it_waited_is_not_published_and_its_upload_goes(
    s3_endpoint: str, s3_bucket: str, client: Any, tmp_path: Path
) -> None:
    store = opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "here")
    planted = Planted(store, client, s3_bucket)
    copy = store.waiting.path(planted.digest)
    copy.chmod(0o644)
    with open(copy, "r+b") as file:
        file.seek(20 * MB)
        file.write(b"other")
    with pytest.raises(DamagedError, match=planted.digest):
        store.upload()
    assert (store.bucket.stat(key_of(planted.digest)), uploads(client, s3_bucket)) == (None, [])


@pytest.mark.parametrize("apart", [False, True], ids=["one waiting room", "two machines"])
def test_two_processes_that_send_the_same_object_end_right(
    s3_endpoint: str, s3_bucket: str, client: Any, tmp_path: Path, apart: bool
) -> None:
    data = random.Random(6).randbytes(70 * MB)
    with SlowProxy(s3_endpoint, rate=30e6) as proxy:
        place = f"s3://{s3_bucket}/team?endpoint={proxy.endpoint}"
        folders = [tmp_path / "a", tmp_path / "b" if apart else tmp_path / "a"]
        digests = {opened(place, folder).put_bytes(data)[0] for folder in folders}
        processes = [uploading(place, folder) for folder in folders]
        assert [process.wait(120) for process in processes] == [0, 0]
    (digest,) = digests
    store = opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "a")
    store.verify(digest)
    assert store.waits() == (0, 0)


@pytest.mark.usefixtures("early")
def test_without_the_package_a_large_file_goes_up_as_ever(
    s3_endpoint: str, s3_bucket: str, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    store = opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "here")
    planted = Planted(store, client, s3_bucket)
    store.upload()
    store.verify(planted.digest)
    assert store._sender.in_parts is None
    assert uploads(client, s3_bucket) == [planted.upload]


@pytest.mark.usefixtures("early")
def test_without_leave_to_list_or_begin_it_goes_up_as_ever(
    s3_endpoint: str, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "here")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")  # boto3 is set up later, with keys that are refused
    digest, _ = store.put_bytes(random.Random(8).randbytes(17 * MB))
    store.upload()
    store.verify(digest)
    assert list((tmp_path / "here/waiting/uploads").iterdir()) != []  # nothing is noted in it, and a clean-up takes it
    assert store.sweep() == 0  # which goes on without a list of uploads


def test_a_clean_up_abandons_uploads_that_nobody_goes_on_with(
    s3_endpoint: str, s3_bucket: str, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "here")
    planted = Planted(store, client, s3_bucket)
    planted.put(0)
    other = client.create_multipart_upload(Bucket=s3_bucket, Key="of-others/sha256/ab/cd")["UploadId"]
    state = store._sender.in_parts._state(planted.digest)  # type: ignore[union-attr]
    state.parent.mkdir()
    state.write_text(json.dumps({"place": "", "key": "", "upload": ""}))
    assert store.sweep() == 0
    assert set(uploads(client, s3_bucket)) == {planted.upload, other}
    monkeypatch.setattr(remote, "ABANDONED_S", -5.0)
    assert store.sweep() == 1
    assert (uploads(client, s3_bucket), state.exists()) == ([other], False)


@pytest.mark.usefixtures("early")
def test_with_a_fault_in_every_fifth_request_no_wrong_byte_is_published(
    s3_endpoint: str, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNFOLIO_STORE_TIMEOUT", str(s3.HANG_S / 2))
    with s3.FaultProxy(s3_endpoint, s3.Faults(0.2, seed=3)) as proxy:
        store = opened(f"s3://{s3_bucket}/team?endpoint={proxy.endpoint}", tmp_path / "here")
        digests = [store.put_bytes(random.Random(seed).randbytes(33 * MB))[0] for seed in range(2)]
        for _ in range(8):
            try:
                store.upload()
                break
            except RunfolioError:
                continue
    plain = opened(f"s3://{s3_bucket}/team?endpoint={s3_endpoint}", tmp_path / "there")
    for digest in digests:
        plain.verify(digest)


def test_a_part_is_known_by_the_best_that_a_place_tells() -> None:
    here = part_of(b"weights")
    assert here._replace(sha256="", tag="x").holds(here)
    assert not here._replace(sha256="0" * 64).holds(here)
    assert not here._replace(sha256="", md5="0" * 32).holds(here)
    assert not Part(7).holds(here)
    assert not here._replace(size=8).holds(here)


@pytest.mark.parametrize("size", [1, PART, PART + 1, 10**10, 5 << 40])
def test_the_parts_of_a_file_are_what_s3_takes(size: int) -> None:
    sizes = sizes_of(size)
    assert (sum(sizes), len(sizes) <= 10_000, len(set(sizes[:-1])) <= 1) == (size, True, True)
    assert all(part >= 5 * MB for part in sizes[:-1])
