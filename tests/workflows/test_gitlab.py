"""GitLab's jobs: pages, the report of a merge request, the scheduled collection."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import git
from tests.hosts.gitlab import GitLabStandIn
from tests.site.destinations.links import broken
from tests.workflows.conftest import Team, team_at
from tests.workflows.gitlab import holds, pipeline
from tests.workflows.host import host_at
from tests.workflows.test_collect import WORKER

PUSH = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}


def file(team: Team, rev: str = "main") -> str:
    return git(team.host.bare, "show", f"{rev}:.gitlab/runfolio.yml")


def shown(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("variables", "there"),
    [
        (PUSH, True),
        ({**PUSH, "CI_COMMIT_BRANCH": "topic"}, False),
        ({**PUSH, "CI_PIPELINE_SOURCE": "schedule"}, False),
    ],
)
def test_rules_are_read_in_order(variables: dict[str, str], there: bool) -> None:
    rules = [{"if": '$CI_PIPELINE_SOURCE == "schedule"', "when": "never"}, {"if": '$CI_COMMIT_BRANCH == "main"'}]
    assert holds(rules, variables) == there


def test_a_push_publishes_pages_and_nothing_new_is_rendered_again(team: Team) -> None:
    team.log(0.5, 0.75)
    team.push()
    jobs = pipeline(team.host, file(team), team.host.resolve("main"), PUSH)
    assert set(jobs) == {"pages"} and jobs["pages"].outcome == "success", jobs["pages"].log
    pages = shown(jobs["pages"].artifacts / "public")
    assert "index.html" in pages and not broken(pages) and b"Ada" not in b"".join(pages.values())
    again = pipeline(team.host, file(team), team.host.resolve("main"), PUSH)["pages"]
    assert "  0 files written" in again.log and shown(again.artifacts / "public") == pages


def test_a_scheduled_pipeline_collects_and_pushes(tmp_path: Path, pinned_git: Path) -> None:
    with host_at(tmp_path / "host") as host:
        team = team_at(tmp_path, host, "--artifacts", str(tmp_path / "store"), within="ml")
        inbox = tmp_path / "store" / "inbox" / "worker-1"
        inbox.parent.mkdir(parents=True)
        subprocess.run([sys.executable, "-c", WORKER, str(inbox)], env=team.env, cwd=tmp_path, check=True)
        when = {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main"}
        jobs = pipeline(host, file(team), host.resolve("main"), when, "write")
        assert set(jobs) == {"runfolio collect"} and jobs["runfolio collect"].outcome == "success", jobs["runfolio collect"].log
        assert "1 run taken in" in jobs["runfolio collect"].log
        assert "ml/runs/" in git(host.bare, "ls-tree", "-r", "--name-only", "main")


@pytest.mark.parametrize("own", [True, False], ids=["branch", "fork"])
def test_a_merge_request_gets_its_comment_widgets_and_page(team: Team, own: bool) -> None:
    team.log(0.5, 0.75)
    team.push()
    base = team.host.resolve("main")
    team.git("checkout", "-q", "-b", "work")
    team.log(0.875)
    team.git("push", "-q", "origin", "HEAD:refs/merge-requests/7/head")
    commit = team.git("rev-parse", "HEAD")
    team.git("checkout", "-q", "main")  # goes on meanwhile: the report is judged by what it has now
    team.log(0.8)
    team.push()
    with GitLabStandIn() as api:
        api.head = commit
        variables = {
            "CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_PROJECT_PATH": "team/wine", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_API_V4_URL": api.url,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_PROJECT_ID": "1" if own else "2",
            **({"GITLAB_TOKEN": "secret"} if own else {}),
        }  # fmt: skip
        jobs = pipeline(team.host, file(team), commit, variables)
        assert set(jobs) == {"runfolio report"} and jobs["runfolio report"].outcome == "success", jobs["runfolio report"].log
        assert [remark.author for remark in api.remarks] == ([api.me] if own else [])
        assert all("0.875" in remark.body for remark in api.remarks)
    kept = shown(jobs["runfolio report"].artifacts)
    assert set(kept) == {
        "runfolio-report.html", "runfolio-report.json", "runfolio-report.md", "runfolio-metrics.txt", "runfolio-quality.json",
    }  # fmt: skip
    said = json.loads(kept["runfolio-report.json"])
    assert (said["base"], said["tip"]) == (base, team.host.resolve("main") if own else base)
    assert b"0.875" in kept["runfolio-report.html"] and kept["runfolio-metrics.txt"].endswith(b"# EOF\n")
    assert json.loads(kept["runfolio-quality.json"]) == []


def test_a_review_that_fails_is_followed_by_the_check_of_records(team: Team) -> None:
    team.log(0.5, 0.75)
    team.push()
    team.git("checkout", "-q", "-b", "work")
    (record, *_) = sorted(path for path in (team.ada / "runs").rglob("*.json") if not path.name.endswith(".series.json"))
    record.write_text(record.read_text().replace("0.5", "0.9"))
    team.commit("tidy up")
    team.git("push", "-q", "origin", "HEAD:refs/merge-requests/7/head")
    variables = {
        "CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": team.host.resolve("main"), "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }  # fmt: skip
    ran = pipeline(team.host, file(team), team.git("rev-parse", "HEAD"), variables)["runfolio report"]
    assert ran.outcome == "failure" and "the review fails" in ran.log and "run.edited" in ran.log, ran.log
