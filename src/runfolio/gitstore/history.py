"""Commits that changed some files, the merge that brought each to the main line, and who signed them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runfolio._dataclass import dataclass
from runfolio.gitstore.process import run_git
from runfolio.gitstore.repo import Change, Repo

_FORMAT = "%x01%H%x02%P%x02%ct%x02%an%x02%ae%x02%B%x01"
_SIGNED = "%H%x02%G?%x02%GS%x02%GK"
_SIGNATURE = b"\ngpgsig"
STATES = {
    "G": "good",
    "U": "good, of a key that nobody vouches for",
    "X": "good, expired since",
    "Y": "good, by a key expired since",
    "R": "good, by a key revoked since",
    "B": "BAD",
    "E": "cannot be checked",
    "N": "none",
}


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit and the files that it changed, of those asked for.

    Parameters
    ----------
    oid : str
    parents : tuple of str
    at : int
        When it was committed, milliseconds since the epoch, UTC.
    author, mail, message : str
    changes : tuple of Change
        Paths from the repository's root. Of a merge, the files that are as in none of its parents, against the first one.
    """

    oid: str
    parents: tuple[str, ...]
    at: int
    author: str
    mail: str
    message: str
    changes: tuple[Change, ...] = ()

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True, slots=True)
class Signature:
    """Whether a commit is signed: a word of :data:`STATES`, who by, and with which key."""

    state: str
    signer: str = ""
    key: str = ""


def raw_changes(body: bytes) -> Iterator[Change]:
    """Read the files of one commit as ``git log -z --raw`` (``-c`` for merges) prints them."""
    parts = body.split(b"\0")
    for at, part in enumerate(parts):
        head = part.lstrip(b"\n")
        if not head.startswith(b":"):
            continue
        sides = len(head) - len(head.lstrip(b":"))
        words = head.lstrip(b":").split(b" ")
        modes, oids = words[: sides + 1], words[sides + 1 : 2 * sides + 2]
        yield Change(
            parts[at + 1].decode("utf-8", "surrogateescape"),
            None if modes[0] == b"000000" else oids[0].decode(),
            None if modes[-1] == b"000000" else oids[-1].decode(),
        )


def commits_that_changed(repo: Repo, tip: str, folders: Sequence[str], limit: int) -> list[Commit]:
    """List the commits behind a tip, on every line, that changed files below some folders; newest first.

    Parameters
    ----------
    repo : Repo
    tip : str
    folders : sequence of str
        From the repository's root.
    limit : int
    """
    said = repo.run(
        "log", "-z", f"--max-count={limit}", "--full-history", "--topo-order", "-c", "--root", "--raw", "--no-renames", "--no-abbrev",
        "--no-ext-diff", "--no-show-signature", f"--format={_FORMAT}", "--end-of-options", tip, "--", *folders,
    )  # fmt: skip
    parts = said.split(b"\x01")
    made = []
    for head, body in zip(parts[1::2], parts[2::2], strict=True):
        oid, parents, at, author, mail, message = head.decode("utf-8", "replace").split("\x02", 5)
        changes = tuple(raw_changes(body))
        if changes:
            made.append(Commit(oid, tuple(parents.split()), int(at) * 1000, author, mail, message, changes))
    return made


def merges_that_brought(repo: Repo, tip: str) -> dict[str, Commit]:
    """Return, for each commit that came to the main line by a merge, that merge.

    The main line is that of first parents. One walk of the graph, linear in the number of commits.
    """
    said = repo.run(
        "log", "-z", "--first-parent", "--merges", "--no-show-signature", f"--format={_FORMAT}", "--end-of-options", tip, "--"
    )
    merges = []
    for head in said.split(b"\x01")[1::2]:
        oid, names, at, author, mail, message = head.decode("utf-8", "replace").split("\x02", 5)
        merges.append(Commit(oid, tuple(names.split()), int(at) * 1000, author, mail, message))
    if not merges:
        return {}
    lines = repo.run("rev-list", "--parents", "--end-of-options", tip, "--").decode().splitlines()
    parents = {words[0]: words[1:] for words in map(str.split, lines)}
    main, at_oid = set(), tip
    while at_oid in parents:
        main.add(at_oid)
        if not parents[at_oid]:
            break
        at_oid = parents[at_oid][0]
    brought: dict[str, Commit] = {}
    for merge in reversed(merges):
        waiting = list(merge.parents[1:])
        while waiting:
            oid = waiting.pop()
            if oid not in main and oid not in brought:
                brought[oid] = merge
                waiting += parents.get(oid, ())
    return brought


def signatures(repo: Repo, oids: Iterable[str], allowed_signers: str | None = None) -> dict[str, Signature]:
    """Check the signatures of commits, offline: by git, gpg and ssh-keygen as they are configured here.

    Parameters
    ----------
    repo : Repo
    oids : iterable of str
    allowed_signers : str, optional
        File of the ssh keys that count, and whose they are (``man ssh-keygen``, ALLOWED SIGNERS); git's configured one by default.

    Returns
    -------
    dict of str to Signature
    """
    wanted = "".join(f"{oid}\n" for oid in oids)
    if not wanted:
        return {}
    options = ("-c", f"gpg.ssh.allowedSignersFile={allowed_signers}") if allowed_signers else ()
    done = run_git(
        (*options, "--git-dir", str(repo.git_dir), "log", "--no-walk=unsorted", "-z", f"--format={_SIGNED}", "--stdin"),
        repo.git_dir,
        input=wanted.encode(),
    )
    made = {}
    for line in done.stdout.decode("utf-8", "replace").split("\0"):
        if line:
            oid, state, signer, key = line.split("\x02", 3)
            made[oid] = Signature(STATES.get(state, STATES["E"]), signer, key)
    # git says N, as of one without a signature, of an ssh signature while there is no file of allowed signers.
    for oid, data in repo.read_many([oid for oid, found in made.items() if found.state == STATES["N"]]):
        if data is not None and _SIGNATURE in data.partition(b"\n\n")[0]:
            made[oid] = Signature(STATES["E"], "", "")
    return made
