"""Objects in S3 beside the plain client library (obstore), both against one SeaweedFS on loopback, in turn."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.objects import s3

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting
    from runfolio.objects.remote import RemoteStore
    from runfolio.records.runs import Digest

CHECKED = "obstore alone, promising the same"
BARE = "obstore alone, checking nothing"
SHARDS = 10
_SMALL_BYTES = 1 << 20


class Side:
    """All sides of one comparison: files, a bucket, eight threads each, and SHA-256 sent along with what is put.

    The plain client's user who wants what the store promises reads each file, compares its digest with the name that it is to have,
    puts it only where there is none of that name, and gets it under a temporary name, compared before it is renamed.
    The bare one does nothing of this: files are overwritten, in one folder of the bucket, and believed.

    Parameters
    ----------
    folder : Path
    endpoint : str
    name : str
        Of the bucket.
    sizes : list of int
        Bytes of each file; each round has new contents.
    """

    def __init__(self, folder: Path, endpoint: str, name: str, sizes: list[int]) -> None:
        from runfolio.objects.parallel import PARALLEL

        s3.make_bucket(endpoint, name)
        self._folder, self._place, self._sizes = folder, f"s3://{name}/ours?endpoint={endpoint}", sizes
        self._client: Any = s3.client(endpoint, name, checksum_algorithm="SHA256")
        self._pool = ThreadPoolExecutor(PARALLEL)
        self._round = 0
        self._digests: dict[Path, Digest] = {}
        self.seen: dict[str, list[float]] = {}

    def turn(self) -> None:
        """Measure each side once, in an order that turns: what waits taken up, fetched, and logged and taken up."""
        self._round += 1
        files = self._files()
        store = self._store()
        self._digests = {file: store.put_file(file)[0] for file in files}
        puts: list[tuple[str, Callable[[], object]]] = [
            ("bare put", lambda: self._each(self._put, files)),
            ("checked put", lambda: self._each(self._put_checked, files)),
            ("upload", store.upload),
        ]
        gets: list[tuple[str, Callable[[], object]]] = [
            ("bare get", lambda: self._each(self._get, files)),
            ("checked get", lambda: self._each(self._get_checked, files)),
            ("fetch", lambda: store.fetch(self._digests.values())),
        ]
        for what, action in _turned(puts, self._round):
            self._time(what, action)
        shutil.rmtree(self._folder / "cache")
        for what, action in _turned(gets, self._round):
            self._time(what, action)
        for file in self._folder.glob("*.got"):
            file.unlink()
        files = self._files()
        self._time("logged", lambda: ([store.put_file(file) for file in files], store.upload()))

    def ratio(self, ours: str, plain: str) -> tuple[float, float]:
        """Return the median over the rounds of ours beside plain, and the median time of ours in seconds."""
        pairs = zip(self.seen[ours], self.seen[plain], strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs), statistics.median(self.seen[ours])

    def _time(self, what: str, action: Callable[[], object]) -> None:
        start = time.perf_counter()
        action()
        self.seen.setdefault(what, []).append(time.perf_counter() - start)

    def _store(self) -> RemoteStore:
        from runfolio.objects import open_store

        os.environ.update(AWS_ACCESS_KEY_ID=s3.KEY, AWS_SECRET_ACCESS_KEY=s3.SECRET, RUNFOLIO_CACHE=str(self._folder / "cache"))
        made: Any = open_store(self._place, self._folder / f"here-{self._round}" / "objects", self._folder, durable=False)
        return made

    def _files(self) -> list[Path]:
        made = []
        for number, size in enumerate(self._sizes):
            file = self._folder / f"{number}.bin"
            file.write_bytes(os.urandom(size))
            made.append(file)
        return made

    def _each(self, action: Callable[[Path], None], files: list[Path]) -> None:
        list(self._pool.map(action, files))

    def _put(self, file: Path) -> None:
        small = file.stat().st_size < _SMALL_BYTES
        self._client.put(f"bare/{self._round}/{file.name}", file.read_bytes() if small else file)

    def _put_checked(self, file: Path) -> None:
        key, digest = self._key(file), self._digests[file]
        if file.stat().st_size < _SMALL_BYTES:
            data = file.read_bytes()
            assert f"sha256:{sha256(data).hexdigest()}" == digest
            self._client.put(key, data, mode="create")
            return
        try:
            self._client.head(key)
        except FileNotFoundError:
            self._client.put(key, _hashed(file, digest), chunk_size=8 << 20, max_concurrency=4)

    def _get(self, file: Path) -> None:
        with open(f"{file}.got", "wb") as out:
            out.writelines(self._client.get(f"bare/{self._round}/{file.name}").stream(min_chunk_size=1 << 20))

    def _get_checked(self, file: Path) -> None:
        sha = sha256()
        with open(f"{file}.part", "wb") as out:
            for chunk in self._client.get(self._key(file)).stream(min_chunk_size=1 << 20):
                sha.update(chunk)
                out.write(chunk)
        assert f"sha256:{sha.hexdigest()}" == self._digests[file]
        os.replace(f"{file}.part", f"{file}.checked.got")

    def _key(self, file: Path) -> str:
        digest = self._digests[file]
        return f"checked/{digest[7:9]}/{digest[9:]}"


def _turned(actions: list[tuple[str, Callable[[], object]]], by: int) -> list[tuple[str, Callable[[], object]]]:
    first = by % len(actions)
    return actions[first:] + actions[:first]


def _hashed(file: Path, digest: str) -> Iterator[bytes]:
    sha = sha256()
    with open(file, "rb") as source:
        while chunk := source.read(1 << 20):
            sha.update(chunk)
            yield chunk
    assert f"sha256:{sha.hexdigest()}" == digest


def stores(setting: Setting) -> Iterator[Row]:
    """Throughput of S3 beside the plain client, and the bytes of a checkpoint of which one file in ten differs."""
    from benchmarks.rows import Row

    rounds = setting.size(9, 1)
    with s3.s3_server(setting.new("server")) as endpoint:
        kinds = {
            "8 files of 32 MB": [setting.size(32 << 20, 1 << 20)] * 8,
            "400 files of 4 kB": [4096] * setting.size(400, 20),
        }
        for number, (what, sizes) in enumerate(kinds.items()):
            side = Side(setting.new(f"files-{number}"), endpoint, f"bench-{number}", sizes)
            for _ in range(rounds + 1):
                side.turn()
            for times in side.seen.values():
                times.pop(0)  # the first round opens connections and volumes
            for ours, plain, words, aim in (
                ("upload", "put", "taken up to S3", "≤ 1.2 ×"),
                ("fetch", "get", "fetched from S3", "≤ 1.2 ×"),
                ("logged", "put", "logged (hashed and kept here) and taken up", ""),
            ):
                ratio, taken = side.ratio(ours, f"checked {plain}")
                speed = f"{sum(sizes) / taken / 1e6:,.0f} MB/s" if sizes[0] > 1 << 19 else f"{len(sizes) / taken:,.0f} objects/s"
                note = f"{speed}; {side.ratio(ours, f'bare {plain}')[0]:.2g} × of {BARE}"
                yield Row(f"{what} {words}", CHECKED, ratio, aim, note)
        yield _checkpoint(setting, endpoint)


def _checkpoint(setting: Setting, endpoint: str) -> Row:
    from benchmarks.rows import Row

    side = Side(setting.new("checkpoint"), endpoint, "bench-shards", [])
    store, size = side._store(), setting.size(4 << 20, 1 << 16)
    shards = [os.urandom(size) for _ in range(SHARDS)]
    for shard in shards:
        store.put_bytes(shard)
    store.upload()
    before = sum(item.size for item in store.listed())
    for shard in [os.urandom(size), *shards[1:]]:
        store.put_bytes(shard)
    store.upload()
    added = sum(item.size for item in store.listed()) - before
    return Row("bytes in S3 of a checkpoint of ten files of which one differs", "one file", added / size, "1 ×", f"{added:,} B")
