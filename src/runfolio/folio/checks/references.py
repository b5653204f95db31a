"""What records say of one another: parents, baselines, experiments, package lists; and no two runs with one id."""

from __future__ import annotations

from collections.abc import Mapping

from runfolio.folio.checks.faults import Restore
from runfolio.formats import paths
from runfolio.records import DEFAULT_SLUG, Experiment, Run
from runfolio.records.findings import Finding, Severity


class References:
    """Remembers what runs name, and says at the end what is not there.

    Memory: about 300 bytes a run, for its id and path.

    Parameters
    ----------
    environments : set of str
        Names of the package lists that are there.
    restore : callable
    findings : list of Finding
    """

    def __init__(self, prefix: str, environments: set[str], restore: Restore, findings: list[Finding]) -> None:
        self._prefix, self._environments, self._restore, self._findings = prefix, environments, restore, findings
        self._runs: dict[str, str] = {}
        self._parents: list[tuple[str, str]] = []
        self._slugs: dict[str, tuple[str, int]] = {}
        self._lost: dict[str, tuple[str, int]] = {}

    @property
    def run_ids(self) -> Mapping[str, str]:
        """The runs that are there: path by id."""
        return self._runs

    def take(self, path: str, run: Run) -> None:
        """Remember a run and what it names."""
        other = self._runs.setdefault(run.run_id, path)
        if other != path:
            message = f"{other} is a run of the same id, {run.run_id}"
            self._add("run.same-id", Severity.ERROR, path, "run_id", message, f"Remove the one that is wrong: git rm :/{path}")
        if run.parent:
            self._parents.append((path, run.parent))
        first, count = self._slugs.get(run.experiment, (path, 0))
        self._slugs[run.experiment] = (first, count + 1)
        self._lock(path, run.environment)

    def present(self, path: str, run_id: str) -> None:
        """Remember a run that is there and cannot be read: what names it does not name nothing."""
        self._runs.setdefault(run_id, path)

    def _lock(self, path: str, environment: Mapping[str, object]) -> None:
        name = environment.get("lock")
        if name is None:
            return
        if not isinstance(name, str) or len(name) != 16 or set(name) - set("0123456789abcdef"):
            message = f"16 hex digits are expected, found {name!r}"
            self._add("run.environment", Severity.ERROR, path, "environment.lock", message, self._restore(path))
        elif name not in self._environments:
            first, count = self._lost.get(name, (path, 0))
            self._lost[name] = (first, count + 1)

    def finish(self, experiments: Mapping[str, Experiment], files: set[str]) -> None:
        """Say what is named and is not there.

        Parameters
        ----------
        experiments : Mapping of str to Experiment
            By path; those that can be read.
        files : set of str
            Paths of all experiments' files.
        """
        for path, parent in self._parents:
            if parent not in self._runs:
                message = f"the run {parent} is not in this revision"
                remedy = "It may be on another branch, or wait for a commit: runfolio commit"
                self._add("run.parent", Severity.WARNING, path, "parent", message, remedy)
        for slug, (first, count) in self._slugs.items():
            path = self._prefix + paths.experiment_path(slug)
            if path not in files and slug != DEFAULT_SLUG:
                message = (
                    f"there is no such file, and {count} run{'s' if count > 1 else ''} of experiment {slug!r}, such as {first}"
                )
                self._add("run.experiment", Severity.ERROR, path, "", message, self._restore(path))
        for name, (path, count) in self._lost.items():
            lost = self._prefix + paths.environment_path(name)
            more = f" (nor for {count - 1:,} more run{'s' if count > 2 else ''})" if count > 1 else ""
            message = f"the package list {lost} is not there{more}"
            self._add("run.environment", Severity.ERROR, path, "environment.lock", message, self._restore(lost))
        for path, item in experiments.items():
            if item.baseline and item.baseline not in self._runs:
                message = f"the run {item.baseline} is not in this revision"
                self._add(
                    "experiment.baseline", Severity.WARNING, path, "baseline", message, "Name another run, or remove the line"
                )

    def _add(self, rule: str, severity: Severity, path: str, field: str, message: str, remedy: str) -> None:
        self._findings.append(Finding(rule, severity, path, field, message, remedy))
