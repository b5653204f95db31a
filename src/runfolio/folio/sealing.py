"""One ended journal to the files of its run: record, metric histories, manifest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from runfolio._dataclass import dataclass, replace
from runfolio._typing import TYPE_CHECKING
from runfolio.errors import storage_error
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.runs import MAX_INLINE_ARTIFACTS, encode_run
from runfolio.formats.series import Reduction, SeriesWriter
from runfolio.journal import RunState
from runfolio.records import ArtifactEntry, MetricPoint, Run, SeriesRef

if TYPE_CHECKING:
    from runfolio.objects import ObjectStore

MANIFEST_TYPE = "application/vnd.runfolio.manifest+json"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A run ready to be committed.

    Parameters
    ----------
    run : Run
    path : str
        Of its record, from the folio's root.
    files : dict of str to bytes
        By path from the folio's root.
    """

    run: Run
    path: str
    files: dict[str, bytes]


def seal_run(
    place: Place, store: Callable[[], ObjectStore], tip: str | None, state: RunState, before: Run | None, previous: Sealed | None
) -> Sealed:
    """Make the files of a run from its journal.

    Parameters
    ----------
    place : Place
    store : callable
        Opens the object store, which takes long histories and long lists of artifacts.
    tip : str or None
        The commit that `before` is from.
    state : RunState
    before : Run or None
        The record that the journal amends.
    previous : Sealed or None
        `before`, where it is of the same batch and not committed yet.
    """
    run = state.run(before)
    files: dict[str, bytes] = {}
    path = paths.run_path(run.experiment, run.run_id, run.start)
    if state.reduction.points:
        run, preview = _with_series(place, store, tip, state, run, before, previous)
        if preview is not None:
            files[paths.series_path(path)] = preview
    if before is not None and before.manifest is not None and state.artifacts:
        from runfolio.objects.manifests import decode_manifest

        listed = decode_manifest(store().read(before.manifest.digest), f"the manifest of run {run.run_id}")
        run = replace(run, artifacts={**listed, **state.artifacts})
    run = _with_manifest(store, run)
    if state.resumed_at is not None:
        run = replace(run, resumed=(*run.resumed, state.resumed_at))
    files[path] = encode_run(run)
    return Sealed(run, path, {**(previous.files if previous else {}), **files})


def _with_manifest(store: Callable[[], ObjectStore], run: Run) -> Run:
    if len(run.artifacts) <= MAX_INLINE_ARTIFACTS:
        return replace(run, artifact_count=len(run.artifacts)) if run.artifacts else run
    from runfolio.objects.manifests import encode_manifest

    digest, size = store().put_bytes(encode_manifest(run.artifacts))
    return replace(run, artifacts={}, manifest=ArtifactEntry(digest, size, MANIFEST_TYPE), artifact_count=len(run.artifacts))


def _with_series(
    place: Place,
    store: Callable[[], ObjectStore],
    tip: str | None,
    state: RunState,
    run: Run,
    before: Run | None,
    previous: Sealed | None,
) -> tuple[Run, bytes | None]:
    def read_preview() -> bytes | None:
        assert before is not None
        path = paths.series_path(paths.run_path(before.experiment, before.run_id, before.start))
        return previous.files.get(path) if previous else place.read(tip, path)

    def points() -> Iterator[MetricPoint]:
        if before is not None and before.metrics:
            from runfolio.folio.series import points_of

            yield from points_of(before, read_preview, store())
        yield from state.points()

    reduction = state.reduction
    if before is not None and before.metrics:
        reduction = Reduction()
        for point in points():
            reduction.add(point.key, point.value, point.timestamp, point.step)
    preview = reduction.preview(run.run_id)
    if preview is None and reduction is state.reduction and run.series is None:
        return run, None  # one point a metric: the summaries of `run` say all
    reference = None
    if preview is not None:
        if reduction.whole:
            reference = SeriesRef(reduction.points, True)
        else:
            # What a short run logged is still in memory: its journal need not be read once more.
            reference = _full_history(place, store, reduction.exact() or points(), reduction.points)
    return replace(run, metrics=reduction.summaries(), series=reference), preview


def _full_history(place: Place, store: Callable[[], ObjectStore], points: Iterator[MetricPoint], count: int) -> SeriesRef:
    """Stream every point into one object."""
    folder = place.local / "tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        import tempfile

        handle, name = tempfile.mkstemp(dir=folder, suffix=".series")
        try:
            with os.fdopen(handle, "wb") as file, SeriesWriter(file) as writer:
                for point in points:
                    writer.add(point.key, point.step, point.timestamp, point.value)
            digest, size = store().put_file(Path(name))
        finally:
            os.unlink(name)
    except OSError as error:
        if hasattr(error, "exit_code"):
            raise
        raise storage_error("write a metric history", error) from None
    return SeriesRef(count, False, digest, size)
