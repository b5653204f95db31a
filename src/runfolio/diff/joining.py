"""Join one record that two sides changed, field by field; pure.

What one side left alone takes the other side's value; tags and aliases join key by key. Two different new values of one field are
a conflict, except where the record says which change is the later one, or no result can be lost by taking ours. What is live is
never guessed: two versions promoted to one stage, or one alias given to two versions, are a conflict, for people to decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from runfolio.errors import StateError
from runfolio.formats import paths
from runfolio.formats.experiments import decode_experiment, edit_experiment
from runfolio.formats.models import decode_model, decode_version, edit_model, edit_version
from runfolio.formats.runs import decode_run, encode_run
from runfolio.records import Experiment, Run
from runfolio.records.models import ARCHIVED, ModelVersion, RegisteredModel

_RUN_FREE = ("name", "lifecycle", "deleted_at", "notices")
"""Fields of a run about which two people may disagree without a result being lost."""
_MISSING = object()


class ConflictError(StateError):
    """Two sides changed one field in ways that cannot be joined."""


def join(path: str, base: bytes | None, ours: bytes, theirs: bytes, *, strict: bool = False) -> bytes | None:
    """Join a record that two sides changed.

    Parameters
    ----------
    path : str
        From the folio's root; says what the record is.
    base : bytes or None
        As it was before both changes; None where both sides made it.
    ours, theirs : bytes
    strict : bool, optional
        Refuse two values of one tag, too; otherwise ours stays.

    Returns
    -------
    bytes or None
        None where `path` is no record that can be joined.

    Raises
    ------
    ConflictError
        If the changes contradict each other.
    DamagedError
        If a side cannot be read.
    """
    if ours == theirs:
        return ours
    if paths.experiment_of_path(path):
        return _experiment(path, base, ours, theirs, strict)
    if paths.run_of_path(path):
        return _run(path, base, ours, theirs, strict)
    if paths.model_of_path(path):
        return _model(path, base, ours, theirs)
    found = paths.version_of_path(path)
    if found is not None and base is not None:
        return _version(path, found[0], base, ours, theirs)
    return None


def _experiment(path: str, base: bytes | None, ours: bytes, theirs: bytes, strict: bool) -> bytes:
    mine, other = decode_experiment(ours, path), decode_experiment(theirs, path)
    start = (
        decode_experiment(base, path)
        if base is not None
        else replace(mine, tags={}, description="", objective=None, baseline=None)
    )
    later = mine if mine.updated >= other.updated else other
    joined: dict[str, Any] = {}
    for field in fields(Experiment):
        was, left, right = (getattr(item, field.name) for item in (start, mine, other))
        if isinstance(left, Mapping):
            joined[field.name] = join_maps(was, left, right, None if strict else later is mine, f"{path}: {field.name}")
        elif left == right or right == was:
            joined[field.name] = left
        else:
            joined[field.name] = right if left == was else getattr(later, field.name)
    joined["created"] = (
        min(value for value in (mine.created, other.created) if value) if mine.created and other.created else later.created
    )
    joined["updated"] = max(mine.updated, other.updated)
    return edit_experiment(ours, Experiment(**joined))


def _run(path: str, base: bytes | None, ours: bytes, theirs: bytes, strict: bool) -> bytes:
    mine, other = decode_run(ours, path), decode_run(theirs, path)
    start = decode_run(base, path) if base is not None else mine
    joined: dict[str, Any] = {}
    for field in fields(Run):
        was, left, right = (getattr(item, field.name) for item in (start, mine, other))
        if left == right or right == was:
            joined[field.name] = left
        elif left == was:
            joined[field.name] = right
        elif field.name == "tags":
            joined[field.name] = join_maps(was, left, right, None if strict else True, f"{path}: tags")
        elif field.name in _RUN_FREE and not strict:
            joined[field.name] = left
        else:
            raise ConflictError(f"{path}: {field.name}: the run was changed on both sides.")
    return encode_run(Run(**joined))


def _model(path: str, base: bytes | None, ours: bytes, theirs: bytes) -> bytes:
    mine, other = decode_model(ours, path), decode_model(theirs, path)
    start = decode_model(base, path) if base is not None else RegisteredModel(mine.name, mine.slug)
    joined: dict[str, Any] = {"slug": mine.slug}
    for name in ("name", "description"):
        joined[name] = _joined_value(getattr(start, name), getattr(mine, name), getattr(other, name), f"{path}: {name}")
    if base is None and mine.created and other.created:  # both began it: it is as old as the first
        joined["created"] = min(mine.created, other.created)
    else:
        joined["created"] = _joined_value(start.created, mine.created, other.created, f"{path}: created")
    for name in ("tags", "aliases", "extra"):
        joined[name] = join_maps(getattr(start, name), getattr(mine, name), getattr(other, name), None, f"{path}: {name}")
    joined["stages"] = _joined_stages(path, start, mine, other)
    return edit_model(ours, RegisteredModel(**joined))


def _joined_stages(
    path: str, start: RegisteredModel, mine: RegisteredModel, other: RegisteredModel
) -> dict[str, tuple[int, ...]]:
    archived = _joined_set(*(item.stages.get(ARCHIVED, ()) for item in (start, mine, other)))
    live = [{stage: numbers for stage, numbers in item.stages.items() if stage != ARCHIVED} for item in (start, mine, other)]
    made: dict[str, tuple[int, ...]] = join_maps(live[0], live[1], live[2], None, f"{path}: stages")
    seen: dict[int, str] = {}
    for stage, numbers in made.items():
        for number in numbers:
            if seen.setdefault(number, stage) != stage:
                raise ConflictError(
                    f"{path}: stages: version {number} was put into {seen[number]} on one side, into {stage} on the other."
                )
    for number in archived:
        if number in seen:
            raise ConflictError(
                f"{path}: stages: version {number} was put into {seen[number]} on one side, into {ARCHIVED} on the other."
            )
    return {**made, ARCHIVED: archived} if archived else made


def _joined_set(was: tuple[int, ...], left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    gone = {number for number in was if number not in left or number not in right}
    return tuple(sorted({*left, *right} - gone))


def _version(path: str, slug: str, base: bytes, ours: bytes, theirs: bytes) -> bytes:
    start, mine, other = (decode_version(data, path) for data in (base, ours, theirs))
    joined: dict[str, Any] = {}
    for field in fields(ModelVersion):
        values = [getattr(item, field.name) for item in (start, mine, other)]
        if field.name in ("tags", "extra"):
            joined[field.name] = join_maps(values[0], values[1], values[2], None, f"{path}: {field.name}")
        else:
            joined[field.name] = _joined_value(values[0], values[1], values[2], f"{path}: {field.name}")
    return edit_version(ours, ModelVersion(**joined), slug)


def _joined_value(was: Any, left: Any, right: Any, where: str) -> Any:
    if left == right or right == was:
        return left
    if left == was:
        return right
    raise ConflictError(f"{where}: changed on both sides: {left!r} here, {right!r} there.")


def join_maps(
    was: Mapping[str, Any], left: Mapping[str, Any], right: Mapping[str, Any], prefer_left: bool | None, where: str
) -> dict[str, Any]:
    """Join two mappings key by key.

    Parameters
    ----------
    was, left, right : Mapping
        Before, on our side, on their side.
    prefer_left : bool or None
        Whose value stays where both sides set a key; None refuses.
    where : str
        For the refusal.

    Raises
    ------
    ConflictError
    """
    made: dict[str, Any] = {}
    for key in {**left, **right, **was}:
        before, mine, other = was.get(key, _MISSING), left.get(key, _MISSING), right.get(key, _MISSING)
        if mine == other or other == before:
            chosen = mine
        elif mine == before:
            chosen = other
        elif prefer_left is None:
            shown = ["nothing" if value is _MISSING else _shown(value) for value in (mine, other)]
            raise ConflictError(f"{where}.{key}: {shown[0]} here, {shown[1]} there.")
        else:
            chosen = mine if prefer_left else other
        if chosen is not _MISSING:
            made[key] = chosen
    return made


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else repr(value)
