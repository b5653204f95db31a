"""Provenance as real processes see it: scripts, modules, cells, in and out of repositories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runfolio.gitstore.repo import Repo
from runfolio.gitstore.snapshots import has_tree
from runfolio.records.redaction import Redactor
from runfolio.records.settings import CaptureSettings
from runfolio.tracking import provenance
from runfolio.tracking.entrypoint import entry_point
from runfolio.tracking.provenance import Provenance, capture, current
from runfolio.tracking.source import record_rules
from tests.gitstore.test_codestate import git, write
from tests.gitstore.test_snapshots import new_repo, place_of

SOURCE = Path(provenance.__file__).parents[2]
PROBE = """
import json, sys
from dataclasses import asdict
from runfolio.records.settings import CaptureSettings
from runfolio.gitstore.repo import Repo
from runfolio.records.redaction import Redactor
from runfolio.tracking.provenance import current
folio = Repo.discover(sys.argv.pop(1))
made = current(folio, "", CaptureSettings(), Redactor(home=sys.argv.pop(1)))
print(json.dumps(asdict(made)))
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repo]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for name in ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"):
        monkeypatch.delenv(name, raising=False)
    found = new_repo(tmp_path / "code")
    git(place_of(found), "config", "user.name", "Ada L")
    write(place_of(found), "train.py", PROBE)
    write(place_of(found), "pkg/__init__.py", "")
    write(place_of(found), "pkg/fit.py", PROBE)
    git(place_of(found), "add", ".")
    git(place_of(found), "commit", "-qm", "code")
    yield found
    found.close()


def run_python(folder: Path, *args: str, stdin: str | None = None) -> dict[str, Any]:
    env = {**os.environ, "PYTHONPATH": f"{SOURCE}{os.pathsep}{Path(__file__).parents[2]}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *args], cwd=folder, env=env, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert isinstance(made, dict)
    return made


def test_script_names_commit_tree_entry_and_environment(repo: Repo) -> None:
    place = place_of(repo)
    made = run_python(place, "train.py", str(place), "/home/ada", "--lr", "0.1", "--api-key", "s3cret1", "/home/ada/x.csv")
    tree = git(place, "rev-parse", "HEAD^{tree}")
    assert made["code"] == {
        "commit": git(place, "rev-parse", "HEAD"),
        "branch": "main",
        "dirty": False,
        "tree": tree,
        "repository": "here",
    }
    assert made["entry"] == {"script": "train.py", "type": "LOCAL", "args": ["--lr", "0.1", "--api-key", "***", "~/x.csv"]}
    assert made["environment"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert made["environment"]["platform"].startswith(sys.platform)
    assert len(made["environment"]["lock"]) == 16
    assert "pytest==" in made["lock_text"]
    assert made["user"] == "Ada L"
    assert made["notices"] == ["home folder paths were shortened to ~", "the value of --api-key was replaced by ***"]
    assert has_tree(repo, tree)
    assert "s3cret1" not in json.dumps(made)


def test_script_in_a_sub_folder_is_named_from_the_root(repo: Repo) -> None:
    place = place_of(repo)
    assert run_python(place / "pkg", "fit.py", str(place), "")["entry"]["script"] == "pkg/fit.py"


def test_module_is_named_by_its_file(repo: Repo) -> None:
    place = place_of(repo)
    assert run_python(place, "-m", "pkg.fit", str(place), "", "x")["entry"] == {
        "script": "pkg/fit.py",
        "type": "LOCAL",
        "module": "pkg.fit",
        "args": ["x"],
    }


def test_what_else_is_needed_to_start_it_again_is_told(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_of(repo)
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    assert run_python(place / "pkg", "fit.py", str(place), "")["entry"] == {
        "script": "pkg/fit.py",
        "type": "LOCAL",
        "cwd": "pkg",
        "hash_seed": "7",
    }
    outside = run_python(place.parent, str(place / "train.py"), str(place), "")["entry"]
    assert (outside["script"], outside["cwd"]) == ("train.py", "..")


def test_command_text_is_kept_and_redacted(repo: Repo) -> None:
    place = place_of(repo)
    made = run_python(place, "-c", PROBE + "password='hunter2'\n", str(place), "")
    assert made["entry"]["script"] == "-c"
    cells = git(place, "show", f"{made['code']['cells']}:cells.py")
    assert "folio = Repo.discover" in cells
    assert "hunter2" not in cells
    assert has_tree(repo, made["code"]["cells"])


def test_code_from_standard_input_has_a_name(repo: Repo) -> None:
    place = place_of(repo)
    assert run_python(place, "-", str(place), "", stdin=PROBE)["entry"]["script"] == "<stdin>"


def test_changed_code_is_kept_as_it_ran(repo: Repo) -> None:
    place = place_of(repo)
    write(place, "train.py", PROBE + "# changed\n")
    write(place, ".env", "KEY=1")
    made = run_python(place, "train.py", str(place), "")
    assert made["code"]["dirty"] is True
    assert git(place, "show", f"{made['code']['tree']}:train.py").endswith("# changed")
    assert made["code"]["left_out"] == [{"path": ".env", "size": 5, "reason": "its name is that of a secret"}]
    assert made["notices"] == ["not in the kept code: .env (its name is that of a secret)"]


def test_script_in_no_repository_is_kept_by_itself(repo: Repo, tmp_path: Path) -> None:
    file = write(tmp_path, "loose/fit.py", PROBE)
    made = run_python(tmp_path / "loose", "fit.py", str(place_of(repo)), "")
    assert made["code"]["repository"] == "none"
    assert made["entry"]["script"] == "fit.py"
    assert git(place_of(repo), "show", f"{made['code']['tree']}:fit.py") == file.read_text().strip("\n")
    assert made["user"] == "Ada L"


def test_code_of_another_repository_is_carried_over(repo: Repo, tmp_path: Path) -> None:
    folio = new_repo(tmp_path / "folio")
    place = place_of(repo)
    git(place, "remote", "add", "origin", "https://ada:t0ken@git.example.org/lab/wine.git")
    made = run_python(place, "train.py", str(place_of(folio)), "")
    assert made["code"]["repository"] == "other"
    assert made["code"]["remote"] == "https://git.example.org/lab/wine.git"
    assert has_tree(folio, made["code"]["tree"])
    assert "t0ken" not in json.dumps(made)
    folio.close()


def test_run_commits_do_not_change_the_code(repo: Repo) -> None:
    place = place_of(repo)
    before = run_python(place, "train.py", str(place), "")
    write(place, "runs/wine/2026-11/23/0192f0c4d7a27c3e8f0a1b2c3d4e5f60.json", "{}\n")
    write(place, "environments/0123456789abcdef.txt", "a==1\n")
    write(place, "experiments/wine.yaml", "name: wine\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "a run")
    after = run_python(place, "train.py", str(place), "")
    assert after["code"]["tree"] == before["code"]["tree"]
    assert after["code"]["commit"] != before["code"]["commit"]
    assert after["code"]["dirty"] is False


def test_code_folder_called_models_stays_code() -> None:
    assert all(list(rule[:2]) == ["sub", "dir"] for rule in record_rules("sub/dir/"))
    assert not any(rule[0].fullmatch("models") and len(rule) == 1 for rule in record_rules(""))


@pytest.mark.parametrize("name", ["GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"])
def test_branch_of_a_ci_job_comes_from_its_environment(repo: Repo, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    place = place_of(repo)
    git(place, "checkout", "-q", "--detach")
    assert "branch" not in run_python(place, "train.py", str(place), "")["code"]
    monkeypatch.setenv(name, "topic/x")
    assert run_python(place, "train.py", str(place), "")["code"]["branch"] == "topic/x"


def given_program(repo: Repo, settings: CaptureSettings, **more: object) -> Provenance:
    entry = {"script": str(place_of(repo) / "train.py"), "type": "PROGRAM", "args": ["--token=abc1234"], **more}
    return capture(repo, "", settings, Redactor(), entry)


def test_program_of_somebody_else_is_described_as_told(repo: Repo) -> None:
    made = given_program(repo, CaptureSettings())
    assert made.entry == {"script": "train.py", "type": "PROGRAM", "cwd": "..", "args": ["--token=***"]}
    assert made.code["repository"] == "here"


def test_settings_switch_each_part_off(repo: Repo) -> None:
    nothing = CaptureSettings(code=False, arguments=False, packages=False, platform=False, user=False, notebook=False)
    made = given_program(repo, nothing)
    assert made.code == {}
    assert made.user == ""
    assert made.lock_text == ""
    assert made.entry == {"script": "train.py", "type": "PROGRAM"}
    assert set(made.environment) == {"python", "implementation"}
    assert given_program(repo, replace(nothing, user=True)).user == "Ada L"
    assert given_program(repo, replace(nothing, host=True)).environment["host"]


def test_damaged_repository_becomes_a_notice(repo: Repo) -> None:
    (place_of(repo) / ".git/index").write_bytes(b"garbage")
    made = given_program(repo, CaptureSettings())
    assert made.entry["type"] == "PROGRAM"
    assert [notice for notice in made.notices if notice.startswith("the code could not be captured: git status failed")]


def test_no_folio_at_hand_is_said_and_names_no_tree(repo: Repo) -> None:
    made = capture(None, "", CaptureSettings(), Redactor(), {"script": str(place_of(repo) / "train.py")})
    assert made.code["commit"]
    assert "tree" not in made.code
    assert made.notices == ("the exact code is not kept: no folio is at hand here",)


def test_names_that_are_not_utf8_are_spelled_out(repo: Repo) -> None:
    made = given_program(repo, CaptureSettings(), args=["caf\udce9", "x" * 10])
    assert made.entry["args"] == ["caf\\udce9", "x" * 10]
    json.dumps(made.entry).encode("utf-8")


def test_very_many_arguments_are_counted(repo: Repo) -> None:
    args = given_program(repo, CaptureSettings(), args=[str(number) for number in range(300)]).entry["args"]
    assert len(args) == 201
    assert args[-1] == "… and 100 more"


def test_script_is_captured_once_a_process_also_by_threads(repo: Repo) -> None:
    made: list[Provenance] = []
    threads = [threading.Thread(target=lambda: made.append(current(repo, "", CaptureSettings(), Redactor()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert all(item is made[0] for item in made)
    assert current(repo, "", CaptureSettings(host=True), Redactor()) is not made[0]


def test_a_test_run_is_named_pytest(tmp_path: Path) -> None:
    # In a process of its own: a worker of pytest-xdist was started with -c.
    (tmp_path / "test_entry.py").write_text(
        "from runfolio.tracking.entrypoint import entry_point\n"
        "def test_entry():\n"
        "    entry = entry_point()\n"
        "    assert (entry.name, entry.file, entry.interactive) == ('pytest', None, False)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "test_entry.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


class _Shell:
    """What IPython's shell shows of itself: names and cells."""

    def __init__(self, kernel: object, cells: list[str], **names: str) -> None:
        self.kernel = kernel
        self.user_ns = {"In": ["", *cells], **names}


class _IPython:
    def __init__(self, shell: _Shell) -> None:
        self.shell = shell

    def get_ipython(self) -> _Shell:
        return self.shell


def test_notebook_is_captured_afresh_with_its_cells(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_of(repo)
    monkeypatch.chdir(place)
    shell = _Shell(object(), ["import x", "token = 'abc1234'"], __vsc_ipynb_file__=str(write(place, "nb/try.ipynb", "{}")))
    monkeypatch.setitem(sys.modules, "IPython", _IPython(shell))
    first = current(repo, "", CaptureSettings(), Redactor())
    assert first.entry == {"script": "nb/try.ipynb", "type": "NOTEBOOK"}
    assert git(place, "show", f"{first.code['cells']}:cells.py") == "# In [1]\nimport x\n\n# In [2]\ntoken = '***'"
    shell.user_ns["In"] = ["", "import y"]
    second = current(repo, "", CaptureSettings(), Redactor())
    assert second.code["cells"] != first.code["cells"]
    assert "cells" not in current(repo, "", CaptureSettings(notebook=False), Redactor()).code


def test_a_shell_that_a_script_opens_is_captured_as_one(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place_of(repo))
    settings = CaptureSettings(packages=False)
    script = current(repo, "", settings, Redactor())
    assert current(repo, "", settings, Redactor()) is script
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "IPython", _IPython(_Shell(None, ["import x"])))
        assert current(repo, "", settings, Redactor()).entry["script"] == "ipython"
    with monkeypatch.context() as patch:
        patch.setattr(sys, "ps1", ">>> ", raising=False)  # python -i: what is typed is not the script
        assert current(repo, "", settings, Redactor()) is script
        patch.setattr(sys, "argv", [""])
        patch.setitem(sys.modules, "__main__", type(sys)("__main__"))
        assert current(repo, "", settings, Redactor()).entry["script"] == "<stdin>"


def test_interactive_session_without_kernel_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", _IPython(_Shell(None, ["1"])))
    entry = entry_point()
    assert (entry.name, entry.kind, entry.interactive) == ("ipython", "LOCAL", True)
