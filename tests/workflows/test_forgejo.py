"""Forgejo's workflows use no action of anybody's: a clone with the job's token, and the pages branch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import git
from tests.hosts.gitea import GiteaStandIn
from tests.workflows.conftest import Team, team_at
from tests.workflows.host import host_at
from tests.workflows.runner import Run


def started(team: Team, name: str) -> Run:
    text = git(team.host.bare, "show", f"main:.forgejo/workflows/runfolio-{name}.yml")
    return Run(team.host, "push", {}, team.push(), shims=True).start(text)


@pytest.mark.parametrize("within", ["", "ml"])
def test_a_push_publishes_the_pages_branch_as_one_commit(tmp_path: Path, pinned_git: Path, within: str) -> None:
    with host_at(tmp_path / "host") as host:
        team = team_at(tmp_path, host, within=within)
        team.log(0.5, folder=team.ada / within)
        for accuracy in (0.625, 0.75):
            run = started(team, "publish")
            assert run.outcome == "success", run.jobs["publish"].text()
            assert git(host.bare, "rev-list", "--count", "pages").strip() == "1"
            team.log(accuracy, folder=team.ada / within)
        page = git(host.bare, "show", "pages:e/wine/index.html")
        assert "0.625" in page and "0.75" not in page
        assert "Authorization" not in "".join(file.read_text() for file in run.folder.rglob(".git/config"))


@pytest.mark.parametrize("repository", ["team/wine", "mallory/wine"])
def test_a_pull_request_of_the_same_repository_gets_a_comment_and_a_forks_is_in_the_log(
    tmp_path: Path, pinned_git: Path, repository: str
) -> None:
    with host_at(tmp_path / "host") as host, GiteaStandIn() as api:
        team = team_at(tmp_path, host)
        team.log(0.5, 0.75)
        team.push()
        team.git("checkout", "-q", "-b", "work")
        team.log(0.875)
        payload = host.propose(team.ada, "better", repository)
        pull = payload["pull_request"]
        github = {"ref": "refs/pull/7/head", "sha": pull["head"]["sha"], "base_ref": "main", "api_url": api.url}
        run = Run(host, "pull_request", payload, github, shims=True)
        api.pulls = [api.pull(7, pull["head"]["sha"])]
        host.forge = api
        host.variables_of_jobs["GITEA_ACTIONS"] = "true"
        run.start(git(host.bare, "show", "main:.forgejo/workflows/runfolio-report.yml"))
        assert run.outcome == "success", run.jobs["report"].text()
        assert "0.875" in run.jobs["report"].text()
        assert len(api.remarks) == (1 if repository == "team/wine" else 0)


@pytest.mark.parametrize("within", ["", "ml"])
def test_a_pull_request_has_a_preview_until_it_is_closed_and_a_forks_has_none(
    tmp_path: Path, pinned_git: Path, within: str
) -> None:
    with host_at(tmp_path / "host") as host, GiteaStandIn() as api:
        team = team_at(tmp_path, host, within=within)
        team.log(0.5, folder=team.ada / within)
        assert started(team, "publish").outcome == "success"
        team.git("checkout", "-q", "-b", "work")
        team.log(0.875, folder=team.ada / within)
        (team.ada / within / "charts.py").write_text("open('ran', 'w')\n")
        host.forge = api
        host.variables_of_jobs["GITEA_ACTIONS"] = "true"
        site = set(git(host.bare, "ls-tree", "-r", "--name-only", "pages").split())
        for action, repository in (
            ("opened", "mallory/wine"),
            ("opened", "team/wine"),
            ("synchronize", "team/wine"),
            ("closed", "team/wine"),
        ):
            payload = {**host.propose(team.ada, "better", repository), "action": action}
            sha = payload["pull_request"]["head"]["sha"]
            api.pulls = [api.pull(7, sha)]
            github = {"ref": "refs/pull/7/head", "sha": sha, "base_ref": "main", "api_url": api.url}
            run = Run(host, "pull_request", payload, github, shims=True)
            run.start(git(host.bare, "show", "main:.forgejo/workflows/runfolio-preview.yml"))
            found = set(git(host.bare, "ls-tree", "-r", "--name-only", "pages").split())
            assert found >= site
            if repository == "mallory/wine":
                assert run.jobs["preview"].outcome == "skipped" and found == site
                continue
            assert run.outcome == "success", run.jobs["preview"].text()
            assert ("preview/7/index.html" in found) == (action != "closed")
            if action != "closed":
                page = git(host.bare, "show", "pages:preview/7/e/wine/index.html")
                assert "0.5" in page and "0.875" in page
        assert found == site and git(host.bare, "rev-list", "--count", "pages").strip() == "1"
        assert "0.875" not in git(host.bare, "show", "pages:e/wine/index.html")
