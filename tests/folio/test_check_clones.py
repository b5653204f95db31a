"""In a clone whose object store is its own, ``check`` tells what is lost from what others logged in theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import git

LOG = """
import runfolio
with runfolio.start_run(run_name="of Ada"):
    runfolio.log_text("hello", "notes.txt")
"""


def check(folder: Path) -> tuple[int, list[dict[str, str]]]:
    command = [sys.executable, "-m", "runfolio", "check", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, [item for item in json.loads(done.stdout) if item["rule"].startswith("object.")]


def test_what_others_logged_is_not_lost(folio_dir: Path, tmp_path: Path) -> None:
    git(folio_dir, "config", "user.name", "Ada")
    (folio_dir / "train.py").write_text(LOG)
    git(folio_dir, "add", "train.py")
    git(folio_dir, "commit", "-qm", "train")
    subprocess.run([sys.executable, "train.py"], cwd=folio_dir, check=True)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(folio_dir), str(clone))
    git(clone, "config", "user.name", "Grace")
    code, told = check(clone)
    assert (code, [(item["rule"], item["severity"]) for item in told]) == (0, [("object.elsewhere", "warning")])
    assert "1 of the objects that records of Ada name is not here" in told[0]["message"]
    git(clone, "config", "user.name", "Ada")
    code, told = check(clone)
    assert (code, [(item["rule"], item["severity"]) for item in told]) == (1, [("object.missing", "error")])
    git(clone, "config", "user.name", "Grace")
    with (clone / "runfolio.yaml").open("a") as settings:
        settings.write(f"artifacts: {tmp_path / 'shared'}\n")  # a place that all share: nobody's objects may be missing there
    text = (clone / "runfolio.yaml").read_text().replace("artifacts: null\n", "")
    (clone / "runfolio.yaml").write_text(text)
    git(clone, "commit", "-qam", "share a store")
    code, told = check(clone)
    assert (code, [(item["rule"], item["severity"]) for item in told]) == (1, [("object.missing", "error")])
