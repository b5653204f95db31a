"""The environment of a run: made of its own list, compared package by package, each package that cannot be had named."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runfolio.environments import Environment, Wanted, make_environment
from runfolio.environments.cache import cache_folder
from runfolio.reproduction.surroundings import changed_packages
from tests.environments.conftest import offline, wheels  # noqa: F401  # fixtures: an index of two tiny packages
from tests.reproduction.labs import Lab, variables

QUICK = "uv" if shutil.which("uv") else "virtualenv"
TRAIN = """\
import runfolio
import tiny

runfolio.set_experiment("wine")
with runfolio.start_run(run_name="tiny"):
    runfolio.log_metric("version", float(tiny.version))
"""


def within(made: Environment, lab: Lab, *args: str, expect: int = 0) -> str:
    env = made.variables(variables())
    done = subprocess.run([str(made.python), *args], cwd=lab.root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture
def lab(tmp_path: Path, offline: Path) -> Lab:  # noqa: F811
    made = Lab(tmp_path / "lab", {"train.py": TRAIN})
    within(make_environment(Wanted(("tiny==1.0",)), QUICK), made, "train.py")
    return made


def again(made: Environment, lab: Lab, *args: str, expect: int = 0) -> dict[str, Any]:
    found = json.loads(within(made, lab, "-m", "runfolio", "reproduce", "tiny", "--json", *args, expect=expect))
    assert isinstance(found, dict)
    return found


def test_the_environment_is_made_of_the_runs_own_list_and_found_the_second_time(lab: Lab) -> None:
    first = lab.reproduce("tiny", "--env-manager", QUICK)
    assert (first["verdict"], first["manager"], first.get("packages")) == ("exact", QUICK, None)
    kept = {item.name for item in cache_folder().iterdir()}
    said = lab.cli("reproduce", "tiny", "--env-manager", QUICK)
    assert "making an environment" not in said.stderr
    assert {item.name for item in cache_folder().iterdir()} == kept


def test_one_changed_package_is_named_by_reproduce_and_by_verify(lab: Lab) -> None:
    other = make_environment(Wanted(("tiny==2.0",)), QUICK)
    made = again(other, lab, "--env-manager", "local", expect=1)
    assert made["packages"] == {"tiny": ["1.0", "2.0"]}
    assert made["metrics"]["version"]["outcome"] == "differs"
    seen = json.loads(within(other, lab, "-m", "runfolio", "verify", "tiny", "--here", "--json", expect=1))
    assert seen["changed"]["packages"] == {"tiny": ["1.0", "2.0"]}
    assert (seen["changed"]["code"], seen["changed"]["data"]) == ({}, {})
    assert "package tiny 1.0 → 2.0" in within(other, lab, "-m", "runfolio", "verify", "tiny", "--here", expect=1)
    # Where just what the run had is installed, it is taken without being asked for.
    assert again(make_environment(Wanted(("tiny==1.0",)), QUICK), lab)["manager"] == "local"


def test_a_package_that_cannot_be_had_is_named(lab: Lab, wheels: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # noqa: F811
    fewer = tmp_path / "fewer"
    shutil.copytree(wheels, fewer, ignore=shutil.ignore_patterns("tiny-1.0*"))
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, str(fewer))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    made = lab.reproduce("tiny", "--env-manager", QUICK, expect=22)
    assert made["verdict"] == "could_not_run"
    assert "tiny==1.0" in made["reason"]


def test_every_package_of_the_list_is_asked_for(lab: Lab, wheels: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # noqa: F811
    facts = [fact for fact in lab.verify("tiny", "--packages")["facts"] if fact["what"] == "packages"]
    assert [fact["state"] for fact in facts] == ["ok"]
    fewer = tmp_path / "fewer"
    shutil.copytree(wheels, fewer, ignore=shutil.ignore_patterns("tiny-1.0*"))
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, str(fewer))
    facts = [fact for fact in lab.verify("tiny", "--packages", expect=1)["facts"] if fact["what"] == "packages"]
    assert [fact["text"].partition(":")[0] for fact in facts] == ["tiny==1.0"]


def test_a_project_that_was_installed_from_its_folder_runs_by_its_recorded_code(tmp_path: Path, offline: Path) -> None:  # noqa: F811
    files = {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n\n[project]\nname = "Wine_Tools"\nversion = "0.1"\n',
        "src/wine_tools/__init__.py": "depth = 7\n",
        "train.py": "import runfolio, wine_tools\nwith runfolio.start_run(run_name='own'):\n    runfolio.log_metric('depth', wine_tools.depth)\n",
    }
    lab = Lab(tmp_path / "lab", files)
    base = make_environment(Wanted(("tiny==1.0",)), QUICK)
    [packages] = (base.python.parent.parent / "lib").glob("python*/site-packages")
    info = packages / "wine_tools-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wine-tools\nVersion: 0.1\n")
    (info / "direct_url.json").write_text(json.dumps({"url": lab.root.as_uri(), "dir_info": {"editable": True}}))
    (packages / "wine_tools.pth").write_text(f"{lab.root / 'src'}\n")
    within(base, lab, "train.py")
    lab.write("src/wine_tools/__init__.py", "depth = 8\n")
    made = lab.reproduce("own", "--env-manager", QUICK)
    assert made["verdict"] == "exact"
    assert any("wine-tools was installed from a folder" in note for note in made["notes"])


def test_installers_count_only_where_both_lists_have_them() -> None:
    old = "numpy==1.26.4\npip==23.0\nrunfolio==0.1  # editable install\n"
    assert changed_packages(old, "numpy==2.0.1\nsetuptools==70\n") == {"numpy": ("1.26.4", "2.0.1")}
    assert changed_packages(old, "numpy==1.26.4\npip==24.0\nnew==1\n") == {"new": ("", "1"), "pip": ("23.0", "24.0")}
