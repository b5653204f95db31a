"""Resumable uploads of Google Cloud Storage: its JSON API's sessions, through google-auth.

A session takes the bytes of one object in order; how far it came it says when it is asked (``Content-Range: bytes */SIZE``: 308 and
``Range: bytes=0-LAST``, 200 or 201 when all are there, 404 or 410 when it is gone). Its address is all that its holder needs, so it is
kept like a key. It tells no checksums: what it made stands under a temporary name until it is read back. Source: Cloud Storage
documentation, "Perform resumable uploads". A session ends by itself after a week.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any
from urllib.parse import quote

from runfolio.errors import StorageError
from runfolio.objects.buckets import reason
from runfolio.objects.part_uploads import Part, RefusedError, sizes_of

OTHERWISE = ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_SKIP_SIGNATURE")
"""Variables that obstore heeds and google-auth does not."""
EMULATOR_VARIABLE = "STORAGE_EMULATOR_HOST"
"""Address of a stand-in, as Google's own client takes it; asked without credentials."""
_HOME = "https://storage.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_REFUSED = frozenset({400, 401, 403, 405, 412})
_GONE = frozenset({404, 410})
_DONE = frozenset({200, 201})


class _Session:
    """How far an upload came: bytes that are there, None where that must be asked."""

    def __init__(self, sizes: list[int], there: int | None) -> None:
        self.ends = list(accumulate(sizes))
        self.size, self.there = sum(sizes), there


class GcsParts:
    """Resumable uploads into a bucket.

    Parameters
    ----------
    bucket : str
    prefix : str
        Of all keys, without a slash at its end; empty for none.
    timeout_s : float
        Without a byte.

    Raises
    ------
    ImportError
        If google-auth or requests is not installed.
    StorageError
        If there are no credentials.
    """

    at_once = 1

    def __init__(self, bucket: str, prefix: str, timeout_s: float) -> None:
        self._bucket, self._prefix, self._timeout = bucket, f"{prefix}/" if prefix else "", (5, timeout_s)
        self._base = os.environ.get(EMULATOR_VARIABLE, _HOME).rstrip("/")
        self._known: dict[str, _Session] = {}
        self._own = threading.local()  # sessions of requests are not to be shared between threads
        with self._speaking("reach"):
            self._credentials = _credentials(self._base == _HOME)

    def begin(self, key: str, size: int) -> str:
        """Begin a session; return its address."""
        address = (
            f"{self._base}/upload/storage/v1/b/{self._bucket}/o?uploadType=resumable&name={quote(self._prefix + key, safe='')}"
        )
        with self._speaking("begin an upload to"):
            answer = self._web.post(address, headers={"X-Upload-Content-Length": str(size)}, timeout=self._timeout)
            self._check(answer, _DONE)
        upload = str(answer.headers.get("Location", ""))
        if not self._is_ours(upload):
            raise StorageError(f"Could not begin an upload to gs://{self._bucket}: its answer names no session of its own.")
        self._known[upload] = _Session(sizes_of(size), 0)
        return upload

    def find(self, key: str) -> None:
        """Return None: sessions cannot be listed."""

    def held(self, key: str, upload: str, sizes: list[int]) -> Mapping[int, Part] | None:
        """Return the parts that are there whole; the session takes none of them again."""
        if not self._is_ours(upload):
            return None
        session = self._known[upload] = _Session(sizes, None)
        there = self._ask(upload, session)
        if there is None or there == session.size:
            return None
        return {number: Part(size, sealed=True) for number, size in enumerate(sizes) if session.ends[number] <= there}

    def put(self, key: str, upload: str, number: int, data: bytes, part: Part) -> Part | None:
        """Bring up what the session lacks of a part."""
        session = self._known[upload]
        end = session.ends[number]
        while (there := self._ask(upload, session)) is not None and there < end:
            start = end - len(data)
            if there < start:
                raise StorageError(f"gs://{self._bucket} has lost bytes of an upload that it had.")
            session.there = None  # not known until it answers
            if self._send(upload, session, data[there - start :], f"bytes {there}-{end - 1}/{session.size}") == there:
                raise StorageError(f"gs://{self._bucket} took nothing of a part of an upload.")
        return None if there is None else part

    def complete(self, key: str, upload: str, parts: list[Part]) -> bool:
        """Tell whether all is there: the last part made the object, under its temporary name."""
        session = self._known.pop(upload)
        return self._ask(upload, session) == session.size

    def abandon(self, key: str, upload: str) -> None:
        """Cancel a session."""
        if self._is_ours(upload):
            with self._speaking("abandon an upload to"):
                self._web.delete(upload, timeout=self._timeout)

    def abandon_older(self, prefix: str, age_s: float) -> int:
        """Return 0: a session ends by itself."""
        return 0

    def _ask(self, upload: str, session: _Session) -> int | None:
        """Return how many bytes are there; None where the session is gone."""
        if session.there is None:
            return self._send(upload, session, b"", f"bytes */{session.size}")
        return session.there

    def _send(self, upload: str, session: _Session, data: bytes, content_range: str) -> int | None:
        with self._speaking("store a part in"):
            answer = self._web.put(
                upload, data=data, headers={"Content-Range": content_range}, timeout=self._timeout, allow_redirects=False
            )
            if answer.status_code in _GONE:
                return None
            self._check(answer, _DONE | {308})
        if answer.status_code in _DONE:
            session.there = session.size
        else:
            last = re.fullmatch(r"bytes=0-(\d+)", answer.headers.get("Range", ""))
            session.there = int(last[1]) + 1 if last else 0
        return session.there

    @property
    def _web(self) -> Any:
        if not hasattr(self._own, "web"):
            from google.auth.transport.requests import AuthorizedSession

            self._own.web = AuthorizedSession(self._credentials)
        return self._own.web

    def _is_ours(self, upload: str) -> bool:
        return upload.startswith(f"{self._base}/upload/storage/v1/b/{self._bucket}/")

    def _check(self, answer: Any, right: frozenset[int]) -> None:
        if answer.status_code not in right:
            kind = RefusedError if answer.status_code in _REFUSED else StorageError
            raise kind(f"gs://{self._bucket} answers {answer.status_code}: {reason(answer.text)}.")

    @contextlib.contextmanager
    def _speaking(self, action: str) -> Iterator[None]:
        from google.auth.exceptions import GoogleAuthError

        try:
            yield
        except StorageError:
            raise
        except GoogleAuthError as error:
            raise RefusedError(f"Could not {action} gs://{self._bucket}: {reason(str(error))}.") from None
        except (OSError, ValueError) as error:
            # All errors of requests; what they say may hold the session's address.
            raise StorageError(f"Could not {action} gs://{self._bucket}: {type(error).__name__}.") from None


def _credentials(needed: bool) -> Any:
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    return google.auth.default(scopes=[_SCOPE])[0] if needed else AnonymousCredentials()
