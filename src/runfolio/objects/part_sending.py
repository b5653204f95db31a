"""The parts of one file on their way, a few at once: read and hashed in order, sent where the place lacks them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from threading import Lock
from typing import BinaryIO

from runfolio.errors import RunfolioError, StorageError, storage_error
from runfolio.objects.parallel import in_threads
from runfolio.objects.part_uploads import Begun, Part, PartUploads, part_of
from runfolio.objects.patience import Mark, Patience
from runfolio.records.runs import Digest


class GoneError(Exception):
    """The place knows no such upload any more."""


class PartSending:
    """One file on its way.

    Parameters
    ----------
    uploads : PartUploads
    begun : Begun
    there : Mapping of int to Part
        What the place has already; sent again where the file has other bytes in that place.
    source : file
        At its start.
    sizes : list of int
        Bytes of each part.
    mark : Mark
        Told of bytes that are there.
    """

    def __init__(
        self, uploads: PartUploads, begun: Begun, there: Mapping[int, Part], source: BinaryIO, sizes: list[int], mark: Mark
    ) -> None:
        self._uploads, self._begun, self._there = uploads, begun, there
        self._source, self._sizes, self._mark = source, sizes, mark
        self._lock, self._sha, self._next, self._bytes = Lock(), sha256(), 0, 0
        self._done: dict[int, Part] = {}
        self._fault: RunfolioError | GoneError | None = None
        self._ended = False

    def send(self) -> tuple[Digest, list[Part]]:
        """Bring up what is missing; return the digest of the file, and its parts as the place knows them.

        Raises
        ------
        GoneError
            If the place knows no such upload any more.
        StorageError
            If the place fails, or the file cannot be read.
        """
        try:
            in_threads(self._work, min(self._uploads.at_once, len(self._sizes)))
        finally:
            with self._lock:  # whoever still works reads no more from a file that is about to be closed
                self._ended = True
        if self._fault:
            raise self._fault
        return Digest(f"sha256:{self._sha.hexdigest()}"), [self._done[number] for number in range(len(self._sizes))]

    def _work(self) -> None:
        try:
            while (taken := self._take()) is not None:
                number, data = taken
                part = part_of(data)
                held = self._there.get(number)
                same = held is not None and held.holds(part)
                self._note(number, part._replace(tag=held.tag) if held and same else self._put(number, data, part))
        except (RunfolioError, GoneError) as error:
            with self._lock:
                self._fault = self._fault or error

    def _take(self) -> tuple[int, bytes] | None:
        """Return the next part, and hash it as a part of the whole; None at the end, or where another part failed."""
        with self._lock:
            number = self._next
            if self._ended or self._fault or number == len(self._sizes):
                return None
            try:
                data = self._source.read(self._sizes[number])
            except OSError as error:
                raise storage_error("read what is sent", error) from error
            self._sha.update(data)
            self._next += 1
            return number, data

    def _put(self, number: int, data: bytes, part: Part) -> Part:
        patience = Patience()
        while True:
            try:
                made = self._uploads.put(*self._begun, number, data, part)
            except StorageError:
                patience.end_or_wait()
                continue
            if made is None:
                raise GoneError
            return made

    def _note(self, number: int, part: Part) -> None:
        with self._lock:
            self._done[number] = part
            self._bytes += part.size
            self._mark.reach(self._bytes)
