"""``sweep.json``: what a sweep found, in one document that the site draws from; :mod:`runfolio.formats.sweeps` tells every field.

Written by a sweep as it ends, whatever ended it, and by each that resumes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from runfolio.formats.sweeps import FORMAT, MAX_SAMPLES, MAX_TRIALS, SCHEMA
from runfolio.records.redaction import Redactor
from runfolio.sweeps.book import TrialEntry
from runfolio.sweeps.result import front_of
from runfolio.sweeps.settings import SweepSettings
from runfolio.sweeps.space import dimension_words
from runfolio.sweeps.studies import Study, importances
from runfolio.sweeps.trials import TrialState


def document_of(
    name: str, settings: SweepSettings, book: Mapping[int, TrialEntry], study: Study | None, redactor: Redactor
) -> dict[str, Any]:
    """Describe a sweep.

    Parameters
    ----------
    name : str
    settings : SweepSettings
    book : Mapping of int to TrialEntry
    study : Study or None
        For the params' importance; without it, none is told.
    redactor : Redactor
        Of what params are.
    """
    best = front_of(book, settings)
    states = [str(entry.state or "open") for entry in book.values()]
    made: dict[str, Any] = {
        "format": FORMAT,
        "schema": SCHEMA,
        "name": name,
        "objective": settings.objective,
        "metrics": [{"name": each, "direction": way} for each, way in settings.metrics],
        "sampler": settings.sampler.name,
        "pruner": settings.pruner.name,
        "seed": settings.seed,
        "planned": settings.trials,
        "counts": {state: states.count(state) for state in ("complete", "pruned", "failed", "open")},
        "space": {key: dimension_words(each) for key, each in (settings.shown(redactor).space or {}).items()},
        "best": best[:MAX_TRIALS],
        "trials": [_trial(entry, settings, redactor) for entry in _shown(book, best)],
    }
    if settings.replicates is not None:
        made["replicates"] = {"param": settings.replicates.param, "values": [str(each) for each in settings.replicates.values]}
    found = importances(study, settings.names) if study is not None else None
    if found is not None:
        made["importance"] = {"method": found[0], "metrics": found[1]}
    return made


def encode_document(document: Mapping[str, Any]) -> bytes:
    """Return a document as bytes."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False).encode()


def _shown(book: Mapping[int, TrialEntry], best: list[int]) -> list[TrialEntry]:
    """Return the trials that are listed: all, or where there are too many the best ones and every so-many-th."""
    numbers = sorted(book)
    if len(numbers) > MAX_TRIALS:
        step = math.ceil(len(numbers) / (MAX_TRIALS - min(len(best), MAX_TRIALS // 2)))
        numbers = sorted({*numbers[::step], *best[: MAX_TRIALS // 2]})
    return [book[number] for number in numbers]


def _trial(entry: TrialEntry, settings: SweepSettings, redactor: Redactor) -> dict[str, Any]:
    params = _plain(entry.params, redactor)
    made: dict[str, Any] = {"number": entry.number, "state": str(entry.state or "open"), "params": params}
    if entry.state is TrialState.COMPLETE:
        made["values"] = [_spelled(value) for value in entry.values]
        if settings.replicates is not None:
            made["spreads"] = [_spelled(value) for value in entry.spreads]
            made["samples"] = [[_spelled(value) for value in each] for each in entry.samples[:MAX_SAMPLES]]
    if entry.runs:
        made["runs"] = list(entry.runs[:MAX_SAMPLES])
    if entry.fault:
        made["error"] = redactor.text(entry.fault[:300])
    return made


def _plain(params: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, float):
            made[str(name)] = _spelled(value)
        else:
            made[str(name)] = value if isinstance(value, (int, bool)) else redactor.value(str(name), str(value))
    return made


def _spelled(value: float) -> Any:
    if math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
