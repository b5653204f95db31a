"""A stand-in for GitHub, as its REST documentation (version 2022-11-28) describes it. Nothing of GitHub's was run or copied.

The contract, as far as runfolio uses it:

- ``Authorization: Bearer TOKEN`` (or ``token TOKEN``); a wrong one is 401 ``Bad credentials``; a request without ``User-Agent`` is 403.
- Errors are ``{"message", "documentation_url", "status"}``, validation errors 422 with ``errors: [{resource, code, field, message}]``.
- What a token may not see is 404, what an app's token may not do is 403 ``Resource not accessible by integration``; the token of
  an app (``GITHUB_TOKEN`` is one) has no ``GET /user``, but GraphQL's ``viewer`` answers ``github-actions[bot]``.
- Lists: ``per_page`` (30, at most 100) and ``page``; the ``Link`` header names the next page with a whole address.
- Comments of a pull request are those of its issue: oldest first, ``{"id", "body", "user": {"login", "type"}, "html_url"}``; 201 on
  creation; a body that is too long is 422 ``Body is too long (maximum is 65536 characters)``, also on update. What is counted, by
  the measurements that several projects published in 2025 and 2026: 262,144 bytes of UTF-8 (65,536 letters of four bytes) for a comment,
  65,536 code points for the text of a pull request. **Who may
  write may edit and delete the comments of others.** A locked conversation is 403.
- ``GET /pulls`` filters by ``state``, ``head=OWNER:BRANCH`` and ``base``; ``POST /pulls`` is 422 ``A pull request already exists for
  OWNER:BRANCH.`` where one is open, and 422 where the branches have nothing between them.
- ``GET /commits/SHA/pulls`` knows no commits of forks (it answers ``[]``).
- Reviews: oldest first, with ``state``, ``commit_id``, ``user``; anybody may leave one on a public repository.
  ``/collaborators/LOGIN/permission`` tells ``admin``, ``write``, ``read`` or ``none``.
- Statuses: ``error``, ``failure``, ``pending``, ``success``; a description has at most 140 characters. Check runs are for apps only.
- A repository that was renamed answers 301 (GET) or 307 (others) with the address ``/repositories/ID/…``.
- Rate limits: 403 or 429 with ``x-ratelimit-remaining: 0`` and ``x-ratelimit-reset``, or ``Retry-After`` for secondary ones.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

from tests.hosts.standin import Remark, Reply, Request, StandIn

MOST = 65_536
MOST_BYTES = 4 * MOST
DOCS = "https://docs.github.com/rest"


@dataclass
class Account:
    login: str
    type: str = "User"
    permissions: frozenset[str] = frozenset({"pull-requests", "statuses", "checks"})


def error(status: int, message: str, **more: Any) -> Reply:
    return Reply(status, {"message": message, "documentation_url": DOCS, "status": str(status), **more})


def invalid(resource: str, message: str) -> Reply:
    return error(422, "Validation Failed", errors=[{"resource": resource, "code": "custom", "field": "data", "message": message}])


NOT_FOUND = error(404, "Not Found")
NOT_FOR_APPS = error(403, "Resource not accessible by integration")


@dataclass
class Pull:
    number: int
    sha: str
    author: str = "ada"
    branch: str = "better"
    repository: str | None = "team/wine"
    base: str = "main"
    state: str = "open"
    title: str = ""
    body: str = ""


class GitHubStandIn(StandIn):
    """GitHub with the repository ``team/wine`` and its pull request 7."""

    kind = "github"
    me = "github-actions[bot]"
    limit = MOST
    too_long = invalid("IssueComment", "Body is too long (maximum is 65536 characters)")

    def __init__(self) -> None:
        super().__init__()
        self.accounts = {"secret": Account(self.me, "Bot"), "pat": Account("ada")}
        self.pulls = [Pull(7, "c" * 40)]
        self.reviews: list[dict[str, Any]] = []
        self.rights = {"ada": "admin", "bob": "write", "carol": "write", "dave": "write", "stranger": "read"}
        self.statuses: list[dict[str, Any]] = []
        self.threads: dict[int, int] = {}  # the pull request of each comment that came by the API
        self.check_runs: list[dict[str, Any]] = []
        self.name = "team/wine"
        self.old_names: set[str] = set()
        self.graphql = True
        self.public = False

    def answer(self, request: Request) -> Reply:
        if "user-agent" not in request.headers:
            return error(403, "Request forbidden by administrative rules.")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        account = self.accounts.get(token) if scheme in ("Bearer", "token") else None
        if token and account is None:
            return error(401, "Bad credentials")
        if request.path.endswith("/graphql"):
            return self._graphql(account, request)
        path = request.path.removeprefix(self.base)
        if path == "/user":
            if account is None:
                return error(401, "Requires authentication")
            return NOT_FOR_APPS if account.type == "Bot" else Reply(200, {"login": account.login, "type": "User"})
        moved = re.match(r"/repos/([^/]+/[^/]+)", path)
        if moved and moved[1] in self.old_names:
            place = f"{self.url}/repositories/1{path[moved.end() :]}?{urllib.parse.urlencode(request.query)}"
            return Reply(301 if request.method == "GET" else 307, {"message": "Moved Permanently"}, {"Location": place})
        for prefix in (f"/repos/{self.name}", "/repositories/1"):
            if path.startswith(f"{prefix}/"):
                if account is None and not (self.public and request.method == "GET"):
                    return error(401, "Requires authentication") if self.public else NOT_FOUND
                return self._inside(path.removeprefix(prefix), account or Account("", permissions=frozenset()), request)
        return NOT_FOUND

    def _graphql(self, account: Account | None, request: Request) -> Reply:
        if account is None:
            return error(401, "Requires authentication")
        if not self.graphql or "viewer" not in request.body["query"]:
            return Reply(200, {"data": None, "errors": [{"message": "no such field"}]})
        return Reply(200, {"data": {"viewer": {"login": account.login}}})

    def _inside(self, path: str, account: Account, request: Request) -> Reply:
        writes = request.method != "GET"
        need = "statuses" if path.startswith("/statuses") else "checks" if path.startswith("/check-runs") else "pull-requests"
        if writes and need not in account.permissions:
            return NOT_FOR_APPS if account.type == "Bot" else NOT_FOUND
        thread = re.fullmatch(r"/issues/(\d+)/comments", path)
        if thread and any(pull.number == int(thread[1]) for pull in self.pulls):
            return self._comments(int(thread[1]), account, request)
        one = re.fullmatch(r"/issues/comments/(\d+)", path)
        if one:
            return self._comment(int(one[1]), request)
        if path == "/pulls":
            return self._open(request) if writes else self._listed(request)
        found = re.fullmatch(r"/pulls/(\d+)(/reviews)?", path)
        if found:
            pull = next((item for item in self.pulls if item.number == int(found[1])), None)
            if pull is None:
                return NOT_FOUND
            if not found[2]:
                return Reply(200, self._pull(pull))
            page, links = self.paged(self.reviews, request, "per_page", 30, 100)
            return Reply(200, page, links)
        right = re.fullmatch(r"/collaborators/([^/]+)/permission", path)
        if right:
            return Reply(200, {"permission": self.rights.get(right[1], "none"), "user": {"login": right[1]}})
        if re.fullmatch(r"/commits/\w+/pulls", path):
            return Reply(200, [])
        return self._marked(path, account, request)

    def _comments(self, number: int, account: Account, request: Request) -> Reply:
        if request.method == "GET":
            there = [self._said(item) for item in self.remarks if self.threads.get(item.id, number) == number]
            page, links = self.paged(there, request, "per_page", 30, 100)
            return Reply(200, page, links)
        wrong = self._wrong_body(request.body["body"])
        if wrong:
            return wrong
        made = self.add(account.login, request.body["body"])
        self.threads[made.id] = number
        return Reply(201, self._said(made))

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
        if not body.strip():
            return invalid("IssueComment", "Body can't be blank")
        return self.too_long if len(body.encode()) > MOST_BYTES else None

    def _said(self, remark: Remark) -> dict[str, Any]:
        user = {"login": remark.author, "type": "Bot" if remark.author.endswith("[bot]") else "User"} if remark.author else None
        return {
            "id": remark.id,
            "body": remark.body,
            "user": user,
            "html_url": f"https://github.com/{self.name}/pull/7#issuecomment-{remark.id}",
            "created_at": remark.at,
        }

    def _pull(self, pull: Pull) -> dict[str, Any]:
        owner = (pull.repository or "gone/gone").split("/")[0]
        repo = {"full_name": pull.repository, "owner": {"login": owner}} if pull.repository else None
        return {
            "number": pull.number,
            "state": pull.state,
            "title": pull.title,
            "body": pull.body,
            "user": {"login": pull.author, "type": "User"},
            "html_url": f"https://github.com/{self.name}/pull/{pull.number}",
            "head": {"sha": pull.sha, "ref": pull.branch, "label": f"{owner}:{pull.branch}", "repo": repo},
            "base": {"ref": pull.base, "repo": {"full_name": self.name}},
        }

    def _listed(self, request: Request) -> Reply:
        state, head, base = request.query.get("state", "open"), request.query.get("head"), request.query.get("base")
        found = [self._pull(pull) for pull in self.pulls if state in ("all", pull.state)]
        found = [item for item in found if head in (None, item["head"]["label"]) and base in (None, item["base"]["ref"])]
        found.sort(key=lambda item: item["number"], reverse=request.query.get("direction", "desc") == "desc")
        page, links = self.paged(found, request, "per_page", 30, 100)
        return Reply(200, page, links)

    def _open(self, request: Request) -> Reply:
        head, base = request.body["head"], request.body["base"]
        if any(pull.branch == head and pull.base == base and pull.state == "open" for pull in self.pulls):
            return invalid("PullRequest", f"A pull request already exists for team:{head}.")
        if len(request.body["body"]) > MOST:
            return invalid("PullRequest", "body is too long (maximum is 65536 characters)")
        if head == base:
            return invalid("PullRequest", f"No commits between {base} and {head}")
        pull = Pull(
            len(self.pulls) + 10, "d" * 40, branch=head, base=base, title=request.body["title"], body=request.body["body"]
        )
        self.pulls.append(pull)
        return Reply(201, self._pull(pull))

    def _marked(self, path: str, account: Account, request: Request) -> Reply:
        if re.fullmatch(r"/statuses/[0-9a-f]{40}", path) and request.method == "POST":
            if request.body["state"] not in ("error", "failure", "pending", "success") or len(request.body["description"]) > 140:
                return invalid("Status", "is not included in the list, or description is too long")
            self.statuses.append({"sha": path.rpartition("/")[2], **request.body})
            return Reply(201, request.body)
        if path == "/check-runs" and request.method == "POST":
            if account.type != "Bot":
                return error(403, "You must authenticate via a GitHub App.")
            self.check_runs.append(request.body)
            return Reply(201, {"id": 1, **request.body})
        return NOT_FOUND


@dataclass
class Review:
    """A review, oldest first in the list."""

    login: str
    state: str
    commit_id: str = "c" * 40
    type: str = "User"
    more: dict[str, Any] = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        return {"user": {"login": self.login, "type": self.type}, "state": self.state, "commit_id": self.commit_id, **self.more}
