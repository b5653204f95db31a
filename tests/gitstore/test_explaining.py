"""gitstore/process.py: the error of a git command names the command."""

from __future__ import annotations

import subprocess

import pytest

from runfolio.gitstore.process import explain


@pytest.mark.parametrize(
    "args",
    [
        ("commit-tree", "-S", "abc"),
        ("-c", "commit.gpgSign=false", "commit-tree"),
        ("--git-dir", "/a", "-c", "x=y", "--bare", "commit-tree"),
    ],
)
def test_the_command_is_named_and_not_an_option_before_it(args: tuple[str, ...]) -> None:
    done = subprocess.CompletedProcess(args, 128, b"", b"hint: no\nerror: gpg failed to sign the data\n")
    assert explain(args, done).message == "git commit-tree failed: error: gpg failed to sign the data"
