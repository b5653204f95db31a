"""A folio with a small training script, as a user has it: run by a real Python, committed, changed, run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import runfolio

SOURCE = Path(runfolio.__file__).parents[1]
TRAIN = """\
import csv
import sys

import runfolio

depth, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
rows = [float(row["x"]) for row in csv.DictReader(open("wine.csv"))]
runfolio.set_experiment("wine")
with runfolio.start_run(run_name=f"d{depth}-s{seed}"):
    runfolio.log_params({"depth": depth, "seed": seed})
    for step in range(5):
        runfolio.log_metric("loss", sum(rows) / depth / (step + 1) + seed / 1000, step=step)
    runfolio.log_metric("accuracy", 1 - 1 / sum(rows) + seed / 100)
    runfolio.log_text(f"{sum(rows)} {depth} {seed}", "model/weights.txt")
"""
WINE = "x\n1.5\n2.5\n3.5\n"


class Lab:
    """A repository with a folio, and what is done in it."""

    def __init__(self, root: Path, files: dict[str, str] | None = None, *, init: bool = True) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        if init:
            self.git("init", "-q", "-b", "main")
            self.git("config", "user.name", "Ada")
            self.git("config", "user.email", "ada@example.org")
            self.cli("init")
        for name, text in ({"train.py": TRAIN, "wine.csv": WINE} if files is None else files).items():
            self.write(name, text)
        self.commit("code")

    def write(self, name: str, text: str) -> None:
        """Write a file of the work tree."""
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")

    def git(self, *args: str) -> str:
        """Run git, and return what it says."""
        done = subprocess.run(["git", *args], cwd=self.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        """Commit all that differs."""
        self.git("add", "-A")
        if self.git("status", "--porcelain"):
            self.git("commit", "-qm", message)

    def python(
        self, *args: str, cwd: str = "", env: dict[str, str] | None = None, expect: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run Python as a user does, and look at its exit code."""
        done = subprocess.run(
            [sys.executable, *args], cwd=self.root / cwd, env=variables(env), capture_output=True, text=True, check=False
        )
        assert done.returncode == expect, done.stderr
        return done

    def cli(self, *args: str, expect: int = 0, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line, and look at its exit code."""
        command = [sys.executable, "-m", "runfolio", *args]
        done = subprocess.run(command, cwd=self.root, env=variables(env), capture_output=True, text=True, check=False)
        assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
        return done

    def reproduce(self, run: str, *args: str, expect: int = 0, env: dict[str, str] | None = None) -> dict[str, Any]:
        """Make a run again with what is installed here, and return the verdict."""
        chosen = () if "--env-manager" in args else ("--env-manager", "local")
        made = json.loads(self.cli("reproduce", run, *chosen, "--json", *args, expect=expect, env=env).stdout)
        assert isinstance(made, dict)
        return made

    def verify(self, run: str, *args: str, expect: int = 0) -> dict[str, Any]:
        """Look whether a run could be made again."""
        made = json.loads(self.cli("verify", run, "--json", *args, expect=expect).stdout)
        assert isinstance(made, dict)
        return made

    def state(self) -> tuple[str, ...]:
        """Return what a reproduction may not touch: refs but for the branch, index, work tree, runs."""
        refs = "\n".join(line for line in self.git("show-ref").splitlines() if not line.endswith("refs/heads/main"))
        return (
            refs,
            self.git("status", "--porcelain"),
            self.git("ls-files", "-s", "--", ":!reproductions"),
            self.cli("runs", "list", "--json").stdout,
        )


def variables(more: dict[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a user's shell."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RUNFOLIO_", "GIT_"))}
    kept |= {"PYTHONPATH": str(SOURCE), "GIT_CONFIG_GLOBAL": os.devnull, "PYTHONHASHSEED": "random"}
    return {**kept, **(more or {})}
