"""Steps that feed each other: ``pipeline.yaml``, run so that what is up to date is not made again.

A run of a pipeline is a run, with a child for each step that ran. A step's *key* is the digest of all that decides what it makes: its
command, params, code files, environment and inputs. A step whose key some finished run carries, in this clone or in a branch that was
fetched, is up to date, and what it made is that run's artifacts. So there is no lock file and no cache beside the folio: the runs are both.

>>> import runfolio
>>> done = runfolio.pipelines.run("pipeline.yaml", params={"depth": 5})            # doctest: +SKIP
>>> [(step.name, step.state) for step in done.steps]                               # doctest: +SKIP
[('prepare', 'up to date'), ('train', 'made'), ('evaluate', 'made')]

Invariants: no value reaches a shell; a file that a person changed is never overwritten unasked; a step is finished only when all that it
made is stored and named by its run; a run of a pipeline with nothing to do makes no run.

What it does *not* do: schedule, retry, or run on other machines. For that an orchestrator calls it:
:mod:`runfolio.pipelines.orchestrators` writes the file for Airflow or Prefect.
"""

from typing import TYPE_CHECKING

from runfolio._lazy import lazy_names

if TYPE_CHECKING:
    from runfolio.pipelines.judging import status
    from runfolio.pipelines.model import Pipeline, Step
    from runfolio.pipelines.reading import read_pipeline
    from runfolio.pipelines.running import run

__all__ = ["Pipeline", "Step", "read_pipeline", "run", "status"]

__getattr__ = lazy_names(
    __name__,
    {"model": ["Pipeline", "Step"], "reading": ["read_pipeline"], "running": ["run"], "judging": ["status"]},
)
