"""One comment on a pull request that is kept up to date: found by author and marker, never doubled, never taken back in time.

The first line of each comment of ours is an HTML comment that people don't see::

    <!-- runfolio:review order=4711 -->

Invariants
----------
- A comment is ours if **both** its author is who our token speaks for and its first line is our marker. Anyone can write our
  marker; nobody else's comment is edited or deleted.
- Of several of ours (two builds that created at once) the oldest stays and gets the text of the latest build; the others go.
- The text of a later build is not replaced by an earlier one's. No host has a conditional edit: after an edit the comment is
  read again and, if an earlier build's edit came in between, written again.
- A text that the host finds too long is followed by the next shorter one.
- No line of a text is a command (``/approve``), to GitLab or to a bot.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from typing import Protocol

from runfolio._dataclass import dataclass
from runfolio.errors import RemoteError, UsageError
from runfolio.hosts.host import PostedComment
from runfolio.hosts.terms import RefusedError, UnclearError
from runfolio.hosts.texts import without_commands

_ROUNDS = 5
_MOST_MARKER = 1000
_TOO_LONG = re.compile(r"too (?:long|large|big)|maximum is \d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request.

    Parameters
    ----------
    id : int
        Later comments have higher ones.
    author : str
        What the host's users are told apart by.
    body, url : str
    """

    id: int
    author: str
    body: str
    url: str


class Thread(Protocol):
    """The comments of one pull request, as a host's API has them."""

    def me(self) -> str:
        """Return whom the token speaks for; empty where the host does not say."""
        ...

    def comments(self) -> list[Comment]:
        """Return all comments."""
        ...

    def read(self, comment_id: int) -> Comment | None:
        """Return one comment; None where it is gone."""
        ...

    def create(self, body: str) -> Comment:
        """Write a new one."""
        ...

    def update(self, comment_id: int, body: str) -> None:
        """Replace a comment's text."""
        ...

    def delete(self, comment_id: int) -> None:
        """Delete a comment; one that is gone already is well."""
        ...


class _ChangedError(Exception):
    """Something else changed the comment in between: look again."""


def upsert(thread: Thread, marker: str, bodies: Sequence[str], order: int, limit: int, create: bool = True) -> PostedComment:
    """Create our comment, or replace its text; see :class:`runfolio.hosts.host.Host`.

    Raises
    ------
    RemoteError
        If the host refuses, or even the shortest text is too long for it.
    """
    return _Upsert(thread, marker, bodies, order, limit, create).run()


def marker_name(marker: str) -> str:
    """Return a marker in letters that an HTML comment may hold: it has no space, and no two dashes in a row.

    Examples
    --------
    >>> marker_name("review:models/my wine--v2")
    'review:models/my%20wine-%2Dv2'
    """
    return urllib.parse.quote(marker, safe=":/.", errors="replace").replace("--", "-%2D").replace("--", "-%2D")


class _Upsert:
    def __init__(self, thread: Thread, marker: str, bodies: Sequence[str], order: int, limit: int, create: bool) -> None:
        self._name = marker_name(marker)
        if not self._name or len(self._name) > _MOST_MARKER:
            raise UsageError("A comment is marked by a name of one to a few hundred letters.")
        if order < 0 or not bodies:
            raise UsageError("A comment needs a text, and the number of its build, from 0.")
        self._thread, self._order, self._limit, self._create = thread, order, limit, create
        self._mine = re.compile(rf"<!-- runfolio:{re.escape(self._name)} order=(\d{{1,18}}) -->(?:\r?\n|\Z)")
        self._bodies = [without_commands(body) for body in bodies]
        self._author: str | None = None
        self._gone: set[int] = set()

    def run(self) -> PostedComment:
        unclear: RemoteError | None = None
        for _ in range(_ROUNDS):
            try:
                return self._once()
            except _ChangedError:
                continue
            except UnclearError as error:
                unclear = error  # the next round looks whether it is there
        raise unclear or RemoteError("Other builds keep changing the report's comment. Run this one again.")

    def _once(self) -> PostedComment:
        mine = self._found()
        made = None
        if not mine and not self._create:
            return PostedComment("", "absent")
        if not mine:
            made = self._created()
            self._author = made.author  # who we are, from the host's own mouth
            mine = sorted({made.id: made, **{item.id: item for item in self._found()}}.values(), key=lambda item: item.id)
        return self._settled(mine, made)

    def _found(self) -> list[Comment]:
        author = self._author or self._thread.me()
        if not author:  # nobody is not who wrote the comments of deleted accounts
            return []
        found = [item for item in self._thread.comments() if item.author == author and self._mine.match(item.body)]
        return sorted(found, key=lambda item: item.id)

    def _settled(self, mine: list[Comment], made: Comment | None) -> PostedComment:
        """Give the oldest of our comments the latest text, and delete the others."""
        oldest, latest = mine[0], max(mine, key=lambda item: (self._order_of(item), item.id))
        theirs = self._order_of(latest)
        ours = made is None and (self._order == 0 or self._order >= theirs)
        if ours:
            changed = self._write(oldest, max(self._order, theirs))
        else:
            changed = latest.id != oldest.id and not _same(latest.body, oldest.body)
            if changed:
                self._update(oldest, latest.body)
        for twin in mine[1:]:
            self._thread.delete(twin.id)
        if not ours and (made is None or latest.id != made.id):
            return PostedComment(oldest.url, "kept")
        if made is not None and oldest.id == made.id:
            return PostedComment(oldest.url, "created")
        if not changed:
            return PostedComment(oldest.url, "unchanged")
        self._check(oldest)
        return PostedComment(oldest.url, "updated")

    def _check(self, comment: Comment) -> None:
        """Make sure that no earlier build wrote over what we just wrote."""
        now = self._thread.read(comment.id)
        if now is None or (self._order and self._order_of(now) < self._order):
            raise _ChangedError

    def _created(self) -> Comment:
        while True:
            body = self._body(self._order)
            try:
                return self._thread.create(body)
            except RefusedError as error:
                self._shorten(error)

    def _write(self, comment: Comment, order: int) -> bool:
        """Write our text into a comment; False where it says so already."""
        while True:
            body = self._body(order)
            if _same(body, comment.body):
                return False
            try:
                self._update(comment, body)
            except RefusedError as error:
                self._shorten(error)
            else:
                return True

    def _update(self, comment: Comment, body: str) -> None:
        try:
            self._thread.update(comment.id, body)
        except RefusedError as error:
            # Deleted since we looked; where it is still listed, "not found" means "not allowed".
            if error.status not in (404, 410) or comment.id in self._gone:
                raise
            self._gone.add(comment.id)
            raise _ChangedError from None

    def _body(self, order: int) -> str:
        head = f"<!-- runfolio:{self._name} order={order} -->\n"
        # What is too long by our count is not sent; the last one is, since the host may count otherwise.
        while len(self._bodies) > 1 and len(head) + len(self._bodies[0]) > self._limit:
            self._bodies.pop(0)
        return head + self._bodies[0]

    def _shorten(self, error: RefusedError) -> None:
        if error.status not in (400, 413, 422) or not (error.status == 413 or _TOO_LONG.search(error.said)):
            raise error
        if len(self._bodies) == 1:
            raise RemoteError(
                f"{error.message} Even the shortest form of the report ({len(self._bodies[0])} characters) is too long."
            )
        self._bodies.pop(0)

    def _order_of(self, comment: Comment) -> int:
        found = self._mine.match(comment.body)
        return int(found[1]) if found else 0


def _same(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
