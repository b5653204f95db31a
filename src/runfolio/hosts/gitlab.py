"""GitLab, in the cloud and self-managed, by its REST API (version 4). Pull requests are merge requests, comments are notes.

Facts that shape this, from GitLab's documentation: ``CI_JOB_TOKEN`` may neither read nor write notes; a note may have 1,000,000
characters; lines of a note or description that begin with a slash are *quick actions* (``/approve``, ``/merge``), carried out for
whom the token speaks; an approval outlives a push unless a project says otherwise, so one that was given before the newest version of
the change does not count; older hosts tell when only in the notes that they write themselves.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from runfolio.hosts.comments import Comment, upsert
from runfolio.hosts.host import CommitState, PostedComment
from runfolio.hosts.job import Job
from runfolio.hosts.of_job import OfJob
from runfolio.hosts.reading import need, text
from runfolio.hosts.rest import RestApi
from runfolio.hosts.terms import Patience, Purpose, RefusedError, Token, UnclearError
from runfolio.hosts.texts import cut, without_commands

COMMENT_LIMIT = 1_000_000
_STATUS_LIMIT = 255
_STATES = {"success": "success", "failure": "failed", "neutral": "success"}
_BOT = re.compile(r"(?:project|group)_\d+_bot(?:_|\d|\Z)")
_PAGE = {"per_page": 100}
_APPROVED, _UNAPPROVED = "approved this merge request", "unapproved this merge request"


class GitLab(OfJob):
    """One project on GitLab; see :class:`runfolio.hosts.host.Host`.

    Parameters
    ----------
    url : str
        The API's: ``https://gitlab.com/api/v4``.
    project : str
        Its number, or its path: ``group/name``.
    token : Token
        Of a person or a project; with the scope ``api``.
    job : Job, optional
        The CI job at hand.
    patience : Patience, optional
    """

    kind = "gitlab"
    comment_limit = COMMENT_LIMIT

    def __init__(self, url: str, project: str, token: Token, job: Job | None = None, patience: Patience | None = None) -> None:
        self.project = project
        self.job = job or Job()
        headers = {"PRIVATE-TOKEN": token.value} if token else {}
        self.api = RestApi(url, "GitLab", token, headers, self._advice, patience)
        self._place = f"/projects/{urllib.parse.quote(project, safe='')}"

    def __repr__(self) -> str:
        return f"GitLab({self.api.url!r}, {self.project!r})"

    def pull_of_commit(self, commit: str, repository: str | None = None, branch: str | None = None) -> int | None:
        """Return the open merge request whose head a commit is; None where there is none, or more than one."""
        purpose = Purpose(f"find the merge request of commit {commit[:12]}", "read_api")
        query: dict[str, Any] = {"state": "opened", "order_by": "created_at", **_PAGE} | (
            {"source_branch": branch} if branch else {}
        )
        found = set()
        for request in self.api.items(f"{self._place}/merge_requests", purpose, query):
            ours = need(request, int, "source_project_id") == need(request, int, "target_project_id")
            asked = repository is None or ours == (repository == self.job.repository)
            if text(request, "sha") == commit and asked:
                found.add(need(request, int, "iid"))
        return found.pop() if len(found) == 1 else None

    def upsert_comment(self, pull: int, marker: str, bodies: Sequence[str], *, order: int, create: bool = True) -> PostedComment:
        """Create our note on a merge request, or replace its text."""
        notes = _Notes(self.api, f"{self._place}/merge_requests/{pull}", pull)
        return upsert(notes, marker, bodies, order, COMMENT_LIMIT, create)

    def approvals(self, pull: int) -> tuple[str, ...]:
        """Return who approves: those whose approval was given on the newest version of the change."""
        purpose = Purpose(f"say who approves merge request {pull}", "read_api")
        place = f"{self._place}/merge_requests/{pull}"
        told = self.api.get(place, purpose)
        judged = self.job.head_commit if self.job.pull == pull else None
        if judged not in (None, text(told, "sha")):
            return ()
        versions = self.api.items(f"{place}/versions", purpose, _PAGE)
        since = max((_moment(text(version, "created_at")) for version in versions), default=None)
        approved = need(self.api.get(f"{place}/approvals", purpose), list, "approved_by")
        when = {text(item, "user", "username"): _moment(text(item, "approved_at")) for item in approved}
        if any(moment is _LONG_AGO for moment in when.values()):
            noted = self._noted(place, purpose)
            when = {name: noted.get(name, _LONG_AGO) if moment is _LONG_AGO else moment for name, moment in when.items()}
        people = (name for name in when if name not in ("", text(told, "author", "username")) and not _BOT.match(name))
        return tuple(name for name in people if since is not None and when[name] >= since)

    def _noted(self, place: str, purpose: Purpose) -> dict[str, datetime]:
        """Return when each person approved last, by the notes that the host itself writes."""
        found: dict[str, datetime] = {}
        for note in self.api.items(f"{place}/notes", purpose, {"sort": "asc", "order_by": "created_at", **_PAGE}):
            said = text(note, "body").strip()
            if isinstance(note, dict) and note.get("system") is True and said in (_APPROVED, _UNAPPROVED):
                moment = _moment(text(note, "created_at")) if said == _APPROVED else _LONG_AGO
                found[text(note, "author", "username")] = moment
        return found

    def open_pull_request(self, head: str, base: str, title: str, body: str) -> str:
        """Open a merge request, and return its address; an open one is not doubled."""
        purpose = Purpose(f"open a merge request from {head} to {base}", "api")
        place = f"{self._place}/merge_requests"
        ends = {"source_branch": head, "target_branch": base}
        said = {**ends, "title": cut(title, 255), "description": cut(without_commands(body), COMMENT_LIMIT)}
        try:
            return need(self.api.call("POST", place, purpose, body=said).data, str, "web_url")
        except (RefusedError, UnclearError) as error:
            if isinstance(error, RefusedError) and error.status != 409:
                raise
            found = [text(item, "web_url") for item in self.api.items(place, purpose, {"state": "opened", **ends})]
            if not found:
                raise
            return found[0]

    def set_status(self, commit: str, name: str, state: CommitState, words: str, url: str = "") -> None:
        """Mark a commit; GitLab knows no neutral state, so that is a success whose text says so."""
        purpose = Purpose(f"set the status of commit {commit[:12]}", "api")
        said = f"neutral: {words}" if state == "neutral" else words
        body = {"state": _STATES[state], "name": name, "description": cut(said, _STATUS_LIMIT)} | (
            {"target_url": url} if url else {}
        )
        try:
            self.api.call("POST", f"{self._place}/statuses/{commit}", purpose, body=body, repeat=True)
        except RefusedError as error:
            if "Cannot transition status" not in error.said:  # it is in that state already
                raise

    def _advice(self, status: int, said: str, purpose: Purpose) -> str:
        name = self.api.token.variable
        role = f"a project access token with the role Reporter or higher and the scope {purpose.needs}"
        if not self.api.token:
            return f"There is no token: set {name} to {role}. CI_JOB_TOKEN may not do it (docs/how-to/hosts.md)."
        if status == 401:
            return f"{name} is wrong, or has run out. It takes {role}; CI_JOB_TOKEN will not do."
        if status in (403, 404):
            return (
                f"{name} may not do it: it takes {role}. The pipeline of a fork runs in the fork and does not get the project's variables: "
                "run the merge request's pipeline in the parent project (docs/how-to/hosts.md)."
            )
        return "See what it says."


class _Notes:
    """The notes of one merge request; a :class:`~runfolio.hosts.comments.Thread`."""

    def __init__(self, api: RestApi, place: str, pull: int) -> None:
        self._api = api
        self._request = place
        self._place = f"{place}/notes"
        self._purpose = Purpose(f"comment on merge request {pull}", "api")
        self._page: str | None = None

    def me(self) -> str:
        return str(need(self._api.get("/user", Purpose("say whom the token speaks for", "api")), int, "id"))

    def comments(self) -> list[Comment]:
        query = {"sort": "asc", "order_by": "created_at", **_PAGE}
        notes = self._api.items(self._place, self._purpose, query)
        return [self._comment(note) for note in notes if not (isinstance(note, dict) and note.get("system"))]

    def read(self, comment_id: int) -> Comment | None:
        try:
            return self._comment(self._api.get(f"{self._place}/{comment_id}", self._purpose))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def create(self, body: str) -> Comment:
        return self._comment(self._api.call("POST", self._place, self._purpose, body={"body": body}).data)

    def update(self, comment_id: int, body: str) -> None:
        self._api.call("PUT", f"{self._place}/{comment_id}", self._purpose, body={"body": body})

    def delete(self, comment_id: int) -> None:
        try:
            self._api.call("DELETE", f"{self._place}/{comment_id}", self._purpose)
        except RefusedError as error:
            if error.status != 404:
                raise

    def _comment(self, said: Any) -> Comment:
        if self._page is None:  # a note does not say where it stands
            self._page = text(self._api.get(self._request, self._purpose), "web_url")
        number = need(said, int, "id")
        return Comment(number, str(need(said, int, "author", "id")), text(said, "body"), f"{self._page}#note_{number}")


_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


def _moment(written: str) -> datetime:
    """Read a time; one that is not there, or cannot be read, is long ago."""
    try:
        made = datetime.fromisoformat(written.replace("Z", "+00:00"))
    except ValueError:
        return _LONG_AGO
    return made if made.tzinfo else made.replace(tzinfo=timezone.utc)
