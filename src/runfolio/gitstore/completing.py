"""Complete a shallow or partial clone as far as a question needs it, and no further.

A shallow clone lacks history: :func:`deepen` fetches more of it, in growing steps, until two commits' common ancestor is there. A
partial clone lacks contents, which git fetches one by one as they are read, each in a request of its own: :func:`complete` fetches all
that a commit's folders lack in one.
"""

from __future__ import annotations

from collections.abc import Sequence

from runfolio.errors import RemoteError
from runfolio.gitstore.process import explain, run_git
from runfolio.gitstore.remotes import NETWORK_TIMEOUT_S, credentials
from runfolio.gitstore.repo import Repo

STEPS = (64, 512, 4096)
"""Commits by which history is deepened, before all of it is fetched."""


def merge_base(repo: Repo, one: str, other: str) -> str | None:
    """Return the common ancestor of two commits as far as history is here; None where there is none."""
    return repo.run("merge-base", "--end-of-options", one, other, check=False).decode().strip() or None


def deepen(repo: Repo, remote: str, one: str, other: str, refspecs: Sequence[str]) -> str | None:
    """Fetch history until two commits' common ancestor is there.

    Parameters
    ----------
    repo : Repo
    remote : str
    one, other : str
        Revisions; read anew after each fetch.
    refspecs : sequence of str
        Refs of the remote that lead to both.

    Returns
    -------
    str or None
        The ancestor; None where the two histories have none.

    Raises
    ------
    RemoteError
        If more history is needed and cannot be fetched; the message says by which command.
    """
    for depth in (*STEPS, None):
        found = merge_base(repo, one, other)
        if found or not (repo.common_dir / "shallow").exists():
            return found
        _fetch(
            repo,
            remote,
            ("--unshallow" if depth is None else f"--deepen={depth}", "--no-tags"),
            refspecs,
            "git fetch --unshallow",
        )
    return merge_base(repo, one, other)


def complete(repo: Repo, commit: str, folders: Sequence[str]) -> int:
    """Fetch the contents below some folders of a commit that a partial clone lacks, in one request.

    Parameters
    ----------
    repo : Repo
    commit : str
    folders : sequence of str
        From the repository's root.

    Returns
    -------
    int
        How many were fetched; 0 in a whole clone.

    Raises
    ------
    RemoteError
        If they cannot be fetched; the message says how many are missing, and by which command they come.
    """
    remote = promisor(repo)
    if remote is None:
        return 0
    trees = [
        oid
        for folder in folders
        if (oid := repo.run("rev-parse", "--verify", "--quiet", f"{commit}:{folder}", check=False).decode().strip())
    ]
    if not trees:
        return 0
    listed = repo.run("rev-list", "--objects", "--missing=print", "--no-object-names", "--stdin", input="\n".join(trees).encode())
    missing = [line[1:] for line in listed.decode().split() if line.startswith("?")]
    if missing:
        # As git itself fetches what a promisor has: these objects, and no talk about history.
        options = ("--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin")
        _fetch(
            repo,
            remote,
            options,
            (),
            f"git fetch --refetch --no-filter {remote}",
            "\n".join(missing) + "\n",
            f"{len(missing):,} records are not in this partial clone. ",
        )
    return len(missing)


def promisor(repo: Repo) -> str | None:
    """Return the remote that a partial clone gets its contents from; None where the clone is whole."""
    if not repo.partial:
        return None
    listed = repo.run("config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$", check=False).decode(
        "utf-8", "replace"
    )
    for line in listed.splitlines():
        key, _, value = line.partition(" ")
        if key == "extensions.partialclone":
            return value
        if value != "false":
            return key.removeprefix("remote.").removesuffix(".promisor")
    return None


def _fetch(
    repo: Repo,
    remote: str,
    options: tuple[str, ...],
    refspecs: Sequence[str],
    remedy: str,
    listed: str | None = None,
    what: str = "History is cut off here, and more of it is needed. ",
) -> None:
    quiet = ("-c", "fetch.negotiationAlgorithm=noop") if listed else ()
    args = (*quiet, "fetch", "--quiet", *options, "--end-of-options", remote, *refspecs)
    place = ("--git-dir", str(repo.git_dir))
    done = run_git(
        (*place, *args),
        repo.work_tree or repo.git_dir,
        input=listed.encode() if listed else None,
        env=credentials(repo, remote),
        timeout_s=NETWORK_TIMEOUT_S,
    )
    if done.returncode:
        raise RemoteError(f"{what}{explain(('fetch',), done).message}. Where the remote can be reached, run: {remedy}")
