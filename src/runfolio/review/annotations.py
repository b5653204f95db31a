"""What a host shows on the lines of a change: the alarms, and the gates that refuse a promotion.

>>> findings = findings_of(change)                                                         # doctest: +SKIP
>>> line_of = lines_in(change, read_head_file)                                             # doctest: +SKIP
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from runfolio.errors import DamagedError
from runfolio.formats.yaml import read_yaml
from runfolio.policy.verdict import FAILED, GateResult
from runfolio.records.findings import Finding, Severity
from runfolio.review.change import Change, Promotion

_KEY = re.compile(r'( *)("(?:[^"\\]|\\.)*"): ')
_MOST = 4 * 1024 * 1024
"""Bytes of a file in which a field's line is looked for."""
_REMEDY = "See why, or waive it with a reason: runfolio policy explain"


def findings_of(change: Change) -> list[Finding]:
    """Return the gates that failed, then the alarms.

    Parameters
    ----------
    change : Change

    Returns
    -------
    list of Finding
        Of a gate: the model's file, and the field that names the stage.
    """
    return [*_gates(change), *change.alarms]


def lines_in(change: Change, read: Callable[[str], bytes | None]) -> Callable[[Finding], int]:
    """Return a function that says on which line of its file a finding is.

    Parameters
    ----------
    change : Change
    read : callable
        Returns the content of a file of the head by its path from the repository's root, or None where there is none.

    Returns
    -------
    callable
        From a finding to a line, from 1; 0 where it is not known.
    """
    known = {finding: line for finding, line in zip(_gates(change), _gate_lines(change), strict=True) if line}
    held: dict[str, bytes | None] = {}

    def line_of(finding: Finding) -> int:
        if finding in known:
            return known[finding]
        if not finding.file:
            return 0
        if finding.file not in held:
            held[finding.file] = read(finding.file)
        data = held[finding.file]
        return 0 if data is None or len(data) > _MOST else line_of_field(data, finding.file, finding.field)

    return line_of


def line_of_field(data: bytes, path: str, field: str) -> int:
    r"""Return the line of a file that says a field, or the nearest one around it.

    Parameters
    ----------
    data : bytes
    path : str
        ``.json`` is a record, whose facts stand on lines of their own; ``.yaml`` is read as YAML.
    field : str
        ``metrics.accuracy.last``, ``stages.Production[0]``.

    Returns
    -------
    int
        From 1; 0 where the field, and everything around it, is not in the file.

    Examples
    --------
    >>> line_of_field(b'{\n  "metrics": {\n    "a.b": {"last": 0.5}\n  }\n}\n', "runs/x.json", "metrics.a.b.last")
    3
    """
    places = _json_places(data) if path.endswith(".json") else _yaml_places(data, path)
    best, found = -1, 0
    for name, line in places:
        if (field == name or field.startswith((f"{name}.", f"{name}["))) and len(name) > best:
            best, found = len(name), line
    return found


def _gates(change: Change) -> list[Finding]:
    return [
        Finding("review.gate", Severity.ERROR, item.path, f"stages.{item.stage}", _refusal(item, gate), _REMEDY)
        for item in change.promotions
        if item.verdict
        for gate in item.verdict.gates
        if gate.state == FAILED
    ]


def _refusal(item: Promotion, gate: GateResult) -> str:
    return f"{item.model} {item.version} may not go to {item.stage}: gate {gate.id}: {gate.text.rstrip('.')}"


def _gate_lines(change: Change) -> list[int]:
    found = [item for item in change.promotions if item.verdict]
    return [item.line for item in found if item.verdict for gate in item.verdict.gates if gate.state == FAILED]


def _json_places(data: bytes) -> Iterator[tuple[str, int]]:
    """Yield the fields of a record that begin a line; records are written in one way, so that indentation tells where a field belongs."""
    above: list[tuple[int, str]] = []
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        match = _KEY.match(line)
        if match is None:
            continue
        depth = len(match.group(1))
        while above and above[-1][0] >= depth:
            above.pop()
        try:
            key = str(json.loads(match.group(2)))
        except ValueError:
            continue
        name = f"{above[-1][1]}.{key}" if above else key
        above.append((depth, name))
        yield name, number


def _yaml_places(data: bytes, path: str) -> Iterator[tuple[str, int]]:
    try:
        document = read_yaml(data, path)
    except DamagedError:
        return
    for keys, place in document.places.items():
        name = ""
        for key in keys:
            name += f"[{key}]" if isinstance(key, int) else f".{key}" if name else str(key)
        if name:
            yield name, place.line
