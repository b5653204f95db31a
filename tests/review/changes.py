"""Changes built by hand from the real dataclasses, named for what they hold; for every test of what is written from a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runfolio.diff.states import ABSENT, FieldChange
from runfolio.diff.verdict import Trial, judge
from runfolio.policy import GateResult
from runfolio.policy import Verdict as GateVerdict
from runfolio.records import Objective, Run, RunStatus
from runfolio.records.findings import Finding, Severity
from runfolio.records.models import Waiver
from runfolio.records.runs import ArtifactEntry, DatasetInput, Digest, MetricSummary
from runfolio.review.change import (
    ArtifactChange,
    Change,
    CodeChange,
    DataChange,
    DatasetChange,
    Edited,
    ExperimentChange,
    PackageChange,
    Promotion,
    RegistryChange,
    Span,
)

BASE, HEAD = "1a" * 20, "2b" * 20
SPAN = Span(BASE, HEAD, BASE, "main", "more-trees")
ACCURACY = Objective("accuracy", "max")
START = 1_795_480_000_000


def digest(letter: str) -> Digest:
    return Digest("sha256:" + letter * 64)


def run(
    name: str,
    value: float | None = 0.97,
    *,
    metric: str = "accuracy",
    experiment: str = "wine",
    number: int = 1,
    status: RunStatus = RunStatus.FINISHED,
    data: str = "d1",
    metrics: Sequence[tuple[str, float]] = (),
    **params: str,
) -> Run:
    """Return a run with one value of the objective, and params."""
    found = dict(metrics) | ({metric: value} if value is not None else {})
    return Run(
        run_id=f"{0x019AC0000000 + number:012x}" + "7" + "0" * 19,
        experiment=experiment,
        name=name,
        status=status,
        start=START + number * 60_000,
        end=START + number * 60_000 + 4_000,
        params=params,
        metrics={key: MetricSummary(last, 0, START) for key, last in found.items()},
        inputs=(DatasetInput("wine.csv", data),),
        artifacts={"model.bin": ArtifactEntry(digest("a"), 12_000)},
        code={"commit": HEAD},
    )


def seeds(name: str, values: Sequence[float], first: int = 1, *, data: str = "d1", **params: str) -> tuple[Run, ...]:
    """Return replicates of one configuration."""
    return tuple(
        run(f"{name}-seed{at}", value, number=first + at, data=data, seed=str(at), metrics=[("log_loss", 1 - value)], **params)
        for at, value in enumerate(values, 1)
    )


def experiment(
    before: Sequence[Run],
    after: Sequence[Run],
    *,
    objective: Objective = ACCURACY,
    name: str = "wine",
    baseline_is: str = "best",
    baseline_model: str = "",
) -> ExperimentChange:
    """Judge new runs against earlier ones, as the gathering does."""

    def trials(runs: Sequence[Run]) -> list[Trial]:
        return [
            Trial(
                item.run_id, item.name, item.params, item.metrics[objective.metric].last, frozenset(x.digest for x in item.inputs)
            )
            for item in runs
            if objective.metric in item.metrics and item.status is RunStatus.FINISHED
        ]

    verdict = judge(trials(before), trials(after), objective)
    by_id = {item.run_id: item for item in (*before, *after)}
    sign = -1 if objective.direction == "max" else 1
    ranked = sorted(
        after,
        key=lambda item: (
            objective.metric not in item.metrics,
            sign * item.metrics[objective.metric].last if objective.metric in item.metrics else 0,
        ),
    )
    return ExperimentChange(
        slug=name,
        name=name,
        objective=objective,
        added=tuple(ranked),
        failed=sum(item.status is not RunStatus.FINISHED for item in after),
        verdict=verdict,
        baseline=by_id[verdict.before.trials[0].run_id] if verdict.before else None,
        baseline_is=baseline_is if verdict.before else "",
        baseline_model=baseline_model,
        best=by_id[verdict.after.trials[0].run_id] if verdict.after else None,
    )


def improved() -> Change:
    """Return three seeds against three, clearly better, of three configurations tried."""
    before = seeds("forest-100", (0.952, 0.957, 0.961), trees="100", depth="5")
    after = (
        *seeds("forest-400", (0.979, 0.984, 0.981), 10, trees="400", depth="none"),
        *seeds("forest-200", (0.968, 0.971, 0.966), 20, trees="200", depth="none"),
        *seeds("forest-20", (0.941, 0.936, 0.939), 30, trees="20", depth="none"),
        run("forest-800", None, number=40, status=RunStatus.FAILED, trees="800", depth="none", seed="1"),
    )
    return Change(SPAN, experiments=(experiment(before, after),), files={"runs": 10})


def within_noise() -> Change:
    """Return three seeds against three that differ by less than they spread."""
    before, after = seeds("a", (0.95, 0.97, 0.96), depth="3"), seeds("b", (0.955, 0.975, 0.96), 10, depth="4")
    return Change(SPAN, experiments=(experiment(before, after),), files={"runs": 3})


def regressed() -> Change:
    """Return three seeds clearly worse than three."""
    before, after = seeds("a", (0.95, 0.951, 0.952), depth="3"), seeds("b", (0.90, 0.901, 0.902), 10, depth="4")
    return Change(
        SPAN,
        experiments=(experiment(before, after, baseline_is="live", baseline_model="wine-quality 1 in Production"),),
        files={"runs": 3},
    )


def several() -> Change:
    """Return an experiment that improved, one that got worse, and one without an objective."""
    before, after = seeds("a", (0.95, 0.951, 0.952), depth="3"), seeds("b", (0.90, 0.901, 0.902), 10, depth="4")
    notes = ExperimentChange("notes", "notes", added=(run("note", None, experiment="notes", number=50),))
    return Change(
        SPAN, experiments=(improved().experiments[0], experiment(before, after, name="iris"), notes), files={"runs": 14}
    )


def single() -> Change:
    """Return one run against one."""
    return Change(
        SPAN, experiments=(experiment([run("a", 0.9, depth="3")], [run("b", 0.95, number=9, depth="4")]),), files={"runs": 1}
    )


def other_data() -> Change:
    """Return replicates that read other data."""
    before, after = seeds("a", (0.9, 0.91), depth="3"), seeds("b", (0.99, 0.98), 10, data="d2", depth="3")
    return Change(
        SPAN, experiments=(experiment(before, after),), files={"runs": 2}, data=(DataChange("wine", "wine.csv", "d1", "d2"),)
    )


def nothing() -> Change:
    """Return a change of other files only."""
    return Change(SPAN, files={"other": 3})


GATES = (
    GateResult("accurate", "threshold", "passed", "accuracy is 0.981, at least 0.95 is asked"),
    GateResult("not-worse", "not_worse", "failed", "log_loss is 0.31, worse than 0.24 of version 1 by more than 0.01", because="the app shows it"),
    GateResult(
        "no-code", "no_code", "waived", "Loading it runs code: model.pkl. Waived by ada until 2027-01-15: the pickle is our own",
        waiver=Waiver("no-code", "Production", "the pickle is our own", "ada", 1_800_000_000_000),
    ),
    GateResult("approved", "approvals", "pending", "1 approval by the owners is asked"),
)  # fmt: skip


def promotion(gates: tuple[GateResult, ...] = GATES, model: str = "wine-quality", stage: str = "Production") -> Promotion:
    """Return version 2 on its way to a stage."""
    return Promotion(
        model, 2, stage, "Staging", 1, GateVerdict(model, 2, stage, gates), f"models/{model}/model.yaml", 7, digest("b"), digest("c"),
        True, (("accuracy", 0.957, 0.981), ("log_loss", 0.24, 0.31)),
    )  # fmt: skip


def taken_back() -> Change:
    """Return a change that takes what is live from Production back to Staging."""
    back = replace(promotion((), stage="Staging"), stage_from="Production", replaces=None)
    return Change(SPAN, promotions=(back,))


def promoted(gates: tuple[GateResult, ...] = GATES) -> Change:
    """Return an improvement whose model is put into Production."""
    better = improved()
    return Change(
        SPAN,
        experiments=better.experiments,
        registry=(
            RegistryChange("registered", "wine-quality", "models/wine-quality/versions/2.yaml", "version 2 registered", 2),
            RegistryChange(
                "stage", "wine-quality", "models/wine-quality/model.yaml", "2: Staging to Production", 2, "Staging", "Production"
            ),
            RegistryChange(
                "stage",
                "wine-quality",
                "models/wine-quality/model.yaml",
                "1: Production to Archived",
                1,
                "Production",
                "Archived",
            ),
        ),
        promotions=(promotion(gates),),
        packages=(PackageChange("scikit-learn", "1.8.0", "1.9.1"), PackageChange("polars", None, "2.1.0")),
        artifacts=(ArtifactChange("wine", "model.bin", digest("a"), digest("b"), 12_000, 96_400),),
        code=(CodeChange("wine", BASE, HEAD, (("train.py", 12, 3), ("data.bin", -1, -1))),),
        files={"runs": 10, "models": 3},
    )


def tampered() -> Change:
    """Return a change that edits an old result, deletes a run and changes the policy."""
    fields = (
        FieldChange(("metrics", "accuracy", "last"), 0.957, 0.999),
        FieldChange(("tags", "note"), ABSENT, "checked twice"),
    )
    old = run("forest-100-seed2", 0.999, number=3, seed="2")
    path = f"runs/wine/2026-11/24/{old.run_id}.json"
    alarms = (
        Finding("review.result-edited", Severity.ERROR, path, "metrics.accuracy.last", "a result of an existing run was edited: it was 0.957, it is 0.999", "Ask for the reason, or have it put back"),
        Finding("review.run-deleted", Severity.ERROR, "runs/wine/2026-11/24/x.json", "", "an existing run is gone: forest-100-seed3", "Put it back"),
        Finding("review.policy", Severity.WARNING, "policy.yaml", "", "the policy changes; this change is judged by the one before it", "See that it is meant"),
    )  # fmt: skip
    return Change(
        SPAN,
        alarms=alarms,
        edited=(Edited(old, path, fields, ("metrics.accuracy.last",)),),
        deleted=(run("forest-100-seed3", 0.961, number=4, seed="3"),),
        experiments=improved().experiments,
        files={"runs": 12, "settings": 1},
        notes=("12 files of records were too large to read",),
    )


def everything() -> Change:
    """Return a change with something in every field."""
    one, other = promoted(), tampered()
    return Change(
        SPAN, other.alarms, other.edited, other.deleted, one.experiments, one.registry, one.promotions, one.packages,
        (DataChange("wine", "wine.csv", "d1", "d2"),), one.artifacts, one.code, {"runs": 12, "models": 3, "settings": 1}, True, other.notes,
        (DatasetChange("wine", "datasets/wine.yaml", "sha256:" + "a" * 64, "sha256:" + "b" * 64, "178 → 400 rows; alcohol: large", True),),
    )  # fmt: skip


def many(count: int, configurations: int = 2_000) -> Change:
    """Return thousands of runs of thousands of configurations, and edits of as many old ones."""
    before = seeds("old", (0.90, 0.91, 0.92), width="1")
    after = [
        run(
            f"sweep-{at}",
            0.5 + (at % 997) / 2000,
            number=100 + at,
            seed=str(at // configurations),
            width=str(at % configurations),
            lr=f"{at % configurations % 7}e-3",
        )
        for at in range(count)
    ]
    return Change(SPAN, experiments=(experiment(before, after),), files={"runs": count})


def hostile(text: str) -> Change:
    """Return a change with the same text in every field that anybody else writes."""
    params = {text: text, "seed": "1"}
    objective = Objective(text, "max", text)
    old = run(text, 0.9, metric=text, experiment=text, number=1, data=text, metrics=[(text + "2", 1.0)], **params)
    new = run(
        text,
        0.95,
        metric=text,
        experiment=text,
        number=2,
        data=text,
        metrics=[(text + "2", 2.0)],
        **(params | {text: text + "!"}),
    )
    third = run(text, 0.92, metric=text, experiment=text, number=3, data=text, **(params | {text: text + "?"}))
    judged = experiment([old], [new, third], objective=objective, name=text)
    fields = (FieldChange((text, text), text, {text: [text, float("nan")]}), FieldChange((text,), ABSENT, None))
    gate = GateResult(text, text, "failed", text, text, Waiver(text, text, text, text, 1_800_000_000_000))
    return Change(
        Span(BASE, HEAD, BASE, text, text),
        alarms=(Finding(text, Severity.ERROR, text, text, text, text), Finding(text, Severity.WARNING, text, "", text)),
        edited=(Edited(old, text, fields, (text,), "deleted"), Edited(old, text, fields, ())),
        deleted=(old,),
        experiments=(
            ExperimentChange(
                text,
                text,
                "changed",
                fields,
                objective,
                judged.added,
                0,
                judged.verdict,
                judged.baseline,
                "pinned",
                text,
                judged.best,
            ),
            ExperimentChange(text, text, added=(new,)),
        ),
        registry=(
            RegistryChange("alias", text, text, text, 1, text, text),
            RegistryChange("stage", text, text, text, 7, text, text),
        ),
        promotions=(
            Promotion(
                text, 2, text, text, 1, GateVerdict(text, 2, text, (gate,)), text, 3, text, text + "2", True, ((text, 1.0, 2.0),)
            ),
            Promotion(text, 3, text, "None", None, None, text),
        ),
        packages=(PackageChange(text, text, text), PackageChange(text, None, text)),
        data=(DataChange(text, text, text, text), DataChange(text, text, None, text)),
        datasets=(DatasetChange(text, text, text, None, text), DatasetChange(text, text, None, text, text, True)),
        artifacts=(ArtifactChange(text, text, text, text, 1, 2), ArtifactChange(text, text, None, text, None, 2)),
        code=(CodeChange(text, text, text, ((text, 1, 2),)), CodeChange(text, "", "", (), text)),
        files={"runs": 2, "other": 1},
        by_source=True,
        notes=(text,),
    )
