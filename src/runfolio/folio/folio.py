"""The open folio: one object that joins repository, spool, object store and index."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from runfolio._typing import TYPE_CHECKING, Any
from runfolio.errors import RunfolioError, storage_errors
from runfolio.folio.experiments import ExperimentBook
from runfolio.folio.lookup import RunFinder
from runfolio.folio.place import Place
from runfolio.formats.settings import Settings
from runfolio.gitstore import Repo
from runfolio.gitstore.user_settings import user_setting
from runfolio.journal import Spool

if TYPE_CHECKING:
    from runfolio.folio.datasets import DatasetBook
    from runfolio.folio.deployments import DeploymentBook
    from runfolio.folio.folding import FoldResult
    from runfolio.folio.models import ModelBook
    from runfolio.folio.reproductions import ReproductionBook
    from runfolio.index import Index
    from runfolio.journal import JournalWriter
    from runfolio.objects import ObjectStore

_TRY_AGAIN_S = 60.0


class Folio:
    """One folio, open.

    Parameters
    ----------
    place : Place
        Repository, folder in it, settings.

    Examples
    --------
    >>> import tempfile
    >>> from runfolio.folio import initialise
    >>> folio = initialise(tempfile.mkdtemp()).folio
    >>> [experiment.name for experiment in folio.experiments.all()]
    ['Default']
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        spool = os.environ.get("RUNFOLIO_SPOOL")
        self.spool = Spool(Path(spool).expanduser() if spool else place.local, place.settings.durability)
        self.experiments = ExperimentBook(place)
        self.runs = RunFinder(self)
        self._try_again_at, self._away = 0.0, ""

    @property
    def repo(self) -> Repo:
        """The repository."""
        return self.place.repo

    @property
    def settings(self) -> Settings:
        """What ``runfolio.yaml`` says."""
        return self.place.settings

    @cached_property
    def artifacts_place(self) -> str | None:
        """Where objects lie: ``$RUNFOLIO_ARTIFACTS``, git's ``runfolio.artifacts``, or what the settings say; None is the default."""
        return os.environ.get("RUNFOLIO_ARTIFACTS") or user_setting(self.repo, "artifacts") or self.settings.artifacts

    @cached_property
    def store(self) -> ObjectStore:
        """The object store of :attr:`artifacts_place`; before another one where git's ``runfolio.artifactsBehind`` names one."""
        from runfolio.objects import open_store

        default, durable = self.place.local / "objects", self.settings.durability != "process"
        store = open_store(self.artifacts_place, default, self.place.root, durable)
        behind = user_setting(self.repo, "artifactsBehind")
        if behind is None:
            return store
        from runfolio.objects.layered import LayeredStore

        return LayeredStore(store, open_store(behind, default, self.place.root, durable))

    @cached_property
    def _keeps_objects_here(self) -> bool:
        """Whether :attr:`store` is the default one, where nothing waits; told without opening it."""
        return not self.artifacts_place and user_setting(self.repo, "artifactsBehind") is None

    @cached_property
    def models(self) -> ModelBook:
        """Registered models and their versions."""
        from runfolio.folio.models import ModelBook

        return ModelBook(self.place)

    @cached_property
    def deployments(self) -> DeploymentBook:
        """Where versions of models were put."""
        from runfolio.folio.deployments import DeploymentBook

        return DeploymentBook(self.place)

    @cached_property
    def reproductions(self) -> ReproductionBook:
        """What came of making runs again."""
        from runfolio.folio.reproductions import ReproductionBook

        return ReproductionBook(self.place)

    @cached_property
    def datasets(self) -> DatasetBook:
        """Which content of each dataset is current, and what is known of it."""
        from runfolio.folio.datasets import DatasetBook

        return DatasetBook(self.place)

    @cached_property
    def index(self) -> Index:
        """The disposable table of all records; brought up to the tip by :meth:`fresh_index`."""
        from runfolio.index import Index

        return Index.open(self.place.local / "index.sqlite")

    def fresh_index(self, at: str | None = None) -> Index:
        """Return the index as of the tip, or of another revision.

        Parameters
        ----------
        at : str, optional
            Commit id.
        """
        tip = self.place.tip()
        if self.repo.partial:
            from runfolio.gitstore.completing import complete

            for commit in filter(None, {tip, at}):
                complete(self.repo, commit, self.place.run_folders)
        self.index.update(self.repo, tip, self.place.prefix)
        return self.index.at(self.repo, at, self.place.prefix) if at is not None and at != tip else self.index

    def start(self, header: dict[str, Any]) -> JournalWriter:
        """Start a live run with its header; see docs/format.md, "journals"."""
        branch = self.place.branch_at_hand()
        if branch:
            header = {**header, "branch": branch}
        return self.spool.create(header["run_id"], header)

    @storage_errors("commit the runs that have ended")
    def commit(self, *, wait: bool = True, told: Callable[[int], None] | None = None) -> FoldResult:
        """Commit the runs that have ended.

        Parameters
        ----------
        wait : bool, optional
            Wait for another process that is committing; otherwise leave the runs to the next commit.
        told : callable, optional
            Told of bytes of artifacts as they go up.

        Returns
        -------
        FoldResult
            What was committed, and what waits and why.
        """
        from runfolio.folio.folding import fold

        unsent = self.upload(told) if self.spool.waiting() else ""
        result = fold(self.place, self.spool, lambda: self.store, wait=wait)
        # Lists of files are made as a run is sealed.
        result.unsent = self.upload(told) if result.folded else unsent
        return result

    def upload(self, told: Callable[[int], None] | None = None) -> str:
        """Take objects that wait to the store, if it can be reached.

        Returns
        -------
        str
            Why some wait on; empty where none does. They are safe here, and ``runfolio sync`` takes them up before it pushes.
        """
        if self._keeps_objects_here:
            return ""
        count, size = self.store.waits()
        if not count:
            return ""
        text = f"{count} object{'s' * (count != 1)} ({size:,} bytes) wait{'s' * (count == 1)} here for runfolio sync"
        if os.environ.get("RUNFOLIO_OFFLINE", "") not in ("", "0"):
            return f"{text}: RUNFOLIO_OFFLINE is set"
        # A loop of short runs does not wait for a place that cannot be reached at the end of each.
        if time.monotonic() < self._try_again_at:
            return f"{text}: {self._away}"
        try:
            self.store.upload(told)
        except RunfolioError as error:
            self._try_again_at, self._away = time.monotonic() + _TRY_AGAIN_S, error.message
            return f"{text}: {error.message}"
        return ""

    def close(self) -> None:
        """Give back processes and files."""
        if "index" in self.__dict__:
            self.index.close()
        self.repo.close()
