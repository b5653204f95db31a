"""Registered models of another store: versions keep their numbers, stages and aliases say what they said."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from runfolio.errors import RunfolioError, StorageError
from runfolio.folio.folio import Folio
from runfolio.gateway.model_facts import FILE, MODEL_ID_TAG, READY, decode_models
from runfolio.records.models import NO_STAGE, RegisteredModel, canonical_stage, check_alias, check_model_name
from runfolio.registry import version_of
from runfolio.tracking.model_code import code_files
from runfolio.transfer.findings import Imported
from runfolio.transfer.restored import noted_facts
from runfolio.transfer.source import Source, SourceModel, SourceVersion, StoreGoneError
from runfolio.transfer.spelling import NAME_TAG, name_of, name_tag, spelled_model

_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")


UNFINISHED_TAG = "runfolio.import_unfinished"
"""On a registered model while versions of it are taken: where it is left, the next import sets stages and aliases."""


def take_models(folio: Folio, source: Source, done: Imported, *, dry_run: bool) -> None:
    """Take the registered models of another store, with their versions, stages and aliases."""
    for model in source.models():
        name = _free_name(folio, model.name)
        if name != model.name and folio.models.get(name) is None:
            done.find(f"model {model.name}", f"a name cannot be that here; it is {name}, and the tag {NAME_TAG} says what it was")
        if dry_run:
            _count(folio, model, name, done)
            continue
        try:
            _take(folio, source, model, name, done)
        except (StoreGoneError, StorageError):
            raise
        except RunfolioError as error:
            done.find(f"model {model.name}", error.message)


def _free_name(folio: Folio, name: str) -> str:
    """Return a model's name here: its own, or one that no other model of the store has taken."""
    made = spelled_model(name)
    while (found := folio.models.get(made)) is not None and name_of(made, found.tags) != name_tag(name):
        made += "_"
    return made


def _count(folio: Folio, model: SourceModel, name: str, done: Imported) -> None:
    found = folio.models.get(name)
    there = set(folio.models.numbers(found)) if found is not None else set()
    had = sum(version.version in there for version in model.versions)
    done.had("models") if found is not None else done.took("models")
    done.had("versions", had) if had else None
    done.took("versions", len(model.versions) - had) if had < len(model.versions) else None


def _take(folio: Folio, source: Source, model: SourceModel, name: str, done: Imported) -> None:
    check_model_name(name)
    found = folio.models.get(name)
    if found is None:
        tags = {**model.tags, UNFINISHED_TAG: "true", **({NAME_TAG: name_tag(model.name)} if name != model.name else {})}
        newest = max([model.created, *(version.created for version in model.versions)])
        tags.update(noted_facts(updated=model.updated if model.updated != newest else 0))
        found = folio.models.create(name, tags, model.description, created=model.created or None)
        done.took("models")
    else:
        done.had("models")
    there = set(folio.models.numbers(found))
    fresh = [version for version in model.versions if version.version not in there]
    unfinished = [] if UNFINISHED_TAG not in found.tags else [version for version in model.versions if version.version in there]
    if fresh and UNFINISHED_TAG not in found.tags:
        folio.models.edit(name, f"go on importing {name}", _marked)
    done.had("versions", len(model.versions) - len(fresh))
    taken = [version for version in fresh if _take_version(folio, source, name, version, done)]
    if fresh or UNFINISHED_TAG in found.tags:
        _place(folio, model, name, [*unfinished, *taken], done)


def _marked(found: RegisteredModel) -> RegisteredModel:
    return replace(found, tags={**found.tags, UNFINISHED_TAG: "true"})


def _take_version(folio: Folio, source: Source, name: str, version: SourceVersion, done: Imported) -> bool:
    where = f"model {name} version {version.version}"
    with tempfile.TemporaryDirectory(prefix="runfolio-import-") as temporary:
        try:
            uri = _logged(folio, version)
            if uri is None:
                fetched = source.fetch_version(name, version.version, Path(temporary))
                uri = str(fetched)
            made = version_of(folio, uri, version.run_id, code_files)
        except (StoreGoneError, StorageError):
            raise
        except RunfolioError as error:
            done.find(where, f"it was not taken: {error.message}")
            return False
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            Path(temporary).mkdir(exist_ok=True)
    run_id = made.run_id or version.run_id
    if run_id and folio.runs.committed(run_id) is None:
        done.find(where, f"its run {run_id} is not in the folio")
        run_id = None
    tags = dict(version.tags)
    if named := _MODEL_ID.search(version.source):
        tags[MODEL_ID_TAG] = named[0]
    tags.update(
        noted_facts(
            updated=version.updated if version.updated != version.created else 0,
            status=version.status if version.status != READY else "",
            message=version.message,
        )
    )
    made = replace(
        made, run_id=run_id, created=version.created, description=version.description, tags=tags, user=version.user,
        run_link=version.run_link,
    )  # fmt: skip
    folio.upload()
    folio.models.add_version(name, lambda number: replace(made, version=number), number=version.version)
    done.took("versions")
    return True


def _logged(folio: Folio, version: SourceVersion) -> str | None:
    """Return where a version's files lie among those of its run, which was taken in already; None where they do not."""
    if not version.run_id:
        return None
    run = folio.runs.committed(version.run_id)
    if run is None:
        return None
    listed = folio.runs.artifacts(run)
    source = version.source.rstrip("/")
    named = _MODEL_ID.search(source)
    if named and FILE in listed:
        facts = decode_models(folio.store.read(listed[FILE].digest)).made.get(named[0])
        if facts and any(name.startswith(f"{facts.path}/") for name in listed):
            return f"runs:/{run.run_id}/{facts.path}"
    for mark in (f"{version.run_id}/artifacts/", f"{version.run_id}/"):
        if mark in source:
            path = source.split(mark, 1)[1]
            if any(name.startswith(f"{path}/") for name in listed):
                return f"runs:/{version.run_id}/{path}"
    return None


def _place(folio: Folio, model: SourceModel, name: str, taken: list[SourceVersion], done: Imported) -> None:
    """Put the versions that were taken into their stages, and let aliases name them; one commit."""
    numbers = {version.version for version in taken}
    known = folio.settings.registry.stages

    def edit(found: RegisteredModel) -> RegisteredModel:
        for version in taken:
            if version.stage != NO_STAGE:
                try:
                    found = found.with_stage(version.version, canonical_stage(version.stage, known))
                except RunfolioError as error:
                    done.find(f"model {name} version {version.version}", f"its stage was not taken: {error.message}")
        aliases = dict(found.aliases)
        for alias, number in model.aliases.items():
            if number in numbers and alias not in aliases:
                try:
                    aliases[check_alias(alias)] = number
                except RunfolioError as error:
                    done.find(f"model {name}", f"an alias was not taken: {error.message}")
        tags = {key: text for key, text in found.tags.items() if key != UNFINISHED_TAG}
        return replace(found, aliases=aliases, tags=tags)

    folio.models.edit(name, f"import stages and aliases of {name}", edit)
