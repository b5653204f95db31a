r"""Findings where the host shows them: on the lines of the change, as workflow commands (GitHub, Gitea, Forgejo) or a report (GitLab).

Sources: GitHub's "Workflow commands" and the runner's parsing of them (a command begins a line, after blanks, with ``::``; the older form
``##[`` is found anywhere in a line); GitLab's "Code Quality report format".

Invariant: a text from the repository is never a command. In one that is written here its values are escaped, and :func:`inert` is for all
else that a CI job prints.

>>> from runfolio.records.findings import Severity
>>> print(annotate([Finding("review.edited", Severity.ERROR, "runs/a,b.json", "metrics", "100% changed\n::add-mask::x")]), end="")
::error file=runs/a%2Cb.json,title=review.edited::metrics: 100%25 changed ::add-mask::x.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable

from runfolio.hosts.texts import cut
from runfolio.records.findings import Finding, Severity
from runfolio.records.visible import visible

LineOf = Callable[[Finding], int]
"""Says on which line of its file a finding is, from 1; 0 where that is not known."""

_MOST_MESSAGE = 4000
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_QUALITY = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}
_AT_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_ANYWHERE = re.compile(r"##(?=\w*\[)")


def annotate(findings: Iterable[Finding], line_of: LineOf | None = None) -> str:
    """Write findings as workflow commands, for the standard output of a job; errors first, since a step shows ten of each at most.

    Parameters
    ----------
    findings : iterable of Finding
    line_of : callable, optional

    Returns
    -------
    str
        A line a finding; empty where there is none.
    """
    order = list(_COMMANDS)
    sorted_ones = sorted(findings, key=lambda item: order.index(item.severity))
    return "".join(f"{_command(finding, _line(finding, line_of))}\n" for finding in sorted_ones)


def _command(finding: Finding, line: int) -> str:
    properties = {"file": visible(finding.file), "line": str(line or ""), "title": visible(finding.rule)}
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{_COMMANDS[finding.severity]}{f' {told}' if told else ''}::{_data(cut(_message(finding), _MOST_MESSAGE))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def code_quality(findings: Iterable[Finding], line_of: LineOf | None = None) -> str:
    """Write findings as GitLab's code quality report, for ``artifacts: reports: codequality:``.

    Parameters
    ----------
    findings : iterable of Finding
        Those about no file are left out: the report is about lines of files.
    line_of : callable, optional

    Returns
    -------
    str
        A JSON list.
    """
    seen: dict[str, int] = {}
    issues = []
    for finding in findings:
        if not finding.file:
            continue
        key = json.dumps([finding.rule, finding.file, finding.field, finding.message])
        seen[key] = seen.get(key, 0) + 1
        issues.append(
            {
                "description": cut(_message(finding), _MOST_MESSAGE),
                "check_name": visible(finding.rule),
                "fingerprint": hashlib.sha256(f"{key}{seen[key]}".encode()).hexdigest(),
                "severity": _QUALITY[finding.severity],
                "location": {"path": finding.file.removeprefix("./"), "lines": {"begin": _line(finding, line_of) or 1}},
            }
        )
    return json.dumps(issues, indent=1) + "\n"


def _line(finding: Finding, line_of: LineOf | None) -> int:
    return 0 if line_of is None else max(0, line_of(finding))


def _message(finding: Finding) -> str:
    where = f"{finding.field}: " if finding.field else ""
    remedy = f" {finding.remedy}." if finding.remedy else ""
    return visible(f"{where}{finding.message}.{remedy}")


def inert(text: str) -> str:
    r"""Return text that a CI job can print: no line of it is a command to the runner, and what no one can see is spelled out.

    Examples
    --------
    >>> print(inert("accuracy 0.9\n  ::set-output name=x::1\nsee ##[group]\x1b[0K"))
    accuracy 0.9
      : :set-output name=x::1
    see ## [group]\u001b[0K
    """
    return no_command("\n".join(visible(line) for line in text.splitlines()))


def no_command(text: str) -> str:
    r"""Return text of which no line is a command to a CI job's runner; what it else holds stays.

    Examples
    --------
    >>> no_command("runs/##[error]x/a.json: no record has such a path")
    'runs/## [error]x/a.json: no record has such a path'
    """
    return _ANYWHERE.sub("## ", _AT_START.sub(r"\1: ", text))
