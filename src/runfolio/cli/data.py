"""``runfolio data``: datasets recorded by digest, compared with what lies here, brought back, and compared with each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli import options
from runfolio.cli.opening import opened
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.errors import EXIT_FINDINGS
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio.dataset_adding import Added, Wanted
    from runfolio.records.datasets import Dataset, Facts

_names = click.argument("names", metavar="[NAME]…", nargs=-1)


@click.group("data")
def data() -> None:
    """Record datasets by digest, see what changed, bring contents back.

    A dataset's content lies in the object store; which content is current is one line of datasets/NAME.yaml, which goes with your
    code. A content is NAME (the current one), NAME@REV (as of a revision) or NAME@DIGEST (8 of its hex digits at least).
    """


@data.command("add")
@click.argument("paths", metavar="[PATH]…", nargs=-1, type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="What it is called; the file's name without its ending by default.")
@click.option("--description", metavar="TEXT", help="What it is.")
@click.option(
    "--source", metavar="URI", help="Where it came from: s3://, lakefs://, hf://datasets/, https://… It is never followed."
)
@click.option("--no-store", is_flag=True, help="Keep no copy: whoever is named by --source does.")
@click.option("--digest", metavar="DIGEST", help="Of data that is not at hand; with --name and --source, without PATH.")
@click.option(
    "--sample",
    metavar="N",
    type=click.IntRange(0, 100),
    default=0,
    help="Keep the first N rows in git: they may be personal data.",
)
@click.option(
    "--top-values",
    metavar="N",
    type=click.IntRange(0, 100),
    default=0,
    help="Keep the N most frequent texts of each column: these, too.",
)
@click.option("--no-profile", is_flag=True, help="Do not look into the file: digest and size only.")
@click.option("--ignore", is_flag=True, help="Have git pass the file over: a line in .gitignore.")
@options.as_json
def add_data(paths: tuple[Path, ...], name: str | None, digest: str | None, ignore: bool, as_json: bool, **said: Any) -> None:
    """Record what lies at PATH (a file, a folder, a .dvc file, dvc.lock) as current.

    It is read once: hashed, copied to the object store, and described (rows, columns, statistics). A value of yours goes to git
    only with --sample or --top-values; of numbers and dates the least and the greatest, too.
    """
    from runfolio.folio import dataset_adding as adding

    if bool(paths) == bool(digest):
        raise click.UsageError("Name a PATH; or, for data that is not at hand, --digest with --name and --source.")
    if len(paths) > 1 and name:
        raise click.UsageError("Several paths cannot have one --name.")
    wanted = _wanted(name, **said)
    made: list[Added] = []
    with opened() as folio:
        if digest:
            made = [adding.add_elsewhere(folio, digest, wanted)]
        for path in paths:
            added = adding.add(folio, adding.found_or_refused(path), wanted)
            made += added
            for item in added if ignore else ():
                file = adding.ignore(folio, item.dataset.path)
                if file is not None:
                    click.echo(f"git passes {visible(item.dataset.path)} over now: commit {file.name}.", err=True)
    if as_json:
        print_json([_added_shape(item) for item in made])
        return
    for item in made:
        _tell_added(item)


def _wanted(name: str | None, *, sample: int, top_values: int, no_profile: bool, no_store: bool, **said: Any) -> Wanted:
    from runfolio.folio.dataset_adding import Wanted
    from runfolio.profiling import Asked
    from runfolio.tracking.datasets.sources import clean_uri

    source = said["source"]
    cleaned = clean_uri(source) if source and "://" in source else source
    if cleaned != source:
        click.echo("runfolio: what looked like a secret was taken out of --source.", err=True)
    return Wanted(name, said["description"], cleaned, Asked(sample, top_values), not no_profile, not no_store)


def _tell_added(item: Added) -> None:
    name, facts = visible(item.dataset.name), item.facts
    if item.before == item.dataset.digest:
        click.echo(f"{name}: as it was recorded ({_short(item.dataset.digest)})")
    else:
        was = f"{_short(item.before)} → " if item.before else ""
        click.echo(f"{name}: {was}{_short(item.dataset.digest)}{f', {_size_words(facts)}' if facts else ''}")
    for note in (*item.notes, *(facts.notes if facts else ())):
        click.echo(f"  note: {visible(note)}", err=True)


@data.command("status")
@_names
@options.as_json
@click.pass_context
def data_status(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Compare what lies here with what is current; ends with 1 where they differ."""
    from runfolio.folio.dataset_status import GOOD, status

    with opened() as folio:
        found = status(folio, names)
        faults = () if names else folio.datasets.found().faults
    if as_json:
        print_json([_status_shape(item) for item in found])
    else:
        rows = [[item.dataset.name, item.dataset.path, item.state.value, item.text] for item in found]
        print_table([Column("Name"), Column("Path", rank=1), Column("State", whole=True), Column("What", least=30)], rows)
        if not rows and not faults:
            click.echo("No dataset is recorded here. Record one: runfolio data add PATH", err=True)
    for fault in faults:
        click.echo(f"runfolio: {visible(fault)}", err=True)
    if faults or any(item.state not in GOOD for item in found):
        ctx.exit(EXIT_FINDINGS)


@data.command("get")
@click.argument("name", metavar="NAME[@REV|@DIGEST]")
@click.option(
    "-o", "--output", metavar="PATH", type=click.Path(path_type=Path), help="Folder to bring it to; its own place by default."
)
@click.option("--force", is_flag=True, help="Replace what lies there, though the object store does not hold it.")
@click.option("--link", is_flag=True, help="Hard links to the objects (read-only) in place of copies, where that can be.")
def get(name: str, output: Path | None, force: bool, link: bool) -> None:
    """Bring a content to its place in the work tree, verified.

    What lies there is replaced only if the object store holds it, so that nothing is lost.
    """
    from runfolio.folio.dataset_placing import fetch

    with opened() as folio:
        dataset, target, files = fetch(folio, name, output, force=force, link=link)
    what = f"{files} files written" if files != 1 else "1 file written"
    click.echo(
        f"{visible(dataset.name)} ({_short(dataset.digest)}): {visible(str(target))}: {what if files else 'it was right already'}",
        err=True,
    )


@data.command("list")
@options.as_json
def list_data(as_json: bool) -> None:
    """List the datasets and the contents that are current."""
    with opened() as folio:
        found = folio.datasets.found()
        facts = {item.slug: folio.datasets.facts(item.slug, item.digest) for item in found.datasets}
    for fault in found.faults:
        click.echo(f"runfolio: {visible(fault)}", err=True)
    if as_json:
        print_json([_dataset_shape(item, facts[item.slug]) for item in found.datasets])
        return
    rows = [[item.name, item.path, _short(item.digest), *_numbers(facts[item.slug]), item.description] for item in found.datasets]
    columns = [
        Column("Name"),
        Column("Path", rank=2),
        Column("Digest", whole=True),
        Column("Size", True),
        Column("Rows", True, 1),
    ]
    print_table([*columns, Column("Description", rank=3)], rows)


@data.command("show")
@click.argument("name", metavar="NAME[@REV|@DIGEST]")
@options.as_json
def show(name: str, as_json: bool) -> None:
    """Show the facts of a content, the versions of its dataset, and the runs that used it."""
    from runfolio.cli.data_shown import print_shown, shown_shape
    from runfolio.folio.dataset_uses import shown

    with opened() as folio:
        found = shown(folio, name)
    if as_json:
        print_json(shown_shape(found))
    else:
        print_shown(found)


@data.command("diff")
@click.argument("old", metavar="A")
@click.argument("new", metavar="[B]", required=False)
@options.as_json
@click.pass_context
def diff_data(ctx: click.Context, old: str, new: str | None, as_json: bool) -> None:
    """Tell the drift between two contents: schema, rows, and how each column's distribution moved; ends with 1 where they differ.

    B is by default the current content of A's dataset: runfolio data diff wine@HEAD~1
    """
    from runfolio.cli.data_shown import drift_shape, print_drift
    from runfolio.folio.dataset_uses import drift_between

    with opened() as folio:
        found = drift_between(folio, old, new)
    if as_json:
        print_json(drift_shape(found))
    else:
        print_drift(found)
    if found.old != found.new:
        ctx.exit(EXIT_FINDINGS)
    if new is None and "@" not in old:
        click.echo(
            f"runfolio: that is the recorded content of {old} beside itself. What changed here since then: runfolio data status {old}. "
            f"Beside an older one: runfolio data diff {old}@HEAD~1",
            err=True,
        )


@data.command("rm")
@click.argument("name", metavar="NAME")
@options.yes
def remove(name: str, yes: bool) -> None:
    """Take a dataset's file away; the data here, its facts and all contents stay."""
    with opened() as folio:
        if not yes:
            found = folio.datasets.find(name)
            click.echo(f"Would remove datasets/{found.slug}.yaml. Do it with --yes.", err=True)
            return
        gone = folio.datasets.remove(name)
    click.echo(f"{visible(gone.name)} is no dataset any more; git's history, and clean-ups, keep its contents.", err=True)


def _short(digest: str) -> str:
    return digest.partition(":")[2][:12] if digest else ""


def _size_words(facts: Facts) -> str:
    words = [f"{facts.size:,} bytes"]
    if facts.files != 1:
        words.append(f"{facts.files:,} files")
    if facts.rows is not None:
        words.append(f"{facts.rows:,} rows")
    if facts.columns:
        words.append(f"{len(facts.columns) + facts.columns_left_out:,} columns")
    return ", ".join(words)


def _numbers(facts: Facts | None) -> tuple[str, str]:
    if facts is None:
        return "", ""
    return f"{facts.size:,}", "" if facts.rows is None else f"{facts.rows:,}"


def _dataset_shape(dataset: Dataset, facts: Facts | None) -> dict[str, Any]:
    from runfolio.formats.datasets import dataset_fields

    made = {
        **dataset_fields(dataset),
        "name": dataset.name,
        "slug": dataset.slug,
        "kind": dataset.kind.value,
        "held_by": dataset.held_by.value,
    }
    if facts is not None:
        made.update(size=facts.size, files=facts.files, rows=facts.rows, columns=[column.name for column in facts.columns])
    return made


def _added_shape(item: Added) -> dict[str, Any]:
    return {**_dataset_shape(item.dataset, item.facts), "before": item.before or None, "notes": list(item.notes)}


def _status_shape(item: Any) -> dict[str, Any]:
    made = {
        "name": item.dataset.name,
        "path": item.dataset.path,
        "digest": item.dataset.digest,
        "state": item.state.value,
        "text": item.text,
    }
    for key in ("added", "removed", "changed", "first_row"):
        if getattr(item, key) is not None:
            made[key] = getattr(item, key)
    return {**made, "files": list(item.files)}
