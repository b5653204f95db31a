"""Fixtures: stand-ins of the git hosts, and a patience that does not wait but remembers for how long it would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runfolio.hosts import Host, Patience, find_host
from tests.hosts.github import GitHubStandIn


@dataclass
class Clock:
    """Counts the seconds that were to be waited."""

    waits: list[float] = field(default_factory=list)

    def patience(self, **more: Any) -> Patience:
        return Patience(**{"timeout_s": 5.0, "sleep": self.waits.append, **more})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead proxy: whoever asks a server on this machine through it gets no answer."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as server:
        assert isinstance(server, GitHubStandIn)
        yield server


def actions(server: GitHubStandIn, folder: Path, event: dict[str, Any] | None = None, **more: str) -> dict[str, str]:
    """Return the environment of a job of GitHub Actions, for pull request 7 unless another event is given."""
    said = event or {
        "pull_request": {
            "number": 7,
            "head": {"sha": "c" * 40, "ref": "better", "repo": {"full_name": "team/wine"}},
            "user": {"login": "ada"},
        }
    }
    file = folder / "event.json"
    file.write_text(json.dumps(said))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": server.url,
        "GITHUB_REPOSITORY": "team/wine",
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_RUN_ID": "42",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_TOKEN": "secret",
        **more,
    }


def found(environ: dict[str, str], clock: Clock | None = None, remote: str | None = None, **more: Any) -> Host:
    """Return the host of an environment, which must be there."""
    host = find_host(environ, remote, (clock or Clock()).patience(**more))
    assert host is not None
    return host
