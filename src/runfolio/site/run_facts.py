"""A run's details in the order and words of its page. Pure; the page's script says the same for runs without a page (``62-run.js``)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from runfolio.site.spelling import spelled

MAX_SCHEMA_COLUMNS = 60


def param_rows(params: Mapping[str, str], baseline: Mapping[str, str] | None) -> list[dict[str, Any]]:
    """Return the rows of the table of params: those that differ from the baseline's first, then by name.

    Examples
    --------
    >>> [(row["key"], row["differs"]) for row in param_rows({"a": "1", "b": "2"}, {"a": "1", "b": "3"})]
    [('b', True), ('a', False)]
    """
    rows = [
        {
            "key": key,
            "value": params.get(key),
            "base": None if baseline is None else baseline.get(key),
            "differs": baseline is not None and params.get(key) != baseline.get(key),
        }
        for key in sorted({*params, *(baseline or {})})
    ]
    return sorted(rows, key=lambda row: not row["differs"])


def metric_rows(
    metrics: Mapping[str, Mapping[str, Any]], baseline: Mapping[str, Mapping[str, Any]] | None, objective: str
) -> list[dict[str, Any]]:
    """Return the rows of the table of metrics: the objective first, then by name.

    Parameters
    ----------
    metrics : Mapping
        Of the details of a run.
    baseline : Mapping or None
        Those of the baseline.
    objective : str
        Name of a metric, or empty.
    """
    rows = []
    for key in sorted(metrics, key=lambda key: (key != objective, key)):
        base = (baseline or {}).get(key)
        delta = None if base is None else spelled(metrics[key]["last"]) - spelled(base["last"])
        rows.append({"key": key, **metrics[key], "delta": None if delta is None or delta != delta else delta})
    return rows


def dataset_facts(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page shows of a dataset: its name, role, digest, source, profile and columns."""
    profile = _json(item.get("profile", ""))
    columns = _columns(_json(item.get("schema", "")))
    return {
        "name": item["name"],
        "digest": item["digest"],
        "context": item.get("tags", {}).get("mlflow.data.context", ""),
        "source_type": item.get("source_type", ""),
        "source": _source(item.get("source", "")),
        "profile": [(str(key), _plain(value)) for key, value in profile.items()] if isinstance(profile, dict) else [],
        "columns": columns[:MAX_SCHEMA_COLUMNS],
        "hidden": max(0, len(columns) - MAX_SCHEMA_COLUMNS),
    }


def origin_facts(detail: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Return where a run came from: name, words, and whether they are code."""
    code, entry, environment = detail["code"], detail["entry"], detail["environment"]
    made: list[tuple[str, Any, bool]] = [
        ("Entry point", entry.get("script"), True),
        ("Arguments", shlex.join(map(str, entry.get("args", ()))), True),
        ("Commit", code.get("commit"), True),
        ("Work tree", None if "dirty" not in code else "changed" if code["dirty"] else "clean", False),
        ("Branch", code.get("branch"), True),
        ("Remote", code.get("remote"), True),
        ("Code tree", code.get("tree"), True),
        ("Python", " ".join(filter(None, (environment.get("implementation"), environment.get("python")))), False),
        ("Platform", environment.get("platform"), False),
        ("Host", environment.get("host"), False),
        ("User", detail["user"], False),
    ]
    return [(name, str(value), is_code) for name, value, is_code in made if value]


def again_lines(detail: Mapping[str, Any]) -> list[str]:
    """Return the one command that makes a run again and compares it; nothing where no code was kept, or nothing was started."""
    kept = detail["code"].get("tree") or detail["code"].get("cells")
    return [f"runfolio reproduce {detail['run_id'][:16]}"] if kept and detail["entry"].get("script") else []


def reproduce_lines(detail: Mapping[str, Any], lock_path: str, branch: str) -> list[str]:
    """Return the commands that bring a run's code, packages and entry point back; nothing where no code was kept.

    Parameters
    ----------
    detail : Mapping
    lock_path : str
        Of the package list from the repository's root; empty where there is none.
    branch : str
        That holds the list.
    """
    code, entry = detail["code"], detail["entry"]
    if not code.get("tree"):
        return []
    lines = []
    if lock_path:
        lines.append(f"git show {shlex.quote(f'{branch}:{lock_path}')} > requirements.txt")
        lines.append("python -m pip install -r requirements.txt")
    lines += [f"runfolio runs code {detail['run_id'][:16]} again", "cd again"]
    words = shlex.join([str(entry["script"]), *map(str, entry.get("args", ()))]) if entry.get("script") else ""
    if words and entry.get("type") != "NOTEBOOK":
        lines.append(words if entry.get("type") == "PROGRAM" else f"python {words}")
    return lines


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text and len(text) < 1_000_000 else None
    except (ValueError, RecursionError):
        return None


def _columns(schema: Any) -> list[tuple[str, str]]:
    """Return names and types out of MLflow's two forms of a schema."""
    if not isinstance(schema, dict):
        return []
    listed = schema.get("mlflow_colspec")
    if isinstance(listed, list):
        return [(str(item.get("name", "")), _plain(item.get("type", ""))) for item in listed if isinstance(item, dict)]
    spec = schema.get("mlflow_tensorspec")
    if not isinstance(spec, dict):
        return []
    made = []
    for name, text in spec.items():
        parts = _json(text) if isinstance(text, str) else text
        for part in parts if isinstance(parts, list) else ():
            inner = part.get("tensor-spec", {}) if isinstance(part, dict) else {}
            if isinstance(inner, dict):
                label = f"{name}.{part['name']}" if part.get("name") else str(name)
                made.append((label, f"{_plain(inner.get('dtype', ''))} {_plain(inner.get('shape', ''))}".strip()))
    return made


def _source(text: str) -> str:
    found = _json(text)
    if not isinstance(found, dict):
        return text
    return ", ".join(
        f"{key} {_plain(value)}" for key, value in found.items() if value not in ({}, [], "", None) and key != "tags"
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
