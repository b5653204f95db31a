"""Files on the command line: named by ``RUN PATH``, ``runs:/RUN/PATH`` or ``models:/NAME/VERSION/PATH``, listed, and copied out."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import click

from runfolio.cli.shapes import artifact_shape
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.errors import NotFoundError
from runfolio.formats.csv_text import csv_text
from runfolio.records import ArtifactEntry
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.objects import ObjectStore

SCHEME, MODELS = "runs:/", "models:/"
_BAR_BYTES = 1 << 20


def split_name(run: str, path: str) -> tuple[str, str]:
    """Return run and path of ``RUN PATH`` or ``runs:/RUN/PATH``."""
    if run.startswith(MODELS):
        raise click.UsageError(f"{run!r}: the files of a registered version never change. Log them to a run and register that.")
    if not run.startswith(SCHEME):
        return run, path.strip("/")
    text, _, below = run[len(SCHEME) :].strip("/").partition("/")
    if not text:
        raise click.UsageError(f"{run!r} names no run: write runs:/RUN/PATH.")
    return text, "/".join(part for part in (below, path.strip("/")) if part)


def chosen(folio: Folio, run: str, path: str, at: str | None = None) -> tuple[str, str, dict[str, ArtifactEntry]]:
    """Return in words whose files they are, the path that is asked for, and the files there or below, by their paths.

    Parameters
    ----------
    folio : Folio
    run : str
        A run, ``runs:/RUN/PATH``, or ``models:/NAME/VERSION/PATH`` in any of its forms.
    path : str
        Below that.
    at : str, optional
        Commit id: as the records of that commit have it.

    Raises
    ------
    NotFoundError
        If there is no such run or version, or a path is asked for at which it has nothing.
    """
    from runfolio.tracking.artifacts import matching

    who, wanted, listed = _of_model(folio, run, path, at) if run.startswith(MODELS) else _of_run(folio, run, path, at)
    files = matching(listed, wanted)
    if wanted and not files:
        near = ", ".join(visible(name) for name in sorted(listed)[:6]) or "none"
        raise NotFoundError(f"{who} has no artifact {wanted!r}. It has: {near}.")
    return who, wanted, files


def _of_run(folio: Folio, run: str, path: str, at: str | None) -> tuple[str, str, dict[str, ArtifactEntry]]:
    text, wanted = split_name(run, path)
    found = folio.runs.named(text, at)
    return f"Run {found.run_id}", wanted, folio.runs.artifacts(found)


def _of_model(folio: Folio, uri: str, path: str, at: str | None) -> tuple[str, str, dict[str, ArtifactEntry]]:
    from runfolio.registry import files_of, parse_model_uri, resolve

    asked = parse_model_uri(uri)
    model, version = resolve(folio, asked, at)
    wanted = "/".join(part for part in (asked.path, path.strip("/")) if part)
    return f"Version {version.version} of {visible(model.name)}", wanted, files_of(folio, version)


def show_files(files: Mapping[str, ArtifactEntry], *, as_json: bool, as_csv: bool = False, raw: bool = False) -> None:
    """Print the files of a run, as a table, as JSON or as CSV."""
    shapes = [artifact_shape(name, files[name]) for name in sorted(files)] if as_json or as_csv else []
    if as_json:
        print_json(shapes)
    elif as_csv:
        keys = ("path", "size", "digest")
        click.echo(csv_text(keys, [[shape[key] for key in keys] for shape in shapes], raw=raw), nl=False)
    elif files:
        print_table(*artifact_rows(files))
    else:
        click.echo("There are no artifacts.", err=True)


def fetch(store: ObjectStore, entries: Iterable[ArtifactEntry]) -> None:
    """Bring objects near before they are read, with a bar where somebody looks on."""
    wanted = {entry.digest: entry.size for entry in entries}
    with progress("fetching", sum(wanted.values())) as told:
        store.fetch(wanted, told)


@contextlib.contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar of bytes on standard error while objects move; nothing where that is no terminal."""
    if not sys.stderr.isatty() or total < _BAR_BYTES:
        yield lambda size: None
        return
    one_at_a_time = Lock()
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:

        def told(size: int) -> None:
            with one_at_a_time:
                bar.update(size)

        yield told


def copy_files(folio: Folio, files: Mapping[str, ArtifactEntry], folder: Path) -> None:
    """Copy files of a run below a folder, verified, and say how many."""
    fetch(folio.store, files.values())
    for name, entry in files.items():
        folio.store.copy_to(entry.digest, folder / name)
    click.echo(f"{count_text(len(files))} copied to {folder}", err=True)


def artifact_rows(files: Mapping[str, ArtifactEntry], paths: Sequence[str] | None = None) -> tuple[list[Column], list[list[str]]]:
    """Return the columns and rows that list files: some, or all in order of their paths."""
    columns = [Column("artifact"), Column("size", right=True, whole=True), Column("digest", rank=1, whole=True)]
    return columns, [
        [path, size_text(files[path].size), files[path].digest[:19]] for path in (sorted(files) if paths is None else paths)
    ]


def size_text(size: int) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> size_text(999), size_text(1_234_567)
    ('999 B', '1.2 MB')
    """
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{size} B" if units[0] == "B" else f"{value:.3g} {units[0]}" if value >= 100 else f"{value:.1f} {units[0]}"


def count_text(count: int) -> str:
    """Say how many files there are."""
    return f"{count} file{'s' * (count != 1)}"
