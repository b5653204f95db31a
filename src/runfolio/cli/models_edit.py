"""``runfolio models register|alias|tag|describe|copy|rename|delete|renumber``: each one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from runfolio.cli import options
from runfolio.cli.models import name_argument, version_argument, version_of
from runfolio.cli.opening import opened
from runfolio.errors import NotFoundError
from runfolio.records.models import check_alias
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio


@click.command("register")
@click.argument("source")
@name_argument
@click.option("--tag", "pairs", metavar="KEY=VALUE", multiple=True, help="A tag of the version; repeat for more.")
@click.option("--description", metavar="TEXT", default="", help="Of the version.")
def register(source: str, name: str, pairs: tuple[str, ...], description: str) -> None:
    """Register a model under a name; prints the version's number.

    SOURCE is runs:/RUN/PATH (RUN as in all commands: an id, its beginning or a name), models:/NAME/VERSION, or a folder.
    """
    from runfolio.registry import register as register_version
    from runfolio.site.words import count_words
    from runfolio.tracking.model_code import code_files
    from runfolio.tracking.registry import checked_model_tags

    tags = checked_model_tags(options.key_values(pairs, "tag"))
    with opened() as folio:
        if source.startswith("runs:/"):
            run, _, path = source[len("runs:/") :].lstrip("/").partition("/")
            source = f"runs:/{folio.runs.resolve(run)}/{path}"
        made = register_version(folio, source, name, tags=tags, description=description, code_of=code_files)
    click.echo(str(made.version))
    click.echo(f"{visible(name)} {made.version}: {count_words(made.file_count, 'file')}, {made.digest}", err=True)


@click.command("alias")
@name_argument
@click.argument("version", required=False)
@click.argument("alias", required=False)
@click.option("--remove", metavar="ALIAS", multiple=True, help="Take an alias away; repeat for more.")
def alias(name: str, version: str | None, alias: str | None, remove: tuple[str, ...]) -> None:
    """Let ALIAS name a version: runfolio models alias wine 3 champion."""
    if (version is None) != (alias is None) or (alias is None and not remove):
        raise click.UsageError("Give VERSION and ALIAS, or --remove ALIAS.")
    with opened() as folio:
        model = folio.models.find(name)
        lacking = [item for item in remove if item.removeprefix("@") not in model.aliases]
        if lacking:
            raise NotFoundError(f"{name!r} has no alias {lacking[0]!r}. It has: {', '.join(sorted(model.aliases)) or 'none'}.")
        gone = {item.removeprefix("@") for item in remove}
        added: dict[str, int] = {}
        if alias is not None and version is not None:
            wanted = check_alias(alias.removeprefix("@"))
            added[wanted] = version_of(folio, name, version)[1].version
        what = " ".join([*(f"{number} {item}" for item, number in added.items()), *(f"-{item}" for item in sorted(gone))])
        folio.models.edit(name, f"alias {visible(name)} {what}", lambda found: replace(
            found, aliases={**{key: value for key, value in found.aliases.items() if key not in gone}, **added}
        ))  # fmt: skip
    for item, number in added.items():
        click.echo(f"models:/{visible(name)}@{item} is version {number}.", err=True)
    for item in sorted(gone):
        click.echo(f"models:/{visible(name)}@{item} is no more.", err=True)


@click.command("tag")
@name_argument
@click.argument("pairs", metavar="[KEY=VALUE]…", nargs=-1)
@click.option("-v", "--version", metavar="VERSION", help="Of this version; of the model by default.")
@click.option("--remove", metavar="KEY", multiple=True, help="Take a tag away; repeat for more.")
def tag(name: str, pairs: tuple[str, ...], version: str | None, remove: tuple[str, ...]) -> None:
    """Set and remove tags of a model, or of one version."""
    from runfolio.tracking.registry import checked_model_tags

    meant = next((pair for pair in pairs if pair.isdigit() or pair.startswith("@")), None)
    if meant and version is None:
        raise click.UsageError(f"{meant!r} is no tag: write KEY=VALUE, and --version {meant} for a tag of that version.")
    tags = checked_model_tags(options.key_values(pairs, "tag"))
    if not tags and not remove:
        raise click.UsageError("Give KEY=VALUE, or --remove KEY.")

    def edited(there: Mapping[str, str]) -> dict[str, str]:
        lacking = [key for key in remove if key not in there]
        if lacking:
            raise NotFoundError(f"There is no tag {lacking[0]!r}. There are: {', '.join(sorted(there)) or 'none'}.")
        return {**{key: value for key, value in there.items() if key not in remove}, **tags}

    with opened() as folio:
        if version is None:
            folio.models.edit(name, f"tag {visible(name)}", lambda found: replace(found, tags=edited(found.tags)))
        else:
            number = version_of(folio, name, version)[1].version
            folio.models.edit_version(name, number, "tag", lambda found: replace(found, tags=edited(found.tags)))
    click.echo(f"{visible(name)}: {len(tags)} set, {len(remove)} removed.", err=True)


@click.command("describe")
@name_argument
@click.argument("text")
@click.option("-v", "--version", metavar="VERSION", help="Of this version; of the model by default.")
def describe(name: str, text: str, version: str | None) -> None:
    """Say what a model is for, or what is new in a version; an empty TEXT takes the description away."""
    with opened() as folio:
        if version is None:
            folio.models.edit(name, f"describe {visible(name)}", lambda found: replace(found, description=text))
        else:
            number = version_of(folio, name, version)[1].version
            folio.models.edit_version(name, number, "describe", lambda found: replace(found, description=text))
    click.echo(f"{visible(name)}: described.", err=True)


@click.command("copy")
@name_argument
@version_argument
@click.argument("new_name")
def copy(name: str, version: str, new_name: str) -> None:
    """Register a version again under another name; the bytes are shared. Prints the new version's number."""
    from runfolio.registry import register as register_version

    with opened() as folio:
        model, found = version_of(folio, name, version)
        uri = f"models:/{model.name}/{found.version}"
        made = register_version(folio, uri, new_name, tags=found.tags, description=found.description)
    click.echo(str(made.version))


@click.command("rename")
@name_argument
@click.argument("new_name")
def rename(name: str, new_name: str) -> None:
    """Give a model another name; its folder, and so its history, stays."""
    with opened() as folio:
        folio.models.rename(name, new_name)
    click.echo(f"{visible(name)} is now {visible(new_name)}.", err=True)


@click.command("delete")
@name_argument
@click.argument("version", required=False)
@options.yes
def delete(name: str, version: str | None, yes: bool) -> None:
    """Delete a version, or a model with all its versions.

    A version's number is not given again. git's history keeps what was there: git revert brings it back.
    """
    with opened() as folio:
        if version is None:
            model = folio.models.find(name)
            numbers = folio.models.numbers_there([model])[model.slug]
            if not yes:
                click.echo(
                    f"{visible(name)} with {len(numbers)} version{'s' * (len(numbers) != 1)} would be deleted. Do it: add --yes"
                )
                return
            folio.models.delete(name)
            click.echo(f"{visible(name)} is deleted. {_way_back(folio)}", err=True)
            return
        model, found = version_of(folio, name, version)
        stage, aliases = model.stage_of(found.version), model.aliases_of(found.version)
        if not yes:
            live = f", which is in {stage}" * (stage != "None") + f", {', '.join(f'@{item}' for item in aliases)}" * bool(aliases)
            click.echo(f"{visible(name)} {found.version}{live}{',' * bool(live)} would be deleted. Do it: add --yes")
            return
        folio.models.delete_version(name, found.version)
        click.echo(f"{visible(name)} {found.version} is deleted. {_way_back(folio)}", err=True)


def _way_back(folio: Folio) -> str:
    on = "" if folio.place.ledger is None else f", on the branch {visible(folio.place.ledger.removeprefix('refs/heads/'))}"
    return f"Bring it back: git revert {(folio.place.tip() or '')[:10]}{on}"


@click.command("renumber")
@name_argument
@click.argument("version", type=click.IntRange(1))
def renumber(name: str, version: int) -> None:
    """Give a version the next free number.

    For a number that two branches both took: keep theirs in the merge, and renumber ours. In a merge with a conflict in that
    file, ours gets the next number and theirs keeps the old one.
    """
    from runfolio.registry.renumbering import renumber as renumber_version

    with opened() as folio:
        made = renumber_version(folio, name, version)
    if made.undecided:
        click.echo(f"{visible(made.undecided)} Decide in that file, then: git add it, and git commit.", err=True)
    click.echo(str(made.number))
