"""GitLab: what is its own. What all hosts do alike is in ``test_upserting.py`` and ``test_rest.py``."""

from __future__ import annotations

from typing import Any

import pytest

from runfolio.errors import RemoteError
from tests.hosts.conftest import HEAD, Place, gitlab_ci
from tests.hosts.gitlab import GitLabStandIn
from tests.hosts.standin import Reply

OTHER = "e" * 40
PUSHED = "2026-11-20T12:00:00.000Z"
BEFORE, AFTER = "2026-11-20T11:59:59.000Z", "2026-11-20T14:30:00.000+02:00"


def server_of(place: Place) -> GitLabStandIn:
    assert isinstance(place.server, GitLabStandIn)
    return place.server


def approval(name: str, at: str | None = AFTER) -> dict[str, Any]:
    return {"user": {"id": 5, "username": name}} | ({"approved_at": at} if at else {})


def test_a_note_s_address_is_that_of_its_merge_request(gitlab: Place) -> None:
    posted = gitlab.host().upsert_comment(7, "review", ["text"], order=1)
    assert posted.url == f"https://gitlab.com/team/wine/-/merge_requests/7#note_{gitlab.server.remarks[0].id}"


def test_a_system_note_with_our_marker_is_none(gitlab: Place) -> None:
    gitlab.server.add(gitlab.server.me, "<!-- runfolio:review order=1 -->\nold", system=True)
    assert gitlab.host().upsert_comment(7, "review", ["text"], order=2).action == "created"


def test_the_job_s_own_token_is_not_tried(gitlab: Place) -> None:
    """CI_JOB_TOKEN may neither read nor write notes; sending it would end in a riddle."""
    host = gitlab.host(GITLAB_TOKEN="")
    assert not host.has_token
    with pytest.raises(RemoteError, match=r"set GITLAB_TOKEN to a project access token .*CI_JOB_TOKEN may not do it"):
        host.upsert_comment(7, "review", ["text"], order=1)


def test_the_status_is_told_once(gitlab: Place) -> None:
    """GitLab's own words begin with the number: {"message": "401 Unauthorized"}."""
    with pytest.raises(RemoteError, match=r": 401 Unauthorized\. GITLAB_TOKEN is wrong") as caught:
        gitlab.host(GITLAB_TOKEN="wrong").upsert_comment(7, "review", ["text"], order=1)
    assert caught.value.message.count("401") == 1


def test_a_merge_request_from_a_fork_is_the_parent_s(gitlab: Place) -> None:
    fork = gitlab_ci(gitlab.server.url, CI_PROJECT_ID="55", CI_PROJECT_PATH="mallory/wine")
    assert Place(gitlab.server, fork, gitlab.clock).host().upsert_comment(7, "review", ["text"], order=1).action == "created"


def test_a_project_can_be_named_by_its_path(gitlab: Place) -> None:
    by_path = gitlab_ci(gitlab.server.url, CI_MERGE_REQUEST_PROJECT_ID="team/wine")
    assert Place(gitlab.server, by_path, gitlab.clock).host().upsert_comment(7, "review", ["text"], order=1).action == "created"


@pytest.mark.parametrize(
    ("variables", "number"),
    [
        ({}, 7),
        ({"CI_MERGE_REQUEST_IID": "", "CI_OPEN_MERGE_REQUESTS": "team/wine!7"}, 7),
        ({"CI_MERGE_REQUEST_IID": "", "CI_OPEN_MERGE_REQUESTS": "other/wine!3,team/wine!7"}, 7),
        ({"CI_MERGE_REQUEST_IID": "", "CI_COMMIT_BRANCH": "better"}, 7),
        ({"CI_MERGE_REQUEST_IID": "", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": OTHER}, None),
        ({"CI_MERGE_REQUEST_IID": "x"}, 7),
        ({"CI_MERGE_REQUEST_IID": "", "CI_COMMIT_SHA": "", "CI_COMMIT_BRANCH": ""}, None),
    ],
    ids=["its own", "of a branch", "of several projects", "asked of the host", "of the main branch", "no number", "no commit"],
)
def test_the_merge_request_comes_from_the_pipeline(gitlab: Place, variables: dict[str, str], number: int | None) -> None:
    assert gitlab.host(**variables).pull_request() == number


def test_without_a_token_nothing_is_asked(gitlab: Place) -> None:
    assert gitlab.host(CI_MERGE_REQUEST_IID="", GITLAB_TOKEN="").pull_request() is None
    assert gitlab.server.requests == []


def test_a_fork_s_merge_request_with_the_same_commit_is_told_apart(gitlab: Place) -> None:
    server = server_of(gitlab)
    server.requests_open.append(server._request(9, "better", "main", HEAD, project=55))
    assert gitlab.host().pull_of_commit(HEAD) is None
    assert gitlab.host().pull_of_commit(HEAD, "team/wine") == 7
    assert gitlab.host().pull_of_commit(HEAD, "mallory/wine") == 9


@pytest.mark.parametrize(
    ("approved", "names"),
    [
        ([approval("bob")], ("bob",)),
        ([approval("bob", BEFORE)], ()),
        ([approval("bob", PUSHED)], ("bob",)),
        ([approval("ada")], ()),
        ([approval("project_1_bot_f00"), approval("group_12_bot")], ()),
        ([approval("carol"), approval("bob")], ("carol", "bob")),
        ([approval("bob", "yesterday")], ()),
        ([], ()),
    ],
    ids=["one", "before the push", "with the push", "the author", "bots", "two", "no date", "none"],
)
def test_who_approves(gitlab: Place, approved: list[Any], names: tuple[str, ...]) -> None:
    server_of(gitlab).approved_by = approved
    assert gitlab.host().approvals(7) == names


def test_only_the_newest_version_of_the_change_is_approved(gitlab: Place) -> None:
    server = server_of(gitlab)
    server.versions.insert(0, (HEAD, "2026-11-21T09:00:00.000Z"))
    server.approved_by = [approval("bob"), approval("carol", "2026-11-21T09:00:01.000Z")]
    assert gitlab.host().approvals(7) == ("carol",)


@pytest.mark.parametrize(
    ("notes", "names"),
    [
        ([("approved this merge request", "2026-11-20T12:00:01Z")], ("bob",)),
        ([("approved this merge request", "2026-11-20T11:00:00Z")], ()),
        (
            [("approved this merge request", "2026-11-20T11:00:00Z"), ("approved this merge request", "2026-11-20T13:00:00Z")],
            ("bob",),
        ),
        (
            [("approved this merge request", "2026-11-20T13:00:00Z"), ("unapproved this merge request", "2026-11-20T14:00:00Z")],
            (),
        ),
        ([], ()),
    ],
    ids=["after the push", "before it", "again", "taken back", "no note"],
)
def test_an_older_host_tells_when_by_its_notes(gitlab: Place, notes: list[tuple[str, str]], names: tuple[str, ...]) -> None:
    server_of(gitlab).approved_by = [approval("bob", None)]
    for body, at in notes:
        gitlab.server.add("bob", body, system=True, at=at)
    gitlab.server.add("bob", "approved this merge request", at="2026-11-22T10:00:00Z")  # anybody can write that
    assert gitlab.host().approvals(7) == names


def test_an_approval_of_a_later_head_is_none_of_this_job_s(gitlab: Place) -> None:
    server_of(gitlab).approved_by = [approval("bob")]
    server_of(gitlab).head = OTHER
    assert gitlab.host().approvals(7) == ()
    assert gitlab.host(CI_MERGE_REQUEST_IID="", CI_COMMIT_SHA=OTHER).approvals(7) == ("bob",)


def test_a_merge_request_is_opened_once_and_carries_nothing_out(gitlab: Place) -> None:
    host = gitlab.host()
    address = host.open_pull_request("promote/wine-3", "main", "t" * 300, "Better.\n/merge")
    assert address == "https://gitlab.com/team/wine/-/merge_requests/8"
    assert host.open_pull_request("promote/wine-3", "main", "t", "b") == address
    assert server_of(gitlab).carried_out == []
    gitlab.server.fault("POST", "/merge_requests$", Reply(502))
    assert host.open_pull_request("promote/wine-3", "main", "t", "b") == address


def test_a_branch_that_is_not_there_is_told(gitlab: Place) -> None:
    gitlab.server.fault("POST", "/merge_requests$", Reply(400, {"message": {"source_branch": ["does not exist"]}}))
    with pytest.raises(RemoteError, match="400 source_branch does not exist"):
        gitlab.host().open_pull_request("nope", "main", "t", "b")


def test_a_commit_is_marked_and_marking_it_again_is_well(gitlab: Place) -> None:
    host = gitlab.host()
    for _ in range(2):
        host.set_status(HEAD, "runfolio", "neutral", "within noise", "https://ci.example/1")
    host.set_status(OTHER, "runfolio", "failure", "x " * 200)
    first, second = server_of(gitlab).statuses
    assert (first["state"], first["description"]) == ("success", "neutral: within noise")
    assert second["state"] == "failed" and len(second["description"]) <= 255
    gitlab.server.fault("POST", "/statuses/", Reply(400, {"message": "name is too long"}))
    with pytest.raises(RemoteError, match="name is too long"):
        host.set_status(HEAD, "n" * 999, "success", "fine")
