"""Which system calls one run makes, and how one of them is made to fail.

A :class:`Bench` holds a folio to copy and a program ``git`` that runs the real one, under strace where it is told to. The script is
traced from where it has imported all it needs; each git from its start.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.board import Board
from tests.faults.repositories import environment, git, leave_work, make_folio, work_of

ROOT = Path(__file__).resolve().parents[2]
ONE_RUN = Path(__file__).with_name("one_run.py")
PATIENCE_S = 120
"""A script that takes longer hangs."""
SCRIPT = -1
"""The process that is failed: the script itself; from 0 the gits that it starts, in their order."""

_CHANGING = ("mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat")
_REMOVING = ("unlink", "unlinkat", "rmdir")
_LOOKING = ("stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "chdir")
ERRORS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("open", "openat", "creat"), ("ENOSPC", "EIO", "EACCES", "EMFILE")),
    **dict.fromkeys(("write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "fallocate"), ("ENOSPC", "EIO")),
    **dict.fromkeys(_CHANGING, ("ENOSPC", "EIO", "EACCES")),
    **dict.fromkeys((*_REMOVING, *_LOOKING), ("EIO", "EACCES")),
    **dict.fromkeys(("read", "pread64", "getdents64", "fstat", "close"), ("EIO",)),
    **dict.fromkeys(("chmod", "fchmod", "fchmodat", "utimensat", "execve"), ("EACCES",)),
    **dict.fromkeys(("pipe", "pipe2", "dup", "dup2", "dup3", "socket", "socketpair"), ("EMFILE",)),
}
"""The errors that each call may have. Calls that only wait, look at the clock or manage memory are left alone."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One call that fails.

    Parameters
    ----------
    process : int
        :data:`SCRIPT`, or which of its gits.
    call : str
    number : int
        The how-manieth such call of that process, from 1.
    error : str
    """

    process: int
    call: str
    number: int
    error: str

    def __str__(self) -> str:
        return f"{'the script' if self.process == SCRIPT else f'git {self.process}'}: {self.call} {self.number} {self.error}"


class Bench:
    """A folio to copy, and a git that can be told to fail.

    Parameters
    ----------
    folder : Path
        A new folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.template = make_folio(folder / "template")
        # A script of its own repository: it is this one's code that each run takes in.
        shutil.copy(ONE_RUN, self.template / ONE_RUN.name)
        git(self.template, "add", ONE_RUN.name)
        git(self.template, "commit", "-qm", "a script")
        leave_work(self.template)
        self.work = work_of(self.template)
        found, tracer = shutil.which("git"), shutil.which("strace")
        assert found and tracer
        # The programs by their whole names: this one is called git, too.
        script = (
            "#!/bin/sh\n"
            'n=$(wc -c < "$FAULT_COUNT")\nprintf x >> "$FAULT_COUNT"\n'
            'case "$FAULT_GIT" in all|$((n))) '
            f'exec {tracer} -f -qq -o "$FAULT_TRACE.$((n))" -e trace="$FAULT_CALLS" $FAULT_INJECT {found} "$@" ;; esac\n'
            f'exec {found} "$@"\n'
        )
        (folder / "bin").mkdir()
        (folder / "bin" / "git").write_text(script)
        (folder / "bin" / "git").chmod(0o755)
        self.modules = ""

    def run(self, place: Path, fault: Fault | None) -> tuple[subprocess.CompletedProcess[str], list[str], dict[int, list[str]]]:
        """Run the script in a new folio at `place`.

        Returns
        -------
        CompletedProcess
        list of str
            What was acknowledged.
        dict of int to list of str
            The traced calls of each traced process.
        """
        place.mkdir(exist_ok=True)
        folio = place / "folio"
        shutil.copytree(self.template, folio, symlinks=True)
        (place / "count").touch()
        board = Board(place / "board", create=True)
        process = self._start(place, folio, fault)
        assert process.stdout is not None
        pid = process.stdout.readline().strip()
        if not pid:
            raise AssertionError(f"the script did not begin: {process.communicate()[1]}")
        tracer = self._trace(place, pid, fault)
        board.begin()
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += f"\nHANGS: no end within {PATIENCE_S} s"
        if tracer is not None:
            tracer.communicate()
        traces = {int(path.suffix[1:]): path.read_text(errors="replace").splitlines() for path in place.glob("trace.*")}
        return subprocess.CompletedProcess((), process.returncode, out, err), board.lines(), traces

    def _start(self, place: Path, folio: Path, fault: Fault | None) -> subprocess.Popen[str]:
        calls = tuple(ERRORS) if fault is None else (fault.call,)
        traced = {} if fault is None or fault.process == SCRIPT else {"FAULT_INJECT": f"-e {injection(fault)}"}
        env = environment(
            PYTHONPATH=os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
            PATH=f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            RUNFOLIO_TRACKING_URI=str(folio),
            FAULT_COUNT=str(place / "count"),
            FAULT_TRACE=str(place / "trace"),
            FAULT_CALLS=known(calls),
            FAULT_GIT="all" if fault is None else str(fault.process),
            **traced,
        )
        return subprocess.Popen(
            (sys.executable, ONE_RUN.name, str(place / "board"), self.modules),
            cwd=folio, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _trace(self, place: Path, pid: str, fault: Fault | None) -> subprocess.Popen[str] | None:
        if fault is not None and fault.process != SCRIPT:
            return None
        more = () if fault is None else ("-e", injection(fault))
        calls = tuple(ERRORS) if fault is None else (fault.call,)
        tracer = subprocess.Popen(
            ("strace", "-p", pid, "-o", str(place / f"trace.{SCRIPT}"), "-e", f"trace={known(calls)}", *more),
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        assert "attached" in said, said
        return tracer

    def learn(self) -> list[Fault]:
        """Run the script once, and list all that may fail."""
        code = (
            "import sys; first = set(sys.modules)\n"
            "import runfolio\nwith runfolio.start_run():\n"
            "    runfolio.log_param('a', 1); runfolio.log_metric('m', 1); runfolio.set_tag('t', 1); runfolio.log_text('x', 'y')\n"
            "runfolio.flush()\nprint(','.join(n for n in sys.modules if n not in first))"
        )
        warm = self.folder / "warm"
        shutil.copytree(self.template, warm, symlinks=True)
        done = subprocess.run(
            (sys.executable, "-c", code), cwd=warm, env=environment(), capture_output=True, text=True, check=True
        )
        self.modules = done.stdout.strip()
        done, lines, traces = self.run(self.folder / "learn", None)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert '"end"' in lines[-1], lines
        return list(faults_of(traces))


def known(calls: Iterable[str]) -> str:
    """Name calls so that strace takes those that this machine lacks."""
    return ",".join(f"?{call}" for call in calls)


def injection(fault: Fault) -> str:
    """Spell a fault for strace."""
    return f"inject={fault.call}:error={fault.error}:when={fault.number}"


def faults_of(traces: dict[int, list[str]]) -> Iterator[Fault]:
    """List every fault that the calls of a trace may have.

    strace counts for each process by itself: a git that starts another one fails in both, if both come so far.
    """
    for process, lines in sorted(traces.items()):
        counts: Counter[tuple[str, str]] = Counter()
        for line in lines:
            found = re.match(r"(\d+\s+)?(\w+)\(", line)
            if found and found[2] in ERRORS:
                counts[found[1] or "", found[2]] += 1
        most: dict[str, int] = {}
        for (_, call), count in counts.items():
            most[call] = max(most.get(call, 0), count)
        for call, count in sorted(most.items()):
            for number in range(1, count + 1):
                yield from (Fault(process, call, number, error) for error in ERRORS[call])
