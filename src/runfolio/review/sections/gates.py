"""What the policy of the base says of each promotion."""

from __future__ import annotations

from collections.abc import Sequence

from runfolio.policy.verdict import FAILED, PASSED, PENDING, WAIVED, GateResult
from runfolio.review.change import Change, Promotion
from runfolio.review.options import ReportOptions
from runfolio.review.parts import BAD, GOOD, QUIET, WARN, Line, Name, Paragraph, Section, State, says, table
from runfolio.site.words import count_words

_ORDER = {FAILED: 0, PENDING: 1, WAIVED: 2, PASSED: 3}
TONES = {FAILED: BAD, PENDING: QUIET, WAIVED: WARN, PASSED: GOOD}


def gates(change: Change, options: ReportOptions) -> Section | None:
    """Show every gate with its state and why; the failed ones first."""
    asked = [item for item in change.promotions if item.verdict is not None]
    if not asked:
        return None
    found = [(item, gate) for item in asked if item.verdict for gate in item.verdict.gates]
    found.sort(key=lambda pair: _ORDER.get(pair[1].state, 0))
    intro = Paragraph(_intro(asked, [gate for _, gate in found]))
    if not found:
        return Section("gates", "Gates", (intro,))
    alone = len(asked) == 1
    heads = ("", "Gate", "What it found") if alone else ("", "Gate", "Promotion", "What it found", "Where")
    rows = table(heads, [_row(*pair, alone=alone) for pair in found], "gate").cut(options.rows)
    return Section("gates", "Gates", (intro, rows))


def _intro(asked: Sequence[Promotion], found: Sequence[GateResult]) -> Line:
    failed = sum(gate.state == FAILED for gate in found)
    where: Line = (" (", *_place(asked[0]), ")") if len(asked) == 1 else ()
    what: Line = (*promotion_words(asked[0]), *where) if len(asked) == 1 else (count_words(len(asked), "promotion"),)
    start: Line = ("What the policy on the base branch says of ", *what, ": ")
    if not found:
        return (*start, "it asks nothing.")
    if failed:
        return (*start, State(f"refused, {failed} of {count_words(len(found), 'gate')} failed", BAD), ".")
    waiting = sum(gate.state == PENDING for gate in found)
    return (*start, State("accepted", GOOD), f", {count_words(waiting, 'gate')} still pending." if waiting else ".")


def promotion_words(item: Promotion) -> Line:
    """Say which version goes where."""
    return (Name(item.model), f" {item.version} → ", Name(item.stage))


def _place(item: Promotion) -> Line:
    return (Name(f"{item.path}:{item.line}" if item.line else item.path, 120),)


def _row(item: Promotion, gate: GateResult, *, alone: bool) -> tuple[Line, ...]:
    start: tuple[Line, ...] = ((State(gate.state, TONES.get(gate.state, BAD)),), (Name(gate.id),))
    if alone:
        return (*start, gate_line(gate))
    return (*start, promotion_words(item), gate_line(gate), _place(item))


def gate_line(gate: GateResult) -> Line:
    """Say why a gate is in its state (and by whose word it was waived), and why it is there."""
    made: Line = (says(gate.text),)
    if gate.because and gate.state != PASSED:
        made += (". It is there because: ", says(gate.because))
    return made
