"""``runfolio review --post`` as a CI job runs it, against stand-ins of the git hosts; the comment's rules are in ``tests/hosts``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import git
from tests.hosts.conftest import STANDINS, AnyStandIn, environment
from tests.review.folios import LARGE, branch, log_runs, runfolio_command


@pytest.fixture(params=list(STANDINS))
def job(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[AnyStandIn, dict[str, str]]]:
    """A host, and the environment of a CI job for its pull request 7."""
    with STANDINS[request.param]() as server:
        yield server, environment(server, tmp_path)  # type: ignore[arg-type]


def test_the_report_becomes_one_comment_that_follows_the_branch(base_dir: Path, job: tuple[AnyStandIn, dict[str, str]]) -> None:
    server, environ = job
    branch(base_dir, "deeper")
    done = runfolio_command(base_dir, "review", "main..HEAD", "--post", **environ)
    assert done.returncode == 0 and "no comment is written" in done.stderr, done.stderr
    assert server.remarks == []
    log_runs(base_dir, "wine", {"depth": 5}, LARGE)
    done = runfolio_command(base_dir, "review", "main..HEAD", "--post", **environ)
    assert "The comment was created: " in done.stderr, done.stderr
    (remark,) = server.remarks
    assert (
        remark.author == server.me
        and remark.body.startswith("<!-- runfolio:review:. order=")
        and "improved by 0.047" in remark.body
    )
    # The branch takes its runs back: what the comment says is true no more.
    git(base_dir, "reset", "-q", "--hard", "main")
    done = runfolio_command(base_dir, "review", "main..HEAD", "--post", **environ)
    assert "The comment was updated: " in done.stderr, done.stderr
    assert server.remarks == [remark] and "improved" not in remark.body


def test_a_token_without_rights_is_told_and_the_report_is_still_there(
    base_dir: Path, job: tuple[AnyStandIn, dict[str, str]], tmp_path: Path
) -> None:
    server, environ = job
    branch(base_dir, "deeper")
    log_runs(base_dir, "wine", {"depth": 5}, LARGE)
    environ = {**environ, "GITHUB_TOKEN": "wrong", "GITLAB_TOKEN": "wrong"}
    done = runfolio_command(base_dir, "review", "main..HEAD", "--post", "--markdown", str(tmp_path / "report.md"), **environ)
    assert "no approvals of the git host count" in done.stderr
    assert done.returncode == 19 and "is wrong, or has run out" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert "improved by 0.047" in (tmp_path / "report.md").read_text() and server.remarks == []
