"""A fork while our threads work: threads are waited for before locks are held, whoever was imported first."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, threading, time
{imports}
from runfolio._forking import hold_at_fork, wait_before_fork

lock, began = threading.Lock(), threading.Event()


def work():
    began.set()
    time.sleep(0.3)
    with lock:
        pass


thread = threading.Thread(target=work)
hold = lambda: hold_at_fork(lambda: lock.acquire(), lock.release)
{first}
{second}
thread.start()
began.wait()
child = os.fork()
assert not lock.locked()
if child == 0:
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), lock.locked())
"""


@pytest.mark.parametrize("turned", [False, True])
def test_threads_are_waited_for_before_locks_are_held(turned: bool) -> None:
    calls = ["wait_before_fork(thread.join)", "hold()"][:: -1 if turned else 1]
    imports = ["import runfolio.index.table", "import runfolio.tracking.beside"][:: 1 if turned else -1]
    code = CODE.format(first=calls[0], second=calls[1], imports="; ".join(imports))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "0 False\n", done.stderr
