"""GitHub: what is its own. What all hosts do alike is in ``test_upserting.py``."""

from __future__ import annotations

from pathlib import Path

from tests.hosts.conftest import actions, found
from tests.hosts.github import GitHubStandIn


def test_a_comment_is_created_then_updated(github: GitHubStandIn, tmp_path: Path) -> None:
    host = found(actions(github, tmp_path))
    assert host.pull_request() == 7
    posted = host.upsert_comment(7, "review", ["first"], order=1)
    assert (posted.action, posted.url) == ("created", "https://github.com/team/wine/pull/7#issuecomment-101")
    assert host.upsert_comment(7, "review", ["first"], order=1).action == "unchanged"
    assert host.upsert_comment(7, "review", ["second"], order=2) == type(posted)(posted.url, "updated")
    assert host.upsert_comment(7, "review", ["first again"], order=1).action == "kept"
    assert [(item.author, item.body) for item in github.remarks] == [
        ("github-actions[bot]", "<!-- runfolio:review order=2 -->\nsecond")
    ]
