"""Join one record that two sides changed, field by field.

What one side left alone takes the other side's value; tags join key by key; of two different new values of one field the later
change wins where the record says when it was changed, and is refused where losing one would lose a result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from runfolio.errors import StateError
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.experiments import decode_experiment, edit_experiment
from runfolio.formats.runs import decode_run, encode_run
from runfolio.gitstore.merging import Clash, Resolver
from runfolio.records import Experiment, Run
from runfolio.records.visible import visible

_RUN_FREE = ("name", "lifecycle", "deleted_at", "notices")
"""Fields of a run about which two people may disagree without a result being lost."""


def join_records(place: Place) -> Resolver:
    """Return what decides about files that both sides changed."""

    def resolve(clash: Clash) -> bytes | None:
        path = place.strip(clash.path) if clash.path.startswith(place.prefix) else clash.path
        if clash.ours == clash.theirs:
            return clash.ours
        if clash.ours is not None and clash.theirs is not None:
            if paths.experiment_of_path(path):
                return _experiment(path, clash.base, clash.ours, clash.theirs)
            if paths.run_of_path(path):
                return _run(path, clash.base, clash.ours, clash.theirs)
        raise StateError(
            f"{visible(clash.path)} was changed here and on the remote, in ways that cannot be joined. Nothing was moved. "
            "Merge it yourself (git pull), then sync again."
        )

    return resolve


def _experiment(path: str, base: bytes | None, ours: bytes, theirs: bytes) -> bytes:
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
            joined[field.name] = _joined_map(was, left, right, later is mine)
        elif left == right or right == was:
            joined[field.name] = left
        else:
            joined[field.name] = right if left == was else getattr(later, field.name)
    joined["created"] = (
        min(value for value in (mine.created, other.created) if value) if mine.created and other.created else later.created
    )
    joined["updated"] = max(mine.updated, other.updated)
    return edit_experiment(ours, Experiment(**joined))


def _run(path: str, base: bytes | None, ours: bytes, theirs: bytes) -> bytes:
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
            joined[field.name] = _joined_map(was, left, right, True)
        elif field.name in _RUN_FREE:
            joined[field.name] = left
        else:
            raise StateError(
                f"{path}: {field.name}: the run was changed here and on the remote. Nothing was moved. Choose one of the two: "
                "git pull, then git checkout --ours (or --theirs) on the file, then sync again."
            )
    return encode_run(Run(**joined))


def _joined_map(was: Mapping[str, Any], left: Mapping[str, Any], right: Mapping[str, Any], prefer_left: bool) -> dict[str, Any]:
    missing = object()
    made: dict[str, Any] = {}
    for key in {**left, **right, **was}:
        before, mine, other = was.get(key, missing), left.get(key, missing), right.get(key, missing)
        if mine == other or other == before:
            chosen = mine
        elif mine == before:
            chosen = other
        else:
            chosen = mine if prefer_left else other
        if chosen is not missing:
            made[key] = chosen
    return made
