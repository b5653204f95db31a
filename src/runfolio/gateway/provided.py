"""What an MLflow client says of where a run comes from, as fields of a record in place of tags.

A record says once what made a run; its MLflow tags (``mlflow.source.name``, ``mlflow.user`` …) follow from that
(:attr:`runfolio.records.Run.all_tags`). So tags of a client that say the same are taken out, and shown again when the run is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ENTRY = {"mlflow.source.name": "script", "mlflow.source.type": "type"}
_CODE = {"mlflow.source.git.commit": "commit", "mlflow.source.git.branch": "branch", "mlflow.source.git.repoURL": "remote"}


def claims_of(tags: Mapping[str, str], user_id: str | None, *, captured: bool) -> tuple[dict[str, str], dict[str, Any]]:
    """Split a client's tags into those that are kept, and what they say of the run's origin.

    Parameters
    ----------
    tags : Mapping of str to str
    user_id : str or None
        Who MLflow says that it is.
    captured : bool
        The run's origin is captured here, in the client's own process: then the claims are not needed.

    Returns
    -------
    tags : dict
    claims : dict
        ``code``, ``entry``, ``user`` of a record; empty where the origin is captured.
    """
    origin = {*_ENTRY, *_CODE, "mlflow.user"}
    kept = {key: value for key, value in tags.items() if key not in origin}
    if captured:
        return kept, {}
    entry = {field: tags[key] for key, field in _ENTRY.items() if tags.get(key)}
    code = {field: tags[key] for key, field in _CODE.items() if tags.get(key)}
    claims: dict[str, Any] = {}
    if entry.get("script"):
        claims["entry"] = entry
    elif "type" in entry:
        kept["mlflow.source.type"] = entry["type"]
    if code.get("commit"):
        claims["code"] = {"repository": "other", **code}
    else:
        kept.update({key: tags[key] for key in _CODE if key in tags})
    user = tags.get("mlflow.user") or user_id
    if user:
        claims["user"] = user
    return kept, claims
