"""What a git host can do for us: one ``Protocol``, and the values that cross it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from runfolio._dataclass import dataclass

Posted = Literal["created", "updated", "unchanged", "kept", "absent"]
CommitState = Literal["success", "failure", "neutral"]


@dataclass(frozen=True, slots=True)
class PostedComment:
    """Where a comment stands, and what was done.

    Parameters
    ----------
    url : str
        For people; empty where there is none.
    action : str
        ``created``; ``updated``; ``unchanged``: it says so already; ``kept``: a newer build's is there, and stays; ``absent``:
        there is none, and none was to be created.
    """

    url: str
    action: Posted


class Host(Protocol):
    """A git host, seen from one repository on it. Nothing here approves, merges or closes anything.

    Attributes
    ----------
    kind : str
        ``github``, ``gitlab`` or ``gitea`` (Forgejo, too).
    comment_limit : int
        Characters that a comment may have, as the host counts them.
    """

    kind: str
    comment_limit: int

    @property
    def has_token(self) -> bool:
        """Whether there is a token: without one a host tells public things at most."""
        ...

    def pull_request(self) -> int | None:
        """Return the number of the pull request that the CI job at hand runs for; None where there is none.

        For a job after a fork's (``workflow_run``), the host is asked which open pull request has that commit of that fork as
        its head: no number is ever taken from what the fork made.
        """
        ...

    def build_order(self) -> int:
        """Return a number that is higher for later builds of this CI; 0 outside of a CI."""
        ...

    def pull_of_commit(self, commit: str, repository: str | None = None, branch: str | None = None) -> int | None:
        """Return the open pull request whose head a commit is; None where there is none, or more than one.

        Parameters
        ----------
        commit : str
        repository, branch : str, optional
            Where the head is from; two forks may offer the same commit.
        """
        ...

    def upsert_comment(self, pull: int, marker: str, bodies: Sequence[str], *, order: int, create: bool = True) -> PostedComment:
        """Create our comment on a pull request, or replace its text.

        Parameters
        ----------
        pull : int
        marker : str
            Tells our comments on one pull request apart: ``review``, ``review:folder``.
        bodies : sequence of str
            The text, in ever shorter forms: the first one that the host takes is posted.
        order : int
            Of the build: a comment of a later build is kept. 0 replaces whatever is there.
        create : bool, optional
            False replaces the text of a comment that is there, and writes none where there is none.
        """
        ...

    def approvals(self, pull: int) -> tuple[str, ...]:
        """Return the log-in names of who approves a pull request as it is now; never its author, never a bot."""
        ...

    def open_pull_request(self, head: str, base: str, title: str, body: str) -> str:
        """Open a pull request between two branches of this repository, and return its address; an open one is not doubled."""
        ...

    def set_status(self, commit: str, name: str, state: CommitState, words: str, url: str = "") -> None:
        """Mark a commit with a named state: neutral is neither good nor bad, and never stops a merge."""
        ...
