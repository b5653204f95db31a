"""The runner itself: what it emulates is as GitHub documents it."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.conftest import git
from tests.workflows.conftest import Team
from tests.workflows.expressions import evaluate, fill, holds
from tests.workflows.runner import Run

CONTEXT = {
    "github": {"event": {"pull_request": {"head": {"repo": {"full_name": "team/wine"}}}}, "repository": "Team/Wine"},
    "steps": {},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.event.pull_request.head.repo.full_name == github.repository", True),
        ("github.event.nothing.there", ""),
        ("'it''s' != 'x' && 'a' || 'b'", "a"),
        ("!true || (1 == 1 && false)", False),
        ("startsWith('refs/tags/v1', 'refs/TAGS/')", True),
        ("steps.a.outputs.b == ''", True),
    ],
)
def test_expressions(text: str, value: Any) -> None:
    assert evaluate(text, CONTEXT) == value


@pytest.mark.parametrize("text", ["nowhere.x", "a b", "github.x ~ 1", "(1", "unknown(1)"])
def test_what_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        evaluate(text, CONTEXT)


def test_a_condition_without_a_status_function_wants_success() -> None:
    assert holds(None, CONTEXT, failed=False) and not holds(None, CONTEXT, failed=True)
    assert holds("${{ !cancelled() }}", CONTEXT, failed=True) and not holds("'x' == 'x'", CONTEXT, failed=True)
    assert fill("a ${{ 1 == 1 }} b ${{ github.repository }}", CONTEXT) == "a true b Team/Wine"


FLOW = """
on: [push]
permissions: {contents: read}
env: {A: flow}
jobs:
  one:
    runs-on: x
    env: {B: job}
    outputs: {told: "${{ steps.say.outputs.word }}"}
    steps:
      - run: |
          echo "C=file" >> "$GITHUB_ENV"
          mkdir -p bin && printf '#!/bin/sh\\necho tool' > bin/our-tool && chmod +x bin/our-tool && echo "$PWD/bin" >> "$GITHUB_PATH"
      - id: say
        env: {A: step}
        run: |
          printf 'word<<END\\n%s %s %s %s\\nEND\\n' "$A" "$B" "$C" "$(our-tool)" >> "$GITHUB_OUTPUT"
          echo "## summary" >> "$GITHUB_STEP_SUMMARY"
          test -z "${GITHUB_TOKEN:-}"
      - run: "false"
      - run: echo never
      - if: ${{ failure() }}
        run: echo afterwards
  two:
    needs: one
    runs-on: x
    steps: [{run: "true"}]
"""


def test_files_of_the_runner_conditions_and_needs_are_honoured(team: Team) -> None:
    run = Run(team.host, "push", {}, {"ref": "refs/heads/main"}).start(FLOW)
    job = run.jobs["one"]
    assert job.steps["say"]["outputs"] == {"word": "step job file tool"} and job.summary == "## summary\n"
    assert job.outcome == "failure" and "never" not in job.text() and "afterwards" in job.text()
    assert run.jobs["two"].outcome == "skipped" and job.outputs == {"told": "step job file tool"}


CHECKOUT = """
on: [push]
permissions: {contents: read}
jobs:
  one:
    runs-on: x
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: %s
      - id: at
        run: |
          echo "commits=$(git rev-list --count HEAD)" >> "$GITHUB_OUTPUT"
          echo "branch=$(git symbolic-ref -q --short HEAD || echo detached)" >> "$GITHUB_OUTPUT"
          echo "again=$(git fetch -q origin >/dev/null 2>&1 && echo yes || echo no)" >> "$GITHUB_OUTPUT"
"""


@pytest.mark.parametrize(
    ("given", "commits", "branch", "again"),
    [
        ({"persist-credentials": False}, "1", "main", "no"),
        ({"fetch-depth": 0}, "2", "main", "yes"),
        ({"fetch-depth": 0, "ref": "SHA", "persist-credentials": False}, "2", "detached", "no"),
    ],
)
def test_a_checkout_is_as_deep_as_asked_and_forgets_its_token(
    team: Team, given: dict, commits: str, branch: str, again: str
) -> None:
    given = {key: git(team.ada, "rev-parse", "HEAD").strip() if value == "SHA" else value for key, value in given.items()}
    run = Run(team.host, "push", {}, {"ref": "refs/heads/main"}).start(CHECKOUT % json.dumps(given))
    assert run.outcome == "success", run.jobs["one"].text()
    assert run.jobs["one"].steps["at"]["outputs"] == {"commits": commits, "branch": branch, "again": again}


def test_the_git_server_is_private_and_a_token_that_reads_cannot_push(team: Team) -> None:
    team.host.grant("reader", {"contents": "read"})

    def tried(*args: str, token: str = "") -> bool:
        url = team.host.url.replace("http://", f"http://x:{token}@") if token else team.host.url
        env = {**team.env, "GIT_TERMINAL_PROMPT": "0"}
        return (
            subprocess.run(["git", *args, url, "main"], cwd=team.ada, env=env, capture_output=True, check=False).returncode == 0
        )

    assert not tried("fetch", "-q") and not tried("fetch", "-q", token="wrong")
    assert tried("fetch", "-q", token="reader") and not tried("push", "-q", "-f", token="reader")
