"""What a record says otherwise than MLflow did, kept in one tag, so that an export says it as it was.

A record says once what made a run, and MLflow's tags follow from that; a registered version has no time of its last change. Where MLflow
said more, or otherwise, the import notes the difference in the tag ``runfolio.mlflow``, as JSON; most runs need none.

>>> run = SourceRun("a", "1", "n", "FINISHED", "ada", 1, 2, False, {}, {"mlflow.runName": "n"}, {})
>>> noted = noted_difference(run, {"mlflow.runName": "n", "mlflow.user": "ada"})
>>> noted
{'runfolio.mlflow': '{"without":["mlflow.user"]}'}
>>> restored_run(replace(run, tags={"mlflow.runName": "n", "mlflow.user": "ada", **noted})).tags
{'mlflow.runName': 'n'}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from runfolio.gateway.model_facts import DIFFERS_TAG
from runfolio.transfer.source import SourceRun

_FOLLOW = frozenset(
    "mlflow.runName mlflow.user mlflow.parentRunId mlflow.source.name mlflow.source.type mlflow.source.git.commit "
    "mlflow.source.git.branch mlflow.source.git.repoURL".split()
)
"""Tags that follow from fields of a record."""


def _spelled(said: Mapping[str, Any]) -> dict[str, str]:
    kept = {name: value for name, value in said.items() if value}
    return {DIFFERS_TAG: json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)} if kept else {}


def noted_difference(
    run: SourceRun, shown: Mapping[str, str], redact: Callable[[str, str], str] = lambda key, text: text, user: str | None = None
) -> dict[str, str]:
    """Return the tag that says how a run was otherwise than its record will show it; empty where it was not.

    Parameters
    ----------
    run : SourceRun
        As the other store has it.
    shown : Mapping of str to str
        The tags that follow from the record.
    redact : callable, optional
        Given a tag's key and text, returns the text without secrets.
    user : str, optional
        Of the record; the run's own by default.
    """
    wanted = {key: redact(key, run.tags[key]) for key in sorted(_FOLLOW & set(run.tags))}
    said: dict[str, Any] = {
        "without": sorted(key for key in _FOLLOW & set(shown) if key not in wanted),
        "tags": {key: text for key, text in wanted.items() if shown.get(key) != text},
    }
    if user is not None and user != run.user:
        said["user"] = [run.user]
    if run.name != run.tags.get("mlflow.runName", run.name):
        said["name"] = [run.name]
    return _spelled(said)


def noted_facts(**said: Any) -> dict[str, str]:
    """Return the tag that keeps facts of a registered model or version that a record has no field for."""
    return _spelled(said)


def restored_tags(tags: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return tags without the one that keeps differences, and what that one says; one that cannot be read says nothing."""
    kept = {key: text for key, text in tags.items() if key != DIFFERS_TAG}
    try:
        said = json.loads(tags.get(DIFFERS_TAG, "{}"))
    except ValueError:
        return dict(tags), {}
    return (kept, said) if isinstance(said, dict) else (dict(tags), {})


def restored_run(run: SourceRun) -> SourceRun:
    """Return a run of a folio as it was before its import."""
    tags, said = restored_tags(run.tags)
    if not said:
        return run
    without = set(said.get("without", ()))
    made = {key: text for key, text in tags.items() if key not in without}
    made.update({str(key): str(text) for key, text in said.get("tags", {}).items()})
    return replace(
        run,
        tags=made,
        user=str(next(iter(said.get("user", ())), run.user)),
        name=str(next(iter(said.get("name", ())), run.name)),
    )
