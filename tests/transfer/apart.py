"""Tools whose runs are imported, each in a folder that only the processes that make runs see; ``.ci/test`` makes the folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runfolio.tracking.client import RunfolioClient

HERE = Path(__file__).parent


class Tool(NamedTuple):
    """One tool: the variable that names its folder, its package there, the folder."""

    variable: str
    package: str
    folder: Path

    @classmethod
    def of(cls, variable: str, package: str) -> Tool:
        """Return it, as the environment says before a test pins it."""
        return cls(variable, package, Path(os.environ.get(variable) or "-"))

    @property
    def missing(self) -> pytest.MarkDecorator:
        """Skip a test where it is not there, and say so."""
        there = (self.folder / self.package).is_dir()
        return pytest.mark.skipif(not there, reason=f"NOT TESTED: no {self.package} in the folder that {self.variable} names")

    def start(self, *args: str, cwd: Path, **env: str) -> subprocess.Popen[str]:
        """Start a Python that sees it."""
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", *args], cwd=cwd, env={**os.environ, "PYTHONPATH": str(self.folder), **env}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *args: str, cwd: Path, code: int = 0, **env: str) -> str:
        """Run a Python that sees it to its end, and return what it printed."""
        process = self.start(*args, cwd=cwd, **env)
        told, said = process.communicate(timeout=300)
        assert process.returncode == code, said[-3000:]
        return told


def take(folio: Path, tool: str, *args: str, code: int = 0, see: Path | None = None) -> dict[str, Any]:
    """Import as a user does, and return what was done; the tool is seen only where `see` names its folder."""
    env = {**os.environ, **({"PYTHONPATH": os.pathsep.join([str(see), *_source()])} if see else {})}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "runfolio", "import", tool, *args, "--json"],
        cwd=folio, env=env, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == code and "Traceback" not in done.stderr, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout else {"error": done.stderr}


def _source() -> list[str]:
    return [] if os.environ.get("RUNFOLIO_TEST_INSTALLED") else [str(HERE.parents[1] / "src")]


def runs_of(folio: Path) -> dict[str, Any]:
    """Return the runs of a folio by their name at the tool."""
    client = RunfolioClient(str(folio))
    found = client.search_runs([item.experiment_id for item in client.search_experiments()], max_results=1000)
    return {run.data.tags["runfolio.imported_id"]: run for run in found}


def points_of(folio: Path, run: Any, key: str) -> list[tuple[int, float]]:
    """Return step and value of the points of a metric."""
    return [(item.step, item.value) for item in RunfolioClient(str(folio)).get_metric_history(run.info.run_id, key)]


def files_of(folio: Path, run: Any) -> dict[str, bytes]:
    """Return the files of a run."""
    client = RunfolioClient(str(folio))
    return {path: Path(client.download_artifacts(run.info.run_id, path)).read_bytes() for path in _paths(client, run, None)}


def _paths(client: Any, run: Any, path: str | None) -> Iterator[str]:
    for item in client.list_artifacts(run.info.run_id, path):
        if item.is_dir:
            yield from _paths(client, run, item.path)
        else:
            yield item.path


def findings(done: dict[str, Any]) -> str:
    """Return the findings of an import as text."""
    return "\n".join(f"{item['where']}: {item['what']}" for item in done["findings"])
