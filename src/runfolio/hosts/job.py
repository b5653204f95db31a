"""The CI job at hand, as its environment tells it: which pull request, which commit, which build.

Only what the host itself sets is read (the event's file, its own variables); of a fork's part of it, commit and names serve
to find a pull request by asking the host, never as an answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.hosts.reading import text

_MOST_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Job:
    """A CI job; every field is empty outside of one.

    Parameters
    ----------
    pull : int or None
        The pull request that it runs for, where the host says so.
    head_commit : str or None
        The head that it judges.
    head_repository : str or None
        ``owner/name`` of the repository that the head's branch is in.
    head_branch : str or None
    repository : str or None
        The job's own.
    order : int
        Higher for later builds; 0 where unknown.
    """

    pull: int | None = None
    head_commit: str | None = None
    head_repository: str | None = None
    head_branch: str | None = None
    repository: str | None = None
    order: int = 0


def actions_job(environ: Mapping[str, str]) -> Job:
    """Read a job of GitHub Actions, or of Gitea's and Forgejo's, which set the same variables.

    Raises
    ------
    UsageError
        If the event's file is none.
    """
    event = _event(environ.get("GITHUB_EVENT_PATH", ""))
    # The id grows over all workflows of a host; the run number begins again with each renamed workflow file.
    run, attempt = _number(environ.get("GITHUB_RUN_ID")), _number(environ.get("GITHUB_RUN_ATTEMPT"))
    order = run * _MOST_ATTEMPTS + min(attempt, _MOST_ATTEMPTS - 1)
    return _of_event(event, Job(repository=environ.get("GITHUB_REPOSITORY") or None, order=order))


def _of_event(event: dict[str, Any], job: Job) -> Job:
    """Add to a job what its event says."""
    pull, issue, run_of, ref = event.get("pull_request"), event.get("issue"), event.get("workflow_run"), text(event, "ref")
    if isinstance(pull, dict):
        return replace(_headed(job, pull, "head", "sha", "repo", "ref"), pull=_whole(pull.get("number", event.get("number"))))
    if isinstance(issue, dict):
        return replace(job, pull=_whole(issue.get("number")) if issue.get("pull_request") else None)
    if isinstance(run_of, dict) and text(run_of, "event") in ("pull_request", "pull_request_target"):
        return _headed(job, {"run": run_of}, "run", "head_sha", "head_repository", "head_branch")
    if ref.startswith("refs/heads/") and text(event, "after").strip("0"):
        return _headed(job, {"push": {**event, "ref": ref.removeprefix("refs/heads/")}}, "push", "after", "repository", "ref")
    return job


def _headed(job: Job, said: Any, key: str, commit: str, repository: str, branch: str) -> Job:
    names = text(said, key, commit), text(said, key, repository, "full_name"), text(said, key, branch)
    return replace(job, head_commit=names[0] or None, head_repository=names[1] or None, head_branch=names[2] or None)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def gitlab_job(environ: Mapping[str, str]) -> Job:
    """Read a job of GitLab CI."""
    number = _number(environ.get("CI_MERGE_REQUEST_IID"))
    if not number:
        # A pipeline of a branch: the merge requests that it is the head of, as GROUP/PROJECT!IID.
        ours = f"{environ.get('CI_PROJECT_PATH', '')}!"
        open_ones = [item for item in environ.get("CI_OPEN_MERGE_REQUESTS", "").split(",") if item.startswith(ours)]
        number = _number(open_ones[0].rpartition("!")[2]) if len(open_ones) == 1 else 0
    commit = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA")
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH") or environ.get("CI_PROJECT_PATH")
    branch = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or environ.get("CI_COMMIT_BRANCH")
    own = environ.get("CI_MERGE_REQUEST_PROJECT_PATH") or environ.get("CI_PROJECT_PATH")
    order = _number(environ.get("CI_PIPELINE_ID"))
    return Job(number or None, commit or None, source or None, branch or None, own or None, order)


def _event(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        with open(path, "rb") as file:
            said = json.loads(file.read())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH: {path} is not the event of a CI job: {error}.") from None
    return said if isinstance(said, dict) else {}


def _number(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else 0
