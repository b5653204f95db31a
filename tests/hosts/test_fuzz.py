"""Whatever a host answers, and whatever a remote is called, ends well or in words: never in a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import RemoteError, UsageError
from runfolio.hosts import Host, Patience, find_host
from runfolio.hosts.detection import _host
from runfolio.hosts.job import Job
from runfolio.hosts.terms import Token
from tests.hosts.conftest import HEAD
from tests.hosts.standin import Reply, Request, StandIn

LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255, blacklist_characters="\x7f"), max_size=30)
ODD = st.sampled_from(
    ["²", "-1", "1e9", "99999999999999999999", "Wed, 99 Foo 0000 99:99:99 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "https://[::1", "//[x]/y",
     "http://x:port/", '<http://[::1?page=2>; rel="next"', '<>; rel="next"', "?page=2", "\\", "%", "a b", "x" * 3000]
)  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Location", "Link", "Retry-After", "X-Next-Page", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Content-Type"]
    ),
    LATIN | ODD | st.sampled_from(["0", "1", "2"]),
    max_size=4,
)
LEAVES: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just(HEAD) | st.just("APPROVED")
KEYS = st.sampled_from(
    ["id", "body", "user", "login", "author", "username", "html_url", "web_url", "number", "iid", "head", "sha", "repo", "full_name", "state",
     "data", "viewer", "message", "errors", "error", "system", "approved_by", "permission", "commit_id", "official", "created_at", "url"]
)  # fmt: skip
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=20)
BODIES = JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40) | st.just(b"")
STATUSES = st.sampled_from([200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 503])
REPLIES = st.builds(
    lambda status, headers, raw: Reply(status, headers=headers, raw=b"" if status == 204 else raw), STATUSES, HEADERS, BODIES
)


class Whim(StandIn):
    """A server that answers whatever it was given, a dozen times over; then with an empty list, so that no list is endless."""

    def __init__(self) -> None:
        super().__init__()
        self.replies: list[Reply] = [Reply()]

    def answer(self, request: Request) -> Reply:
        return self.replies[len(self.requests) % len(self.replies)] if len(self.requests) < 12 else Reply(data=[])


@pytest.fixture(scope="module", params=["github", "gitlab", "gitea"])
def whim(request: pytest.FixtureRequest) -> Iterator[tuple[Whim, Host]]:
    with Whim() as server:
        assert isinstance(server, Whim)
        patience = Patience(tries=2, timeout_s=120, sleep=lambda _: None)
        yield server, _host(request.param, server.url, "team/wine", Token("X_TOKEN", "secret"), Job(), patience)


@settings(max_examples=25, deadline=None)
@given(replies=st.lists(REPLIES, min_size=1, max_size=3))
def test_any_answer_ends_well_or_in_words(whim: tuple[Whim, Host], replies: list[Reply]) -> None:
    server, host = whim
    server.replies = replies
    asked = (
        lambda: host.upsert_comment(7, "review", ["long", "short"], order=1),
        lambda: host.approvals(7),
        lambda: host.pull_of_commit(HEAD),
        lambda: host.open_pull_request("a", "b", "t", "text"),
        lambda: host.set_status(HEAD, "runfolio", "neutral", "text"),
    )
    for ask in asked:
        server.requests.clear()
        try:
            ask()
        except RemoteError as error:
            assert "secret" not in error.message and "\n" not in error.message and len(error.message) < 6000
        assert len(server.requests) < 60


@settings(deadline=None)
@given(st.text(max_size=60) | ODD.map(lambda text: f"https://{text}/team/wine") | ODD)
def test_any_remote_is_a_host_or_none(remote: str) -> None:
    find_host({}, remote)


@settings(deadline=None)
@given(st.text(max_size=40) | ODD.map(lambda text: f"gitlab=https://{text}"))
def test_any_named_host_is_one_or_a_usage_error(named: str) -> None:
    try:
        find_host({"RUNFOLIO_HOST": named}, "https://git.example.org/team/wine")
    except UsageError as error:
        assert "RUNFOLIO_HOST" in error.message


@settings(deadline=None, max_examples=50)
@given(JSON, st.dictionaries(st.sampled_from(["GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT"]), LATIN | ODD))
def test_any_event_is_a_job(tmp_path_factory: pytest.TempPathFactory, event: Any, more: dict[str, str]) -> None:
    file = tmp_path_factory.getbasetemp() / "event.json"
    file.write_text(json.dumps(event))
    job = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "t/w",
        "GITHUB_API_URL": "https://x.example",
        "GITHUB_EVENT_PATH": str(file),
    }
    host = find_host({**job, **more})
    assert host is not None and host.build_order() >= 0
