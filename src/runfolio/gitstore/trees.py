"""Git tree objects as bytes: read them, leave entries out, write them.

A tree is edited here without an index: its bytes come through the long-lived reader, its id is computed, and git is
started only when the edited tree is not in the repository yet. The form is git's own (``man gitformat-pack`` and the
entry order of ``base_name_compare`` in ``tree.c``: a folder sorts as if its name ended with ``/``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from runfolio._hashing import sha1_of, sha256
from runfolio._pattern import pattern
from runfolio._typing import NamedTuple
from runfolio.errors import DamagedError, GitError
from runfolio.gitstore.folders import numbers_in
from runfolio.gitstore.nearby import NotNearbyError
from runfolio.gitstore.repo import Repo

FOLDER = "40000"
SUBMODULE = "160000"
SYMLINK = "120000"
EXECUTABLE = "100755"
FILE = "100644"

_ENTRIES = {size: pattern(rb"([0-7]+) ([^\0]+)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)}


class Word(str):
    """A level of a rule that is one name, and no pattern: there is nothing to compile."""

    __slots__ = ()

    def fullmatch(self, name: str) -> bool:
        """Tell whether a name is this one."""
        return self == name


Rule = tuple["re.Pattern[str] | Word", ...]


class Entry(NamedTuple):
    """One line of a tree: mode as git writes it (no leading zero), name, object id."""

    mode: str
    name: str
    oid: str


def parse_tree(data: bytes, id_bytes: int) -> list[Entry]:
    """Read the bytes of a tree object.

    Parameters
    ----------
    data : bytes
    id_bytes : int
        Length of an object id: 20, or 32 in a SHA-256 repository.
    """
    found = _ENTRIES[id_bytes].findall(data)
    if sum(len(mode) + len(name) + 2 + id_bytes for mode, name, _ in found) != len(data):
        raise DamagedError("A tree object is damaged. Run: git fsck")
    return [Entry(mode.decode("ascii"), name.decode("utf-8", "surrogateescape"), oid.hex()) for mode, name, oid in found]


def format_tree(entries: Iterable[Entry]) -> bytes:
    """Write the bytes of a tree object, entries in git's order."""
    lines = []
    for mode, name, oid in entries:
        raw = name.encode("utf-8", "surrogateescape")
        lines.append((raw + b"/" if mode == FOLDER else raw, f"{mode} ".encode() + raw + b"\0" + bytes.fromhex(oid)))
    return b"".join(line for _, line in sorted(lines))


def id_bytes(repo: Repo) -> int:
    """Return the length of an object id of a repository, in bytes."""
    return 32 if repo.object_format == "sha256" else 20


def read_tree(repo: Repo, name: str) -> list[Entry] | None:
    """Return the entries of a tree, commit or ``rev:path``; None where it is not there."""
    data = repo.read(f"{name}^{{tree}}" if ":" not in name else name)
    # An id in the name tells the length without asking git for the repository's format.
    return None if data is None else parse_tree(data, 32 if len(name.split(":")[0]) == 64 else id_bytes(repo))


def folder_names(repo: Repo, name: str) -> list[str]:
    """List the names in a folder, given as ``ID:path`` with the id of a commit; none where it is not there."""
    if repo.nearby.trusted():
        with suppress(NotNearbyError):
            return repo.nearby.names(name)
    data = repo.read(name)
    return [] if data is None else [entry.name for entry in parse_tree(data, len(name.split(":")[0]) // 2)]


def folder_numbers(repo: Repo, name: str, ending: str) -> Sequence[int]:
    """List the numbers that files of a folder are named by, ascending (7 for ``7.yaml``); a folder as in :func:`folder_names`."""
    if repo.nearby.trusted():
        with suppress(NotNearbyError):
            return repo.nearby.numbers(name, ending.encode())
    return numbers_in((item.encode("utf-8", "surrogateescape") for item in folder_names(repo, name)), ending.encode())


def tree_id(data: bytes, size: int) -> str:
    """Compute the id of a tree object from its bytes; `size` is the length of an id in bytes."""
    header = f"tree {len(data)}\0".encode()
    return sha256(header + data).hexdigest() if size == 32 else sha1_of(header + data).hex()


def write_tree(repo: Repo, entries: Sequence[Entry]) -> str:
    """Store a tree, if it is not in the repository yet, and return its id."""
    data = format_tree(entries)
    oid = tree_id(data, len(entries[0].oid) // 2 if entries else id_bytes(repo))
    # git gives the empty tree also where no object holds it; what names it then has a hole that git fsck finds.
    if not entries or repo.read(oid) is None:
        written = repo.run("hash-object", "-w", "-t", "tree", "--stdin", input=data).decode().strip()
        if written != oid:
            raise GitError(
                f"git stored a tree as {written} where {oid} was computed: the repository's object format changed. Try again."
            )
    return oid


def write_trees(repo: Repo, trees: Sequence[Sequence[Entry]]) -> list[str]:
    """Store many trees by one git process and return their ids, in order.

    Raises
    ------
    GitError
        If one was not stored: `git mktree` names a tree also where it could not write it, and ends with 0.
    """
    text = b"\0".join(b"".join(_listed(entry) for entry in tree) for tree in trees) + b"\0"
    made = repo.run("mktree", "-z", "--batch", "--missing", input=text).decode().split() if trees else []
    if len(made) != len(trees):
        raise GitError(f"git mktree stored {len(made)} trees of {len(trees)}. Is there room on the disk?")
    for oid, (_, data) in zip(made, repo.read_many(made), strict=True):
        if data is None:
            raise GitError(f"git mktree did not store the tree {oid} in {repo.common_dir}. Is there room on the disk?")
    return made


def _listed(entry: Entry) -> bytes:
    kind = {FOLDER: "tree", SUBMODULE: "commit"}.get(entry.mode, "blob")
    return f"{entry.mode.zfill(6)} {kind} {entry.oid}\t".encode() + entry.name.encode("utf-8", "surrogateescape") + b"\0"


def tree_of_files(repo: Repo, files: Mapping[str, tuple[str, bytes]]) -> str:
    """Store some files side by side as a tree.

    Parameters
    ----------
    repo : Repo
    files : mapping of name to (mode, content)
        Names without a slash.

    Returns
    -------
    str
        Id of the tree.
    """
    entries = []
    for name, (mode, data) in files.items():
        oid = repo.run("hash-object", "-w", "-t", "blob", "--no-filters", "--stdin", input=data).decode().strip()
        entries.append(Entry(mode, name, oid))
    return write_tree(repo, entries)


def tree_of_folder(repo: Repo, folder: Path, paths: Sequence[str]) -> str:
    """Store files of a folder that is in no repository as a tree, by one git process for all files and one for each folder.

    Parameters
    ----------
    repo : Repo
    folder : Path
    paths : sequence of str
        Of the files, from the folder, with ``/``; names with line feeds are not taken.
    """
    listed = "".join(f"{folder / path}\n" for path in paths).encode("utf-8", "surrogateescape")
    oids = repo.run("hash-object", "-w", "-t", "blob", "--no-filters", "--stdin-paths", input=listed).decode().split()
    tops: dict[str, list[Entry]] = {"": []}
    for path, oid in zip(paths, oids, strict=True):
        place, _, name = path.rpartition("/")
        tops.setdefault(place, []).append(Entry(EXECUTABLE if os.access(folder / path, os.X_OK) else FILE, name, oid))
        while place:
            place = place.rpartition("/")[0]
            tops.setdefault(place, [])
    for place in sorted((place for place in tops if place), key=lambda text: -text.count("/")):
        above, _, name = place.rpartition("/")
        tops[above].append(Entry(FOLDER, name, write_tree(repo, tops[place])))
    return write_tree(repo, tops[""])


def without(repo: Repo, entries: Sequence[Entry], rules: Sequence[Rule]) -> list[Entry]:
    """Leave out of a tree what the rules name.

    Parameters
    ----------
    repo : Repo
    entries : sequence of Entry
        Of the tree's root.
    rules : sequence of tuple of re.Pattern or Word
        One for each level of a path; a path that matches all levels of a rule is left out, with all below.
        A folder that is empty afterwards is left out too.

    Returns
    -------
    list of Entry
        Of the new root; folders that changed are stored.
    """
    concerned = [(entry, _further(entry, rules)) for entry in entries]
    folders = [entry.oid for entry, further in concerned if further and entry.mode == FOLDER and () not in further]
    # One batch for all folders of a level: the reader answers in a pipe's round trip, not one each.
    contents = dict(repo.read_many(folders)) if folders else {}
    kept: list[Entry] = []
    for entry, further in concerned:
        if () in further:
            continue
        data = contents.get(entry.oid) if further and entry.mode == FOLDER else None
        if data is None:
            kept.append(entry)
            continue
        before = parse_tree(data, len(entry.oid) // 2)
        after = without(repo, before, further)
        if after == before:
            kept.append(entry)
        elif after:
            kept.append(entry._replace(oid=write_tree(repo, after)))
    return kept


def _further(entry: Entry, rules: Sequence[Rule]) -> list[Rule]:
    return [rule[1:] for rule in rules if rule and rule[0].fullmatch(entry.name)]
