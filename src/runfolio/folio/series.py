"""Metric histories of a run, wherever their points lie: in the summary, beside the record, in an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runfolio.formats.series import decode_series, read_series
from runfolio.objects import ObjectStore
from runfolio.records import MetricPoint, Run


def points_of(
    run: Run, read_preview: Callable[[], bytes | None], store: ObjectStore, key: str | None = None
) -> Iterator[MetricPoint]:
    """Yield the points of a committed run.

    Parameters
    ----------
    run : Run
    read_preview : callable
        Returns the bytes of the file beside the record.
    store : ObjectStore
    key : str, optional
        One metric only.

    Yields
    ------
    MetricPoint
        Of each metric in the order in which they were logged.
    """
    keys = run.metrics if key is None else [name for name in (key,) if name in run.metrics]
    if run.series is None:
        for name in keys:
            summary = run.metrics[name]
            yield MetricPoint(name, summary.last, summary.timestamp, summary.step)
        return
    if run.series.digest is not None and not run.series.whole:
        with store.open_verified(run.series.digest) as file:
            yield from read_series(file, key)
        return
    held = decode_series(read_preview() or b"", f"the series of run {run.run_id}", trusted=True)
    for name in keys:
        yield from held.points(name)
