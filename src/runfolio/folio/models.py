"""Registered models of a folio: read at its tip, changed by one small commit each.

A version's facts are written once. A number is never given twice: a deleted version keeps its file, marked so. What a change
rests on is read again at the commit that it is made on, so two writers never take one number on one branch; on two branches
they may, and the merge says so, for it is one file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from runfolio._dataclass import replace
from runfolio.errors import AlreadyExistsError, StateError
from runfolio.folio.model_reading import ModelReader, quoted
from runfolio.folio.parsed import parsed_files
from runfolio.formats import paths
from runfolio.formats.models import (
    decode_model,
    decode_version,
    edit_model,
    edit_version,
    encode_model,
    encode_version,
    model_fields,
    version_fields,
)
from runfolio.gitstore import FileChange
from runfolio.records import slug_of
from runfolio.records.models import ARCHIVED, ModelVersion, RegisteredModel, check_model_name
from runfolio.records.runs import Lifecycle
from runfolio.records.visible import visible

Changes = list[FileChange]
Commit = Callable[[Callable[[str | None], Changes], Callable[[], str]], None]


class ModelBook(ModelReader):
    """The registered models of a folio, read and changed.

    Parameters
    ----------
    place : Place
    """

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
            made[:] = [make((taken[-1] if taken else 0) + 1 if number is None else number)]
            return [*files, self._new_version(model, made[0])]

        self._commit(change, lambda: f"models: register {visible(name)} {made[0].version}\n")
        return made[0]

    def _new_version(self, model: RegisteredModel, made: ModelVersion) -> FileChange:
        path, fields = paths.version_path(model.slug, made.version), version_fields(made)
        data = encode_version(made, model.slug, fields)
        parsed_files(self._place.repo.own_folder).wrote(decode_version, data, path, made, fields)
        return FileChange(self._place.full(path), data)

    def edit(
        self,
        name: str,
        verb: str,
        edit: Callable[[RegisteredModel], RegisteredModel],
        *,
        version: tuple[int, Callable[[ModelVersion], ModelVersion]] | None = None,
        needs: int | None = None,
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
        needs : int, optional
            A version that must be there then.
        body : str, optional
            Of the commit's message.
        commit : callable, optional
            Commits in another way than on the branch at hand: ``(change, message)``.
        """
        made: list[RegisteredModel] = []

        def change(tip: str | None) -> Changes:
            found = self.find(name, tip)
            if needs is not None:
                self.version(found, needs, tip)
            made[:] = [edit(found)]
            path = paths.model_path(found.slug)
            old = self._place.read(tip, path)
            if commit is None:
                self._place.require_committed(path, old)
            files = [self._edited(old, found, made[0]) if old is not None else self._whole(made[0])]
            if version is not None:
                files.append(self._version_change(found, version[0], version[1], tip, here=commit is None))
            return files

        (commit or self._commit)(change, lambda: f"models: {verb}\n" + (f"\n{body}\n" if body else ""))
        return made[0]

    def _edited(self, old: bytes, before: RegisteredModel, after: RegisteredModel) -> FileChange:
        path, fields = paths.model_path(after.slug), model_fields(after)
        data = edit_model(old, after, before, fields)
        parsed_files(self._place.repo.own_folder).wrote(decode_model, data, path, after, fields)
        return FileChange(self._place.full(path), data)

    def _version_change(
        self, model: RegisteredModel, number: int, edit: Callable[[ModelVersion], ModelVersion], tip: str | None, *, here: bool
    ) -> FileChange:
        path = paths.version_path(model.slug, number)
        after, old = edit(self.version(model, number, tip)), self._place.read(tip, path)
        if here:
            self._place.require_committed(path, old)
        return FileChange(self._place.full(path), edit_version(old or b"", after, model.slug))

    def edit_version(self, name: str, number: int, verb: str, edit: Callable[[ModelVersion], ModelVersion]) -> ModelVersion:
        """Change description or tags of a version by a function of what it is at the moment of the commit."""
        made: list[ModelVersion] = []

        def change(tip: str | None) -> Changes:
            model = self.find(name, tip)

            def kept(found: ModelVersion) -> ModelVersion:
                made[:] = [edit(found)]
                return made[0]

            return [self._version_change(model, number, kept, tip, here=True)]

        self._commit(change, f"models: {verb} {visible(name)} {number}\n")
        return made[0]

    def delete_version(self, name: str, number: int) -> None:
        """Hide a version and take its stage and aliases away; its number is not given again."""

        def change(tip: str | None) -> Changes:
            model = self.find(name, tip)
            top, after = paths.model_path(model.slug), model.without_version(number)
            files = [
                self._version_change(model, number, lambda found: replace(found, lifecycle=Lifecycle.DELETED), tip, here=True)
            ]
            if after != model:
                old = self._place.read(tip, top)
                self._place.require_committed(top, old)
                files.append(FileChange(self._place.full(top), edit_model(old or b"", after)))
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
                    f"runfolio models demote {quoted(name)} VERSION"
                )
            gone = self._files_of(model, tip)
            for path in gone:
                self._place.require_committed(path, self._place.read(tip, path))
            return [FileChange(self._place.full(path), None) for path in gone]

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

    def _commit(self, change: Callable[[str | None], Changes], message: str | Callable[[], str]) -> None:
        from runfolio.folio.committing import commit_with_retry

        commit_with_retry(self._place, change, message)
