"""Large files go up in parts that outlive this process: whoever dies is taken up where it stopped.

What was begun is noted on this machine, beside what waits, in a file that the sending process holds; a second one that sends the same
object does so in an upload of its own. The file is read and hashed whole each time (reading is cheap, sending is not): a part that is
there already is compared with what the file has in its place, and no upload is completed whose bytes are not those of the digest.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from runfolio.errors import DamagedError, StorageError
from runfolio.objects.alone import alone
from runfolio.objects.buckets import Bucket
from runfolio.objects.local import LocalStore
from runfolio.objects.part_sending import GoneError, PartSending
from runfolio.objects.part_uploads import Begun, Part, PartUploads, RefusedError, sizes_of
from runfolio.objects.patience import Mark
from runfolio.objects.signs import INCOMING
from runfolio.records.runs import Digest

RESUME_BYTES = 64 << 20
"""From this size on a file goes up in parts that can be gone on with."""
_MOST_STATE_BYTES = 1 << 16


class Resuming:
    """Uploads that are gone on with.

    Parameters
    ----------
    uploads : PartUploads
    bucket : Bucket
        Where they go.
    waiting : LocalStore
        Where the objects lie.
    """

    def __init__(self, uploads: PartUploads, bucket: Bucket, waiting: LocalStore) -> None:
        self._uploads, self._bucket, self._waiting = uploads, bucket, waiting
        self._place = bucket.url("")
        self._folder = waiting.root / "uploads"
        self._spoiled: set[str] = set()

    def send(self, digest: Digest, size: int, new_key: str, mark: Mark) -> str | None:
        """Bring one object up, from where an upload of it was interrupted.

        Parameters
        ----------
        digest : Digest
        size : int
        new_key : str
            Where it shall stand, if it is begun now.
        mark : Mark
            Told of bytes that are there.

        Returns
        -------
        str or None
            The key under which it stands, whole: `new_key`, or a temporary name that was begun with. What was noted is kept until
            :meth:`forget`. None where this cannot be done now, and nothing was sent.

        Raises
        ------
        StorageError
            If the place fails, or the upload was gone: what is there is gone on with at the next try.
        DamagedError
            If what waits is not what its digest says; the upload is abandoned.
        """
        with alone(self._state(digest), 0o600) as file, self._waiting.open(digest) as source:
            if file is None:
                return None
            noted = self._noted(file, new_key)
            if noted and self._stands(noted.key, size):
                return noted.key
            taken = self._take_up(file, noted, sizes_of(size), new_key)
            if taken is None:
                return None
            begun, there = taken
            try:
                self._finish(begun, PartSending(self._uploads, begun, there, source, sizes_of(size), mark), digest)
            except DamagedError:
                self._abandon(digest, begun)
                raise
            except GoneError:
                self._abandon(digest, begun)
                raise StorageError(f"The upload of {digest} to {self._place} was gone: it begins anew.") from None
            return begun.key

    def forget(self, digest: Digest) -> None:
        """Forget what was noted of an object: it stands in its place, or what stood under a temporary name was wrong."""
        self._state(digest).unlink(missing_ok=True)

    def sweep(self, prefixes: tuple[str, ...], age_s: float) -> int:
        """Let uploads go that nobody goes on with, and what was noted of them here; return how many there were."""
        for state in self._folder.glob("*.json"):
            with alone(state, 0o600) as file:
                if file is not None and state.stat().st_mtime < time.time() - age_s:
                    state.unlink()
        try:
            return sum(self._uploads.abandon_older(prefix, age_s) for prefix in prefixes)
        except RefusedError:
            return 0  # a place that knows no list of uploads, or a user who may not see it: the rest of the clean-up goes on

    def _finish(self, begun: Begun, sending: PartSending, digest: Digest) -> None:
        found, parts = sending.send()
        if found != digest:
            raise DamagedError(
                f"Object {digest} in {self._waiting.root} is damaged: its bytes have the digest {found}. It was not sent. "
                "Delete it and put the content again, from a backup or by running again."
            )
        if not self._uploads.complete(*begun, parts):
            raise GoneError

    def _take_up(
        self, file: BinaryIO, noted: Begun | None, sizes: list[int], new_key: str
    ) -> tuple[Begun, Mapping[int, Part]] | None:
        """Return the upload to go on with, or one that is begun now, and what the place has of it; None without leave to do so."""
        try:
            there = self._uploads.held(*noted, sizes) if noted else None
            if noted and there is not None:
                return noted, there
        except RefusedError:
            return None
        # Whatever fails from here on: nothing was sent yet, the plain way is still open, and tells best what is wrong.
        with contextlib.suppress(StorageError):
            found = self._uploads.find(new_key)
            there = self._uploads.held(new_key, found, sizes) if found and found not in self._spoiled else None
            if found and there is not None:
                return self._note(file, Begun(new_key, found)), there
        try:
            return self._note(file, Begun(new_key, self._uploads.begin(new_key, sum(sizes)))), {}
        except StorageError:
            return None

    def _state(self, digest: Digest) -> Path:
        return self._folder / f"{digest[7:]}-{sha256(self._place.encode()).hexdigest()[:16]}.json"

    def _noted(self, file: BinaryIO, new_key: str) -> Begun | None:
        """Return what was noted; None where that is nothing, damaged, or of another place or kind."""
        file.seek(0)
        try:
            facts = json.loads(file.read(_MOST_STATE_BYTES))
            place, key, upload = (facts[name] for name in ("place", "key", "upload"))
        except (ValueError, LookupError, TypeError):
            return None
        if place != self._place or not isinstance(key, str) or not isinstance(upload, str) or upload in self._spoiled:
            return None
        # An object has one name of its own; a temporary name is as good as another.
        return Begun(key, upload) if key == new_key or (key.startswith(INCOMING) and new_key.startswith(INCOMING)) else None

    def _note(self, file: BinaryIO, begun: Begun) -> Begun:
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"place": self._place, "key": begun.key, "upload": begun.upload}).encode())
        file.flush()
        return begun

    def _stands(self, key: str, size: int) -> bool:
        """Tell whether an upload was complete when its process died; what stands under a temporary name is read back anyway."""
        found = self._bucket.stat(key) if key.startswith(INCOMING) else None
        return found is not None and found.size == size

    def _abandon(self, digest: Digest, begun: Begun) -> None:
        self._spoiled.add(begun.upload)
        self.forget(digest)
        with contextlib.suppress(StorageError):
            self._uploads.abandon(*begun)
        if begun.key.startswith(INCOMING):
            with contextlib.suppress(StorageError):
                self._bucket.delete([begun.key])
