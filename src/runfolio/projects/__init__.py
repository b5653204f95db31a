"""Projects in MLflow's format: a folder or git repository with an ``MLproject`` file, run as a run.

>>> import runfolio.projects
>>> runfolio.projects.run("examples/mlproject", parameters={"alpha": 0.5})      # doctest: +SKIP

Invariants:

- A value never reaches a shell unquoted, wherever its place in the command is.
- Nothing of a fetched repository runs before its entry point does: no hook, no filter, no submodule is fetched, and no link leads out.
- Whatever happens to the command, its run ends with a status, and has what the command printed (its beginning and end).

What it does *not* do: choose an environment that the project does not name. Without one the command runs in the Python at hand.
"""

from typing import TYPE_CHECKING

from runfolio._lazy import lazy_names

if TYPE_CHECKING:
    from runfolio.projects.mlproject import EntryPoint, Parameter, Project, load_project
    from runfolio.projects.running import run
    from runfolio.projects.submitted import ExecutionException, SubmittedRun

__all__ = ["EntryPoint", "ExecutionException", "Parameter", "Project", "SubmittedRun", "load_project", "run"]

__getattr__ = lazy_names(
    __name__,
    {
        "mlproject": ["EntryPoint", "Parameter", "Project", "load_project"],
        "running": ["run"],
        "submitted": ["ExecutionException", "SubmittedRun"],
    },
)
