"""GitHub, in the cloud and on premises, by its REST API (version 2022-11-28).

Facts that shape this, from GitHub's documentation: comments come oldest first, 100 a page at most; a body may have 65,536
characters (of comments others measured 262,144 bytes: what we count is within both); ``GITHUB_TOKEN`` has no ``/user``, so whom a
token speaks for is asked by GraphQL's ``viewer``; a review counts where its author may write to the repository, and on a public one
anybody may leave reviews; the commits of a fork are not found by ``/commits/SHA/pulls``, so open pull requests are listed and compared.
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

COMMENT_LIMIT = 65_536
_STATUS_LIMIT = 140
_WRITERS = ("admin", "maintain", "write")
_FORKS = "The token of a job for a pull request from a fork is read-only: post from a workflow_run job (docs/how-to/hosts.md)."


class GitHub(OfJob):
    """One repository on GitHub; see :class:`runfolio.hosts.host.Host`.

    Parameters
    ----------
    url : str
        The API's: ``https://api.github.com``, or ``https://git.example.org/api/v3``.
    repository : str
        ``owner/name``.
    token : Token
    job : Job, optional
        The CI job at hand.
    patience : Patience, optional
    """

    kind = "github"
    comment_limit = COMMENT_LIMIT

    def __init__(self, url: str, repository: str, token: Token, job: Job | None = None, patience: Patience | None = None) -> None:
        self.repository = repository
        self.job = job or Job()
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if token:
            headers["Authorization"] = f"Bearer {token.value}"
        self.api = RestApi(url, "GitHub", token, headers, self._advice, patience)
        self._repo = f"/repos/{urllib.parse.quote(repository)}"

    def __repr__(self) -> str:
        return f"GitHub({self.api.url!r}, {self.repository!r})"

    def pull_of_commit(self, commit: str, repository: str | None = None, branch: str | None = None) -> int | None:
        """Return the open pull request whose head a commit is; None where there is none, or more than one."""
        purpose = Purpose(f"find the pull request of commit {commit[:12]}", "pull-requests: read")
        query: dict[str, Any] = {"state": "open", "sort": "created", "direction": "desc", "per_page": 100}
        if repository and branch:
            query["head"] = f"{repository.split('/')[0]}:{branch}"
        found = {
            need(pull, int, "number")
            for pull in self.api.items(f"{self._repo}/pulls", purpose, query)
            if text(pull, "head", "sha") == commit and repository in (None, text(pull, "head", "repo", "full_name"))
        }
        return found.pop() if len(found) == 1 else None

    def upsert_comment(self, pull: int, marker: str, bodies: Sequence[str], *, order: int, create: bool = True) -> PostedComment:
        """Create our comment on a pull request, or replace its text."""
        purpose = Purpose(f"comment on pull request {pull}", "pull-requests: write")
        thread = IssueThread(self.api, self._repo, pull, purpose, self._me, {"per_page": 100})
        return upsert(thread, marker, bodies, order, COMMENT_LIMIT, create)

    def approvals(self, pull: int) -> tuple[str, ...]:
        """Return who approves: the latest review of each person who may write here, given on the head as it is."""
        purpose = Purpose(f"say who approves pull request {pull}", "pull-requests: read")
        place = f"{self._repo}/pulls/{pull}"
        told = self.api.get(place, purpose)
        judged = self.job.head_commit if self.job.pull == pull else None
        head = judged or need(told, str, "head", "sha")
        author = login(told)
        latest: dict[str, bool] = {}
        for review in self.api.items(f"{place}/reviews", purpose, {"per_page": 100}):
            state = text(review, "state")
            if state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED") and text(review, "user", "type") != "Bot":
                latest[login(review)] = state == "APPROVED" and text(review, "commit_id") == head
        names = [name for name, approves in latest.items() if approves and name not in ("", author)]
        return tuple(name for name in names if self._may_write(name, purpose))

    def _may_write(self, login: str, purpose: Purpose) -> bool:
        told = self.api.get(f"{self._repo}/collaborators/{urllib.parse.quote(login, safe='')}/permission", purpose)
        return need(told, str, "permission") in _WRITERS

    def open_pull_request(self, head: str, base: str, title: str, body: str) -> str:
        """Open a pull request, and return its address; an open one is not doubled."""
        purpose = Purpose(f"open a pull request from {head} to {base}", "pull-requests: write")
        said = {"title": title, "head": head, "base": base, "body": cut(without_commands(body), COMMENT_LIMIT)}
        try:
            return need(self.api.call("POST", f"{self._repo}/pulls", purpose, body=said).data, str, "html_url")
        except (RefusedError, UnclearError) as error:
            if isinstance(error, RefusedError) and not (error.status == 422 and "already exists" in error.said):
                raise
            owner = self.repository.split("/")[0]
            query = {"state": "open", "head": f"{owner}:{head}", "base": base}
            found = [text(pull, "html_url") for pull in self.api.items(f"{self._repo}/pulls", purpose, query)]
            if not found:
                raise
            return found[0]

    def set_status(self, commit: str, name: str, state: CommitState, words: str, url: str = "") -> None:
        """Mark a commit: a commit status, or a check run where it is neutral (a status knows no such state)."""
        if state == "neutral":
            return self._set_neutral(commit, name, words, url)
        purpose = Purpose(f"set the status of commit {commit[:12]}", "statuses: write")
        said = {"state": state, "context": name, "description": cut(words, _STATUS_LIMIT)} | ({"target_url": url} if url else {})
        self.api.call("POST", f"{self._repo}/statuses/{commit}", purpose, body=said, repeat=True)
        return None

    def _set_neutral(self, commit: str, name: str, words: str, url: str) -> None:
        purpose = Purpose(f"add a check run to commit {commit[:12]}", "checks: write")
        said: dict[str, Any] = {"name": name, "head_sha": commit, "status": "completed", "conclusion": "neutral"}
        said["output"] = {"title": cut(words, _STATUS_LIMIT), "summary": cut(words, COMMENT_LIMIT - 1)}
        if url:
            said["details_url"] = url
        self.api.call("POST", f"{self._repo}/check-runs", purpose, body=said, repeat=True)

    def _me(self) -> str:
        """Ask GraphQL's viewer, which knows apps and GITHUB_TOKEN too; then /user; else nobody: creating tells."""
        purpose = Purpose("say whom the token speaks for", "pull-requests: write")
        parts = urllib.parse.urlsplit(self.api.url)
        place = parts._replace(path=f"{parts.path.removesuffix('/v3')}/graphql").geturl()
        asked = ("POST", place, {"query": "query{viewer{login}}"}), ("GET", "/user", None)
        for method, path, body in asked:
            try:
                told = self.api.call(method, path, purpose, body=body, repeat=True).data
            except RefusedError as error:
                if error.status == 401:
                    raise
            else:
                name = text(told, "data", "viewer", "login") or text(told, "login")
                if name:
                    return name.casefold()
        return ""

    def _advice(self, status: int, said: str, purpose: Purpose) -> str:
        name = self.api.token.variable
        if not self.api.token:
            return f"There is no token: set {name}, with the permission {purpose.needs}."
        if status == 401:
            return f"{name} is wrong, or has run out."
        if status == 403 and "locked" in said:
            return "The conversation is locked."
        if status in (403, 404):
            return f"{name} may not do it: give it `{purpose.needs}` (in a workflow under `permissions:`). {_FORKS}"
        return "See what it says."
