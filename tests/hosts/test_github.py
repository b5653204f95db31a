"""GitHub: what is its own. What all hosts do alike is in ``test_upserting.py`` and ``test_rest.py``."""

from __future__ import annotations

from typing import Any

import pytest

from runfolio.errors import RemoteError, UsageError
from tests.hosts.conftest import HEAD, Place, actions, pull_event
from tests.hosts.github import Account, GitHubStandIn, Pull, Review
from tests.hosts.standin import Reply

OTHER = "e" * 40


def server_of(place: Place) -> GitHubStandIn:
    assert isinstance(place.server, GitHubStandIn)
    return place.server


def with_event(place: Place, event: dict[str, Any], tmp_path: Any) -> Place:
    return Place(place.server, actions(place.server.url, tmp_path, event), place.clock)


# Who we are


def test_a_person_s_token_finds_the_person_s_comments(github: Place) -> None:
    github.host().upsert_comment(7, "review", ["by the bot"], order=1)
    assert github.host(GITHUB_TOKEN="pat").upsert_comment(7, "review", ["by Ada"], order=2).action == "created"
    assert github.host(GITHUB_TOKEN="pat").upsert_comment(7, "review", ["by Ada"], order=2).action == "unchanged"
    assert [item.author for item in github.server.remarks] == ["github-actions[bot]", "ada"]


@pytest.mark.parametrize("token", ["secret", "pat"])
def test_without_graphql_creating_tells_who_we_are(github: Place, token: str) -> None:
    server = server_of(github)
    server.graphql = False
    me = server.accounts[token].login
    ours = server.add(me, "<!-- runfolio:review order=1 -->\nold")
    assert github.host(GITHUB_TOKEN=token).upsert_comment(7, "review", ["new"], order=2).action == "updated"
    assert [(item.id, item.body) for item in server.remarks] == [(ours.id, "<!-- runfolio:review order=2 -->\nnew")]


def test_the_user_named_like_the_bot_is_not_the_bot(github: Place) -> None:
    server_of(github).add("github-actions", "<!-- runfolio:review order=1 -->\nfake")
    assert github.host().upsert_comment(7, "review", ["new"], order=2).action == "created"


@pytest.mark.parametrize("graphql", [True, False])
def test_a_comment_of_a_deleted_account_is_nobody_s(github: Place, graphql: bool) -> None:
    server_of(github).graphql = graphql
    server_of(github).add("", "<!-- runfolio:review order=1 -->\nghost")
    assert github.host().upsert_comment(7, "review", ["new"], order=2).action == "created"


def test_an_enterprise_server_is_asked_below_api_v3(github: Place) -> None:
    server = server_of(github)
    server.base = "/api/v3"
    place = Place(server, {**github.environ, "GITHUB_API_URL": server.url}, github.clock)
    assert place.host().upsert_comment(7, "review", ["text"], order=1).action == "created"
    assert "/api/graphql" in {request.path for request in server.requests}


def test_a_renamed_repository_is_followed_and_keeps_the_verb(github: Place) -> None:
    server = server_of(github)
    server.name, server.old_names = "team/grapes", {"team/wine"}
    assert github.host().upsert_comment(7, "review", ["text"], order=1).action == "created"
    assert github.host().upsert_comment(7, "review", ["more"], order=2).action == "updated"
    assert [item.body for item in server.remarks] == ["<!-- runfolio:review order=2 -->\nmore"]


def test_a_locked_conversation_is_told(github: Place) -> None:
    said = {"message": "Unable to create comment because issue is locked."}
    github.server.fault("POST", "/comments$", Reply(403, said))
    with pytest.raises(RemoteError, match="The conversation is locked"):
        github.host().upsert_comment(7, "review", ["text"], order=1)


# Which pull request


@pytest.mark.parametrize(
    ("event", "number"),
    [
        (pull_event(), 7),
        ({**pull_event(), "number": 7}, 7),
        ({"issue": {"number": 7, "pull_request": {"url": "…"}}, "comment": {}}, 7),
        ({"issue": {"number": 7}, "comment": {}}, None),
        ({"ref": "refs/heads/better", "after": HEAD, "repository": {"full_name": "team/wine"}}, 7),
        ({"ref": "refs/heads/better", "after": "0" * 40, "repository": {"full_name": "team/wine"}}, None),
        ({"ref": "refs/heads/other", "after": HEAD, "repository": {"full_name": "team/wine"}}, None),
        ({"ref": "refs/tags/v1", "after": HEAD, "repository": {"full_name": "team/wine"}}, None),
        ({"merge_group": {"head_sha": HEAD}}, None),
        ({"schedule": "0 0 * * *"}, None),
        ([], None),
    ],
    ids=["pull_request", "number beside", "comment on a pull request", "on an issue", "push", "branch deleted", "push of another",
         "tag", "merge group", "schedule", "no object"],
)  # fmt: skip
def test_the_pull_request_comes_from_the_event(github: Place, tmp_path: Any, event: Any, number: int | None) -> None:
    assert with_event(github, event, tmp_path).host().pull_request() == number


def fork_run(repository: str = "mallory/wine", branch: str = "better", commit: str = OTHER, **more: Any) -> dict[str, Any]:
    return {
        "workflow_run": {
            "event": "pull_request",
            "head_sha": commit,
            "head_branch": branch,
            "head_repository": {"full_name": repository},
            "pull_requests": [],
            **more,
        }
    }


def test_the_pull_request_of_a_fork_is_asked_of_the_host(github: Place, tmp_path: Any) -> None:
    server_of(github).pulls.append(Pull(8, OTHER, "mallory", "better", "mallory/wine"))
    assert with_event(github, fork_run(), tmp_path).host().pull_request() == 8
    assert server_of(github).count("GET", "/commits/") == 0


def test_a_number_that_a_fork_made_up_is_not_believed(github: Place, tmp_path: Any) -> None:
    server_of(github).pulls.append(Pull(8, OTHER, "mallory", "better", "mallory/wine"))
    event = fork_run(pull_requests=[{"number": 7}], number=7)
    assert with_event(github, {**event, "number": 7}, tmp_path).host().pull_request() == 8


def test_two_forks_with_one_commit_are_told_apart_by_repository(github: Place, tmp_path: Any) -> None:
    server = server_of(github)
    server.pulls += [Pull(8, OTHER, "mallory", "better", "mallory/wine"), Pull(9, OTHER, "bob", "better", "bob/wine")]
    assert with_event(github, fork_run("bob/wine"), tmp_path).host().pull_request() == 9
    assert with_event(github, fork_run("eve/wine"), tmp_path).host().pull_request() is None


def test_closed_old_and_foreign_heads_are_no_pull_request(github: Place, tmp_path: Any) -> None:
    server = server_of(github)
    server.pulls += [
        Pull(8, OTHER, branch="x", repository="mallory/wine", state="closed"),
        Pull(9, "f" * 40, branch="x", repository=None),
    ]
    assert github.host().pull_of_commit(OTHER) is None
    assert github.host().pull_of_commit("f" * 40) == 9
    assert github.host().pull_of_commit("f" * 40, "mallory/wine") is None


def test_one_commit_in_two_pull_requests_of_one_repository_is_ambiguous(github: Place) -> None:
    server_of(github).pulls.append(Pull(8, HEAD, base="release"))
    assert github.host().pull_of_commit(HEAD) is None


def test_a_pull_request_is_found_among_hundreds(github: Place) -> None:
    server = server_of(github)
    server.pulls += [Pull(number, f"{number:040x}", branch=f"b{number}") for number in range(100, 420)]
    server.pulls.append(Pull(5, OTHER, branch="deep"))
    assert github.host().pull_of_commit(OTHER) == 5


def test_a_workflow_run_of_a_push_has_no_pull_request(github: Place, tmp_path: Any) -> None:
    assert with_event(github, fork_run(commit=HEAD, event="push"), tmp_path).host().pull_request() is None


@pytest.mark.parametrize("content", ["", "{", "\x00", "[" * 100_000])
def test_a_broken_event_is_a_usage_error(github: Place, content: str, tmp_path: Any) -> None:
    (tmp_path / "event.json").write_text(content)
    with pytest.raises(UsageError, match="GITHUB_EVENT_PATH"):
        github.host()


# Approvals


def said(*reviews: Review) -> list[dict[str, Any]]:
    return [review.said() for review in reviews]


@pytest.mark.parametrize(
    ("reviews", "names"),
    [
        ([Review("bob", "APPROVED")], ("bob",)),
        ([Review("bob", "CHANGES_REQUESTED", OTHER), Review("bob", "APPROVED"), Review("bob", "COMMENTED")], ("bob",)),
        ([Review("bob", "APPROVED"), Review("bob", "CHANGES_REQUESTED")], ()),
        ([Review("bob", "APPROVED"), Review("bob", "DISMISSED")], ()),
        ([Review("bob", "APPROVED", OTHER)], ()),
        ([Review("ada", "APPROVED")], ()),
        ([Review("stranger", "APPROVED"), Review("nobody", "APPROVED")], ()),
        ([Review("helper[bot]", "APPROVED", type="Bot")], ()),
        ([Review("bob", "PENDING")], ()),
        ([Review("carol", "APPROVED"), Review("bob", "APPROVED")], ("carol", "bob")),
        ([{"user": None, "state": "APPROVED", "commit_id": HEAD}], ()),
        ([], ()),
    ],
    ids=["one", "latest counts", "taken back", "dismissed", "of an old head", "the author", "may not write", "a bot", "pending", "two",
         "deleted account", "none"],
)  # fmt: skip
def test_who_approves(github: Place, reviews: list[Any], names: tuple[str, ...]) -> None:
    server_of(github).reviews = [item.said() if isinstance(item, Review) else item for item in reviews]
    assert github.host().approvals(7) == names


def test_an_approval_is_found_behind_hundreds_of_reviews(github: Place) -> None:
    server_of(github).reviews = said(*[Review("carol", "COMMENTED")] * 250, Review("bob", "APPROVED"))
    assert github.host().approvals(7) == ("bob",)


def test_an_approval_of_a_later_head_is_none_of_this_job_s(github: Place, tmp_path: Any) -> None:
    """The job judges the head of its event; meanwhile something else was pushed, and approved."""
    server = server_of(github)
    server.pulls[0].sha = OTHER
    server.reviews = said(Review("bob", "APPROVED", OTHER), Review("carol", "APPROVED", HEAD))
    assert github.host().approvals(7) == ("carol",)


def test_a_right_that_cannot_be_asked_is_an_error_not_an_approval(github: Place) -> None:
    server_of(github).reviews = said(Review("bob", "APPROVED"))
    github.server.fault("GET", "/permission$", Reply(403, {"message": "Resource not accessible by integration"}))
    with pytest.raises(RemoteError, match="could not say who approves pull request 7"):
        github.host().approvals(7)


# Opening, marking


def test_a_pull_request_is_opened_once(github: Place) -> None:
    host = github.host()
    address = host.open_pull_request("promote/wine-3", "main", "Promote", "Better.\n/approve")
    assert address == "https://github.com/team/wine/pull/11"
    assert server_of(github).pulls[-1].body == "Better.\n\\/approve"
    assert host.open_pull_request("promote/wine-3", "main", "Promote", "Better.") == address
    assert len(server_of(github).pulls) == 2


def test_a_pull_request_that_was_opened_although_the_answer_was_lost_is_found(github: Place) -> None:
    server = server_of(github)
    server.before("POST", "/pulls$", lambda: server.pulls.append(Pull(12, OTHER, branch="promote/x")))
    server.fault("POST", "/pulls$", Reply(502))
    assert github.host().open_pull_request("promote/x", "main", "t", "b").endswith("/pull/12")
    server.fault("POST", "/pulls$", Reply(502))
    with pytest.raises(RemoteError, match="may have been done"):
        github.host().open_pull_request("promote/y", "main", "t", "b")


def test_a_pull_request_without_a_difference_is_told(github: Place) -> None:
    with pytest.raises(RemoteError, match="No commits between main and main"):
        github.host().open_pull_request("main", "main", "t", "b")


def test_a_text_that_is_too_long_for_a_pull_request_is_cut_with_a_count(github: Place) -> None:
    github.host().open_pull_request("promote/x", "main", "t", "word " * 20_000)
    body = server_of(github).pulls[-1].body
    assert len(body) <= 65_536 and body.endswith("more characters were left out here.)")


def test_a_commit_is_marked(github: Place) -> None:
    host = github.host()
    host.set_status(HEAD, "runfolio", "success", "all gates passed", "https://ci.example/1")
    host.set_status(HEAD, "runfolio", "failure", "x " * 200)
    first, second = server_of(github).statuses
    assert first == {"sha": HEAD, "state": "success", "context": "runfolio", "description": "all gates passed",
                     "target_url": "https://ci.example/1"}  # fmt: skip
    assert second["state"] == "failure" and len(second["description"]) <= 140
    host.set_status(HEAD, "runfolio", "neutral", "within noise")
    (run,) = server_of(github).check_runs
    assert (run["conclusion"], run["head_sha"], run["output"]["title"]) == ("neutral", HEAD, "within noise")


def test_a_neutral_mark_by_a_person_s_token_is_told(github: Place) -> None:
    server_of(github).accounts["pat"] = Account("ada")
    with pytest.raises(RemoteError, match="must authenticate via a GitHub App"):
        github.host(GITHUB_TOKEN="pat").set_status(HEAD, "runfolio", "neutral", "within noise")


def test_a_status_is_repeated_after_a_lost_answer(github: Place) -> None:
    github.server.fault("POST", "/statuses/", Reply(502))
    github.host().set_status(HEAD, "runfolio", "success", "fine")
    assert len(server_of(github).statuses) == 1
