"""Templates to workflows.

A template is the file itself with four kinds of marks: ``@NAME@`` is a value, ``PIN(action)`` an action by commit, a line that begins
with ``#?flag|`` stands only where the flag holds (``#?!flag|``: where it doesn't), and a line ``@include NAME@`` is another
template, indented as the line is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from runfolio.errors import UsageError
from runfolio.workflows.facts import Facts
from runfolio.workflows.pins import pinned

TEMPLATES = Path(__file__).parent / "templates"

HOSTS: Mapping[str, Mapping[str, str]] = {
    "github": {
        ".github/workflows/runfolio-report.yml": "github/report.yml",
        ".github/workflows/runfolio-report-forks.yml": "github/report-forks.yml",
        ".github/workflows/runfolio-publish.yml": "github/publish.yml",
        ".github/workflows/runfolio-collect.yml": "github/collect.yml",
        ".github/workflows/runfolio-train.yml": "github/train.yml",
    },
    "gitlab": {".gitlab/runfolio.yml": "gitlab/runfolio.yml"},
    "forgejo": {
        ".forgejo/workflows/runfolio-report.yml": "forgejo/report.yml",
        ".forgejo/workflows/runfolio-publish.yml": "forgejo/publish.yml",
        ".forgejo/workflows/runfolio-preview.yml": "forgejo/preview.yml",
        ".forgejo/workflows/runfolio-train.yml": "forgejo/train.yml",
    },
    "gitea": {
        ".gitea/workflows/runfolio-report.yml": "forgejo/report.yml",
        ".gitea/workflows/runfolio-publish.yml": "forgejo/publish.yml",
        ".gitea/workflows/runfolio-preview.yml": "forgejo/preview.yml",
        ".gitea/workflows/runfolio-train.yml": "forgejo/train.yml",
    },
}
"""By host: the files that are written, from the repository's root, and the template of each."""
_NOT_OF_A_LEDGER = ("forgejo/preview.yml",)
"""A pull request brings no records where they have a branch of their own: its preview would be the site that is there."""

_OF_TRAINING = ("github/train.yml", "forgejo/train.yml")
"""Written where ``runfolio.yaml`` says what trains."""

_CONDITION = re.compile(r"#\?(?P<no>!?)(?P<flag>[a-z0-9]+)\|(?P<line>.*)\Z", re.DOTALL)
_INCLUDE = re.compile(r"(?P<indent> *)@include (?P<name>[a-z/.-]+)@\n\Z")
_VALUE = re.compile(r"@(?P<name>[A-Z]+)@")
_PIN = re.compile(r"PIN\((?P<action>[\w./-]+)\)")


def render(host: str, facts: Facts) -> dict[str, str]:
    """Return the workflows for a host.

    Parameters
    ----------
    host : str
        One of `HOSTS`.
    facts : Facts

    Returns
    -------
    dict of str to str
        Text by path from the repository's root.
    """
    if host not in HOSTS:
        raise UsageError(f"There are no workflows for {host!r}. There are for: {', '.join(HOSTS)}.")
    left_out = (*(_NOT_OF_A_LEDGER if facts.ledger else ()), *(() if facts.training else _OF_TRAINING))
    wanted = {path: template for path, template in HOSTS[host].items() if template not in left_out}
    return {path: _rendered(template, facts, host) for path, template in wanted.items()}


def _rendered(template: str, facts: Facts, host: str) -> str:
    folder = facts.folder
    flags = {"ledger": facts.ledger is not None, "folder": bool(folder)}
    train = facts.training
    flags.update(
        train=train is not None,
        push=train is not None and train.on_push,
        schedule=train is not None and bool(train.schedule),
        requirements=train is not None and bool(train.requirements),
        trainfolder=train is not None and bool(folder),
    )
    flags.update({name: facts.cloud == name for name in ("s3", "gcs", "azure", "fsspec")})
    values = {
        "BRANCH": facts.branch,
        "FOLDER": folder,
        "HOST": host,
        "LEDGER": facts.ledger or "",
        # As folio.place.Place.local names it.
        "LOCAL": ".git/runfolio" + (f"/at-{folder.replace('/', '+')}" if folder else ""),
        "REQUIREMENT": facts.requirement,
        "REQUIREMENTS": train.requirements if train else "",
        "RUNNER": "docker" if host == "forgejo" else "ubuntu-latest",
        "SCHEDULE": train.schedule if train else "",
        "VERSION": facts.version,
        "WITHIN": f"{folder}/" if folder else "",
    }
    made = []
    for line in _lines(template):
        condition = _CONDITION.match(line)
        if condition:
            if flags[condition["flag"]] == bool(condition["no"]):
                continue
            line = condition["line"]
        made.append(_PIN.sub(lambda match: pinned(match["action"]), _VALUE.sub(lambda match: values[match["name"]], line)))
    return "".join(made)


@cache
def _lines(template: str) -> tuple[str, ...]:
    made: list[str] = []
    for line in (TEMPLATES / template).read_text("utf-8").splitlines(keepends=True):
        include = _INCLUDE.match(line)
        if include is None:
            made.append(line)
            continue
        for inner in _lines(include["name"]):
            condition = _CONDITION.match(inner)
            mark, text = (inner[: condition.start("line")], condition["line"]) if condition else ("", inner)
            made.append(mark + (include["indent"] + text if text.strip() else text))
    return tuple(made)
