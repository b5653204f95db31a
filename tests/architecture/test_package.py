"""What is installed: the package under test is the wheel's, and it carries what it needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

import runfolio

ROOT = Path(__file__).parents[2]
needs_wheel = pytest.mark.skipif(
    "RUNFOLIO_TEST_INSTALLED" not in os.environ, reason="only where the wheel is installed: bash .ci/test"
)


@needs_wheel
def test_the_tests_see_the_wheel_and_not_the_sources() -> None:
    assert Path(runfolio.__file__).is_relative_to(sysconfig.get_path("purelib"))
    assert str(ROOT / "src") not in sys.path


@needs_wheel
@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "site_templates/README.md",
        "formats/run.schema.json",
        "exports/records.schema.json",
        "review/change.schema.json",
        "review/comparison.schema.json",
        "query/golden.json",
    ],
)
def test_the_wheel_carries_its_data(name: str) -> None:
    assert (Path(runfolio.__file__).parent / name).is_file()


def test_the_version_is_told_the_same_everywhere() -> None:
    assert metadata.version("runfolio") == runfolio.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest and newest[1] == runfolio.__version__


def test_every_promised_name_can_be_had() -> None:
    missing = [name for name in runfolio.__all__ if getattr(runfolio, name, None) is None]
    assert missing == []


def test_console_script_is_installed() -> None:
    script = Path(sys.executable).parent / "runfolio"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert runfolio.__version__ in done.stdout
