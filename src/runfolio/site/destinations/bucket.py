"""Publish to a bucket of S3, Google Cloud Storage, Azure, or any place that fsspec reaches.

A bucket changes file by file, so order is everything: the list says what is coming, then content is sent, pages, entry pages, then the
list of what is there; only then goes what the site has no more. Files that open pages may still ask for are kept for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from runfolio.errors import NotFoundError, StateError
from runfolio.objects.buckets import Bucket
from runfolio.site.destinations.contents import (
    ASK,
    LIST,
    Built,
    Listing,
    Published,
    Unpublished,
    cache_control,
    decode_listing,
    media_type,
    rank,
)  # fmt: skip

GRACE_S = 600
_AT_ONCE = 16


def publish_to_bucket(
    built: Built,
    bucket: Bucket,
    folder: str = "",
    *,
    grace_s: float = GRACE_S,
    force: bool = False,
    now_ms: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Published:
    """Bring a bucket up to date.

    Parameters
    ----------
    built : Built
    bucket : Bucket
    folder : str, optional
        Folder in it, such as ``preview/7``.
    grace_s : float, optional
        Seconds for which files that the site has no more stay; a later publish removes them.
    force : bool, optional
        Send every file again.
    now_ms : int, optional
        The time, milliseconds since the epoch; the clock's by default.
    progress : callable, optional
        Called with how many files are sent, and of how many.

    Raises
    ------
    StateError
        If there is a site that runfolio did not publish.
    StorageError
        If the bucket refuses; what people see is the old site, or a new page with all that it names.
    """
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    start = f"{folder.strip('/')}/" if folder.strip("/") else ""
    old = _listing(bucket, start)
    digests = built.digests()
    stale = sorted(path for path in digests if force or old.files.get(path) != digests[path] or path in old.coming)
    gone = {path: old.leaving.get(path, now) for path in old.known() - digests.keys()}
    due = sorted(path for path, at in gone.items() if now - at >= grace_s * 1000)
    left = {path: at for path, at in gone.items() if path not in due}
    place = bucket.url(start + "index.html")
    if not stale and not due and left == old.leaving and not old.coming:
        return Published(place, 0, len(digests), 0, 0)
    if stale:
        _put_list(bucket, start, Listing(old.files, old.leaving, tuple({*stale, *old.coming})))
        _send(built, bucket, start, sorted((rank(path, old.files), path) for path in stale), progress)
    _put_list(bucket, start, Listing(digests, {**left, **dict.fromkeys(due, 0)}))
    if due:
        bucket.delete([start + path for path in due])
        _put_list(bucket, start, Listing(digests, left))
    return Published(place, len(stale), len(digests) - len(stale), len(due), sum(built.files[path].size for path in stale))


def unpublish_from_bucket(bucket: Bucket, folder: str = "") -> Unpublished:
    """Take the site in a bucket, or in a folder of it, away; what lies beside it is kept.

    Raises
    ------
    DamagedError
        If the list of what was published cannot be read.
    StorageError
        If the bucket refuses; the next call goes on.
    """
    start = f"{folder.strip('/')}/" if folder.strip("/") else ""
    place = bucket.url(start).rstrip("/")
    try:
        old = decode_listing(b"".join(bucket.open(start + LIST)[1]), place)
    except NotFoundError:
        return Unpublished(place, 0)
    _put_list(bucket, start, old.away())
    paths = old.leaving_order()
    for _, some in groupby(paths, key=lambda path: rank(path, old.files)):
        bucket.delete([start + path for path in some])
    bucket.delete([start + LIST])
    return Unpublished(place, len(paths))


def _listing(bucket: Bucket, start: str) -> Listing:
    try:
        data = b"".join(bucket.open(start + LIST)[1])
    except NotFoundError:
        if bucket.stat(start + "index.html") is not None:
            raise StateError(
                f"{bucket.url(start + 'index.html')} is there, and was not published by runfolio, so nothing was sent. Name an empty "
                "bucket or folder, or remove that file."
            ) from None
        return Listing()
    return decode_listing(data, bucket.url(start).rstrip("/"))


def _put_list(bucket: Bucket, start: str, listing: Listing) -> None:
    bucket.put(start + LIST, listing.encode(), attributes_of(LIST))


def _send(
    built: Built, bucket: Bucket, start: str, ranked: Sequence[tuple[int, str]], progress: Callable[[int, int], None]
) -> None:
    """Send files, several at a time; none of a rank before all of the one below are there."""
    done = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _, some in groupby(ranked, key=lambda item: item[0]):
            sent = [pool.submit(bucket.put, start + path, built.folder / path, attributes_of(path)) for _, path in some]
            for item in sent:
                try:
                    item.result()
                except BaseException:
                    for other in sent:
                        other.cancel()
                    raise
                done += 1
                progress(done, len(ranked))


def attributes_of(path: str) -> Mapping[str, str]:
    """Return how a bucket is to serve a file."""
    if path == LIST:
        return {"Content-Type": "application/json", "Cache-Control": ASK}
    made = {"Content-Type": media_type(path), "Cache-Control": cache_control(path)}
    if path.startswith("artifacts/") and made["Content-Type"] == "application/octet-stream":
        made["Content-Disposition"] = "attachment"
    return made
