"""Experiments of a folio: read, made, changed. Each change is one small commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from runfolio._dataclass import replace
from runfolio._typing import Any
from runfolio.errors import AlreadyExistsError, DamagedError, DeletedError, NotFoundError
from runfolio.folio.parsed import parsed_files
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.experiments import decode_experiment, edit_experiment, encode_experiment
from runfolio.gitstore import FileChange
from runfolio.gitstore.trees import parse_tree
from runfolio.records import (
    DEFAULT_EXPERIMENT_ID,
    DEFAULT_EXPERIMENT_NAME,
    DEFAULT_SLUG,
    Experiment,
    Lifecycle,
    slug_of,
)
from runfolio.records.names import check_experiment_id, check_experiment_name
from runfolio.records.visible import visible


class ExperimentBook:
    """The experiments of a folio at its tip.

    Parameters
    ----------
    place : Place
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._tip: str | None = None
        self._tree: bytes | None = None
        self._held: dict[str, Experiment] | None = None

    def all(self, tip: str | None = None) -> list[Experiment]:
        """List all experiments, deleted ones too, the default one first, then by name."""
        return list(self._load(tip).values())

    def _load(self, tip: str | None = None) -> dict[str, Experiment]:
        tip = tip or self._place.tip()
        if self._held is not None and tip == self._tip:
            return self._held  # a script asks for every run that it starts: no question to git while the branch stands
        tree = self._place.read(tip, paths.EXPERIMENTS) if tip else None
        if self._held is None or tree != self._tree:
            self._held, self._tree = self._read(tip, tree), tree
        self._tip = tip
        return self._held

    def _read(self, tip: str | None, tree: bytes | None) -> dict[str, Experiment]:
        entries = parse_tree(tree, len(tip or "") // 2) if tree else []
        slugs = [slug for entry in entries if (slug := paths.experiment_of_path(f"{paths.EXPERIMENTS}/{entry.name}"))]
        found: dict[str, Experiment] = {}
        names = {f"{tip}:{self._place.full(paths.experiment_path(slug))}": slug for slug in slugs}
        parsed = parsed_files(self._place.repo.own_folder)
        for name, data in self._place.repo.read_many(names):
            slug = names[name]
            try:
                found[slug] = parsed.decode(decode_experiment, data or b"", paths.experiment_path(slug))
            except DamagedError:
                # A broken file must not hide the runs: `check` names the fault; until then the slug is the name.
                found[slug] = Experiment(slug, slug, slug)
        parsed.save()
        found.setdefault(DEFAULT_SLUG, default_experiment())
        ordered = sorted(found.values(), key=lambda item: (item.slug != DEFAULT_SLUG, item.name))
        return {item.slug: item for item in ordered}

    def by_id(self, experiment_id: str) -> Experiment | None:
        """Return the experiment of that id, or None."""
        return next((item for item in self._load().values() if item.experiment_id == experiment_id), None)

    def by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, or None."""
        return next((item for item in self._load().values() if item.name == name), None)

    def by_slug(self, slug: str) -> Experiment | None:
        """Return the experiment of that folder name, or None."""
        return self._load().get(slug)

    def name_of(self, slug: str) -> str:
        """Return the name of the experiment in that folder; the folder's where it has no file."""
        found = self.by_slug(slug)
        return found.name if found else slug

    def find(self, text: str, tip: str | None = None) -> Experiment:
        """Return the experiment of that id, name or folder name.

        Parameters
        ----------
        text : str
        tip : str, optional
            Commit id: as it stood there.

        Raises
        ------
        NotFoundError
            If there is none; the message lists those that are there.
        """
        there = self.all(tip)
        for attribute in ("experiment_id", "name", "slug"):
            found = next((item for item in there if getattr(item, attribute) == text), None)
            if found is not None:
                return found
        names = ", ".join(repr(visible(item.name)) for item in there[:8])
        where = "here" if tip is None else f"at {tip[:12]}"
        raise NotFoundError(
            f"There is no experiment {text!r} {where}. There are: {names}. All of them: runfolio experiments list --all"
        )

    def create(self, name: str, tags: Mapping[str, str] | None = None, description: str = "") -> Experiment:
        """Make an experiment.

        Raises
        ------
        AlreadyExistsError
            If one of that name is there, deleted or not.
        """
        check_experiment_name(name)
        made: list[Experiment] = []

        def change(tip: str | None) -> list[FileChange]:
            there = self.by_name(name)
            if there is not None:
                state = "deleted; restore it with" if there.lifecycle is Lifecycle.DELETED else "there already; use it with"
                verb = "runfolio experiments restore" if there.lifecycle is Lifecycle.DELETED else "set_experiment"
                raise AlreadyExistsError(f"The experiment {name!r} is {state} {verb} {name!r}.")
            now = time.time_ns() // 1_000_000
            slug = self.free_slug(name)
            made[:] = [Experiment(slug, slug, name, now, now, description, dict(tags or {}))]
            return [FileChange(self._place.full(paths.experiment_path(slug)), encode_experiment(made[0]))]

        from runfolio.folio.committing import commit_with_retry

        commit_with_retry(self._place, change, f"experiments: create {visible(name)}\n")
        return made[0]

    def adopt(
        self,
        experiment_id: str,
        name: str,
        tags: Mapping[str, str],
        description: str,
        *,
        created: int,
        updated: int,
        lifecycle: Lifecycle,
    ) -> Experiment:
        """Make an experiment that was one elsewhere: with its id, where no other has it here, and its times.

        Raises
        ------
        AlreadyExistsError
            If one of that name is there.
        """
        check_experiment_name(name)
        made: list[Experiment] = []

        def change(tip: str | None) -> list[FileChange]:
            if self.by_name(name) is not None:
                raise AlreadyExistsError(f"The experiment {name!r} is there already.")
            slug = self.free_slug(name)
            kept = slug if self.by_id(experiment_id) is not None else check_experiment_id(experiment_id)
            made[:] = [Experiment(kept, slug, name, created, updated or created, description, dict(tags), lifecycle=lifecycle)]
            return [FileChange(self._place.full(paths.experiment_path(slug)), encode_experiment(made[0]))]

        from runfolio.folio.committing import commit_with_retry

        commit_with_retry(self._place, change, f"experiments: import {visible(name)}\n")
        return made[0]

    def free_slug(self, name: str) -> str:
        """Return a folder name for a new experiment that no other has."""
        slug, taken = slug_of(name), self._load()
        number, made = 2, slug
        while made in taken or any(item.experiment_id == made for item in taken.values()):
            made = f"{slug[:44]}-{number}"
            number += 1
        return made

    def get_or_create(self, name: str) -> Experiment:
        """Return the experiment of that name, made if it is missing.

        Raises
        ------
        DeletedError
            If it is deleted.
        """
        found = self.by_name(name)
        if found is None:
            try:
                found = self.create(name)
            except AlreadyExistsError:
                found = self.by_name(name)
                if found is None:
                    raise
        if found.lifecycle is Lifecycle.DELETED:
            raise DeletedError(
                f"Cannot set a deleted experiment {name!r} as the active experiment. Restore it: runfolio experiments restore {found.slug}"
            )
        return found

    def edit(self, experiment_id: str, verb: str, **changes: Any) -> Experiment:
        """Change fields of an experiment; comments that people wrote in its file stay.

        Parameters
        ----------
        experiment_id : str
        verb : str
            For the commit's message: ``rename``, ``delete``, ``tag``…
        **changes
            Fields of :class:`~runfolio.records.Experiment`.
        """
        return self.edit_with(experiment_id, verb, lambda found: replace(found, **changes))

    def edit_with(self, experiment_id: str, verb: str, edit: Callable[[Experiment], Experiment]) -> Experiment:
        """Change an experiment by a function of what it is at the moment of the commit."""
        made: list[Experiment] = []

        def change(tip: str | None) -> list[FileChange]:
            found = self.by_id(experiment_id)
            if found is None:
                raise NotFoundError(f"No Experiment with id={experiment_id} exists. List them: runfolio experiments list --all")
            edited = edit(found)
            if edited == found:
                made[:] = [found]
                return []
            other = self.by_name(edited.name)
            if other is not None and other.slug != found.slug:
                raise AlreadyExistsError(f"An experiment named {edited.name!r} is there already. Choose another name.")
            made[:] = [replace(edited, updated=time.time_ns() // 1_000_000)]
            path = paths.experiment_path(found.slug)
            old = self._place.read(tip, path)
            self._place.require_committed(path, old)
            data = edit_experiment(old, made[0]) if old is not None else encode_experiment(made[0])
            return [FileChange(self._place.full(path), data)]

        from runfolio.folio.committing import commit_with_retry

        commit_with_retry(self._place, change, lambda: f"experiments: {verb} {visible(made[0].name)}\n")
        return made[0]


def default_experiment() -> Experiment:
    """Return the experiment that is always there: id ``"0"``, name ``Default``, as in MLflow."""
    return Experiment(DEFAULT_EXPERIMENT_ID, DEFAULT_SLUG, DEFAULT_EXPERIMENT_NAME)
