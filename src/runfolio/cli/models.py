"""``runfolio models``: registered models listed and shown; what changes them is in :mod:`runfolio.cli.models_edit` and its siblings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli import options
from runfolio.cli.completion import model_names
from runfolio.cli.lazy import LazyCommands
from runfolio.cli.listing import age_text
from runfolio.cli.opening import opened
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.diff.describe import number_text
from runfolio.errors import UsageError
from runfolio.records.models import ARCHIVED, NO_STAGE, ModelVersion, RegisteredModel
from runfolio.records.times import utc_text
from runfolio.records.visible import visible
from runfolio.registry.prompts import how_to_load, is_prompt

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.records.models import Waiver

_EDIT, _PROMOTE, _PAST = "runfolio.cli.models_edit", "runfolio.cli.models_promote", "runfolio.cli.models_past"
_IMAGES = "runfolio.cli.models_images"
name_argument = click.argument("name", shell_complete=model_names)
version_argument = click.argument("version")


@click.group(
    "models",
    cls=LazyCommands,
    elsewhere={
        "register": _EDIT,
        "alias": _EDIT,
        "tag": _EDIT,
        "describe": _EDIT,
        "copy": _EDIT,
        "rename": _EDIT,
        "delete": _EDIT,
        "renumber": _EDIT,
        "promote": _PROMOTE,
        "demote": _PROMOTE,
        "history": _PAST,
        "diff": _PAST,
        "where": _PAST,
        "lineage": _PAST,
        "card": "runfolio.cli.models_card",
        "evaluate": "runfolio.cli.models_evaluate",
        "predict": "runfolio.cli.models_predict",
        "serve": "runfolio.cli.models_serve",
        "build-docker": _IMAGES,
        "generate-dockerfile": _IMAGES,
        "prepare-env": "runfolio.cli.models_environment",
        "update-pip-requirements": "runfolio.cli.models_requirements",
    },
)
def models() -> None:
    """List, show, register, promote and change models.

    A version is named by its number, its stage, an alias (@champion) or the word latest.
    """


def version_of(folio: Folio, name: str, text: str) -> tuple[RegisteredModel, ModelVersion]:
    """Find a version by number, stage, ``@alias`` or ``latest``."""
    from runfolio.registry import ModelUri, resolve

    if text.startswith("@"):
        return resolve(folio, ModelUri(name, alias=text[1:]))
    if text.lower() == "latest":
        return resolve(folio, ModelUri(name))
    if text.removeprefix("v").isdecimal():
        from runfolio.records.models import check_version

        return resolve(folio, ModelUri(name, version=check_version(text.removeprefix("v"))))
    stages = folio.settings.registry.stages
    if text.lower() not in {NO_STAGE.lower(), *(stage.lower() for stage in stages)}:
        raise UsageError(
            f"{text!r} names no version of {name!r}: give a number, @ALIAS, latest, or the stage that it is in ({', '.join(stages)})."
        )
    return resolve(folio, ModelUri(name, stage=text))


@models.command("list")
@options.filter_text
@options.as_json
def list_models(filter: str, as_json: bool) -> None:
    """List registered models, with what is live."""
    from runfolio.query import Listed, matches, parse_filter

    wanted = parse_filter(filter, "models")
    faults: list[str] = []
    with opened() as folio:
        tip = folio.place.tip()
        found = [
            model
            for model in folio.models.all(tip, faults)
            if matches(wanted, Listed({"name": model.name, "creation_timestamp": model.created}, model.tags, model))
        ]
        numbers = folio.models.numbers_there(found, tip) if as_json else {}
        newest = {} if as_json else folio.models.newest_there(found, tip)
    for fault in faults:
        click.echo(f"runfolio: {visible(fault)} What is live there is not known.", err=True)
    if as_json:
        print_json([model_shape(model, numbers[model.slug]) for model in found])
    elif not found:
        click.echo("No registered models are to be shown. Register one: runfolio models register runs:/RUN/PATH NAME", err=True)
    else:
        columns = [Column("name"), Column("latest", right=True, whole=True), Column("live"), Column("aliases", rank=1)]
        rows = [
            [
                model.name,
                str(newest[model.slug] or ""),
                stages_text(model),
                ", ".join(f"@{alias} {number}" for alias, number in sorted(model.aliases.items())),
                model.description,
            ]
            for model in found
        ]
        print_table([*columns, Column("description", rank=2)], rows)


def stages_text(model: RegisteredModel) -> str:
    """Say what is live: ``Production 3, Staging 4``."""
    return ", ".join(
        f"{stage} {' '.join(map(str, numbers))}" for stage, numbers in list(model.stages.items())[::-1] if stage != ARCHIVED
    )


def model_shape(model: RegisteredModel, numbers: list[int]) -> dict[str, Any]:
    """Return a registered model as JSON shows it."""
    return {
        "name": model.name,
        "folder": f"models/{model.slug}",
        "created": utc_text(model.created) if model.created else None,
        "description": model.description,
        "tags": dict(model.tags),
        "stages": {stage: list(versions) for stage, versions in model.stages.items()},
        "aliases": dict(model.aliases),
        "versions": numbers,
    }


def version_shape(model: RegisteredModel, version: ModelVersion) -> dict[str, Any]:
    """Return a version as JSON shows it."""
    from runfolio.formats.models import version_fields

    return {
        "name": model.name,
        "version": version.version,
        "stage": model.stage_of(version.version),
        "aliases": model.aliases_of(version.version),
        **version_fields(version),
    }


@models.command("versions")
@click.argument("name", required=False, shell_complete=model_names)
@click.option("-m", "--name", "named", metavar="NAME", help="The model, as MLflow's command takes it.")
@click.option("--all", "everything", is_flag=True, help="Deleted ones, too.")
@options.as_json
def versions(name: str | None, named: str | None, everything: bool, as_json: bool) -> None:
    """List the versions of a model, newest first."""
    if (name is None) == (named is None):
        raise click.UsageError("Name one model.")
    with opened() as folio:
        model = folio.models.find(name or named or "")
        found = folio.models.versions(model, deleted=everything)[::-1]
    if as_json:
        print_json([version_shape(model, version) for version in found])
        return
    if not found:
        click.echo(f"{visible(model.name)} has no version. Register one: runfolio models register runs:/RUN/PATH NAME", err=True)
        return
    now = time.time_ns() // 1_000_000
    metrics = _common_metrics(found)
    columns = [
        Column("version", right=True, whole=True),
        Column("stage", whole=True),
        Column("aliases", rank=1),
        *(Column(key, right=True, rank=2, whole=True) for key in metrics),
        Column("registered", rank=3, whole=True),
        Column("run", rank=4, whole=True),
        Column("description", rank=5),
    ]
    rows = []
    for version in found:
        stage = version.lifecycle.value if version.lifecycle.value == "deleted" else model.stage_of(version.version)
        values = [number_text(version.metrics[key]) if key in version.metrics else "" for key in metrics]
        age = age_text(version.created, now) if version.created else ""
        aliases = " ".join(f"@{alias}" for alias in model.aliases_of(version.version))
        rows.append([str(version.version), stage, aliases, *values, age, (version.run_id or "")[:16], version.description])
    print_table(columns, rows)


def _common_metrics(versions: list[ModelVersion], most: int = 3) -> list[str]:
    """Return the metrics that most versions have, a few."""
    counts: dict[str, int] = {}
    for version in versions:
        for key in version.metrics:
            counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: (-counts[key], key))[:most]


@models.command("show")
@name_argument
@click.argument("version", required=False)
@options.as_json
def show(name: str, version: str | None, as_json: bool) -> None:
    """Show a registered model, or one version of it."""
    with opened() as folio:
        if version is None:
            model = folio.models.find(name)
            numbers = folio.models.numbers_there([model])[model.slug]
            if as_json:
                print_json(model_shape(model, numbers))
                return
            lines = list(_model_lines(folio, model, numbers))
        else:
            model, found = version_of(folio, name, version)
            if as_json:
                print_json({**version_shape(model, found), "files": _files(folio, found)})
                return
            lines = list(_version_lines(folio, model, found))
    for line in lines:
        click.echo(line)


models.add_command(versions, "list-versions")


def _deployed_lines(folio: Folio, model: RegisteredModel, number: int | None = None) -> Iterator[str]:
    """Say where versions of a model serve, by the records of deployments."""
    for item in folio.deployments.of_model(model.slug):
        if not item.gone and number in (None, item.version):
            which = f"{item.version} " if number is None else ""
            end = f", {item.endpoint}" if item.endpoint not in ("", item.name) else ""
            yield f"{'deployed:':14} {which}{visible(f'{item.name} at {item.where}{end}')}"


def _facts(facts: Mapping[str, str]) -> Iterator[str]:
    for name, value in facts.items():
        if value:
            yield f"{name + ':':14} {visible(value)}".rstrip()


def _model_lines(folio: Folio, model: RegisteredModel, numbers: list[int]) -> Iterator[str]:
    yield click.style(visible(model.name), bold=True)
    yield from _facts(
        {
            "folder": f"models/{model.slug}",
            "created": utc_text(model.created) if model.created else "",
            "versions": str(len(numbers)),
            "description": model.description,
            **{f"tag {key}": value for key, value in sorted(model.tags.items())},
        }
    )
    for stage in folio.settings.registry.stages:
        if stage in model.stages:
            yield f"{stage + ':':14} {' '.join(map(str, model.stages[stage]))}"
    for alias, number in sorted(model.aliases.items()):
        yield f"{'@' + alias + ':':14} {number}"
    yield from _deployed_lines(folio, model)
    if model.stages or model.aliases:
        known = [stage for stage in folio.settings.registry.stages if stage in model.stages]
        live = [stage for stage in known if stage != ARCHIVED]
        which = live[-1] if live else f"@{next(iter(model.aliases))}" if model.aliases else next(iter(model.stages))
        slash = "" if which.startswith("@") else "/"
        yield ""
        number = model.aliases[which[1:]] if which.startswith("@") else max(model.stages[which])
        tags = folio.models.version(model, number).tags if is_prompt(model.tags) else model.tags
        yield f"Load it: {how_to_load(visible(model.name), f'{slash}{which}', tags)}"


def _version_lines(folio: Folio, model: RegisteredModel, version: ModelVersion) -> Iterator[str]:
    from runfolio.cli.run_files import size_text

    now = time.time_ns() // 1_000_000
    stage = model.stage_of(version.version)
    marks = [stage] * (stage != NO_STAGE) + [f"@{alias}" for alias in model.aliases_of(version.version)]
    yield click.style(f"{visible(model.name)} {version.version}", bold=True) + (f"  {'  '.join(marks)}" if marks else "")
    yield from _facts(
        {
            "registered": f"{utc_text(version.created)}{f' by {version.user}' if version.user else ''}"
            if version.created
            else "",
            "source": version.source,
            "run": version.run_id or "",
            "digest": version.digest or "",
            "size": f"{size_text(version.size)} in {version.file_count} file{'s' * (version.file_count != 1)}",
            "flavors": ", ".join(version.flavors),
            "runs code": ", ".join(version.runs_code) or ("no" if version.flavors else ""),
            "input example": "yes" if version.input_example else "",
            "description": version.description,
            **{f"tag {key}": value for key, value in sorted(version.tags.items())},
            **{f"waived {item.gate}": _waiver_text(item, now) for item in version.waivers},
            **{f"signature {key}": value for key, value in version.signature.items()},
            **{key: number_text(value) for key, value in sorted(version.metrics.items())},
        }
    )
    yield from _deployed_lines(folio, model, version.version)
    files = _files(folio, version)
    if files:
        yield ""
        for name, entry in files.items():
            yield f"{size_text(entry['size']):>9}  {entry['digest'][:19]}  {visible(name)}"
    yield ""
    yield f"Load it: {how_to_load(visible(model.name), f'/{version.version}', version.tags)}"


def _waiver_text(waiver: Waiver, now: int) -> str:
    when = "expired after" if waiver.expires <= now else "until"
    return f"for {waiver.stage}, {when} {waiver.last_day}, by {waiver.by or 'nobody named'}: {waiver.reason}"


def _files(folio: Folio, version: ModelVersion) -> dict[str, dict[str, Any]]:
    from runfolio.errors import DamagedError, NotFoundError
    from runfolio.registry import files_of

    try:
        return {
            name: {"size": entry.size, "digest": str(entry.digest)} for name, entry in sorted(files_of(folio, version).items())
        }
    except (NotFoundError, DamagedError) as error:
        click.echo(f"runfolio: {error.message}", err=True)
        return {}
