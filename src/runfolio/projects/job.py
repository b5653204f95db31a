"""One project run under way: what it is read from, its environment, its run, its command.

Everything that can be wrong with the request is found before the run is started. An environment that cannot be made is a run that
FAILED, with the installer's words as its log.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.environments import LOCAL, Environment, EnvironmentFailedError, make_environment
from runfolio.errors import NotFoundError
from runfolio.folio.offline import OfflineFolio
from runfolio.gitstore.process import run_git
from runfolio.projects import docker
from runfolio.projects.fetching import Fetched, fetched, parse_source
from runfolio.projects.mlproject import DOCKER, EntryPoint, Project, load_project
from runfolio.projects.parameters import chosen, command_line, local_path, storage_folder
from runfolio.projects.requirements import choose_manager, wanted_environment
from runfolio.projects.submitted import EndedRun
from runfolio.records import Experiment
from runfolio.tracking.attaching import LINES_VARIABLE, RUN_VARIABLE
from runfolio.tracking.console import DEFAULT_LIMIT, LOG
from runfolio.tracking.live import LiveRun
from runfolio.tracking.program import Manner
from runfolio.tracking.recording import record_live
from runfolio.tracking.session import URI_VARIABLE, Session
from runfolio.tracking.starting import start_live

LATE = 124
"""The exit status of a command whose time was up, as that of the program ``timeout``."""

BACKEND = "local"
_STOP_S = 10.0
_DROPPED = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")


@dataclass(frozen=True, slots=True)
class Request:
    """A project as it is to be run; what :func:`run` was given, in a form that can be sent to another process.

    Parameters
    ----------
    uri, entry_point, version, parameters, docker_args, storage_dir, run_id, run_name, env_manager, build_image
        As for :func:`run`.
    experiment_id : str
    parent : str or None
    new_run_id : str or None
        The id of the run that is started.
    timeout_s : float or None
    limit : int or None
        Bytes of output kept.
    """

    uri: str
    experiment_id: str
    entry_point: str = "main"
    version: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    docker_args: Mapping[str, Any] = field(default_factory=dict)
    storage_dir: str | None = None
    run_id: str | None = None
    run_name: str | None = None
    env_manager: str | None = None
    build_image: bool = False
    parent: str | None = None
    new_run_id: str | None = None
    timeout_s: float | None = None
    limit: int | None = DEFAULT_LIMIT


def run_request(held: Session, request: Request, started: Callable[[str], None] | None = None) -> EndedRun:
    """Run a project here, to its end.

    Parameters
    ----------
    held : Session
    request : Request
    started : callable, optional
        Told the run's id once it is started.
    """
    source = parse_source(request.uri)
    with fetched(source, request.version, held.say) as there, _storage(request.storage_dir) as storage:
        project = load_project(there.folder)
        for notice in (*project.notices, *there.notices):
            held.say(notice)
        entry = project.entry_point(request.entry_point)
        declared, more = chosen(entry, request.parameters)
        command = command_line(entry, declared, more, lambda name, value, at: local_path(name, value, at, storage))
        manager = choose_manager(project, request.env_manager)
        experiment = _experiment(held, request)
        job = _Job(held, request, there, project, entry, experiment, {**declared, **more}, command, manager)
        environment = job.environment()
        with environment.held() as hold:
            argv, variables = job.argv(environment)
            live = job.start(environment)
            if started is not None:
                started(live.run_id)
            return job.follow(live, environment, argv, variables, hold)


@contextmanager
def _storage(place: str | None) -> Iterator[Path]:
    folder = storage_folder(place)
    try:
        yield folder
    finally:
        if place is None or not any(folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)


def _experiment(held: Session, request: Request) -> Experiment:
    found = held.folio.experiments.by_id(request.experiment_id)
    if found is None:
        raise NotFoundError(
            f"No Experiment with id={request.experiment_id} exists here. List them: runfolio experiments list --all"
        )
    return found


@dataclass(frozen=True, slots=True)
class _Job:
    """One project run under way."""

    held: Session
    request: Request
    there: Fetched
    project: Project
    entry: EntryPoint
    experiment: Experiment
    params: Mapping[str, str]
    command: str
    manager: str

    def environment(self) -> Environment:
        """Make the environment; where that fails, the run is made, has failed, and says why."""
        if self.project.environment == DOCKER:
            return make_environment(wanted_environment(self.project, LOCAL, self.held.say), LOCAL)
        wanted = wanted_environment(self.project, self.manager, self.held.say, copied=self.there.temporary)
        try:
            made = make_environment(wanted, self.manager, tell=self.held.say, base=self.project.folder)
        except EnvironmentFailedError as error:
            live = self.start(None)
            live.batch((), self.params, {})
            live.artifact_bytes(f"{error.message}\n".encode(), LOG)
            live.end("FAILED")
            self.held.sealed(live)
            raise EnvironmentFailedError(
                f"{error.message}\nThe run {live.run_id} is FAILED, with this as its log.", error.missing
            ) from None
        for notice in made.notices:
            self.held.say(notice)
        return made

    def start(self, environment: Environment | None) -> LiveRun:
        """Start the run, or take hold of the one that was named."""
        request = self.request
        if request.run_id:
            live = self.held.run(request.run_id, resume=True)
            if live.record.end is not None:
                live.writer.event("end", "RUNNING", 0)
            live.batch((), {}, self._tags(environment))
            return live
        live = start_live(
            self.held, self.experiment, name=request.run_name, tags=self._tags(environment), entry=self._entry(environment),
            run_id=request.new_run_id,
        )  # fmt: skip
        for notice in self.there.notices:
            live.notice(notice)
        return live

    def _entry(self, environment: Environment | None) -> dict[str, Any]:
        project = self.project
        script = project.folder / (project.file or self.entry.name)
        args = ["-e", self.entry.name]
        for name, value in self.request.parameters.items():
            args += ["-P", f"{name}={value}"]
        said: dict[str, Any] = {"script": str(script), "type": "PROJECT", "args": args}
        if environment is not None and environment.folder is not None:
            said["python"] = environment.version
            said["packages"] = [str(path) for path in sorted((environment.folder / "lib").glob("python3*/site-packages"))]
        return said

    def _tags(self, environment: Environment | None) -> dict[str, str]:
        kind = "docker" if self.project.environment == DOCKER else self.manager
        tags = {
            "mlflow.source.name": self.there.source.shown,
            "mlflow.source.type": "PROJECT",
            "mlflow.project.entryPoint": self.entry.name,
            "mlflow.project.backend": BACKEND,
            "mlflow.project.env": kind,
        }
        if self.project.name:
            tags["runfolio.project.name"] = self.project.name
        if self.request.version:
            tags["runfolio.project.version"] = self.request.version
        if self.there.branch:
            tags["mlflow.source.git.branch"] = self.there.branch
        if environment is not None and environment.digest:
            tags["runfolio.project.environment"] = environment.digest
        if self.request.parent and not self.request.run_id:
            tags["mlflow.parentRunId"] = self.request.parent
        return tags

    def argv(self, environment: Environment) -> tuple[list[str], dict[str, str]]:
        """Return the program and its arguments, and its variables beside ours."""
        if self.project.environment == DOCKER:
            return self._container()
        outer = dict(os.environ)
        made = environment.variables(outer)
        dropped = [name for name in _DROPPED if name in outer and name not in made]
        prefix = ["env", *(word for name in dropped for word in ("-u", name))] if dropped else []
        command = self.command
        if environment.manager == "conda":
            # What its packages do when an environment is activated.
            command = f'for f in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do [ -r "$f" ] && . "$f"; done\n{command}'
        return [*prefix, "bash", "-c", command], {key: value for key, value in made.items() if outer.get(key) != value}

    def _container(self) -> tuple[list[str], dict[str, str]]:
        assert self.project.docker is not None
        program = docker.docker_program()
        image = self.project.docker.image
        if self.request.build_image:
            image = docker.build_image(program, self.project, self.project.docker, self._commit())
        folio = self.held.folio
        own = [folio.folder] if isinstance(folio, OfflineFolio) else [folio.place.root, folio.place.local, folio.repo.common_dir]
        mounts = [str(path.resolve()) for path in (*own, folio.spool.folder)]
        passed = (RUN_VARIABLE, URI_VARIABLE, LINES_VARIABLE, "RUNFOLIO_EXPERIMENT_NAME")
        argv = docker.container_command(
            program, image, self.project.docker, self.command, arguments=self.request.docker_args, mounts=mounts, passed=passed
        )
        return argv, {}

    def _commit(self) -> str:
        done = run_git(("rev-parse", "--verify", "--quiet", "HEAD"), self.project.folder)
        return done.stdout.decode().strip() if done.returncode == 0 else ""

    def follow(
        self, live: LiveRun, environment: Environment, argv: list[str], variables: Mapping[str, str], hold: int | None
    ) -> EndedRun:
        """Run the command to its end."""
        clock = _Clock(self.request.timeout_s)
        manner = Manner(str(self.project.folder), variables, () if hold is None else (hold,), own_group=True, watch=clock.look)
        self.held.say(f"run {live.run_id}: {self.held.redactor.text(self.command)}")
        for notice in environment.notices:
            live.notice(notice)
        known = live.record.params if self.request.run_id else {}
        params = {key: value for key, value in self.params.items() if key not in known}
        limit = self.request.limit
        done = record_live(
            self.held, live, self.experiment, argv, params=params, limit=limit, top=not self.request.parent, manner=manner
        )
        if clock.late:
            return EndedRun(done.run_id, done.ending.status, LATE)
        return EndedRun(done.run_id, done.ending.status, done.ending.code)


class _Clock:
    """Stops a command whose time is up: told to end, and killed ten seconds after."""

    def __init__(self, timeout_s: float | None) -> None:
        self.late = False
        self._due = None if timeout_s is None else time.monotonic() + timeout_s

    def look(self, program: subprocess.Popen[bytes]) -> None:
        """See what the time is."""
        if self._due is None or program.returncode is not None or time.monotonic() < self._due:
            return
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL if self.late else signal.SIGTERM)
        self._due = time.monotonic() + _STOP_S
        self.late = True
