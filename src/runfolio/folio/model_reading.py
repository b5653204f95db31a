"""Registered models as they stand at a commit of a folio; :mod:`runfolio.folio.models` changes them.

The cost of a read follows what is asked: a model is one file, a version is one file, and the numbers there are come from a
listing of names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

from runfolio.errors import DamagedError, NotFoundError, UsageError
from runfolio.folio.parsed import Decoder, parsed_files
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.models import decode_model, decode_version
from runfolio.gitstore.trees import folder_names, folder_numbers
from runfolio.records import slug_of
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.runs import Lifecycle
from runfolio.records.visible import visible

T = TypeVar("T")
_MOST_FOUND = 64


class ModelReader:
    """The registered models of a folio, read.

    Parameters
    ----------
    place : Place
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._found: dict[tuple[str, str], RegisteredModel] = {}

    def all(self, tip: str | None = None, faults: list[str] | None = None) -> list[RegisteredModel]:
        """List the registered models by name; one whose file is damaged is shown by its folder's name alone.

        Parameters
        ----------
        tip : str, optional
            Commit to read; the folio's tip by default.
        faults : list of str, optional
            Takes what is wrong with files that are damaged.
        """
        tip = tip or self._place.tip()
        names = {f"{tip}:{self._place.full(paths.model_path(slug))}": slug for slug in self._names(tip, paths.MODELS)}
        parsed = parsed_files(self._place.repo.own_folder)
        found = []
        for name, data in self._place.repo.read_many(names):
            path = paths.model_path(names[name])
            if paths.model_of_path(path) is None or data is None:
                continue
            try:
                found.append(parsed.decode(decode_model, data, path))
            except DamagedError as error:  # it must not hide the others; `check` names the fault
                found.append(RegisteredModel(names[name], names[name]))
                if faults is not None:
                    faults.append(error.message)
        parsed.save()
        return sorted(found, key=lambda model: model.name)

    def get(self, name: str, tip: str | None = None) -> RegisteredModel | None:
        """Return the registered model of that name, or None.

        Raises
        ------
        DamagedError
            If its file is damaged.
        """
        tip = tip or self._place.tip()
        held = self._found.get((tip or "", name))
        if held is not None:
            return held  # a verb asks several times, and what a commit says does not change
        if not isinstance(name, str):
            raise UsageError(f"A registered model goes by its name, not by {name!r}.")
        path = paths.model_path(slug_of(name))
        data = self._place.read(tip, path)
        if tip is not None and data is not None:
            found = self._decoded(decode_model, data, path)
            if found.name == name:  # nearly always the folder is named after the model: one file is read, however many there are
                if len(self._found) >= _MOST_FOUND:
                    self._found.clear()
                return self._found.setdefault((tip, name), found)
        return next((model for model in self.all(tip) if model.name == name), None)

    def _decoded(self, decoder: Decoder[T], data: bytes, path: str) -> T:
        parsed = parsed_files(self._place.repo.own_folder)
        made = parsed.decode(decoder, data, path)
        parsed.save()
        return made

    def find(self, name: str, tip: str | None = None) -> RegisteredModel:
        """Return the registered model of that name.

        Raises
        ------
        NotFoundError
            If there is none; the message lists those that are there.
        """
        found = self.get(name, tip)
        if found is None:
            names = ", ".join(repr(visible(model.name)) for model in self.all(tip)[:8]) or "none yet"
            raise NotFoundError(f"Registered Model with name={name} not found. There are: {names}.")
        return found

    def numbers(self, model: RegisteredModel, tip: str | None = None) -> list[int]:
        """List the numbers that the model's versions took, deleted ones too, ascending; no version's file is read."""
        tip = tip or self._place.tip()
        folder = self._place.full(f"{paths.MODELS}/{model.slug}/versions")
        return list(folder_numbers(self._place.repo, f"{tip}:{folder}", paths.VERSION_ENDING)) if tip else []

    def numbers_there(self, models: Iterable[RegisteredModel], tip: str | None = None) -> dict[str, list[int]]:
        """List, by the models' slugs, the numbers of versions that are not deleted, ascending; damaged ones are among them."""
        tip = tip or self._place.tip()
        models = list(models)
        there = self._there([(model.slug, number) for model in models for number in self.numbers(model, tip)], tip)
        found: dict[str, list[int]] = {model.slug: [] for model in models}
        for slug, number in there:
            found[slug].append(number)
        return found

    def newest_there(self, models: Iterable[RegisteredModel], tip: str | None = None) -> dict[str, int | None]:
        """Return, by the models' slugs, the highest number of a version that is not deleted; the others' files are not read."""
        tip = tip or self._place.tip()
        found: dict[str, int | None] = {}
        waiting = {model.slug: self.numbers(model, tip) for model in models}
        newest = 1
        while waiting:
            asked = [(slug, number) for slug, numbers in waiting.items() for number in numbers[-newest:]]
            found.update(self._there(asked, tip))  # ascending: the last one stays
            for slug in list(waiting):
                del waiting[slug][-newest:]
                if slug in found or not waiting[slug]:
                    del waiting[slug]
                    found.setdefault(slug, None)
            newest *= 8  # where many of the newest are deleted, one question each would be slow
        return found

    def _there(self, versions: Iterable[tuple[str, int]], tip: str | None) -> Iterator[tuple[str, int]]:
        """Yield those of the versions (slug, number) that are not deleted, in order."""
        files = {f"{tip}:{self._place.full(paths.version_path(slug, number))}": (slug, number) for slug, number in versions}
        parsed = parsed_files(self._place.repo.own_folder)
        for name, data in self._place.repo.read_many(files):
            slug, number = files[name]
            with suppress(DamagedError):  # it must not hide the others; `check` names the fault
                if parsed.decode(decode_version, data or b"", paths.version_path(slug, number)).lifecycle is Lifecycle.DELETED:
                    continue
            yield slug, number
        parsed.save()

    def versions(self, model: RegisteredModel, tip: str | None = None, *, deleted: bool = False) -> list[ModelVersion]:
        """List the model's versions, ascending.

        Parameters
        ----------
        model : RegisteredModel
        tip : str, optional
            Commit to read.
        deleted : bool, optional
            Deleted ones too.

        Raises
        ------
        DamagedError
            If a version's file is damaged.
        """
        tip = tip or self._place.tip()
        return [
            version
            for version in self._read_versions(model, self.numbers(model, tip), tip)
            if deleted or version.lifecycle is Lifecycle.ACTIVE
        ]

    def _read_versions(self, model: RegisteredModel, numbers: Iterable[int], tip: str | None) -> list[ModelVersion]:
        files = {f"{tip}:{self._place.full(path)}": path for path in (paths.version_path(model.slug, item) for item in numbers)}
        parsed = parsed_files(self._place.repo.own_folder)
        made = [parsed.decode(decode_version, data or b"", files[name]) for name, data in self._place.repo.read_many(files)]
        parsed.save()
        return made

    def version(self, model: RegisteredModel, number: int, tip: str | None = None) -> ModelVersion:
        """Return one version.

        Raises
        ------
        NotFoundError
            If there is none of that number, or it is deleted.
        DamagedError
            If its file is damaged.
        """
        path = paths.version_path(model.slug, number)
        data = self._place.read(tip or self._place.tip(), path)
        found = None if data is None else self._decoded(decode_version, data, path)
        if found is None or found.lifecycle is Lifecycle.DELETED:
            named, listed = (
                f"Model Version (name={model.name}, version={number})",
                f"runfolio models versions {quoted(model.name)}",
            )
            if found is None:
                raise NotFoundError(f"{named} not found. List those that are there: {listed}")
            raise NotFoundError(
                f"{named} was deleted. List those that are there: {listed}. Revert its deletion to bring it back: the commit stands in "
                f"runfolio models history {quoted(model.name)}"
            )
        return found

    def _names(self, tip: str | None, folder: str) -> list[str]:
        return folder_names(self._place.repo, f"{tip}:{self._place.full(folder)}") if tip else []


def quoted(name: str) -> str:
    """Return a name as a shell takes it."""
    import shlex

    return shlex.quote(name)
