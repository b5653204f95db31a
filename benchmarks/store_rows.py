"""Objects in S3 beside the plain client library (obstore), both against one SeaweedFS on loopback, in turn."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.objects import s3

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting
    from runfolio.objects.remote import RemoteStore

PLAIN = "obstore alone, as many threads, SHA-256 sent along"
SHARDS = 10


class Side:
    """Both sides of one comparison: files, a bucket for each, eight threads.

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
        self.seen: dict[str, list[float]] = {}

    def turn(self) -> None:
        """Measure each side once: what waits taken up, logged and taken up, fetched."""
        self._round += 1
        files = self._files()
        store = self._store()
        self._time("plain put", lambda: self._each(self._put, files))
        digests = [store.put_file(file)[0] for file in files]
        self._time("upload", store.upload)
        shutil.rmtree(self._folder / "cache")
        self._time("plain get", lambda: self._each(self._get, files))
        self._time("fetch", lambda: store.fetch(digests))
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
        small = file.stat().st_size < 1 << 20
        self._client.put(f"plain/{self._round}/{file.name}", file.read_bytes() if small else file)

    def _get(self, file: Path) -> None:
        with open(self._folder / f"{file.name}.got", "wb") as out:
            out.writelines(self._client.get(f"plain/{self._round}/{file.name}").stream(min_chunk_size=1 << 20))


def stores(setting: Setting) -> Iterator[Row]:
    """Throughput of S3 beside the plain client, and the bytes of a checkpoint of which one file in ten differs."""
    from benchmarks.rows import Row

    rounds = setting.size(7, 1)
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
                ("upload", "plain put", "taken up to S3", "≤ 1.2 ×"),
                ("fetch", "plain get", "fetched from S3", "≤ 1.2 ×"),
                ("logged", "plain put", "logged (hashed and kept here) and taken up", ""),
            ):
                ratio, taken = side.ratio(ours, plain)
                note = f"{sum(sizes) / taken / 1e6:.0f} MB/s" if sizes[0] > 1 << 19 else f"{len(sizes) / taken:.0f} objects/s"
                yield Row(f"{what} {words}", PLAIN, ratio, aim, note)
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
