"""Take another store into a folio: experiments, runs in batches, registered models; again, and only what is new is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runfolio.errors import RunfolioError, StorageError
from runfolio.folio.folio import Folio
from runfolio.gateway.model_facts import CARRIES_TAG
from runfolio.records import Experiment, Lifecycle, Run
from runfolio.records.names import MAX_EXPERIMENT_TAG_LENGTH
from runfolio.transfer.choice import Choice
from runfolio.transfer.files import MISSING_TAG, missing_of
from runfolio.transfer.findings import Imported
from runfolio.transfer.journals import Expected, Stage, differences
from runfolio.transfer.logged import LoggedOf, by_run, carrier_of
from runfolio.transfer.registry import take_models
from runfolio.transfer.source import Source, SourceExperiment, SourceRun, StoreGoneError
from runfolio.transfer.spelling import NAME_TAG, name_of, name_tag, names_of, spelled_experiment

BATCH = 200
BATCH_POINTS = 1_000_000
NOTE_TAG = "mlflow.note.content"


def import_store(folio: Folio, source: Source, choice: Choice | None = None) -> Imported:
    """Take a store in.

    Parameters
    ----------
    folio : Folio
    source : Source
    choice : Choice, optional
        All of it by default.

    Returns
    -------
    Imported
    """
    choice, done = choice or Choice(), Imported()
    wanted = choice.among(source.experiments(), done, "the store")
    homes = {item.experiment_id: _home(folio, item, done, choice.dry_run) for item in wanted}
    seen: set[str] = set()
    if choice.dry_run:
        _count(folio, source, list(homes), choice, done, seen)
    else:
        _take_runs(folio, source, homes, choice, done, seen)
    if choice.models:
        choice.tell("registered models")
        take_models(folio, source, done, dry_run=choice.dry_run)
    for where, why in source.unread(seen, whole=choice.whole):
        done.find(where, why)
    return done


def _home(folio: Folio, item: SourceExperiment, done: Imported, dry_run: bool) -> Experiment | None:
    """Return the folio's experiment for one of the store's, made if it is missing."""
    name = spelled_experiment(item.name)
    while (found := folio.experiments.by_name(name)) and name != item.name and name_of(name, found.tags) != name_tag(item.name):
        name += "_"
    if found is not None:
        done.had("experiments")
        return found
    done.took("experiments")
    if name != item.name:
        what = f"a name cannot be that here; it is {name!r}, and the tag {NAME_TAG} says what it was"
        done.find(f"experiment {item.name!r}", what)
    if dry_run:
        return None
    tags, note = dict(item.tags), item.tags.get(NOTE_TAG, "")
    tags.pop(NOTE_TAG, None)
    for key, text in tags.items():
        if len(text) > MAX_EXPERIMENT_TAG_LENGTH:
            done.find(f"experiment {item.name}", f"tag {key}: cut from {len(text)} to {MAX_EXPERIMENT_TAG_LENGTH} characters")
            tags[key] = text[:MAX_EXPERIMENT_TAG_LENGTH]
    if name != item.name:
        tags[NAME_TAG] = name_tag(item.name)
    made = folio.experiments.adopt(
        item.experiment_id, name, tags, note, created=item.created, updated=item.updated,
        lifecycle=Lifecycle.DELETED if item.deleted else Lifecycle.ACTIVE,
    )  # fmt: skip
    if made.experiment_id != item.experiment_id:
        done.find(
            f"experiment {item.name}", f"its id {item.experiment_id} is another experiment's here; it is {made.experiment_id}"
        )
    return made


def _count(folio: Folio, source: Source, ids: Sequence[str], choice: Choice, done: Imported, seen: set[str]) -> None:
    logged = by_run(source.logged(ids))
    for run in _all_runs(source, ids, choice.since_ms, logged):
        if run.run_id in seen:
            continue
        seen.add(run.run_id)
        there = folio.runs.committed(run.run_id)
        if there is not None:
            done.had("runs")
            if missing := missing_of(there.tags) if choice.files else ():
                done.took("artifacts", len(missing))
            continue
        done.took("runs")
        done.took("metrics", len(run.metrics))
        try:
            listed = source.files(run.run_id) if choice.files and CARRIES_TAG not in run.tags else []
            for model in logged.get(run.run_id, LoggedOf()).made if choice.files else ():
                listed = [*listed, *source.logged_files(model.model_id)]
        except (StoreGoneError, StorageError):
            raise
        except RunfolioError as error:
            done.find(f"run {run.run_id}", error.message)
            continue
        for item in listed:
            if item.refused:
                done.find(f"run {run.run_id}", f"{item.path} was not taken: {item.refused}")
        listed = [item for item in listed if not item.refused]
        done.took("artifacts", len(listed))
        done.size += sum(item.size for item in listed)


def _all_runs(source: Source, ids: Sequence[str], since_ms: int | None, logged: dict[str, LoggedOf]) -> Iterator[SourceRun]:
    """Yield the runs of a store, and those that are made here to hold a model that no run made."""
    yield from source.runs(ids, since_ms)
    alone = [carrier_of(model) for found in logged.values() for model in found.made if model.run_id is None]
    yield from (run for run in alone if since_ms is None or run.start >= since_ms)


def _take_runs(
    folio: Folio,
    source: Source,
    homes: dict[str, Experiment | None],
    choice: Choice,
    done: Imported,
    seen: set[str],
) -> None:
    stage = Stage(folio, source, done, files=choice.files)
    batch: list[Expected] = []
    points = changed = 0
    try:
        logged = by_run(source.logged(list(homes)))
        for run in _all_runs(source, list(homes), choice.since_ms, logged):
            if run.run_id in seen:
                done.find(f"run {run.run_id}", f"the store has it twice; the one of experiment {run.experiment_id} was not taken")
                continue
            seen.add(run.run_id)
            home = homes[run.experiment_id]
            assert home is not None
            there, made = folio.runs.committed(run.run_id), logged.get(run.run_id, LoggedOf())
            try:
                if there is None:
                    batch.append(stage.take(run, home, made))
                    points += batch[-1].points
                else:
                    _compare_there(run, there, done)
                    changed += choice.files and MISSING_TAG in there.tags and stage.complete(run, there, made)
            except (StoreGoneError, StorageError):
                raise
            except RunfolioError as error:
                what = "it was not taken" if there is None else "its missing files were not taken"
                done.find(f"run {run.run_id}", f"{what}: {error.message}")
            if len(batch) >= BATCH or points >= BATCH_POINTS:
                _commit(folio, batch, done, choice.verify)
                points = 0
                choice.tell(f"{done.counts.get('runs', 0)} runs")
        _commit(folio, batch, done, choice.verify)
        if changed:
            for item in folio.commit(wait=True).waiting:
                done.find(f"run {item.run_id}", f"it waits: {item.reason}")
    finally:
        stage.close()


def _compare_there(run: SourceRun, found: Run, done: Imported) -> None:
    """Leave a run that the folio has as it is; where the store has gone on since, that is a finding."""
    done.had("runs")
    names = names_of(found.tags)
    metrics = sorted(names.get("metrics", {}).get(key, key) for key in found.metrics)
    params = sorted(names.get("params", {}).get(key, key) for key in found.params)
    moved = [
        name
        for name, one, other in (
            ("status", run.status, found.status.value),
            ("end", run.end, found.end),
            ("metrics", sorted(run.metrics), metrics),
            ("params", sorted(run.params), params),
        )
        if one != other
    ]
    if moved:
        done.find(
            f"run {run.run_id}",
            f"the store says otherwise than the folio ({', '.join(moved)}): it went on after it was taken. Delete it here "
            f"(runfolio runs delete {run.run_id}, runfolio gc), and import again.",
        )


def _commit(folio: Folio, batch: list[Expected], done: Imported, verify: bool) -> None:
    if not batch:
        return
    result = folio.commit(wait=True)
    waiting = {item.run_id: item.reason for item in result.waiting}
    for expected in batch:
        run = expected.run
        if run.run_id in waiting:
            done.find(f"run {run.run_id}", f"it waits: {waiting[run.run_id]}")
            continue
        done.took("runs")
        done.took("points", expected.points)
        done.took("artifacts", len(expected.artifacts))
        if verify:
            for difference in differences(expected, folio):
                done.find(f"run {run.run_id}", f"read back, {difference}")
            done.verified += 1
    batch.clear()
