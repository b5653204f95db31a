"""The installed packages as a lock list: sorted lines that pip can install again.

Folder names on ``sys.path`` say name and version (PEP 376, PEP 427), so a list of a hundred packages opens a handful of
files; ``METADATA`` is read only where the folder's name is ambiguous, ``direct_url.json`` (PEP 610) only where it is there.
Local paths are never written: an editable or local install is named as such. What a package brings along in a folder of
its own is part of that package: setuptools puts its ``_vendor`` on ``sys.path`` when something imports it, and the list of
a run would depend on whether that was before or after its start.

What it does *not* do: tell which of the packages were used.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterable, Sequence

from runfolio._hashing import sha256
from runfolio._pattern import pattern
from runfolio._typing import Any

_EGG = pattern(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-py\d[\d.]*)?(?:-.+)?\Z")

_cache: dict[tuple[tuple[str, int], ...], str] = {}
_lock = threading.Lock()


def _renew_lock() -> None:
    # A fork while another thread lists packages would leave the child a lock that nobody gives back.
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def installed(paths: Sequence[str] | None = None) -> str:
    """List the installed packages.

    Parameters
    ----------
    paths : sequence of str, optional
        Folders to look in, first come first served; ``sys.path`` by default.

    Returns
    -------
    str
        One ``name==version`` a line, sorted; a package from a repository as ``name @ git+https://…@<commit>``.
    """
    folders = list(dict.fromkeys(path or os.curdir for path in (sys.path if paths is None else paths)))
    # A new or removed package changes its folder's time, so a list is made again after %pip install.
    key = tuple((path, os.stat(path).st_mtime_ns) for path in folders if os.path.isdir(path))
    with _lock:
        if key not in _cache:
            _cache.clear()
            _cache[key] = "".join(f"{line}\n" for line in _lines(path for path, _ in key))
        return _cache[key]


def lock_name(text: str) -> str:
    """Return the name of a package list: the first 16 hex digits of its SHA-256."""
    return sha256(text.encode()).hexdigest()[:16]


def _lines(folders: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    folders = [os.path.abspath(folder) for folder in folders]
    for folder in folders:
        if _brought_along(folder, folders):
            continue
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries if entry.name.endswith((".dist-info", ".egg-info")))
        except OSError:
            continue
        for name in names:
            place = os.path.join(folder, name)
            package, version = _named(place, name)
            key = _normal(package)
            if key and key not in found:
                found[key] = _line(key, version, place)
    return [found[key] for key in sorted(found)]


def _brought_along(folder: str, folders: Sequence[str]) -> bool:
    package = os.path.dirname(folder)
    return os.path.dirname(package) in folders and os.path.isfile(os.path.join(package, "__init__.py"))


def _normal(package: str) -> str:
    """Return a package's name as PEP 503 compares names."""
    key = package.lower().replace("_", "-").replace(".", "-")
    while "--" in key:
        key = key.replace("--", "-")
    return key


def _named(place: str, folder: str) -> tuple[str, str]:
    stem, _, kind = folder.rpartition(".")
    if kind == "dist-info":
        package, _, version = stem.partition("-")
        if version and "-" not in version:
            return package, version
    else:
        match = _EGG.match(stem)
        if match and match["version"][0].isdigit():
            return match["name"], match["version"]
    return _metadata(place)


def _metadata(place: str) -> tuple[str, str]:
    fields = {"name": "", "version": ""}
    for name in ("METADATA", "PKG-INFO", ""):
        try:
            with open(os.path.join(place, name) if name else place, encoding="utf-8", errors="replace") as file:
                for line in file:
                    key, sign, value = line.partition(":")
                    if not line.strip() or not sign:
                        break
                    if key.lower() in fields:
                        fields[key.lower()] = value.strip()
        except OSError:
            continue
        break
    return fields["name"], fields["version"]


def _line(name: str, version: str, place: str) -> str:
    plain = f"{name}=={version}" if version else name
    origin = f"{place}{os.sep}direct_url.json"
    if not os.access(origin, os.F_OK):  # a third of what a failed open costs, and nearly no package has one
        return plain
    try:
        with open(origin, encoding="utf-8") as file:
            return _origin(name, plain, json.load(file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return plain  # not there, or not as PEP 610 says


def _origin(name: str, plain: str, said: dict[str, Any]) -> str:
    from urllib.parse import urlsplit, urlunsplit

    url = urlsplit(said["url"])
    if url.scheme == "file" or not url.hostname:
        editable = bool(said.get("dir_info", {}).get("editable"))
        return f"{plain}  # {'editable install' if editable else 'from a local file'}"
    host = url.hostname + (f":{url.port}" if url.port else "")
    bare = urlunsplit((url.scheme, host, url.path, "", ""))
    vcs = said.get("vcs_info")
    return f"{name} @ {vcs['vcs']}+{bare}@{vcs['commit_id']}" if vcs else f"{name} @ {bare}"
