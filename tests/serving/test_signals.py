"""Signals reach a server whenever they are sent, also while it becomes another program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BECOMES = """
import os, signal, sys
from runfolio.serving.signals import hold
hold()
os.kill(os.getpid(), signal.{name})
os.execv(sys.executable, [sys.executable, "-c", {then!r}])
"""
THEN = """
from runfolio.serving.signals import Signals
with Signals() as signals:
    print(signals.ending(), signals.reload(), signals.reload())
"""


def said_after(name: str, folder: Path) -> str:
    code = BECOMES.format(name=name, then=THEN)
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_what_is_sent_while_the_program_is_replaced_is_heard_by_the_next(tmp_path: Path) -> None:
    assert said_after("SIGTERM", tmp_path) == "True False False\n"
    assert said_after("SIGINT", tmp_path) == "True False False\n"


def test_a_wish_to_look_again_is_said_once(tmp_path: Path) -> None:
    assert said_after("SIGHUP", tmp_path) == "False True False\n"
