"""The CI job at hand, as its environment tells it: which pull request, which commit, which build.

Only what the host itself sets is read (the event's file, its own variables); of a fork's part of it, commit and names serve
to find a pull request by asking the host, never as an answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    order : int
        Higher for later builds; 0 where unknown.
    """

    pull: int | None = None
    head_commit: str | None = None
    head_repository: str | None = None
    head_branch: str | None = None
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
    pull, issue, run_of = event.get("pull_request"), event.get("issue"), event.get("workflow_run")
    if isinstance(pull, dict):
        number = pull.get("number", event.get("number"))
        return Job(number if isinstance(number, int) else None, *_head(pull.get("head")), order)
    if isinstance(issue, dict):
        number = issue.get("number") if issue.get("pull_request") else None
        return Job(number if isinstance(number, int) else None, order=order)
    if isinstance(run_of, dict):
        if text(run_of, "event") not in ("pull_request", "pull_request_target"):
            return Job(order=order)
        repository = text(run_of, "head_repository", "full_name")
        return Job(None, text(run_of, "head_sha") or None, repository or None, text(run_of, "head_branch") or None, order)
    ref = text(event, "ref")
    if ref.startswith("refs/heads/") and text(event, "after").strip("0"):
        return Job(
            None, text(event, "after"), text(event, "repository", "full_name") or None, ref.removeprefix("refs/heads/"), order
        )
    return Job(order=order)


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
    return Job(number or None, commit or None, source or None, branch or None, _number(environ.get("CI_PIPELINE_ID")))


def _head(head: Any) -> tuple[str | None, str | None, str | None]:
    return text(head, "sha") or None, text(head, "repo", "full_name") or None, text(head, "ref") or None


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
    return int(value) if value and value.isdigit() and len(value) < 19 else 0
