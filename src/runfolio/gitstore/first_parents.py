"""The newest commits along the first parents, read in this process: what a log has more than the last time, without a process of git."""

from __future__ import annotations

from runfolio._pattern import pattern
from runfolio._typing import NamedTuple
from runfolio.gitstore.nearby import NotNearbyError
from runfolio.gitstore.repo import Repo

_HEAD = pattern(
    rb"tree [0-9a-f]{40}\n((?:parent [0-9a-f]{40}\n)*)author ([^<>\n\0]*) <[^<>\n\0]*> \d+ [+-]\d{4}\n"
    rb"committer [^<>\n\0]* <[^<>\n\0]*> (\d+) [+-]\d{4}(?:\n(?!encoding )[^\n\0]*)*"
)


class ReadCommit(NamedTuple):
    """A commit as ``git log`` shows it.

    Attributes
    ----------
    oid : str
    parents : tuple of str
    at : int
        When it was committed, seconds since the epoch.
    author, subject : str
    """

    oid: str
    parents: tuple[str, ...]
    at: int
    author: str
    subject: str


def read_commit(repo: Repo, oid: str) -> ReadCommit:
    """Read one commit.

    Raises
    ------
    NotNearbyError
        If git is to be asked: it is not at hand, or not plain (another encoding, a name that git would trim, parents that are cut off).
    """
    nearby = repo.nearby
    if not nearby.trusted() or any((repo.common_dir / name).exists() for name in ("shallow", "info/grafts")):
        raise NotNearbyError
    kind, data = nearby.read(oid)
    head, _, message = data.partition(b"\n\n")
    found = _HEAD.fullmatch(head)
    if kind != "commit" or found is None or found[2].strip() != found[2] or b"\0" in message:
        raise NotNearbyError
    parents = tuple(line[7:].decode("ascii") for line in found[1].splitlines())
    return ReadCommit(
        oid, parents, int(found[3]), found[2].decode("utf-8", "replace"), _subject(message).decode("utf-8", "replace")
    )


def _subject(message: bytes) -> bytes:
    """Return the first paragraph as one line."""
    made: list[bytes] = []
    for line in message.split(b"\n"):
        text = line.rstrip(b" \t\r\v\f")
        if text:
            made.append(text)
        elif made:
            break
    return b" ".join(made)
