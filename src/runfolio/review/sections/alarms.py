"""What a reviewer must see before anything else: existing records that changed, damage, disguise, and changes of the rules."""

from __future__ import annotations

from typing import Any

from runfolio.diff.states import ABSENT, FieldChange
from runfolio.records.findings import Finding, Severity
from runfolio.records.times import utc_text
from runfolio.review.change import Change, Edited
from runfolio.review.document import json_value
from runfolio.review.options import ReportOptions
from runfolio.review.parts import (
    BAD,
    WARN,
    Alert,
    Block,
    Items,
    Line,
    Name,
    Paragraph,
    Says,
    Section,
    State,
    Strong,
    says,
    table,
    value,
)

_TIMES = frozenset(("start", "end", "deleted_at"))
"""Fields of a run in milliseconds, which nobody reads."""


def alarms(change: Change, options: ReportOptions) -> Section | None:
    """Show the alarms loud, the fields that were edited, the runs that are gone, and what could not be looked at."""
    blocks: list[Block] = []
    if change.alarms:
        lines = tuple(alarm_line(item) for item in change.alarms)
        blocks.append(Alert(BAD if change.errors else WARN, _title(change), Items(lines, "alarm").cut(options.rows)))
    if change.edited:
        blocks += [Paragraph((Strong("Existing runs that were edited"),)), _fields_table(change, options)]
    if change.deleted:
        gone = tuple(
            (Name(run.name or run.run_id), " of ", Name(run.experiment), ", id ", Name(run.run_id)) for run in change.deleted
        )
        blocks += [Paragraph((Strong("Existing runs that are gone"),)), Items(gone, "run").cut(options.rows)]
    if change.notes:
        notes = tuple((Says(note),) for note in change.notes)
        blocks.append(Alert(WARN, (Strong("Not everything could be looked at."),), Items(notes, "note").cut(options.rows)))
    return Section("alarms", "", tuple(blocks)) if blocks else None


def alarm_line(alarm: Finding) -> Line:
    """Say one alarm: what, where, and what to do."""
    where: Line = (" ", Name(f"{alarm.file}: {alarm.field}" if alarm.field else alarm.file, 160)) if alarm.file else ()
    remedy: Line = (". ", says(alarm.remedy), ".") if alarm.remedy else (".",)
    return (
        State(alarm.severity.value, BAD if alarm.severity is Severity.ERROR else WARN),
        *where,
        ": ",
        says(alarm.message),
        *remedy,
    )


def _title(change: Change) -> Line:
    if change.errors:
        return (
            Strong("This change touches what was already recorded, or cannot be trusted as it is."),
            " Ask for the reason before you merge.",
        )
    return (Strong("This change touches the rules, or something unusual."), " See that it is meant.")


def _fields_table(change: Change, options: ReportOptions) -> Block:
    """Show each field before and after; those of results come first."""
    edited = sorted(change.edited, key=lambda item: not item.results)
    rows: list[tuple[Line, ...]] = []
    count = 0
    for item in edited:
        count += len(item.fields)
        rows += [_field_row(item, field) for field in item.fields[: max(0, options.rows - len(rows))]]
    heads = ("Run", "Field", "Before", "Now", "")
    return table(heads, rows, "field", more=count - len(rows))


def _field_row(item: Edited, field: FieldChange) -> tuple[Line, ...]:
    dotted = ".".join(field.path)
    sealed = any(f"{dotted}.".startswith(f"{name}.") or f"{name}.".startswith(f"{dotted}.") for name in item.results)
    note = State("result", BAD) if sealed else State(item.lifecycle or "label", WARN if item.lifecycle else "quiet")
    old, new = (utc_text(found) if dotted in _TIMES and type(found) is int else found for found in (field.old, field.new))
    return ((Name(item.run.name or item.run.run_id[:12]),), (Name(dotted),), shown(old), shown(new), (note,))


def shown(found: Any) -> Line:
    """Return a field's value, or that there is none."""
    if found is ABSENT:
        return ("nothing",)
    return (value(found if isinstance(found, str) else json_text(found)),)


def json_text(found: Any) -> str:
    """Spell a JSON value in one line; NaN and infinities as records do."""
    import json

    return json.dumps(json_value(found), ensure_ascii=False, sort_keys=True)
