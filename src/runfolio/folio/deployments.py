"""Deployments of a folio: read at its tip, each change one small commit.

A record lies with the model whose version serves. When a version of another model takes the name over, the old record says so in
the same commit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from runfolio._dataclass import replace
from runfolio.errors import DamagedError, NotFoundError
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.deployments import decode_deployment, encode_deployment
from runfolio.gitstore import FileChange
from runfolio.gitstore.trees import folder_names
from runfolio.records.deployments import Deployment, DeploymentState
from runfolio.records.visible import visible

Held = dict[str, Deployment]
"""Deployments by the path of their record, from the folio's root."""


class DeploymentBook:
    """The deployments of a folio's models.

    Parameters
    ----------
    place : Place
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def of_model(self, slug: str, tip: str | None = None) -> list[Deployment]:
        """List the deployments of a model's versions: those that serve first, then by target and name.

        A record that is damaged is passed over; ``check`` names it.

        Parameters
        ----------
        slug : str
            The model's folder.
        tip : str, optional
            Commit to read; the folio's tip by default.
        """
        found = self._read([slug], tip or self._place.tip())
        return sorted(found.values(), key=lambda item: (item.gone, item.key))

    def all(self, tip: str | None = None) -> list[tuple[str, Deployment]]:
        """List all deployments with the folder of their model."""
        tip = tip or self._place.tip()
        found = self._read(self._names(tip, paths.MODELS), tip)
        made = [(path.split("/")[1], item) for path, item in found.items()]
        return sorted(made, key=lambda pair: (pair[1].gone, pair[1].key, pair[0]))

    def record(self, slug: str, deployment: Deployment, verb: str) -> Deployment:
        """Write what a deployment is now.

        Parameters
        ----------
        slug : str
            Folder of the model whose version it serves.
        deployment : Deployment
            Who wrote it, and when, is filled in.
        verb : str
            Of the commit's subject: ``create``, ``update``, ``delete``.

        Returns
        -------
        Deployment
            As it was written.
        """
        from runfolio.folio.committing import author_of, commit_with_retry

        made: list[Deployment] = []

        def change(tip: str | None) -> list[FileChange]:
            now = time.time_ns() // 1_000_000
            held = self._read(self._names(tip, paths.MODELS), tip)
            same = {path: item for path, item in held.items() if item.key == deployment.key}
            path = next((path for path in same if path.startswith(f"{paths.MODELS}/{slug}/")), None)
            before = same.pop(path, None) if path else None
            created = before.created if before and not before.gone else now
            extra = dict(before.extra) if before else {}
            made[:] = [replace(deployment, created=created, updated=now, user=author_of(self._place).name, extra=extra)]
            files = {path or self._free(slug, deployment.slug, held): made[0]}
            for other, item in same.items():
                if not item.gone:
                    files[other] = replace(item, state=DeploymentState.REPLACED, updated=now, user=made[0].user)
            return [FileChange(self._place.full(name), encode_deployment(item)) for name, item in files.items()]

        commit_with_retry(self._place, change, lambda: self._message(slug, deployment, verb))
        return made[0]

    def find(self, target: str, name: str, place: str | None = None) -> tuple[str, Deployment]:
        """Return the deployment of that name that serves, with the folder of its model.

        Raises
        ------
        NotFoundError
            If no record names it.
        """
        for slug, item in self.all():
            if not item.gone and (item.target, item.name) == (target, name) and place in (None, item.place):
                return slug, item
        raise NotFoundError(
            f"No record of this folio names the deployment {name!r} at {target}. List them: runfolio deployments list"
        )

    def _message(self, slug: str, deployment: Deployment, verb: str) -> str:
        what = f"{visible(slug)} {deployment.version}"
        # A public site shows subjects, and no place: it may be an account's or a cluster's name.
        return f"deployments: {verb} {visible(deployment.name)} at {visible(deployment.target)}: {what}\n"

    def _free(self, slug: str, wanted: str, held: Held) -> str:
        path, number = paths.deployment_path(slug, wanted), 2
        while path in held:
            path, number = paths.deployment_path(slug, f"{wanted[:44]}-{number}"), number + 1
        return path

    def _read(self, slugs: Iterable[str], tip: str | None) -> Held:
        if tip is None:
            return {}
        wanted = {}
        for slug in slugs:
            folder = f"{paths.MODELS}/{slug}/deployments"
            wanted.update(
                {f"{tip}:{self._place.full(f'{folder}/{name}')}": f"{folder}/{name}" for name in self._names(tip, folder)}
            )
        found: Held = {}
        for name, data in self._place.repo.read_many(wanted):
            path = wanted[name]
            if data is None or paths.deployment_of_path(path) is None:
                continue
            try:
                found[path] = decode_deployment(data, path)
            except DamagedError:
                continue
        return found

    def _names(self, tip: str | None, folder: str) -> list[str]:
        return folder_names(self._place.repo, f"{tip}:{self._place.full(folder)}") if tip else []
