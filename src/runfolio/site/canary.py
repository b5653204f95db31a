"""Reads a public site as it was written, and names every file and field with something private in it.

The last wall: :mod:`runfolio.site.public` leaves private fields out, but a token may stand in an artifact, a home folder in a
description, a colleague's name in another run's note. What is looked for: the shapes of tokens and keys
(:mod:`runfolio.records.secrets`), credentials in addresses, home folders, and the users, hosts and remotes of all records.

It does not look into pictures and sound beyond the bytes that are plain text (PNG's ``tEXt``), nor into what is compressed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runfolio._pattern import pattern
from runfolio.errors import StateError
from runfolio.records.secrets import URL_USER
from runfolio.site.assets import templates_folder
from runfolio.site.public import has_home, own_names
from runfolio.site.tokens import tokens_in

if TYPE_CHECKING:
    from runfolio.site.gather import Site

MAX_LEAKS = 20
_ESCAPE = pattern(r"\\(?:u[0-9a-fA-F]{4}|.)")
_CALL = pattern(r"rfData\(\"[^\"]*\",")
_WORDS = pattern(r"[^\W_][\w.\-]*")
_SLICE = 2000


class Leak(NamedTuple):
    """Something private that a site shows.

    Attributes
    ----------
    file : str
        From the site's root.
    field : str
        Where in the file: a path of keys, or a line.
    what : str
        What it seems to be, without showing it.
    """

    file: str
    field: str
    what: str


def check_public(site: Site) -> None:
    """Refuse a public site in which something private is found; the files at fault are removed.

    Raises
    ------
    StateError
        With the files and fields.
    """
    names = private_names(site)
    files = sorted(made.path for made in site.output.made.values() if not made.path.startswith("assets/"))
    leaks = list(scan(site.output.folder, files, names))
    if not leaks:
        return
    for file in {leak.file for leak in leaks}:
        (site.output.folder / file).unlink(missing_ok=True)
    shown = "\n".join(f"  {leak.file}: {leak.field}: {leak.what}" for leak in leaks[:MAX_LEAKS])
    more = f"\n  and {len(leaks) - MAX_LEAKS} more" if len(leaks) > MAX_LEAKS else ""
    raise StateError(
        f"The public site would show what looks private, so it is not finished, and these files were removed:\n{shown}{more}\n"
        "Hide the param or tag (site.hide in runfolio.yaml), publish fewer artifacts (site.artifacts.publish), or edit the text."
    )


def private_names(site: Site) -> frozenset[str]:
    """Return the users, hosts and remotes of all records; not those that are words of our own pages."""
    found: set[str] = set()
    for at in range(0, len(site.rows), _SLICE):
        for body in site.bodies(site.rows[at : at + _SLICE]):
            record = json.loads(body)
            found.update(own_names(record))
            remote = record.get("code", {}).get("remote")
            if remote:
                found.add(str(remote))
    return frozenset(found - _own_words())


def scan(folder: Path, files: Sequence[str], names: frozenset[str]) -> Iterator[Leak]:
    """Yield what is found in files.

    Parameters
    ----------
    folder : Path
        The site's.
    files : sequence of str
        From the site's root.
    names : frozenset of str
        Values that must not be shown.
    """
    looks = _Looks(names)
    for file in files:
        data = (folder / file).read_bytes()
        text = data.decode("utf-8", "surrogateescape")
        if looks.suspicious(text):
            yield from (Leak(file, field, what) for field, what in _places(file, text, looks))


class _Looks:
    """Tells what in a text looks private; each search is spared where a plain word that it needs is missing."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = sorted(names)

    def suspicious(self, text: str) -> bool:
        """Tell whether anything does, in a file as it is written: JSON escapes must not hide where a word begins."""
        return bool(self.found(text)) or ("\\" in text and bool(self.found(_ESCAPE.sub(_unescaped, text))))

    def found(self, text: str) -> list[str]:
        """Return what is found."""
        made = tokens_in(text)
        if "@" in text and any(match["user"] != "git@" for match in URL_USER.finditer(text)):
            made.append("credentials in an address")
        if has_home(text):
            made.append("the path of a home folder")
        present = [name for name in self._names if name in text]
        if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in present):
            made.append("the name of a user, a host or a git remote")
        return made


def _unescaped(match: re.Match[str]) -> str:
    return "\\" if match[0] == "\\\\" else " "


def _places(file: str, text: str, looks: _Looks) -> Iterator[tuple[str, str]]:
    value = _json_of(file, text)
    if value is not None:
        found = list(_fields(value, "", looks))
        yield from found
        if found:
            return
    for number, line in enumerate(text.splitlines(), 1):
        for what in looks.found(line):
            yield f"line {number}", what


def _json_of(file: str, text: str) -> Any:
    call = _CALL.match(text)
    if call is None and not file.endswith(".json"):
        return None
    try:
        return json.loads(text[call.end() :].rstrip().removesuffix(");") if call else text)
    except ValueError:
        return None


def _fields(value: Any, path: str, looks: _Looks) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        for what in looks.found(value):
            yield path or "the text", what
    elif isinstance(value, dict):
        for key, entry in value.items():
            for what in looks.found(key):
                yield f"{path}: a key", what
            yield from _fields(entry, f"{path}.{key}".lstrip("."), looks)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _fields(entry, f"{path}[{number}]", looks)


def _own_words() -> set[str]:
    """Return the words of our own pages: a user who is called ``main`` is in every one of them."""
    folder = templates_folder()
    files = [path for kind in ("templates/*.html", "assets/js/*.js", "assets/css/*.css") for path in folder.glob(kind)]
    return {word for path in files for word in _WORDS.findall(path.read_text("utf-8"))}
