"""The exact code that a work tree holds now, as one git tree: commit, local changes, new files.

Invariants:

- The user's index, work tree, refs and locks stay byte for byte as they were. A changed tree is made beside them
  (`runfolio.gitstore.changed_tree`).
- Records of the folio are no code: they are left out, so that a run which is committed does not change the code of the next.
- What is left out is named with its reason: nothing is dropped silently.
- A clean tree costs two git processes (``status`` and ``config``), which run side by side and while the caller does something else
  (:func:`ask_state`); a changed one costs a third: this runs at the start of every script.

Files pass the clean filters that ``git add`` would run (line ends, LFS), since the tree must be the one that a commit
would hold; hooks and file monitors do not run. What it does *not* do: look into submodules, whose own changes are named
in ``left_out``, or keep the tree from git's garbage collection (`runfolio.gitstore.snapshots.keep_tree` does).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from runfolio._dataclass import dataclass, field
from runfolio.errors import GitError
from runfolio.gitstore.admission import ABSENT, MAX_NEW_FILES, Changed, LeftOut, choose
from runfolio.gitstore.changed_tree import changed_tree
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.trees import Rule, parse_tree, read_tree, tree_id, without, write_tree

_STATUS = ("--porcelain=v2", "--branch", "-z", "--no-renames", "--ignore-submodules=none", "--untracked-files=normal")
MAX_FILE_BYTES = 1 << 20
MAX_ALL_BYTES = 20 << 20


@dataclass(frozen=True, slots=True)
class CodeState:
    """The code of a work tree.

    Parameters
    ----------
    commit : str
        Id of HEAD's commit; empty on a branch without commits.
    branch : str
        Short name; empty where HEAD is detached.
    remote : str
        Address of ``origin`` (else of the only remote) as configured: redact it before it is written anywhere.
    dirty : bool
        Whether anything differs from the commit, new files included.
    tree : str
        Id of the tree that holds the code.
    left_out : tuple of LeftOut
    user : str
        ``user.name`` as configured.
    """

    commit: str = ""
    branch: str = ""
    remote: str = ""
    dirty: bool = False
    tree: str = ""
    left_out: tuple[LeftOut, ...] = ()
    user: str = ""


@dataclass(slots=True)
class _Status:
    asked: bool = False
    commit: str = ""
    branch: str = ""
    plain: bool = True
    changed: list[Changed] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


def code_tree(
    repo: Repo,
    records: Sequence[Rule] = (),
    *,
    untracked_max_bytes: int = MAX_FILE_BYTES,
    all_max_bytes: int = MAX_ALL_BYTES,
    runs_folder: str = "",
    built: str = "",
    asked: Asked | None = None,
) -> CodeState:
    """Find out what code a work tree holds, and store it as a tree.

    Parameters
    ----------
    repo : Repo
        With a work tree.
    records : sequence of Rule
        What is no code: see `runfolio.gitstore.trees.without`.
    untracked_max_bytes : int, optional
        Larger new files are left out.
    all_max_bytes : int, optional
        Changed and new files are left out once they come to more than this together.
    runs_folder : str, optional
        The folder of run records from the repository's root, which ``git status`` then need not look at.
    built : str, optional
        The name of a file by which a new folder is known to be built, of what the repository holds: no code, whatever is in it.
    asked : Asked, optional
        What :func:`ask_state` started.

    Returns
    -------
    CodeState

    Raises
    ------
    GitError
        If git failed.
    """
    asked = asked or ask_state(repo, runs_folder)
    try:
        status = _status(repo, records, asked.answer(), asked.excluded, built)
    finally:
        asked.close()
    remote, user = configuration(repo)
    state = CodeState(status.commit, status.branch, remote, bool(status.changed or status.new), user=user)
    if not state.dirty:
        return _with(state, _clean_tree(repo, status.commit, records), ())
    assert repo.work_tree is not None
    choice = choose(repo.work_tree, status.changed, status.new, untracked_max_bytes, all_max_bytes)
    known = {item.path for item in status.changed}
    tree, left_out = changed_tree(repo, status.commit, *choice[:2], plain=status.plain, known=known), choice[2]
    return _with(state, _pruned(repo, tree, records), left_out)


def _with(state: CodeState, tree: str, left_out: Iterable[LeftOut]) -> CodeState:
    return CodeState(state.commit, state.branch, state.remote, state.dirty, tree, tuple(left_out), state.user)


def configuration(repo: Repo) -> tuple[str, str]:
    """Return the address of the main remote (with whatever credentials it holds) and the user's name, as configured."""
    said = repo.configured.values()
    remotes = {
        key: url or "" for key, url in said.first.items() if key.startswith("remote.") and key[len("remote.") :].endswith(".url")
    }
    return remotes.get("remote.origin.url") or next(iter(remotes.values()), ""), said.said.get("user.name") or ""


class Asked:
    """Git's look at a work tree, which goes on while its caller does something else."""

    def __init__(self, repo: Repo, runs_folder: str) -> None:
        # Through the pathspec git leaves the run records out of its index refresh: no lstat of 100,000 files.
        ours = f":(top,exclude,glob){_literal(runs_folder)}/*/[0-9][0-9][0-9][0-9]-[0-9][0-9]/**"
        self.excluded = (ours,) if runs_folder else ()
        self._repo, self._args = repo, ("status", *_STATUS, "--", ":(top)", *self.excluded)
        self._started = repo.start(*self._args)

    def answer(self) -> bytes:
        """Return what git says, once."""
        return self._repo.answer(self._started, *self._args)

    def close(self) -> None:
        """Stop git, if its answer was not taken."""
        self._started.close()


def ask_state(repo: Repo, runs_folder: str = "") -> Asked:
    """Have git look at a work tree, and at its configuration, while the caller does something else; for :func:`code_tree`.

    Parameters
    ----------
    repo : Repo
        With a work tree.
    runs_folder : str, optional
        As for :func:`code_tree`.
    """
    asked = Asked(repo, runs_folder)
    try:
        repo.configured.look_ahead()
    except GitError:
        asked.close()
        raise
    return asked


def _status(repo: Repo, records: Sequence[Rule], said: bytes, excluded: Sequence[str], built: str) -> _Status:
    made = _Status()
    folders: list[str] = []
    for line in said.decode("utf-8", "surrogateescape").split("\0"):
        kind, _, rest = line.partition(" ")
        if kind == "#":
            _header(made, rest)
        elif kind == "1":
            _, submodule, mode, _, present, oid, _, path = rest.split(" ", 7)
            made.changed.append(Changed(path, mode, oid, submodule, present == ABSENT))
        elif kind == "u":
            made.plain = False  # a merge under way
            _, submodule, _, mode, _, present, _, oid, _, path = rest.split(" ", 9)
            made.changed.append(Changed(path, mode, oid, submodule, present == ABSENT))
        elif kind == "?":
            (folders if rest.endswith("/") else made.new).append(rest)
    if not made.asked:
        # git status ends with 0 also where its answer could not be written: no answer is not a clean work tree.
        raise GitError(f"git status gave no answer in {repo.work_tree}. Is there room on the disk? Run it there to see.")
    # A folder where a tracked file was: in its "normal" mode git status does not name it.
    folders += [f"{item.path}/" for item in made.changed if item.gone and _is_folder(repo, item.path)]
    if folders:
        made.new += _files_below(repo, folders, excluded, built)
    made.plain = made.plain and all(item.submodule == "N..." for item in made.changed)
    made.changed = [item for item in made.changed if not is_matched(item.path, records)]
    made.new = [path for path in made.new if not is_matched(path, records)]
    return made


def _is_folder(repo: Repo, path: str) -> bool:
    assert repo.work_tree is not None
    place = repo.work_tree / path
    return place.is_dir() and not place.is_symlink()


def _header(made: _Status, text: str) -> None:
    key, _, value = text.partition(" ")
    if key == "branch.oid":
        made.asked = True
        made.commit = "" if value == "(initial)" else value
    elif key == "branch.head" and value != "(detached)":
        made.branch = value


def _literal(folder: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\*?[]" else letter for letter in folder)


def _files_below(repo: Repo, folders: Sequence[str], excluded: Sequence[str], built: str) -> list[str]:
    """List the new files of new folders, without those of folders that were built; a folder with very many is named as one."""
    assert repo.work_tree is not None
    if built:
        folders = [folder for folder in folders if not (repo.work_tree / folder / built).is_file()]
    small = [folder for folder in folders if not _crowded(repo.work_tree / folder)]
    made = [folder for folder in folders if folder not in small]
    if small:
        scope = [f":(top,literal){folder}" for folder in small]
        found = repo.run("ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", *scope, *excluded)
        paths = [path for path in found.decode("utf-8", "surrogateescape").split("\0") if path]
        inner = tuple(path.removesuffix(built) for path in paths if built and path.endswith(f"/{built}"))
        made += [path for path in paths if not path.startswith(inner)]
    return made


def _crowded(folder: Path) -> bool:
    """Tell whether a folder holds more than `MAX_NEW_FILES` entries, without walking further than that."""
    seen, waiting = 0, [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    seen += 1
                    # Environments and caches are hidden or ignored as a rule: git is left to tell what is in them.
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(
                        (".", "__pycache__", "node_modules", "venv")
                    ):
                        waiting.append(entry.path)
                    if seen > MAX_NEW_FILES:
                        return True
        except OSError:
            continue
    return False


def is_matched(path: str, rules: Sequence[Rule]) -> bool:
    """Tell whether a path is one that `without` leaves out under these rules."""
    parts = path.split("/")
    return any(
        len(rule) <= len(parts) and all(level.fullmatch(part) for level, part in zip(rule, parts, strict=False)) for rule in rules
    )


def _clean_tree(repo: Repo, commit: str, records: Sequence[Rule]) -> str:
    if not commit:
        return write_tree(repo, [])
    data = repo.read(f"{commit}^{{tree}}")
    if data is None:
        raise GitError(f"the tree of commit {commit} could not be read. Run: git fsck")
    size = len(commit) // 2
    entries = parse_tree(data, size)
    kept = without(repo, entries, records)
    return tree_id(data, size) if kept == entries else write_tree(repo, kept)


def _pruned(repo: Repo, tree: str, records: Sequence[Rule]) -> str:
    entries = read_tree(repo, tree)
    if entries is None:
        raise GitError(f"the tree {tree} of the code could not be read. Is there room on the disk? Run: git fsck")
    kept = without(repo, entries, records)
    return tree if kept == entries else write_tree(repo, kept)
