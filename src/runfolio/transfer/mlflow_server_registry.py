"""Registered models of an MLflow server, written through its REST API: the server counts versions, and gives their times and users."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlflow.utils import validation

from runfolio.errors import RemoteError, RunfolioError
from runfolio.records.models import NO_STAGE
from runfolio.transfer.mlflow_places import asked
from runfolio.transfer.mlflow_writing import below, upload
from runfolio.transfer.source import SourceModel, SourceVersion, StoreGoneError
from runfolio.transfer.target import UNFINISHED_TAG, VersionWork

_FILLER = "placeholder"
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")


class ServerRegistry:
    """The registry of a server.

    Parameters
    ----------
    client : mlflow.MlflowClient
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._runs: dict[str, str] = {}
        self._models: dict[str, str] = {}

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        """Tell what fails as the server's, and as the end of the export where the server does not answer any more."""
        try:
            with asked(what):
                yield
        except RemoteError as error:
            if self._gone():
                raise StoreGoneError(
                    f"{error.message} The server does not answer any more; export again once it does: it goes on there."
                ) from None
            raise

    def _gone(self) -> bool:
        try:
            with asked("it does not answer"):
                self._client.search_experiments(max_results=1)
        except RunfolioError:
            return True
        return False

    def accepts_name(self, name: str) -> str:
        """Return in words why a registered model cannot have a name there; empty where it can."""
        try:
            validation._validate_model_name(name)
        except validation.MlflowException as error:
            return str(error.message)
        return ""

    def _versions(self, name: str) -> list[Any] | None:
        """Return a model's versions, unfinished ones too; None if there is no such model."""
        named = "name='{}'".format(name.replace("'", "''"))
        ask = lambda token: self._client.search_registered_models(named, 100, page_token=token)  # noqa: E731
        if not any(item.name == name for item in pages(ask)):
            return None
        ask = lambda token: self._client.search_model_versions(named, 200, page_token=token)  # noqa: E731
        return [item for item in pages(ask) if item.name == name]

    def versions_there(self, name: str) -> set[int] | None:
        """Return the numbers of a registered model's versions that are there whole; None if it is not there."""
        with self._asked(f"model {name}: it cannot be read"):
            found = self._versions(name)
            return None if found is None else {int(item.version) for item in found if UNFINISHED_TAG not in item.tags}

    def place_files(self, name: str, version: int, folder: Path) -> str:
        """Put the files of a version that lie in no run beside those of the first experiment, and return where."""
        plain = name if _PLAIN.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()[:32]
        with self._asked("its files cannot be put there"):
            location = below(self._client.get_experiment("0").artifact_location, "registered", plain, str(version))
            upload(folder, location)
            return location

    def expected_version(self, version: SourceVersion) -> SourceVersion:
        """Return a version with the run's id that it has there."""
        return replace(version, run_id=self._runs.get(version.run_id or "", version.run_id))

    def write_model(self, model: SourceModel, versions: Sequence[VersionWork]) -> None:
        """Write a registered model, or what is new of one; a gap among the numbers is a version that is made and removed again.

        Raises
        ------
        RemoteError
            If the server refuses one, or has gone on to greater numbers: what it has given it gives no more.
        """
        with self._asked("it cannot be written"), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # MLflow's of stages, which it goes on keeping
            found = self._versions(model.name)
            if found is None:
                self._client.create_registered_model(model.name, dict(model.tags), model.description or None)
            self._write_versions(model, versions, found or [])

    def _write_versions(self, model: SourceModel, versions: Sequence[VersionWork], found: list[Any]) -> None:
        halves = {int(item.version) for item in found if item.tags.get(UNFINISHED_TAG) == "true"}
        fillers = [int(item.version) for item in found if item.tags.get(UNFINISHED_TAG) == _FILLER]
        last = max((int(item.version) for item in found), default=0)
        written, lost = [], []
        for work in sorted(versions, key=lambda item: item.version.version):
            number = work.version.version
            whole = number in halves
            while not whole and last < number:
                wanted = last + 1 == number
                last = int(self._create(model.name, work, whole=wanted))
                whole = wanted and last == number
                if not whole:  # a gap; or somebody else registers meanwhile, or removed the last one
                    fillers.append(last)
            if not whole:
                lost.append(number)
                continue
            self._place(model.name, work)
            written.append(number)
        known = self._client.get_registered_model(model.name).aliases
        for alias, number in model.aliases.items():
            if alias not in known and number in written:
                self._client.set_registered_model_alias(model.name, alias, str(number))
        for number in written:
            self._client.delete_model_version_tag(model.name, str(number), UNFINISHED_TAG)
        for number in fillers:
            self._client.delete_model_version(model.name, str(number))
        if lost:
            numbers = ", ".join(map(str, lost))
            raise RemoteError(f"version {numbers}: the server has gone on to greater numbers. It gives none again.")

    def _create(self, name: str, work: VersionWork, *, whole: bool) -> str:
        """Make the next version, or what holds its number."""
        item, source, more = work.version, work.source, {}
        tags = {**item.tags, UNFINISHED_TAG: "true"} if whole else {UNFINISHED_TAG: _FILLER}
        if source.startswith("models:/") and (model_id := self._models.get(source.removeprefix("models:/"))):
            source, more = f"models:/{model_id}", {"model_id": model_id}
        made = self._client.create_model_version(
            name, source, self._runs.get(item.run_id or "", item.run_id), run_link=item.run_link or None,
            description=item.description or None, await_creation_for=0, tags=tags, **more,
        )  # fmt: skip
        return str(made.version)

    def _place(self, name: str, work: VersionWork) -> None:
        if work.version.stage != NO_STAGE:
            self._client.transition_model_version_stage(name, str(work.version.version), work.version.stage)


def pages(ask: Any) -> Iterator[Any]:
    """Yield what MLflow gives page by page; `ask` is given the token of the page."""
    token = None
    while True:
        page = ask(token)
        yield from page
        token = page.token
        if not token:
            return
