"""What a change comes to, in sentences; the same in the comment, in the terminal and on the page.

A difference is only called better or worse where the verdict carries it, and by the direction that the experiment declares, never by
its sign. How many were tried is always said.
"""

from __future__ import annotations

from runfolio.diff.verdict import FIRST, IMPROVED, NOISE, NOTHING, OTHER_DATA, REGRESSED, SINGLE, WELCH, Group, Verdict
from runfolio.policy.verdict import FAILED, PASSED, PENDING, WAIVED
from runfolio.records.models import PRODUCTION
from runfolio.review.change import Change, ExperimentChange, Promotion, RegistryChange
from runfolio.review.parts import BAD, GOOD, QUIET, WARN, Bars, Line, Name, Strong
from runfolio.site.words import count_words, number_words, signed_words

_HELD_AGAINST = {"pinned": "the baseline", "live": "what is live", "best": "the best so far", "": "before"}
"""A baseline that is pinned or live need not be the best that the base has, so a title does not speak of the best result there."""
_JUDGED = {IMPROVED: GOOD, REGRESSED: BAD, OTHER_DATA: WARN}


def tone_of(verdict: Verdict | None) -> str:
    """Return how a verdict looks."""
    return _JUDGED.get(verdict.word, QUIET) if verdict else QUIET


def title_of(change: Change) -> tuple[str, str]:
    """Return the report's title, and its tone: what stands in the way first, else what the results come to."""
    stops = []
    if change.errors:
        stops.append(f"{count_words(len(change.errors), 'error')} to explain")
    if change.refused:
        stops.append(f"{count_words(len(change.refused), 'promotion')} refused")
    if stops:
        return f"Do not merge yet: {' and '.join(stops)}", BAD
    title, tone = _results_title(change)
    if change.added and change.promotions:
        title += _promoted(change)
    if change.alarms:
        return f"Look first: {count_words(len(change.alarms), 'warning')}. {title}", WARN
    return title, tone


def _promoted(change: Change) -> str:
    """Say of promotions that nothing refuses whether they wait for something."""
    word = _promoted_words(change)
    waiting = any(gate.state == PENDING for item in change.promotions if item.verdict for gate in item.verdict.gates)
    return f"; {word}" + (", once the pending gates pass" if waiting else "")


def _promoted_words(change: Change) -> str:
    """Count the models, and the promotions where one model has several; what leaves Production for another stage is none."""
    up, back = _up_and_back(change)
    models, count = len({item.model for item in up or back}), len(up or back)
    if not up:
        return f"{'a model is' if models == 1 else f'{models} models are'} taken out of {PRODUCTION}"
    if count == models:
        return "a model is promoted" if models == 1 else f"{models} models are promoted"
    return f"{count} promotions of {count_words(models, 'model')}"


def _up_and_back(change: Change) -> tuple[list[Promotion], list[Promotion]]:
    """Tell the versions that come into a stage from those that leave Production for it."""
    back = [item for item in change.promotions if item.stage_from == PRODUCTION]
    return [item for item in change.promotions if item.stage_from != PRODUCTION], back


def other_changes(change: Change) -> list[RegistryChange]:
    """Return the changes of registered models that the promotions do not tell."""
    told = {(item.model, item.version, item.stage) for item in change.promotions}
    return [item for item in change.registry if item.kind != "stage" or (item.model, item.version, item.stage_to) not in told]


def _results_title(change: Change) -> tuple[str, str]:
    judged = [(item.verdict.word, item.baseline_is) for item in change.experiments if item.verdict]
    words = [word for word, _ in judged]
    better, worse = words.count(IMPROVED), words.count(REGRESSED)
    if better and worse:
        return f"{count_words(better, 'experiment')} improved, {worse} got worse", BAD
    if worse:
        against = next(baseline for word, baseline in judged if word == REGRESSED)
        return f"Worse than {_HELD_AGAINST[against]}" if worse == 1 else f"{worse} experiments got worse", BAD
    if better:
        against = next(baseline for word, baseline in judged if word == IMPROVED)
        if better > 1:
            return f"{better} experiments improved", GOOD
        return "The best result improved" if against == "best" else f"Better than {_HELD_AGAINST[against]}", GOOD
    if OTHER_DATA in words:
        return "New results, not comparable: they come from different data", WARN
    if NOISE in words:
        return "No difference beyond noise", QUIET
    if SINGLE in words:
        return "New results, too few runs to claim a difference", QUIET
    if FIRST in words:
        return "First results", QUIET
    if change.added:
        return f"{count_words(change.added, 'new run')}, nothing to compare", QUIET
    if change.promotions:
        told = _promoted_words(change)
        return told[0].upper() + told[1:], QUIET
    if change.empty:
        return "Nothing that runfolio looks at changed", QUIET
    return "Records changed", QUIET


def counts_of(change: Change) -> list[str]:
    """Count what changed, each in a few words."""
    made = []
    if change.added:
        having = sum(1 for item in change.experiments if item.added)
        failed = sum(item.failed for item in change.experiments)
        ending = f", {failed} of them failed" if failed else ""
        made.append(f"{count_words(change.added, 'new training run')} in {count_words(having, 'experiment')}{ending}")
    if change.edited:
        hidden = sum(item.lifecycle == "deleted" for item in change.edited)
        ending = f", {hidden} of them marked as deleted" if hidden else ""
        made.append(f"{count_words(len(change.edited), 'existing run')} edited{ending}")
    if change.deleted:
        made.append(f"{count_words(len(change.deleted), 'existing run')} deleted")
    up, back = _up_and_back(change)
    if up:
        made.append(count_words(len(up), "promotion"))
    if back:
        made.append(f"{count_words(len(back), 'version')} taken out of {PRODUCTION}")
    gates = [gate for item in change.promotions if item.verdict for gate in item.verdict.gates]
    if gates:
        counts = {state: sum(gate.state == state for gate in gates) for state in (PASSED, FAILED, WAIVED, PENDING)}
        others = "".join(f", {count} {state}" for state, count in counts.items() if count and state != PASSED)
        made.append(f"{counts[PASSED]} of {count_words(len(gates), 'gate')} passed{others}")
    rest, other = len(other_changes(change)), "other " if change.promotions else ""
    if rest:
        made.append(count_words(rest, f"{other}change of registered models", f"{other}changes of registered models"))
    return made


def verdict_line(item: ExperimentChange, *, with_name: bool = True) -> Line:
    """Say whether an experiment got better, with the interval and its method, and how many were tried.

    Parameters
    ----------
    item : ExperimentChange
    with_name : bool, optional
        Whether the experiment's name comes first.
    """
    start: Line = (Name(item.name), ": ") if with_name else ()
    if item.objective is None:
        return (
            *start,
            f"{_new(item)}; the experiment has no objective, so nothing is compared (runfolio experiments set-objective)",
        )
    if item.verdict is None:
        return (*start, f"{_new(item)}; nothing is compared")
    return (*start, Name(item.objective.metric), *_said(item, item.verdict))


def _said(item: ExperimentChange, verdict: Verdict) -> Line:
    word, gap = verdict.word, verdict.difference
    if word == NOTHING or gap is None:
        return _without_difference(item, verdict)
    size = number_words(abs(gap))
    ending = _ending(item, verdict)
    if word == IMPROVED:
        return (" ", Strong(f"improved by {size}"), ending, *_against(item))
    if word == REGRESSED:
        return (" ", Strong(f"got worse by {size}"), ending, *_against(item))
    if word == NOISE:
        return (": ", Strong("within noise"), f", {signed_words(gap)}", ending, *_against(item))
    if word == OTHER_DATA:
        return (": ", Strong("not comparable: different data"), f"; the numbers differ by {signed_words(gap)}", *_against(item))
    if all(len(group.values) > 1 for group in (verdict.before, verdict.after) if group):
        alike = f"; on either side all {_replicates(item, 2, *filter(None, (verdict.before, verdict.after)))} came to one number"
        return (
            ": ",
            Strong("no spread: nothing is claimed"),
            f"{alike}, and they differ by {signed_words(gap)}",
            ending,
            *_against(item),
        )
    return (": ", Strong("single run: nothing is claimed"), f"; the difference is {signed_words(gap)}", ending, *_against(item))


def _without_difference(item: ExperimentChange, verdict: Verdict) -> Line:
    if verdict.after is None:
        return (": ", Strong("no result"), "; none of the new runs ended with a value of it")
    tried = f", the best of {verdict.tried:,} configurations tried" if verdict.tried > 1 else ""
    if item.without_result:
        tried += f", without {count_words(item.without_result, 'more run')} of it that failed or ended without a finite value"
    return (": ", Strong("first result"), f", {mean_words(verdict.after, item)}{tried}; there is nothing to compare it with")


def _ending(item: ExperimentChange, verdict: Verdict) -> str:
    """Say the interval with its method, and for how many tries it was widened."""
    parts = []
    if verdict.low is not None and verdict.high is not None and verdict.before and verdict.after:
        counts = len(verdict.before.values), len(verdict.after.values)
        method = "Welch interval" if verdict.method == WELCH else "prediction interval for one more run"
        span = f"95 % {method} {signed_words(verdict.low)} to {signed_words(verdict.high)}"
        parts.append(f"{span}, {counts[0]} and {counts[1]} {_replicates(item, max(counts), verdict.before, verdict.after)}")
    if again := _again(item, *(group for group in (verdict.before, verdict.after) if group)):
        parts.append(again)
    if verdict.apart:
        parts.append(f"without {count_words(verdict.apart, 'run')} of seeds, and so of data, that only one side has")
    if item.without_result:
        parts.append(f"without {count_words(item.without_result, 'more run')} of it that failed or ended without a finite value")
    if verdict.tried > 1:
        widened = ", interval widened for it" if verdict.low is not None else ""
        parts.append(f"best of {verdict.tried:,} configurations tried{widened}")
    return f" ({'; '.join(parts)})" if parts else ""


def _against(item: ExperimentChange) -> Line:
    """Say what the new runs are held against."""
    if item.baseline_is == "live" and item.baseline_model:
        return (", against ", Name(item.baseline_model))
    words = {
        "pinned": ", against the experiment's baseline run",
        "live": ", against the version that is live",
        "best": ", against the best so far",
    }
    return (words[item.baseline_is],) if item.baseline_is in words else ()


def mean_words(group: Group, item: ExperimentChange) -> str:
    """Spell a configuration's result: ``0.9760 ± 0.0199 (95 %, mean of 3 seeds)``."""
    count, runs = len(group.values), len(group.trials)
    if count == 1:
        return number_words(group.mean) + (f" ({_again(item, group)})" if runs > 1 else "")
    more = f", {runs} runs" if runs > count else ""
    return (
        f"{number_words(group.mean)} ± {number_words(group.half)} (95 %, mean of {count} {_replicates(item, count, group)}{more})"
    )


def arrow(direction: str) -> str:
    """Say which way is better."""
    return "higher is better" if direction == "max" else "lower is better"


def bars_words(bars: Bars) -> str:
    """Count the configurations that a chart shows: ``the best 20 of 400 new configurations``."""
    shown = len(bars.values)
    return (
        count_words(shown, "new configuration")
        if shown == bars.tried
        else f"the best {shown} of {bars.tried:,} new configurations"
    )


def _replicates(item: ExperimentChange, count: int, *groups: Group) -> str:
    """Name replicates: by the param that tells them apart, and as mere runs where some have none."""
    word = "run"
    if all(_seed(item) in trial.params for group in groups for trial in group.trials):
        word = "seed" if _seed(item) == "seed" else "replicate"
    return word if count == 1 else word + "s"


def _again(item: ExperimentChange, *groups: Group) -> str:
    """Say that runs which were made again are no replicates, where there are any."""
    again = [group for group in groups if len(group.trials) > len(group.values)]
    if not again:
        return ""
    if all(_seed(item) in trial.params for group in again for trial in group.trials):
        return f"runs of one {_replicates(item, 1, *again)} count as one"
    return f"runs of the same result, without a {_seed(item)}, count as one"


def _seed(item: ExperimentChange) -> str:
    return item.objective.replicate if item.objective else "seed"


def _new(item: ExperimentChange) -> str:
    if not item.added:
        return "no new run"
    return count_words(len(item.added), "new run") + (f", {item.failed} failed" if item.failed else "")
