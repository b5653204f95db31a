"""Two trees compared, whole: paths, modes and ids, without running anything of the repository."""

from __future__ import annotations

from collections.abc import Sequence

from runfolio._dataclass import dataclass
from runfolio.gitstore.process import run_git
from runfolio.gitstore.ref_values import OBJECT_ID
from runfolio.gitstore.repo import Repo

PLAIN = frozenset(("100644", "100664"))


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A file that differs between two trees.

    Parameters
    ----------
    path : str
        From the repository's root.
    old, new : str or None
        Id of the content; None where the file is not there.
    old_mode, new_mode : str
        As git has it: ``100644`` plain, ``100755`` executable, ``120000`` a symbolic link, ``160000`` a submodule; empty where it is not
        there.
    """

    path: str
    old: str | None
    new: str | None
    old_mode: str = ""
    new_mode: str = ""


def tree_difference(repo: Repo, old: str, new: str) -> list[FileDifference]:
    """List every file that differs between two commits or trees, in git's order.

    Raises
    ------
    GitError
        If one of the two is not in this repository.
    """
    parts = repo.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", "--end-of-options", old, new).split(b"\0")
    made = []
    for head, path in zip(parts[0::2], parts[1::2], strict=False):
        old_mode, new_mode, before, after, _ = head[1:].decode().split(" ")
        there, here = old_mode != "000000", new_mode != "000000"
        name = path.decode("utf-8", "surrogateescape")
        made.append(
            FileDifference(
                name,
                before if there else None,
                after if here else None,
                old_mode if there else "",
                new_mode if here else "",
            )
        )
    return made


def line_counts(repo: Repo, old: str, new: str, without: Sequence[str] = ()) -> list[tuple[str, int, int]] | None:
    """Count the lines that were added and removed in each file between two commits or trees.

    Parameters
    ----------
    repo : Repo
    old, new : str
        Object ids.
    without : sequence of str, optional
        Paths from the repository's root that are left out, folders with all that is in them.

    Returns
    -------
    list of (path, added, removed), or None
        -1 for a binary file; None where one of the two is not in this repository.
    """
    if not all(OBJECT_ID.match(name) and repo.read_kind(name) in ("commit", "tree") for name in (old, new)):
        return None
    excluded = [f":(exclude,top,literal){path.rstrip('/')}" for path in without]
    said = repo.run(
        "diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv", "--end-of-options",
        f"{old}^{{tree}}", f"{new}^{{tree}}", "--", ":(top)", *excluded,
    )  # fmt: skip
    made = []
    for line in said.decode("utf-8", "surrogateescape").split("\0"):
        if line:
            added, removed, path = line.split("\t", 2)
            made.append((path, -1, -1) if added == "-" else (path, int(added), int(removed)))
    return made


def merge_base(repo: Repo, one: str, other: str) -> str | None:
    """Return the newest commit that two have in common; None where there is none, or this clone does not reach it."""
    return repo.run("merge-base", "--end-of-options", one, other, check=False).decode().split("\n", 1)[0].strip() or None


def is_ancestor(repo: Repo, older: str, newer: str) -> bool:
    """Tell whether a commit is another, or behind it."""
    return repo.succeeds("merge-base", "--is-ancestor", older, newer)


def is_shallow(repo: Repo) -> bool:
    """Tell whether the clone's history is cut off."""
    return (repo.common_dir / "shallow").is_file()


def commits_between(repo: Repo, base: str, head: str, most: int) -> list[str]:
    """List the commits behind `head` that are not behind `base`, newest first, at most `most`."""
    said = repo.run("rev-list", f"--max-count={most}", "--end-of-options", head, f"^{base}", "--")
    return said.decode().split()


def names_in(repo: Repo, rev: str, folder: str) -> list[str]:
    """List the names in a folder of a commit, files and folders, not what is below.

    Parameters
    ----------
    repo : Repo
    rev : str
        Object id of a commit.
    folder : str
        From the repository's root, without a slash at its end; ``""`` for the root.
    """
    args = ("--git-dir", str(repo.git_dir), "ls-tree", "-z", "--full-tree", "--name-only", "--end-of-options", f"{rev}:{folder}")
    done = run_git(args, repo.git_dir)
    return [name.decode("utf-8", "surrogateescape") for name in done.stdout.split(b"\0") if name] if done.returncode == 0 else []
