"""What tools without a registry, logged models or experiments with ids have in common: the base of their sources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from runfolio.transfer.source import Point, SourceExperiment, SourceFile, SourceLogged, SourceModel, SourceRun

ORIGIN_TAG = "runfolio.imported_from"
ORIGIN_ID_TAG = "runfolio.imported_id"


def id_of(tool: str, *origin: str) -> str:
    """Return the id here of something that another tool names its own way: the same at every import.

    Parameters
    ----------
    tool : str
        ``wandb``, ``tensorboard`` …
    *origin : str
        What names it there, from the outermost: project, run.

    Returns
    -------
    str
        32 hexadecimal digits, in the form of a UUID of version 8 (RFC 9562, section 5.8): never one of ours, which tell a time.
    """
    made = hashlib.sha256("\0".join((tool, *origin)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{made[:12]}8{made[13:16]}{'89ab'[int(made[16], 16) % 4]}{made[17:32]}"


def origin_tags(tool: str, origin: str) -> dict[str, str]:
    """Return the tags that say where a run comes from: the tool, and its name there."""
    return {ORIGIN_TAG: tool, ORIGIN_ID_TAG: origin}


class PlainSource:
    """The parts of a :class:`~runfolio.transfer.source.Source` that most tools don't have; subclasses give runs, histories and files.

    Parameters
    ----------
    tool : str
    uri : str
        Where it is, without secrets.
    """

    def __init__(self, tool: str, uri: str) -> None:
        self.tool, self._uri = tool, uri
        self._unread: dict[tuple[str, str], None] = {}

    @property
    def uri(self) -> str:
        """Where it is, without secrets."""
        return self._uri

    def experiment(self, name: str) -> SourceExperiment:
        """Return an experiment that has only a name there."""
        return SourceExperiment(id_of(self.tool, "experiment", name), name)

    def cannot_read(self, where: str, why: str) -> None:
        """Note something that lies in the store and could not be read; the import tells it."""
        self._unread.setdefault((where, why))

    def forget(self, run_id: str) -> None:
        """Leave out what was noted of a run (``run ID …``): it is not one that is asked for."""
        self._unread = {note: None for note in self._unread if not note[0].startswith(f"run {run_id}")}

    def unread(self, seen: set[str], *, whole: bool) -> Iterator[tuple[str, str]]:
        """Yield what was noted by :meth:`cannot_read`."""
        yield from self._unread

    def history(self, run_id: str, key: str) -> Iterable[Point]:
        """Return the points of a metric, in the order in which they were logged; for a tool that keeps metrics apart."""
        raise NotImplementedError

    def points(self, run: SourceRun) -> Iterator[tuple[str, Point]]:
        """Yield the points of all metrics of a run: metric by metric, where a subclass has no faster way."""
        for key in sorted(run.metrics):
            for point in self.history(run.run_id, key):
                yield key, point

    def logged(self, experiment_ids: Sequence[str]) -> Iterator[SourceLogged]:
        """Yield nothing: logged models are MLflow's."""
        return iter(())

    def logged_files(self, model_id: str) -> list[SourceFile]:
        """Return nothing."""
        return []

    def fetch_logged(self, model_id: str, path: str, folder: Path) -> Path:
        """Refuse."""
        raise NotImplementedError

    def models(self) -> Iterator[SourceModel]:
        """Yield nothing: there is no registry."""
        return iter(())

    def fetch_version(self, name: str, version: int, folder: Path) -> Path:
        """Refuse."""
        raise NotImplementedError
