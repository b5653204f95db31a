"""Where a folio is: repository, folder in it, and the branch that takes its records."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import StateError
from runfolio.formats import paths
from runfolio.formats.settings import Settings
from runfolio.gitstore import Repo
from runfolio.gitstore.settled import read_small

NO_COMMIT = "no commit"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a folio is.

    Parameters
    ----------
    repo : Repo
    prefix : str
        Folder of the folio from the repository's root: ``""`` or ``"ml/"``.
    settings : Settings
    """

    repo: Repo
    prefix: str
    settings: Settings

    @property
    def root(self) -> Path:
        """The folio's folder in the work tree; the git folder of a bare repository."""
        base = self.repo.work_tree or self.repo.git_dir
        return base / self.prefix if self.prefix else base

    @property
    def ledger(self) -> str | None:
        """Full name of the ledger branch, or None where records go to the branch at hand."""
        name = self.settings.records.branch
        return f"refs/heads/{name}" if name else None

    @property
    def local(self) -> Path:
        """Folder for what is not shared: journals, index, objects by default."""
        folder = self.repo.own_folder
        return folder / ("at-" + self.prefix.strip("/").replace("/", "+")) if self.prefix else folder

    def tip(self) -> str | None:
        """Return the commit whose records are read; None before the first one."""
        if self.ledger:
            remote = self.settings.remote
            return self.repo.resolve(self.ledger) or self.repo.resolve(f"refs/remotes/{remote}/{self.settings.records.branch}")
        return self.repo.resolve("HEAD")

    def branch_at_hand(self) -> str | None:
        """Return the branch to which new records go; None where HEAD is detached."""
        if self.ledger:
            return self.ledger
        named = os.environ.get("RUNFOLIO_BRANCH")
        if named:
            return f"refs/heads/{named}"
        return self.repo.head_branch()

    def why_not_writable(self, branch: str | None) -> str | None:
        """Say why no commit can go to `branch` now, in words; None where one can."""
        if branch is None:
            return (
                "HEAD is detached, so there is no branch to take the records. Check out a branch, or name one with "
                "RUNFOLIO_BRANCH, and run: runfolio commit"
            )
        if self.ledger:
            return None
        home = self.checked_out(branch)
        waiting = home.unfinished() if home else None
        if waiting:
            return f"a {waiting} is under way on {short(branch)}. Finish it (or abort it), then run: runfolio commit"
        return None

    def require_writable(self, branch: str | None) -> str:
        """Return `branch`, if a commit can go there now.

        Raises
        ------
        StateError
            If HEAD is detached, or a merge or rebase is under way.
        """
        reason = self.why_not_writable(branch)
        if reason or branch is None:
            raise StateError(f"Nothing was committed: {reason}")
        return branch

    def require_committed(self, path: str, old: bytes | None, new: bytes | None = None) -> None:
        """Refuse to change a file that differs in the work tree from what is committed.

        The commit would leave the file (and the index) as it is, for it is somebody's work in progress, and that work's own commit
        would then take the change back.

        Parameters
        ----------
        path : str
            From the folio's root.
        old : bytes or None
            What the commit to be changed has there.
        new : bytes, optional
            What it is to hold; where the work tree holds that already there is nothing to lose.

        Raises
        ------
        StateError
            If the file was changed.
        """
        if self.ledger or self.repo.work_tree is None or os.environ.get("RUNFOLIO_BRANCH"):
            return  # the records' branch is not the one that is checked out
        try:
            with open(f"{self.root}/{path}", "rb") as file:
                here = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return
        if here not in (old, new) and here.replace(b"\r\n", b"\n") != old:  # core.autocrlf
            way = f"bring back what was there: git checkout HEAD -- {path}" if old is not None else "move it away"
            raise StateError(f"{path} was changed here and is not committed. Commit it, or {way}")

    def checked_out(self, branch: str) -> Repo | None:
        """Return the repository as seen from the work tree that has `branch` checked out, or None."""
        if not self.repo.bare and self.repo.head_branch() == branch:
            return self.repo
        for repo in self._work_trees():
            if repo.head_branch() == branch or _rebasing(repo) == branch:
                return repo
        return self.repo if _rebasing(self.repo) == branch else None

    def _work_trees(self) -> Iterable[Repo]:
        common = self.repo.common_dir
        if self.repo.linked and common.name == ".git":
            yield Repo(common, common, common.parent)
        if not os.access(f"{common}/worktrees", os.F_OK):
            return
        for git_dir in sorted((common / "worktrees").glob("*")):
            try:
                tree = Path((git_dir / "gitdir").read_text("utf-8").strip()).parent
            except OSError:
                continue
            if git_dir != self.repo.git_dir and tree.is_dir():
                yield Repo(git_dir, common, tree)

    def full(self, path: str) -> str:
        """Return a folio path from the repository's root."""
        return self.prefix + path

    def folder(self, name: str) -> str:
        """Return one of the folio's folders from the repository's root."""
        return self.prefix + name

    def strip(self, path: str) -> str:
        """Return a path from the folio's root."""
        return path[len(self.prefix) :]

    def read(self, tip: str | None, path: str) -> bytes | None:
        """Return a committed file of the folio, or None."""
        return self.repo.read(f"{tip}:{self.full(path)}") if tip else None

    @property
    def run_folders(self) -> tuple[str, ...]:
        """The folders that hold records, from the repository's root."""
        return tuple(self.folder(name) for name in paths.OURS)

    @property
    def written_folders(self) -> tuple[str, ...]:
        """The folders that commits of ours write to, from the repository's root."""
        return (*self.run_folders, self.folder(paths.DATASETS))

    @property
    def dataset_files(self) -> tuple[str, ...]:
        """What matches the files of datasets, and not what else lies in that folder: git's patterns, from the repository's root."""
        start = re.sub(r"([\\*?\[])", r"\\\1", self.folder(paths.DATASETS))
        return (f":(glob,top){start}/*.yaml", f":(glob,top){start}/*/*.json")


def short(branch: str) -> str:
    """Return a branch's name as people write it."""
    return branch.removeprefix("refs/heads/")


def _rebasing(repo: Repo) -> str | None:
    for name in ("rebase-merge", "rebase-apply"):
        file = f"{repo.git_dir}/{name}/head-name"
        if os.access(file, os.F_OK):  # each commit asks, and nearly always there is none
            with suppress(OSError):
                return read_small(file).decode("utf-8").strip()
    return None
