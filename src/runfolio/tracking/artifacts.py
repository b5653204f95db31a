"""Files of a run: logged, listed, fetched."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runfolio.errors import NotFoundError, UsageError, storage_error
from runfolio.objects import ObjectStore, walk_files
from runfolio.records import ArtifactEntry
from runfolio.records.names import check_artifact_path
from runfolio.records.runs import Digest
from runfolio.tracking import entities
from runfolio.tracking.live import LiveRun
from runfolio.tracking.session import Bound


class RunFiles(Bound):
    """The client's verbs for artifacts."""

    def _log(self, run_id: str, action: Callable[[LiveRun], Any]) -> Any:
        """Do something with a run: on the hold that this process has, or on one taken for this call."""
        with self._session().holding(run_id) as live:
            return action(live)

    def log_artifact(self, run_id: str, local_path: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Store a file (or a folder with all that is in it) as an artifact.

        Parameters
        ----------
        run_id : str
        local_path : path
        artifact_path : str, optional
            Folder of the run to put it in.
        """
        files = files_to_log(local_path, artifact_path)
        self._log(run_id, lambda live: log_files(live, files))

    def log_artifacts(self, run_id: str, local_dir: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Store all files below a folder as artifacts."""
        source = Path(local_dir).expanduser()
        if not source.is_dir():
            raise NotFoundError(f"No such folder: {str(local_dir)!r}. log_artifacts takes a folder; log_artifact takes a file.")
        files = _files_below(source, check_artifact_path(artifact_path, allow_empty=True))
        self._log(run_id, lambda live: log_files(live, files))

    def log_made(self, run_id: str, make: Callable[[Path], None], folder: str, known: Callable[[Path], str | None]) -> None:
        """Let a folder be made beside the store's objects, and store its files, without a copy where their digests are known.

        Parameters
        ----------
        run_id : str
        make : callable
            Fills the folder.
        folder : str
            Of the run.
        known : callable
            The digest of a file as it was hashed when it was written, or None.
        """

        def put(live: LiveRun) -> None:
            with live.folio.store.making() as place:
                make(place)
                for name, path in walk_files(place):
                    digest = known(path)
                    if digest is None:
                        live.artifact_copied(path, _join(folder, name))
                    else:
                        live.artifact_taken(path, _join(folder, name), Digest(digest))

        self._log(run_id, put)

    def log_bytes(self, run_id: str, data: bytes, artifact_file: str) -> None:
        """Store bytes as an artifact."""
        self._log(run_id, lambda live: live.artifact_bytes(data, artifact_file))

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Store text as an artifact, in UTF-8."""
        if not isinstance(text, str):
            raise UsageError(
                f"log_text takes text, this is {type(text).__name__}: give str(…), or use log_dict for a dictionary or a list, "
                "log_artifact for a file."
            )
        self.log_bytes(run_id, text.encode("utf-8", "surrogatepass"), artifact_file)

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: str) -> None:
        """Store a dictionary as JSON, or as YAML where the path ends so."""
        from runfolio.tracking.media import render_dict

        self.log_bytes(run_id, render_dict(dictionary, artifact_file), artifact_file)

    def log_figure(self, run_id: str, figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None) -> None:
        """Store a matplotlib or plotly figure, or an Altair chart, in the format that the path's ending says."""
        from runfolio.tracking.figures import render_figure

        self.log_bytes(run_id, render_figure(figure, artifact_file, save_kwargs), artifact_file)

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Store an image: under `artifact_file`, or under `key` as one of a sequence over steps."""
        from runfolio.tracking.media import LOGGED_IMAGES_TAG, render_image, stepped_image_files

        if (artifact_file is None) == (key is None):
            raise UsageError("log_image takes artifact_file=… or key=…, one of the two.")
        if artifact_file is not None:
            if step is not None or timestamp is not None:
                raise UsageError("log_image takes step and timestamp together with key, not with artifact_file.")
            self.log_bytes(run_id, render_image(image, artifact_file), artifact_file)
            return
        assert key is not None
        for path, data in stepped_image_files(image, key, step, timestamp):
            self.log_bytes(run_id, data, path)
        self._log(run_id, lambda live: live.tag(LOGGED_IMAGES_TAG, True))

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """Store a table (a dictionary of columns, or a DataFrame) as JSON or Parquet; rows add to a table that is there.

        Columns of images (Pillow's, or `runfolio.Image`) become files below ``table_images``, which the table names.
        """
        from runfolio.tracking.table_images import without_images
        from runfolio.tracking.tables import append_table, check_table_file, logged_table_tag

        table, images = without_images(data, check_table_file(artifact_file))
        folio = self._session().folio
        record = folio.runs.get(run_id)
        entry = folio.runs.artifacts(record).get(check_artifact_path(artifact_file))
        existing = folio.store.read(entry.digest) if entry else None
        whole = append_table(existing, table, artifact_file)
        for path, image in images.items():
            self.log_bytes(run_id, image, path)
        self.log_bytes(run_id, whole, artifact_file)
        tag = logged_table_tag(record.tags.get("mlflow.loggedArtifacts"), artifact_file)
        self._log(run_id, lambda live: live.tag("mlflow.loggedArtifacts", tag))

    def load_table(
        self, experiment_id: str, artifact_file: str, run_ids: list[str] | None = None, extra_columns: list[str] | None = None
    ) -> Any:
        """Return a table that runs logged, theirs joined, as a DataFrame; `extra_columns` are ``run_id`` and other facts of the runs."""
        import pandas

        from runfolio.tracking.tables import table_frame

        frames = []
        for run in self._runs_of(experiment_id, run_ids):
            entry = self._session().folio.runs.artifacts(run).get(check_artifact_path(artifact_file))
            if entry is None:
                continue
            frame = table_frame(self._session().folio.store.read(entry.digest), artifact_file)
            for column in extra_columns or ():
                frame[column] = _fact(run, column)
            frames.append(frame)
        if not frames:
            raise NotFoundError(f"No table {artifact_file!r} in the runs of experiment {experiment_id}.")
        return pandas.concat(frames, ignore_index=True)

    def _runs_of(self, experiment_id: str, run_ids: list[str] | None) -> list[Any]:
        from runfolio.query import parse_filter

        folio = self._session().folio
        if run_ids:
            return [folio.runs.get(run_id) for run_id in run_ids]
        return folio.runs.search(parse_filter(""), slugs=[folio.experiments.find(str(experiment_id)).slug], limit=50_000)

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[entities.FileInfo]:
        """List files and folders directly below a folder of the run.

        Parameters
        ----------
        run_id : str
        path : str, optional
            The run's root by default.
        """
        listed = self._session().artifacts(run_id)
        folder = check_artifact_path(path, allow_empty=True)
        return directly_below(listed, folder)

    def download_artifacts(self, run_id: str, path: str, dst_path: str | os.PathLike[str] | None = None) -> str:
        """Fetch a file or folder of a run, verified, and return where it is on this machine.

        Parameters
        ----------
        run_id : str
        path : str
            Empty for all.
        dst_path : path, optional
            Folder to put it in; a new temporary one by default.
        """
        return self._fetch(run_id, check_artifact_path(path, allow_empty=True), "", dst_path, copy_out)

    def download_last_part(
        self, run_id: str, path: str, dst_path: str | os.PathLike[str] | None = None, copy: CopyFiles | None = None
    ) -> str:
        """Fetch the same as by its URI: below the folder stands the last part of the path alone, nothing where it ends with a slash.

        So it is in MLflow, where a URI names a root, all but its last part, and an artifact below that. `copy` stands in for
        :func:`copy_out`.
        """
        wanted = check_artifact_path(path, allow_empty=True)
        above = wanted if path.endswith("/") else wanted.rpartition("/")[0]
        return self._fetch(run_id, wanted, above, dst_path, copy or copy_out)

    def _fetch(self, run_id: str, wanted: str, above: str, dst_path: str | os.PathLike[str] | None, copy: CopyFiles) -> str:
        held = self._session()
        listed = held.artifacts(run_id)
        found = matching(listed, wanted)
        if not found and wanted:
            near = ", ".join(sorted(listed)[:6]) or "none"
            raise NotFoundError(f"Run {run_id} has no artifact {wanted!r}. It has: {near}.")
        start = f"{above}/" if above else ""
        target = copy(held.folio.store, {name.removeprefix(start): entry for name, entry in found.items()}, dst_path)
        below = "" if wanted == above else wanted.removeprefix(start)
        return str(target / below) if below else str(target)


CopyFiles = Callable[[ObjectStore, Mapping[str, ArtifactEntry], Any], Path]
"""Writes files of a store, each verified, below a folder, and returns it."""


def copy_out(store: ObjectStore, files: Mapping[str, ArtifactEntry], dst_path: str | os.PathLike[str] | None) -> Path:
    """Write files, each verified, below a folder (a new temporary one by default), and return it."""
    made_folder(dst_path)
    target = Path(dst_path).expanduser() if dst_path is not None else Path(tempfile.mkdtemp(prefix="runfolio-"))
    store.fetch(entry.digest for entry in files.values())
    for name, entry in files.items():
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        store.copy_to(entry.digest, place)
    return target


def made_folder(folder: str | os.PathLike[str] | None) -> str | os.PathLike[str] | None:
    """Make the folder that a user names for files, with those above it; None stays None.

    Raises
    ------
    UsageError
        If a file is in the way.
    StorageError
        If it cannot be made.
    """
    if folder is None:
        return None
    try:
        os.makedirs(os.path.expanduser(folder), exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"dst_path {os.fspath(folder)!r} is a file, or lies below one: name a folder.") from None
    except OSError as error:
        raise storage_error(f"make the folder {os.fspath(folder)}", error) from None
    return folder


def directly_below(listed: Mapping[str, ArtifactEntry], folder: str) -> list[entities.FileInfo]:
    """List files and folders directly below a folder; the root where it is empty."""
    start = f"{folder}/" if folder else ""
    made: dict[str, entities.FileInfo] = {}
    for name in sorted(listed):
        if name.startswith(start):
            rest = name[len(start) :]
            top = start + rest.split("/", 1)[0]
            made.setdefault(top, entities.FileInfo(top, "/" in rest, None if "/" in rest else listed[name].size))
    return list(made.values())


def matching(listed: Mapping[str, ArtifactEntry], wanted: str) -> dict[str, ArtifactEntry]:
    """Return the artifact of that path, or those below it."""
    return {name: entry for name, entry in listed.items() if not wanted or name == wanted or name.startswith(f"{wanted}/")}


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="runfolio-") as name:
        yield Path(name)


def files_to_log(local_path: str | os.PathLike[str], artifact_path: str | None = None) -> list[tuple[str, str]]:
    """Return the files that a path of the user's means, each with the artifact's path; see :meth:`RunFiles.log_artifact`."""
    source = os.path.expanduser(os.fspath(local_path))  # text: to make a Path takes longer than to open the file
    try:
        is_folder = stat.S_ISDIR(os.stat(source).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"No such artifact: {str(local_path)!r}. Check the path; it is relative to {os.getcwd()}.") from None
    folder = check_artifact_path(artifact_path, allow_empty=True)
    if is_folder:
        return _files_below(Path(source), _join(folder, Path(source).resolve().name))
    return [(source, _join(folder, os.path.basename(source)))]


def _files_below(source: Path, folder: str) -> list[tuple[str, str]]:
    return [(str(path), _join(folder, name)) for name, path in walk_files(source)]


def log_files(live: LiveRun, files: Iterable[tuple[str, str]]) -> None:
    """Log files to a run, each under its path there."""
    for source, path in files:
        live.artifact_copied(source, path)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _fact(run: Any, column: str) -> Any:
    facts = {"run_id": run.run_id, "run_name": run.name, "start_time": run.start, "end_time": run.end, "status": run.status.value}
    if column in facts:
        return facts[column]
    parts = {"params": run.params, "tags": run.all_tags, "metrics": {key: value.last for key, value in run.metrics.items()}}
    kind, _, name = column.partition(".")
    if kind in parts and name:
        return parts[kind].get(name)
    raise UsageError(
        f"The runs have no column {column!r}. There are: {', '.join(facts)}, and params.NAME, metrics.NAME, tags.NAME."
    )
