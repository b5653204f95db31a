"""One script of the model registry, run through MLflow and through runfolio: ``python registry_journey.py mlflow`` prints what each step gave.

It is no test of its own: ``test_registry_beside_mlflow.py`` runs it and compares. A refusal is its ``error_code``.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from telling import code, tell  # type: ignore[import-not-found] # also by a Python that has nothing of ours

warnings.simplefilter("ignore")
mlflow = importlib.import_module(sys.argv[1])
MlflowClient = importlib.import_module(f"{sys.argv[1]}.tracking").MlflowClient
STEPS: dict[str, Callable[[], Any]] = {}
runs: list[str] = []
MLMODEL = "flavors:\n  python_function: {loader_module: nowhere}\n"


def step(function: Callable[[], Any]) -> Callable[[], Any]:
    """Make a function one step of the story, named by it."""
    STEPS[function.__name__] = function
    return function


def codes(actions: dict[str, Callable[[], Any]]) -> dict[str, str]:
    """Return what came of each action."""
    return {name: code(action) for name, action in actions.items()}


def facts(version: Any) -> dict[str, Any]:
    """Return what a version says, but for times and places."""
    kept = {name: getattr(version, name) for name in ("name", "description", "current_stage", "status", "tags", "run_link")}
    kept["tags"] = {key: value[:8] for key, value in version.tags.items()}
    return kept | {"version": str(version.version), "aliases": sorted(version.aliases), "run": version.run_id in runs}


def numbers(versions: Iterable[Any]) -> list[str]:
    """Return versions as "name/number", in order."""
    return [f"{each.name}/{each.version}" for each in versions]


def made(name: str, **more: Any) -> Any:
    """Make a version of a model from the first run."""
    return MlflowClient().create_model_version(name, f"runs:/{runs[0]}/model", runs[0], **more)


@step
def models_are_made_once() -> Any:
    client = MlflowClient()
    for _ in range(2):
        with mlflow.start_run() as run:
            mlflow.log_text(MLMODEL, "model/MLmodel")
        runs.append(run.info.run_id)
    model = client.create_registered_model("wine", {"team": "red"}, "Which cultivar?")
    shown = client.get_registered_model("wine")
    bare = client.create_registered_model("bare")
    return {
        "bare": [bare.description, bare.tags, client.get_registered_model("bare").description],
        "made": [model.name, model.tags, model.description, model.latest_versions, model.aliases],
        "shown": [shown.name, shown.tags, shown.description, shown.latest_versions, shown.aliases],
        "again": code(lambda: client.create_registered_model("wine")),
        "unknown": code(lambda: client.get_registered_model("nothing")),
    }


@step
def names_of_models() -> Any:
    client = MlflowClient()
    names = [
        "",
        " ",
        "a/b",
        "a:b",
        "a b",
        "a.b",
        "a-b",
        "Ünï",
        "x" * 256,
        "x" * 257,
        "..",
        ".",
        "a\\b",
        "a\nb",
        "%",
        "*",
        "Wine",
        "7",
        "m-1",
    ]
    return {name[:4] + str(len(name)): code(lambda name=name: client.create_registered_model(name)) for name in names} | {  # type: ignore[misc]
        "none": code(lambda: client.create_registered_model(None)),
        "number": code(lambda: client.create_registered_model(3)),
    }


@step
def tags_of_models() -> Any:
    client = MlflowClient()
    set_tag = client.set_registered_model_tag
    found = codes(
        {
            "plain": lambda: set_tag("wine", "k", "v"),
            "number": lambda: set_tag("wine", "n", 3),
            "none": lambda: set_tag("wine", "none", None),
            "empty key": lambda: set_tag("wine", "", "v"),
            "none key": lambda: set_tag("wine", None, "v"),
            "key of 250": lambda: set_tag("wine", "k" * 250, "v"),
            "key of 251": lambda: set_tag("wine", "k" * 251, "v"),
            "value of 5000": lambda: set_tag("wine", "long", "v" * 5000),
            "value of 5001": lambda: set_tag("wine", "longer", "v" * 5001),
            "odd key": lambda: set_tag("wine", "a/b.c d", "v"),
            "bad key": lambda: set_tag("wine", "a*b", "v"),
            "dots": lambda: set_tag("wine", "../a", "v"),
            "unknown model": lambda: set_tag("nothing", "k", "v"),
            "deleted": lambda: client.delete_registered_model_tag("wine", "n"),
            "deleted again": lambda: client.delete_registered_model_tag("wine", "n"),
            "deleted of nothing": lambda: client.delete_registered_model_tag("nothing", "n"),
        }
    )
    tags = client.get_registered_model("wine").tags
    return found | {"tags": {key[:8]: value[:8] for key, value in sorted(tags.items()) if len(key) < 20}}


@step
def versions_are_numbered() -> Any:
    client = MlflowClient()
    first = made("wine", tags={"k": "1"}, description="first")
    second = made("wine", run_link="http://example.org/run")
    third = made("wine")
    client.delete_model_version("wine", "3")
    fourth = made("wine")
    return {
        "made": [facts(each) for each in (first, second, third, fourth)],
        "unknown model": code(lambda: made("nothing")),
        "deleted": code(lambda: client.get_model_version("wine", "3")),
        "deleted again": code(lambda: client.delete_model_version("wine", "3")),
        "not there": code(lambda: client.get_model_version("wine", "9")),
        "zero": code(lambda: client.get_model_version("wine", "0")),
        "no number": code(lambda: client.get_model_version("wine", "one")),
        "negative": code(lambda: client.get_model_version("wine", "-1")),
        "latest": numbers(client.get_latest_versions("wine")),
        "all": numbers(client.search_model_versions("name = 'wine'")),
    }


@step
def tags_of_versions() -> Any:
    client = MlflowClient()
    set_tag = client.set_model_version_tag
    found = codes(
        {
            "plain": lambda: set_tag("wine", "1", "k", "v"),
            "by stage of none": lambda: set_tag("wine", key="k", value="s", stage="Production"),
            "both": lambda: set_tag("wine", "1", "k", "v", stage="Staging"),
            "neither": lambda: set_tag("wine", key="k", value="v"),
            "unknown version": lambda: set_tag("wine", "9", "k", "v"),
            "key of 251": lambda: set_tag("wine", "1", "k" * 251, "v"),
            "value of 5001": lambda: set_tag("wine", "1", "longer", "v" * 5001),
            "value of 100001": lambda: set_tag("wine", "1", "longest", "v" * 100_001),
            "empty": lambda: set_tag("wine", "1", "empty", ""),
            "deleted": lambda: client.delete_model_version_tag("wine", "1", "empty"),
            "deleted again": lambda: client.delete_model_version_tag("wine", "1", "empty"),
        }
    )
    return found | {"k": client.get_model_version("wine", "1").tags.get("k")}


@step
def aliases() -> Any:
    client = MlflowClient()
    set_alias = client.set_registered_model_alias
    found = codes(
        {
            "plain": lambda: set_alias("wine", "champion", "1"),
            "moved": lambda: set_alias("wine", "champion", "2"),
            "second": lambda: set_alias("wine", "best", "2"),
            "number given": lambda: set_alias("wine", "number", 1),
            "latest": lambda: set_alias("wine", "latest", "1"),
            "Latest": lambda: set_alias("wine", "Latest", "1"),
            "v3": lambda: set_alias("wine", "v3", "1"),
            "V3": lambda: set_alias("wine", "V3", "1"),
            "v3a": lambda: set_alias("wine", "v3a", "1"),
            "empty": lambda: set_alias("wine", "", "1"),
            "none": lambda: set_alias("wine", None, "1"),
            "slash": lambda: set_alias("wine", "a/b", "1"),
            "dot": lambda: set_alias("wine", "a.b", "1"),
            "space": lambda: set_alias("wine", "a b", "1"),
            "letters": lambda: set_alias("wine", "ünï", "1"),
            "of 255": lambda: set_alias("wine", "a" * 255, "1"),
            "of 256": lambda: set_alias("wine", "a" * 256, "1"),
            "digits": lambda: set_alias("wine", "12", "1"),
            "unknown version": lambda: set_alias("wine", "x", "9"),
            "unknown model": lambda: set_alias("nothing", "x", "1"),
            "not there": lambda: client.get_model_version_by_alias("wine", "nobody"),
            "of nothing": lambda: client.get_model_version_by_alias("nothing", "nobody"),
            "deleted": lambda: client.delete_registered_model_alias("wine", "best"),
            "deleted again": lambda: client.delete_registered_model_alias("wine", "best"),
            "deleted of nothing": lambda: client.delete_registered_model_alias("nothing", "best"),
        }
    )
    shown = client.get_registered_model("wine").aliases
    return found | {
        "shown": {key: str(value) for key, value in sorted(shown.items()) if len(key) < 20},
        "by alias": str(client.get_model_version_by_alias("wine", "champion").version),
        "by latest": code(lambda: client.get_model_version_by_alias("wine", "latest")),
    }


@step
def stages() -> Any:
    client = MlflowClient()
    move = client.transition_model_version_stage
    found = codes(
        {
            "production": lambda: move("wine", "1", "Production"),
            "lower case": lambda: move("wine", "2", "staging"),
            "unknown": lambda: move("wine", "2", "Live"),
            "empty": lambda: move("wine", "2", ""),
            "unknown version": lambda: move("wine", "9", "Staging"),
            "unknown model": lambda: move("nothing", "1", "Staging"),
            "archive with none": lambda: move("wine", "2", "None", archive_existing_versions=True),
            "archive with archived": lambda: move("wine", "2", "Archived", archive_existing_versions=True),
        }
    )
    seen = {str(number): client.get_model_version("wine", str(number)).current_stage for number in (1, 2, 4)}
    beside = facts(move("wine", "2", "Production"))["current_stage"]
    both = numbers(client.get_latest_versions("wine", ["Production"]))
    move("wine", "4", "Production", archive_existing_versions=True)
    after = {str(number): client.get_model_version("wine", str(number)).current_stage for number in (1, 2, 4)}
    latest = {
        "all": numbers(client.get_latest_versions("wine")),
        "production": numbers(client.get_latest_versions("wine", ["production"])),
        "unknown": code(lambda: client.get_latest_versions("wine", ["Live"])),
        "of nothing": code(lambda: client.get_latest_versions("nothing")),
        "empty": numbers(client.get_latest_versions("wine", [])),
    }
    return [found, seen, beside, both, after, latest, client.get_model_version_stages("wine", "1")]


@step
def a_version_in_production_is_deleted() -> Any:
    client = MlflowClient()
    made("wine")
    client.transition_model_version_stage("wine", "5", "Production")
    client.set_registered_model_alias("wine", "doomed", "5")
    client.delete_model_version("wine", "5")
    return {
        "alias": code(lambda: client.get_model_version_by_alias("wine", "doomed")),
        "aliases": "doomed" in client.get_registered_model("wine").aliases,
        "latest": numbers(client.get_latest_versions("wine", ["Production"])),
    }


@step
def descriptions_and_names() -> Any:
    client = MlflowClient()
    client.update_registered_model("wine", "a new one")
    client.update_model_version("wine", "1", "tried")
    client.rename_registered_model("wine", "cellar")  # MLflow returns None, against its own annotation
    made_ = {
        "renamed": client.get_registered_model("cellar").description,
        "old": code(lambda: client.get_registered_model("wine")),
        "version": client.get_model_version("cellar", "1").description,
        "alias": str(client.get_model_version_by_alias("cellar", "champion").version),
        "taken": code(lambda: client.rename_registered_model("cellar", "a b")),
        "empty": code(lambda: client.rename_registered_model("cellar", "")),
        "slash": code(lambda: client.rename_registered_model("cellar", "a/b")),
        "of nothing": code(lambda: client.rename_registered_model("nothing", "x")),
        "describe nothing": code(lambda: client.update_registered_model("nothing", "x")),
        "describe unknown": code(lambda: client.update_model_version("cellar", "9", "x")),
    }
    client.rename_registered_model("cellar", "wine")
    return made_


@step
def versions_are_copied() -> Any:
    client = MlflowClient()
    copied = client.copy_model_version("models:/wine/1", "shelf")
    again = client.copy_model_version("models:/wine@champion", "shelf")
    return {
        "copied": facts(copied),
        "again": facts(again),
        "of a run": code(lambda: client.copy_model_version(f"runs:/{runs[0]}/model", "shelf")),
        "unknown": code(lambda: client.copy_model_version("models:/wine/9", "shelf")),
    }


@step
def register_model_makes_both() -> Any:
    first = mlflow.register_model(f"runs:/{runs[1]}/model", "bottle", tags={"a": "b"})
    second = mlflow.register_model(f"runs:/{runs[1]}/model", "bottle")
    return {
        "first": facts(first),
        "second": str(second.version),
        "no such run": code(lambda: mlflow.register_model("runs:/" + "0" * 32 + "/model", "bottle")),
        "bad name": code(lambda: mlflow.register_model(f"runs:/{runs[1]}/model", "a/b")),
    }


@step
def models_are_searched() -> Any:
    client = MlflowClient()
    filters = [
        "name = 'wine'", "name LIKE '%o%'", "name ILIKE 'B%'", "name LIKE 'B%'", "name != 'wine'", "tags.team = 'red'", "tags.team != 'red'",
        "tags.team LIKE 'r%'", "tags.nobody != 'x'", "tag.team = 'red'", "name = 'wine' AND tags.team = 'red'", "name > 'a'", "version = 1",
        "name = wine", "name IN ('wine')", "description = 'x'", "name = 'wine' OR name = 'bottle'", "tags.`team` = 'red'", "NAME = 'wine'", "",
    ]  # fmt: skip
    kept = ("wine", "bottle", "shelf", "a b")

    def searched(text: str) -> Any:
        try:
            return [each.name for each in client.search_registered_models(text) if each.name in kept]
        except Exception as error:
            return str(getattr(error, "error_code", "other"))

    orders: dict[str, Any] = {}
    for order in (
        "name DESC",
        "name ASC",
        "name",
        "creation_timestamp",
        "last_updated_timestamp DESC",
        "tags.team",
        "description",
    ):
        try:
            orders[order] = [each.name for each in client.search_registered_models(order_by=[order]) if each.name in kept]
        except Exception as error:
            orders[order] = str(getattr(error, "error_code", "other"))
    orders.pop("last_updated_timestamp DESC")
    pages = client.search_registered_models(max_results=2)
    return {
        "filters": {text: searched(text) for text in filters},
        "orders": orders,
        "page": [len(pages), pages.token is not None],
        "limits": codes(
            {
                "1000": lambda: client.search_registered_models(max_results=1000),
                "1001": lambda: client.search_registered_models(max_results=1001),
                "0": lambda: client.search_registered_models(max_results=0),
                "-1": lambda: client.search_registered_models(max_results=-1),
                "bad token": lambda: client.search_registered_models(page_token="garbage"),
            }
        ),
    }


@step
def versions_are_searched() -> Any:
    client = MlflowClient()
    filters = [
        "name = 'wine'", "name != 'wine'", "name LIKE 'w%'", "name ILIKE 'W%'", "version_number = 1", "version_number > 1", "version_number IN (1, 2)",
        "version = 1", "run_id = 'x'", "run_id IN ('x', 'y')", "tags.k = 'v'", "tags.k != 'v'", "tags.k LIKE 'v%'", "name = 'wine' AND tags.k = 'v'",
        "name IN ('wine')", "current_stage = 'Production'", "source_path LIKE 'runs%'", "status = 'READY'", "name = 'wine' OR name = 'x'", "",
    ]  # fmt: skip

    def searched(text: str) -> Any:
        try:
            return sorted(numbers(client.search_model_versions(text)))
        except Exception as error:
            return str(getattr(error, "error_code", "other"))

    orders: dict[str, Any] = {}
    for order in ("version_number DESC", "version_number ASC", "name DESC", "creation_timestamp", "tags.k", "run_id"):
        try:
            orders[order] = numbers(client.search_model_versions("name = 'wine'", order_by=[order]))
        except Exception as error:
            orders[order] = str(getattr(error, "error_code", "other"))
    return {
        "filters": {text: searched(text) for text in filters},
        "by run": len(client.search_model_versions(f"run_id = '{runs[0]}'")),
        "by runs": len(client.search_model_versions(f"run_id IN ('{runs[0]}', '{runs[1]}')")),
        "orders": orders,
        "order of all": [each for each in numbers(client.search_model_versions()) if each.startswith(("wine", "bottle"))],
        "limits": codes(
            {
                "200000": lambda: client.search_model_versions(max_results=200_000),
                "200001": lambda: client.search_model_versions(max_results=200_001),
                "0": lambda: client.search_model_versions(max_results=0),
            }
        ),
    }


@step
def models_are_deleted() -> Any:
    client = MlflowClient()
    client.delete_registered_model("shelf")
    gone = code(lambda: client.get_registered_model("shelf"))
    client.create_registered_model("shelf")
    return {
        "gone": gone,
        "again": code(lambda: client.delete_registered_model("nothing")),
        "version": str(made("shelf").version),
        "uri": code(lambda: client.get_model_version_download_uri("shelf", "1")),
        "uri of nothing": code(lambda: client.get_model_version_download_uri("shelf", "7")),
    }


if __name__ == "__main__":
    tell(STEPS)
