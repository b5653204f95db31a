"""What experiments and models are judged and found by, where a change takes it away: objectives, baselines, stages, the files themselves.

A run's record is not touched by any of this, but what is said of it is: a flipped direction makes the worst run the best.
"""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.gitstore.difference import names_in
from runfolio.records import Experiment, Lifecycle, Objective
from runfolio.records.findings import Finding, Severity
from runfolio.records.models import ARCHIVED, NO_STAGE, PRODUCTION, RegisteredModel
from runfolio.records.settings import Settings
from runfolio.review.reading import Read
from runfolio.site.words import count_words

_LATER = "It holds from the merge on; this change was judged by what the base has"


def experiment_alarms(place: Place, read: Read) -> Iterator[Finding]:
    """Tell of experiments whose file is gone, that are hidden, or that are judged by something else now."""
    for slug, before in sorted(read.before.experiments.items()):
        inner, after = paths.experiment_path(slug), read.after.experiments.get(slug)
        path = place.full(inner)
        if after is not None:
            yield from _rejudged(path, before, after)
        elif inner not in read.unread:
            message = "the file of an experiment is gone, and with it what its runs are judged by"
            remedy = "Deleting an experiment hides it: runfolio experiments delete; the file stays"
            yield Finding("review.experiment-deleted", Severity.ERROR, path, "", message, remedy)


def _rejudged(path: str, before: Experiment, after: Experiment) -> Iterator[Finding]:
    if before.lifecycle is Lifecycle.ACTIVE and after.lifecycle is Lifecycle.DELETED:
        message = "the experiment is deleted: its runs are hidden, and no longer compared with"
        yield Finding(
            "review.experiment-hidden", Severity.WARNING, path, "lifecycle", message,
            "See that it is meant; runfolio experiments restore brings it back",
        )  # fmt: skip
    if before.objective is not None and after.objective != before.objective:
        message = f"what its runs are judged by was changed: {_words(before.objective)} became {_words(after.objective)}"
        yield Finding("review.objective", Severity.WARNING, path, "objective", message, _LATER)
    if after.baseline != before.baseline:
        was, now = (f"run {found[:12]}" if found else "none" for found in (before.baseline, after.baseline))
        message = f"the baseline that its runs are held against was changed: {was} became {now}"
        yield Finding("review.objective", Severity.WARNING, path, "baseline", message, _LATER)


def _words(objective: Objective | None) -> str:
    if objective is None:
        return "nothing"
    return f"{objective.metric} ({objective.direction}, replicates by {objective.replicate})"


def model_alarms(place: Place, read: Read, head: str) -> Iterator[Finding]:
    """Tell of models that are gone, and of those of which nothing is live any more."""
    for slug, before in sorted(read.before.models.items()):
        inner, after = paths.model_path(slug), read.after.models.get(slug)
        if inner in read.unread:
            continue
        path = place.full(inner)
        if after is None:
            yield _gone(place, read, head, before, path)
            continue
        # A stage on the way there is emptied by each promotion.
        stage = live_stage(place.settings)
        numbers = before.stages.get(stage, ())
        if numbers and not after.stages.get(stage):
            message = (
                f"nothing is in {stage} any more, it was version {_numbers(numbers)}: models:/{after.name}/{stage} loads nothing"
            )
            yield Finding("review.stage", Severity.WARNING, path, "stages", message, "See that it is meant")


def live_stage(settings: Settings) -> str:
    """Return the stage of what is live: Production, or the last one where a team has no such one."""
    stages = [stage for stage in settings.registry.stages if stage != ARCHIVED]
    return PRODUCTION if PRODUCTION in stages or not stages else stages[-1]


def _gone(place: Place, read: Read, head: str, before: RegisteredModel, path: str) -> Finding:
    live = "".join(
        f"; {stage} was version {_numbers(numbers)}"
        for stage, numbers in sorted(before.stages.items())
        if numbers and stage not in (NO_STAGE, ARCHIVED)
    )
    if whole_model_gone(place, read, head, before.slug):
        count = sum(slug == before.slug for slug, _ in read.before.versions)
        message = f"the model {before.name} is deleted, with {count_words(count, 'version')}{live}"
        return Finding(
            "review.model-deleted", Severity.WARNING, path, "", message, "See that it is meant; git revert brings it back"
        )
    message = f"the file of a model is gone, and with it what is live, while its versions stay{live}"
    return Finding(
        "review.model-deleted",
        Severity.ERROR,
        path,
        "",
        message,
        "Put it back, or delete the model whole: runfolio models delete",
    )


def whole_model_gone(place: Place, read: Read, head: str, slug: str) -> bool:
    """Tell whether a model was deleted as `runfolio models delete` does: with all of its versions."""
    return (
        slug in read.before.models
        and slug not in read.after.models
        and paths.model_path(slug) not in read.unread
        and not names_in(place.repo, head, place.full(f"{paths.MODELS}/{slug}"))
    )


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
