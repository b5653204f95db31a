"""Gitea and Forgejo: what is their own. What all hosts do alike is in ``test_upserting.py`` and ``test_rest.py``."""

from __future__ import annotations

from typing import Any

import pytest

from runfolio.errors import RemoteError
from tests.hosts.conftest import HEAD, Place, actions
from tests.hosts.gitea import GiteaStandIn
from tests.hosts.standin import Reply

OTHER = "e" * 40


def server_of(place: Place) -> GiteaStandIn:
    assert isinstance(place.server, GiteaStandIn)
    return place.server


def review(name: str | None, state: str = "APPROVED", **more: Any) -> dict[str, Any]:
    user = {"login": name} if name else None
    return {"user": user, "state": state, "official": True, "stale": False, "dismissed": False, "commit_id": HEAD, **more}


def test_a_token_without_the_scope_to_say_who_it_is_still_keeps_one_comment(gitea: Place) -> None:
    assert gitea.host(GITHUB_TOKEN="narrow").upsert_comment(7, "review", ["one"], order=1).action == "created"
    assert gitea.host(GITHUB_TOKEN="narrow").upsert_comment(7, "review", ["two"], order=2).action == "updated"
    assert [(item.author, item.body) for item in gitea.server.remarks] == [("ada", "<!-- runfolio:review order=2 -->\ntwo")]


@pytest.mark.parametrize("variable", ["GITEA_TOKEN", "FORGEJO_TOKEN"])
def test_their_own_tokens_come_first(gitea: Place, variable: str) -> None:
    host = gitea.host(**{"GITHUB_TOKEN": "of-another-host", variable: "secret", f"{variable.split('_')[0]}_ACTIONS": "true"})
    assert host.upsert_comment(7, "review", ["text"], order=1).action == "created"
    assert repr(host).startswith("Gitea(" if variable == "GITEA_TOKEN" else "Forgejo(")


def test_the_pull_request_of_a_fork_is_asked_of_the_host(gitea: Place, tmp_path: Any) -> None:
    server = server_of(gitea)
    server.pulls += [server.pull(number, f"{number:040x}", f"b{number}") for number in range(100, 230)]
    server.pulls.append(server.pull(8, OTHER, "better", repository="mallory/wine"))
    run = {"event": "pull_request", "head_sha": OTHER, "head_branch": "better", "head_repository": {"full_name": "mallory/wine"}}
    place = Place(server, actions(server.url, tmp_path, {"workflow_run": run}, GITEA_ACTIONS="true"), gitea.clock)
    assert place.host().pull_request() == 8
    assert place.host().pull_of_commit(OTHER, "eve/wine") is None


@pytest.mark.parametrize(
    ("reviews", "names"),
    [
        ([review("bob")], ("bob",)),
        ([review("bob", "REQUEST_CHANGES"), review("bob"), review("bob", "COMMENT")], ("bob",)),
        ([review("bob"), review("bob", "REQUEST_CHANGES")], ()),
        ([review("bob", dismissed=True)], ()),
        ([review("bob", stale=True)], ()),
        ([review("bob", official=False)], ()),
        ([review("bob", commit_id=OTHER)], ()),
        ([review("ada")], ()),
        ([review("gitea-actions"), review("forgejo-actions")], ()),
        ([review(None, "REQUEST_REVIEW"), review(None)], ()),
        ([{"user": {"login": "bob"}, "state": "APPROVED"}], ()),
    ],
    ids=["one", "latest counts", "taken back", "dismissed", "stale", "not official", "old head", "the author", "bots", "a team",
         "a host that does not say"],
)  # fmt: skip
def test_who_approves(gitea: Place, reviews: list[Any], names: tuple[str, ...]) -> None:
    server_of(gitea).reviews = [review("carol", "COMMENT")] * 60 + reviews
    assert gitea.host().approvals(7) == names


def test_a_pull_request_is_opened_once(gitea: Place) -> None:
    server, host = server_of(gitea), gitea.host()
    address = host.open_pull_request("promote/wine-3", "main", "t" * 300, "Better.\n/lgtm")
    assert address == "https://git.example.org/team/wine/pulls/8" and server.pulls[-1]["body"] == "Better.\n\\/lgtm"
    assert host.open_pull_request("promote/wine-3", "main", "t", "b") == address
    server.fault("POST", "/pulls$", Reply(502))
    with pytest.raises(RemoteError, match="may have been done"):
        host.open_pull_request("promote/new", "main", "t", "b")


def test_a_commit_is_marked(gitea: Place) -> None:
    host = gitea.host()
    host.set_status(HEAD, "runfolio", "neutral", "within noise")
    host.set_status(HEAD, "runfolio", "failure", "2 gates failed", "https://ci.example/1")
    first, second = server_of(gitea).statuses
    assert (first["state"], first["description"]) == ("success", "neutral: within noise")
    assert (second["state"], second["target_url"]) == ("failure", "https://ci.example/1")
