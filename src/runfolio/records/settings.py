"""Settings: what a team decided about its folio, defaults filled in. The file they stand in is ``runfolio.yaml``."""

from __future__ import annotations

from collections.abc import Mapping

from runfolio._dataclass import dataclass, field
from runfolio._typing import Any
from runfolio.records.experiments import Objective
from runfolio.records.models import STAGES


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """Where records are committed: `branch` names the ledger branch; None is the branch you stand on."""

    branch: str | None = None


@dataclass(frozen=True, slots=True)
class CommitSettings:
    """When finished runs become a commit, and whose.

    Parameters
    ----------
    when : str
        ``auto`` (at the latest when the process ends, every `batch` runs or 10 s), ``run``, ``batch`` or ``demand``.
    batch : int
        Runs a commit, at most.
    author : str or None
        ``Name <mail>``; None is git's own.
    hooks : bool
        Whether the repository's hooks run for record commits.
    sign : bool
        Whether record commits are signed, as git is configured to sign. git's own ``commit.gpgSign`` does not count here: a key that
        asks for its passphrase would stop a training script.
    """

    when: str = "auto"
    batch: int = 100
    author: str | None = None
    hooks: bool = False
    sign: bool = False


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """What is recorded of a run without being asked; `untracked_max_bytes` bounds each untracked file."""

    code: bool = True
    untracked_max_bytes: int = 1_048_576
    arguments: bool = True
    packages: bool = True
    platform: bool = True
    user: bool = True
    host: bool = False
    notebook: bool = True


@dataclass(frozen=True, slots=True)
class RedactSettings:
    """What is taken out before it is written, beyond what always is: regular expressions, and names of keys."""

    patterns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Runs that match `filter` and ended more than `older_than_s` seconds ago are subject to `action`."""

    filter: str
    older_than_s: int
    action: str = "delete"


@dataclass(frozen=True, slots=True)
class SystemMetricSettings:
    """Whether CPU, memory and GPU use are sampled, and how often."""

    enabled: bool = False
    interval_s: int = 10


@dataclass(frozen=True, slots=True)
class SiteArtifacts:
    """Which artifacts the site publishes.

    Parameters
    ----------
    publish : tuple of str
        Shell patterns over artifact paths; only what fits one of them is published, and of that only types that are safe.
    max_bytes : int
        Of one file.
    total_bytes : int
        Of all files of a site; the newest runs come first.
    """

    publish: tuple[str, ...] = ("*",)
    max_bytes: int = 1_000_000
    total_bytes: int = 50_000_000


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """How the site looks and what it publishes.

    Parameters
    ----------
    title : str
        The folder's name by default.
    description : str
    base_url : str
        Where the site will stand, for feeds and link previews; empty keeps every link relative.
    artifacts : SiteArtifacts
    run_pages : int
        Pages written ahead for the newest runs of each experiment, beside those of baselines and the best; the other runs
        are shown by one page that reads their data.
    charts : tuple of Mapping
        Declared charts, as they are; :mod:`runfolio.site.charts` reads them.
    templates : str or None
        A folder of the folio whose templates come before the built-in ones.
    hide : tuple of str
        Shell patterns of params and tags that a public site leaves out.
    """

    title: str = ""
    description: str = ""
    base_url: str = ""
    artifacts: SiteArtifacts = SiteArtifacts()
    run_pages: int = 200
    charts: tuple[Mapping[str, Any], ...] = ()
    templates: str | None = None
    hide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """The stages of registered models.

    Parameters
    ----------
    stages : tuple of str
        In the order in which a model goes through them.
    exclusive : tuple of str
        Stages that hold one version at most; a second one is refused, and found by ``runfolio check``.
    """

    stages: tuple[str, ...] = STAGES
    exclusive: tuple[str, ...] = ()


SECTIONS = (
    "verdict", "alarms", "promotions", "gates", "results", "chart", "runs", "environment", "data", "code", "artifacts", "footer",
)  # fmt: skip
"""Of a report on a change, in the order in which a reviewer needs them."""


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """What the report on a proposed change shows, and when it fails.

    Parameters
    ----------
    sections : tuple of str
        Of :data:`SECTIONS`, in the order in which they are shown; those that are not named are left out.
    rows : int
        Of one table, at most; the rest is counted.
    runs : int
        New runs that are listed for each experiment, the best first; the rest is counted.
    quiet : bool
        Whether nothing is written where nothing that runfolio looks at changed.
    limit : int
        Characters of the comment, at most.
    baseline : str
        What new runs are compared with: the ``pinned`` run of the experiment, the ``live`` one (in Production), the ``best`` of the
        base, or, with ``auto``, the first of these that there is.
    fail_on : tuple of str
        What makes the review fail: ``gates``, ``alarms``, ``damage``, ``regression``.
    """

    sections: tuple[str, ...] = SECTIONS
    rows: int = 30
    runs: int = 20
    quiet: bool = True
    limit: int = 60_000
    baseline: str = "auto"
    fail_on: tuple[str, ...] = ("gates", "alarms", "damage")


@dataclass(frozen=True, slots=True)
class ReproduceSettings:
    """When a run that was made again counts as the same.

    Parameters
    ----------
    tolerance : float
        Relative deviation of a metric that still counts as the same result; 0 asks for the same number, bit for bit.
    ignore : tuple of str
        Shell patterns of metrics that are not compared: times, and what depends on the machine.
    """

    tolerance: float = 1e-9
    ignore: tuple[str, ...] = ("system/*",)


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How ``runfolio ci train`` trains, and when the workflow calls it.

    Parameters
    ----------
    command : str
        What it runs, from the folio's folder, without a shell; empty for none.
    requirements : str
        A file of packages that the workflow installs before.
    model : str
        The registered model that it trains; empty where only runs are made.
    artifact : str
        The folder of a run that holds the model, where the command does not register it itself.
    stage : str
        That a pull request is opened for.
    schedule : str
        When the workflow trains, in cron's five fields; empty for not by the clock.
    on_push : bool
        Train when code is merged.
    """

    command: str = ""
    requirements: str = "requirements.txt"
    model: str = ""
    artifact: str = "model"
    stage: str = "Staging"
    schedule: str = ""
    on_push: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``runfolio.yaml`` says, defaults filled in.

    Parameters
    ----------
    artifacts : str or None
        Place of the object store, a folder or an URL; None is inside the git folder.
    records : RecordSettings
    commit : CommitSettings
    durability : str
        ``process`` (survives kill -9), ``power`` (synced at the end of each run) or ``power-each`` (at every item).
    capture : CaptureSettings
    redact : RedactSettings
    retention : tuple of RetentionRule
    objectives : Mapping of str to Objective
        By experiment name; ``*`` is for those that have none of their own.
    system_metrics : SystemMetricSettings
    remote : str
        The git remote of ``sync``.
    site : SiteSettings
    registry : RegistrySettings
    review : ReviewSettings
    reproduce : ReproduceSettings
    training : TrainingSettings
    """

    artifacts: str | None = None
    records: RecordSettings = RecordSettings()
    commit: CommitSettings = CommitSettings()
    durability: str = "power"
    capture: CaptureSettings = CaptureSettings()
    redact: RedactSettings = RedactSettings()
    retention: tuple[RetentionRule, ...] = ()
    objectives: Mapping[str, Objective] = field(default_factory=dict)
    system_metrics: SystemMetricSettings = SystemMetricSettings()
    remote: str = "origin"
    site: SiteSettings = SiteSettings()
    registry: RegistrySettings = RegistrySettings()
    review: ReviewSettings = ReviewSettings()
    reproduce: ReproduceSettings = ReproduceSettings()
    training: TrainingSettings = TrainingSettings()

    def objective(self, experiment: str) -> Objective | None:
        """Return the default objective for the experiment of that name, or None."""
        return self.objectives.get(experiment, self.objectives.get("*"))
