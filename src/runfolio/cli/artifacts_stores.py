"""``runfolio artifacts push|pull|mirror`` and ``runfolio gc``: objects as a whole, between stores and out of them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runfolio.cli import options
from runfolio.cli.completion import run_names
from runfolio.cli.opening import opened
from runfolio.cli.run_files import chosen, fetch, progress, size_text
from runfolio.cli.tables import print_json
from runfolio.errors import EXIT_FINDINGS, StateError, UsageError
from runfolio.formats.durations import parse_duration
from runfolio.query import parse_filter
from runfolio.records.visible import visible


@click.command("push")
@options.as_json
def push(as_json: bool) -> None:
    """Take objects that wait here up to the store.

    This happens as runs are committed, and at runfolio sync; it is for after work without a network.
    """
    with opened() as folio:
        count, size = folio.store.waits()
        with progress("sending", size) as told:
            sent = folio.store.upload(told)
        left = folio.store.waits()[0]
    if as_json:
        print_json({"sent": sent, "bytes": size, "waiting": left})
    else:
        click.echo(f"{_objects(sent)} ({size_text(size)}) went up." if count else "Nothing waits: the store has all objects.")


@click.command("pull")
@click.argument("run", metavar="[RUN]", default="", shell_complete=run_names)
@click.argument("path", default="")
@options.as_json
def pull(run: str, path: str, as_json: bool) -> None:
    """Bring objects into the cache, to work without a network: of RUN, or of all runs and the current contents of all datasets."""
    from runfolio.folio.dataset_placing import current_objects

    with opened() as folio:
        if run:
            files = list(chosen(folio, run, path)[2].values())
        else:
            runs = folio.runs.search(parse_filter(""), limit=sys.maxsize)
            files = [entry for found in runs for entry in folio.runs.artifacts(found).values()]
            files += current_objects(folio)
        fetch(folio.store, files)
        sizes = {entry.digest: entry.size for entry in files}
    if as_json:
        print_json({"objects": len(sizes), "bytes": sum(sizes.values())})
    else:
        click.echo(f"{_objects(len(sizes))} ({size_text(sum(sizes.values()))}) are here.")


@click.command("mirror")
@click.argument("place")
@click.option("--from", "inward", is_flag=True, help="Copy from PLACE into the folio's store, rather than to PLACE.")
@options.as_json
def mirror(place: str, inward: bool, as_json: bool) -> None:
    """Copy all objects to another store, or from one.

    PLACE is a folder or a bucket, as for artifacts: in runfolio.yaml. What is there already is passed over, what is there too much
    stays; each object is verified. To move a folio to another store: mirror, then change runfolio.yaml.
    """
    from runfolio.folio.mirroring import mirror as copy
    from runfolio.folio.mirroring import other_store

    with opened() as folio:
        other = other_store(folio, place, read=inward)
        source, target = (other, folio.store) if inward else (folio.store, other)
        held = list(source.listed())
        if inward and not held:
            click.echo(f"runfolio: {visible(place)} has no objects: a store's folder is the one that holds sha256/.", err=True)
        with progress("copying", sum(item.size for item in held)) as told:
            made = copy(source, target, held, told)
    if as_json:
        print_json({"copied": made.copied, "bytes": made.bytes, "there": made.there, "faults": made.faults})
    else:
        for digest, fault in made.faults.items():
            click.echo(f"{digest}: {visible(fault)}", err=True)
        faults = f", {len(made.faults)} damaged or missing" if made.faults else ""
        click.echo(f"{_objects(made.copied)} ({size_text(made.bytes)}) copied, {made.there} there already{faults}.")
    if made.faults:
        raise SystemExit(EXIT_FINDINGS)


@click.command("gc")
@click.option("--delete", is_flag=True, help="Remove them; without it they are only counted.")
@click.option(
    "--grace", metavar="SPAN", default="14d", show_default=True, help="Keep what was put more lately, whoever names it."
)
@click.option("--deleted-runs", is_flag=True, help="Let go of files of runs that were deleted longer ago than the grace period.")
@click.option(
    "--also",
    metavar="FOLIO",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another folio that uses the store; its objects are kept.",
)
@click.option("--sole", is_flag=True, help="Say that no other folio uses the store.")
@options.as_json
def gc(delete: bool, grace: str, deleted_runs: bool, also: tuple[Path, ...], sole: bool, as_json: bool) -> None:
    """Remove objects that no run or model names any more.

    An object is in use if a record in any branch, tag, stash or remote branch names it, or a live run, or what HEAD was within the
    grace period. Fetch first, so that the runs of others are known. Without --delete nothing is removed.
    """
    from runfolio.folio import open_folio
    from runfolio.folio.unused import Unused, find_unused, remove_unused

    grace_s = float(parse_duration(grace))
    with opened() as folio:
        if delete and folio.artifacts_place and not (also or sole):
            raise StateError(
                f"The store {visible(folio.artifacts_place)} may be used by other folios, whose objects would be lost. Name them "
                "(--also FOLDER), or say that there are none: --sole."
            )
        others = [open_folio(str(place)) for place in also]
        try:
            if any(other.place.root == folio.place.root for other in others):
                raise UsageError("--also names the folio itself: name the others that use its store.")

            def look() -> Unused:
                return find_unused(folio, grace_s=grace_s, others=others, deleted_runs=deleted_runs)

            found = look()
            if delete:
                with progress("removing", found.bytes) as told:
                    remove_unused(folio, found, grace_s=grace_s, again=look, told=told)
        finally:
            for other in others:
                other.close()
    if as_json:
        print_json(
            {
                "unused": list(found.digests),
                "unused_bytes": found.bytes,
                "used": found.used,
                "used_bytes": found.used_bytes,
                "within_grace": found.young,
                "within_grace_bytes": found.young_bytes,
                "deleted": found.deleted,
                "freed_bytes": found.freed,
            }
        )
        return
    click.echo(f"in use           {_objects(found.used)}, {size_text(found.used_bytes)}")
    if found.young:
        click.echo(f"unused, but new  {_objects(found.young)}, {size_text(found.young_bytes)} (put within {grace})")
    click.echo(f"unused           {_objects(len(found.digests))}, {size_text(found.bytes)}")
    if delete:
        click.echo(f"{_objects(found.deleted)} removed, {size_text(found.freed)} freed.")
        if left := len(found.digests) - found.deleted:
            click.echo(
                f"{_objects(left)} stayed: in use since they were looked at, or judged by another clean-up (one that was killed "
                "counts for ten minutes). Run it again then.",
                err=True,
            )
    elif found.digests:
        click.echo("Nothing was removed: say --delete.", err=True)


def _objects(count: int) -> str:
    return f"{count:,} object{'s' * (count != 1)}"
