"""The inbox in a bucket: where machines without git put runs that have ended, and whence ``runfolio collect`` takes them, exactly once.

Below the store's place::

    inbox/<worker>/journal/<run id>.sealed.jsonl.sha256-<64 hex>     a run's journal
    inbox/<worker>/environments/<name>.txt.sha256-<64 hex>           its list of packages
    inbox/<worker>/<folder>/run.json.sha256-<64 hex>                 a run that another language wrote, with its files beside it

Objects that journals name lie where all objects of the store do. A file's digest stands at the end of its key, and is compared when it
is fetched; a key without one (a spool folder that was copied there by another program) is taken as it is. Within a run the file that makes
it whole comes last. A key is removed once its run is committed; killed before that, the next collector meets the run again, and
knows it by its id.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from runfolio._dataclass import dataclass, field
from runfolio.errors import DamagedError, NotFoundError, RunfolioError, storage_error
from runfolio.objects.buckets import Bucket, Stat

PREFIX = "inbox/"
_SEAL = re.compile(r"\.sha256-([0-9a-f]{64})\Z")
_SEGMENT = re.compile(r"[^\x00-\x1f\x7f/\\]{1,255}\Z")
_LARGEST = 1 << 30
_READS = 3
_AT_ONCE = 8


@dataclass(slots=True)
class BucketInbox:
    """What lies in the inbox of a bucket, copied into a folder of this machine.

    Parameters
    ----------
    bucket : Bucket
    folder : Path
        For the copies.
    refused : list of (str, str)
        Keys that were not copied, each with the reason.
    """

    bucket: Bucket
    folder: Path
    refused: list[tuple[str, str]] = field(default_factory=list)
    _copies: dict[Path, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the inbox lies, for people."""
        return self.bucket.url(PREFIX.rstrip("/"))

    def fetch(self) -> None:
        """Copy what is there, several files at a time."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self._fetch_one, list(self.bucket.list(PREFIX))):
                pass
        self.refused.sort()

    def _fetch_one(self, found: Stat) -> None:
        try:
            target = self._target(found)
            self._copy(found, target)
            self._copies[target] = found.key
        except NotFoundError:
            pass  # another collector was faster
        except RunfolioError as error:
            self.refused.append((self.bucket.url(found.key), error.message))

    def _target(self, found: Stat) -> Path:
        path = _SEAL.sub("", found.key.removeprefix(PREFIX))
        parts = path.split("/")
        if len(parts) < 2 or not all(_SEGMENT.match(part) and part not in (".", "..") for part in parts):
            raise DamagedError(f"{self.bucket.url(found.key)}: no name of a file in an inbox. Remove it.")
        if found.size > _LARGEST:
            raise DamagedError(f"{self.bucket.url(found.key)}: {found.size:,} bytes are more than an inbox takes. Remove it.")
        return self.folder.joinpath(*parts)

    def _copy(self, found: Stat, target: Path) -> None:
        """Copy a file, and compare it with the digest in its key; what went wrong on the way comes right when it is read again."""
        wanted = _SEAL.search(found.key)
        for _ in range(_READS):
            size, chunks = self.bucket.open(found.key)
            digest = hashlib.sha256()
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(target, "wb") as file:
                    for chunk in chunks:
                        digest.update(chunk)
                        file.write(chunk)
                    whole = file.tell() == size
            except OSError as error:
                raise storage_error(f"copy {self.bucket.url(found.key)}", error) from None
            if whole and (wanted is None or digest.hexdigest() == wanted[1]):
                return
        target.unlink(missing_ok=True)
        raise DamagedError(f"{self.bucket.url(found.key)}: its bytes are not those that were sent. Send the run again.")

    def let_go(self) -> None:
        """Remove from the bucket what was taken in: the copies that are gone, and the rest of a worker who has no run left."""
        gone = [key for path, key in self._copies.items() if not path.exists()]
        left = {_worker(key) for path, key in self._copies.items() if path.exists() and "/environments/" not in key}
        lists = [key for key in self._copies.values() if "/environments/" in key and _worker(key) not in left and gone]
        if gone:
            self.bucket.delete([*gone, *lists])


def _worker(key: str) -> str:
    return key.removeprefix(PREFIX).split("/", 1)[0]


@contextmanager
def bucket_inbox(bucket: Bucket, beside: Path) -> Iterator[BucketInbox]:
    """Copy the inbox of a bucket into a folder that lives as long as the block.

    Parameters
    ----------
    bucket : Bucket
    beside : Path
        Where the folder is made.
    """
    try:
        beside.mkdir(parents=True, exist_ok=True)
        holder = tempfile.TemporaryDirectory(prefix=".inbox-", dir=beside, ignore_cleanup_errors=True)
    except OSError as error:
        raise storage_error("make a folder for the inbox", error) from None
    with holder as name:
        inbox = BucketInbox(bucket, Path(name))
        inbox.fetch()
        yield inbox


def put_file(bucket: Bucket, path: Path, key: str) -> None:
    """Put a file into an inbox, its digest at the end of its key; one that is there already is not sent again.

    Parameters
    ----------
    bucket : Bucket
    path : Path
    key : str
        Below the inbox.
    """
    try:
        data = path.read_bytes() if os.path.getsize(path) <= _LARGEST else None
    except OSError as error:
        raise storage_error(f"read {path}", error) from None
    if data is None:
        raise DamagedError(
            f"{path}: it is larger than an inbox takes ({_LARGEST:,} bytes). Copy the folder to the folio, and collect it there."
        )
    full = f"{PREFIX}{key}.sha256-{hashlib.sha256(data).hexdigest()}"
    there = bucket.stat(full)
    if there is None or there.size != len(data):
        bucket.put(full, data)
