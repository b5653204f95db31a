"""What the policy of the base says of each promotion."""

from __future__ import annotations

from runfolio.policy.verdict import FAILED, PASSED, PENDING, WAIVED, GateResult
from runfolio.records.times import utc_text
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
    failed = sum(gate.state == FAILED for _, gate in found)
    if not found:
        line = "The policy of the base asks nothing of these promotions."
    elif failed:
        line = f"The policy of the base refuses: {failed} of {count_words(len(found), 'gate')} failed."
    else:
        line = "No gate of the base's policy stands in the way."
    intro = Paragraph((line,))
    if not found:
        return Section("gates", "Gates", (intro,))
    rows = table(("", "Gate", "Promotion", "What it found", "Where"), [_row(*pair) for pair in found], "gate").cut(options.rows)
    return Section("gates", "Gates", (intro, rows))


def _row(item: Promotion, gate: GateResult) -> tuple[Line, ...]:
    promotion: Line = (Name(item.model), f" {item.version} → ", Name(item.stage))
    place = f"{item.path}:{item.line}" if item.line else item.path
    return ((State(gate.state, TONES.get(gate.state, BAD)),), (Name(gate.id),), promotion, gate_line(gate), (Name(place, 120),))


def gate_line(gate: GateResult) -> Line:
    """Say why a gate is in its state, why it is there, and by whose word it was waived."""
    made: Line = (says(gate.text),)
    if gate.because and gate.state != PASSED:
        made += (". It is there because: ", says(gate.because))
    if gate.waiver is not None:
        word = "Waived by " if gate.state == WAIVED else "An expired waiver by "
        day = utc_text(gate.waiver.expires)[:10]
        made += (f". {word}", Name(gate.waiver.by), f", until {day}: ", says(gate.waiver.reason))
    return made
