"""Run git: a cleaned environment, no prompt, no pager, no hooks; errors in words.

``GIT_*`` variables of the caller are dropped (a hook or a rebase that calls us would point us at another index), except
those that say who the author is, how to reach a remote, and which configuration files hold.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from runfolio._pattern import pattern
from runfolio.errors import GitError
from runfolio.gitstore.program import ask_version_ahead, found_git, git_program
from runfolio.gitstore.started import Said, Started

_KEPT = pattern(
    r"GIT_(AUTHOR|COMMITTER)_\w+|GIT_SSH\w*|GIT_SSL\w+|GIT_ASKPASS|GIT_CONFIG(_GLOBAL|_SYSTEM|_NOSYSTEM|_COUNT|_KEY_\d+|_VALUE_\d+)"
)
SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "core.quotePath=false",
    "-c",
    "advice.detachedHead=false",
)
NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a git process: the caller's without the ``GIT_*`` that would redirect it."""
    made = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or _KEPT.fullmatch(key)}
    made.update(GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0", LC_ALL="C", GIT_PAGER="cat", GIT_MERGE_AUTOEDIT="no")
    if extra:
        made.update(extra)
    return made


def start_git(args: tuple[str, ...], cwd: Path | str | None) -> Started:
    """Start one git command that only reads, and has no input; the first of a process starts ``git --version`` beside it.

    Before its answer is used, :func:`git_program` is to be asked whether this git will do: :func:`waited` does both.

    Raises
    ------
    GitError
        If git cannot be started.
    """
    program = found_git()
    try:
        place = () if cwd is None else ("-C", str(cwd))
        started = Started((program, *place, *SAFE, *NO_HOOKS, *args), environment())
    except OSError as error:
        raise GitError(f"git could not be started in {cwd}: {error.strerror or error}.") from None
    ask_version_ahead()
    return started


def waited(started: Started) -> Said:
    """Return what a git command said that :func:`start_git` started, whatever its exit code.

    Raises
    ------
    GitError
        If this git is too old.
    """
    try:
        git_program()
    except GitError:
        started.close()
        raise
    return started.wait()


def run_git(
    args: tuple[str, ...],
    cwd: Path | str | None,
    *,
    input: bytes | None = None,
    env: Mapping[str, str] | None = None,
    hooks: bool = False,
    timeout_s: float | None = None,
) -> Said:
    """Run one git command to its end, whatever its exit code.

    The process gets a session of its own, so that an interrupt or a kill of our process group cannot stop git between
    taking a lock and giving it back.

    Parameters
    ----------
    args : tuple of str
        Verb and arguments.
    cwd : path or None
        Where it runs.
    input : bytes, optional
        Standard input.
    env : mapping, optional
        Variables to add.
    hooks : bool, optional
        Let the repository's hooks run.
    timeout_s : float, optional
        Seconds after which it is stopped.

    Raises
    ------
    GitError
        If git cannot be started, or took longer than `timeout_s`.
    """
    place = () if cwd is None else ("-C", str(cwd))
    command = (git_program(), *place, *SAFE, *(() if hooks else NO_HOOKS), *args)
    try:
        if input is None:
            return Started(command, environment(env)).wait(timeout_s)
        return _fed(command, input, environment(env), timeout_s)
    except TimeoutError:
        raise GitError(f"git {args[0]} took longer than {timeout_s:g} s and was stopped. Is the remote reachable?") from None
    except OSError as error:
        raise GitError(f"git could not be started in {cwd}: {error.strerror or error}.") from None


def _fed(command: tuple[str, ...], input: bytes, env: Mapping[str, str], timeout_s: float | None) -> Said:
    import subprocess  # most commands have no input, and need none of it

    try:
        done = subprocess.run(
            command, input=input, capture_output=True, env=env, start_new_session=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    return Said(done.returncode, done.stdout, done.stderr)


_TAKE_A_VALUE = ("-c", "-C", "--git-dir", "--work-tree")


def explain(args: tuple[str, ...], done: Said) -> GitError:
    """Make the error for a git command that failed, with git's own last words."""
    words = [
        line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip() and not line.startswith("hint:")
    ]
    said = "; ".join(words[-3:]) if words else f"exit code {done.returncode}"
    pairs = zip(args, ("", *args), strict=False)
    verb = next((arg for arg, before in pairs if not arg.startswith("-") and before not in _TAKE_A_VALUE), args[0])
    return GitError(f"git {verb} failed: {said[:600]}")
