"""Write ``mlflow-api.md``: each function of MLflow 2.22 and what is there of it, compared by their signatures.

``mlflow-2.22.json`` holds the signatures that ``inspect`` gave of MLflow 2.22.0. Run ``python docs/mlflow_api.py`` after a change of the
API; a test compares the page with what this would write.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runfolio._absent import why_not

HERE = Path(__file__).parent

PARTS = {
    "mlflow": ("runfolio", "Functions of `mlflow`: here of `runfolio`"),
    "MlflowClient": (
        "runfolio.client.MlflowClient",
        "Methods of `MlflowClient`: here of `RunfolioClient`, importable by both names",
    ),
    "artifacts": ("runfolio.artifacts", "Functions of `mlflow.artifacts`: here of `runfolio.artifacts`"),
    "data": ("runfolio.data", "Functions of `mlflow.data`: here of `runfolio.data`"),
    "models": ("runfolio.models", "Names of `mlflow.models`: here of `runfolio.models`"),
    "pyfunc": ("runfolio.pyfunc", "Names of `mlflow.pyfunc`: here of `runfolio.pyfunc`"),
}

NOTES = {
    "set_tracking_uri": "a path, `file:` or `spool:PATH`; `mlruns` means the folder it would be in; for `http://…` the error says what to do instead",
    "set_experiment": "ids are words (the experiment's slug), but for `0`",
    "create_experiment": "`artifact_location` is not used, and said so: artifacts lie in the folio's one store, named by digest",
    "run": "[Projects](how-to/projects.md): same command lines; a local repository is never checked out; `docker_auth` is refused",
    "start_run": "`RUNFOLIO_RUN_ID` and `RUNFOLIO_EXPERIMENT_NAME` take the place of `MLFLOW_…`",
    "end_run": "returns once the run can no longer be lost",
    "search_runs": "MLflow's filter and order language, with `IS NULL` and `IN` for every text attribute",
    "log_metric": "kept when it returns, also with `synchronous=False`; text is no number",
    "log_batch": "of any size; valid ones all, or none",
    "log_artifact": "stored by digest, verified, then named by the run",
    "log_image": "numpy arrays, PIL images and `runfolio.Image`",
    "log_input": "digests are made of all values, by our own rule",
    "get_artifact_uri": "`runs:/ID/path`, not a place on a disk: `download_artifacts` takes it",
    "download_artifacts": "a verified copy in a folder of yours",
    "register_model": "one commit; also of a local folder, whose files are stored",
    "set_registry_uri": "registry and runs are one folio: another one is refused",
    "create_model_version": "`source`: `runs:/…`, `models:/…` or a local folder; ready when it returns",
    "get_model_version_download_uri": "`models:/NAME/VERSION`, which `download_artifacts` takes",
    "transition_model_version_stage": "stages of your own too; past your policy's gates: `runfolio models promote`",
    "delete_registered_model": "git's history keeps it",
    "delete_model_version": "its number is not given again",
    "set_terminated": "ends a run that the client made, or changes an ended one's status",
    "flush_async_logging": "returns at once: nothing waits",
    "build_docker": "a model must be named; [images](how-to/images.md)",
    "predict": "runs here by default, not in an environment of the model's; [serving](how-to/serving.md)",
    "set_signature": "of a folder, or in the active run",
    "update_model_requirements": "of a folder, or in the active run",
    "infer_pip_requirements": "read off the model's files, which are not run",
    "log_model": "MLflow 3's `name` too; the others are out of date in MLflow, or of Databricks",
    "save_model": "what is not here is out of date in MLflow, or of Databricks",
    "ChatModel": "messages and answers: `runfolio.types.llm`; answers are sent whole",
    "spark_udf": 'with `env_manager="local"` alone; [serving](how-to/serving.md)',
    "flush_artifact_async_logging": "returns at once: nothing waits",
}

MORE = {
    "runfolio": {
        "tracked": "a decorator: each call of a function is a run",
        "log_batch": "metrics, params and tags of the active run by one write",
        "log_inputs": "several datasets",
        "restore_run": "brings a deleted run back",
        "restore_experiment": "brings a deleted experiment back",
        "flush": "commits the runs that have ended, now",
        "sweep": "searches a space: each trial a run, all of them children of one",
    },
    "runfolio.client.MlflowClient": {"rename_run": "changes a run's name", "flush": "commits the runs that have ended, now"},
    "runfolio.pyfunc": {
        "dask_predict": "predictions of a Dask frame",
        "ray_predict": "predictions of a Ray dataset",
    },
    "runfolio.data": {"from_polars": "a polars frame", "from_file": "a file of any kind, by its bytes"},
}

HEAD = """\
# MLflow's API, function by function

Written by `docs/mlflow_api.py` from the signatures of MLflow {version} and of runfolio. "same" means: the same names of arguments
in the same order, with the same defaults. What behaves differently on purpose stands in [From MLflow](how-to/from-mlflow.md);
limits and error codes are MLflow's, and `tests/tracking/test_limits.py` goes through them row by row.
"""


def _place(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute) if attribute[0].isupper() else importlib.import_module(name)


def _signature(function: Any) -> list[list[str | None]]:
    found = inspect.signature(function).parameters.values()
    return [
        [item.name, item.kind.name, None if item.default is item.empty else repr(item.default)]
        for item in found
        if item.name != "self"
    ]


def difference(theirs: list[list[str | None]], ours: list[list[str | None]]) -> str:
    """Say how our arguments differ from MLflow's; empty where they do not."""
    known, own = {str(item[0]): item for item in theirs}, {str(item[0]): item for item in ours}
    said = [f"without `{name}`" for name in known if name not in own]
    said += [
        f"`{name}` is {own[name][2] or 'needed'} by default, there {known[name][2] or 'needed'}"
        for name in known
        if name in own and known[name][1:] != own[name][1:]
    ]
    if [name for name in known if name in own] != [name for name in own if name in known]:
        said.append("in another order")
    said += [f"also `{name}`" for name in own if name not in known]
    return "; ".join(said)


def _rows(part: str, names: dict[str, Any], where: Any) -> Iterator[tuple[bool, str, str]]:
    """Yield whether a function is here, its name, and its row or what is there instead."""
    for name, theirs in sorted(names.items()):
        ours = getattr(where, name, None)
        if ours is None:
            instead = why_not(name)
            if instead is None:
                raise SystemExit(f"{part}.{name} is not in runfolio, and runfolio/_absent.py does not say why")
            yield False, name, instead
            continue
        comparable = theirs is not None and callable(ours) and not inspect.isclass(ours)
        differs = difference(theirs, _signature(ours)) if comparable else ""
        yield True, name, f"| `{name}` | {differs or 'same'} | {NOTES.get(name, '')} |"


def page() -> str:
    """Return the page."""
    known = json.loads((HERE / "mlflow-2.22.json").read_text("utf-8"))
    parts = [HEAD.format(version=known["version"])]
    for part, (name, title) in PARTS.items():
        where = _place(name)
        rows = list(_rows(part, known[part], where))
        table = "\n".join(row for there, _, row in rows if there)
        parts.append(f"## {title}\n\n| function | arguments | what to know |\n|---|---|---|\n{table}")
        absent: dict[str, list[str]] = {}
        for there, function, text in rows:
            if not there:
                absent.setdefault(text, []).append(f"`{function}`")
        if absent:
            lines = [f"| {text} | {', '.join(functions)} |" for text, functions in absent.items()]
            parts.append("Not here:\n\n| instead | functions |\n|---|---|\n" + "\n".join(lines))
        more = MORE.get(name, {})
        if more:
            assert all(hasattr(where, item) for item in more)
            parts.append("Only here:\n\n" + "\n".join(f"- `{item}`: {text}" for item, text in more.items()))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


if __name__ == "__main__":
    (HERE / "mlflow-api.md").write_text(page(), "utf-8")
