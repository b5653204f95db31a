"""Where each record lies in a folio. Paths are relative to the folio's root, with ``/``.

Runs lie by experiment, month and day, because the cost of a commit follows the number of entries in the folders on the
path: with shards by time a new run touches the newest three small folders whatever the number of runs (measured:
``docs/design/decisions.md``). The day comes from the run id where the id carries its time, so a path follows from experiment and
id alone.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache

from runfolio._pattern import pattern
from runfolio.records.names import run_id_time

SETTINGS = "runfolio.yaml"
POLICY = "policy.yaml"
EXPERIMENTS = "experiments"
RUNS = "runs"
MODELS = "models"
ENVIRONMENTS = "environments"
REPRODUCTIONS = "reproductions"
DATASETS = "datasets"
VERSION_ENDING = ".yaml"
"""Of the file of a model's version, behind its number."""
BUILT_SITE = ".runfolio-build.json"
"""A folder that holds this file is a site, built of records."""
OURS = (RUNS, EXPERIMENTS, MODELS, ENVIRONMENTS, REPRODUCTIONS)
"""The folders that hold records only. ``datasets/`` is none of them: many a repository keeps data or code in a folder of that name."""

_RUN = pattern(r"runs/(?P<slug>[a-z0-9][a-z0-9_-]*)/\d{4}-\d\d/\d\d/(?P<id>[A-Za-z0-9][\w-]*)\.json\Z", re.ASCII)
_SERIES = pattern(r"runs/[a-z0-9][a-z0-9_-]*/\d{4}-\d\d/\d\d/(?P<id>[A-Za-z0-9][\w-]*)\.series\.json\Z", re.ASCII)
_MODEL = pattern(r"models/(?P<slug>[a-z0-9][a-z0-9_-]*)/model\.yaml\Z", re.ASCII)
_VERSION = pattern(r"models/(?P<slug>[a-z0-9][a-z0-9_-]*)/versions/(?P<number>[1-9]\d{0,8})\.yaml\Z", re.ASCII)
_CARD = pattern(r"models/(?P<slug>[a-z0-9][a-z0-9_-]*)/cards/(?P<number>[1-9]\d{0,8})\.md\Z", re.ASCII)
_DEPLOYMENT = pattern(r"models/(?P<slug>[a-z0-9][a-z0-9_-]*)/deployments/(?P<name>[a-z0-9][a-z0-9_-]*)\.json\Z", re.ASCII)
_REPRODUCTION = pattern(r"reproductions/(?P<run>[A-Za-z0-9][\w-]*)/(?P<attempt>[0-9a-f]{32})\.json\Z", re.ASCII)
_DATASET = pattern(r"datasets/(?P<slug>[a-z0-9][a-z0-9_-]*)\.yaml\Z", re.ASCII)
_FACTS = pattern(r"datasets/(?P<slug>[a-z0-9][a-z0-9_-]*)/(?P<name>[0-9a-f]{16})\.json\Z", re.ASCII)
_EXPERIMENT = pattern(r"experiments/(?P<slug>[a-z0-9][a-z0-9_-]*)\.yaml\Z", re.ASCII)


_DAY_MS = 86_400_000


def run_folder(slug: str, run_id: str, start_ms: int) -> str:
    """Return the folder of a run's records.

    Parameters
    ----------
    slug : str
        The experiment's folder name.
    run_id : str
    start_ms : int
        Used where the id carries no time (imported runs).
    """
    at = run_id_time(run_id)
    return f"{RUNS}/{slug}/{_day((start_ms if at is None else at) // _DAY_MS)}"


@lru_cache(maxsize=64)  # runs that are committed together are of few days
def _day(number: int) -> str:
    """Return the folder of a day, given as its number since the epoch."""
    when = time.gmtime(number * 86_400)
    return f"{when.tm_year:04d}-{when.tm_mon:02d}/{when.tm_mday:02d}"


def run_path(slug: str, run_id: str, start_ms: int) -> str:
    """Return the path of a run's record."""
    return f"{run_folder(slug, run_id, start_ms)}/{run_id}.json"


def series_path(record_path: str) -> str:
    """Return the path of the metric histories beside a run's record."""
    return record_path[: -len(".json")] + ".series.json"


def experiment_path(slug: str) -> str:
    """Return the path of an experiment's file."""
    return f"{EXPERIMENTS}/{slug}.yaml"


def model_path(slug: str) -> str:
    """Return the path of a registered model's file: what is live."""
    return f"{MODELS}/{slug}/model.yaml"


def version_path(slug: str, version: int) -> str:
    """Return the path of the file of one version of a model."""
    return f"{MODELS}/{slug}/versions/{version}{VERSION_ENDING}"


def card_path(slug: str, version: int) -> str:
    """Return the path of the model card of one version."""
    return f"{MODELS}/{slug}/cards/{version}.md"


def deployment_path(slug: str, name: str) -> str:
    """Return the path of the record of one deployment of a model's versions."""
    return f"{MODELS}/{slug}/deployments/{name}.json"


def dataset_path(slug: str) -> str:
    """Return the path of a dataset's file: which content is current."""
    return f"{DATASETS}/{slug}.yaml"


def facts_path(slug: str, name: str) -> str:
    """Return the path of the facts of one content of a dataset, by the first 16 hex digits of its digest."""
    return f"{DATASETS}/{slug}/{name}.json"


def environment_path(name: str) -> str:
    """Return the path of a package list, by the first 16 digits of its SHA-256."""
    return f"{ENVIRONMENTS}/{name}.txt"


def reproduction_path(run_id: str, attempt_id: str) -> str:
    """Return the path of the verdict of one attempt to make a run again."""
    return f"{REPRODUCTIONS}/{run_id}/{attempt_id}.json"


def reproduction_of_path(path: str) -> tuple[str, str] | None:
    """Return (run id, attempt id) if `path` is the verdict of an attempt to make a run again, else None."""
    match = _REPRODUCTION.match(path)
    return (match["run"], match["attempt"]) if match else None


def run_of_path(path: str) -> tuple[str, str] | None:
    """Return (slug, run id) if `path` is a run's record, else None."""
    match = _RUN.match(path)
    return (match["slug"], match["id"]) if match and not path.endswith(".series.json") else None


def series_of_path(path: str) -> str | None:
    """Return the run id if `path` is a run's series file, else None."""
    match = _SERIES.match(path)
    return match["id"] if match else None


def experiment_of_path(path: str) -> str | None:
    """Return the slug if `path` is an experiment's file, else None."""
    match = _EXPERIMENT.match(path)
    return match["slug"] if match else None


def model_of_path(path: str) -> str | None:
    """Return the slug if `path` is a registered model's file, else None."""
    match = _MODEL.match(path)
    return match["slug"] if match else None


def version_of_path(path: str) -> tuple[str, int] | None:
    """Return (slug, number) if `path` is the file of a model's version, else None."""
    match = _VERSION.match(path)
    return (match["slug"], int(match["number"])) if match else None


def card_of_path(path: str) -> tuple[str, int] | None:
    """Return (slug, number) if `path` is the card of a model's version, else None."""
    match = _CARD.match(path)
    return (match["slug"], int(match["number"])) if match else None


def deployment_of_path(path: str) -> tuple[str, str] | None:
    """Return (slug, name of the file) if `path` is the record of a deployment, else None."""
    match = _DEPLOYMENT.match(path)
    return (match["slug"], match["name"]) if match else None


def dataset_of_path(path: str) -> str | None:
    """Return the slug if `path` is a dataset's file, else None."""
    match = _DATASET.match(path)
    return match["slug"] if match else None


def facts_of_path(path: str) -> tuple[str, str] | None:
    """Return (slug, 16 hex digits) if `path` holds the facts of a dataset's content, else None."""
    match = _FACTS.match(path)
    return (match["slug"], match["name"]) if match else None


def is_of_dataset(path: str) -> bool:
    """Tell whether `path` is a dataset's file or tells facts of a content; what else lies in ``datasets/`` is not ours."""
    return dataset_of_path(path) is not None or facts_of_path(path) is not None
