"""What a change to a folio says, as data: the one value that every report is written from.

Made by :func:`runfolio.review.gathering.gather`; spelled as JSON by :mod:`runfolio.review.document`, whose schema is
``change.schema.json``. Every text in it is as the records have it: who shows it makes it safe for the place where it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from runfolio._dataclass import dataclass
from runfolio.diff.states import FieldChange
from runfolio.diff.verdict import Verdict
from runfolio.policy import Verdict as GateVerdict
from runfolio.records.experiments import Objective
from runfolio.records.findings import Finding, Severity
from runfolio.records.runs import Run


@dataclass(frozen=True, slots=True)
class Span:
    """The two commits that are compared.

    Parameters
    ----------
    base : str
        Commit before the change: with three dots, and in a review, the merge base.
    head : str
        Commit with the change.
    tip : str
        Commit whose settings, policy and live versions judge the change: where its branch stands now.
    base_text, head_text : str
        As the user named them.
    """

    base: str
    head: str
    tip: str
    base_text: str
    head_text: str


@dataclass(frozen=True, slots=True)
class Edited:
    """A record that was there before and says something else now.

    Parameters
    ----------
    run : Run
        As it is now.
    path : str
        From the repository's root.
    fields : tuple of FieldChange
    results : tuple of str
        Names of the fields that a sealed record never changes by itself: somebody wrote them anew. Empty where only name, tags, note
        or lifecycle differ, or where the run was resumed.
    lifecycle : str
        ``"deleted"`` or ``"restored"`` where that is part of the change; else empty.
    """

    run: Run
    path: str
    fields: tuple[FieldChange, ...]
    results: tuple[str, ...] = ()
    lifecycle: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentChange:
    """What a change brought to one experiment.

    Parameters
    ----------
    slug, name : str
    what : str
        ``"created"``, ``"changed"``, ``"removed"`` of the experiment's own file; empty where only runs came.
    fields : tuple of FieldChange
        Of its file.
    objective : Objective or None
        As the base has it, or the new file where the base has none.
    added : tuple of Run
        New active runs, the best by the objective first, else the newest.
    failed : int
        How many of them failed or were killed.
    verdict : Verdict or None
        None without an objective.
    baseline : Run or None
        The run whose configuration the verdict compares with.
    baseline_is : str
        ``"pinned"``, ``"live"`` (in Production), ``"best"`` (of the base), or empty.
    baseline_model : str
        ``"wine 2 in Production"`` where it is live.
    best : Run or None
        The new run that is shown beside it: of the verdict's configuration.
    without_result : int
        Further new runs of the verdict's configuration that are not in it: they failed, or ended without a finite value.
    """

    slug: str
    name: str
    what: str = ""
    fields: tuple[FieldChange, ...] = ()
    objective: Objective | None = None
    added: tuple[Run, ...] = ()
    failed: int = 0
    verdict: Verdict | None = None
    baseline: Run | None = None
    baseline_is: str = ""
    baseline_model: str = ""
    best: Run | None = None
    without_result: int = 0


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """One thing that changed in the registry of models.

    Parameters
    ----------
    kind : str
        ``created``, ``registered``, ``stage``, ``alias``, ``described``, ``tagged``, ``waived``, ``renamed``, ``deployed``, ``deleted``,
        ``damaged``, or ``reproduced``: a verdict on a run, which then stands in the model's place.
    model : str
        Its name.
    path : str
        From the repository's root.
    text : str
        What happened, in words.
    version : int or None
    stage_from, stage_to : str
        Of a change of stage.
    """

    kind: str
    model: str
    path: str
    text: str
    version: int | None = None
    stage_from: str = ""
    stage_to: str = ""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A version that the change puts into a stage, and what the base's policy says of it.

    Parameters
    ----------
    model : str
    version : int
    stage : str
    stage_from : str
        Where it was: ``"None"`` for no stage.
    replaces : int or None
        The version that is in the stage now.
    verdict : GateVerdict or None
        None where gates were not asked for (``runfolio diff``).
    path : str
        The model's file, from the repository's root.
    line : int
        The line of the file that names the stage; 0 where it is not known.
    digest, live_digest : str
        Of the files of the two versions.
    signature_changed : bool or None
        Whether inputs or outputs differ from the live version's; None where there is none.
    metrics : tuple of tuple
        (metric, of the live version, of this one), those that differ first; none where nothing is replaced.
    """

    model: str
    version: int
    stage: str
    stage_from: str
    replaces: int | None
    verdict: GateVerdict | None
    path: str
    line: int = 0
    digest: str = ""
    live_digest: str = ""
    signature_changed: bool | None = None
    metrics: tuple[tuple[str, float | None, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A package whose version differs between the environments of the baselines and of the new runs; None: not installed."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class DataChange:
    """A dataset that new runs read with another digest than the baseline did; None: not read."""

    experiment: str
    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class DatasetChange:
    """A recorded dataset whose file differs.

    Parameters
    ----------
    name : str
    path : str
        Of its file, from the repository's root.
    old, new : str or None
        Digests of the content that is current; None: there is no such dataset.
    text : str
        What differs, from the recorded facts: rows, columns, drift with the methods named.
    drifted : bool
        Whether a column moved beyond chance, came or went.
    """

    name: str
    path: str
    old: str | None
    new: str | None
    text: str
    drifted: bool = False


@dataclass(frozen=True, slots=True)
class ArtifactChange:
    """A file of the best new run beside the same file of the baseline; None: not there."""

    experiment: str
    path: str
    old_digest: str | None
    new_digest: str | None
    old_size: int | None
    new_size: int | None


@dataclass(frozen=True, slots=True)
class CodeChange:
    """What the code of an experiment's best new run differs in from the baseline's.

    Parameters
    ----------
    experiment : str
    old, new : str
        Commits; empty where a run names none.
    files : tuple of tuple
        (path, lines added, lines removed); -1 for a binary file.
    missing : str
        Why there is nothing to compare; empty where there is.
    """

    experiment: str
    old: str
    new: str
    files: tuple[tuple[str, int, int], ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """All that a change says.

    Parameters
    ----------
    span : Span
    alarms : tuple of Finding
        What a reviewer must see first: records edited, deleted, damaged or disguised; policy, settings and workflows changed. Errors
        first. `file` is from the repository's root.
    edited : tuple of Edited
    deleted : tuple of Run
        Records that are gone.
    experiments : tuple of ExperimentChange
        Those with new runs first.
    registry : tuple of RegistryChange
    promotions : tuple of Promotion
    packages : tuple of PackageChange
    data : tuple of DataChange
    artifacts : tuple of ArtifactChange
    code : tuple of CodeChange
    files : Mapping of str to int
        How many files of records, of models, and others changed: ``runs``, ``experiments``, ``models``, ``environments``, ``settings``,
        ``datasets``, ``other``.
    by_source : bool
        The runs lie on a ledger branch; those shown are of the commits that the change brings.
    notes : tuple of str
        What could not be looked at, in words.
    datasets : tuple of DatasetChange
    """

    span: Span
    alarms: tuple[Finding, ...] = ()
    edited: tuple[Edited, ...] = ()
    deleted: tuple[Run, ...] = ()
    experiments: tuple[ExperimentChange, ...] = ()
    registry: tuple[RegistryChange, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    packages: tuple[PackageChange, ...] = ()
    data: tuple[DataChange, ...] = ()
    artifacts: tuple[ArtifactChange, ...] = ()
    code: tuple[CodeChange, ...] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    by_source: bool = False
    notes: tuple[str, ...] = ()
    datasets: tuple[DatasetChange, ...] = ()

    @property
    def added(self) -> int:
        """How many runs are new."""
        return sum(len(item.added) for item in self.experiments)

    @property
    def empty(self) -> bool:
        """Whether nothing of what runfolio looks at changed."""
        return not (
            self.alarms or self.edited or self.deleted or self.experiments or self.registry or self.promotions
            or any(count for name, count in self.files.items() if name != "other")
        )  # fmt: skip

    @property
    def refused(self) -> tuple[Promotion, ...]:
        """The promotions that a gate stands in the way of."""
        return tuple(item for item in self.promotions if item.verdict is not None and not item.verdict.accepted)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The alarms that are errors."""
        return tuple(item for item in self.alarms if item.severity is Severity.ERROR)
