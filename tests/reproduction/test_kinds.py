"""Every way in which a run can be started is started again, or is refused in words."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

from tests.reproduction.labs import TRAIN, WINE, Lab

MODULE = """\
import os
import sys

import runfolio
from wine import depth

runfolio.set_experiment("wine")
with runfolio.start_run(run_name="module"):
    runfolio.log_metric("depth", depth.of(sys.argv[1]))
    runfolio.log_metric("hash", hash("a") % 1000)
    runfolio.log_metric("here", len(open("here.txt").read()))
"""


def test_a_module_in_a_sub_folder_runs_where_it_ran_with_its_hash_seed(tmp_path: Path) -> None:
    files = {"ml/wine/__init__.py": "", "ml/wine/depth.py": "of = int\n", "ml/wine/fit.py": MODULE, "ml/here.txt": "here"}
    lab = Lab(tmp_path / "lab", files)
    lab.python("-m", "wine.fit", "3", cwd="ml", env={"PYTHONHASHSEED": "5"})
    made = lab.reproduce("module")
    assert (made["verdict"], made["compared"]) == ("exact", 3)
    assert made["command"] == ["python", "-m", "wine.fit", "3"]


def test_a_folio_in_a_sub_folder_and_one_apart_from_the_code(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    lab.git("rm", "-q", "runfolio.yaml", ".gitattributes")
    lab.commit("no folio here")
    lab.cli("init", "ml")
    lab.commit("but there")
    lab.python("train.py", "4", env={"RUNFOLIO_TRACKING_URI": str(lab.root / "ml")})
    made = json.loads(lab.cli("-C", "ml", "reproduce", "d4-s0", "--env-manager", "local", "--json").stdout)
    assert made["verdict"] == "exact"
    assert (lab.root / "ml" / "reproductions" / made["run_id"]).is_dir()
    apart = Lab(tmp_path / "apart", {"README.md": "runs of others\n"})
    lab.python("train.py", "5", env={"RUNFOLIO_TRACKING_URI": str(apart.root)})
    assert apart.reproduce("d5-s0")["verdict"] == "exact"
    assert lab.git("status", "--porcelain") == ""


def test_records_on_a_ledger_branch(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    lab.cli("migrate", "--to", "runfolio/ledger")
    lab.python("train.py", "4")
    made = lab.reproduce("d4-s0")
    assert made["verdict"] == "exact"
    shown = lab.git("show", "--name-only", "--format=", "runfolio/ledger")
    assert shown == f"reproductions/{made['run_id']}/{made['attempt_id']}.json"
    assert lab.git("status", "--porcelain") == ""


def test_text_after_c_runs_again_and_one_with_a_secret_is_refused(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    lab.python("-c", "import runfolio\nwith runfolio.start_run(run_name='c'):\n    runfolio.log_metric('m', 1)\n")
    assert lab.reproduce("c")["verdict"] == "exact"
    lab.python(
        "-c", "import runfolio\npassword='hunter2'\nwith runfolio.start_run(run_name='s'):\n    runfolio.log_metric('m', 1)\n"
    )
    assert "held a secret" in lab.reproduce("s", expect=22)["reason"]


def test_cells_of_a_notebook_run_as_one_script(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    cells = """
import sys
class Kernel: pass
class Shell:
    kernel = Kernel()
    user_ns = {"In": ["", "x = 4", "import runfolio", "with runfolio.start_run(run_name='nb'):\\n    runfolio.log_metric('x', x)"]}
class IPython:
    @staticmethod
    def get_ipython(): return Shell()
sys.modules["IPython"] = IPython
import runfolio
with runfolio.start_run(run_name='nb'):
    runfolio.log_metric('x', 4)
"""
    lab.python("-c", cells)
    made = lab.reproduce("nb")
    assert made["verdict"] == "exact"
    assert made["command"] == ["python", "cells.py"]
    assert any("the 3 cells" in note for note in made["notes"])


def test_a_program_runs_again(tmp_path: Path) -> None:
    script = (
        f'#!/bin/sh\nset -e\n"{sys.executable}" -m runfolio log param depth "$1"\necho "metric loss 0.$1" >> "$RUNFOLIO_LINES"\n'
    )
    lab = Lab(tmp_path / "lab", {"train.sh": script})
    place = lab.root / "train.sh"
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    lab.commit("executable")
    lab.cli("record", "--experiment", "shell", "--name", "sh", "--", "./train.sh", "5")
    made = lab.reproduce("sh")
    assert (made["verdict"], made["compared"], made.get("params")) == ("exact", 1, None)
    assert made["command"][-2:] == ["train.sh", "5"]


PROJECT = (
    "entry_points: {main: {parameters: {depth: int, seed: {type: int, default: 0}}, command: 'python train.py {depth} {seed}'}}\n"
)


def test_a_project_runs_again_with_its_parameters(tmp_path: Path) -> None:
    script = TRAIN.replace("wine.csv", "../wine.csv")
    lab = Lab(tmp_path / "lab", {"ml/MLproject": PROJECT, "ml/train.py": script, "wine.csv": WINE})
    lab.cli("run", "ml", "-P", "depth=3", "--experiment-name", "wine", "--run-name", "by-project")
    made = lab.reproduce("by-project")
    assert made["verdict"] == "exact"
    assert made["compared"] >= 2
    assert made["command"][-4:] == ["-e", "main", "-P", "depth=3"]


SECRET = TRAIN.replace("int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0", "len(sys.argv[2]), 0")


def test_a_masked_argument_is_asked_for_by_name(tmp_path: Path) -> None:
    lab = Lab(
        tmp_path / "lab",
        {"train.py": SECRET, "wine.csv": WINE},
    )
    lab.python("train.py", "--api-key", "s3cret-key-1")
    run = "d12-s0"
    said = lab.cli("reproduce", run, "--env-manager", "local", expect=2).stderr
    assert "--api-key" in said
    assert "--fill api-key=VALUE" in said
    assert lab.reproduce(run, "--fill", "api-key=s3cret-key-1")["verdict"] == "exact"
    made = lab.reproduce(run, "--fill", "api-key=@KEY", env={"KEY": "s3cret-key-1"})
    assert made["command"][-1] == "***"
    assert "s3cret" not in json.dumps(made)
    assert "no environment variable NOKEY" in lab.cli("reproduce", run, "--fill", "api-key=@NOKEY", expect=2).stderr
    assert "nothing masked" in lab.cli("reproduce", run, "--fill", "api-key=x", "--fill", "other=y", expect=2).stderr
    facts = {fact["what"]: fact for fact in lab.verify(run)["facts"]}
    assert facts["arguments"]["state"] == "unknown"


def test_a_script_that_names_its_folio_itself_writes_to_the_scratch_all_the_same(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    lab.write(
        "train.py", TRAIN.replace("import runfolio\n", f"import runfolio\nrunfolio.set_tracking_uri({str(lab.root)!r})\n", 1)
    )
    lab.commit("absolute")
    lab.python("train.py", "4")
    before = lab.state()
    assert lab.reproduce("d4-s0")["verdict"] == "exact"
    assert lab.state() == before


def test_a_script_that_registers_a_model_leaves_the_registry_alone(tmp_path: Path) -> None:
    more = '    runfolio.register_model(f"runs:/{runfolio.active_run().info.run_id}/model", "wine")\n'
    text = TRAIN + more + "found = runfolio.search_registered_models()\nprint(found)\n"
    lab = Lab(tmp_path / "lab", {"train.py": text, "wine.csv": WINE})
    lab.python("train.py", "4")
    lab.python("train.py", "5")
    before = lab.state()
    made = lab.reproduce("models:/wine/1")
    assert (made["verdict"], made["asked"]) == ("exact", "models:/wine/1")
    assert lab.state() == before


def test_what_is_asked_for_is_found_or_refused(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    lab.python("train.py", "4")
    run_id = json.loads(lab.cli("runs", "list", "--json").stdout)[0]["run_id"]
    assert lab.reproduce(f"runs:/{run_id}/model", "--no-record")["asked"] == f"runs:/{run_id}/model"
    assert "List the runs" in lab.cli("reproduce", "nobody", expect=11).stderr
    assert "not found" in lab.cli("reproduce", "models:/nobody/1", expect=11).stderr
