"""A process that runs while its caller does something else: what it says, and what it leaves behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.errors import GitError
from runfolio.gitstore.process import run_git, start_git, waited
from runfolio.gitstore.started import Said, Started

FILES = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code)


def test_output_error_and_exit_code_are_told() -> None:
    code = "import sys; sys.stdout.write('out'); sys.stderr.write('err'); sys.exit(3)"
    assert Started(python(code), None).wait() == Said(3, b"out", b"err")


def test_a_signal_is_a_negative_exit_code() -> None:
    assert Started(python("import os; os.kill(os.getpid(), 9)"), None).wait().returncode == -9


def test_more_than_a_pipe_holds_is_read_from_both() -> None:
    code = "import os\nfor _ in range(40):\n os.write(2, b'e' * 10000)\n os.write(1, b'o' * 10000)"
    said = Started(python(code), None).wait()
    assert (len(said.stdout), len(said.stderr)) == (400_000, 400_000)


def test_it_has_a_session_of_its_own_no_input_and_the_environment_given() -> None:
    code = "import os, sys; print(os.getsid(0) == os.getpid(), repr(sys.stdin.read()), sorted(os.environ))"
    said = Started(python(code), {"ONE": "1", "LC_CTYPE": "C"}).wait()
    assert said.stdout == b"True '' ['LC_CTYPE', 'ONE']\n"


def test_no_file_and_no_process_is_left_behind() -> None:
    code = f"""
import os, sys
from runfolio.gitstore.started import Started
before = os.listdir({FILES!r})
Started((sys.executable, "-S", "-c", "pass"), None).wait()
sleeping = Started((sys.executable, "-S", "-c", "import time; time.sleep(60)"), None)
sleeping.close()
sleeping.close()
try:
    Started(("/nowhere/git",), None)
except FileNotFoundError:
    print(os.listdir({FILES!r}) == before)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("nobody")
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=50)
    assert done.stdout == "True\nnobody\n"


def test_what_takes_too_long_is_stopped() -> None:
    code = """
import os, sys
from runfolio.gitstore.started import Started
started = Started((sys.executable, "-S", "-c", "import time; time.sleep(60)"), None)
try:
    started.wait(0.5)
except TimeoutError:
    print("late")
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("nobody")
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=50)
    assert done.stdout == "late\nnobody\n"


def test_an_interrupt_stops_what_is_waited_for() -> None:
    code = """
import os, signal, sys, threading
from runfolio.gitstore.started import Started
started = Started((sys.executable, "-S", "-c", "import time; time.sleep(60)"), None)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    started.wait()
except KeyboardInterrupt:
    print("interrupted")
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("nobody")
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=50)
    assert done.stdout == "interrupted\nnobody\n"


@pytest.mark.parametrize("given", [None, b"some input"], ids=["without input", "with input"])
def test_a_host_that_never_answers_is_told_of(tmp_path: Path, given: bytes | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"git://127.0.0.1:{silent.getsockname()[1]}/x.git"
        with pytest.raises(GitError, match=r"git ls-remote took longer than 0\.5 s and was stopped\. Is the remote reachable\?"):
            run_git(("ls-remote", address), tmp_path, input=given, timeout_s=0.5)


def test_a_child_of_a_fork_lets_its_parents_process_go_on() -> None:
    started = Started(python("import time; time.sleep(0.3); print('done')"), None)
    child = os.fork()
    if child == 0:
        started.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert started.wait() == Said(0, b"done\n", b"")


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)], ids=str)
def test_it_is_started_by_a_process_without_standard_files(closed: tuple[int, ...], tmp_path: Path) -> None:
    found = tmp_path / "found"
    code = (
        "import os, sys\nfrom runfolio.gitstore.started import Started\n"
        f"for fd in {closed!r}: os.close(fd)\n"
        "code = \"import os; os.write(1, b'out'); os.write(2, b'err'); os.write(1, os.read(0, 10))\"\n"
        "said = Started((sys.executable, '-S', '-c', code), None).wait()\n"
        f"open({os.fspath(found)!r}, 'w').write(repr((said.returncode, said.stdout, said.stderr)))"
    )
    subprocess.run([sys.executable, "-c", code], check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert found.read_text() == repr((0, b"out", b"err"))


def test_a_folder_that_is_gone_is_said_in_words(tmp_path: Path) -> None:
    done = waited(start_git(("status",), tmp_path / "gone"))
    assert done.returncode
    assert b"gone" in done.stderr


def test_a_program_that_cannot_be_started_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    monkeypatch.setattr("runfolio.gitstore.process.found_git", lambda: str(program))
    with pytest.raises(GitError, match="git could not be started in"):
        start_git(("status",), tmp_path)
