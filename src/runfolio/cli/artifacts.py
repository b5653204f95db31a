"""``runfolio artifacts``: files of runs listed, copied, printed, added, verified, and found by their digest; and moved between stores.

A file is named ``RUN PATH`` or, as in MLflow, ``runs:/RUN/PATH`` or ``models:/NAME/VERSION/PATH``; RUN is an id, the start of one, or a
name. Whatever is copied or printed was first compared with its digest.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runfolio.cli import options
from runfolio.cli.artifacts_stores import mirror, pull, push
from runfolio.cli.completion import run_names
from runfolio.cli.health import Share
from runfolio.cli.opening import opened
from runfolio.cli.run_files import artifact_rows, chosen, copy_files, count_text, show_files, split_name
from runfolio.cli.shapes import artifact_shape
from runfolio.cli.tables import print_json, print_table
from runfolio.errors import EXIT_FINDINGS, DamagedError, NotFoundError, StorageError
from runfolio.records import ArtifactEntry
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio

of_run = click.argument("run", metavar="RUN", shell_complete=run_names)
of_path = click.argument("path", default="")


@click.group("artifacts")
def artifacts() -> None:
    """List, copy, print, add and verify files of runs and models.

    A file is RUN PATH, runs:/RUN/PATH, or models:/NAME/VERSION/PATH, where VERSION may also be a stage or latest, and
    models:/NAME@ALIAS/PATH goes, too.
    """


for command in (push, pull, mirror):
    artifacts.add_command(command)


@artifacts.command("list")
@of_run
@of_path
@options.as_json
def list_artifacts(run: str, path: str, as_json: bool) -> None:
    """List the files of a run, or those below PATH."""
    with opened() as folio:
        _, _, files = chosen(folio, run, path)
    show_files(files, as_json=as_json)


@artifacts.command("get")
@of_run
@of_path
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    default=".",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to copy into; the current one by default.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that are there with other content.")
def get(run: str, path: str, output: Path, overwrite: bool) -> None:
    """Copy a file, or all below a folder, verified.

    Each file appears whole or not at all. Where one is there already with other content, nothing is copied.
    """
    with opened() as folio:
        who, _, files = chosen(folio, run, path)
        if not files:
            click.echo(f"{who} has no artifacts.", err=True)
            return
        if not overwrite:
            _refuse_others(files, output)
        copy_files(folio, files, output)


@artifacts.command("cat")
@of_run
@of_path
def cat(run: str, path: str) -> None:
    """Print one file, verified before its first byte."""
    with opened() as folio:
        who, wanted, files = chosen(folio, run, path)
        entry = files.get(wanted)
        if entry is None:
            names = ", ".join(visible(name) for name in sorted(files)[:6]) or "none"
            said = f"{wanted!r} is not one file" if wanted else "name the file to print"
            raise NotFoundError(f"{who}: {said}. Choose one of: {names}.")
        with folio.store.open_verified(entry.digest) as source:
            shutil.copyfileobj(source, sys.stdout.buffer)
            sys.stdout.buffer.flush()


@artifacts.command("put")
@of_run
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", default="")
def put(run: str, source: Path, folder: str) -> None:
    """Add a file, or a folder with all that is in it, to a run.

    FOLDER is where in the run. The run may have ended: the addition is a commit of its own.
    """
    from runfolio.tracking.client import RunfolioClient

    with opened() as folio:
        run_text, below = split_name(run, "")
        run_id = folio.runs.resolve(run_text)
        before = folio.runs.artifacts(folio.runs.get(run_id))
        client = RunfolioClient(str(folio.place.root))
        where = "/".join(part for part in (below, folder.strip("/")) if part) or None
        if source.is_dir():
            client.log_artifacts(run_id, str(source), where)
        else:
            client.log_artifact(run_id, str(source), where)
        after = folio.runs.artifacts(folio.runs.get(run_id))
    changed = {name: entry for name, entry in after.items() if before.get(name) != entry}
    if changed:
        print_table(*artifact_rows(changed))
    else:
        click.echo("The run has these files already.", err=True)


@artifacts.command("verify")
@click.argument("run", metavar="[RUN]", default="", shell_complete=run_names)
@of_path
@click.option(
    "--read-data", type=Share(), is_flag=False, flag_value=1.0, default=0.0, metavar="[all|N%]",
    help="Without RUN: also read the bytes, of all objects or of a random share.",
)  # fmt: skip
@options.as_json
def verify(run: str, path: str, read_data: float, as_json: bool) -> None:
    """Compare files with their digests: every byte of RUN's files, or what all runs and models name.

    Without RUN each object is looked up and its size compared; --read-data reads its bytes, too. Ends with 1 where one is missing or
    damaged, and names run and file.
    """
    if not run:
        _verify_all(read_data, as_json)
        return
    faults: dict[str, str] = {}
    with opened() as folio:
        _, _, files = chosen(folio, run, path)
        for name, entry in files.items():
            fault = _fault(folio, entry)
            if fault:
                faults[name] = fault
    if as_json:
        print_json([{**artifact_shape(name, files[name]), "fault": faults.get(name)} for name in sorted(files)])
    else:
        for name in sorted(faults):
            click.echo(f"{visible(name)}: {faults[name]}", err=True)
        click.echo(f"{count_text(len(files))} read, {len(faults)} missing or damaged.")
    if faults:
        raise SystemExit(EXIT_FINDINGS)


def _verify_all(read_data: float, as_json: bool) -> None:
    from runfolio.folio.checking import check

    counts = [(0, 0)]
    with opened() as folio:
        findings = check(folio, read_data=read_data, looked=lambda known, read: counts.append((known, read)))
    found = [item for item in findings if item.rule.startswith("object.")]
    away = next((item for item in found if item.rule == "object.unreachable"), None)
    if away is not None:
        raise StorageError(f"{away.message}. {away.remedy}.")
    if as_json:
        print_json([{"rule": item.rule, "file": item.file, "field": item.field, "message": item.message} for item in found])
    else:
        for item in found:
            click.echo(visible(f"{item.message}. {item.remedy}."), err=True)
        known, read = counts[-1]
        looked = f"{known:,} looked up, the bytes of {read:,} read."
        good = f"All objects are there and as they should be: {looked}"
        click.echo(f"{count_text(len(found))} of runs and models missing or damaged. Of the objects {looked}" if found else good)
    if found:
        raise SystemExit(EXIT_FINDINGS)


@artifacts.command("where")
@of_run
@of_path
@options.as_json
def where(run: str, path: str, as_json: bool) -> None:
    """Say where the bytes of files lie in the object store."""
    from runfolio.objects import is_bucket

    with opened() as folio:
        _, _, files = chosen(folio, run, path)
        urls = {name: folio.store.url(entry.digest) for name, entry in files.items()}
        there = {name: folio.store.exists(entry.digest) for name, entry in files.items()}
        in_bucket = is_bucket(folio.artifacts_place or "")
    if as_json:
        print_json([{**artifact_shape(name, files[name]), "url": urls[name], "there": there[name]} for name in sorted(files)])
        return
    for name in sorted(files):
        waits = in_bucket and urls[name].startswith("file:")
        missing = "  (waits here for runfolio sync)" if waits else "" if there[name] else "  (missing)"
        click.echo(f"{visible(name)}  {files[name].digest}\n  {visible(urls[name])}{missing}")


def _refuse_others(files: Mapping[str, ArtifactEntry], output: Path) -> None:
    """Raise where a copy would replace content that is not the same."""
    from runfolio.objects.files import digest_of_file

    for name, entry in files.items():
        target = output / name
        if target.is_file():
            if digest_of_file(target)[0] == entry.digest:
                continue
        elif not target.exists() and not target.is_symlink():
            continue
        raise click.UsageError(
            f"{target} is there with other content; nothing was copied. Choose another -o, or say --overwrite."
        )


def _fault(folio: Folio, entry: ArtifactEntry) -> str:
    """Say what is wrong with an object; empty where nothing is."""
    try:
        folio.store.verify(entry.digest)
        size = folio.store.size(entry.digest)
    except (NotFoundError, DamagedError) as error:
        return str(error)
    return "" if size == entry.size else f"The record says {entry.size} bytes, the object has {size}: see runfolio check."
