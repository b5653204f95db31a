"""`runfolio reproduce`: recorded code, arguments and data run again; every metric compared; what differs named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.reproduction.labs import TRAIN, WINE, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path / "lab")
    for seed in ("0", "1", "2"):
        made.python("train.py", "4", seed)
    return made


def test_a_run_is_reproduced_bit_for_bit_and_nothing_but_its_verdict_is_written(lab: Lab) -> None:
    lab.write("notes.txt", "not committed")
    before, head = lab.state(), lab.git("rev-parse", "HEAD")
    made = lab.reproduce("d4-s1")
    assert (made["verdict"], made["compared"], made["exact"], made["exit_code"]) == ("exact", 2, 2, 0)
    assert made["artifacts"] == {"added": 0, "missing": 0, "other": 0, "same": 1}
    assert made["command"] == ["python", "train.py", "4", "1"]
    assert (made["manager"], made["code"]["from"]) == ("local", "recorded")
    assert lab.state() == before
    changed = lab.git("diff", "--name-only", f"{head}..HEAD").splitlines()
    assert changed == [f"reproductions/{made['run_id']}/{made['attempt_id']}.json"]
    assert "verdict is committed" in lab.cli("reproduce", "d4-s1", "--env-manager", "local").stderr
    assert lab.cli("check").returncode == 0


def test_changed_and_uncommitted_code_runs_as_it_was(lab: Lab) -> None:
    lab.write("train.py", TRAIN.replace("1 - 1 / sum", "1 - 2 / sum"))
    lab.python("train.py", "7")
    lab.write("train.py", "raise SystemExit('today it is broken')\n")
    lab.commit("break it")
    assert lab.reproduce("d7-s0")["verdict"] == "exact"


def test_code_is_there_after_a_squash_merge_and_the_branch_is_gone(lab: Lab) -> None:
    lab.git("checkout", "-qb", "work")
    lab.write("train.py", TRAIN.replace("1 - 1 / sum", "1 - 3 / sum"))
    lab.commit("try")
    lab.python("train.py", "9")
    lab.git("checkout", "-q", "main")
    lab.git("merge", "--squash", "-q", "work")
    lab.write("train.py", TRAIN)
    lab.commit("squashed, and the code as before")
    lab.git("branch", "-qD", "work")
    lab.git("reflog", "expire", "--expire=now", "--all")
    lab.git("gc", "-q", "--prune=now")
    made = lab.reproduce("d9-s0")
    assert made["verdict"] == "exact"
    assert any("is gone" in note for note in made["notes"])


def test_a_fresh_clone_fetches_the_code_and_leaves_its_refs_alone(lab: Lab, tmp_path: Path) -> None:
    lab.git("init", "-q", "--bare", "-b", "main", str(tmp_path / "origin.git"))
    lab.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    lab.git("push", "-q", "origin", "main", "refs/runfolio/code")
    lab.git("clone", "-q", str(tmp_path / "origin.git"), str(tmp_path / "clone"))
    clone = Lab(tmp_path / "clone", {}, init=False)
    shutil.copytree(lab.root / ".git/runfolio/objects", clone.root / ".git/runfolio/objects")
    # The tree of committed code is in the clone anyway; what is kept under the ref alone has to be fetched.
    assert clone.reproduce("d4-s0", "--no-record")["verdict"] == "exact"
    lab.write("train.py", TRAIN.replace("1 - 1 / sum", "1 - 5 / sum"))
    lab.python("train.py", "11")
    lab.git("push", "-q", "origin", "main", "refs/runfolio/code")
    clone.git("pull", "-q")
    refs = clone.git("show-ref")
    assert clone.reproduce("d11-s0", "--no-record")["verdict"] == "exact"
    assert clone.git("show-ref") == refs


def test_one_changed_line_of_code_is_named(lab: Lab) -> None:
    lab.write("train.py", TRAIN.replace("1 - 1 / sum", "1 - 1.1 / sum"))
    made = lab.reproduce("d4-s1", "--code", "here", expect=1)
    assert made["verdict"] == "differs"
    assert made["changed_code"] == {"train.py": "+1 -1, line 13"}
    assert made["metrics"]["accuracy"]["outcome"] == "differs"
    assert "loss" not in made["metrics"]
    seen = lab.verify("d4-s1", "--here", expect=1)
    assert seen["changed"]["code"] == {"train.py": "+1 -1, line 13"}
    assert (seen["changed"]["packages"], seen["changed"]["data"]) == ({}, {})
    lab.commit("changed")
    assert lab.reproduce("d4-s1", "--code", "main", expect=1)["changed_code"] == {"train.py": "+1 -1, line 13"}
    assert lab.reproduce("d4-s1", "--code", "HEAD~3", "--no-record")["verdict"] == "exact"
    assert "no revision" in lab.cli("reproduce", "d4-s1", "--code", "nowhere", expect=11).stderr


def test_one_changed_row_of_data_is_named(lab: Lab) -> None:
    lab.write("wine.csv", WINE.replace("2.5", "2.6"))
    made = lab.reproduce("d4-s1", "--code", "here", expect=1)
    assert made["changed_code"] == {"wine.csv": "+1 -1, line 3"}
    assert set(made["metrics"]) == {"accuracy", "loss"}
    assert lab.verify("d4-s1", "--here", expect=1)["changed"]["code"] == {"wine.csv": "+1 -1, line 3"}


def test_a_deviation_inside_the_tolerance_and_inside_the_spread(lab: Lab) -> None:
    lab.write("train.py", TRAIN.replace("+ seed / 100)", "+ seed / 100 + 1e-12)"))
    made = lab.reproduce("d4-s1", "--code", "here")
    assert (made["verdict"], made["tolerance"]) == ("within_tolerance", 1e-9)
    assert made["metrics"]["accuracy"]["relative"] == pytest.approx(1e-12, rel=0.2)
    assert lab.reproduce("d4-s1", "--code", "here", "--tolerance", "0")["verdict"] == "within_spread"
    lab.write("train.py", TRAIN.replace("+ seed / 100)", "+ seed / 100 + 0.002)"))
    made = lab.reproduce("d4-s1", "--code", "here")
    assert (made["verdict"], made["replicates"]) == ("within_spread", 3)
    assert lab.cli("reproduce", "d4-s1", "--code", "here", "--env-manager", "local").stdout.startswith(
        "within the spread of 3 replicates"
    )
    assert lab.reproduce("d4-s1", "--code", "here", "--tolerance", "0.01")["verdict"] == "within_tolerance"
    settings = (lab.root / "runfolio.yaml").read_text() + "reproduce:\n  tolerance: 1e-2\n  ignore: [accuracy]\n"
    lab.write("runfolio.yaml", settings)
    made = lab.reproduce("d4-s1", "--code", "here")
    assert (made["verdict"], made["tolerance"], made["ignored"], made["compared"]) == ("exact", 0.01, ["accuracy"], 1)


def test_a_run_of_another_program_or_of_other_code_is_no_replicate(tmp_path: Path) -> None:
    draw = "import random\nimport runfolio\nwith runfolio.start_run(run_name=NAME):\n    runfolio.log_metric('x', VALUE)\n"
    kept = Lab(tmp_path / "lab", {"a.py": draw.replace("NAME", "'a'").replace("VALUE", "random.random()")})
    kept.write("b.py", draw.replace("NAME", "'b'").replace("VALUE", "-1.0"))
    kept.python("b.py")
    kept.python("b.py")
    kept.python("a.py")
    kept.write("c.py", draw.replace("NAME", "'c'").replace("VALUE", "2.0"))
    kept.python("c.py")
    made = kept.reproduce("a", expect=1)
    assert (made["verdict"], made["replicates"]) == ("differs", 1)
    kept.write("a.py", draw.replace("NAME", "'older'").replace("VALUE", "7.0"))
    kept.python("a.py")
    kept.python("a.py")
    assert kept.reproduce("a", expect=1)["replicates"] == 1


def test_output_that_a_program_leaves_beside_its_code_makes_its_runs_no_other_code(tmp_path: Path) -> None:
    text = "import runfolio\nwith runfolio.start_run() as run:\n    runfolio.log_metric('x', 1)\n"
    kept = Lab(tmp_path / "lab", {"a.py": text + "open(f'{run.info.run_id}.txt', 'w').write('made')\n"})
    for _ in range(3):
        kept.python("a.py")
    runs = json.loads(kept.cli("runs", "list", "--json").stdout)
    assert kept.reproduce(runs[0]["run_id"])["replicates"] == 3


def test_a_history_that_deviates_in_the_middle_is_seen(lab: Lab) -> None:
    lab.write("train.py", TRAIN.replace("+ seed / 1000,", "+ seed / 1000 + (step == 2) / 10,"))
    made = lab.reproduce("d4-s0", "--code", "here", expect=1)
    assert made["metrics"]["loss"]["step"] == 2
    lab.write("train.py", TRAIN.replace("range(5)", "range(4)"))
    assert lab.reproduce("d4-s0", "--code", "here", expect=1)["metrics"]["loss"]["outcome"] == "differs"
    lab.write("train.py", TRAIN.replace('log_metric("accuracy"', 'log_metric("acc"'))
    made = lab.reproduce("d4-s0", "--code", "here", expect=1)
    assert set(made["metrics"]) == {"acc", "accuracy"}
    assert "accuracy is missing" in lab.cli("reproduce", "d4-s0", "--code", "here", "--env-manager", "local", expect=1).stdout


SWEEP = """\
import runfolio

runfolio.set_experiment("sweep")
with runfolio.start_run(run_name="all"):
    runfolio.log_metric("children", 4)
    for lr in (0.1, 0.1, 0.2, 0.3):
        with runfolio.start_run(run_name="trial", nested=True) as run:
            runfolio.log_param("lr", lr)
            runfolio.log_metric("score", lr * 10 + len(SEEN))
            SEEN.append(lr)
"""


def test_a_child_of_a_sweep_is_found_by_its_params_and_its_position(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab", {"sweep.py": "SEEN = []\n" + SWEEP})
    lab.python("sweep.py")
    found = json.loads(lab.cli("runs", "search", "metrics.score > 0", "--order-by", "metrics.score ASC", "--json").stdout)
    assert len(found) == 4
    for item in found:
        made = lab.reproduce(item["run_id"], "--no-record")
        assert (made["verdict"], made["compared"]) == ("exact", 1)
    assert lab.reproduce("all", "--no-record")["verdict"] == "exact"


def test_a_run_that_logged_no_metric_is_not_called_reproduced(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab", {"train.py": "import runfolio\nrunfolio.start_run(run_name='empty')\n"})
    lab.python("train.py")
    made = lab.reproduce("empty", expect=22)
    assert (made["verdict"], made["reason"]) == (
        "could_not_run",
        "it ran, and there is no metric to compare: the original logged none",
    )


def test_a_model_file_whose_original_is_not_here_is_said_to_be_compared_by_its_digest_alone(tmp_path: Path) -> None:
    text = (
        "import runfolio\nwith runfolio.start_run(run_name='m') as run:\n    runfolio.log_metric('x', 1)\n"
        "    runfolio.log_text(f'run_id: {run.info.run_id}\\nflavor: none\\n', 'model/MLmodel')\n"
    )
    kept = Lab(tmp_path / "lab", {"m.py": text})
    kept.python("m.py")
    assert "✓ artifacts: 1 file is there, of the right size\n" in kept.cli("verify", "m").stdout
    made = kept.reproduce("m")
    assert (made["artifacts"]["same"], made["artifacts"]["other"], made.get("notes", [])) == (1, 0, [])
    shutil.rmtree(kept.root / ".git/runfolio/objects/sha256")
    said = kept.cli("verify", "m", expect=1).stdout
    assert "✗ artifacts: 1 of 1 files are not in the object store: model/MLmodel\n" in said
    assert "runfolio artifacts mirror --from" in said
    made = kept.reproduce("m")
    assert made["artifacts"]["other"] == 1
    assert made["notes"] == [
        "the original of model/MLmodel is not here, so that only its digest was compared: it names run and time"
    ]
