"""Settings, the policy, experiments and package lists: the files beside the run records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from runfolio.errors import DamagedError, UsageError
from runfolio.folio.checks.faults import Restore, faults_of
from runfolio.formats import paths
from runfolio.formats.experiments import decode_experiment
from runfolio.formats.settings import Settings, decode_settings, retention_line
from runfolio.policy import decode_policy
from runfolio.query import parse_filter
from runfolio.records import Experiment
from runfolio.records.findings import Finding, Severity

_EDIT = "Edit the file"


def check_settings(data: bytes, path: str, findings: list[Finding]) -> Settings | None:
    """Check ``runfolio.yaml``; return what it says, None where it cannot be read."""
    try:
        settings = decode_settings(data, path)
    except DamagedError as error:
        findings.extend(faults_of(error, path, data, "settings.format", _EDIT))
        return None
    for number, rule in enumerate(settings.retention):
        try:
            parse_filter(rule.filter)
        except UsageError as error:
            # In a terminal a mark below the filter shows the place; in one line the words before it do.
            message = f"{error.message.split(chr(10))[0].rstrip('.')} (line {retention_line(data, path, number)})"
            findings.append(Finding("settings.filter", Severity.ERROR, path, f"retention[{number}].filter", message, _EDIT))
    return settings


def check_policy(data: bytes, path: str, stages: Iterable[str], findings: list[Finding]) -> None:
    """Check ``policy.yaml``: what is misspelt there stops every promotion.

    Parameters
    ----------
    data : bytes
    path : str
    stages : iterable of str
        Those that the folio knows.
    findings : list of Finding
    """
    try:
        decode_policy(data, path, stages)
    except DamagedError as error:
        findings.extend(faults_of(error, path, data, "policy.format", _EDIT))


def check_experiment(data: bytes, path: str, findings: list[Finding]) -> Experiment | None:
    """Check an experiment's file; return what it says, None where it cannot be read."""
    try:
        return decode_experiment(data, path)
    except DamagedError as error:
        findings.extend(faults_of(error, path, data, "experiment.format", _EDIT))
        return None


def check_environment(data: bytes, path: str, restore: Restore, findings: list[Finding]) -> None:
    """Check that a package list has the name that follows from its content."""
    name = hashlib.sha256(data).hexdigest()[:16]
    if not path.endswith(paths.environment_path(name)):
        message = f"the name must be the first 16 digits of the content's SHA-256, which is {name}: the list was changed"
        findings.append(Finding("environment.name", Severity.ERROR, path, "", message, restore(path)))


def check_same_names(experiments: Mapping[str, Experiment], findings: list[Finding]) -> None:
    """Check that no two experiments have one id or one name.

    Parameters
    ----------
    experiments : Mapping of str to Experiment
        By path.
    findings : list of Finding
    """
    for field, rule in (("experiment_id", "experiment.id"), ("name", "experiment.same-name")):
        seen: dict[str, str] = {}
        for path, item in experiments.items():
            value = getattr(item, field)
            other = seen.setdefault(value, path)
            if other != path:
                message = f"{value!r} is that of {other} too, so neither is found by it"
                findings.append(Finding(rule, Severity.ERROR, path, field, message, "Give one of them another in its file"))
