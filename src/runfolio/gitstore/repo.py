"""One git repository, asked through plumbing commands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import GitError, NotAFolioError
from runfolio.gitstore.config import GitConfig
from runfolio.gitstore.discovery import plain_repository
from runfolio.gitstore.nearby import NearbyObjects, NotNearbyError
from runfolio.gitstore.process import explain, run_git, start_git, waited
from runfolio.gitstore.program import durability_options
from runfolio.gitstore.reader import ObjectReader
from runfolio.gitstore.ref_values import OBJECT_ID, ref_value
from runfolio.gitstore.settled import SettledFiles
from runfolio.gitstore.started import Said, Started
from runfolio.gitstore.tree_changes import Difference, differences, files_below

_LIST = ("config", "--list", "-z", "--includes")


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One file of a tree: path from the repository's root, blob id, mode."""

    path: str
    oid: str
    mode: str = "100644"


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs between two trees; an id is None where the file is not there."""

    path: str
    old: str | None
    new: str | None


def change_of(found: Difference) -> Change:
    """Return a difference that was found without git."""
    return Change(_text(found.path), found.old and found.old.oid.hex(), found.new and found.new.oid.hex())


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


class Repo:
    """One git repository.

    Parameters
    ----------
    git_dir, common_dir : Path
        The same but in a linked work tree, where `common_dir` is the repository that all share.
    work_tree : Path or None
        None in a bare repository.

    Attributes
    ----------
    own_folder : Path
        For what is ours and not shared (journals, index, locks), whether it is there yet or not.
    files : SettledFiles
        Reads what is small in it.
    linked : bool
        Whether this is a linked work tree of another repository.
    """

    def __init__(self, git_dir: Path, common_dir: Path, work_tree: Path | None) -> None:
        self.git_dir, self.common_dir, self.work_tree = git_dir, common_dir, work_tree
        self.own_folder = common_dir / "runfolio"
        self._reader = ObjectReader(git_dir, common_dir)
        self.files = SettledFiles()
        self._ref_folders = tuple(dict.fromkeys((str(git_dir), str(common_dir))))
        self.linked = len(self._ref_folders) > 1
        self.configured = GitConfig(
            common_dir, git_dir, lambda: self.start(*_LIST), lambda asked: self.answer(asked, *_LIST, check=False)
        )

    @property
    def bare(self) -> bool:
        """Whether there is no work tree."""
        return self.work_tree is None

    @classmethod
    def discover(cls, path: Path | str) -> Repo:
        """Find the repository that holds `path`.

        Raises
        ------
        NotAFolioError
            If there is none.
        GitError
            If git refuses the folder (another owner), or is too old.
        """
        base = Path(path).resolve()
        plain = plain_repository(base)
        if plain is not None:
            return cls(plain / ".git", plain / ".git", plain)
        # The last question fails in a bare repository, after the others are answered: one process either way.
        args = ("rev-parse", "--git-dir", "--git-common-dir", "--is-bare-repository", "--is-inside-work-tree", "--show-toplevel")
        done = run_git(args, path)
        answers = done.stdout.decode("utf-8", "surrogateescape").splitlines()
        if len(answers) < 4:
            said = done.stderr.decode("utf-8", "replace")
            if "dubious ownership" in said:
                raise GitError(
                    f"{path}: the repository belongs to another user, so git refuses it. If you trust it: "
                    f"git config --global --add safe.directory {path}"
                )
            if done.returncode and "not a git repository" not in said:
                raise explain(args, done)
            raise NotAFolioError(f"{path} is in no git repository. Make a folio here with: runfolio init")
        git_dir, common, bare, inside = answers[:4]
        work_tree = None
        if bare == "false" and inside == "true" and len(answers) > 4:
            work_tree = Path(answers[4]).resolve()
        elif bare == "false" and (base / git_dir).resolve().name == ".git":
            work_tree = (base / git_dir).resolve().parent
        return cls((base / git_dir).resolve(), (base / common).resolve(), work_tree)

    def run(
        self,
        *args: str,
        input: bytes | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        hooks: bool = False,
    ) -> bytes:
        """Run a git command here and return what it printed.

        Raises
        ------
        GitError
            If it failed and `check` is true; with `check` false a failure gives ``b""``.
        """
        done = run_git(self._located(args), self.work_tree or self.git_dir, input=input, env=env, hooks=hooks)
        return self._printed(args, done, check=check)

    @staticmethod
    def _printed(args: tuple[str, ...], done: Said, *, check: bool) -> bytes:
        if done.returncode == 0:
            return done.stdout
        if check:
            raise explain(args, done)
        return b""

    def start(self, *args: str) -> Started:
        """Start a git command here that only reads; :meth:`answer` takes what it printed.

        Raises
        ------
        GitError
            If git cannot be started.
        """
        return start_git(self._located(args), self.work_tree or self.git_dir)

    def answer(self, started: Started, *args: str, check: bool = True) -> bytes:
        """Return what a command printed that was started here with `args`, as :meth:`run` does.

        Raises
        ------
        GitError
            If it failed and `check` is true, or this git is too old.
        """
        return self._printed(args, waited(started), check=check)

    def succeeds(self, *args: str, env: Mapping[str, str] | None = None) -> bool:
        """Tell whether a git command ends with exit code 0."""
        return run_git(self._located(args), self.work_tree or self.git_dir, env=env).returncode == 0

    def _located(self, args: tuple[str, ...]) -> tuple[str, ...]:
        place = ("--git-dir", str(self.git_dir))
        return (*place, *(() if self.work_tree is None else ("--work-tree", str(self.work_tree))), *args)

    def resolve(self, rev: str) -> str | None:
        """Return the commit id that `rev` names, or None.

        Parameters
        ----------
        rev : str
            A branch, tag, id, ``HEAD~2``…; a date is for :meth:`commit_at`.
        """
        if not rev or rev.startswith("-") or "\n" in rev or "\0" in rev:
            return None
        if rev == "HEAD" or (rev.startswith("refs/") and not rev.startswith("refs/tags/")):  # a tag need not hold a commit's id
            loose = ref_value(self.files.read, self._ref_folders, rev)
            if loose:
                return loose
        found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}", check=False)
        text = found.decode().strip()
        return text if OBJECT_ID.match(text) else None

    def head_branch(self) -> str | None:
        """Return the full name of the branch that HEAD stands on (born or not); None where HEAD is detached."""
        text = (self.files.read(f"{self.git_dir}/HEAD") or "").strip()
        if text.startswith("ref: ") and not text.endswith(".invalid"):
            return text[5:]
        if OBJECT_ID.match(text):
            return None
        return self.run("symbolic-ref", "--quiet", "HEAD", check=False).decode("utf-8", "surrogateescape").strip() or None

    def unfinished(self) -> str | None:
        """Name the operation that waits for the user (merge, rebase, cherry-pick, revert, bisect), or None."""
        for name, marks in {
            "rebase": ("rebase-merge", "rebase-apply"),
            "merge": ("MERGE_HEAD",),
            "cherry-pick": ("CHERRY_PICK_HEAD",),
            "revert": ("REVERT_HEAD",),
        }.items():
            if any((self.git_dir / mark).exists() for mark in marks):
                return name
        return None

    @cached_property
    def shallow(self) -> bool:
        """Whether history was cut off by a shallow clone."""
        return (self.common_dir / "shallow").exists()

    @property
    def partial(self) -> bool:
        """Whether the configuration may name a remote that contents are fetched from as they are read; no process is started."""
        text = (self.files.read(f"{self.common_dir}/config") or "").lower()
        return "promisor" in text or "partialclone" in text

    @cached_property
    def object_format(self) -> str:
        """``sha1`` or ``sha256``."""
        try:
            if "objectformat" not in (self.common_dir / "config").read_text("utf-8", "replace").lower():
                return "sha1"  # git's default needs no process to find out
        except OSError:
            pass
        return self.run("rev-parse", "--show-object-format").decode().strip()

    def config(self, key: str) -> str | None:
        """Return a value of git's configuration, or None where it is not set or empty."""
        return self.configured.values().get(key)

    @property
    def nearby(self) -> NearbyObjects:
        """The objects that are read without git."""
        return self._reader.nearby

    def tree_entries(self, rev: str, folder: str) -> list[TreeEntry]:
        """List the files below a folder of a revision.

        Parameters
        ----------
        rev : str
            A commit or tree id.
        folder : str
            From the repository's root, without a slash at its end; ``""`` for all.
        """
        with suppress(NotNearbyError):
            found = files_below(self.nearby, rev, folder)
            return [TreeEntry(_text(path), line.oid.hex(), line.mode.decode().zfill(6)) for path, line in found]
        name = f"{rev}:{folder}" if folder else rev
        done = run_git(
            self._located(("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", name)), self.work_tree or self.git_dir
        )
        if done.returncode:
            if self.read_kind(rev) is None:
                raise GitError(
                    f"the revision {rev} is not in this repository (a shallow clone, or collected). Run: git fetch --unshallow"
                )
            return []
        start = f"{folder}/" if folder else ""
        made = []
        for line in done.stdout.split(b"\0"):
            if line:
                head, _, path = line.partition(b"\t")
                mode, _, oid = head.split(b" ")
                made.append(TreeEntry(start + path.decode("utf-8", "surrogateescape"), oid.decode(), mode.decode()))
        return made

    def changes(self, old: str, new: str, *folders: str) -> list[Change]:
        """List the files below some folders that differ between two revisions.

        Raises
        ------
        GitError
            If one of the revisions is not in this repository.
        """
        with suppress(NotNearbyError):
            return [change_of(found) for found in differences(self.nearby, old, new, folders)]
        args = (
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-renames",
            "--no-ext-diff",
            "--end-of-options",
            old,
            new,
            "--",
            *(folder or "." for folder in folders),
        )
        parts = self.run(*args).split(b"\0")
        made = []
        for head, path in zip(parts[0::2], parts[1::2], strict=False):
            old_mode, new_mode, before, after, _ = head[1:].split(b" ")
            made.append(
                Change(
                    path.decode("utf-8", "surrogateescape"),
                    None if old_mode == b"000000" else before.decode(),
                    None if new_mode == b"000000" else after.decode(),
                )
            )
        return made

    def read_many(self, names: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield (name, content) for object ids or ``rev:path`` names; None where there is no such object."""
        return self._reader.read_many(names)

    def read(self, name: str) -> bytes | None:
        """Return the content of an object id or ``rev:path``, or None."""
        return self._reader.read(name)

    def committed_at(self, commit: str) -> int:
        """Return when a commit was made, milliseconds since the epoch, UTC.

        Parameters
        ----------
        commit : str
            Object id.
        """
        head = (self.read(commit) or b"").split(b"\n\n", 1)[0]
        found = re.search(rb"^committer .*> (\d+) [+-]\d{4}$", head, re.MULTILINE)
        return int(found[1] if found else self.run("show", "-s", "--format=%ct", "--end-of-options", commit)) * 1000

    def parents(self, commit: str) -> list[str]:
        """Return the ids of a commit's parents."""
        head = (self.read(commit) or b"").split(b"\n\n", 1)[0]
        return [line[7:].decode() for line in head.split(b"\n") if line.startswith(b"parent ")]

    def read_kind(self, name: str) -> str | None:
        """Return the type of an object (``commit``, ``tree``, ``blob``), or None where it is not here."""
        return self.run("cat-file", "-t", "--", name, check=False).decode().strip() or None if not name.startswith("-") else None

    def update_ref(self, name: str, new: str, old: str | None, reason: str, *, durable: bool = False) -> bool:
        """Move a ref by compare-and-swap.

        Parameters
        ----------
        name : str
            Full name.
        new : str
            Object id.
        old : str or None
            What it must be now; None: it must not exist.
        reason : str
            For the reflog.
        durable : bool, optional
            Sync it to disk.

        Returns
        -------
        bool
            False if it was not at `old` any more.
        """
        done = run_git(
            self._located(
                (*durability_options(durable), "update-ref", "-m", reason, "--end-of-options", name, new, old or "0" * len(new))
            ),
            self.work_tree or self.git_dir,
        )
        if done.returncode and b"cannot lock ref" not in done.stderr:
            raise explain(("update-ref",), done)
        return done.returncode == 0

    def local_folder(self) -> Path:
        """Return :attr:`own_folder`, made if it is missing."""
        if not self.own_folder.is_dir():
            os.makedirs(self.own_folder, exist_ok=True)
        return self.own_folder

    def close(self) -> None:
        """Stop the processes that answer questions."""
        self.configured.close()
        self._reader.close()
