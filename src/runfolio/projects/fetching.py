"""Fetch a project: a folder as it is, a git repository at one revision into a folder of its own.

A repository is read as data. Only the transport that the address names is spoken; no hook, filter or LFS runs, no submodule is
fetched, and a link that leads out of the tree is refused before anything is written. Passwords in addresses are shown nowhere and kept
nowhere, also not in the clone.

What it does *not* do: change the work tree of a local repository. With a revision, a local one is cloned like any other.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runfolio._dataclass import dataclass
from runfolio.errors import GitError, NotFoundError, RemoteError, UsageError, storage_errors
from runfolio.gitstore.process import explain, run_git
from runfolio.records.redaction import Redactor

_TRANSPORTS = {"https": "https", "http": "http:https", "ssh": "ssh", "git": "git", "file": "file"}
_SCP = re.compile(r"(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9_\[][\w.\-:\[\]]*:(?!/?/?:)(?P<path>.*)\Z", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{7,64}\Z")
_LINK, _SUBMODULE = "120000", "160000"
_PLAIN = "* -filter -text -ident -eol -working-tree-encoding -export-subst\n"
MAX_LINK = 4096


@dataclass(frozen=True, slots=True)
class Source:
    """A project's address.

    Parameters
    ----------
    shown : str
        The address without password, as it is recorded.
    address : str
        Of a repository, or a folder's path.
    subfolder : str
    transport : str
        What git may speak; empty for a folder.
    """

    shown: str
    address: str
    subfolder: str = ""
    transport: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A project that is here.

    Parameters
    ----------
    folder : Path
        Of the project.
    source : Source
    version : str
        The revision that was asked for.
    branch : str
        The revision, where it is a branch.
    temporary : bool
        The folder goes when the run has ended.
    notices : tuple of str
    """

    folder: Path
    source: Source
    version: str = ""
    branch: str = ""
    temporary: bool = False
    notices: tuple[str, ...] = ()


def parse_source(uri: str) -> Source:
    """Read a project's URI.

    Raises
    ------
    UsageError
        If it is none, or of a kind that is not fetched.
    """
    plain = uri.strip("'\"")
    address, _, subfolder = plain.partition("#")
    redactor = Redactor(home="")
    shown = redactor.remote(address) + (f"#{subfolder}" if subfolder else "")
    if not address or address.startswith("-") or any(ord(letter) < 32 for letter in plain):
        raise UsageError(f"{shown!r} is no project: give a folder, or the address of a git repository.")
    parts = subfolder.split("/") if subfolder else []
    if ".." in parts or subfolder.startswith("/") or ".git" in parts:
        raise UsageError(f"{shown}: the subfolder after # must lie in the project, without '..'.")
    if os.path.exists(address):
        return Source(os.path.abspath(address) + (f"#{subfolder}" if subfolder else ""), os.path.abspath(address), subfolder)
    if "::" in address.partition("/")[0]:
        raise UsageError(
            f"{shown}: git remote helpers ({address.partition('::')[0]}::) run programs, and are not used. Give a URL."
        )
    scheme = address.partition("://")[0].lower() if "://" in address else ""
    if scheme:
        if scheme not in _TRANSPORTS:
            raise UsageError(f"{shown}: {scheme}: is not fetched. Give a folder, or https, http, ssh, git or file.")
        if scheme != "file" and not _host_is_one(address):
            raise UsageError(f"{shown}: there is no name of a host in this address.")
        return Source(shown, address, subfolder, _TRANSPORTS[scheme])
    if _SCP.match(address) and "/" not in address.partition(":")[0]:
        return Source(shown, address, subfolder, "ssh")
    raise NotFoundError(
        f"There is no folder {shown!r}, and it is no address of a git repository (https://…, ssh://…, user@host:path)."
    )


def _host_is_one(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return bool(host) and not host.startswith("-")


@contextmanager
def fetched(source: Source, version: str | None, tell: Callable[[str], None] = lambda _: None) -> Iterator[Fetched]:
    """Give a project's folder for a while.

    Parameters
    ----------
    source : Source
    version : str, optional
        Branch, tag or commit of a repository; the remote's HEAD by default, and a local folder as it is.
    tell : callable, optional

    Raises
    ------
    UsageError, NotFoundError
        If revision or subfolder are none.
    RemoteError
        If the repository could not be fetched.
    """
    if version is not None and (
        not version or version.startswith("-") or re.search(r"[\s\x00-\x1f\x7f:^~?*\[\\]|\.\.|@\{", version)
    ):
        raise UsageError(f"{version!r} is no revision: give a branch, a tag or a commit.")
    local = _local(source)
    if local is not None and version is None:
        yield Fetched(_subfolder(local, source), source)
        return
    if local is not None and not (local / ".git").exists() and not (local / "HEAD").is_file():
        raise UsageError(f"{source.shown}: setting a version is only supported for git repositories, and this folder is none.")
    place = Path(tempfile.mkdtemp(prefix="runfolio-project-"))
    try:
        tell(f"fetching {source.shown} at {version or 'its HEAD'}")
        there = source if local is None else Source(source.shown, str(local), source.subfolder, "file")
        with storage_errors(f"fetch {source.shown}"):
            branch, notices = _clone(there, version, place)
        yield Fetched(_subfolder(place, source), source, version or "", branch, True, tuple(notices))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _local(source: Source) -> Path | None:
    """Return the folder of a local project that can be used as it is."""
    if not source.transport:
        return Path(source.address)
    if source.transport == "file":
        path = Path(unquote(urlsplit(source.address).path))
        if path.is_dir() and not (path / "HEAD").is_file():
            return path
    return None


def _subfolder(root: Path, source: Source) -> Path:
    folder = root / source.subfolder if source.subfolder else root
    if not folder.is_dir():
        raise NotFoundError(f"{source.shown}: there is no folder {source.subfolder or source.address!r}.")
    if not folder.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"{source.shown}: the subfolder {source.subfolder!r} is a link that leads out of the project.")
    return folder


def _clone(source: Source, version: str | None, place: Path) -> tuple[str, list[str]]:
    _git(("init", "-q", "--template="), place)
    (place / ".git" / "info").mkdir(exist_ok=True)
    (place / ".git" / "info" / "attributes").write_text(_PLAIN, "utf-8")
    redacted = source.shown.partition("#")[0]
    for key, value in (("core.hooksPath", os.devnull), ("submodule.recurse", "false"), ("remote.origin.url", redacted)):
        _git(("config", key, value), place)
    branch, commit = _fetch(source, version, place)
    notices = _check_tree(place, commit, source)
    _git(("checkout", "-q", "--no-recurse-submodules", "--detach", commit), place)
    return branch, notices


def _fetch(source: Source, version: str | None, place: Path) -> tuple[str, str]:
    """Fetch one revision, shallow where the remote allows it; returns its branch and commit."""
    wanted = version or "HEAD"
    for kind in (f"refs/heads/{wanted}", f"refs/tags/{wanted}", wanted):
        said = _fetch_refs(source, place, ("--depth=1",), f"+{kind}:refs/runfolio/wanted")
        if "dumb http transport" in said:  # a plain file server hands out whole histories only
            said = _fetch_refs(source, place, (), f"+{kind}:refs/runfolio/wanted")
        if not said:
            return (wanted if kind.startswith("refs/heads/") else ""), _commit(place, "refs/runfolio/wanted^{commit}")
        if version is None and kind != wanted:
            continue
        if not _is_absence(said):
            raise _failed(source, said)
    # An abbreviated commit, or one that the remote does not hand out for itself.
    if version is not None and _COMMIT.match(version):
        said = _fetch_refs(source, place, (), "+refs/heads/*:refs/runfolio/heads/*", "+refs/tags/*:refs/runfolio/tags/*")
        if said:
            raise _failed(source, said)
        done = run_git(("rev-parse", "--verify", "--quiet", "--end-of-options", f"{version}^{{commit}}"), place)
        if done.returncode == 0:
            return "", done.stdout.decode().strip()
    raise NotFoundError(f"{source.shown}: there is no revision {wanted!r}: no branch, tag or commit of that name.")


def _fetch_refs(source: Source, place: Path, flags: tuple[str, ...], *refs: str) -> str:
    args = (
        "fetch",
        "-q",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        *flags,
        "--end-of-options",
        source.address,
    )
    allow = {"GIT_ALLOW_PROTOCOL": source.transport, "GIT_PROTOCOL_FROM_USER": "1"}
    done = run_git((*args, *refs), place, env=allow)
    return done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}" if done.returncode else ""


def _is_absence(said: str) -> bool:
    return any(
        words in said.lower() for words in ("couldn't find remote ref", "not our ref", "invalid refspec", "not a valid object")
    )


def _failed(source: Source, said: str) -> RemoteError:
    hidden = Redactor(home=str(Path.home())).text(said.replace(source.address, source.shown.partition("#")[0]))
    lines = [line for line in hidden.splitlines() if line.strip() and not line.startswith("hint:")]
    return RemoteError(
        f"{source.shown} could not be fetched: {'; '.join(lines[-3:])}. Check the address, and git's own access to it."
    )


def _check_tree(place: Path, commit: str, source: Source) -> list[str]:
    """Refuse links that lead out; returns what is left out of the tree."""
    listed = _git(("ls-tree", "-r", "-z", "--full-tree", commit), place)
    links, submodules = [], []
    for entry in filter(None, listed.split(b"\0")):
        facts, _, name = entry.partition(b"\t")
        mode, _, oid = facts.decode("ascii").split(" ")
        path = os.fsdecode(name)
        if mode == _SUBMODULE:
            submodules.append(path)
        elif mode == _LINK:
            target = os.fsdecode(_git(("cat-file", "blob", oid), place)[:MAX_LINK])
            if _leads_out(path, target):
                links.append(f"{path} -> {target}")
    if links:
        raise UsageError(f"{source.shown}: links that lead out of the repository are refused: {', '.join(links[:5])}.")
    return [f"submodules are not fetched: {', '.join(submodules[:5])}"] if submodules else []


def _leads_out(path: str, target: str) -> bool:
    if target.startswith("/"):
        return True
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return joined == ".." or joined.startswith("../") or joined.split("/")[0] == ".git"


def _commit(place: Path, name: str) -> str:
    return _git(("rev-parse", "--verify", "--end-of-options", name), place).decode().strip().splitlines()[-1]


def _git(args: tuple[str, ...], place: Path) -> bytes:
    done = run_git(args, place)
    if done.returncode:
        raise GitError(explain(args, done).message)
    return done.stdout
