"""The whole of what test_dask.py shows small: 4 workers × 250 trials, workers and the sweep itself killed with kill -9, each trial there once.

python -m tests.sweeps.engines.prove                    a folder as store
python -m tests.sweeps.engines.prove --store s3         a real S3 server on loopback (SeaweedFS)
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

from runfolio.folio import open_folio
from runfolio.query import parse_filter
from runfolio.records import sweeps as tags
from tests.objects import s3
from tests.sweeps.engines.clusters import dask_processes, sweep_process


def prove(folder: Path, trials: int, kills: int, store: str) -> dict[str, object]:
    """Run it, and count."""
    with ExitStack() as stack:
        env = {"GIT_CONFIG_GLOBAL": str(folder / "gitconfig"), "RUNFOLIO_CACHE": str(folder / "cache")}
        (folder / "gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
        place: list[str] = []
        if store == "s3":
            (folder / "s3").mkdir()
            endpoint = stack.enter_context(s3.s3_server(folder / "s3"))
            s3.make_bucket(endpoint, "proof")
            env |= {"AWS_ACCESS_KEY_ID": s3.KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET}
            place = ["--artifacts", f"s3://proof/wine?endpoint={endpoint}"]
        os.environ.update(env)
        repo = folder / "repo"
        subprocess.run(["git", "init", "-q", "-b", "main", str(repo)], check=True)
        subprocess.run(
            [sys.executable, "-m", "runfolio", "init", "--commit", *place], cwd=repo, check=True, stdout=subprocess.DEVNULL
        )
        cluster = stack.enter_context(dask_processes(folder / "dask", 4))
        every = max(trials // (kills + 1), 1)
        said = {
            "kill_worker": list(range(every, trials, every))[:kills],
            "kill_parent": trials // 2 + 1,
            "trials": trials,
            "folder": str(folder),
            "engine": {"engine": "dask", "address": cluster.address},
        }
        (folder / "facts.json").write_text(json.dumps(said))
        begun = time.monotonic()
        first = sweep_process(repo, folder / "facts.json", folder / "search.py")
        assert first.returncode == -signal.SIGKILL, first.stderr[-3000:]
        killed_s = time.monotonic() - begun
        second = sweep_process(repo, folder / "facts.json", folder / "search.py")
        assert second.returncode == 0, second.stderr[-3000:]
        seconds = time.monotonic() - begun
        answer = json.loads(second.stdout)
        with closing(open_folio(repo)) as folio:
            runs = folio.runs.search(parse_filter(f"tags.`mlflow.parentRunId` = '{answer['sweep']}'"), limit=1 << 31)
        counted = Counter(tags.trial_number(run) for run in runs)
        return {
            "store": store,
            "trials": trials,
            "runs": len(runs),
            "once": sum(count == 1 for count in counted.values()),
            "missing": sorted(set(range(trials)) - set(counted)),
            "finished": sum(run.status.value == "FINISHED" for run in runs),
            "workers_killed": cluster.deaths,
            "sweep_killed_after_s": round(killed_s, 1),
            "seconds": round(seconds, 1),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--store", choices=("folder", "s3"), default="folder")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="runfolio-proof-") as folder:
        print(json.dumps(prove(Path(folder), said.trials, said.kills, said.store)))


if __name__ == "__main__":
    main()
