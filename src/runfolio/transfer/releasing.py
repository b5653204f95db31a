"""Registered models of a folio, written into another store: versions keep their numbers, and name files that lie there."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from runfolio.errors import RunfolioError, UsageError
from runfolio.gateway.model_facts import MODEL_ID_TAG
from runfolio.records.models import ARCHIVED, NO_STAGE
from runfolio.transfer.findings import Exported
from runfolio.transfer.folio_source import FolioSource
from runfolio.transfer.readback import differing_files, file_digest
from runfolio.transfer.source import SourceModel, SourceVersion, StoreGoneError
from runfolio.transfer.spelling import NAME_TAG, name_tag, spelled_model
from runfolio.transfer.target import Target, VersionWork

STAGE_TAG = "runfolio.stage"
"""On a version whose stage MLflow does not know: which one it was."""
_STAGES = (NO_STAGE, "Staging", "Production", ARCHIVED)


def write_models(
    source: FolioSource, target: Target, done: Exported, *, dry_run: bool, files: bool = True, verify: bool = True
) -> None:
    """Write registered models with their versions, stages, aliases and tags; what is there is left as it is."""
    for model in source.models():
        try:
            named = _named(model, target, done)
            there = target.versions_there(named.name)
            fresh = [item for item in model.versions if item.version not in (there or ())]
            (done.took if there is None else done.had)("models")
            if len(fresh) < len(model.versions):
                done.had("versions", len(model.versions) - len(fresh))
            if dry_run and fresh:
                done.took("versions", len(fresh))
            elif not dry_run:
                _write(source, target, model.name, replace(named, versions=fresh), done, files=files, verify=verify)
        except StoreGoneError:
            raise
        except RunfolioError as error:
            done.find(f"model {model.name}", f"it was not written: {error.message}")


def _named(model: SourceModel, target: Target, done: Exported) -> SourceModel:
    """Return a model under the name that it can have there."""
    why = target.accepts_name(model.name)
    if not why:
        return model
    spelled = spelled_model(model.name)
    name = next((text for text in (spelled, spelled.replace("%", "_")) if not target.accepts_name(text)), None)
    if name is None:
        raise UsageError(f"its name is refused there ({why})")
    done.find(f"model {model.name}", f"its name is refused there ({why}); it is {name}, and the tag {NAME_TAG} says what it was")
    return replace(model, name=name, tags={**model.tags, NAME_TAG: name_tag(model.name)})


def _write(
    source: FolioSource, target: Target, name: str, model: SourceModel, done: Exported, *, files: bool, verify: bool
) -> None:
    works, placed = [], {}
    for version in model.versions:
        where = f"model {model.name} version {version.version}"
        try:
            work, digests = _work(source, target, name, model.name, version, files=files)
        except RunfolioError as error:
            done.find(where, f"it was not written: {error.message}")
            continue
        if version.stage not in _STAGES:
            done.find(where, f"its stage {version.stage} is none of MLflow's; the tag {STAGE_TAG} says it")
        works.append(work)
        placed[version.version] = digests
    target.write_model(model, works)
    if works:
        done.took("versions", len(works))
        if not target.keeps_ids:
            done.find("registered models", "versions that are new there have the server's times, and no user: it takes none")
    if verify and works:
        _read_back(target, model, works, placed, done)


def _work(
    source: FolioSource, target: Target, name: str, named: str, version: SourceVersion, *, files: bool
) -> tuple[VersionWork, dict[str, str]]:
    """Return a version as it is written, its files put there where no run of the store holds them; and their digests."""
    tags = dict(version.tags)
    model_id = tags.get(MODEL_ID_TAG, "")
    if version.stage not in _STAGES:
        tags[STAGE_TAG] = version.stage
        version = replace(version, stage=NO_STAGE)
    if target.logged:
        tags.pop(MODEL_ID_TAG, None)
    version = replace(version, tags=tags)
    location = target.logged_location(model_id) if model_id else None
    if location is not None:
        return VersionWork(version, f"models:/{model_id}", location), {}
    if version.source.startswith("runs:/"):
        run_id, _, path = version.source.removeprefix("runs:/").partition("/")
        location = target.run_location(run_id)
        if location is not None:
            place = f"{location.rstrip('/')}/{path}".rstrip("/")
            return VersionWork(version, place, place), {}
    if not files:
        return VersionWork(version, version.source, version.source), {}
    with tempfile.TemporaryDirectory(prefix="runfolio-export-") as temporary:
        folder = source.fetch_version(name, version.version, Path(temporary))
        digests = {path.relative_to(folder).as_posix(): file_digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
        if not digests:  # registered without files: its source is all that is known
            return VersionWork(version, version.source, version.source), {}
        place = target.place_files(named, version.version, folder)
    return VersionWork(version, place, place), digests


def _read_back(
    target: Target, model: SourceModel, works: list[VersionWork], placed: dict[int, dict[str, str]], done: Exported
) -> None:
    reader = target.reader()
    found = reader.model(model.name)
    there = {item.version: item for item in found.versions}
    for work in works:
        wanted = target.expected_version(work.version)
        where = f"model {model.name} version {wanted.version}"
        item = there.get(wanted.version)
        if item is None:
            done.find(where, "read back, it is not there")
            continue
        names = ["run_id", "stage", "description", "run_link", "tags"]
        names += ["user", "created", "updated"] if target.keeps_ids else []
        for name in names:
            if getattr(item, name) != getattr(wanted, name):
                done.find(where, f"read back, {name} differs: {getattr(item, name)!r} there, {getattr(wanted, name)!r} here")
        if digests := placed[wanted.version]:
            with tempfile.TemporaryDirectory(prefix="runfolio-export-") as temporary:
                folder = reader.fetch_version(model.name, wanted.version, Path(temporary))
                for said in differing_files(digests, partial(_below, folder)):
                    done.find(where, f"read back, {said}")
    for alias, number in model.aliases.items():
        if number in there and found.aliases.get(alias) != number:
            done.find(f"model {model.name}", f"read back, the alias {alias} names another version")


def _below(folder: Path, path: str, into: Path) -> Path:
    return folder / path
