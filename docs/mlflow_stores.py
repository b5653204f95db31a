"""Write ``mlflow-stores.md``: each method of MLflow's stores, and what a folio answers, found out from the classes themselves.

``python docs/mlflow_stores.py FOLDER_2.22 FOLDER_3`` with the two folders in which those MLflows lie (``pip install --target``, as
``.ci/test`` does); each is asked in a process of its own. A test compares the page with what this would write.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VERSIONS = ("2.22.0", "3.17.2")
STORES = {
    "Tracking store": (
        "mlflow.store.tracking.abstract_store.AbstractStore",
        "mlflow.store.tracking.sqlalchemy_store.SqlAlchemyStore",
        "runfolio.gateway.tracking_store.RunfolioStore",
        "runfolio.gateway.refused.TRACKING",
    ),
    "Registry store": (
        "mlflow.store.model_registry.abstract_store.AbstractStore",
        "mlflow.store.model_registry.sqlalchemy_store.SqlAlchemyStore",
        "runfolio.gateway.registry_store.RunfolioRegistry",
        "runfolio.gateway.refused.REGISTRY",
    ),
    "Artifact repository": (
        "mlflow.store.artifact.artifact_repo.ArtifactRepository",
        "mlflow.store.artifact.local_artifact_repo.LocalArtifactRepository",
        "runfolio.gateway.artifact_repository.RunfolioArtifacts",
        "runfolio.gateway.refused.ARTIFACTS",
    ),
}
"""MLflow's class, one of its own that does it all, ours, and what ours refuses."""
OWN, INHERITED, MISSING = "yes", "inherited", "missing"
NOTES = {
    "create_experiment": "`artifact_location` is not used, and said so",
    "_search_runs": "what `search_runs` calls",
    "_search_datasets": "MLflow's pages ask for it",
    "search_traces": "answers that there are none",
    "search_datasets": "evaluation datasets: answers that there are none",
    "list_webhooks": "answers that there are none",
    "list_webhooks_by_event": "answers that there are none; MLflow 3 asks at every change",
    "log_inputs": "datasets; with 3.x models, too",
    "record_logged_model": "the tag `mlflow.log-model.history`",
    "delete_artifacts": "refused: what a run recorded stays; delete the run, then `runfolio gc`",
    "transition_model_version_stage": "at once, past pull requests; a policy judges it where the branch is merged",
    "delete_model_version": "hidden; git's history keeps it, its number is not given again",
    "get_model_version_by_alias": "`latest` is the newest",
    "create_prompt_version": "the text is the version's file, `prompt.txt` or `prompt.json`, too",
}


def named(path: str) -> Any:
    """Return what a dotted path names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def methods(cls: type) -> set[str]:
    """Return the names of a class's methods that are MLflow's to call; private ones are where it calls them from elsewhere."""
    found = {
        name
        for base in cls.__mro__
        if base.__module__.startswith("mlflow.")
        for name, value in vars(base).items()
        if not name.startswith("__") and (inspect.isfunction(value) or isinstance(value, (classmethod, staticmethod)))
    }
    return {name for name in found if not name.startswith("_") or getattr(getattr(cls, name), "__isabstractmethod__", False)}


def only_raises(method: Any) -> bool:
    """Tell whether a method's body is nothing but ``raise``."""
    made = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0]
    body = [item for item in made.body if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))]  # type: ignore[attr-defined]
    return len(body) == 1 and isinstance(body[0], ast.Raise)


def calls_of(method: Any) -> set[str]:
    """Return which methods of its own object a method calls."""
    made = ast.parse(textwrap.dedent(inspect.getsource(method)))
    return {
        item.attr
        for item in ast.walk(made)
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name) and item.value.id == "self"
    }


def facts() -> dict[str, dict[str, dict[str, str]]]:
    """Ask the MLflow at hand: for each store and method, where MLflow declares it and what ours answers."""
    importlib.import_module("mlflow")
    return {title: _facts_of(*map(named, paths)) for title, paths in STORES.items()}


def _facts_of(base: type, full: type, ours: type, table: Mapping[str, str]) -> dict[str, dict[str, str]]:
    refused = {name: what for what, names in table.items() for name in names.split()}
    called = {"_search_datasets", "_load_dataset_records"} & set(dir(full))
    declared = methods(base)
    beyond = {name for name in methods(full) - declared if not only_raises(getattr(full, name))} if base is not full else set()
    made = {}
    for name in sorted(declared | called | {item for item in beyond if hasattr(ours, item)}):
        abstract = getattr(getattr(base, name, None), "__isabstractmethod__", False)
        made[name] = {
            "declared": "abstract" if abstract else "by default" if name in declared else "not declared",
            "answer": _answer(getattr(ours, name, None), name, refused),
        }
    return made


def _answer(method: Any, name: str, refused: Mapping[str, str]) -> str:
    if name in refused:
        return f"refused: {refused[name]}"
    if method is None:
        return MISSING
    if str(getattr(method, "__module__", "")).startswith("runfolio."):
        return OWN
    if only_raises(method):
        return MISSING
    through = sorted({refused[item] for item in calls_of(method) if item in refused})
    return f"refused: {through[0]}" if through else INHERITED


def ask(folder: str) -> dict[str, dict[str, dict[str, str]]]:
    """Return the facts of the MLflow in a folder."""
    paths = [folder, *filter(None, [os.environ.get("PYTHONPATH")])]
    if not os.environ.get("RUNFOLIO_TEST_INSTALLED"):
        paths.append(str(HERE.parent / "src"))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-W", "ignore", str(HERE / "mlflow_stores.py")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


INTRODUCTION = f"""\
# MLflow's stores, method by method

Written by `docs/mlflow_stores.py`, which asks the classes of MLflow {VERSIONS[0]} and {VERSIONS[1]} and those of the plug-in; a test compares. How to use it, and
what each kind of script can do: [Unmodified MLflow clients](how-to/mlflow-clients.md). The gateway is MLflow's server over the same classes.

**yes**: runfolio's own. **inherited**: MLflow's code, which calls what is runfolio's own. **refused**: error `NOT_IMPLEMENTED`, in words. –: this MLflow has
no such method. *abstract*: MLflow demands it of every store; *not declared*: it calls it all the same.
"""


def page(answers: Iterable[dict[str, dict[str, dict[str, str]]]]) -> str:
    """Return the page from the facts of each version."""
    asked = list(answers)
    lines = [INTRODUCTION]
    for title in STORES:
        found = [item[title] for item in asked]
        lines += [
            f"## {title}",
            "",
            "| method | " + " | ".join(VERSIONS) + " | in MLflow | what to know |",
            "|---|---|---|---|---|",
        ]
        for name in sorted({name for item in found for name in item}, key=lambda name: (name.lstrip("_"), name)):
            here = [item[name] for item in found if name in item]
            shown = [item[name]["answer"].partition(":")[0] if name in item else "–" for item in found]
            what = here[-1]["answer"].partition(": ")[2]
            note = "; ".join(part for part in (NOTES.get(name, ""), what and f"{what}: a folio keeps none") if part)
            lines.append(f"| `{name}` | {' | '.join(shown)} | {here[-1]['declared']} | {note} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(json.dumps(facts()))
    else:
        (HERE / "mlflow-stores.md").write_text(page(map(ask, sys.argv[1:])), "utf-8")
