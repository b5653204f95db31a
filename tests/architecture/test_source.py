"""Rules of the source that no linter knows, read off the syntax trees."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import runfolio

SRC = Path(runfolio.__file__).parent
SCRIPTS = SRC / "demo" / "files"
"""Scripts as a user writes them: data of the demo, not part of the house."""

FILES = sorted(path for path in SRC.rglob("*.py") if SCRIPTS not in path.parents)
TREES = {path: ast.parse(path.read_text("utf-8")) for path in FILES}
HEAVY = frozenset(
    "IPython PIL accelerate aim altair azure boto3 botocore catboost cloudpickle dask datasets distributed fsspec git h5py jinja2 keras lightgbm lightning matplotlib mlflow numpy obstore omegaconf onnx "
    "onnxruntime optuna pandas plotly polars prophet psutil pyarrow pynvml pyspark pytorch_lightning ray rich safetensors scipy skl2onnx sklearn skops spacy "
    "starlette statsmodels tensorboard tensorflow torch transformers uvicorn vl_convert xgboost".split()
)
LAZY_FOR_SPEED = frozenset({"yaml", "sqlite3"})
"""Not heavy, but not needed to log or to print the help: loaded where they are used."""

PICKLES_IN = frozenset(
    {"flavors/pickles.py", "flavors/torch_files.py", "sweeps/engines/frames.py", "sweeps/objectives.py", "sweeps/studies.py"}
)
"""Who reads pickles: of models, whose bytes are those of a digest that the folio names, or that the user trusts (PyTorch's are read by
PyTorch, which is told by which module); and between a sweep and its own workers, over a socket that nobody else holds an end of."""

EXECUTES = frozenset(
    {
        "site/charts/worker.py: exec",
        "_dataclass.py: exec",
        "cli/ending.py: exec",
        "cli/entry.py: exec",
        "tracking/session.py: exec",
    }
)
"""The one place that runs what is in a folio: charts that its team declares in Python, in a process of their own. And what makes classes
of our own source, as the standard library does; and no text at all, or `raise`, for what that does to the interpreter."""

BROAD_EXCEPT_IN = frozenset(
    "autologging/guarding.py cli/ending.py evaluation/subjects.py flavors/folders.py flavors/llm_tasks.py flavors/onnx.py flavors/python_saving.py "
    "flavors/torch_files.py flavors/transformers.py objects/fsspec_bucket.py serving/batches.py serving/prediction.py serving/rowwise.py "
    "sweeps/engines/ray.py sweeps/work.py transfer/aim/reading.py transfer/mlflow_places.py transfer/mlflow_source.py".split()
)
"""Who may catch everything: the guard around autologging (training must never die of logging), what turns a bug of ours into a report
and exit code 3, what speaks to file systems of others, each of which raises errors of its own, what calls models and metrics of the user's
in an evaluation, whose errors are told as theirs, what calls a model in a server, which must live whatever the model raises, or for a file,
where that is told with the rows, or with its input example when it is saved, where it is the model that must not be lost, and what opens files by frameworks whose errors have no class
in common, which are told as damage; what calls the objective of a sweep, whose errors are told in its trial's run, and what
starts Ray, which tells by a bare Exception that it did not start, and what reads other tools' stores, whose errors are those of any database or network."""

NAMED_BY_MLFLOW = frozenset(
    "metrics/base.py models/evaluation/base.py models/utils.py tracking/artifact_utils.py utils/file_utils.py utils/logging_utils.py "
    "utils/time_utils.py".split()
)
"""Modules that hold no more than what scripts for MLflow import from modules of these names."""


def nodes(kind: type[ast.AST] | tuple[type[ast.AST], ...]) -> Iterator[tuple[str, ast.AST]]:
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, kind):
                yield path.relative_to(SRC).as_posix(), node


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes that run when a module is imported: not the bodies of functions, nor what only type checkers read."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo.extend(node.orelse)
            continue
        todo.extend(ast.iter_child_nodes(node))


def test_heavy_packages_are_imported_inside_functions_only() -> None:
    found = [
        f"{path.relative_to(SRC)}:{node.lineno}: {name}"
        for path, tree in TREES.items()
        for node in at_import(tree)
        for name in imported(node)
        if name.split(".")[0] in HEAVY | LAZY_FOR_SPEED
    ]
    # The classes of the gateway are MLflow's, and MLflow loads them; the index is a database; an export's targets are MLflow's tables and
    # file store, loaded once one is opened.
    own = re.compile(
        r"index/.*: sqlite3|(gateway/(?!server|guard)|transfer/mlflow_(sql|folder|server)_(target|registry)).*: mlflow[\w.]*"
    )
    assert [line for line in found if not own.fullmatch(line)] == []


def test_no_room_imports_the_root_package() -> None:
    found = []
    for where, node in nodes((ast.Import, ast.ImportFrom)):
        if isinstance(node, ast.Import) and any(alias.name == "runfolio" for alias in node.names):
            found.append(f"{where}:{node.lineno}")
        if isinstance(node, ast.ImportFrom) and node.module == "runfolio":
            rooms = {path.stem for path in SRC.iterdir()}
            found += [f"{where}:{node.lineno}: {alias.name}" for alias in node.names if alias.name not in rooms]
    assert found == []


def test_no_shell_runs() -> None:
    found = []
    for where, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if any(
            word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
            for word in node.keywords
        ):
            found.append(f"{where}:{node.lineno}")
        if called(node) in {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}:
            found.append(f"{where}:{node.lineno}")
    assert found == []


def test_no_data_is_executed() -> None:
    refused = {
        "eval", "exec", "pickle.load", "pickle.loads", "marshal.load", "marshal.loads", "shelve.open", "joblib.load", "yaml.load",
        "yaml.unsafe_load", "yaml.full_load", "Template", "jinja2.Template",
    }  # fmt: skip
    found = []
    for where, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        name = called(node)
        if name.startswith("pickle.") and where in PICKLES_IN:
            continue
        if (name in refused or re.search(r"env\w*\.from_string$", name)) and f"{where}: {name}" not in EXECUTES:
            found.append(f"{where}:{node.lineno}: {name}")
    found += [
        f"{where}: {name}"
        for where, node in nodes((ast.Import, ast.ImportFrom))
        for name in imported(node)
        if name.split(".")[0] in {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"} and where not in PICKLES_IN
    ]
    assert found == []


def test_everything_is_caught_in_one_named_place_only() -> None:
    found = set()
    for where, node in nodes(ast.ExceptHandler):
        assert isinstance(node, ast.ExceptHandler)
        names = [] if node.type is None else node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = node.type is None or any(ast.unparse(name) in {"Exception", "BaseException"} for name in names)
        # What is raised again is not swallowed: the handler only tidies up.
        if broad and not (node.body and isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None):
            found.add(where)
    for where, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if called(node).endswith("suppress") and any(ast.unparse(arg) in {"Exception", "BaseException"} for arg in node.args):
            found.add(where)
    assert found <= BROAD_EXCEPT_IN


def test_packages_hold_docstring_imports_and_all_only() -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign, ast.AnnAssign, ast.If)
    found = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for path, tree in TREES.items()
        if path.name == "__init__.py" and path.parent != SRC
        for node in tree.body
        if not isinstance(node, allowed) and not (isinstance(node, ast.FunctionDef) and node.name in {"__getattr__", "__dir__"})
    ]
    assert found == []


def test_every_module_says_what_it_is_for() -> None:
    assert [str(path.relative_to(SRC)) for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "manager", "base", "misc"])
def test_no_module_is_named_for_nothing(word: str) -> None:
    found = {path.relative_to(SRC).as_posix() for path in FILES if word in path.stem.split("_")}
    assert found - NAMED_BY_MLFLOW == set()


def test_only_the_standard_library_and_declared_packages_are_imported() -> None:
    declared = HEAVY | {
        "alembic",
        "click",
        "google",
        "httptools",
        "pyspark",
        "markdown_it",
        "markupsafe",
        "rcssmin",
        "rjsmin",
        "sqlalchemy",
        "yaml",
        "_sha2",  # of the standard library from Python 3.12 on
        "_sha256",  # and up to 3.11
        "runfolio",
        "typing_extensions",
    }
    found = {
        f"{where}: {name}"
        for where, node in nodes((ast.Import, ast.ImportFrom))
        for name in imported(node)
        if name.split(".")[0] not in declared | set(sys.stdlib_module_names)
    }
    assert found == set()
