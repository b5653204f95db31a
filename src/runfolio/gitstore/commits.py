"""Make one commit of some files, without index and work tree.

It is made in this process (:mod:`runfolio.gitstore.direct`) or, where it is large or anything is not plain, by one ``git fast-import``
without ``--force``, which writes blobs, trees, commit and ref. Either way, where the branch has moved meanwhile nothing is changed, and
the caller folds again on the new tip (measured, and what the race tests hold). At 100,000 runs a batch of a hundred costs 0.2 to 0.3 ms
a run, where an index-based commit costs hundreds.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from runfolio._dataclass import dataclass
from runfolio._pattern import pattern
from runfolio._variables import variables
from runfolio.errors import GitError
from runfolio.gitstore.process import explain, run_git
from runfolio.gitstore.program import durability_options
from runfolio.gitstore.repo import Repo


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a commit.

    Parameters
    ----------
    path : str
        From the repository's root.
    data : bytes or None
        None removes it.
    donor : str or None
        A file that is not needed once the commit is made: it may become this one in the work tree.
    """

    path: str
    data: bytes | None
    donor: str | None = None


_NOT_IN_IDENT = pattern(r"[<>\n\0]")


@dataclass(frozen=True, slots=True)
class Ident:
    """Who a commit is by."""

    name: str
    mail: str

    @classmethod
    def parse(cls, text: str) -> Ident | None:
        """Read ``Name <mail>`` (what follows is ignored); None if it is not of that form."""
        match = re.match(r"([^<>\n]*)<([^<>\n]*)>", text)
        return cls(match[1].strip(), match[2].strip()) if match else None

    def line(self, at_s: int) -> str:
        """Return the ident line of a commit at a time in seconds since the epoch."""
        offset = time.localtime(at_s).tm_gmtoff
        sign, minutes = ("-" if offset < 0 else "+"), abs(offset) // 60
        return f"{_NOT_IN_IDENT.sub('', self.name)} <{_NOT_IN_IDENT.sub('', self.mail)}> {at_s} {sign}{minutes // 60:02d}{minutes % 60:02d}"


MOST_BYTES = 16 * 1024 * 1024
"""Bytes of a commit's files up to which no git is started: they and what they are compressed to are held in memory."""
SOME = 1000
"""The same where no ref has to be moved: one process of git for all of them would cost a start, and compress them twice."""

_IDENT_S = 10.0
_NAMES = (b"GIT_AUTHOR_NAME", b"GIT_AUTHOR_EMAIL", b"EMAIL", b"HOME")
_COMMITTER = (b"GIT_COMMITTER_NAME", b"GIT_COMMITTER_EMAIL")
_CONFIGURED = ("author.name", "author.email", "user.name", "user.email")
_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"
"""What git takes away from the ends of a name."""
_idents: dict[tuple[str | bytes | None, ...], tuple[float, Ident]] = {}


def configured_ident(repo: Repo) -> Ident:
    """Return git's configured author, or a plain runfolio ident where none is configured; asked again after some seconds."""
    key = (str(repo.git_dir), *variables(_NAMES))
    held = _idents.get(key)
    if held is None or not 0 <= time.monotonic() - held[0] < _IDENT_S:
        text = _plain_author(repo) or repo.run("var", "GIT_AUTHOR_IDENT", check=False).decode("utf-8", "replace")
        held = _idents[key] = (time.monotonic(), Ident.parse(text) or Ident("runfolio", "runfolio@localhost"))
    return held[1]


def _plain_author(repo: Repo) -> str | None:
    """Return what ``git var GIT_AUTHOR_IDENT`` says where name and address are set in plain words; None where git is to be asked.

    Git makes up what is not set, takes away what would end the name or the address (``ident.c``, "crud"), and refuses a wrong date.
    """
    said = repo.configured.values().said
    if not said or "GIT_AUTHOR_DATE" in os.environ or any(said.get(key, "") is None for key in _CONFIGURED):
        return None
    found = []
    for variable, field in (("GIT_AUTHOR_NAME", "name"), ("GIT_AUTHOR_EMAIL", "email")):
        value = os.environ.get(variable)
        if value is None:
            value = said.get(f"author.{field}", "") or said.get(f"user.{field}", "")
        if not value or value.strip(_CRUD) != value or any(letter in value for letter in "<>\n\ufffd") or not _is_text(value):
            return None
        found.append(str(value))
    return f"{found[0]} <{found[1]}>"


def _is_text(value: str) -> bool:
    try:
        return bool(value.encode("utf-8"))
    except UnicodeEncodeError:
        return False


def committer(repo: Repo) -> Ident:
    """Return who moves a branch, for its reflog: the committer of the environment, else git's configured author."""
    name, mail = variables(_COMMITTER)
    return Ident(os.fsdecode(name), os.fsdecode(mail)) if name and mail else configured_ident(repo)


def commit_files(
    repo: Repo,
    branch: str,
    parent: str | None,
    changes: Iterable[FileChange],
    message: str,
    author: Ident,
    *,
    durable: bool = False,
    at_s: int | None = None,
) -> bool:
    """Commit some files on a branch.

    Parameters
    ----------
    repo : Repo
    branch : str
        Full ref name.
    parent : str or None
        The tip on which the changes were made; None for a branch without commits.
    changes : iterable of FileChange
    message : str
    author : Ident
    durable : bool, optional
        Sync objects and ref to disk before returning.
    at_s : int, optional
        Time of the commit, seconds since the epoch; the clock's by default.

    Returns
    -------
    bool
        False if the branch was not at `parent` any more: nothing was changed, fold again.

    Raises
    ------
    GitError
        If git failed for another reason (disk full, read-only repository).
    """
    now = int(time.time())
    stamp = author.line(now if at_s is None else at_s)
    text = message.encode("utf-8", "surrogateescape")
    changes = list(changes)
    if changes and sum(len(change.data or b"") for change in changes) <= MOST_BYTES:
        from runfolio.gitstore.direct import commit_directly
        from runfolio.gitstore.ref_files import LeaveToGitError

        who = committer(repo)
        who_when = stamp if who == author and at_s is None else who.line(now)
        reflog = f"{who_when}\trunfolio: {message.partition(chr(10))[0]}"
        try:
            return commit_directly(repo, branch, parent, changes, text, stamp, reflog, durable=durable)
        except LeaveToGitError:
            pass
    out = [f"commit {branch}\nauthor {stamp}\ncommitter {stamp}\ndata {len(text)}\n".encode(), text, b"\n"]
    out.append(f"from {parent}\n".encode() if parent else b"")
    out += [_command(change) for change in changes]
    out.append(b"done\n")
    args = (*durability_options(durable), "fast-import", "--quiet", "--done", "--date-format=raw")
    done = run_git(("--git-dir", str(repo.git_dir), *args), repo.git_dir, input=b"".join(out))
    if done.returncode == 0:
        return True
    if b"not updating" in done.stderr.lower() or b"cannot lock ref" in done.stderr:
        return False
    raise explain(("fast-import",), done)


def commit_alone(
    repo: Repo, like: str | None, changes: Iterable[FileChange], message: str, author: Ident, by: str, *, at_s: int | None = None
) -> str:
    """Make a commit without a parent whose files are those of another commit with some changes; no ref is left.

    Parameters
    ----------
    repo : Repo
    like : str or None
        Id of the other commit; None starts from nothing.
    changes : iterable of FileChange
    message : str
    author : Ident
    by : str
        Full name of a ref to use meanwhile; it is removed.
    at_s : int, optional
        Time of the commit, seconds since the epoch; the clock's by default.

    Returns
    -------
    str
        Id of the commit.
    """
    stamp = author.line(int(time.time()) if at_s is None else at_s)
    text = message.encode("utf-8", "surrogateescape")
    changes = list(changes)
    if like and len(changes) <= SOME:
        from runfolio.gitstore.direct import commit_directly_alone
        from runfolio.gitstore.ref_files import LeaveToGitError

        with suppress(LeaveToGitError):
            return commit_directly_alone(repo, like, changes, text, stamp)
    tree = repo.run("rev-parse", "--verify", "--end-of-options", f"{like}^{{tree}}").decode().strip() if like else None
    out = [f"commit {by}\nauthor {stamp}\ncommitter {stamp}\ndata {len(text)}\n".encode(), text, b"\n"]
    out.append(f'M 040000 {tree} ""\n'.encode() if tree else b"")
    out += [_command(change) for change in changes]
    out.append(b"done\n")
    args = ("--git-dir", str(repo.git_dir), "fast-import", "--quiet", "--done", "--force", "--date-format=raw")
    try:
        done = run_git(args, repo.git_dir, input=b"".join(out))
        if done.returncode:
            raise explain(("fast-import",), done)
        made = repo.resolve(by)
        assert made is not None
        return made
    finally:
        repo.run("update-ref", "-d", by, check=False)


def commit_tree(
    repo: Repo, tree: str, parents: Sequence[str], message: str, author: Ident, *, durable: bool = False, sign: bool = False
) -> str:
    """Make the commit of a tree, moving nothing, and return its id.

    Raises
    ------
    GitError
        If it could not be signed.
    """
    idents = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", author.name), ("EMAIL", author.mail))
    }
    named = [word for parent in parents for word in ("-p", parent)]
    args = (*durability_options(durable), "commit-tree", *(("-S",) if sign else ()), tree, *named)
    try:
        return repo.run(*args, input=message.encode("utf-8", "surrogateescape"), env=idents).decode().strip()
    except GitError as error:
        if not sign:
            raise
        raise GitError(
            f"The commit of records could not be signed: {error.message}. Set up a key (git config user.signingKey), or set "
            "commit.sign: false in runfolio.yaml; then run: runfolio commit"
        ) from None


def _command(change: FileChange) -> bytes:
    path = _quote(change.path)
    if change.data is None:
        return b"D " + path + b"\n"
    return b"M 100644 inline " + path + f"\ndata {len(change.data)}\n".encode() + change.data + b"\n"


def _quote(path: str) -> bytes:
    data = path.encode("utf-8", "surrogateescape")
    return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def trailers(values: Mapping[str, str]) -> str:
    """Write git trailers, one a line, for the end of a message."""
    return "".join(f"{key}: {value}\n" for key, value in values.items())
