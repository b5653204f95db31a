"""Start a run: gather what is known at its start into the journal's header."""

from __future__ import annotations

import time
from collections.abc import Mapping

from runfolio._typing import Any
from runfolio.errors import DeletedError, UsageError, storage_errors
from runfolio.folio.offline import OfflineFolio
from runfolio.records import Experiment, Lifecycle, Run, RunStatus, new_run_id
from runfolio.records.names import MAX_TAG_LENGTH, check_key
from runfolio.records.times import check_moment
from runfolio.tracking import provenance
from runfolio.tracking.live import LiveRun
from runfolio.tracking.names import run_name
from runfolio.tracking.session import Session

_FIELDS = {"mlflow.runName": "name", "mlflow.parentRunId": "parent", "mlflow.user": "user"}


@storage_errors("start the run")
def start_live(
    session: Session,
    experiment: Experiment,
    *,
    name: str | None = None,
    tags: Mapping[str, Any] | None = None,
    start: int | None = None,
    entry: Mapping[str, Any] | None = None,
    capture: bool = True,
    run_id: str | None = None,
    source: Mapping[str, Any] | None = None,
    claims: Mapping[str, Any] | None = None,
) -> LiveRun:
    """Start a run and its journal.

    Parameters
    ----------
    session : Session
    experiment : Experiment
    name : str, optional
        Made where it is missing.
    tags : Mapping, optional
    start : int, optional
        Milliseconds since the epoch, UTC; now by default.
    entry : Mapping, optional
        What was started, where it is not this process.
    capture : bool, optional
        Capture code, environment and arguments.
    run_id : str, optional
        Made where it is missing.
    source : Mapping, optional
        Fields ``code``, ``entry`` and ``user`` of the run that this one is a part of, which was started elsewhere: then the environment
        alone is captured here.
    claims : Mapping, optional
        ``code``, ``entry``, ``user`` as somebody says them who started the run elsewhere; redacted. Not looked at where they are captured.

    Raises
    ------
    DeletedError
        If the experiment is deleted.
    """
    if start is not None:
        start = check_moment(start, "start_time")
    if experiment.lifecycle is Lifecycle.DELETED:
        raise DeletedError(
            f"The experiment {experiment.experiment_id} must be in the 'active' state. Current state is deleted. "
            f"Restore it: runfolio experiments restore {experiment.experiment_id}"
        )
    header: dict[str, Any] = {
        "schema": 1,
        "run_id": run_id or new_run_id(),
        "experiment": experiment.slug,
        "experiment_name": experiment.name,
        "start": time.time_ns() // 1_000_000 if start is None else start,
    }
    notices = _take_tags(session, header, dict(tags or {}))
    if name is not None and not isinstance(name, str):
        raise UsageError(f"Invalid run name {name!r}: a name is text, this is {type(name).__name__}.")
    header["name"] = name or header.get("name") or run_name()
    if source:
        header.update({field: value for field, value in source.items() if value and field in ("code", "entry", "user")})
        found = provenance.environment_here(session.folio.settings.capture)
        _keep_environment(session, header, found.environment, found.lock_text)
        notices += found.notices
    elif capture:
        notices += _capture(session, header, entry)
    else:
        header.update(_claimed(session, claims or {}))
    if notices:
        header["notices"] = list(dict.fromkeys(notices))
    writer = session.folio.start(header)
    record = Run(
        header["run_id"], experiment.slug, header["name"], RunStatus.RUNNING, header["start"],
        user=header.get("user", ""), parent=header.get("parent"), tags=header.get("tags", {}),
        code=header.get("code", {}), entry=header.get("entry", {}),
    )  # fmt: skip
    live = LiveRun(session.folio, session.redactor, writer, record)
    session.add(live, top=record.parent is None)
    for notice in notices:
        session.say(notice)
    return live


def _take_tags(session: Session, header: dict[str, Any], tags: dict[str, Any]) -> list[str]:
    notices = []
    kept: dict[str, str] = {}
    for key, value in tags.items():
        check_key(key, "tag")
        text = str(value)
        shown = session.redactor.value(key, text)
        if shown != text:
            notices.append(f"tag {key}: a secret or home path was redacted")
        if len(shown) > MAX_TAG_LENGTH:
            notices.append(f"tag {key}: cut from {len(shown)} to {MAX_TAG_LENGTH} characters")
        if key in _FIELDS:
            header[_FIELDS[key]] = shown[:MAX_TAG_LENGTH]
        else:
            kept[key] = shown[:MAX_TAG_LENGTH]
    if kept:
        header["tags"] = kept
    return notices


def _claimed(session: Session, claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return what somebody says of a run's origin, redacted as what is captured is."""
    redactor = session.redactor.fresh()
    made: dict[str, Any] = {}
    for field in ("code", "entry"):
        said = claims.get(field) or {}
        shown = {key: redactor.remote(text) if key == "remote" else redactor.text(str(text)) for key, text in said.items()}
        if shown:
            made[field] = shown
    if claims.get("user") and session.folio.settings.capture.user:
        made["user"] = str(claims["user"])
    return made


def _capture(session: Session, header: dict[str, Any], entry: Mapping[str, Any] | None) -> list[str]:
    folio = session.folio
    repo, prefix = (None, "") if isinstance(folio, OfflineFolio) else (folio.repo, folio.place.prefix)
    settings = folio.settings.capture
    if entry is None:
        found = provenance.current(repo, prefix, settings, session.redactor)
    else:
        found = provenance.capture(repo, prefix, settings, session.redactor, entry)
    for field, value in (("code", found.code), ("entry", found.entry)):
        if value:
            header[field] = dict(value)
    if found.user and "user" not in header:
        header["user"] = found.user
    _keep_environment(session, header, found.environment, found.lock_text)
    return list(found.notices)


def _keep_environment(session: Session, header: dict[str, Any], environment: Mapping[str, Any], lock_text: str) -> None:
    if environment:
        header["environment"] = dict(environment)
    name = environment.get("lock")
    if name:
        session.folio.spool.keep_environment(str(name), lock_text)
