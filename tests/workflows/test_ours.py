"""What we offer for one line of ``uses``: the composite action and the workflow for pages, run as others call them."""

from __future__ import annotations

import re
from pathlib import Path

from runfolio._version import __version__
from tests.site.destinations.links import broken
from tests.workflows.conftest import Team
from tests.workflows.runner import Run

ROOT = Path(__file__).parents[2]

CALLER = """
on: [push]
permissions: {}
jobs:
  site:
    permissions: {contents: read, pages: write, id-token: write}
    uses: ./.github/workflows/publish.yml
    with:
      public: %s
"""

ACTION = """
on: [push]
permissions: {contents: read}
jobs:
  check:
    runs-on: x
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: {fetch-depth: 0, persist-credentials: false}
      - uses: ./.github/actions/runfolio
        with:
          command: %s
"""


def started(team: Team, text: str) -> Run:
    return Run(team.host, "push", {"repository": {"default_branch": "main"}}, team.push(), ROOT).start(text)


def test_one_line_publishes_a_folio_for_everybody_or_for_the_team(team: Team) -> None:
    team.log(0.5, 0.75)
    for public in ("true", "false"):
        run = started(team, CALLER % public)
        assert run.outcome == "success", run.jobs["site"].text()
        shown = {
            path.relative_to(team.host.pages).as_posix(): path.read_bytes()
            for path in team.host.pages.rglob("*")
            if path.is_file()
        }
        assert not broken(shown) and (b"Ada" in b"".join(shown.values())) == (public == "false")


def test_the_action_runs_a_command_and_fails_with_it(team: Team) -> None:
    team.log(0.5)
    good = started(team, ACTION % "check")
    assert good.outcome == "success", good.jobs["check"].text()
    assert "ci fetch" not in good.jobs["check"].text() and started(team, ACTION % "ci fetch").outcome == "success"
    bad = started(team, ACTION % '"runs show nothing"')
    assert bad.outcome == "failure" and "exit code 11" in bad.jobs["check"].text()


def test_what_a_command_says_is_words_and_never_shell(team: Team) -> None:
    run = started(team, ACTION % '"check; touch hacked $(touch hacked)"')
    assert run.outcome == "failure" and not list(run.folder.rglob("hacked"))


def test_the_version_that_the_called_workflow_installs_is_this_one() -> None:
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    assert re.search(r"default: runfolio\[site\]==(\S+)", text)[1] == __version__
