"""Runs jobs of a ``.gitlab-ci.yml``: the scripts as GitLab's runner runs them, in a clone as it makes one.

What it knows: ``extends`` (one level), ``rules`` with ``if`` of ``$NAME == "text"`` and ``||``, ``variables``, ``before_script`` and ``script``
in one shell with ``set -eo pipefail``, ``cache`` by key, ``artifacts``. The clone is detached at the commit; its remote holds the job's
token; with ``GIT_DEPTH`` 0 all branches are there.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.host import Host


@dataclass
class Ran:
    """One job as it ran."""

    outcome: str
    log: str
    artifacts: Path
    found: dict[str, str] = field(default_factory=dict)


def holds(rules: list[Mapping[str, str]], variables: Mapping[str, str]) -> bool:
    """Tell whether a job is in a pipeline: the first rule that fits decides."""
    for rule in rules:
        assert set(rule) <= {"if", "when"}, rule
        parts = []
        for part in rule["if"].split("||"):
            match = re.fullmatch(r'\s*\$(\w+) == (?:"([^"]*)"|\$(\w+))\s*', part)
            assert match, part
            wanted = match[2] if match[2] is not None else variables.get(match[3])
            parts.append(variables.get(match[1]) == wanted)
        if any(parts):
            return rule.get("when") != "never"
    return False


def pipeline(host: Host, text: str, commit: str, variables: Mapping[str, str], rights: str = "read") -> dict[str, Ran]:
    """Run the jobs of a pipeline, in the order of the file."""
    flow = yaml.safe_load(text)
    made: dict[str, Ran] = {}
    number = len(list((host.folder).glob("pipeline-*")))
    folder = host.folder / f"pipeline-{number}"
    for name, job in flow.items():
        if name.startswith("."):
            continue
        whole = {**flow[job["extends"]], **job} if "extends" in job else job
        if holds(whole["rules"], variables):
            made[name] = _job(host, folder / name.replace(" ", "-"), whole, commit, variables, rights)
    return made


def _job(host: Host, folder: Path, job: Mapping[str, Any], commit: str, variables: Mapping[str, str], rights: str) -> Ran:
    place, home, token = folder / "wine", folder / "home", secrets.token_hex(8)
    home.mkdir(parents=True)
    host.server.tokens[token] = rights
    env = {
        "PATH": os.pathsep.join([str(host.shims), os.environ["PATH"]]), "HOME": str(home), "LANG": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1",
        "GITLAB_CI": "true", "CI": "true", "CI_COMMIT_SHA": commit, "CI_PROJECT_DIR": str(place), "CI_PROJECT_ID": "1",
        "CI_PROJECT_PATH": "team/wine", "CI_PIPELINE_ID": "4200", "CI_DEFAULT_BRANCH": "main", "CI_PAGES_URL": "https://team.example.org/wine",
        "CI_JOB_TOKEN": token, **variables, **{key: str(value) for key, value in job.get("variables", {}).items()},
    }  # fmt: skip
    url = host.url.replace("http://", f"http://gitlab-ci-token:{token}@")
    depth = [] if env.get("GIT_DEPTH", "20") == "0" else [f"--depth={env.get('GIT_DEPTH', '20')}"]
    for command in (
        ["init", "-q", "-b", "main", str(place)],
        ["-C", str(place), "remote", "add", "origin", url],
        [
            "-C",
            str(place),
            "fetch",
            "-q",
            *depth,
            "origin",
            "+refs/heads/*:refs/remotes/origin/*",
            "+refs/tags/*:refs/tags/*",
            commit,
        ],
        ["-C", str(place), "checkout", "-q", "-f", "--detach", commit],
    ):
        subprocess.run(["git", *command], env=env, check=True)
    cached = host.caches / f"gitlab-{job['cache']['key']}" if "cache" in job else None
    if cached is not None and cached.is_dir():
        shutil.copytree(cached, place, dirs_exist_ok=True)
    script = "\n".join([*job.get("before_script", []), *job["script"]])
    done = subprocess.run(
        ["bash", "-c", f"set -eo pipefail\n{script}\n"], cwd=place, env=env, capture_output=True, text=True, check=False
    )
    if cached is not None and done.returncode == 0:
        for path in job["cache"]["paths"]:
            shutil.copytree(place / path, cached / path, dirs_exist_ok=True)
    kept = folder / "artifacts"
    _keep(place, kept, job.get("artifacts", {}), failed=done.returncode != 0)
    return Ran("success" if done.returncode == 0 else "failure", f"$ {script}\n{done.stdout}\n{done.stderr}", kept)


def _keep(place: Path, kept: Path, artifacts: Mapping[str, Any], *, failed: bool) -> None:
    if failed and artifacts.get("when", "on_success") == "on_success":
        return
    for path in [*artifacts.get("paths", []), *artifacts.get("reports", {}).values()]:
        source = place / path
        if source.is_dir():
            shutil.copytree(source, kept / path)
        elif source.is_file():
            (kept / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, kept / path)
