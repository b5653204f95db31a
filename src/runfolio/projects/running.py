"""Run a project: MLflow's ``mlflow.projects.run``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from runfolio.errors import UsageError
from runfolio.projects.backends import LOCAL, load_backend, read_config
from runfolio.projects.job import LATE, Request, run_request
from runfolio.projects.submitted import EndedRun, ExecutionException, SubmittedRun
from runfolio.projects.worker import start
from runfolio.records import Experiment
from runfolio.tracking.attaching import RUN_VARIABLE
from runfolio.tracking.console import DEFAULT_LIMIT
from runfolio.tracking.fluent import active_run, experiment_in_force
from runfolio.tracking.session import Session, session


def run(
    uri: str,
    entry_point: str = "main",
    version: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    docker_args: Mapping[str, Any] | None = None,
    experiment_name: str | None = None,
    experiment_id: str | None = None,
    backend: str = LOCAL,
    backend_config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    storage_dir: str | None = None,
    synchronous: bool = True,
    run_id: str | None = None,
    run_name: str | None = None,
    env_manager: str | None = None,
    build_image: bool = False,
    docker_auth: Any = None,
    timeout_s: float | None = None,
    log_limit: int | None = DEFAULT_LIMIT,
) -> SubmittedRun:
    """Run a project.

    Parameters
    ----------
    uri : str
        A folder, or the address of a git repository; ``#subfolder`` after it.
    entry_point : str, optional
        Of its ``MLproject``, or a script.
    version : str, optional
        Branch, tag or commit of a repository.
    parameters : Mapping, optional
    docker_args : Mapping, optional
        For ``docker run``: ``name: value``, or ``name: True`` for a flag.
    experiment_name, experiment_id : str, optional
        One of the two; the experiment in force by default.
    backend : str, optional
        ``"local"``, or the name of a backend of another package.
    backend_config : Mapping, path or JSON, optional
        For a backend of another package.
    storage_dir : str, optional
        Where files of parameters of type ``path`` are fetched to, and stay.
    synchronous : bool, optional
        Wait for the end. Without it the run goes on in a process of its own, also when this one ends.
    run_id : str, optional
        Go on with this run.
    run_name : str, optional
    env_manager : {"local", "virtualenv", "uv", "conda"}, optional
        By what the project names, by default.
    build_image : bool, optional
        Of a ``docker_env``: build an image with the project's files.
    docker_auth : optional
        An argument of MLflow's, refused: log in with ``docker login``.
    timeout_s : float, optional
        Seconds after which the command is stopped.
    log_limit : int or None, optional
        Bytes of the command's output that are kept as the artifact ``console.log``: its beginning and end. None keeps none.

    Returns
    -------
    SubmittedRun

    Raises
    ------
    ExecutionException
        If the command failed, and `synchronous` is true.
    EnvironmentFailedError
        If the environment could not be made.
    UsageError
        For a request that cannot be run: with every mistake of the ``MLproject`` file, every missing parameter.
    """
    if docker_auth is not None:
        raise UsageError("docker_auth: no password passes through here. Log in with docker login, and leave it out.")
    if experiment_name and experiment_id:
        raise UsageError("Specify only one of 'experiment_name' or 'experiment_id'.")
    held = session()
    experiment = (
        held.folio.experiments.get_or_create(experiment_name) if experiment_name else experiment_in_force(held, experiment_id)
    )
    config = read_config(backend_config)
    if backend != LOCAL:
        other = load_backend(backend)
        return _by_other(
            held, other, backend, uri, entry_point, parameters or {}, version, config, experiment, run_name, synchronous
        )
    active = active_run()
    request = Request(
        uri, experiment.experiment_id, entry_point, version, {str(key): str(value) for key, value in (parameters or {}).items()},
        dict(docker_args or {}), storage_dir, run_id, run_name, env_manager, build_image,
        active.info.run_id if active else os.environ.get(RUN_VARIABLE), None, timeout_s, log_limit,
    )  # fmt: skip
    if not synchronous:
        return start(held, request)
    ended = run_request(held, request)
    if not ended.wait():
        raise ExecutionException(f"Run (ID '{ended.run_id}') failed: {_ending_text(ended)}", ended.run_id, ended.code)
    return ended


def _ending_text(ended: EndedRun) -> str:
    return (
        "its time was up" if ended.code == LATE else f"the command ended with {ended.code}, and the run is {ended.get_status()}"
    )


def _by_other(
    held: Session, backend: Any, name: str, uri: str, entry_point: str, parameters: Mapping[str, Any], version: str | None,
    config: Mapping[str, Any], experiment: Experiment, run_name: str | None, synchronous: bool,
) -> SubmittedRun:  # fmt: skip
    submitted: SubmittedRun = backend.run(
        uri, entry_point, dict(parameters), version, dict(config), held.location, experiment.experiment_id
    )
    tags = {"mlflow.project.backend": name} | ({"mlflow.runName": run_name} if run_name else {})
    if submitted.run_id:
        with held.holding(submitted.run_id) as live:
            live.batch((), {}, tags)
    if synchronous and not submitted.wait():
        raise ExecutionException(f"Run (ID '{submitted.run_id}') failed: see the backend {name!r}.", submitted.run_id)
    return submitted
