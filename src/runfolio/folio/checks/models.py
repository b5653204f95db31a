"""Registered models: what is live names versions that are there, and versions name files and runs that are there."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from runfolio.errors import DamagedError, RunfolioError
from runfolio.folio.checks.faults import Restore, faults_of
from runfolio.folio.checks.model_history import ModelHistory
from runfolio.folio.checks.objects import ObjectCheck
from runfolio.formats import paths
from runfolio.formats.cards import check_card
from runfolio.formats.deployments import decode_deployment
from runfolio.formats.models import MODEL_KEYS, VERSION_KEYS, changed_facts, decode_model, decode_version
from runfolio.records.deployments import Deployment
from runfolio.records.findings import Finding, Severity
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.runs import Lifecycle
from runfolio.records.settings import RegistrySettings
from runfolio.records.visible import visible


class ModelCheck:
    """Remembers the models and versions of a revision, and says at the end what does not fit.

    Parameters
    ----------
    prefix : str
        The folio's folder.
    settings : RegistrySettings
    objects : ObjectCheck
        Looks up what versions name.
    restore : callable
    findings : list of Finding
    """

    def __init__(
        self, prefix: str, settings: RegistrySettings, objects: ObjectCheck, restore: Restore, findings: list[Finding]
    ) -> None:
        self._prefix, self._settings, self._objects = prefix, settings, objects
        self._restore, self._findings = restore, findings
        self._models: dict[str, RegisteredModel] = {}
        self._versions: dict[tuple[str, int], ModelVersion] = {}
        self._deployments: dict[str, Deployment] = {}
        self._unread: set[str] = set()

    def take(self, path: str, inner: str, data: bytes) -> bool:
        """Check a file, if it is a model's, a version's or a deployment's; tell whether it was."""
        slug, found = paths.model_of_path(inner), paths.version_of_path(inner)
        if paths.deployment_of_path(inner) is not None:
            self._deployment(path, inner, data)
            return True
        try:
            if slug is not None:
                self._models[slug] = decode_model(data, inner)
            elif found is not None:
                self._versions[found] = version = decode_version(data, inner)
                self._objects.take_version(path, version)
            elif paths.card_of_path(inner) is not None:
                check_card(data, inner)
            else:
                return False
        except DamagedError as error:
            self._unread.add(inner)
            rule = "model.format" if slug is not None else "version.format" if found is not None else "card.format"
            self._findings.extend(faults_of(error, path, data, rule, "Edit the file"))
        return True

    def _deployment(self, path: str, inner: str, data: bytes) -> None:
        try:
            self._deployments[inner] = decode_deployment(data, inner)
        except DamagedError as error:
            self._findings.extend(faults_of(error, path, data, "deployment.format", self._restore(path)))

    def finish(self, runs: Collection[str], history: ModelHistory) -> None:
        """Say what is named and is not there.

        Parameters
        ----------
        runs : collection of str
            Ids of the runs of the revision.
        history : ModelHistory
        """
        self._same_names()
        history.finish(self._models, self._versions)
        for slug, model in self._models.items():
            self._live(slug, model)
            self._unknown(self._prefix + paths.model_path(slug), model.extra, MODEL_KEYS)
        for inner, deployment in self._deployments.items():
            self._deployed(inner, deployment)
        for (slug, number), version in self._versions.items():
            path = self._prefix + paths.version_path(slug, number)
            self._unknown(path, version.extra, VERSION_KEYS)
            top = paths.model_path(slug)
            if slug not in self._models and top not in self._unread:
                message = f"there is no {self._prefix}{top}, so nothing finds the version"
                self._add("version.model", Severity.ERROR, path, "", message, self._restore(self._prefix + top))
            if version.run_id and version.run_id not in runs:
                message = f"the run {version.run_id} is not in this revision"
                self._add(
                    "version.run", Severity.WARNING, path, "run", message, "It may be on another branch, or wait: runfolio commit"
                )

    def _deployed(self, inner: str, deployment: Deployment) -> None:
        slug, path = inner.split("/")[1], self._prefix + inner
        version = self._versions.get((slug, deployment.version))
        if paths.version_path(slug, deployment.version) in self._unread:
            return
        remedy = "If it serves no more: runfolio deployments delete, or git rm the record"
        if version is None:
            message = f"version {deployment.version} is not there"
            self._add("deployment.version", Severity.ERROR, path, "version", message, remedy)
        elif version.lifecycle is Lifecycle.DELETED and not deployment.gone:
            message = f"version {deployment.version} is deleted, and still serves"
            self._add("deployment.version", Severity.WARNING, path, "version", message, remedy)
        elif deployment.digest is not None and version.digest != deployment.digest:
            message = f"it serves other bytes than version {deployment.version} has: {deployment.digest}"
            self._add("deployment.digest", Severity.ERROR, path, "digest", message, "Deploy the version anew")

    def _live(self, slug: str, model: RegisteredModel) -> None:
        path = self._prefix + paths.model_path(slug)
        named = [(f"stages.{stage}", number) for stage, numbers in model.stages.items() for number in numbers]
        named += [(f"aliases.{alias}", number) for alias, number in model.aliases.items()]
        for field, number in named:
            version = self._versions.get((slug, number))
            if paths.version_path(slug, number) in self._unread:
                continue
            if version is None or version.lifecycle is Lifecycle.DELETED:
                state = "is deleted" if version else "is not there"
                remedy = "Name a version that is there, or take the line away"
                self._add("model.version", Severity.ERROR, path, field, f"version {number} {state}", remedy)
        for stage, numbers in model.stages.items():
            if stage in self._settings.exclusive and len(numbers) > 1:
                message = f"versions {', '.join(map(str, numbers))} are in a stage that holds one at most"
                remedy = f"Keep one: runfolio models demote {slug} VERSION"
                self._add("model.exclusive", Severity.ERROR, path, f"stages.{stage}", message, remedy)
            if stage not in self._settings.stages:
                message = f"no such stage; there are {', '.join(self._settings.stages)}"
                remedy = "Correct it, or add it in runfolio.yaml: registry.stages"
                self._add("model.stage", Severity.ERROR, path, f"stages.{stage}", message, remedy)

    def _same_names(self) -> None:
        seen: dict[str, str] = {}
        for slug, model in self._models.items():
            other = seen.setdefault(model.name, slug)
            if other != slug:
                path = self._prefix + paths.model_path(slug)
                message = f"{model.name!r} is the name of {self._prefix}{paths.model_path(other)}, too"
                self._add("model.same-name", Severity.ERROR, path, "name", message, "Give one of them another in its file")

    def _unknown(self, path: str, extra: Iterable[str], known: Collection[str]) -> None:
        """Say which fields nobody reads: a typo, or a newer runfolio's."""
        self._findings.extend(_unknown_fields(path, extra, known))

    def _add(self, rule: str, severity: Severity, path: str, field: str, message: str, remedy: str) -> None:
        self._findings.append(Finding(rule, severity, path, field, message, remedy))


def check_edited(path: str, inner: str, data: bytes, committed: bytes | None, findings: list[Finding]) -> None:
    """Check the file of a model or of a version as it stands in the work tree, edited.

    Parameters
    ----------
    path : str
        From the repository's root.
    inner : str
        From the folio's.
    data : bytes
        What the work tree has.
    committed : bytes or None
        What was committed, whose facts stay; None where that is not to be compared.
    findings : list of Finding
    """
    is_version = paths.version_of_path(inner) is not None
    try:
        made = decode_version(data, path) if is_version else decode_model(data, path)
    except DamagedError as error:
        findings.extend(faults_of(error, path, data, "version.format" if is_version else "model.format", "Edit the file"))
        return
    findings.extend(_unknown_fields(path, made.extra, VERSION_KEYS if is_version else MODEL_KEYS))
    if committed is None:
        return
    with contextlib.suppress(RunfolioError):  # what was committed has findings of its own
        if isinstance(made, ModelVersion):
            facts = changed_facts(decode_version(committed, path), made)
        else:
            facts = ["created"] if decode_model(committed, path).created != made.created else []
        if facts:
            rule, what = ("version.edited", "version") if is_version else ("model.edited", "model")
            message = f"facts of the {what} were edited in the work tree: {', '.join(facts)}"
            remedy = f"Bring it back with: git checkout HEAD -- :/{path}"
            findings.append(Finding(rule, Severity.ERROR, path, facts[0], message, remedy))


def _unknown_fields(path: str, extra: Iterable[str], known: Collection[str]) -> Iterator[Finding]:
    for key in extra:
        near = get_close_matches(key, known, 1)
        meant = f"; perhaps {near[0]} was meant" if near else ""
        message = f"no such field, so it is kept and not read{meant}"
        yield Finding("model.field", Severity.WARNING, path, visible(key), message, "Correct it, or upgrade runfolio")
