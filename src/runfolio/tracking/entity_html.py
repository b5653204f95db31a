"""How a run and an experiment look in a notebook: two plain tables.

Every value is user text and is escaped; there is no script, no link, no style and no image, so a hostile name cannot act.
Long tables are cut and say how many rows are left out. Nothing here reads a store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.tracking.entities import Experiment, RunData, RunInfo

MAX_ROWS = 100
MAX_TEXT = 200


def run_html(info: RunInfo, data: RunData) -> str:
    """Write a run as HTML: its state, then metrics, params and the user's tags."""
    head = [
        ("run", info.run_id),
        ("status", info.status if info.lifecycle_stage == "active" else f"{info.status} ({info.lifecycle_stage})"),
        ("experiment", info.experiment_id),
        ("start", _time(info.start_time)),
        ("duration", _duration(info)),
    ]
    tags = {key: value for key, value in data.tags.items() if not key.startswith("mlflow.")}
    metrics = {key: f"{value:.6g}" for key, value in data.metrics.items()}
    return (
        f"<div><b>Run {escape(info.run_name or info.run_id)}</b>{_table(head)}"
        f"{_section('Metrics', metrics)}{_section('Params', data.params)}{_section('Tags', tags)}</div>"
    )


def experiment_html(experiment: Experiment) -> str:
    """Write an experiment as HTML: its state, then its tags."""
    head = [
        ("id", experiment.experiment_id),
        ("lifecycle", experiment.lifecycle_stage),
        ("artifacts", experiment.artifact_location),
        ("created", _time(experiment.creation_time)),
    ]
    return f"<div><b>Experiment {escape(experiment.name)}</b>{_table(head)}{_section('Tags', experiment.tags)}</div>"


def _section(title: str, values: Mapping[str, str]) -> str:
    if not values:
        return ""
    rows = sorted(values.items())
    left_out = len(rows) - MAX_ROWS
    more = f"<p>… and {left_out} more</p>" if left_out > 0 else ""
    return f"<p><b>{title}</b></p>{_table(rows[:MAX_ROWS])}{more}"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(_short(key))}</th><td>{escape(_short(value))}</td></tr>" for key, value in rows if value)
    return f"<table>{cells}</table>"


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _time(at: int | None) -> str:
    """Spell a time in milliseconds since the epoch; empty where there is none or the calendar has no such day."""
    if not at:
        return ""
    try:
        return datetime.fromtimestamp(at / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return str(at)


def _duration(info: RunInfo) -> str:
    return "" if info.end_time is None else f"{(info.end_time - info.start_time) / 1000:.1f} s"
