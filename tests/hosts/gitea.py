"""A stand-in for Gitea and Forgejo, as the description of their API (version 1) says. Nothing of theirs was run or copied.

The contract, as far as runfolio uses it:

- ``Authorization: token TOKEN``; a wrong one is 401 ``{"message": "user does not exist [uid: 0, name: ]", "url"}``; a missing scope 403 ``token
  does not have at least one of required scope(s): [write:issue]``; what may not be seen is 404 ``The target couldn't be found.``
- ``GET /user`` takes the scope ``read:user``; the token of a job speaks for ``gitea-actions``.
- The comments of one issue come **all at once**, whatever ``limit`` and ``page`` say: ``{"id", "body", "user": {"login"}, "html_url"}``; 201 on
  creation, ``PATCH`` to change, 204 on deletion; writers of the repository may change others' comments.
- Other lists: ``limit`` (30, at most 50) and ``page``, a ``Link`` header with the host's public address, ``X-Total-Count``.
- There is no limit to a comment; a proxy before the host answers 413 with a web page.
- Reviews: ``state`` (``APPROVED``, ``REQUEST_CHANGES``, ``COMMENT``, ``PENDING``, ``REQUEST_REVIEW``), ``official``, ``stale``, ``dismissed``,
  ``commit_id``; ``user`` is null for a request to a team.
- ``POST /pulls`` is 409 ``pull request already exists for these targets [id: …]``. ``GET /commits/SHA/pull`` knows merged ones only.
- Statuses: ``pending``, ``success``, ``error``, ``failure``, ``warning``.
"""

from __future__ import annotations

import re
from typing import Any

from tests.hosts.standin import Remark, Reply, Request, StandIn

MOST = 1 << 20
"""Bytes that the proxy before it lets through."""


def error(status: int, message: str) -> Reply:
    return Reply(status, {"message": message, "url": "https://git.example.org/api/swagger"})


NOT_FOUND = error(404, "The target couldn't be found.")


class GiteaStandIn(StandIn):
    """Gitea with the repository ``team/wine`` and its pull request 7."""

    kind = "gitea"
    base = "/api/v1"
    me = "gitea-actions"
    limit = 250_000
    too_long = Reply(
        413, raw=b"<html><head><title>413 Request Entity Too Large</title></head></html>", headers={"Content-Type": "text/html"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.accounts = {"secret": self.me, "read-only": "ada", "narrow": "ada"}
        self.public = "https://git.example.org"
        self.pulls = [self.pull(7, "c" * 40)]
        self.reviews: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []

    def answer(self, request: Request) -> Reply:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        name = self.accounts.get(token) if scheme == "token" else None
        if name is None:
            return error(401, "user does not exist [uid: 0, name: ]")
        path = request.path.removeprefix(self.base)
        if path == "/user":
            if token == "narrow":
                return error(403, "token does not have at least one of required scope(s): [read:user]")
            return Reply(200, {"id": -2, "login": name})
        if token == "read-only" and request.method != "GET":
            return error(403, "token does not have at least one of required scope(s): [write:issue]")
        if not path.startswith("/repos/team/wine/"):
            return NOT_FOUND
        path = path.removeprefix("/repos/team/wine")
        if path == "/issues/7/comments":
            return self._comments(name, request)
        one = re.fullmatch(r"/issues/comments/(\d+)", path)
        if one:
            return self._comment(int(one[1]), request)
        if path == "/pulls":
            return (
                self._open(request)
                if request.method == "POST"
                else self._page([p for p in self.pulls if p["state"] == "open"], request)
            )
        found = re.fullmatch(r"/pulls/(\d+)(/reviews)?", path)
        if found:
            pull = next((item for item in self.pulls if item["number"] == int(found[1])), None)
            return NOT_FOUND if pull is None else self._page(self.reviews, request) if found[2] else Reply(200, pull)
        if re.fullmatch(r"/statuses/[0-9a-f]{40}", path) and request.method == "POST":
            if request.body["state"] not in ("pending", "success", "error", "failure", "warning"):
                return error(422, "unknown state")
            self.statuses.append({"sha": path.rpartition("/")[2], **request.body})
            return Reply(201, request.body)
        return NOT_FOUND

    def _page(self, items: list[Any], request: Request) -> Reply:
        page, links = self.paged(items, request, "limit", 30, 50)
        # A host behind a proxy names its public address.
        return Reply(200, page, {key: value.replace(self.origin, self.public) for key, value in links.items()})

    def _comments(self, name: str, request: Request) -> Reply:
        if request.method == "GET":
            return Reply(200, [self._said(item) for item in self.remarks], {"X-Total-Count": str(len(self.remarks))})
        wrong = self._wrong_body(request.body["body"])
        return wrong or Reply(201, self._said(self.add(name, request.body["body"])))

    def _comment(self, number: int, request: Request) -> Reply:
        remark = self.remark(number)
        if remark is None:
            return NOT_FOUND
        if request.method == "DELETE":
            self.remarks.remove(remark)
            return Reply(204)
        if request.method == "PATCH":
            wrong = self._wrong_body(request.body["body"])
            if wrong:
                return wrong
            remark.body = request.body["body"]
        return Reply(200, self._said(remark))

    def _wrong_body(self, body: str) -> Reply | None:
        if not body:
            return error(422, "[Body]: Required")
        return self.too_long if len(body.encode()) > MOST else None

    def _said(self, remark: Remark) -> dict[str, Any]:
        page = f"{self.public}/team/wine/pulls/7#issuecomment-{remark.id}"
        return {"id": remark.id, "body": remark.body, "user": {"login": remark.author}, "html_url": page, "created_at": remark.at}

    def pull(
        self, number: int, sha: str, branch: str = "better", base: str = "main", repository: str = "team/wine"
    ) -> dict[str, Any]:
        return {
            "number": number,
            "state": "open",
            "user": {"login": "ada"},
            "html_url": f"https://git.example.org/team/wine/pulls/{number}",
            "head": {"sha": sha, "ref": branch, "repo": {"full_name": repository}},
            "base": {"ref": base, "repo": {"full_name": "team/wine"}},
        }

    def _open(self, request: Request) -> Reply:
        head, base = request.body["head"], request.body["base"]
        if any((item["head"]["ref"], item["base"]["ref"]) == (head, base) for item in self.pulls):
            return error(409, "pull request already exists for these targets [id: 1, issue_id: 1, head_branch: better]")
        self.pulls.append({**self.pull(8, "d" * 40, head, base), "body": request.body["body"]})
        return Reply(201, self.pulls[-1])
