"""How a host is asked: patience, pages, tokens, and answers that are none. On every host's stand-in."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator

import pytest

from runfolio.errors import EXIT_USAGE, RemoteError, UsageError
from runfolio.hosts import Patience
from runfolio.hosts.terms import Purpose, Token
from tests.hosts.conftest import HEAD, Place
from tests.hosts.standin import Reply, Request, StandIn

COMMENTS = r"/(comments|notes)$"


def post(place: Place, **environ: str) -> str:
    return place.host(**environ).upsert_comment(7, "review", ["text"], order=1).action


@pytest.fixture
def elsewhere() -> Iterator[StandIn]:
    """Another server, which answers everything gladly: nothing must ever reach it."""

    class Glad(StandIn):
        def answer(self, request: Request) -> Reply:
            return Reply(200, [])

    with Glad() as server:
        yield server


# Waiting


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_or_broken_host_is_asked_again(place: Place, status: int) -> None:
    place.server.fault("GET", COMMENTS, Reply(status, {"message": "later"}), times=3)
    assert post(place) == "created"
    assert len(place.clock.waits) == 3
    assert place.clock.waits == sorted(place.clock.waits) and 0.5 < place.clock.waits[0] < place.clock.waits[2] < 6


def test_retry_after_is_honoured_in_seconds_and_as_a_date(place: Place) -> None:
    date = email.utils.formatdate(time.time() + 110, usegmt=True)
    place.server.fault("GET", COMMENTS, Reply(429, headers={"Retry-After": "7"}), Reply(503, headers={"Retry-After": date}))
    assert post(place) == "created"
    assert place.clock.waits[0] == 7
    assert 20 < place.clock.waits[1] <= 110


def test_a_limited_post_is_repeated_since_nothing_was_done(place: Place) -> None:
    place.server.fault("POST", COMMENTS, Reply(429, {"message": "slow down"}, {"Retry-After": "3"}))
    assert post(place) == "created"
    assert place.clock.waits == [3] and place.server.count("POST", COMMENTS) == 2


def test_the_reset_of_a_rate_limit_is_honoured(place: Place) -> None:
    reset = str(int(time.time()) + 110)
    prefix = "x-ratelimit" if place.server.kind == "github" else "RateLimit"
    status = 403 if place.server.kind == "github" else 429
    place.server.fault("GET", COMMENTS, Reply(status, {"message": "no"}, {f"{prefix}-remaining": "0", f"{prefix}-reset": reset}))
    assert post(place) == "created"
    assert 20 < place.clock.waits[0] <= 110


def test_a_secondary_rate_limit_without_a_time_is_waited_out(github: Place) -> None:
    said = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    github.server.fault("POST", COMMENTS, Reply(403, said))
    assert post(github) == "created"
    assert len(github.clock.waits) == 1


def test_a_host_that_asks_for_too_long_a_wait_is_an_error_that_says_when(place: Place) -> None:
    place.server.fault("GET", COMMENTS, Reply(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RemoteError, match=r"left alone for 3600 s: try again after \d\d:\d\d:\d\d UTC"):
        post(place)
    assert place.clock.waits == []


def test_a_host_that_stays_broken_ends_in_words(place: Place) -> None:
    place.server.fault("GET", COMMENTS, Reply(503, raw=b"<h1>down for maintenance</h1>"), times=99)
    with pytest.raises(RemoteError, match=r"\(127\.0\.0\.1:\d+\) could not comment on .* in trouble \(503\), 5 times over"):
        post(place)


def test_a_host_that_cannot_be_reached_ends_in_words(place: Place) -> None:
    dead = {"GITHUB_API_URL": "http://127.0.0.1:1", "CI_API_V4_URL": "http://127.0.0.1:1"}
    with pytest.raises(RemoteError, match=r"could not .*refused, 5 times over"):
        post(place, **dead)


def test_a_name_that_does_not_exist_ends_in_words(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name)
    dead = {"GITHUB_API_URL": "http://git.invalid", "CI_API_V4_URL": "http://git.invalid"}
    with pytest.raises(RemoteError, match=r"\(git\.invalid\) could not .*, 5 times over"):
        post(place, **dead)


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(raw=b"[", trickle=True)], ids=["silent", "trickling"])
def test_a_slow_host_does_not_hold_us(place: Place, reply: Reply) -> None:
    place.server.fault("GET", COMMENTS, reply, times=2)
    impatient = Patience(tries=2, timeout_s=0.2, sleep=place.clock.waits.append)
    with pytest.raises(RemoteError, match=r"no answer within 0\.2 s, 2 times over"):
        place.host(impatient).upsert_comment(7, "review", ["text"], order=1)


# Answers that are none


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            Reply(raw=b"<!DOCTYPE html><title>Sign in</title>", headers={"Content-Type": "text/html"}),
            "a web page instead of JSON",
        ),
        (Reply(raw=b'[{"id": 1, "body": "tex'), "broken JSON instead of JSON"),
        (Reply(raw=b'[{"id": 1}]', promised=4000), "broke off after 11 of 4000 bytes"),
        (Reply(raw=b"[" * 200_000), "broken JSON"),
        (Reply(raw=b"\xff\xfe\x00"), "broken JSON"),
        (Reply(data={"message": "here I am"}), "no list"),
        (Reply(data=[{"body": "no id"}]), "id is no int"),
        (Reply(data=["a", None, 7]), "not as documented|id is no int"),
        (Reply(data=[{"id": True, "body": "x", "user": None, "author": None}]), "id is no int"),
        (Reply(status=204), "no list"),
    ],
    ids=["web page", "cut JSON", "short body", "deep", "binary", "an object", "no id", "no objects", "a wrong id", "nothing"],
)
def test_an_answer_that_is_none_ends_in_words(place: Place, reply: Reply, words: str) -> None:
    place.server.fault("GET", COMMENTS, reply, times=99)
    with pytest.raises(RemoteError, match=words):
        post(place)
    assert place.server.remarks == []


def test_half_an_answer_is_asked_for_again(place: Place) -> None:
    place.server.fault("GET", COMMENTS, Reply(raw=b'[{"id": 1, "bo'), Reply(raw=b"<html>", headers={"Content-Type": "text/html"}))
    assert post(place) == "created"


# Refusals


def test_a_token_without_rights_is_told_with_what_it_needs(place: Place) -> None:
    server = place.server
    if server.kind == "github":
        server.accounts["weak"] = type(server.accounts["secret"])("ada", permissions=frozenset())  # type: ignore[union-attr]
    token = {"github": "weak", "gitlab": "read-only", "gitea": "read-only"}[server.kind]
    needs = {
        "github": "`pull-requests: write`",
        "gitlab": "the role Reporter or higher and the scope api",
        "gitea": "the scope write:issue",
    }
    with pytest.raises(RemoteError, match=needs[server.kind]) as caught:
        post(place, GITHUB_TOKEN=token, GITLAB_TOKEN=token)
    assert "fork" in caught.value.message and token not in caught.value.message.replace("read-only whatever", "").replace(
        "is read-only", ""
    )
    assert caught.value.exit_code == 19


def test_a_wrong_token_is_told_by_its_name(place: Place) -> None:
    variable = "GITLAB_TOKEN" if place.server.kind == "gitlab" else "GITHUB_TOKEN"
    with pytest.raises(RemoteError, match=f"401.*{variable} is wrong, or has run out"):
        post(place, **{variable: "s3cr3t-but-wrong"})


def test_no_token_is_told_with_what_to_set(place: Place) -> None:
    variable = {"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN", "gitea": "GITEA_TOKEN"}[place.server.kind]
    empty = {"GITHUB_TOKEN": "", "GITLAB_TOKEN": " "}
    assert not place.host(**empty).has_token
    with pytest.raises(RemoteError, match=f"There is no token: set {variable}"):
        post(place, **empty)
    assert all("authorization" not in r.headers and "private-token" not in r.headers for r in place.server.requests)


def test_an_unknown_pull_request_is_told(place: Place) -> None:
    with pytest.raises(RemoteError, match=r"comment on (pull|merge) request 99: 404"):
        place.host().upsert_comment(99, "review", ["text"], order=1)


def test_a_refusal_is_not_repeated(place: Place) -> None:
    place.server.fault("POST", COMMENTS, Reply(422, {"message": "no such thing"}), times=9)
    with pytest.raises(RemoteError, match="422 no such thing"):
        post(place)
    assert place.server.count("POST", COMMENTS) == 1 and place.clock.waits == []


def test_an_edit_that_is_forbidden_as_not_found_ends_in_words(place: Place) -> None:
    """Some hosts say 404 for what may not be done; that the comment is still listed tells it from one that was deleted."""
    place.server.add(place.server.me, "<!-- runfolio:review order=1 -->\nold")
    verb = "PUT" if place.server.kind == "gitlab" else "PATCH"
    place.server.fault(verb, r"/\d+$", Reply(404, {"message": "Not Found"}), times=9)
    with pytest.raises(RemoteError, match="404.*may not do it"):
        place.host().upsert_comment(7, "review", ["new"], order=2)


def test_a_host_s_words_cannot_repaint_a_terminal_or_flood_it(place: Place) -> None:
    place.server.fault("POST", COMMENTS, Reply(418, {"message": "\x1b[2J\u202eevil\n::error::" + "x" * 5000}))
    with pytest.raises(RemoteError) as caught:
        post(place)
    assert "\\u001b[2J\\u202eevil ::error::xx" in caught.value.message and "\x1b" not in caught.value.message
    assert len(caught.value.message) < 1000 and "\n" not in caught.value.message


# Tokens


def test_a_redirect_to_another_place_gets_nothing(place: Place, elsewhere: StandIn) -> None:
    for status in (301, 302, 307, 308):
        place.server.fault("GET", COMMENTS, Reply(status, headers={"Location": f"{elsewhere.origin}/steal"}))
        with pytest.raises(RemoteError, match=rf"another place, {elsewhere.origin}\. \w+ was not sent there"):
            post(place)
    place.server.fault("POST", COMMENTS, Reply(307, headers={"Location": f"{elsewhere.origin}/steal"}))
    with pytest.raises(RemoteError, match="another place"):
        post(place)
    assert elsewhere.requests == []


def test_a_redirect_to_another_scheme_or_user_is_another_place(place: Place) -> None:
    for target in ("ftp://127.0.0.1/x", "https://127.0.0.1/x", "//user:password@evil.example/x", "file:///etc/passwd"):
        place.server.fault("GET", COMMENTS, Reply(302, headers={"Location": target}))
        with pytest.raises(RemoteError, match="another place") as caught:
            post(place)
        assert "password" not in caught.value.message.replace("/etc/passwd", "")


def test_a_next_page_elsewhere_is_asked_here(place: Place, elsewhere: StandIn) -> None:
    """Hosts behind a proxy name their public address in Link; and whoever could forge it gets no token."""
    ours = place.server.add(place.server.me, "<!-- runfolio:review order=1 -->\nold")
    first = Reply(data=[], headers={"Link": f'<{elsewhere.origin}/x?page=1>; rel="next", <{elsewhere.origin}/y>; rel="last"'})
    place.server.fault("GET", COMMENTS, first)
    assert place.host().upsert_comment(7, "review", ["new"], order=2).action == "updated"
    assert ours.body.endswith("new") and elsewhere.requests == []


def test_a_list_without_an_end_ends_in_words(place: Place) -> None:
    place.server.fault("GET", COMMENTS, Reply(data=[], headers={"Link": '<http://x/?page=2>; rel="next"'}), times=999)
    with pytest.raises(RemoteError, match="more than 100 pages"):
        post(place)


def test_redirects_in_a_circle_end_in_words(place: Place) -> None:
    place.server.fault("GET", COMMENTS, Reply(301, headers={"Location": f"{place.server.url}/x"}))
    place.server.fault("GET", "/x$", Reply(301, headers={"Location": f"{place.server.url}/x"}), times=99)
    with pytest.raises(RemoteError, match="round in a circle"):
        post(place)


def test_a_redirect_to_a_sign_in_page_is_told(gitlab: Place) -> None:
    gitlab.server.fault("GET", COMMENTS, Reply(302, headers={"Location": f"{gitlab.server.origin}/users/sign_in"}))
    with pytest.raises(RemoteError, match=r"sends us on to a web page\. Is GITLAB_TOKEN set, and right\?"):
        post(gitlab)


def test_the_token_is_nowhere_to_be_seen(place: Place) -> None:
    token = "secret"
    place.server.fault("POST", COMMENTS, Reply(400, {"message": f"bad header: Bearer {token}"}))
    host = place.host()
    with pytest.raises(RemoteError) as caught:
        host.upsert_comment(7, "review", ["text"], order=1)
    assert "bad header: Bearer ***" in caught.value.message
    shown = [repr(host), str(host), repr(Token("X", token)), repr(Purpose("a", "b")), *caught.value.message.split()]
    shown += [repr(value) for value in vars(host).values()]
    assert not [text for text in shown if token in text]
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "tokén", "bell\x07"])
def test_what_cannot_be_a_token_is_refused_without_being_shown(place: Place, token: str) -> None:
    with pytest.raises(UsageError, match="holds letters that no token has") as caught:
        place.host(GITHUB_TOKEN=token, GITLAB_TOKEN=token)
    assert token not in caught.value.message and caught.value.exit_code == EXIT_USAGE


def test_a_token_with_a_line_break_at_its_end_works(place: Place) -> None:
    assert post(place, GITHUB_TOKEN="secret\n", GITLAB_TOKEN="secret\n") == "created"


def test_each_host_gets_its_own_form_of_authorisation(place: Place) -> None:
    post(place)
    header, value = {
        "github": ("authorization", "Bearer secret"),
        "gitlab": ("private-token", "secret"),
        "gitea": ("authorization", "token secret"),
    }[place.server.kind]
    assert {request.headers.get(header) for request in place.server.requests} == {value}
    assert all(request.headers["user-agent"].startswith("runfolio/") for request in place.server.requests)
    assert not any("secret" in str(request.query) or "secret" in request.path for request in place.server.requests)


def test_a_host_on_this_machine_is_asked_without_the_proxy(place: Place) -> None:
    """Every test here has a dead proxy in its environment; a host elsewhere would be asked through it."""
    assert post(place) == "created"
    away = {"GITHUB_API_URL": "http://git.example.org", "CI_API_V4_URL": "http://git.example.org"}
    with pytest.raises(RemoteError, match="refused"):
        place.host(**away).pull_of_commit(HEAD)
