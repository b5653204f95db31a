"""What the whole package is for: a clone of the demonstration proves its Production model in an environment made of nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.environments import EnvironmentFailedError, Wanted, make_environment
from tests.reproduction.labs import SOURCE

LAB = ("scikit-learn", "matplotlib", "pandas", "jinja2", "markupsafe")


@pytest.mark.slow
def test_the_production_model_is_reproduced_from_a_fresh_clone_in_an_empty_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    try:
        lab = make_environment(Wanted(LAB), "virtualenv")
    except EnvironmentFailedError as error:
        pytest.skip(f"NOT TESTED: no package index here: {error.message[:300]}")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("RUNFOLIO_", "GIT_"))}
    env |= {"PYTHONPATH": str(SOURCE), "GIT_CONFIG_GLOBAL": os.devnull}

    def run(folder: Path, *command: str | Path) -> str:
        done = subprocess.run(list(map(str, command)), cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout[-1500:], done.stderr[-3000:])
        return done.stdout

    make = "from pathlib import Path; from runfolio.demo.making import make; make(Path('demo'), lambda script, done: None)"
    run(tmp_path, lab.python, "-c", make)
    run(tmp_path, "git", "clone", "-q", "demo", "clone")
    clone = tmp_path / "clone"
    # The demonstration names no store, so that its objects lie in the git folder of the clone that made them.
    run(clone, sys.executable, "-m", "runfolio", "artifacts", "mirror", "--from", tmp_path / "demo/.git/runfolio/objects")
    assert (
        run(clone, sys.executable, "-m", "runfolio", "verify", "models:/wine-cultivar/Production", "--read-data").count("✓") == 4
    )

    uri = "models:/wine-cultivar/Production"
    made = json.loads(run(clone, sys.executable, "-m", "runfolio", "reproduce", uri, "--env-manager", "virtualenv", "--json"))
    assert (made["verdict"], made["manager"], made["asked"]) == ("exact", "virtualenv", uri)
    assert (made["compared"], made["exact"]) == (3, 3)
    assert made["artifacts"]["other"] + made["artifacts"]["missing"] == 0
    assert "packages" not in made
    made_now = list((tmp_path / "cache/runfolio/environments").glob("*/environment.json"))
    assert len(made_now) == 2  # the lab's, and the one that was made of the run's list

    run(clone, sys.executable, "-m", "runfolio", "site", "build")
    said = (clone / "site" / "m" / "wine-cultivar" / "2" / "index.html").read_text("utf-8")
    assert "reproduced, bit for bit" in said
    assert "1 of 1 Production" in (clone / "site" / "index.html").read_text("utf-8")
