"""What users wish of a run by variables: Hugging Face's integrations of MLflow read them, ours by both names.

``RUNFOLIO_TAGS`` goes before ``MLFLOW_TAGS``, and so on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from runfolio.errors import UsageError

_TRUE = ("1", "ON", "YES", "TRUE")


def variable(name: str, before: str = "") -> str | None:
    """Return what a variable says under our name, else under MLflow's; None where neither does.

    Parameters
    ----------
    name : str
        What follows ``RUNFOLIO_``.
    before : str
        What goes before it.
    """
    return os.environ.get(f"{before}RUNFOLIO_{name}") or os.environ.get(f"{before}MLFLOW_{name}") or None


def switched(name: str, before: str = "") -> bool:
    """Tell whether a variable says yes."""
    return (variable(name, before) or "").upper() in _TRUE


def number(name: str) -> int | None:
    """Return what a variable says, if that is a number."""
    text = variable(name)
    return int(text) if text is not None and text.isdigit() else None


def tags(given: Mapping[str, Any] | str | None = None) -> dict[str, str] | None:
    """Return tags that are given as a mapping or as JSON, else those of the variable.

    Raises
    ------
    UsageError
        If they are text, and no JSON object.
    """
    said = variable("TAGS") if given is None else given
    if said is None:
        return None
    found: Any = said
    if isinstance(said, str):
        try:
            found = json.loads(said)
        except ValueError:
            found = None
    if not isinstance(found, Mapping):
        where = "RUNFOLIO_TAGS (or MLFLOW_TAGS)" if given is None else "tags"
        raise UsageError(f'{where}: a JSON object like {{"team": "red"}} is expected; found {said!r:.200}.')
    return {str(key): str(value) for key, value in found.items()}
