"""A process that logs runs call by call, and says on standard output what was acknowledged.

One line on standard output for each call that returned, written unbuffered after the return: what stands there was
acknowledged, whatever happens next. Run as ``python -m tests.faults.worker TASK SEED [RUNS]``; see :data:`TASKS`.
"""

from __future__ import annotations

import json
import os
import random
import sys
import traceback
from typing import Any

import runfolio


def say(*parts: Any) -> None:
    """Write one acknowledgement."""
    os.write(1, (json.dumps(parts) + "\n").encode())


def log_run(pick: random.Random, number: int, *, nested: bool = False) -> None:
    """Log one run, with a child now and then."""
    run_id = runfolio.start_run(nested=nested, run_name=f"run {number}").info.run_id
    say("start", run_id)
    runfolio.log_param("seed", number)
    say("p", run_id, "seed", str(number))
    runfolio.log_params({"depth": pick.randint(1, 9), "kind": "tree"})
    say("p", run_id, "kind", "tree")
    for step in range(pick.choice((1, 5, 40))):
        value = pick.random()
        runfolio.log_metric("loss", value, step=step)
        say("m", run_id, "loss", value, step)
    runfolio.log_metrics({"accuracy": 0.5, "gap": float("inf")}, step=3)
    say("m", run_id, "accuracy", 0.5, 3)
    runfolio.set_tag("team", "blue")
    say("t", run_id, "team", "blue")
    if pick.random() < 0.4:
        runfolio.log_text(f"hello {number}", "notes/a.txt")
        say("a", run_id, "notes/a.txt", f"hello {number}")
    if not nested and pick.random() < 0.3:
        log_run(pick, number, nested=True)
    say("ending", run_id)
    runfolio.end_run()
    say("end", run_id, "FINISHED")


def log(seed: int, runs: int) -> None:
    """Log runs, then end as a script ends."""
    pick = random.Random(seed)
    runfolio.set_experiment(f"sweep {seed % 3}")
    for number in range(runs):
        log_run(pick, number)
    say("exit")


def recover(seed: int, runs: int) -> None:
    """Bring back what killed processes left."""
    from runfolio.folio import open_folio
    from runfolio.folio.recovery import recover as bring_back

    folio = open_folio(os.environ["RUNFOLIO_TRACKING_URI"])
    say("ending", "")
    bring_back(folio)


def sync(seed: int, runs: int) -> None:
    """Log runs and sync after every few."""
    from runfolio.folio import open_folio
    from runfolio.folio.syncing import sync as bring_together

    pick = random.Random(seed)
    for number in range(runs):
        log_run(pick, number)
        if pick.random() < 0.2:
            bring_together(open_folio(os.environ["RUNFOLIO_TRACKING_URI"]))
    bring_together(open_folio(os.environ["RUNFOLIO_TRACKING_URI"]))


def register(seed: int, versions: int) -> None:
    """Register versions, each under an alias of this worker's own."""
    client = runfolio.MlflowClient()
    for _ in range(versions):
        made = client.create_model_version("wine", "models:/wine/1", tags={"by": str(seed)})
        say("version", made.version)
        client.set_registered_model_alias("wine", f"by-{seed}", made.version)
        say("alias", made.version)


TASKS = {"log": log, "recover": recover, "sync": sync, "register": register}


if __name__ == "__main__":
    try:
        TASKS[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 10_000)
    except runfolio.exceptions.RunfolioError as error:
        traceback.print_exc()
        raise SystemExit(error.exit_code) from None
