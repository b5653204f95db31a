"""What the code of a run differs in from the commit it stood on, as text.

Nothing of the repository runs for it: no external diff, no text conversion, no colours of the user's. Folders of records are left
out, because a kept tree never holds them.

>>> code_diff(repo, commit, tree, ["runs/", "experiments/"])                                # doctest: +SKIP
CodeDiff(lines=('diff --git a/train.py b/train.py', ...), left_out=0)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runfolio._dataclass import dataclass
from runfolio.gitstore.ref_values import OBJECT_ID
from runfolio.gitstore.repo import Repo

MAX_LINES = 200
MAX_FILE_LINES = 80
MAX_COLUMNS = 400
_MAX_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class CodeDiff:
    """A difference of two trees, cut to what a page can show.

    Parameters
    ----------
    lines : tuple of str
        Of ``git diff``, without line ends, at most `MAX_FILE_LINES` a file; long ones are cut with ``…``.
    left_out : int
        Lines beyond those.
    """

    lines: tuple[str, ...]
    left_out: int = 0


def code_diff(repo: Repo, commit: str, tree: str, without: Sequence[str] = (), most: int = MAX_LINES) -> CodeDiff | None:
    """Return how a kept tree differs from a commit.

    Parameters
    ----------
    repo : Repo
    commit, tree : str
        Object ids.
    without : sequence of str, optional
        Paths from the repository's root that are left out, folders with all that is in them.
    most : int, optional
        Lines.

    Returns
    -------
    CodeDiff or None
        None where the repository lacks one of the two (the code is of another repository), or they cannot be compared.
    """
    if not (OBJECT_ID.match(commit) and OBJECT_ID.match(tree)):
        return None
    if repo.read_kind(commit) != "commit" or repo.read_kind(tree) != "tree":
        return None
    excluded = [f":(exclude,top,literal){path.rstrip('/')}" for path in without]
    told = repo.run(
        "diff-tree", "-r", "-p", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/",
        "--end-of-options", f"{commit}^{{tree}}", tree, "--", ":(top)", *excluded, check=False,
    )  # fmt: skip
    lines = told[:_MAX_BYTES].decode("utf-8", "replace").splitlines()
    more = told[_MAX_BYTES:].count(b"\n")
    shown = list(_bounded(lines, most))
    return CodeDiff(tuple(shown), len(lines) - len(shown) + more)


def _bounded(lines: Sequence[str], most: int) -> Iterator[str]:
    """Yield the lines to show: a long new file leaves room for the small changes after it."""
    count = of_file = 0
    for line in lines:
        of_file = 0 if line.startswith("diff --git ") else of_file + 1
        if count < most and of_file < MAX_FILE_LINES:
            count += 1
            yield line if len(line) <= MAX_COLUMNS else line[:MAX_COLUMNS] + "…"
