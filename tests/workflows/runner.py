"""Runs a workflow's own steps in order, as GitHub's runner does: real git, real bash, real files; actions as in :mod:`tests.workflows.actions`.

What it knows: triggers by event and branch, ``needs``, ``if``, ``env`` of workflow, job and step, ``defaults.run.working-directory``, outputs,
``permissions`` (the job's token may do just that, and only read for a pull request from a fork), ``GITHUB_OUTPUT``, ``GITHUB_ENV``,
``GITHUB_PATH``, ``GITHUB_STEP_SUMMARY``, composite actions and called workflows of a repository at hand. Anything else is an error.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.actions import KNOWN
from tests.workflows.expressions import fill, holds
from tests.workflows.host import Host
from tests.workflows.jobs import ActionError, Job

_KEYS = {
    "name",
    "if",
    "needs",
    "runs-on",
    "timeout-minutes",
    "permissions",
    "defaults",
    "steps",
    "environment",
    "env",
    "outputs",
    "uses",
    "with",
    "container",
}
_STEP_KEYS = {"name", "id", "if", "uses", "with", "env", "run", "working-directory", "shell", "timeout-minutes"}


class Run:
    """One run of one workflow for one event.

    Parameters
    ----------
    host : Host
    event : str
    payload : Mapping
        What is in ``GITHUB_EVENT_PATH``.
    github : Mapping of str to str
        ``ref``, ``sha``, ``base_ref``, ``head_ref``.
    own : Path, optional
        The folder that ``./`` means in ``uses``: a repository of actions.
    shims : bool, optional
        The job's image has Python on its path.
    """

    _numbers = 0

    def __init__(
        self,
        host: Host,
        event: str,
        payload: Mapping[str, Any],
        github: Mapping[str, str],
        own: Path | None = None,
        *,
        shims: bool = False,
    ) -> None:
        type(self)._numbers += 1
        self.number = type(self)._numbers
        self.host, self.event, self.payload, self.own = host, event, payload, own
        self.folder = host.folder / "runs" / str(self.number)
        self.home, self.artifacts, self.shims = self.folder / "home", self.folder / "artifacts", host.shims
        self.home.mkdir(parents=True)
        self.github: dict[str, Any] = {
            "event": payload, "event_name": event, "repository": "team/wine", "server_url": host.server.url, "api_url": host.api.url,
            "run_id": str(self.number), "base_ref": "", "head_ref": "", "ref": "", "sha": "", **github,
        }  # fmt: skip
        self.jobs: dict[str, Job] = {}
        self.ceiling: Mapping[str, str] | None = None
        self.image = [str(self.shims)] if shims else []

    @property
    def outcome(self) -> str:
        return "failure" if any(job.outcome == "failure" for job in self.jobs.values()) else "success"

    def from_fork(self) -> bool:
        pull = self.payload.get("pull_request")
        return bool(pull) and pull["head"]["repo"]["full_name"] != "team/wine"

    def start(self, text: str, inputs: Mapping[str, Any] | None = None) -> Run:
        """Run all jobs of a workflow that its triggers let start."""
        flow = yaml.safe_load(text)
        triggers = flow[True]  # YAML 1.1 reads "on" so
        if inputs is None and not self._triggered(triggers):
            return self
        if inputs is not None:
            declared = triggers["workflow_call"].get("inputs", {})
            inputs = {name: inputs.get(name, about.get("default", "")) for name, about in declared.items()}
        waiting = dict(flow["jobs"])
        while waiting:
            ready = [name for name, spec in waiting.items() if set(_listed(spec.get("needs"))) <= self.jobs.keys()]
            assert ready, f"jobs wait for each other: {waiting.keys()}"
            for name in ready:
                self._job(name, waiting.pop(name), flow, inputs or {})
        return self

    def _triggered(self, triggers: Any) -> bool:
        if self.event not in triggers:
            return False
        rule = triggers[self.event] if isinstance(triggers, dict) else None
        if self.event == "push" and rule and "branches" in rule:
            return any(fnmatchcase(self.github["ref"].removeprefix("refs/heads/"), pattern) for pattern in rule["branches"])
        if self.event == "pull_request" and rule and "branches" in rule:
            return any(fnmatchcase(self.github["base_ref"], pattern) for pattern in rule["branches"])
        if self.event == "workflow_run":
            return self.payload["workflow_run"]["name"] in rule["workflows"]
        return True

    def _job(self, name: str, spec: Mapping[str, Any], flow: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        assert set(spec) <= _KEYS, set(spec) - _KEYS
        needed = [self.jobs[other] for other in _listed(spec.get("needs"))]
        job = Job(self, name, spec, self.folder / name, secrets.token_hex(8), inputs)
        self.jobs[name] = job
        failed = any(other.outcome != "success" for other in needed)
        context = self._context(job)
        if not holds(spec.get("if"), context, failed=failed):
            job.outcome = "skipped"
            return
        granted = spec.get("permissions", flow.get("permissions"))
        assert isinstance(granted, dict), f"the job {name} does not say its permissions"
        beyond = [
            scope
            for scope, right in granted.items()
            if self.ceiling is not None and self.ceiling.get(scope) not in (right, "write")
        ]
        assert not beyond, f"the calling job does not grant {beyond} to {name}"
        if "uses" in spec:
            self._called(job, spec, granted, context)
            return
        fork = self.from_fork()
        job.rights = {scope: "read" if fork and right == "write" else right for scope, right in granted.items()}
        self.host.grant(job.token, job.rights)
        environment = spec.get("environment", {})
        job.environment = environment if isinstance(environment, str) else environment.get("name", "")
        job.workspace.mkdir()
        job.paths[:0] = self.image
        job.env = {key: fill(value, context) for key, value in {**flow.get("env", {}), **spec.get("env", {})}.items()}
        inside = spec.get("defaults", flow.get("defaults", {})).get("run", {}).get("working-directory", ".")
        for step in spec["steps"]:
            self._step(job, step, inside)
        if job.outcome == "success":
            for finish in job.at_end:
                finish()
        job.outputs = {key: fill(value, self._context(job)) for key, value in spec.get("outputs", {}).items()}

    def _called(self, job: Job, spec: Mapping[str, Any], granted: Mapping[str, str], context: Mapping[str, Any]) -> None:
        """Run a workflow that is called: its jobs may do no more than the calling one."""
        assert self.own is not None
        inner = Run(
            self.host,
            self.event,
            self.payload,
            {key: self.github[key] for key in ("ref", "sha", "base_ref", "head_ref")},
            self.own,
        )
        inner.ceiling, inner.artifacts = granted, self.artifacts
        inner.start(
            (self.own / spec["uses"]).read_text(), {key: _filled(value, context) for key, value in spec.get("with", {}).items()}
        )
        job.outcome, job.log = inner.outcome, [other.text() for other in inner.jobs.values()]

    def _context(self, job: Job, extra: Mapping[str, str] | None = None) -> dict[str, Any]:
        needs = {
            name: {"outputs": other.outputs, "result": other.outcome} for name, other in self.jobs.items() if name != job.name
        }
        return {
            "github": {**self.github, "token": job.token, "job": job.name}, "steps": job.steps, "needs": needs, "inputs": job.inputs,
            "env": {**job.env, **(extra or {})}, "runner": {"os": "Linux", "temp": str(self.folder / "temp")}, "vars": self.host.variables,
            "secrets": {**self.host.secrets, "GITHUB_TOKEN": job.token},
        }  # fmt: skip

    def _step(self, job: Job, step: Mapping[str, Any], inside: str) -> None:
        assert set(step) <= _STEP_KEYS, set(step) - _STEP_KEYS
        context = self._context(job)
        if not holds(step.get("if"), context, failed=job.outcome == "failure"):
            return
        env = {key: fill(value, context) for key, value in step.get("env", {}).items()}
        context = self._context(job, env)
        name = step.get("name") or step.get("uses") or step["run"]
        outputs: dict[str, str] = {}
        try:
            if "uses" in step:
                outputs = self._action(
                    job, step["uses"], {key: fill(value, context) for key, value in step.get("with", {}).items()}, env, inside
                )
            else:
                outputs = self._script(
                    job, step["run"], env, fill(step.get("working-directory", inside), context), step.get("shell", "")
                )
            outcome = "success"
        except ActionError as error:
            job.log.append(f"error: {name}: {error}")
            job.outcome = outcome = "failure"
        if "id" in step:
            job.steps[step["id"]] = {"outputs": outputs, "outcome": outcome}

    def _action(self, job: Job, uses: str, given: dict[str, str], env: Mapping[str, str], inside: str) -> dict[str, str]:
        if uses.startswith("./"):
            return self._composite(job, uses, given, inside)
        action, _, commit = uses.partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", commit), f"{uses} is not pinned by commit"
        return KNOWN[action](job, given)

    def _composite(self, job: Job, uses: str, given: dict[str, str], inside: str) -> dict[str, str]:
        assert self.own is not None
        action = yaml.safe_load((self.own / uses / "action.yml").read_text())
        outer = job.inputs, job.steps
        self.github["action_path"] = str(self.own / uses)
        job.inputs = {
            name: given.get(name, fill(about.get("default", ""), self._context(job)))
            for name, about in action.get("inputs", {}).items()
        }
        job.steps = {}
        for step in action["runs"]["steps"]:
            self._step(job, step, inside)
        outputs = {name: fill(about["value"], self._context(job)) for name, about in action.get("outputs", {}).items()}
        job.inputs, job.steps = outer
        if job.outcome == "failure":
            raise ActionError(f"a step of {uses} failed")
        return outputs

    def _script(self, job: Job, script: str, env: Mapping[str, str], inside: str, shell: str) -> dict[str, str]:
        files = {name: self.folder / f"{name}-{len(job.log)}" for name in ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY")}
        temp = self.folder / "temp"
        temp.mkdir(exist_ok=True)
        for file in files.values():
            file.touch()
        event = self.folder / "event.json"
        event.write_text(json.dumps(self.payload))
        github = {f"GITHUB_{key.upper()}": str(value) for key, value in self.github.items() if key != "event"}
        whole = {
            **job.base_env(), **self.host.variables_of_jobs, **github, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event), "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_WORKSPACE": str(job.workspace), "RUNNER_TEMP": str(temp), "RUNNER_OS": "Linux",
            **{f"GITHUB_{name}": str(file) for name, file in files.items()}, **job.env, **env,
        }  # fmt: skip
        if "GITHUB_TOKEN" not in env and "GITHUB_TOKEN" not in job.env:
            whole.pop("GITHUB_TOKEN", None)
        file = self.folder / "script.sh"
        file.write_text(script)
        options = ["--noprofile", "--norc", "-eo", "pipefail"] if shell == "bash" else ["-e"]
        done = subprocess.run(
            ["bash", *options, str(file)], cwd=job.workspace / inside, env=whole, capture_output=True, text=True, check=False
        )
        job.log += [f"$ {script.strip()}", done.stdout, done.stderr]
        job.summary += files["STEP_SUMMARY"].read_text()
        job.env.update(_pairs(files["ENV"].read_text()))
        job.paths[:0] = files["PATH"].read_text().split()
        if done.returncode:
            raise ActionError(f"Process completed with exit code {done.returncode}.\n{done.stdout}{done.stderr}")
        return _pairs(files["OUTPUT"].read_text())


def _filled(value: Any, context: Mapping[str, Any]) -> Any:
    return fill(value, context) if isinstance(value, str) else value


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _pairs(text: str) -> dict[str, str]:
    """Read ``name=value`` lines and ``name<<END`` blocks."""
    made, lines = {}, iter(text.splitlines())
    for line in lines:
        if "<<" in line and "=" not in line.split("<<")[0]:
            name, end = line.split("<<", 1)
            block = []
            for inner in lines:
                if inner == end:
                    break
                block.append(inner)
            made[name] = "\n".join(block)
        elif "=" in line:
            name, _, made_value = line.partition("=")
            made[name] = made_value
    return made
