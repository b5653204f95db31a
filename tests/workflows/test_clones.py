"""``runfolio ci fetch`` in shallow and partial clones: what is needed comes, and no more; what cannot come is named with its command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import git
from tests.workflows.conftest import Team


def clone(team: Team, *options: str) -> Path:
    place = team.host.folder / "job"
    team.git("clone", "-q", *options, team.host.bare.as_uri(), str(place), folder=team.host.folder)
    return place


def tried(team: Team, place: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from runfolio.cli.main import main; sys.exit(main())", *args]
    return subprocess.run(command, cwd=place, env={**team.env, **env}, capture_output=True, text=True, check=False)


def job(team: Team, payload: dict) -> dict[str, str]:
    file = team.host.folder / "event.json"
    file.write_text(json.dumps(payload))
    return {
        "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(file), "GITHUB_REPOSITORY": "team/wine", "GITHUB_API_URL": team.host.api.url,
        "GITHUB_BASE_REF": "main", "GITHUB_RUN_ID": "1", "GITHUB_SERVER_URL": team.host.server.url,
    }  # fmt: skip


@pytest.fixture
def proposed(team: Team) -> dict:
    """A pull request that branched off 80 commits ago."""
    team.git("checkout", "-q", "-b", "topic")
    team.log(0.5)
    payload = team.host.propose(team.ada, "topic")
    team.git("checkout", "-q", "main")
    for number in range(80):
        team.git("commit", "-q", "--allow-empty", "-m", f"{number}")
    team.push()
    return payload


def test_a_shallow_clone_is_deepened_until_both_sides_meet_and_not_to_the_root(team: Team, proposed: dict) -> None:
    place = clone(team, "--depth=1")
    done = tried(team, place, "ci", "fetch", "--pull-request", **job(team, proposed))
    assert done.returncode == 0, done.stderr
    assert "of pull request 7" in done.stdout and "no history in common" not in done.stderr
    head = proposed["pull_request"]["head"]["sha"]
    assert git(place, "rev-parse", "refs/runfolio/pull/head").strip() == head
    assert git(place, "merge-base", "HEAD", head)
    assert git(place, "status", "--porcelain") == "" and git(place, "symbolic-ref", "--short", "HEAD").strip() == "main"


def test_where_history_cannot_be_fetched_the_command_is_named(team: Team, proposed: dict) -> None:
    place = clone(team, "--depth=1")
    git(place, "fetch", "-q", "--depth=1", "origin", "+refs/pull/7/head:refs/runfolio/pull/head")
    # The remote lost all but the head: deepening fails as it does without a network or a right.
    git(place, "config", "remote.origin.url", f"file://{team.host.folder}/nowhere")
    from runfolio.errors import RemoteError
    from runfolio.gitstore import Repo
    from runfolio.gitstore.completing import deepen

    repo = Repo.discover(place)
    try:
        with pytest.raises(RemoteError, match=r"History is cut off here.*run: git fetch --unshallow"):
            deepen(repo, "origin", "HEAD", "refs/runfolio/pull/head", ("+refs/heads/main:refs/remotes/origin/main",))
    finally:
        repo.close()


def test_two_histories_without_a_common_commit_are_said_to_be_so(team: Team) -> None:
    team.git("checkout", "-q", "--orphan", "stranger")
    team.git("commit", "-qm", "other")
    payload = team.host.propose(team.ada, "stranger")
    done = tried(team, clone(team), "ci", "fetch", "--pull-request", **job(team, payload))
    assert done.returncode == 0 and "no history in common" in done.stderr


def test_a_branch_that_was_rewritten_meanwhile_is_left_to_its_own_job(team: Team, proposed: dict) -> None:
    team.git("checkout", "-q", "topic")
    team.git("commit", "-q", "--amend", "--allow-empty", "-m", "rewritten")
    team.host.propose(team.ada, "topic")
    team.git("update-ref", "-d", "refs/heads/topic", folder=team.host.bare)
    team.git("gc", "-q", "--prune=now", folder=team.host.bare)
    done = tried(team, clone(team), "ci", "fetch", "--pull-request", **job(team, proposed))
    assert done.returncode == 13 and "was rewritten meanwhile" in done.stderr


def test_a_push_that_came_in_between_does_not_change_what_is_reported(team: Team, proposed: dict) -> None:
    team.git("checkout", "-q", "topic")
    team.log(0.9)
    team.host.propose(team.ada, "topic")
    place = clone(team)
    done = tried(team, place, "ci", "fetch", "--pull-request", **job(team, proposed))
    assert done.returncode == 0
    assert git(place, "rev-parse", "refs/runfolio/pull/head").strip() == proposed["pull_request"]["head"]["sha"]


def test_a_pull_request_that_is_gone_is_an_error_in_words(team: Team, proposed: dict) -> None:
    team.git("update-ref", "-d", "refs/pull/7/head", folder=team.host.bare)
    done = tried(team, clone(team), "ci", "fetch", "--pull-request", **job(team, proposed))
    assert done.returncode == 11 and "has no refs/pull/7/head" in done.stderr


def test_a_partial_clone_gets_all_records_in_one_request(team: Team, tmp_path: Path) -> None:
    team.log(*[number / 16 for number in range(8)])
    team.push()
    place = clone(team, "--filter=blob:none", "--no-checkout")
    git(place, "sparse-checkout", "set", "--no-cone", "/runfolio.yaml")
    git(place, "checkout", "-q", "main")
    trace = tmp_path / "trace"
    done = tried(team, place, "runs", "list", "--json", GIT_TRACE=str(trace), GIT_TRACE_SETUP="")
    assert done.returncode == 0 and len(json.loads(done.stdout)) == 8, done.stderr
    git(place, "config", "remote.origin.url", f"file://{team.host.folder}/nowhere")
    assert len(json.loads(tried(team, place, "runs", "list", "--json").stdout)) == 8


def test_a_partial_clone_without_its_remote_says_how_many_records_are_missing_and_the_command(team: Team) -> None:
    team.log(0.5, 0.75)
    team.push()
    place = clone(team, "--filter=blob:none", "--no-checkout")
    git(place, "sparse-checkout", "set", "--no-cone", "/runfolio.yaml")
    git(place, "checkout", "-q", "main")
    git(place, "config", "remote.origin.url", f"file://{team.host.folder}/nowhere")
    done = tried(team, place, "runs", "list")
    assert done.returncode == 19 and "is a partial clone, and a record that is not in it" in done.stderr
    assert "git fetch --refetch --no-filter" in done.stderr and "Traceback" not in done.stderr
    from runfolio.errors import RemoteError
    from runfolio.gitstore import Repo
    from runfolio.gitstore.completing import complete

    repo = Repo.discover(place)
    try:
        with pytest.raises(
            RemoteError, match=r"\d records are not in this partial clone.*run: git fetch --refetch --no-filter origin"
        ):
            complete(repo, git(place, "rev-parse", "HEAD").strip(), ("runs", "experiments"))
    finally:
        repo.close()


def test_caches_of_another_machine_do(team: Team, tmp_path: Path) -> None:
    """Index and site of one clone, put into another one at another path, are as good as made there."""
    import shutil

    team.log(0.5, 0.75)
    team.push()
    first, second = clone(team), team.host.folder / "elsewhere" / "job"  # a site is titled after its folder
    assert tried(team, first, "site", "build", "-o", ".runfolio-site").returncode == 0
    team.git("clone", "-q", team.host.bare.as_uri(), str(second), folder=team.host.folder)
    shutil.copytree(first / ".runfolio-site", second / ".runfolio-site")
    (second / ".git" / "runfolio").mkdir(exist_ok=True)
    shutil.copy(first / ".git" / "runfolio" / "index.sqlite", second / ".git" / "runfolio")
    done = json.loads(tried(team, second, "site", "build", "-o", ".runfolio-site", "--json").stdout)
    assert done["rendered"] == 0 and done["kept"] > 0, done
