"""Registered models of a folio: read at its tip, changed by one small commit each.

A version's facts are written once. A number is never given twice: a deleted version keeps its file, marked so. What a change
rests on is read again at the commit that it is made on, so two writers never take one number on one branch; on two branches
they may, and the merge says so, for it is one file.

The cost of a read follows what is asked: a model is one file, a version is one file, and the numbers there are come from a
listing of names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from runfolio.errors import AlreadyExistsError, DamagedError, NotFoundError, StateError
from runfolio.folio.parsed import parsed_files
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.models import decode_model, decode_version, edit_model, edit_version, encode_model, encode_version
from runfolio.gitstore import FileChange
from runfolio.gitstore.trees import folder_names
from runfolio.records import slug_of
from runfolio.records.models import ARCHIVED, ModelVersion, RegisteredModel, check_model_name
from runfolio.records.runs import Lifecycle
from runfolio.records.visible import visible

Changes = list[FileChange]
Commit = Callable[[Callable[[str | None], Changes], Callable[[], str]], None]


class ModelBook:
    """The registered models of a folio.

    Parameters
    ----------
    place : Place
    """

    def __init__(self, place: Place) -> None:
        self._place = place

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
        parsed = parsed_files(self._place.repo.common_dir / "runfolio")
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
        path = paths.model_path(slug_of(name))
        data = self._place.read(tip, path)
        if data is not None:  # nearly always the folder is named after the model: one file is read, however many there are
            found = self._decoded(decode_model, data, path)
            if found.name == name:
                return found
        return next((model for model in self.all(tip) if model.name == name), None)

    def _decoded(self, decoder: Callable[..., RegisteredModel], data: bytes, path: str) -> RegisteredModel:
        parsed = parsed_files(self._place.repo.common_dir / "runfolio")
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
        return sorted(paths.version_numbers(self._names(tip, f"{paths.MODELS}/{model.slug}/versions")))

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
        parsed = parsed_files(self._place.repo.common_dir / "runfolio")
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
        parsed = parsed_files(self._place.repo.common_dir / "runfolio")
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
        tip = tip or self._place.tip()
        there = self._place.read(tip, paths.version_path(model.slug, number)) is not None
        found = self._read_versions(model, [number], tip)[0] if there else None
        if found is None or found.lifecycle is Lifecycle.DELETED:
            state = "deleted" if found else "not found"
            raise NotFoundError(
                f"Model Version (name={model.name}, version={number}) {state}. "
                f"List those that are there: runfolio models versions {_quoted(model.name)}"
            )
        return found

    def create(
        self, name: str, tags: Mapping[str, str] | None = None, description: str = "", *, created: int | None = None
    ) -> RegisteredModel:
        """Make a registered model without versions; `created`, in milliseconds since the epoch, UTC, where it was made elsewhere.

        Raises
        ------
        AlreadyExistsError
            If one of that name is there.
        """
        check_model_name(name)
        made: list[RegisteredModel] = []

        def change(tip: str | None) -> Changes:
            if self.get(name, tip) is not None:
                raise AlreadyExistsError(f"Registered Model (name={name}) already exists.")
            new = self._new(name, tip, tags, description)
            made[:] = [new if created is None else replace(new, created=created)]
            return [self._whole(made[0])]

        self._commit(change, f"models: create {visible(name)}\n")
        return made[0]

    def _new(self, name: str, tip: str | None, tags: Mapping[str, str] | None = None, description: str = "") -> RegisteredModel:
        wanted, taken, number = slug_of(name), self._names(tip, paths.MODELS), 2
        slug = wanted
        while slug in taken:
            slug, number = f"{wanted[:44]}-{number}", number + 1
        return RegisteredModel(name, slug, time.time_ns() // 1_000_000, description, dict(tags or {}))

    def add_version(
        self, name: str, make: Callable[[int], ModelVersion], *, create: bool = True, number: int | None = None
    ) -> ModelVersion:
        """Add the next version of a model.

        Parameters
        ----------
        name : str
        make : callable
            Given its number, returns the version.
        create : bool, optional
            Make the model, in the same commit, where it is missing.
        number : int, optional
            Its number where it has one already, elsewhere; the next one by default.

        Raises
        ------
        NotFoundError
            If there is no such model and `create` is false.
        AlreadyExistsError
            If the number is taken.
        """
        check_model_name(name)
        made: list[ModelVersion] = []

        def change(tip: str | None) -> Changes:
            model = self.get(name, tip) if create else self.find(name, tip)
            files = [] if model else [self._whole(model := self._new(name, tip))]
            assert model is not None
            taken = self.numbers(model, tip)
            if number in taken:
                raise AlreadyExistsError(f"models/{model.slug}: version {number} is there already.")
            made[:] = [make(max(taken, default=0) + 1 if number is None else number)]
            path = paths.version_path(model.slug, made[0].version)
            return [*files, FileChange(self._place.full(path), encode_version(made[0], model.slug))]

        self._commit(change, lambda: f"models: register {visible(name)} {made[0].version}\n")
        return made[0]

    def edit(
        self,
        name: str,
        verb: str,
        edit: Callable[[RegisteredModel], RegisteredModel],
        *,
        version: tuple[int, Callable[[ModelVersion], ModelVersion]] | None = None,
        body: str = "",
        commit: Commit | None = None,
    ) -> RegisteredModel:
        """Change a model by a function of what it is at the moment of the commit; comments in its file stay.

        Parameters
        ----------
        name : str
        verb : str
            The commit's subject after ``models:``.
        edit : callable
        version : (int, callable), optional
            A version to change in the same commit, and how.
        body : str, optional
            Of the commit's message.
        commit : callable, optional
            Commits in another way than on the branch at hand: ``(change, message)``.
        """
        made: list[RegisteredModel] = []

        def change(tip: str | None) -> Changes:
            found = self.find(name, tip)
            made[:] = [edit(found)]
            path = paths.model_path(found.slug)
            old = self._place.read(tip, path)
            files = [FileChange(self._place.full(path), edit_model(old, made[0])) if old is not None else self._whole(made[0])]
            if version is not None:
                files.append(self._version_change(found, version[0], version[1], tip))
            return files

        (commit or self._commit)(change, lambda: f"models: {verb}\n" + (f"\n{body}\n" if body else ""))
        return made[0]

    def _version_change(
        self, model: RegisteredModel, number: int, edit: Callable[[ModelVersion], ModelVersion], tip: str | None
    ) -> FileChange:
        path = paths.version_path(model.slug, number)
        after = edit(self.version(model, number, tip))
        return FileChange(self._place.full(path), edit_version(self._place.read(tip, path) or b"", after, model.slug))

    def edit_version(self, name: str, number: int, verb: str, edit: Callable[[ModelVersion], ModelVersion]) -> ModelVersion:
        """Change description or tags of a version by a function of what it is at the moment of the commit."""
        made: list[ModelVersion] = []

        def change(tip: str | None) -> Changes:
            model = self.find(name, tip)
            made[:] = [edit(self.version(model, number, tip))]
            path = paths.version_path(model.slug, number)
            return [FileChange(self._place.full(path), edit_version(self._place.read(tip, path) or b"", made[0], model.slug))]

        self._commit(change, f"models: {verb} {visible(name)} {number}\n")
        return made[0]

    def delete_version(self, name: str, number: int) -> None:
        """Hide a version and take its stage and aliases away; its number is not given again."""

        def change(tip: str | None) -> Changes:
            model = self.find(name, tip)
            gone = replace(self.version(model, number, tip), lifecycle=Lifecycle.DELETED)
            path, top = paths.version_path(model.slug, number), paths.model_path(model.slug)
            files = [FileChange(self._place.full(path), edit_version(self._place.read(tip, path) or b"", gone, model.slug))]
            after = model.without_version(number)
            if after != model:
                files.append(FileChange(self._place.full(top), edit_model(self._place.read(tip, top) or b"", after)))
            return files

        self._commit(change, f"models: delete {visible(name)} {number}\n")

    def delete(self, name: str, *, live: bool = False) -> None:
        """Remove a registered model with all its versions; git's history keeps them.

        Parameters
        ----------
        name : str
        live : bool, optional
            Also when a version of it is live.

        Raises
        ------
        StateError
            If a version of it is live, in a stage other than ``Archived``, and `live` is false.
        """

        def change(tip: str | None) -> Changes:
            model = self.find(name, tip)
            staged = [f"{versions[0]} is in {stage}" for stage, versions in model.stages.items() if stage != ARCHIVED]
            if staged and not live:
                raise StateError(
                    f"The registered model {name!r} was not deleted: version {', '.join(staged)}. Take it out of there first: "
                    f"runfolio models demote {_quoted(name)} VERSION"
                )
            return [FileChange(self._place.full(path), None) for path in self._files_of(model, tip)]

        self._commit(change, f"models: delete {visible(name)}\n")

    def rename(self, name: str, new_name: str) -> RegisteredModel:
        """Give a registered model another name; its folder keeps the old one, so that its history is one.

        Raises
        ------
        AlreadyExistsError
            If one of the new name is there.
        """
        check_model_name(new_name)

        def edit(found: RegisteredModel) -> RegisteredModel:
            if new_name != name and self.get(new_name) is not None:
                raise AlreadyExistsError(f"Registered Model (name={new_name}) already exists.")
            return replace(found, name=new_name)

        return self.edit(name, f"rename {visible(name)} to {visible(new_name)}", edit)

    def _files_of(self, model: RegisteredModel, tip: str | None) -> list[str]:
        folder = f"{paths.MODELS}/{model.slug}"
        made = []
        for name in self._names(tip, folder):
            below = self._names(tip, f"{folder}/{name}") if name in ("versions", "cards", "deployments") else None
            made += [f"{folder}/{name}/{item}" for item in below] if below is not None else [f"{folder}/{name}"]
        return made

    def _whole(self, model: RegisteredModel) -> FileChange:
        return FileChange(self._place.full(paths.model_path(model.slug)), encode_model(model))

    def _names(self, tip: str | None, folder: str) -> list[str]:
        return folder_names(self._place.repo, f"{tip}:{self._place.full(folder)}") if tip else []

    def _commit(self, change: Callable[[str | None], Changes], message: str | Callable[[], str]) -> None:
        from runfolio.folio.committing import commit_with_retry

        commit_with_retry(self._place, change, message)


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
