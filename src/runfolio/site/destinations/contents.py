"""What is published: the files of a built site, the list of them in the destination, and how a host is to serve each.

Invariants:

- Files are ordered so that whatever a page names is there before the page can be reached: content, new pages, pages that change,
  entry pages, and the list.
- An artifact is never given a type that a browser executes, whatever it is called.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container
from pathlib import Path

from runfolio._dataclass import dataclass, field
from runfolio._pattern import pattern
from runfolio._typing import TYPE_CHECKING, NamedTuple
from runfolio.errors import DamagedError, NotFoundError, StateError
from runfolio.site.kinds import SAFE_ENDINGS
from runfolio.site.memory import MEMORY

if TYPE_CHECKING:
    from runfolio.site.options import BuildReport

LIST = ".runfolio-site.json"
"""Name of the list of what was published, in the destination."""
_VERSION = 1
_ENTRY = ("index.html", "404.html")
_ADDRESSED = pattern(r"\.[0-9a-f]{8}\.[a-z]+\Z")
_DIGEST = pattern(r"[0-9a-f]{64}\Z")
_TYPES = {
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "json": "application/json", "xml": "application/atom+xml; charset=utf-8", "txt": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8", "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "ico": "image/x-icon", "mp3": "audio/mpeg", "ogg": "audio/ogg", "wav": "audio/wav",
    "flac": "audio/flac", "parquet": "application/vnd.apache.parquet", "woff2": "font/woff2",
    "webmanifest": "application/manifest+json",
}  # fmt: skip
_BYTES = "application/octet-stream"
FOR_EVER, ASK = "public, max-age=31536000, immutable", "no-cache"


class File(NamedTuple):
    """One file of a built site: hexadecimal SHA-256 and size in bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Built:
    """A finished site.

    Parameters
    ----------
    folder : Path
    files : dict
        By path from the site's root.
    """

    folder: Path
    files: dict[str, File]

    def digests(self) -> dict[str, str]:
        """Return the digest of each file, by path."""
        return {path: file.digest for path, file in self.files.items()}


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did.

    Parameters
    ----------
    place : str
        Where the site is now, for people.
    sent, kept, removed : int
        Files.
    bytes : int
        Of the files that were sent.
    """

    place: str
    sent: int
    kept: int
    removed: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Unpublished:
    """What taking a site away did.

    Parameters
    ----------
    place : str
        Where the site was, for people.
    removed : int
        Files; 0 where there was no site.
    """

    place: str
    removed: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The list of what a destination holds of ours.

    Parameters
    ----------
    files : dict of str to str
        Digest by path.
    leaving : dict of str to int
        Files that the site has no more, and that open pages may still ask for: when they left, milliseconds since the epoch.
    coming : tuple of str
        Paths that a publish under way sends; empty once it is done.
    """

    files: dict[str, str] = field(default_factory=dict)
    leaving: dict[str, int] = field(default_factory=dict)
    coming: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Return the list as the bytes of a file."""
        held: dict[str, object] = {"version": _VERSION, "files": dict(sorted(self.files.items()))}
        if self.leaving:
            held["leaving"] = dict(sorted(self.leaving.items()))
        if self.coming:
            held["coming"] = sorted(self.coming)
        return json.dumps(held, separators=(",", ":"), ensure_ascii=True).encode()

    def known(self) -> set[str]:
        """Return every path that is ours."""
        return {*self.files, *self.leaving, *self.coming}

    def away(self) -> Listing:
        """Return the list of a site that is being taken away: nothing in it can be relied on any more, all of it is ours."""
        return Listing({}, dict.fromkeys(self.known(), 0))

    def leaving_order(self) -> list[str]:
        """Return every path that is ours, those by which people enter first."""
        return sorted(self.known(), key=lambda path: (-rank(path, self.files), path))


def decode_listing(data: bytes, place: str) -> Listing:
    """Read a list; it came from outside, so only plain relative paths and digests are taken.

    Raises
    ------
    DamagedError
        If it is none of ours.
    """
    try:
        held = json.loads(data)
        if held["version"] != _VERSION:
            raise ValueError(f"its version is {held['version']!r}, not {_VERSION}")
        made = Listing(dict(held["files"]), dict(held.get("leaving", {})), tuple(held.get("coming", ())))
        if not all(map(_plain, made.known())) or not all(_DIGEST.match(digest) for digest in made.files.values()):
            raise ValueError("it names what no site of ours has")
        if not all(isinstance(at, int) for at in made.leaving.values()):
            raise ValueError("a time in it is no number")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(
            f"{place}/{LIST} is not the list of a site that runfolio published: {error}. Remove that file to publish anew over "
            "what is there."
        ) from None
    return made


def _plain(path: object) -> bool:
    return (
        isinstance(path, str)
        and bool(path)
        and not any(part in ("", ".", "..", ".git") or "\\" in part for part in path.split("/"))
    )


def built_of(report: BuildReport) -> Built:
    """Return the site that a build of this process made, or found as it was."""
    return Built(report.out, {made.path: File(made.digest, made.size) for made in report.made})


def read_built(folder: Path) -> Built:
    """Read what a built site consists of.

    Parameters
    ----------
    folder : Path
        As ``runfolio site build`` left it.

    Raises
    ------
    NotFoundError
        If no build made that folder.
    StateError
        If a build of it was not finished, or a file is not as the build left it.
    """
    again = f"Build it again: runfolio site build -o {folder}"
    try:
        held = json.loads((folder / MEMORY).read_bytes())
        files = {made[1]: File(made[3], made[2]) for made in held["files"].values()}
    except FileNotFoundError:
        raise NotFoundError(f"{folder} holds no built site. {again}") from None
    except (ValueError, KeyError, TypeError, IndexError):
        raise StateError(f"{folder / MEMORY} cannot be read. {again}") from None
    if held.get("unfinished") or not files:
        raise StateError(f"The build of {folder} was not finished. {again}")
    for path, file in files.items():
        try:
            found = os.stat(os.path.join(folder, path)).st_size
        except OSError:
            found = -1
        if found != file.size:
            raise StateError(f"{folder / path} is not as the build left it. {again}")
    return Built(folder, files)


def rank(path: str, old: Container[str]) -> int:
    """Return when a file is sent: 0 content, 1 pages that are new, 2 pages that change, 3 those by which people enter.

    Nothing leads to a new page before the pages change that were there, so whatever can be reached names only what is there.
    """
    if not path.endswith((".html", "feed.xml")):
        return 0
    return 3 if path in _ENTRY else 2 if path in old else 1


def media_type(path: str) -> str:
    """Return the type to serve a file as.

    Examples
    --------
    >>> media_type("e/wine/index.html"), media_type("artifacts/ab/abcdef.html")
    ('text/html; charset=utf-8', 'application/octet-stream')
    """
    name = path.rpartition("/")[2]
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if path.startswith("artifacts/") and f".{ending}" not in SAFE_ENDINGS:
        return _BYTES
    return _TYPES.get(ending, _BYTES)


def cache_control(path: str) -> str:
    """Return how long a file may be kept by browsers: for ever where its name says what is in it, else while the host agrees."""
    return FOR_EVER if _ADDRESSED.search(path) or path.startswith("artifacts/") else ASK
