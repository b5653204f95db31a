"""A stand-in for GitLab, as the documentation of its REST API (version 4) describes it. Nothing of GitLab's was run or copied.

The contract, as far as runfolio uses it:

- ``PRIVATE-TOKEN: TOKEN``; a wrong one, none, and ``CI_JOB_TOKEN`` anywhere but on the few paths that it may go, are 401
  ``{"message": "401 Unauthorized"}``; too small a scope is 403 ``{"error": "insufficient_scope", "error_description", "scope"}``; too small
  a role 403 ``{"message": "403 Forbidden"}``; what may not be seen is 404 ``{"message": "404 Project Not Found"}``.
- A project is addressed by its number or its path, the path with ``%2F``.
- Lists: ``per_page`` (20, at most 100) and ``page``; answers carry ``x-next-page`` (empty on the last page), ``x-page`` and, unless the
  list is very long, ``link``. The stand-in sends ``x-next-page`` only, so that it is read.
- Notes of a merge request: ``sort=asc``, ``order_by=created_at``; ``{"id", "body", "author": {"id", "username"}, "system", "created_at"}``,
  without an address; 201 on creation, ``PUT`` to change, 204 on deletion. A note of more than 1,000,000 characters is 400 ``{"message":
  {"note": ["is too long (maximum is 1000000 characters)"]}}``. Only the author may change a note, maintainers may delete others'.
  **A line that begins with a slash and the name of a quick action is carried out**, on creation and on change.
- ``/approvals``: ``approved_by: [{user: {id, username}, approved_at}]``; ``approved_at`` is missing on older hosts. Approvals stay
  when commits are pushed, unless the project says otherwise. ``/versions``: the newest first, with ``created_at`` and ``head_commit_sha``.
- ``POST /merge_requests`` is 409 ``{"message": ["Another open merge request already exists for this source branch: !7"]}`` where one is open.
- ``POST /statuses/SHA``: ``pending``, ``running``, ``success``, ``failed``, ``canceled``; setting it again to the same state is 400 ``Cannot
  transition status via …``.
- Rate limits: 429 with ``Retry-After`` and ``RateLimit-Reset``.
"""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from tests.hosts.standin import Remark, Reply, Request, StandIn

MOST = 1_000_000
UNAUTHORIZED = Reply(401, {"message": "401 Unauthorized"})
FORBIDDEN = Reply(403, {"message": "403 Forbidden"})
NOT_FOUND = Reply(404, {"message": "404 Not found"})
IDS = {"project_1_bot_f00": 31, "ada": 1, "bob": 2, "carol": 3, "dave": 4, "mallory": 66}
_QUICK_ACTION = re.compile(r"^\s*/(approve|unapprove|merge|close|assign|label|title)\b", re.MULTILINE)


class GitLabStandIn(StandIn):
    """GitLab with the project 1, ``team/wine``, and its merge request 7."""

    kind = "gitlab"
    base = "/api/v4"
    me = "project_1_bot_f00"
    limit = MOST
    too_long = Reply(400, {"message": {"note": ["is too long (maximum is 1000000 characters)"]}})

    def __init__(self) -> None:
        super().__init__()
        self.accounts = {"secret": self.me, "read-only": "ada"}
        self.head = "c" * 40
        self.versions = [("c" * 40, "2026-11-20T12:00:00.000Z")]
        self.approved_by: list[dict[str, Any]] = []
        self.requests_open: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.carried_out: list[str] = []
        self.described = self._request(7, "better", "main", self.head)

    def answer(self, request: Request) -> Reply:
        if request.headers.get("job-token"):
            return UNAUTHORIZED
        token = request.headers.get("private-token", "")
        name = self.accounts.get(token)
        if name is None:
            return UNAUTHORIZED
        if token == "read-only" and request.method != "GET":
            said = {
                "error": "insufficient_scope",
                "error_description": "The request requires higher privileges than provided",
                "scope": "api",
            }
            return Reply(403, said)
        path = urllib.parse.unquote(request.path).removeprefix(self.base)
        if path == "/user":
            return Reply(200, {"id": IDS[name], "username": name})
        for prefix in ("/projects/1/", "/projects/team/wine/"):
            # A path in place of a number must come as one segment.
            whole = prefix == "/projects/1/" or "/projects/team%2Fwine/" in request.path
            if path.startswith(prefix) and whole:
                return self._inside("/" + path.removeprefix(prefix), name, request)
        return Reply(404, {"message": "404 Project Not Found"})

    def _inside(self, path: str, name: str, request: Request) -> Reply:
        if path == "/merge_requests":
            return self._open(request) if request.method == "POST" else self._listed(request)
        if path == "/merge_requests/7":
            return Reply(200, {**self.described, "sha": self.head})
        if path == "/merge_requests/7/versions":
            said = [{"id": n, "head_commit_sha": sha, "created_at": at} for n, (sha, at) in enumerate(self.versions)]
            return self._page(said, request)
        if path == "/merge_requests/7/approvals":
            return Reply(200, {"approved": bool(self.approved_by), "approved_by": self.approved_by})
        if path == "/merge_requests/7/notes":
            return self._notes(name, request)
        one = re.fullmatch(r"/merge_requests/7/notes/(\d+)", path)
        if one:
            return self._note(int(one[1]), name, request)
        status = re.fullmatch(r"/statuses/([0-9a-f]{40})", path)
        if status and request.method == "POST":
            said = {"sha": status[1], **request.body}
            if any(
                (item["name"], item["state"], item["sha"]) == (said["name"], said["state"], said["sha"]) for item in self.statuses
            ):
                return Reply(
                    400, {"message": "Cannot transition status via :success from :success (Reason(s): Status cannot transition)"}
                )
            self.statuses.append(said)
            return Reply(201, said)
        return NOT_FOUND

    def _page(self, items: list[Any], request: Request) -> Reply:
        page, links = self.paged(items, request, "per_page", 20, 100)
        number = int(request.query.get("page", 1))
        return Reply(
            200, page, {"x-page": str(number), "x-next-page": str(number + 1) if 'rel="next"' in links.get("Link", "") else ""}
        )

    def _notes(self, name: str, request: Request) -> Reply:
        if request.method == "GET":
            notes = sorted(self.remarks, key=lambda item: item.id, reverse=request.query.get("sort", "desc") == "desc")
            return self._page([self._said(item) for item in notes], request)
        wrong = self._wrong_body(request.body["body"])
        return wrong or Reply(201, self._said(self.add(name, request.body["body"])))

    def _note(self, number: int, name: str, request: Request) -> Reply:
        remark = self.remark(number)
        if remark is None:
            return NOT_FOUND
        if request.method == "DELETE":
            self.remarks.remove(remark)
            return Reply(204)
        if request.method == "PUT":
            if remark.author != name:
                return FORBIDDEN
            wrong = self._wrong_body(request.body["body"])
            if wrong:
                return wrong
            remark.body = request.body["body"]
        return Reply(200, self._said(remark))

    def _wrong_body(self, body: str) -> Reply | None:
        self.carried_out += [match[1] for match in _QUICK_ACTION.finditer(body)]
        if not body.strip():
            return Reply(400, {"message": {"note": ["can't be blank"]}})
        return self.too_long if len(body) > MOST else None

    def _said(self, remark: Remark) -> dict[str, Any]:
        return {
            "id": remark.id,
            "body": remark.body,
            "author": {"id": IDS.get(remark.author, 99), "username": remark.author},
            "system": remark.system,
            "created_at": remark.at,
        }

    def _request(self, iid: int, source: str, target: str, sha: str, project: int = 1) -> dict[str, Any]:
        return {
            "iid": iid,
            "state": "opened",
            "sha": sha,
            "source_branch": source,
            "target_branch": target,
            "source_project_id": project,
            "target_project_id": 1,
            "author": {"id": 1, "username": "ada"},
            "web_url": f"https://gitlab.com/team/wine/-/merge_requests/{iid}",
        }

    def _listed(self, request: Request) -> Reply:
        wanted = {key: request.query[key] for key in ("source_branch", "target_branch") if key in request.query}
        found = [
            item for item in [self.described, *self.requests_open] if all(item[key] == value for key, value in wanted.items())
        ]
        return self._page(found, request)

    def _open(self, request: Request) -> Reply:
        source, target = request.body["source_branch"], request.body["target_branch"]
        if any(
            (item["source_branch"], item["target_branch"]) == (source, target) for item in [self.described, *self.requests_open]
        ):
            return Reply(409, {"message": ["Another open merge request already exists for this source branch: !7"]})
        self._wrong_body(request.body["description"])
        made = {**self._request(8, source, target, "d" * 40), "description": request.body["description"]}
        self.requests_open.append(made)
        return Reply(201, made)
