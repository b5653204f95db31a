"""The report on a pull request of 50 runs, in stores of 10,000 and 100,000 runs; beside DVC comparing two experiments."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.places import AUTHOR, FIRST, clean_environment, fill, folio, make_runs
from runfolio.formats import paths
from runfolio.formats.experiments import encode_experiment
from runfolio.formats.runs import encode_run
from runfolio.gitstore import FileChange, Repo, commit_files
from runfolio.records import Experiment, Objective

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

NEW = 50


def _folio(setting: Setting, count: int) -> Path:
    """Make a folio of so many runs on ``main``, judged by a metric, and a branch ``change`` with 50 more."""
    folder = folio(setting.folder / f"runs-{count}", "process")
    fill(folder, count)
    repo = Repo.discover(folder)
    judged = Experiment("bench", "bench", "bench", FIRST, FIRST, objective=Objective("m0", "max", "p4"))
    changes = [FileChange(paths.experiment_path("bench"), encode_experiment(judged))]
    main = repo.resolve("refs/heads/main")
    assert commit_files(repo, "refs/heads/main", main, changes, "objective\n", AUTHOR)
    subprocess.run(["git", "branch", "change", "main"], cwd=folder, env=clean_environment(), check=True)
    # make_runs(count + NEW) gives the first `count` again under new ids; the last 50 are the branch's.
    runs = list(make_runs(count + NEW))[-NEW:]
    added = [FileChange(paths.run_path("bench", run.run_id, run.start), encode_run(run)) for run in runs]
    assert commit_files(repo, "refs/heads/change", repo.resolve("refs/heads/change"), added, "runs\n", AUTHOR)
    repo.close()
    subprocess.run(["git", "read-tree", "main"], cwd=folder, env=clean_environment(), check=True)
    return folder


def _report(folder: Path) -> float:
    from benchmarks.rows import cpu_of

    return cpu_of([sys.executable, "-m", "runfolio", "review", "main..change", "--markdown", "report.md"], folder)


def review(setting: Setting) -> Iterator[Row]:
    """CPU of a report, our start included, with the index at hand and without one."""
    from benchmarks.rows import Row

    few, many = setting.size(10_000, 500), setting.size(100_000, 2000)
    rounds = setting.size(5, 2)
    folder = _folio(setting, few)
    cold = _report(folder)
    warm = statistics.median(_report(folder) for _ in range(rounds))
    size = len((folder / "report.md").read_text())
    yield Row(f"CPU of a report on {NEW} new runs among {few:,}", "3 s", warm / 3, "≤ 1 ×", f"{warm:.2f} s; {size:,} characters")
    yield Row("the same with no index at hand", "3 s", cold / 3, "≤ 1 ×", f"{cold:.2f} s")
    large = _folio(setting, many)
    first = _report(large)
    later = statistics.median(_report(large) for _ in range(rounds))
    note = f"{later:.2f} s; {first:.1f} s with no index at hand"
    yield Row(f"CPU of a report on {NEW} new runs among {many:,}", f"among {few:,}", later / warm, "about 1", note)
    if not setting.alone:
        what, tenth = f"CPU of a report on {NEW} new runs among {few:,}", few // 10
        pair, listed = _dvc(setting, tenth)
        yield Row(
            what, f"`dvc exp show` among {tenth:,}", listed / warm, "≥ 5 ×", f"theirs {listed:.1f} s, at a tenth of the size"
        )
        yield Row(
            what, f"`dvc exp diff` of two of {tenth:,} experiments", pair / warm, "", f"theirs {pair:.1f} s: two runs, no verdict"
        )


def _dvc(setting: Setting, count: int) -> tuple[float, float]:
    """Return the CPU of comparing two experiments in a DVC repository of so many, and of listing them all, nothing cached.

    The experiments are written as DVC's own refs (one commit each, ``refs/exps/<2>/<38>/<name>``) by ``git fast-import``: made by DVC they
    would take hours. One is made by DVC itself, and the others have its files with other values.
    """
    from benchmarks.rows import cpu_of

    python, folder = peers.python_of("dvc"), setting.new("dvc")
    env = clean_environment(PATH=f"{python.parent}:{clean_environment()['PATH']}")
    run = {"cwd": folder, "env": env, "check": True, "capture_output": True}
    for command in (["git", "init", "-q", "-b", "main"], ["dvc", "init", "-q"]):
        subprocess.run(command, **run)
    (folder / ".gitignore").write_text("report.md\n")
    script = (
        "from dvclive import Live\nwith Live(save_dvc_exp=True, report=None) as live:\n"
        "    [live.log_param(f'p{k}', k) for k in range(5)]\n    [live.log_metric(f'm{k}', k / 7) for k in range(5)]\n    live.next_step()\n"
    )
    (folder / "train.py").write_text(script)
    subprocess.run(["git", "add", "-A"], **run)
    subprocess.run(["git", "commit", "-qm", "start"], **run)
    subprocess.run([str(python), "train.py"], **run)
    _more_experiments(folder, env, count - 1)
    names = subprocess.run(["git", "for-each-ref", "--format=%(refname:lstrip=4)", "refs/exps"], cwd=folder, env=env, capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    command = [str(python.parent / "dvc"), "exp", "diff", names[0], names[-1], "--md"]
    listed = cpu_of([str(python.parent / "dvc"), "exp", "show", "--json"], folder)
    return cpu_of(command, folder), listed


def _more_experiments(folder: Path, env: dict[str, str], count: int) -> None:
    """Write more experiments beside the one that is there: the same files, other params and metrics."""

    def git(*args: str) -> str:
        return subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, text=True, check=True).stdout

    ref = next(line for line in git("for-each-ref", "--format=%(refname)", "refs/exps").split() if line.count("/") == 4)
    base = git("rev-parse", f"{ref}^").strip()
    files = [
        name for name in git("ls-tree", "-r", "--name-only", ref).splitlines() if name.endswith(("metrics.json", "params.yaml"))
    ]
    texts = {name: git("show", f"{ref}:{name}") for name in files}
    pick, out = random.Random(0), []
    message = git("log", "-1", "--format=%B", ref).strip().encode()
    for number in range(count):
        at = f"Bench <bench@example.org> {1_700_000_000 + number} +0000"
        name = ref.rsplit("/", 1)[0] + f"/made-{number:06d}"
        out.append(
            f"commit {name}\nauthor {at}\ncommitter {at}\ndata {len(message)}\n".encode() + message + f"\nfrom {ref}\n".encode()
        )
        for path, text in texts.items():
            data = text.replace("0.14285714285714285", str(pick.random())).encode()
            out.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
    subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=folder, env=env, input=b"".join(out), check=True)
    subprocess.run(["git", "pack-refs", "--all"], cwd=folder, env=env, check=True)
    assert base
