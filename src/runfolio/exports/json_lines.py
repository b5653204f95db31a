"""``runfolio export json``: all that the records say, a line of JSON a record, in the order of :mod:`runfolio.exports.lines`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import groupby, islice
from pathlib import Path
from typing import TextIO

from runfolio._version import __version__
from runfolio.errors import RunfolioError, storage_errors
from runfolio.exports import lines
from runfolio.exports.folders import FORMAT, export_folder, write_about
from runfolio.exports.lines import Fields, Line
from runfolio.exports.report import Report
from runfolio.exports.selection import PAGE, FolioReader, Selection
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.records import Run
from runfolio.records.datasets import facts_name
from runfolio.records.reproductions import Reproduction

FILE = "records.jsonl"
SCHEMA = "records.schema.json"


def export_json(
    folio: Folio,
    target: Path,
    selection: Selection,
    *,
    check: bool = True,
    force: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> Report:
    """Write the records of a folio as lines of JSON, with the schema beside them.

    The arguments are those of :func:`runfolio.exports.tabular.export_tables`.

    Returns
    -------
    Report
        ``counts`` are lines by kind; of ``points`` the points.
    """
    report = Report()
    with export_folder(target, folio.place.root, force=force) as folder:
        reader = FolioReader(folio, selection, report)
        try:
            write_records(reader, folder, check=check, tell=tell)
        finally:
            reader.close()
        (folder / SCHEMA).write_text(lines.schema_text(), encoding="utf-8")
        write_about(folder, "json", selection, report, {})
    return report


def write_records(reader: FolioReader, folder: Path, *, check: bool, tell: Callable[[str], None]) -> None:
    """Write ``records.jsonl`` into a folder; what is written is counted in the reader's report."""
    with (folder / FILE).open("w", encoding="ascii", newline="") as file:
        for line in _lines(reader, check, tell):
            _write(file, line, reader.report)


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the records of a ``records.jsonl``.

    Raises
    ------
    DamagedError
        If a line is none of an export; the message names file and line.
    StorageError
        If the file cannot be read.
    """
    with storage_errors(f"read {path}"), path.open(encoding="ascii") as file:
        for number, text in enumerate(file, 1):
            yield lines.decode_line(text, f"{path.name}: line {number}")


def _write(file: TextIO, line: Fields, report: Report) -> None:
    file.write(lines.encode_line(line))
    if line["kind"] != "export":
        report.wrote(line["kind"], len(line["steps"]) if line["kind"] == "points" else 1)


def _lines(reader: FolioReader, check: bool, tell: Callable[[str], None]) -> Iterator[Fields]:
    selection = reader.selection.document()
    yield {"kind": "export", "format": FORMAT, "commit": reader.commit, "runfolio": __version__, "selection": selection}
    for experiment in reader.chosen_experiments():
        yield lines.experiment_line(experiment)
    environments: set[str] = set()
    attempts = _attempts(reader)
    found, done = reader.runs(), 0
    while page := list(islice(found, PAGE)):
        if check:
            _look(reader, page)
        for run in page:
            environments.add(str(run.environment.get("lock") or ""))
            yield from _run_lines(reader, run, attempts.get(run.run_id, ()))
        done += len(page)
        if done % (20 * PAGE) == 0:
            tell(f"{done:,} runs written")
    yield from _environments(reader, sorted(environments - {""}))
    yield from _datasets(reader)
    yield from _models(reader)


def _attempts(reader: FolioReader) -> dict[str, list[Reproduction]]:
    """Return the attempts to make runs again, by run; one whose record is damaged is a finding."""
    made = reader.folio.reproductions.all(reader.commit)
    known = {(item.run_id, item.attempt_id) for items in made.values() for item in items}
    for path in reader.paths_in(paths.REPRODUCTIONS):
        named = paths.reproduction_of_path(path)
        if named is not None and named not in known:
            reader.passed_over(path)
    return made


def _look(reader: FolioReader, page: list[Run]) -> None:
    named = [(f"run {run.run_id}: {path}", entry) for run in page for path, entry in (reader.artifacts(run) or {}).items()]
    reader.look_for(named)


def _run_lines(reader: FolioReader, run: Run, attempts: list[Reproduction] | tuple[()]) -> Iterator[Fields]:
    yield lines.run_line(run)
    if run.manifest is not None:
        held = reader.artifacts(run)
        if held is not None:
            yield lines.artifacts_line(run.run_id, held)
    for key, same in groupby(reader.points(run), key=lambda point: point.key):
        while part := list(islice(same, lines.MOST_POINTS)):
            yield lines.points_line(run.run_id, key, part)
    for attempt in attempts:
        yield lines.reproduction_line(attempt)


def _environments(reader: FolioReader, names: list[str]) -> Iterator[Fields]:
    for name in names:
        path = paths.environment_path(name)
        data = reader.folio.place.read(reader.commit, path)
        text = reader.folio.spool.environment(name) if data is None else data
        if text is None:
            reader.report.find(path, "the list of packages is not there, though runs name it")
            continue
        yield lines.text_line("environment", path, text.decode("utf-8", "surrogateescape"))


def _datasets(reader: FolioReader) -> Iterator[Fields]:
    for dataset, _ in reader.datasets:
        yield lines.dataset_line(dataset)
        known = set()
        for facts in reader.folio.datasets.contents(dataset.slug, reader.commit):
            known.add(paths.facts_path(dataset.slug, facts_name(facts.digest)))
            yield lines.facts_line(dataset.slug, facts)
        for path in reader.paths_in(f"{paths.DATASETS}/{dataset.slug}"):
            if paths.facts_of_path(path) and path not in known:
                reader.passed_over(path)


def _models(reader: FolioReader) -> Iterator[Fields]:
    place = reader.folio.place
    for model, versions in reader.models:
        yield lines.model_line(model)
        for version in versions:
            yield lines.version_line(model.slug, version)
            path = paths.card_path(model.slug, version.version)
            try:
                card = place.read(reader.commit, path)
            except RunfolioError as error:
                reader.report.find(path, f"the card cannot be read: {error.message}")
                continue
            if card is not None:
                yield lines.text_line("card", path, card.decode("utf-8", "surrogateescape"))
        numbers = {version.version for version in versions}
        yield from _deployments(reader, model.slug, numbers)
        for event in reader.events(model, versions):
            told = {key: value for key, value in asdict(event).items() if value not in ("", None) and key != "kind"}
            yield {"kind": "event", "model": model.slug, "event": event.kind, "author": "", "text": "", **told}


def _deployments(reader: FolioReader, slug: str, numbers: set[int]) -> Iterator[Fields]:
    found = reader.folio.deployments.of_model(slug, reader.commit)
    folder = f"{paths.MODELS}/{slug}/deployments"
    there = [path for path in reader.paths_in(folder) if paths.deployment_of_path(path)]
    if len(there) > len(found):
        count = len(there) - len(found)
        reader.report.find(folder, f"{count} of {len(there)} records are damaged and not in the export: runfolio check")
    for deployment in found:
        if deployment.version in numbers:
            yield lines.deployment_line(slug, deployment)
