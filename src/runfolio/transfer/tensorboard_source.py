"""A folder of TensorBoard's event files: a run for each folder that has some."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runfolio.errors import NotFoundError
from runfolio.transfer.event_files import write_hparams, write_part
from runfolio.transfer.event_runs import EventFile, RunEvents, events, protos
from runfolio.transfer.folders import walked
from runfolio.transfer.plain import PlainSource, id_of, origin_tags
from runfolio.transfer.source import Point, SourceExperiment, SourceFile, SourceRun

TOOL = "tensorboard"
HPARAMS = "hparams.json"
PROJECTOR = "projector_config.pbtxt"
_MOMENT = re.compile(r"\d{9,}\.\d+\Z")
"""PyTorch's ``add_hparams`` writes into a folder of its own, named for the second."""


class _Group(NamedTuple):
    """The files of a run, before they are read."""

    run_id: str
    folder: str
    start: int
    files: list[EventFile]
    parent: str


def open_tensorboard(folder: str, *, into: str = "", depth: int | None = None) -> TensorBoardSource:
    """Open a folder of event files.

    Parameters
    ----------
    folder : str
        Its folders are gone through, whatever their depth.
    into : str, optional
        Name of the experiment; the folder's by default.
    depth : int, optional
        Folders deeper than that are part of the run that they lie in: ``1`` makes one run of ``a/train`` and ``a/validation``, with
        the metrics ``train/loss`` and ``validation/loss``. By default each folder with event files is a run.

    Raises
    ------
    NotFoundError
        If there is no such folder, or it has no event files.
    MissingPackageError
        If the package tensorboard is not installed.
    """
    place = Path(folder)
    if not place.is_dir():
        raise NotFoundError(f"{folder}: no such folder. Name the folder that TensorBoard is given as --logdir.")
    protos()
    return TensorBoardSource(place, into or place.resolve().name or "tensorboard", depth)


class TensorBoardSource(PlainSource):
    """A folder of event files; see :func:`open_tensorboard`."""

    def __init__(self, root: Path, into: str, depth: int | None) -> None:
        super().__init__(TOOL, str(root))
        self._root, self._depth = root, depth
        self._experiment = self.experiment(into)
        self._others: dict[str, list[Path]] = {}
        self._groups = {group.run_id: group for group in self._found()}
        self._read: tuple[str, RunEvents] | None = None
        if not self._groups and not self._unread:
            raise NotFoundError(f"{root}: there are no event files in it, nor below (names with 'tfevents').")

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the one that the runs come into."""
        yield self._experiment

    def runs(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        """Yield the runs, oldest first."""
        if self._experiment.experiment_id not in experiment_ids:
            return
        for group in sorted(self._groups.values(), key=lambda group: (group.start, group.folder)):
            if since_ms is not None and group.start < since_ms:
                continue
            found = self._events(group.run_id)
            if found.empty:
                self.cannot_read(group.folder, "nothing was logged there: the event files hold only their headers")
                continue
            tags = {**origin_tags(TOOL, group.folder), **found.tags}
            if any(path.startswith("images/") for path in found.parts):
                tags["mlflow.loggedImages"] = "True"
            if group.parent:
                tags["mlflow.parentRunId"] = group.parent
            name = self._root.resolve().name if group.folder == "." else group.folder
            yield SourceRun(
                group.run_id, self._experiment.experiment_id, name, found.status, "", group.start,
                None if found.status == "RUNNING" else max(found.end, group.start), False, found.params, tags, found.metrics,
            )  # fmt: skip

    def history(self, run_id: str, key: str) -> Iterable[Point]:
        """Give the points of a metric, file by file."""
        return self._events(run_id).points.points(key)

    def files(self, run_id: str) -> list[SourceFile]:
        """List images, sound, texts, histograms, graphs and what the embedding projector reads."""
        found = self._events(run_id)
        listed = [SourceFile(path, part.size) for path, part in found.parts.items()]
        if found.hparams:
            listed.append(SourceFile(HPARAMS, 0))
        folder = self._groups[run_id].folder
        listed += [
            SourceFile(file.relative_to(self._root / folder).as_posix(), file.stat().st_size)
            for file in self._others.get(folder, ())
        ]
        return listed

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Write a file of the run, out of its events."""
        found, place = self._events(run_id), folder / "file"
        if path in found.parts:
            write_part(found, found.parts[path], place)
            return place
        if path == HPARAMS and found.hparams:
            write_hparams(found, place)
            return place
        return self._root / self._groups[run_id].folder / path

    def close(self) -> None:
        """Let the run that was read last go."""
        if self._read is not None:
            self._read[1].close()
            self._read = None

    def _events(self, run_id: str) -> RunEvents:
        if self._read is None or self._read[0] != run_id:
            self.close()
            made = RunEvents(self._groups[run_id].files, lambda path, said: self.cannot_read(self._said(path), said))
            self._read = run_id, made
        return self._read[1]

    def _said(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _found(self) -> Iterator[_Group]:
        """Yield the runs, with ids that stay whatever the folder is called and wherever it is moved."""
        homes: dict[str, list[EventFile]] = defaultdict(list)
        folders = self._folders()
        for folder, names in folders.items():
            home, prefix = self._home(folder, folders)
            homes[home] += [EventFile(self._root / folder / name, prefix) for name in names]
            if home != folder and folder in self._others:
                self._others[home] = self._others.get(home, []) + self._others.pop(folder)
        seen: dict[str, str] = {}
        for home in sorted(homes):
            firsts = [first for first in map(self._first, homes[home]) if first is not None]
            if not firsts:
                continue
            moment, name = min(firsts)
            run_id = id_of(TOOL, name, repr(moment))
            if run_id in seen.values():
                twin = next(folder for folder, known in seen.items() if known == run_id)
                self.cannot_read(home, f"its first event file {name} is that of {twin} too: a copy, of which one is taken")
                continue
            parent = next((seen[above.as_posix()] for above in Path(home).parents if above.as_posix() in seen), "")
            seen[home] = run_id
            yield _Group(run_id, home, round(moment * 1000), homes[home], "" if home == "." else parent)

    def _folders(self) -> dict[str, list[str]]:
        """Return the names of the event files of each folder that has some."""
        found: dict[str, list[str]] = {}
        projectors = []
        for folder, _, names in walked(self._root, lambda place, why: self.cannot_read(self._said(place), why)):
            here = folder.relative_to(self._root).as_posix()
            event_files = sorted(name for name in names if "tfevents" in name and not name.endswith(".profile-empty"))
            if event_files:
                found[here] = event_files
            if PROJECTOR in names:
                projectors.append(folder)
        for place in projectors:
            home = place.relative_to(self._root).as_posix()
            if home in found:
                self._others[home] = [place / PROJECTOR, *self._projected(place)]
            else:
                self.cannot_read(f"{home}/{PROJECTOR}", "embeddings without event files beside them belong to no run")
        return found

    def _projected(self, place: Path) -> list[Path]:
        """Return the files that a projector's configuration names."""
        from google.protobuf import text_format
        from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

        try:
            config = text_format.Parse((place / PROJECTOR).read_text("utf-8"), ProjectorConfig())
        except (text_format.ParseError, OSError, UnicodeDecodeError) as error:
            self.cannot_read(self._said(place / PROJECTOR), f"it cannot be read: {error}")
            return []
        names = [
            name
            for item in config.embeddings
            for name in (item.tensor_path, item.metadata_path, item.bookmarks_path, item.sprite.image_path)
            if name
        ]
        found = []
        for name in dict.fromkeys(names):
            file = place / name
            if not file.resolve().is_relative_to(place.resolve()) or not file.is_file():
                self.cannot_read(self._said(place / PROJECTOR), f"it names {name}, which is not there")
            else:
                found.append(file)
        return found

    def _home(self, folder: str, folders: dict[str, list[str]]) -> tuple[str, str]:
        """Return the folder of the run that a folder is part of, and what goes before its tags."""
        path = Path(folder)
        parts = path.parts
        if self._depth is not None and len(parts) > self._depth:
            inner = [part for part in parts[self._depth :] if not _MOMENT.match(part)]
            return Path(*parts[: self._depth]).as_posix(), "".join(f"{part}/" for part in inner)
        above = path.parent.as_posix()
        if _MOMENT.match(path.name) and folder != "." and above in folders:
            alike = [other for other in folders if Path(other).parent.as_posix() == above and _MOMENT.match(Path(other).name)]
            if len(alike) == 1:
                return above, ""
        return folder, ""

    def _first(self, file: EventFile) -> tuple[float, str] | None:
        said: list[str] = []
        for _, event in events(file.path, said.append):
            return event.wall_time, file.path.name
        self.cannot_read(self._said(file.path), said[0] if said else "it is empty")
        return None
