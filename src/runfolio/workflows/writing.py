"""Workflows into a work tree: what is missing is written, what is ours is brought up to date, what a person wrote stays.

The second line of a generated file holds a digest of what follows it. As long as it fits, the file is as it was generated.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from runfolio._dataclass import dataclass
from runfolio.errors import storage_error

_SEAL = re.compile(r"(?P<first>#[^\n]*\n)# as generated: (?P<digest>[0-9a-f]{16})\n(?P<rest>.*)\Z", re.DOTALL)
State = Literal["new", "same", "old", "edited"]


@dataclass(frozen=True, slots=True)
class Planned:
    """One file to write.

    Parameters
    ----------
    path : str
        From the repository's root.
    state : str
        ``new``; ``same``: it is there as it would be written; ``old``: there as an earlier version wrote it; ``edited``: a person
        wrote or changed it.
    text : str
        As it would be written.
    before : str
        As it is; empty where it is not there.
    """

    path: str
    state: State
    text: str
    before: str

    def diff(self) -> str:
        """Return what writing it would change, as a unified diff."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.text.splitlines(keepends=True),
            self.path if self.before else os.devnull,
            self.path,
        )
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def sealed(text: str) -> str:
    """Put the digest into a generated text, below its first line, which is a comment."""
    first, _, rest = text.partition("\n")
    digest = hashlib.sha256(rest.encode()).hexdigest()[:16]
    return f"{first}\n# as generated: {digest}\n{rest}"


def is_as_generated(text: str) -> bool:
    """Tell whether nobody changed a generated text."""
    match = _SEAL.match(text)
    return match is not None and hashlib.sha256(match["rest"].encode()).hexdigest()[:16] == match["digest"]


def plan(top: Path, files: Mapping[str, str]) -> list[Planned]:
    """Compare generated files with what is there; nothing is written.

    Parameters
    ----------
    top : Path
        The repository's work tree.
    files : Mapping of str to str
        Text by path.
    """
    made = []
    for path, text in files.items():
        wanted, place = sealed(text), top / path
        try:
            before = place.read_text("utf-8", "replace") if place.exists() else ""
        except OSError as error:
            raise storage_error(f"read {path}", error) from None
        state: State = (
            "new" if not place.exists() else "same" if before == wanted else "old" if is_as_generated(before) else "edited"
        )
        made.append(Planned(path, state, wanted, before))
    return made


def write(top: Path, planned: Iterable[Planned], *, force: bool = False) -> list[Planned]:
    """Write the files that are new or as an earlier version wrote them; return those that were written.

    Parameters
    ----------
    top : Path
    planned : iterable of Planned
    force : bool, optional
        Write over what a person changed, too.

    Raises
    ------
    StorageError
        If one cannot be written.
    """
    written = []
    for item in planned:
        if item.state == "same" or (item.state == "edited" and not force):
            continue
        replace_file(top / item.path, item.text)
        written.append(item)
    return written


def replace_file(place: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f".{place.name}.part")
        beside.write_text(text, "utf-8")
        os.replace(beside, place)
    except OSError as error:
        raise storage_error(f"write {place}", error) from None
