"""The gates: linter, formatter-free style, types, floors, workflows, docs. Each is the very command a developer runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def run_tool(*command: str) -> None:
    """Run a tool of the test environment at the project's root; skip, loudly, where it is not installed."""
    tool = shutil.which(command[0], path=BIN)
    if tool is None:
        pytest.skip(f"{command[0]} is not installed: pip install 'runfolio[lint,docs]'")
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def test_ruff_finds_nothing() -> None:
    run_tool("ruff", "check", "--no-cache", "src", "tests", "docs", "benchmarks", "examples")


@pytest.mark.slow
def test_types_hold(tmp_path: Path) -> None:
    run_tool("mypy", "--cache-dir", str(tmp_path))


def test_rooms_import_lower_floors_only() -> None:
    run_tool("lint-imports", "--no-cache")


def test_workflows_are_well_formed() -> None:
    run_tool("actionlint", *map(str, sorted((ROOT / ".github" / "workflows").glob("*.yml"))))


def test_workflows_are_safe() -> None:
    run_tool("zizmor", "--offline", "--no-progress", str(ROOT / ".github"))


@pytest.mark.slow
def test_docs_build_without_a_warning(tmp_path: Path) -> None:
    run_tool(
        "sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees"), "docs", str(tmp_path / "html")
    )
    assert (tmp_path / "html" / "index.html").is_file()
