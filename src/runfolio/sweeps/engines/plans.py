"""The plans of a round as bytes: what the tasks of a batch system read, each the part that is its turn.

One JSON document, so that a person can read what was asked of whom. It is an object in the store, found by its digest; a task refuses
bytes that do not match. A function that had to be carried along, and the study that a pruner needs, are in it as pickles: what the
sweep's own process packed, and by that digest known to be that.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from runfolio.errors import DamagedError, NewerSchemaError, UsageError
from runfolio.records import Experiment
from runfolio.sweeps.engines.outbox import Delivery
from runfolio.sweeps.objectives import Carried, Command, Imported, Objective
from runfolio.sweeps.trials import Place, TrialPlan

SCHEMA = 1
_SHARED = ("sweep", "objective", "metrics", "place")
_OWN = tuple(field.name for field in fields(TrialPlan) if field.name not in _SHARED)


def encode_plans(plans: Sequence[TrialPlan], delivery: Delivery) -> bytes:
    """Write the plans of one sweep.

    Parameters
    ----------
    plans : sequence of TrialPlan
        One at least; sweep, objective, metrics and place are the same for all.
    delivery : Delivery

    Raises
    ------
    UsageError
        If a param has a value that JSON does not know.
    """
    first = plans[0]
    experiment = first.place.experiment
    document = {
        "schema": SCHEMA,
        "sweep": first.sweep,
        "objective": _objective(first.objective),
        "metrics": list(first.metrics),
        "experiment": {"slug": experiment.slug, "experiment_id": experiment.experiment_id, "name": experiment.name},
        "source": dict(first.place.source),
        "settings": delivery.settings.decode("utf-8"),
        "mark": delivery.mark,
        "plans": [_plan(plan) for plan in plans],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _plan(plan: TrialPlan) -> dict[str, Any]:
    made = {name: getattr(plan, name) for name in _OWN}
    if plan.study is not None:
        made["study"] = base64.b64encode(plan.study).decode("ascii")
    made["params"] = dict(plan.params)
    if _again(made["params"]) != made["params"]:
        raise UsageError(
            f"Trial {plan.number}: params: a batch system takes numbers, text, true, false and lists of them; found "
            f"{dict(plan.params)!r:.200}. Choose by name, and look the value up in the objective."
        )
    return made


def _again(params: Mapping[str, Any]) -> Any:
    try:
        return json.loads(json.dumps(params, ensure_ascii=False))
    except (TypeError, ValueError):
        return None


def _objective(objective: Objective) -> dict[str, Any]:
    if isinstance(objective, Imported):
        return {"function": objective.reference}
    if isinstance(objective, Command):
        return {"command": list(objective.arguments), "records": objective.records}
    assert isinstance(objective, Carried), "what runs elsewhere is portable"
    return {"pickled": base64.b64encode(objective.data).decode("ascii"), "name": objective.name}


def decode_plans(data: bytes, store: str) -> tuple[list[TrialPlan], Delivery]:
    """Read what :func:`encode_plans` wrote.

    Parameters
    ----------
    data : bytes
        Verified: it may hold code.
    store : str
        Place of the store, as this machine names it.

    Raises
    ------
    DamagedError
        If these are no plans.
    NewerSchemaError
        If a newer runfolio wrote them.
    """
    try:
        said = json.loads(data)
        if said["schema"] > SCHEMA:
            raise NewerSchemaError(
                f"The plans have schema {said['schema']}, and this runfolio knows {SCHEMA}. Install a newer one here."
            )
        named = said["experiment"]
        experiment = Experiment(named["experiment_id"], named["slug"], named["name"])
        shared: dict[str, Any] = {
            "sweep": said["sweep"],
            "objective": _read_objective(said["objective"]),
            "metrics": tuple(said["metrics"]),
            "place": Place("", experiment, said["source"]),
        }
        plans = [_read_plan(item, shared) for item in said["plans"]]
        return plans, Delivery(store, said["settings"].encode("utf-8"), said["mark"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(
            f"This object holds no plans of a sweep: {type(error).__name__}: {error}. Name one that the sweep has put."
        ) from None


def _read_plan(item: Mapping[str, Any], shared: Mapping[str, Any]) -> TrialPlan:
    own = {name: item[name] for name in _OWN}
    if own["study"] is not None:
        own["study"] = base64.b64decode(own["study"])
    return TrialPlan(**shared, **own)


def _read_objective(said: Mapping[str, Any]) -> Objective:
    if "function" in said:
        return Imported(said["function"])
    if "command" in said:
        return Command(tuple(said["command"]), records=bool(said["records"]))
    return Carried(base64.b64decode(said["pickled"]), said["name"])
