"""The fluent API: verbs that log to the active run, or to one that is named.

Names, arguments and defaults are MLflow's. Which run is active, and since when, :mod:`runfolio.tracking.fluent` knows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from runfolio._typing import Any
from runfolio.errors import UsageError
from runfolio.tracking.fluent import client, experiment_in_force, live_run, stacks
from runfolio.tracking.names import artifact_uri
from runfolio.tracking.operations import Done
from runfolio.tracking.session import session


def _by_id(run_id: str | None) -> str:
    return run_id if run_id is not None else live_run().run_id


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> Done | None:
    """Log one point of a metric.

    Parameters
    ----------
    key : str
        Letters, digits and ``_ - . / :`` and spaces; 250 characters at most.
    value : float
        NaN and the infinities too.
    step : int, optional
        0 by default.
    synchronous : bool, optional
        Taken for MLflow's sake: logging is a matter of microseconds. With False a finished operation is returned.
    timestamp : int, optional
        Milliseconds since the epoch, UTC; now by default.
    run_id : str, optional
        Another run than the active one.
    model_id, dataset : optional
        Arguments of MLflow 3, taken and not kept: the point is the run's.
    """
    if run_id is None:
        runs = getattr(stacks, "runs", None)
        live = runs[-1]._live if runs else None
        if live is None or live.writer.closed:
            live = live_run()  # not asked first: a call takes as long as half of what is left of this one
        live.metric(key, value, timestamp, step)
    else:
        client().log_metric(run_id, key, value, timestamp, step)
    return Done() if synchronous is False else None


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> Done | None:
    """Log one point each of several metrics: valid ones all, or none."""
    points = [(key, value, timestamp, step) for key, value in metrics.items()]
    client()._log(_by_id(run_id), lambda live: live.batch(points, {}, {})) if run_id else live_run().batch(points, {}, {})
    return Done() if synchronous is False else None


def log_param(key: str, value: Any, synchronous: bool | None = None, run_id: str | None = None) -> Any:
    """Log a param, once; return its value."""
    client().log_param(run_id, key, value) if run_id else live_run().param(key, value)
    return Done() if synchronous is False else value


def log_params(params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None) -> Done | None:
    """Log several params: valid ones all, or none."""
    client()._log(run_id, lambda live: live.batch((), params, {})) if run_id else live_run().batch((), params, {})
    return Done() if synchronous is False else None


def log_batch(
    metrics: Sequence[Any] = (), params: Sequence[Any] = (), tags: Sequence[Any] = (), run_id: str | None = None
) -> None:
    """Log metrics, params and tags (entities) at once: valid ones all, or none."""
    client().log_batch(_by_id(run_id), metrics, params, tags)


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> Done | None:
    """Set a tag of the active run."""
    live_run().tag(key, value)
    return Done() if synchronous is False else None


def set_tags(tags: Mapping[str, Any], synchronous: bool | None = None) -> Done | None:
    """Set several tags of the active run."""
    live_run().batch((), {}, tags)
    return Done() if synchronous is False else None


def delete_tag(key: str) -> None:
    """Take a tag of the active run away."""
    client().delete_tag(live_run().run_id, key)


def set_experiment_tag(key: str, value: Any) -> None:
    """Set a tag of the experiment in force."""
    client().set_experiment_tag(experiment_in_force(session()).experiment_id, key, value)


def set_experiment_tags(tags: Mapping[str, Any]) -> None:
    """Set several tags of the experiment in force."""
    for key, value in tags.items():
        set_experiment_tag(key, value)


def log_artifact(local_path: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Store a file (or folder) as an artifact of the active run."""
    if run_id is not None:
        client().log_artifact(run_id, local_path, artifact_path)
        return
    from runfolio.tracking.artifacts import files_to_log, log_files

    live = live_run()
    live.refuse_deleted()
    log_files(live, files_to_log(local_path, artifact_path))


def log_artifacts(local_dir: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Store all files below a folder as artifacts of the active run."""
    client().log_artifacts(_by_id(run_id), local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Store text as an artifact of the active run."""
    client().log_text(_by_id(run_id), text, artifact_file)


def log_dict(dictionary: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Store a dictionary as JSON or YAML."""
    client().log_dict(_by_id(run_id), dictionary, artifact_file)


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None) -> None:
    """Store a matplotlib or plotly figure, or an Altair chart."""
    client().log_figure(live_run().run_id, figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = None,
) -> None:
    """Store an image: under a path, or under a key as one of a sequence over steps."""
    client().log_image(live_run().run_id, image, artifact_file, key, step, timestamp)


def log_table(data: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Store a table; rows add to a table that is there."""
    client().log_table(_by_id(run_id), data, artifact_file)


def load_table(artifact_file: str, run_ids: list[str] | None = None, extra_columns: list[str] | None = None) -> Any:
    """Return a table that runs of the experiment in force logged, as one DataFrame."""
    return client().load_table(experiment_in_force(session()).experiment_id, artifact_file, run_ids, extra_columns)


def log_input(dataset: Any, context: str | None = None, tags: Mapping[str, str] | None = None, model: Any = None) -> None:
    """Log a dataset that the run read.

    Parameters
    ----------
    dataset : Dataset
        From ``runfolio.data``: ``from_pandas``, ``from_numpy``, ``from_file``…
    context : str, optional
        Its role: ``"training"``, ``"test"``.
    tags : Mapping, optional
    model : optional
        An argument of MLflow 3, taken and not kept.
    """
    from runfolio.tracking.datasets import to_input

    live = live_run()
    live.input(to_input(dataset, context, dict(tags or {}), notify=live.notice, redactor=live.redactor))


def log_inputs(
    datasets: Sequence[Any],
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Any] | None = None,
    models: Any = None,
) -> None:
    """Log several datasets that the run read.

    Raises
    ------
    UsageError
        If there are not as many contexts or tags as datasets.
    """
    for name, given in (("contexts", contexts), ("tags_list", tags_list)):
        if given is not None and len(given) != len(datasets):
            raise UsageError(
                f"log_inputs got {len(datasets)} datasets and {len(given)} {name}: give one for each, or none at all."
            )
    for number, dataset in enumerate(datasets):
        log_input(dataset, contexts[number] if contexts else None, tags_list[number] if tags_list else None)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """Return the URI of an artifact of the active run."""
    uri = artifact_uri(live_run().run_id)
    return f"{uri}/{artifact_path}" if artifact_path else uri
