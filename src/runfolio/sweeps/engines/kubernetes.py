"""Kubernetes: a round is an indexed Job, applied and followed by ``kubectl``.

``runfolio sweep FILE --engine kubernetes -C image=NAME@sha256:… -C secrets=s3-keys``; ``--dry-run`` prints the manifest. The store is a
bucket, or a folder on a volume that the pods mount at the same path (``claim.NAME=/PATH``).
"""

from __future__ import annotations

import re

from runfolio.deployments import cluster
from runfolio.deployments.client import Config
from runfolio.errors import NotFoundError
from runfolio.sweeps.engines.batch import KEYS, BatchEngine, Standing
from runfolio.sweeps.engines.batch_job import BatchJob, names_of
from runfolio.sweeps.engines.kubernetes_job import job_manifest, namespace_of, per_task_of
from runfolio.tracking.session import Session

_SELECTOR = "app.kubernetes.io/managed-by=runfolio,app.kubernetes.io/component=sweep-worker,runfolio/sweep="
_RANGE = re.compile(r"(\d+)(?:-(\d+))?\Z")


def kubernetes_engine(address: object = None, *, n_jobs: int | None = None, config: Config | None = None) -> BatchEngine:
    """Make the engine.

    Parameters
    ----------
    address : object, optional
        Not used: the cluster is the one of kubectl's current context.
    n_jobs : int, optional
        Pods at once; as the setting ``limit``.
    config : Mapping, optional
        See `runfolio.sweeps.engines.kubernetes_job.KEYS` and `runfolio.sweeps.engines.batch.KEYS`.
    """
    said = dict(config or {})
    if n_jobs is not None:
        said.setdefault("limit", n_jobs)
    ours = {key: said.pop(key) for key in list(said) if key in KEYS}
    return BatchEngine(Kubernetes(said), ours)


class Kubernetes:
    """A namespace of a cluster.

    Parameters
    ----------
    config : Mapping
        Checked at once.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        job_manifest(BatchJob("0" * 32, 1, 1, 1, "", ""), config)  # says what is wrong before anything is done
        self._space = namespace_of(config)

    def per_task(self, trials: int) -> int:
        """Return how many trials one pod runs."""
        return per_task_of(trials, self._config)

    def open(self, held: Session) -> None:
        """Ask whether the cluster answers."""
        cluster.read("jobs", "-n", self._space, "-l", f"{_SELECTOR}none")

    def text(self, job: BatchJob) -> str:
        """Return the manifest as YAML."""
        import yaml

        return str(yaml.safe_dump(job_manifest(job, self._config), sort_keys=False, allow_unicode=True))

    def submit(self, job: BatchJob) -> None:
        """Apply the Job; one of its name is the same Job, and stays."""
        cluster.apply([job_manifest(job, self._config)])

    def earlier(self, sweep_id: str) -> list[str]:
        """List the names of the sweep's Jobs that are not over."""
        found = cluster.read("jobs", "-n", self._space, "-l", f"{_SELECTOR}{sweep_id[:63]}")["items"]
        named = [item["metadata"]["name"] for item in found if not _ended(item)]
        return sorted(name for name in named if name.startswith(names_of(sweep_id)))

    def look(self, name: str) -> Standing:
        """Read the Job's status."""
        try:
            found = cluster.read("job", name, "-n", self._space)
        except NotFoundError:
            return Standing(False)
        status = found.get("status") or {}
        over = dict.fromkeys(_indexes(status.get("completedIndexes")), "its pod has ended without an error")
        why = f"its pods failed (kubectl logs -n {self._space} -l batch.kubernetes.io/job-name={name})"
        over.update(dict.fromkeys(_indexes(status.get("failedIndexes")), why))
        return Standing(not _ended(found), over)

    def cancel(self, name: str) -> None:
        """Delete the Job, and its pods."""
        cluster.kubectl("delete", "job", name, "-n", self._space, "--ignore-not-found", "--wait=false")


def _ended(item: dict[str, object]) -> bool:
    status = item.get("status")
    conditions = status.get("conditions") or () if isinstance(status, dict) else ()
    return any(each.get("type") in ("Complete", "Failed") and each.get("status") == "True" for each in conditions)


def _indexes(text: str | None) -> list[int]:
    """Read a list of indexes as the Job's status has it.

    >>> _indexes("0-2,5")
    [0, 1, 2, 5]
    """
    made: list[int] = []
    for part in (text or "").split(","):
        match = _RANGE.match(part.strip())
        if match:
            made += range(int(match[1]), int(match[2] or match[1]) + 1)
    return made
