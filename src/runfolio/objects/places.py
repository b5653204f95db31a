"""From the setting ``artifacts`` to a store."""

from __future__ import annotations

import re
from pathlib import Path

from runfolio._pattern import pattern
from runfolio._typing import TYPE_CHECKING
from runfolio.errors import UsageError
from runfolio.objects.local import LocalStore
from runfolio.objects.store import ObjectStore

if TYPE_CHECKING:
    from runfolio.objects.buckets import Bucket

# Two letters at least: in C:\objects the C is a drive.
_SCHEME = pattern(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<rest>.*)\Z", re.DOTALL)


def open_store(place: str | None, default: Path, base: Path, durable: bool = True) -> ObjectStore:
    """Open the store that a setting names.

    Parameters
    ----------
    place : str or None
        A path, absolute or relative to `base`, a ``file:`` URL, or a bucket (``s3://``, ``gs://``, ``az://``, or another
        scheme that fsspec knows); ``~`` is the home folder. Only from settings that the user trusts.
    default : Path
        Where the store lies when `place` is None or empty. What waits for a bucket lies beside it, in ``waiting``.
    base : Path
        The folder that a relative path starts from.
    durable : bool, optional
        Whether what is put survives a power cut.

    Raises
    ------
    UsageError
        If `place` is neither a path, nor a ``file:`` URL of this machine, nor a bucket.
    MissingPackageError
        If the package is not installed that speaks to the bucket.
    """
    if not place:
        return LocalStore(default, durable)
    if "\0" in place or not place.strip():
        raise UsageError(f"artifacts: {place!r} is not a path.")
    match = _SCHEME.match(place)
    if match is None:
        return LocalStore(base / Path(place).expanduser(), durable)
    if match["scheme"].lower() == "file":
        return LocalStore(base / _path_of_url(place, match["rest"]), durable)
    from runfolio.objects.cache import Cache
    from runfolio.objects.remote import RemoteStore

    return RemoteStore(open_bucket(place), default.parent / "waiting", Cache(), durable)


def is_bucket(place: str) -> bool:
    """Tell whether a place is a bucket, and neither a path nor a ``file:`` URL."""
    match = _SCHEME.match(place)
    return match is not None and match["scheme"].lower() != "file"


def why_uploads_begin_anew(place: str | None) -> str:
    """Say why a large upload to a place begins anew where its process died; empty where it goes on, or nothing is sent.

    Examples
    --------
    >>> why_uploads_begin_anew("sftp://host/objects")
    'places of fsspec cannot go on with one'
    """
    if not place or not is_bucket(place):
        return ""
    from runfolio.objects.cloud_bucket import CLOUDS
    from runfolio.objects.cloud_parts import missing_package

    kind = CLOUDS.get(place.partition(":")[0].lower())
    if kind is None:
        return "places of fsspec cannot go on with one"
    package = missing_package(kind)
    return f"{package} is missing: pip install 'runfolio[{kind}]'" if package else ""


def open_bucket(place: str) -> Bucket:
    """Open a bucket: one of the three clouds' own, or any other place that fsspec reaches.

    Raises
    ------
    UsageError
        If there is no such kind of place, or it holds credentials.
    MissingPackageError
        If the package is not installed that speaks to it.
    """
    from runfolio.objects.cloud_bucket import CLOUDS, CloudBucket

    if place.partition(":")[0].lower() in CLOUDS:
        return CloudBucket(place)
    from runfolio.objects.fsspec_bucket import FsspecBucket

    return FsspecBucket(place)


def _path_of_url(place: str, rest: str) -> str:
    from urllib.parse import unquote

    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise UsageError(
                f"artifacts: {place!r} names the machine {host!r}: mount its folder and give the path, or write file:///{host}/…"
            )
        rest = slash + rest
    if "?" in rest or "#" in rest:
        raise UsageError(f"artifacts: {place!r}: a file URL has no query and no fragment; write %3F for '?' and %23 for '#'.")
    path = unquote(rest)
    if not path or "\0" in path:
        raise UsageError(f"artifacts: {place!r} holds no path.")
    # file:///C:/objects
    return path[1:] if re.match(r"/[A-Za-z]:", path) else path
