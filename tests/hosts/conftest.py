"""Fixtures: stand-ins of the git hosts, and a patience that does not wait but remembers for how long it would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runfolio.hosts import Host, Patience, find_host
from tests.hosts.gitea import GiteaStandIn
from tests.hosts.github import GitHubStandIn
from tests.hosts.gitlab import GitLabStandIn

AnyStandIn = GitHubStandIn | GitLabStandIn | GiteaStandIn
STANDINS = {"github": GitHubStandIn, "gitlab": GitLabStandIn, "gitea": GiteaStandIn}
HEAD = "c" * 40


@dataclass
class Clock:
    """Counts the seconds that were to be waited."""

    waits: list[float] = field(default_factory=list)

    def patience(self, **more: Any) -> Patience:
        return Patience(**{"timeout_s": 120.0, "sleep": self.waits.append, **more})


@dataclass
class Place:
    """A stand-in, the environment of a CI job on it, and the clock of whoever asks it."""

    server: AnyStandIn
    environ: dict[str, str]
    clock: Clock

    def host(self, patience: Patience | None = None, **environ: str) -> Host:
        """Return the host as one more build sees it."""
        found = find_host({**self.environ, **environ}, patience=patience or self.clock.patience())
        assert found is not None
        return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def dead_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that is not there: whoever asks a server on this machine through it gets no answer."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def pull_event(number: int = 7, commit: str = HEAD) -> dict[str, Any]:
    head = {"sha": commit, "ref": "better", "repo": {"full_name": "team/wine"}}
    return {"pull_request": {"number": number, "head": head, "user": {"login": "ada"}}}


def actions(url: str, folder: Path, event: dict[str, Any], **more: str) -> dict[str, str]:
    """Return the environment of a job of GitHub Actions or of those that follow it."""
    file = folder / "event.json"
    file.write_text(json.dumps(event))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": url,
        "GITHUB_REPOSITORY": "team/wine",
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_RUN_ID": "42",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_TOKEN": "secret",
        **more,
    }


def gitlab_ci(url: str, **more: str) -> dict[str, str]:
    """Return the environment of a merge request's pipeline on GitLab."""
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": url,
        "CI_PROJECT_ID": "1",
        "CI_PROJECT_PATH": "team/wine",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_PROJECT_PATH": "team/wine",
        "CI_COMMIT_SHA": HEAD,
        "CI_PIPELINE_ID": "4200",
        "CI_JOB_TOKEN": "job-token-that-may-not",
        "GITLAB_TOKEN": "secret",
        **more,
    }


def environment(server: AnyStandIn, folder: Path) -> dict[str, str]:
    if server.kind == "gitlab":
        return gitlab_ci(server.url)
    extra = {"GITEA_ACTIONS": "true"} if server.kind == "gitea" else {}
    return actions(server.url, folder, pull_event(), **extra)


def _place(kind: str, folder: Path, clock: Clock) -> Iterator[Place]:
    with STANDINS[kind]() as server:
        yield Place(server, environment(server, folder), clock)  # type: ignore[arg-type]


@pytest.fixture(params=list(STANDINS))
def place(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """Each of the hosts in turn."""
    yield from _place(request.param, tmp_path, clock)


@pytest.fixture
def github(tmp_path: Path, clock: Clock) -> Iterator[Place]:
    yield from _place("github", tmp_path, clock)


@pytest.fixture
def gitlab(tmp_path: Path, clock: Clock) -> Iterator[Place]:
    yield from _place("gitlab", tmp_path, clock)


@pytest.fixture
def gitea(tmp_path: Path, clock: Clock) -> Iterator[Place]:
    yield from _place("gitea", tmp_path, clock)
