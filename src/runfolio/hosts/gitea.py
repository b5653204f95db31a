"""Gitea and Forgejo (Codeberg), by their REST API (version 1).

Facts that shape this, from their documentation and API description: the API is modelled on GitHub's; the comments of one issue
come in one answer, other lists in pages of at most 50; there is no documented limit to a comment, but proxies before the host
commonly stop at 1 MiB; the token of a job speaks for ``gitea-actions`` or ``forgejo-actions``; a review says itself whether it
is ``official`` (its author may write, or is named by the branch's protection), ``stale`` or ``dismissed``.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from typing import Any

from runfolio.hosts.comments import upsert
from runfolio.hosts.host import CommitState, PostedComment
from runfolio.hosts.issue_comments import IssueThread, login
from runfolio.hosts.job import Job
from runfolio.hosts.of_job import OfJob
from runfolio.hosts.reading import need, text
from runfolio.hosts.rest import RestApi
from runfolio.hosts.terms import Patience, Purpose, RefusedError, Token, UnclearError
from runfolio.hosts.texts import cut, without_commands

COMMENT_LIMIT = 250_000
"""Characters of up to four bytes that stay below 1 MiB."""
_STATUS_LIMIT = 255
_PAGE = {"limit": 50}
_BOTS = ("gitea-actions", "forgejo-actions")


class Gitea(OfJob):
    """One repository on Gitea or Forgejo; see :class:`runfolio.hosts.host.Host`.

    Parameters
    ----------
    url : str
        The API's: ``https://codeberg.org/api/v1``.
    repository : str
        ``owner/name``.
    token : Token
    job : Job, optional
        The CI job at hand.
    patience : Patience, optional
    name : str, optional
        What people call it.
    """

    kind = "gitea"
    comment_limit = COMMENT_LIMIT

    def __init__(
        self,
        url: str,
        repository: str,
        token: Token,
        job: Job | None = None,
        patience: Patience | None = None,
        name: str = "Gitea",
    ) -> None:
        self.repository = repository
        self.job = job or Job()
        headers = {"Authorization": f"token {token.value}"} if token else {}
        self.api = RestApi(url, name, token, headers, self._advice, patience)
        self._repo = f"/repos/{urllib.parse.quote(repository)}"

    def __repr__(self) -> str:
        return f"{self.api.name}({self.api.url!r}, {self.repository!r})"

    def pull_of_commit(self, commit: str, repository: str | None = None, branch: str | None = None) -> int | None:
        """Return the open pull request whose head a commit is; None where there is none, or more than one."""
        purpose = Purpose(f"find the pull request of commit {commit[:12]}", "read:repository")
        found = {
            need(pull, int, "number")
            for pull in self.api.items(f"{self._repo}/pulls", purpose, {"state": "open", "sort": "oldest", **_PAGE})
            if text(pull, "head", "sha") == commit
            and repository in (None, text(pull, "head", "repo", "full_name"))
            and branch in (None, text(pull, "head", "ref"))
        }
        return found.pop() if len(found) == 1 else None

    def upsert_comment(self, pull: int, marker: str, bodies: Sequence[str], *, order: int, create: bool = True) -> PostedComment:
        """Create our comment on a pull request, or replace its text."""
        purpose = Purpose(f"comment on pull request {pull}", "write:issue")
        thread = IssueThread(self.api, self._repo, pull, purpose, self._me, _PAGE)
        return upsert(thread, marker, bodies, order, COMMENT_LIMIT, create)

    def _me(self) -> str:
        """Ask whom the token speaks for; nobody where its scopes do not cover that: creating tells."""
        try:
            return text(self.api.get("/user", Purpose("say whom the token speaks for", "read:user")), "login").casefold()
        except RefusedError as error:
            if error.status in (403, 404):
                return ""
            raise

    def approvals(self, pull: int) -> tuple[str, ...]:
        """Return who approves: the latest review of each person, official, not stale, not dismissed, on the head as it is."""
        purpose = Purpose(f"say who approves pull request {pull}", "read:repository")
        place = f"{self._repo}/pulls/{pull}"
        told = self.api.get(place, purpose)
        judged = self.job.head_commit if self.job.pull == pull else None
        head = judged or need(told, str, "head", "sha")
        latest: dict[str, bool] = {}
        for review in self.api.items(f"{place}/reviews", purpose, _PAGE):
            if text(review, "state") in ("APPROVED", "REQUEST_CHANGES"):
                latest[login(review)] = text(review, "state") == "APPROVED" and _counts(review, head)
        return tuple(name for name, approves in latest.items() if approves and name not in ("", login(told), *_BOTS))

    def open_pull_request(self, head: str, base: str, title: str, body: str) -> str:
        """Open a pull request, and return its address; an open one is not doubled."""
        purpose = Purpose(f"open a pull request from {head} to {base}", "write:repository")
        place = f"{self._repo}/pulls"
        said = {"title": cut(title, 255), "head": head, "base": base, "body": cut(without_commands(body), COMMENT_LIMIT)}
        try:
            return need(self.api.call("POST", place, purpose, body=said).data, str, "html_url")
        except (RefusedError, UnclearError) as error:
            if isinstance(error, RefusedError) and error.status != 409:
                raise
            for pull in self.api.items(place, purpose, {"state": "open", "sort": "oldest", **_PAGE}):
                ours = text(pull, "head", "repo", "full_name").casefold() == self.repository.casefold()
                if ours and (text(pull, "head", "ref"), text(pull, "base", "ref")) == (head, base):
                    return text(pull, "html_url")
            raise

    def set_status(self, commit: str, name: str, state: CommitState, words: str, url: str = "") -> None:
        """Mark a commit; there is no neutral state, so that is a success whose text says so."""
        purpose = Purpose(f"set the status of commit {commit[:12]}", "write:repository")
        told = ("success", f"neutral: {words}") if state == "neutral" else (state, words)
        body = {"state": told[0], "context": name, "description": cut(told[1], _STATUS_LIMIT)} | (
            {"target_url": url} if url else {}
        )
        self.api.call("POST", f"{self._repo}/statuses/{commit}", purpose, body=body, repeat=True)

    def _advice(self, status: int, said: str, purpose: Purpose) -> str:
        name = self.api.token.variable
        if not self.api.token:
            return f"There is no token: set {name} to one with the scope {purpose.needs}."
        if status == 401:
            return f"{name} is wrong, or has run out."
        if status in (403, 404):
            return (
                f"{name} may not do it: it takes the scope {purpose.needs}, and an owner who may write to the repository. The token of a "
                "job for a pull request from a fork is read-only (docs/how-to/hosts.md)."
            )
        return "See what it says."


def _counts(review: Any, head: str) -> bool:
    """Say whether a review counts: a field that an older host does not know is taken for a no."""
    return (
        review.get("official") is True
        and review.get("dismissed") is not True
        and review.get("stale") is not True
        and text(review, "commit_id") == head
    )
