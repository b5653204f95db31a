"""Messages of record commits, so that ``git log`` reads like a lab book.

The subject names the experiment, counts the runs (failed and killed ones apart) and gives the best value of the experiment's
objective; without an objective it gives a metric only where all runs share exactly one, and then no "best", for nobody has
said which way is better. The body has a line for each run, up to a bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runfolio.diff.describe import number_text
from runfolio.records.experiments import Experiment
from runfolio.records.runs import Run, RunStatus
from runfolio.records.visible import visible

MAX_SUBJECT = 72
MAX_LINES = 20
MAX_LINE = 120


def commit_message(
    runs_added: Sequence[Run], experiments: Mapping[str, Experiment], edited: Sequence[Run] = (), deleted: Sequence[Run] = ()
) -> str:
    """Write the message of a commit of records.

    Parameters
    ----------
    runs_added : sequence of Run
    experiments : Mapping of slug to Experiment
        For names and objectives. Where no run is among the changes, these are what changed.
    edited, deleted : sequence of Run, optional

    Returns
    -------
    str
        Subject of at most 72 characters, an empty line and the body; ends with a line end.
    """
    runs = [*runs_added, *edited, *deleted]
    if not runs:
        return _experiments_message(experiments)
    slugs = list(dict.fromkeys(run.experiment for run in runs))
    parts = [part for part in (_added(runs_added), _counted(edited, "edited"), _counted(deleted, "deleted")) if part]
    best = ""
    if len(slugs) == 1:
        best = _result(runs_added, experiments.get(slugs[0]))
        title = _name(slugs[0], experiments)
    else:
        title = f"{len(slugs)} experiments"
    subject = _subject(title, ", ".join(parts), best)
    told = [(word, run) for word, part in _groups(runs_added, edited, deleted) for run in part]
    lines = [_line(run, experiments, word, len(slugs) > 1) for word, run in told[:MAX_LINES]]
    if len(told) > MAX_LINES:
        lines.append(f"… and {len(told) - MAX_LINES} more")
    return "\n".join([subject, "", *lines, ""])


def _groups(added: Sequence[Run], edited: Sequence[Run], deleted: Sequence[Run]) -> tuple[tuple[str, Sequence[Run]], ...]:
    return ("", added), ("edited ", edited), ("deleted ", deleted)


def _subject(title: str, counts: str, best: str) -> str:
    """Fit the subject into its length: the name gives way first, then the best value."""
    for ending in (f"{counts}, {best}", counts) if best else (counts,):
        room = MAX_SUBJECT - len(f"runs: : {ending}")
        if room >= min(len(title), 16):
            return f"runs: {_shorten(title, room)}: {ending}"
    return _shorten(f"runs: {_shorten(title, 16)}: {counts}", MAX_SUBJECT)


def _added(runs: Sequence[Run]) -> str:
    if not runs:
        return ""
    words = ((RunStatus.FAILED, "failed"), (RunStatus.KILLED, "killed"), (RunStatus.RUNNING, "running"))
    counts = [(sum(run.status is status for run in runs), word) for status, word in words]
    apart = ", ".join(f"{count} {word}" for count, word in counts if count)
    return _counted(runs, "") + (f" ({apart})" if apart else "")


def _counted(runs: Sequence[Run], word: str) -> str:
    return f"{len(runs)} run{'s' if len(runs) != 1 else ''} {word}".rstrip() if runs else ""


def _result(runs: Sequence[Run], experiment: Experiment | None) -> str:
    objective = experiment.objective if experiment else None
    if objective:
        values = _values(runs, objective.metric)
        if not values:
            return ""
        best = max(values) if objective.direction == "max" else min(values)
        return f"{'best ' if len(values) > 1 else ''}{_key(objective.metric)} {number_text(best)}"
    finished = [run for run in runs if run.status is RunStatus.FINISHED]
    keys = {key for run in finished for key in run.metrics}
    if len(keys) != 1 or any(not run.metrics for run in finished):
        return ""
    key = keys.pop()
    values = _values(runs, key)
    if not values:
        return ""
    low, high = number_text(min(values)), number_text(max(values))
    return f"{_key(key)} {low if low == high else f'{low} to {high}'}"


def _values(runs: Sequence[Run], key: str) -> list[float]:
    found = [run.metrics[key].last for run in runs if run.status is RunStatus.FINISHED and key in run.metrics]
    return [value for value in found if value == value and abs(value) != float("inf")]


def _key(key: str) -> str:
    return _shorten(visible(key), 24)


def _name(slug: str, experiments: Mapping[str, Experiment]) -> str:
    return visible(experiments[slug].name) if slug in experiments and experiments[slug].name.strip() else visible(slug)


def _line(run: Run, experiments: Mapping[str, Experiment], word: str, with_experiment: bool) -> str:
    facts = [] if run.status is RunStatus.FINISHED else [run.status.value.lower()]
    objective = experiments[run.experiment].objective if run.experiment in experiments else None
    keys = sorted(run.metrics, key=lambda key: (not objective or key != objective.metric, key))
    facts += [f"{visible(key)} {number_text(run.metrics[key].last)}" for key in keys[:3]]
    facts += [f"{visible(key)}={_shorten(visible(run.params[key]), 20)}" for key in sorted(run.params)[:6]]
    place = f"{_shorten(_name(run.experiment, experiments), 24)}: " if with_experiment else ""
    name = f" {_shorten(visible(run.name), 30)}" if run.name else ""
    return _shorten(f"- {word}{place}{run.run_id}{name}" + (f": {', '.join(facts)}" if facts else ""), MAX_LINE)


def _experiments_message(experiments: Mapping[str, Experiment]) -> str:
    names = [_name(slug, experiments) for slug in sorted(experiments)]
    if len(names) == 1:
        return f"{_shorten(f'experiments: {names[0]}', MAX_SUBJECT)}\n"
    lines = [f"- {_shorten(name, MAX_LINE - 2)}" for name in names[:MAX_LINES]]
    if len(names) > MAX_LINES:
        lines.append(f"… and {len(names) - MAX_LINES} more")
    return "\n".join([f"experiments: {len(names)} changed", *(["", *lines] if lines else []), ""])


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"
