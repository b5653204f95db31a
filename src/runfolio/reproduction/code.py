"""Which code runs: the tree that the record names, the work tree's, or a revision's; fetched where it is not here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runfolio._dataclass import dataclass
from runfolio.errors import GitError, NotFoundError
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.gitstore.codestate import code_tree
from runfolio.gitstore.difference import line_counts
from runfolio.gitstore.ref_values import OBJECT_ID
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.snapshots import CODE_REF
from runfolio.gitstore.trees import read_tree, without, write_tree
from runfolio.records.runs import Run
from runfolio.reproduction.asking import CannotRunError
from runfolio.tracking.source import record_rules

RECORDED, HERE = "recorded", "here"
MOST_FILES = 50
MOST_LINES = 3
_MAX_BYTES = 2_000_000
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class Code:
    """A code tree, and what it is called.

    Parameters
    ----------
    source : str
        ``recorded``, ``here``, or the revision as it was named.
    tree : str
    notes : tuple of str
    """

    source: str
    tree: str
    notes: tuple[str, ...] = ()


def recorded_tree(run: Run) -> str:
    """Return the id of the tree that a record names; of a commit where it names none, and the code was clean."""
    code = run.code
    tree = str(code.get("tree") or "")
    if not tree and code.get("commit") and not code.get("dirty"):
        tree = f"{code['commit']}^{{tree}}"
    return tree


def chosen_code(folio: Folio, run: Run, source: str, scratch: Repo) -> Code:
    """Return the code that is to run.

    Parameters
    ----------
    folio : Folio
    run : Run
    source : str
        ``recorded``, ``here`` or a revision.
    scratch : Repo
        That may read the folio's objects, and takes what has to be fetched.

    Raises
    ------
    CannotRunError
        If the recorded code is not kept, here or at the remote.
    NotFoundError
        If there is no such revision.
    """
    if source == RECORDED:
        return Code(source, _recorded(folio, run, scratch))
    return Code(source, tree_of(folio, source))


def tree_of(folio: Folio, source: str) -> str:
    """Return the code tree of the work tree (``here``), or of a revision; without records.

    Raises
    ------
    NotFoundError
        If there is no such revision, or no work tree.
    """
    repo, rules = folio.repo, record_rules(folio.place.prefix)
    if source == HERE:
        if repo.work_tree is None:
            raise NotFoundError("A bare repository has no work tree. Name a revision: --code main")
        folder = folio.place.folder(paths.RUNS)
        settings = folio.settings.capture
        return code_tree(
            repo, rules, untracked_max_bytes=settings.untracked_max_bytes, runs_folder=folder, built=paths.BUILT_SITE
        ).tree
    commit = repo.resolve(source)
    entries = read_tree(repo, f"{commit}^{{tree}}") if commit else None
    if entries is None:
        raise NotFoundError(f"There is no revision {source!r}. Write recorded, here, or a revision of this repository.")
    return write_tree(repo, without(repo, entries, rules))


def _recorded(folio: Folio, run: Run, scratch: Repo) -> str:
    tree = recorded_tree(run)
    if not tree:
        why = "; ".join(notice for notice in run.notices if "code" in notice) or "the record names no code"
        raise CannotRunError(f"the code was not kept: {why}")
    if not OBJECT_ID.match(tree):  # of a commit
        entries = read_tree(scratch, tree)
        if entries is None:
            raise CannotRunError(f"the code is not in this clone: commit {run.code.get('commit')}. Fetch it: git fetch --all")
        return write_tree(scratch, without(scratch, entries, record_rules(folio.place.prefix)))
    if scratch.read_kind(tree) != "tree":
        _fetch(folio, scratch)
    if scratch.read_kind(tree) != "tree":
        remote = folio.settings.remote
        raise CannotRunError(
            f"the code is not kept: the tree {tree} is neither here nor under {CODE_REF} of {remote}. Push it from the clone that "
            "made the run: runfolio sync"
        )
    return tree


def _fetch(folio: Folio, scratch: Repo) -> None:
    """Fetch the kept code of the remote into the scratch repository: the user's refs stay as they are."""
    url = folio.repo.config(f"remote.{folio.settings.remote}.url")
    if url is None:
        return
    if "://" not in url and not url.startswith("/") and ":" not in url and folio.repo.work_tree is not None:
        url = str((folio.repo.work_tree / url).resolve())
    try:
        scratch.run("fetch", "--quiet", "--no-tags", "--end-of-options", url, f"+{CODE_REF}:{CODE_REF}")
    except GitError:
        return  # what could not be fetched is named as missing


def changed_files(repo: Repo, old: str, new: str, prefix: str) -> dict[str, str]:
    """Say which files differ between two code trees, and by how many lines; some, where they are many.

    Records and settings of the folio do not count: they are no code.
    """
    if old == new:
        return {}
    ours: Sequence[str] = [prefix + name for name in (*paths.OURS, "datasets")]
    found = line_counts(repo, old, new, ours) or []
    lines = _first_lines(repo, old, new, ours) if len(found) <= MOST_FILES else {}
    made = {}
    for path, added, removed in found[:MOST_FILES]:
        where = f", line {', '.join(map(str, lines[path]))}" if path in lines else ""
        made[path] = "binary" if added < 0 else f"+{added} -{removed}{where}"
    if len(found) > MOST_FILES:
        made["…"] = f"{len(found) - MOST_FILES} files more"
    return made


def _first_lines(repo: Repo, old: str, new: str, without: Sequence[str]) -> dict[str, list[int]]:
    """Return where files differ: the first line of each stretch in the new file, three at most."""
    excluded = [f":(exclude,top,literal){path}" for path in without]
    told = repo.run(
        "-c", "core.quotePath=false", "diff-tree", "-r", "-p", "-U0", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames",
        "--src-prefix=a/", "--dst-prefix=b/", "--diff-filter=M", "--end-of-options", old, new, "--", ":(top)", *excluded, check=False,
    )  # fmt: skip
    made: dict[str, list[int]] = {}
    path = ""
    for line in told[:_MAX_BYTES].decode("utf-8", "replace").splitlines():
        if line.startswith("+++ b/"):
            path = line[6:].rstrip("\t")
        elif (match := _HUNK.match(line)) and len(made.setdefault(path, [])) < MOST_LINES:
            made[path].append(max(int(match[1]), 1))
    return made
