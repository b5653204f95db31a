"""Make the n-th system call of a real process fail, for every n that touches the folio: nothing acknowledged may be lost.

``strace -e inject`` makes one call of a process return an error, as a full or failing disk does. A plain run under strace lists the calls
that reach into the folder (sites); then each site fails once, in a fresh copy of the folder: a call of the process itself, or one of every
git that it starts. ``python -m tests.faults.disk`` goes through all sites of all scenes and prints what was found; the tests take a
sample.

After each fault: no traceback, a documented exit code, and after ``runfolio recover`` everything that was acknowledged is committed, once,
no lock is left, ``git fsck --strict`` is clean, and the user's staged, changed and untracked files are as they were.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runfolio.folio import open_folio
from tests.faults.acknowledged import check, commits_adding, promised, records
from tests.faults.repositories import COMMAND, environment, fsck, leave_work, locks, make_folio, python, runfolio, work_of

EXIT_CODES = {0, 1, 2, *range(10, 21)}
"""Of ``runfolio.errors``, without the one that says we have a bug."""

ERRORS = {
    "write": ("ENOSPC", "EIO"),
    "pwrite64": ("ENOSPC",),
    "fsync": ("EIO", "ENOSPC"),
    "fdatasync": ("EIO",),
    "ftruncate": ("EIO",),
    "mkdir": ("ENOSPC", "EACCES"),
    "openat": ("ENOSPC", "EACCES", "EIO"),
    "rename": ("ENOSPC", "EACCES", "EIO"),
    "link": ("ENOSPC", "EACCES", "EMLINK"),
    "unlink": ("EIO", "EACCES"),
}
"""The system calls that are made to fail, and how."""

LOGGING = """
import json, os, runfolio

def say(*parts):
    os.writev(1, [(json.dumps(parts) + "\\n").encode()])

def attempt(call, *said):
    try:
        call()
    except runfolio.RunfolioError as error:
        assert error.exit_code in range(10, 21), error
    else:
        if said:
            say(*said)

for number in range(2):
    try:
        run_id = runfolio.start_run(run_name=f"run {number}").info.run_id
    except runfolio.RunfolioError as error:
        assert error.exit_code in range(10, 21), error
        continue
    say("start", run_id)
    attempt(lambda: runfolio.log_param("kind", "tree"), "p", run_id, "kind", "tree")
    for step in range(3):
        attempt(lambda: runfolio.log_metric("loss", step, step=step), "m", run_id, "loss", float(step), step)
    attempt(lambda: runfolio.log_text(f"hello {number}", "notes/a.txt"), "a", run_id, "notes/a.txt", f"hello {number}")
    attempt(lambda: runfolio.set_tag("team", "blue"), "t", run_id, "team", "blue")
    attempt(runfolio.end_run, "end", run_id, "FINISHED")
"""
"""A script as a user writes one, but that it goes on after an error and says what was acknowledged (by a call that does not fail)."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A process that faults are put into.

    Parameters
    ----------
    name : str
    command : tuple of str
    waiting : bool, optional
        Finished runs wait in the folio when it starts.
    committed : bool, optional
        Finished runs are committed when it starts.
    """

    name: str
    command: tuple[str, ...]
    waiting: bool = False
    committed: bool = False


SCENES = (
    Scene("script", (sys.executable, "-c", LOGGING)),
    Scene("commit", (*COMMAND, "commit"), waiting=True),
    Scene("record", (*COMMAND, "record", "--", "sh", "-c", "echo working; echo done > out.txt")),
    Scene("tag", (*COMMAND, "runs", "tag", "^", "team=red"), committed=True),
    Scene("list", (*COMMAND, "runs", "list"), waiting=True, committed=True),
    Scene("rename", (*COMMAND, "experiments", "rename", "Default", "another"), committed=True),
)


@dataclass(frozen=True, slots=True)
class Site:
    """One system call of a scene.

    Parameters
    ----------
    who : str
        ``process``: the scene's own; ``git``: every git that it starts.
    call : str
    number : int
        The n-th call of its name, counted from one.
    error : str
    """

    who: str
    call: str
    number: int
    error: str = ""

    def __str__(self) -> str:
        return f"{self.call} {self.number} of {self.who}: {self.error}"


@dataclass(slots=True)
class Prepared:
    """A folio to copy for each fault, with what was acknowledged before the fault."""

    folder: Path
    said: list[str] = field(default_factory=list)


def may_trace() -> bool:
    """Tell whether strace is here, may trace, and can make calls fail."""
    if shutil.which("strace") is None:
        return False
    tried = ("strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=mkdir", "-e", "inject=mkdir:error=ENOSPC:when=1", "true")
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def prepare(folder: Path, scene: Scene) -> Prepared:
    """Make the folio of a scene, with the user's work in progress."""
    make_folio(folder)
    leave_work(folder)
    made = Prepared(folder)
    for wanted, policy in ((scene.committed, "run"), (scene.waiting, "demand")):
        if wanted:
            done = python(folder, LOGGING, RUNFOLIO_COMMIT=policy)
            assert done.returncode == 0, done.stderr
            made.said += done.stdout.splitlines(keepends=True)
    return made


def run(scene: Scene, folder: Path, *strace: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a scene, under strace where options for it are given."""
    command = tuple(max(records(folder)) if word == "^" else word for word in scene.command)
    return subprocess.run(
        (*(("strace", *strace) if strace else ()), *command),
        cwd=folder,
        env=environment(PYTHONHASHSEED="0", RUNFOLIO_LOCK_WAIT="1", **env),
        capture_output=True,
        text=True,
        check=False,
    )


def sites(scene: Scene, prepared: Prepared, scratch: Path) -> list[Site]:
    """List the calls of a scene that reach into its folder, each with every error that is tried on it."""
    folder, trace = scratch / "plain", scratch / "trace.txt"
    shutil.copytree(prepared.folder, folder, symlinks=True)
    done = run(scene, folder, "-f", "-qq", "-y", "-s", "0", "-o", str(trace), "-e", f"trace=execve,{','.join(ERRORS)}")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(folder)
    lines = trace.read_text(errors="replace").splitlines()
    who = {lines[0].split()[0]: "process"}
    counted: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, str, int], None] = {}
    for line in lines:
        match = re.match(r"(\d+) +(\w+)\((.*)", line)
        if match is None:
            continue
        process, call, rest = match.groups()
        if call == "execve" and re.match(r'"[^"]*/git"', rest) and " = 0" in rest:
            who[process] = "git"
            counted.update({key: -count for key, count in counted.items() if key[0] == process})
        counted[process, call] += 1
        if call in ERRORS and process in who and _reaches(call, rest, folder):
            found[who[process], call, counted[process, call]] = None
    return [Site(*key, error) for key in found for error in ERRORS[key[1]]]


def _reaches(call: str, arguments: str, folder: Path) -> bool:
    """Tell whether a call changes something in the folder: files are opened for reading a thousand times by the interpreter alone."""
    inside = str(folder) in arguments or re.match(r'"[^/"]', arguments) is not None
    return inside and (call != "openat" or re.search("O_CREAT|O_WRONLY|O_RDWR", arguments) is not None)


def fail(scene: Scene, prepared: Prepared, site: Site, scratch: Path) -> list[str]:
    """Make one call fail, recover, and return what was not as promised."""
    folder = scratch / "folio"
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(prepared.folder, folder, symlinks=True)
    before = work_of(folder)
    inject = f"inject={site.call}:error={site.error}:when={site.number}"
    options = ("-qq", "-o", os.devnull, "-e", f"trace={site.call}", "-e", "signal=none", "-e", inject)
    if site.who == "process":
        done = run(scene, folder, *options)
    else:
        done = run(scene, folder, PATH=f"{_failing_git(scratch, options)}{os.pathsep}{os.environ['PATH']}")
    faults = []
    if "Traceback" in done.stderr or "bug in runfolio" in done.stderr or "Exception ignored" in done.stderr:
        faults.append(f"on standard error: {done.stderr}")
    if done.returncode not in (EXIT_CODES if scene.name != "script" else {0}):
        faults.append(f"exit code {done.returncode}: {done.stderr}")
    faults += _promise_kept(folder, prepared.said + (done.stdout.splitlines(keepends=True) if scene.name == "script" else []))
    if work_of(folder) != before:
        faults.append(f"the user's work is not as before: {work_of(folder)[0]!r} instead of {before[0]!r}")
    return [f"{scene.name}, {site}: {fault}" for fault in faults]


def _failing_git(scratch: Path, options: tuple[str, ...]) -> Path:
    """Make a folder with a git that is the real one under strace."""
    folder = scratch / "bin"
    folder.mkdir(exist_ok=True)
    real = shutil.which("git")
    (folder / "git").write_text(f'#!/bin/sh\nexec strace -f {shlex.join(options)} {real} "$@"\n')
    (folder / "git").chmod(0o755)
    return folder


def _promise_kept(folder: Path, said: list[str]) -> list[str]:
    recovered = runfolio(folder, "recover")
    if recovered.returncode:
        return [f"recover: exit code {recovered.returncode}: {recovered.stderr}"]
    # A run without end is a run whose process died: what it held must be there all the same.
    folio = open_folio(folder)
    left = [journal.path.name for journal in folio.spool.journals()]
    folio.close()
    verdict = check(folder, promised(said))
    doubled = [f"{run_id} is committed {count} times" for run_id, count in commits_adding(folder).items() if count > 1]
    found = fsck(folder)
    damaged = runfolio(folder, "check")
    return [
        *(f"lost: {item}" for item in verdict.lost),
        *(f"doubled: {item}" for item in (*verdict.doubled, *doubled)),
        *(f"lock left: {item}" for item in locks(folder)),
        *(f"journal left: {item}" for item in left),
        *([f"fsck: {found}"] if found else []),
        *([f"check: {damaged.stdout}{damaged.stderr}"] if damaged.returncode else []),
    ]


def sample(
    scene: Scene, folder: Path, count: int | None, seed: int, show: Callable[[str], None] = lambda text: None
) -> list[str]:
    """Make a sample of a scene's calls fail, one by one.

    Parameters
    ----------
    scene : Scene
    folder : Path
        New; for the folios.
    count : int or None
        Size of the sample; None for all.
    seed : int
    show : callable, optional
        Is told how far it is.

    Returns
    -------
    list of str
        What was not as promised.
    """
    folder.mkdir(parents=True)
    prepared = prepare(folder / "prepared", scene)
    every = sites(scene, prepared, folder)
    assert {site.who for site in every} == {"process", "git"}, f"{scene.name}: strace shows no call into the folder"
    chosen = every if count is None else random.Random(seed).sample(every, min(count, len(every)))
    faults = []
    for number, site in enumerate(chosen):
        found = fail(scene, prepared, site, folder)
        faults += found
        for fault in found:
            show(fault)
        if number % 20 == 0:
            show(f"{scene.name}: {number} of {len(chosen)} calls failed, {len(faults)} faults")
    show(f"{scene.name}: {len(chosen)} calls failed, {len(faults)} faults")
    return faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Go through the calls of the scenes and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", default=",".join(scene.name for scene in SCENES), help="which scenes, a list")
    parser.add_argument("--sample", type=int, help="calls of each scene; all by default")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    faults = []
    with tempfile.TemporaryDirectory(prefix="disk-", ignore_cleanup_errors=True) as folder:
        for scene in SCENES:
            if scene.name in chosen.scenes.split(","):
                made = Path(folder) / scene.name
                faults += sample(scene, made, chosen.sample, chosen.seed, lambda text: print(text, flush=True))
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
