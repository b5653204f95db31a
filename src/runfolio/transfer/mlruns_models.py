"""The registry in a folder ``mlruns``: ``models/NAME`` with a folder for each version, a file for each alias."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runfolio.errors import DamagedError, NotFoundError
from runfolio.transfer.mlflow_places import Elsewhere, path_of
from runfolio.transfer.mlruns_files import META, folders_in, number_in, read_meta, text_in, texts_in
from runfolio.transfer.source import SourceModel, SourceVersion

if TYPE_CHECKING:
    from runfolio.transfer.mlruns_source import MlrunsSource

_VERSION = re.compile(r"version-(\d+)\Z")
_DELETED = "Deleted_Internal"
"""The stage by which MLflow's file store keeps the number of a deleted version from being given again."""
_LOGGED = re.compile(r"models:/(m-[0-9a-f]{32})\Z")
_NUMBERED = re.compile(r"models:/([^/@]+)/(\d+)\Z")
_OF_RUN = re.compile(r"runs:/+([0-9a-f]{32})/(.+)\Z")


class MlrunsModels:
    """The registered models of a folder ``mlruns``.

    Parameters
    ----------
    source : MlrunsSource
    """

    def __init__(self, source: MlrunsSource) -> None:
        self._source = source
        self._folder = source.root / "models"

    def models(self) -> Iterator[SourceModel]:
        """Yield the registered models."""
        for folder in folders_in(self._folder):
            where = f"model {folder.name}"
            say = partial(self._source.say, where)
            try:
                meta = read_meta(folder)
                created = number_in(meta, "creation_timestamp") or 0
            except DamagedError as error:
                if any(_VERSION.match(place.name) for place in folders_in(folder)) or (folder / META).exists():
                    say(f"{error.message}: its versions, tags and aliases were taken, and what else it said is lost")
                    meta, created = {}, 0
                else:
                    continue  # no model: a folder of someone's own
            aliases = {}
            for alias, version in texts_in(folder / "aliases", say).items():
                if version.strip().isdigit():
                    aliases[alias] = int(version)
                else:
                    say(f"alias {alias} was not taken: {version!r:.40} is no version")
            versions = sorted(self._versions(folder, where), key=lambda found: found.version)
            yield SourceModel(
                folder.name, created, text_in(meta, "description"), texts_in(folder / "tags", say), aliases, tuple(versions),
                number_in(meta, "last_updated_timestamp") or 0,
            )  # fmt: skip

    def _versions(self, folder: Path, where: str) -> Iterator[SourceVersion]:
        for place in folders_in(folder):
            named = _VERSION.match(place.name)
            if named is None:
                continue
            here = f"{where} version {named[1]}"
            try:
                meta = read_meta(place)
                created = number_in(meta, "creation_timestamp") or 0
            except DamagedError as error:
                self._source.say(here, f"it was not taken: {error.message}")
                continue
            if meta.get("current_stage") == _DELETED:
                continue
            yield SourceVersion(
                int(named[1]),
                text_in(meta, "run_id") or None,
                text_in(meta, "source"),
                text_in(meta, "current_stage") or "None",
                created,
                text_in(meta, "description"),
                text_in(meta, "user_id"),
                text_in(meta, "run_link"),
                texts_in(place / "tags", partial(self._source.say, here)),
                number_in(meta, "last_updated_timestamp") or 0,
                text_in(meta, "status") or "READY",
                text_in(meta, "status_message"),
            )

    def fetch(self, name: str, version: int, folder: Path, level: int = 0) -> Path:
        """Return where the files of a version are; those that lie elsewhere are copied into a folder."""
        meta = read_meta(self._folder / name / f"version-{version}")
        uri = text_in(meta, "storage_location") or text_in(meta, "source")
        if (numbered := _NUMBERED.match(uri)) and level < 8:
            return self.fetch(Path(numbered[1]).name, int(numbered[2]), folder, level + 1)
        home, inner = None, ""
        ends: tuple[str, ...] = ()
        if logged := _LOGGED.match(uri):
            home, ends = self._source.model_home(logged[1]), ("models", logged[1], "artifacts")
        elif of_run := _OF_RUN.match(uri):
            home, inner, ends = self._source.home_of(of_run[1]), of_run[2], (of_run[1], "artifacts")
        if home is not None:
            place = self._source.files_of(*home, *ends)
            return self._there(place, inner) if place is not None else Elsewhere(home[1]).fetch(inner, folder)
        place = path_of(uri)
        if place is None:
            return Elsewhere(uri).fetch("", folder)
        return self._moved(place)

    def _moved(self, place: Path) -> Path:
        """Return a folder that a version names by its path, also where it lay in a folder ``mlruns`` that was moved since."""
        parts = place.parts
        for at, part in enumerate(parts):
            if part == "artifacts" and at >= 2:
                logged = parts[at - 2] == "models"
                home = self._source.model_home(parts[at - 1]) if logged else self._source.home_of(parts[at - 1])
                if home is not None:
                    ends = parts[at - 2 : at + 1] if logged else parts[at - 1 : at + 1]
                    found = self._source.files_of(*home, *ends)
                    if found is not None:
                        return self._there(found, "/".join(parts[at + 1 :]))
        if self._source.root.parent not in place.parents or not place.exists():
            raise NotFoundError(
                f"its files are not in what is imported: {place}. Register it by hand (runfolio models register)."
            )
        return place

    @staticmethod
    def _there(place: Path, inner: str) -> Path:
        found = place / inner
        if ".." in Path(inner).parts or not found.exists():
            raise NotFoundError(f"its files are gone: there is no {found}")
        return found
