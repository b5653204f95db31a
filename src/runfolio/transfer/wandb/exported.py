"""One run that was exported of W&B, put into a draft; and the table of W&B's pages, whose columns do not say what they are."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from runfolio.transfer.held import NOTE_TAG, Draft, HeldRun, flat, number_of
from runfolio.transfer.wandb.folder import GROUP_TAG, JOB_TAG, LABELS_TAG, STATE_TAG, SWEEP_TAG
from runfolio.transfer.wandb.rows import Rows, set_config

TOOL = "wandb"
STATES = {"finished": "FINISHED", "failed": "FAILED", "crashed": "KILLED", "killed": "KILLED", "preempted": "KILLED"}
_OF_TABLE = {
    "Name": "name", "ID": "id", "State": "state", "Notes": "notes", "User": "user", "Tags": "tags", "Created": "created_at",
    "Runtime": "runtime", "Sweep": "sweep", "Group": "group", "Job Type": "job_type", "Project": "project", "Entity": "entity",
    "Hostname": "host", "Commit": "commit", "End Time": "heartbeat_at",
}  # fmt: skip
_TAGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (GROUP_TAG, ("group",)), (JOB_TAG, ("job_type", "jobType")), (SWEEP_TAG, ("sweep", "sweep_name", "sweepName")), (NOTE_TAG, ("notes",)),
    ("host", ("host",)), ("wandb.entity", ("entity",)), ("wandb.url", ("url",)), ("mlflow.source.git.commit", ("commit",)),
)  # fmt: skip
_EMPTY = ("", "-", "[]", None)


def exported_run(draft: Draft, row: Mapping[str, Any], run_id: str, tell: Callable[[str], None]) -> HeldRun:
    """Return a run of what was exported of it; `tell` is given what could not be taken."""
    summary = _mapping(row.get("summary") or row.get("summary_metrics") or row.get("summaryMetrics"))
    start, end = _times(row, summary, tell)
    rows = Rows(draft, start)
    for item in row.get("history") or ():
        if isinstance(item, Mapping):
            rows.add({str(key): _cell(value) for key, value in item.items()})
        else:
            tell("a row of its history is no object; it was left out")
    if not start and rows.first_at is not None:
        start = rows.first_at
    if "_timestamp" not in summary:
        rows.last_at = max(rows.last_at, start)
    rows.summary(summary)
    rows.close()
    for key, value in flat(_mapping(row.get("system_metrics"))):
        number = number_of(value)
        if number is not None:
            draft.point(key if key.startswith("system") else f"system/{key}", number, max(end or 0, start), 0)
    config = _mapping(row.get("config"))
    set_config(draft, {key: _unwrapped(value) for key, value in config.items()})
    state = str(row.get("state") or "finished").lower()
    _tags(draft, row, state)
    if state not in STATES:
        tell(f"its state is {state!r}: it had not ended when it was exported. It is KILLED here")
    ended = max(end or 0, rows.last_at, start)
    user = row.get("user")
    name = str(user.get("username") or user.get("name") or "") if isinstance(user, Mapping) else str(user or "")
    return draft.held(
        STATES.get(state, "KILLED"), start, ended, name=str(row.get("display_name") or row.get("name") or run_id), user=name
    )


def _tags(draft: Draft, row: Mapping[str, Any], state: str) -> None:
    labels = row.get("tags")
    draft.tag(LABELS_TAG, ", ".join(map(str, labels)) if isinstance(labels, list) else labels if labels not in _EMPTY else "")
    for tag, keys in _TAGS:
        value = next((row[key] for key in keys if row.get(key) not in _EMPTY), None)
        draft.tag(tag, value.get("name") if isinstance(value, Mapping) else value)
    draft.tag(STATE_TAG, "" if state == "finished" else state)


def _times(row: Mapping[str, Any], summary: Mapping[str, Any], tell: Callable[[str], None]) -> tuple[int, int | None]:
    """Return when a run began and ended, as far as it is said: 0 and None where it is not."""
    last, spent = number_of(_cell(summary.get("_timestamp"))), number_of(_cell(row.get("runtime") or summary.get("_runtime")))
    start = _moment(row.get("created_at") or row.get("createdAt"), tell)
    if start is None and last is not None:
        start = int((last - (spent or 0)) * 1000)
    end = _moment(row.get("heartbeat_at") or row.get("heartbeatAt"), tell)
    if end is None:
        end = int(last * 1000) if last is not None else int(start + spent * 1000) if start and spent else None
    if start is None and not row.get("history"):
        tell("it says no time (created_at): it began at 1970-01-01 here")
    return start or 0, end


def _moment(said: Any, tell: Callable[[str], None]) -> int | None:
    if said in _EMPTY:
        return None
    try:
        made = datetime.datetime.fromisoformat(str(said).replace("Z", "+00:00"))
    except ValueError:
        tell(f"{said!r} is no time that is read here (2026-01-31T12:00:00); it was left out")
        return None
    return int((made if made.tzinfo else made.replace(tzinfo=datetime.timezone.utc)).timestamp() * 1000)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _unwrapped(value: Any) -> Any:
    """Return a value of a config as W&B's raw form has it: ``{"value": 0.1, "desc": null}``."""
    return value["value"] if isinstance(value, Mapping) and "value" in value and set(value) <= {"value", "desc"} else value


def _cell(value: Any) -> Any:
    """Return the number that the text of a cell is; other text as it is."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return {"true": True, "false": False}.get(value.lower(), value)


def fields_of_table(
    rows: Sequence[Mapping[str, str]], params: Sequence[str], tell: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """Yield the runs of a table as W&B's pages export it; `tell` is given what was decided of its columns.

    The table does not tell params from metrics: columns that are named are params, of the others those that hold numbers only are metrics.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row if key not in _OF_TABLE))
    for name in params:
        if name not in columns:
            tell(f"--param {name}: there is no such column")
    numbers = [
        key for key in columns if key not in params and all(isinstance(_cell(row[key]), float) for row in rows if key in row)
    ]
    if numbers and not params:
        tell(
            f"the table does not say what is a param: {', '.join(numbers)} are metrics here. Name those that are params with --param"
        )
    for row in rows:
        made: dict[str, Any] = {_OF_TABLE[key]: value for key, value in row.items() if key in _OF_TABLE and value not in _EMPTY}
        if "tags" in made:
            made["tags"] = _listed(made["tags"])
        made["config"] = {key: value for key, value in row.items() if key in columns and key not in numbers}
        made["summary"] = {
            key: float(value) for key, value in row.items() if key in numbers and not math.isnan(float(value or "nan"))
        }
        yield made


def _listed(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return (
        [str(item) for item in found] if isinstance(found, list) else [item.strip() for item in text.split(",") if item.strip()]
    )
