"""Registered models of another store: versions keep their numbers, stages and aliases say what they said."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from runfolio.errors import RunfolioError
from runfolio.folio.folio import Folio
from runfolio.gateway.model_facts import FILE, MODEL_ID_TAG, decode_models
from runfolio.records.models import NO_STAGE, RegisteredModel, canonical_stage, check_alias, check_model_name
from runfolio.registry import version_of
from runfolio.tracking.model_code import code_files
from runfolio.transfer.findings import Imported
from runfolio.transfer.source import Source, SourceModel, SourceVersion

_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
NAME_TAG = "runfolio.imported_name"
"""On a registered model whose name had to be spelled otherwise: what it was."""


def take_models(folio: Folio, source: Source, done: Imported, *, dry_run: bool) -> None:
    """Take the registered models of another store, with their versions, stages and aliases."""
    for model in source.models():
        name = spelled_name(model.name)
        if name != model.name and folio.models.get(name) is None:
            done.find(
                f"model {model.name}", f"a name cannot hold / or : here; it is {name}, and the tag {NAME_TAG} says what it was"
            )
        if dry_run:
            done.took("models")
            done.took("versions", len(model.versions))
            continue
        try:
            _take(folio, source, model, name, done)
        except RunfolioError as error:
            done.find(f"model {model.name}", error.message)


def spelled_name(name: str) -> str:
    """Return a model's name with what a name cannot hold here spelled as in an address (``%2F``), so that it can be read back."""
    return name if "/" not in name and ":" not in name else quote(name, safe=" @+,;=()'!$&*#")


def _take(folio: Folio, source: Source, model: SourceModel, name: str, done: Imported) -> None:
    check_model_name(name)
    found = folio.models.get(name)
    if found is None:
        tags = {**model.tags, **({NAME_TAG: model.name} if name != model.name else {})}
        found = folio.models.create(name, tags, model.description, created=model.created or None)
        done.took("models")
    else:
        done.had("models")
    there = set(folio.models.numbers(found))
    fresh = [version for version in model.versions if version.version not in there]
    done.had("versions", len(model.versions) - len(fresh))
    taken = [version for version in fresh if _take_version(folio, source, name, version, done)]
    if taken:
        _place(folio, model, name, taken, done)


def _take_version(folio: Folio, source: Source, name: str, version: SourceVersion, done: Imported) -> bool:
    where = f"model {name} version {version.version}"
    with tempfile.TemporaryDirectory(prefix="runfolio-import-") as temporary:
        try:
            uri = _logged(folio, version)
            if uri is None:
                fetched = source.fetch_version(name, version.version, Path(temporary))
                uri = str(fetched)
            made = version_of(folio, uri, version.run_id, code_files)
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
                aliases[check_alias(alias)] = number
        return replace(found, aliases=aliases)

    folio.models.edit(name, f"import stages and aliases of {name}", edit)
