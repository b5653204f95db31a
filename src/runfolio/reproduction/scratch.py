"""The scratch folio: a repository of its own whose work tree is the recorded code, with the records as the run found them.

It reads git's objects through the folio's (``objects/info/alternates``) and artifacts through the folio's store
(``runfolio.artifactsBehind``), so that nothing is copied, ``models:/`` and ``runs:/`` URIs mean what they meant when the run started,
and all that is written stays in it. It lies in a temporary folder, which is removed at the end; one that a killed process left is
removed by the next.

What it does *not* do: run anything.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import GitError, storage_errors
from runfolio.folio.folio import Folio
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.settings import decode_settings, initial_settings
from runfolio.gitstore.process import run_git
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.snapshots import restore_tree
from runfolio.gitstore.trees import FOLDER, Entry, read_tree, write_tree
from runfolio.objects import is_bucket
from runfolio.records.runs import Run
from runfolio.records.settings import CommitSettings, Settings
from runfolio.reproduction.code import Code, chosen_code

NAME = "runfolio-reproduce-"
_HOLD = "hold"
_RECORDS = (paths.RUNS, paths.EXPERIMENTS, paths.MODELS, paths.ENVIRONMENTS, "datasets")
_WITH_FILES = "[core]\n\tbare = false\n"
_IDENT = {
    f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "x"), ("EMAIL", "x@localhost"))
}
_CONFIG = """
[core]
\thooksPath = /dev/null
\tautocrlf = false
[commit]
\tgpgSign = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


@dataclass(frozen=True, slots=True)
class Scratch:
    """A scratch folio.

    Parameters
    ----------
    folio : Folio
    code : Code
    root : Path
        Of the code's work tree.
    base : Path
        The folder that holds everything.
    notes : tuple of str
    """

    folio: Folio
    code: Code
    root: Path
    base: Path
    notes: tuple[str, ...] = ()


@contextmanager
@storage_errors("make a scratch folio")
def scratch_folder() -> Iterator[Path]:
    """Yield a folder of this process's own, and remove it at the end; remove those that killed processes left."""
    sweep_left()
    base = Path(tempfile.mkdtemp(prefix=NAME))
    hold = os.open(base / _HOLD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(hold, fcntl.LOCK_EX)
        yield base
    finally:
        os.close(hold)
        remove(base)


def remove(base: Path) -> None:
    """Remove a folder with whatever modes a program gave to what is in it."""

    def again(_: object, path: str, __: object) -> None:
        with suppress(OSError):
            if Path(path) != base:  # the folder that it lies in is the machine's, and others' too
                os.chmod(os.path.dirname(path), 0o700)
            os.chmod(path, 0o700)
            os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)

    shutil.rmtree(base, onerror=again)
    shutil.rmtree(base, ignore_errors=True)


def sweep_left() -> None:
    """Remove scratch folders of ours that nobody holds."""
    for left in Path(tempfile.gettempdir()).glob(f"{NAME}*"):
        with suppress(OSError):
            if left.lstat().st_uid != os.getuid() or left.is_symlink():
                continue
            hold = os.open(left / _HOLD, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(left)
            finally:
                os.close(hold)


def make_scratch(folio: Folio, run: Run, source: str, base: Path) -> Scratch:
    """Make the scratch folio for a run.

    Parameters
    ----------
    folio : Folio
    run : Run
    source : str
        Which code: see :func:`~runfolio.reproduction.code.chosen_code`.
    base : Path
        An empty folder.

    Raises
    ------
    CannotRunError
        If the code cannot be had.
    """
    git = base / "git"
    _init(folio.repo, git)
    with open(git / "config", "a", encoding="utf-8") as config:
        config.write(_told(folio, base))
    bare = Repo(git, git, None)
    try:
        code = chosen_code(folio, run, source, bare)
        root = base / "code"
        restore_tree(bare, code.tree, root)
        commit, note = records_commit(folio, run)
        inside = run.code.get("repository", "here") == "here"
        prefix = folio.place.prefix if inside else ""
        records = _subtrees(folio, commit)
        if not inside:
            own = base / "folio"
            _init(folio.repo, own / ".git")
            with open(own / ".git" / "config", "a", encoding="utf-8") as config:
                config.write(_told(folio, base) + _WITH_FILES)
            said = folio.place.read(commit, paths.SETTINGS)
            own.joinpath(paths.SETTINGS).write_bytes(said or initial_settings())
            _attach(Repo(own / ".git", own / ".git", own), "", None, records)
            records = {}
        with open(git / "config", "a", encoding="utf-8") as config:
            config.write(_WITH_FILES)
        git.rename(root / ".git")
    finally:
        bare.close()
    repo = Repo(root / ".git", root / ".git", root)
    ledger = _settings(root / prefix).records.branch if inside else None
    if ledger and commit:
        repo.run("update-ref", f"refs/heads/{ledger}", commit)
        records = {}
    _attach(repo, prefix, code.tree, records)
    if not inside:
        repo.close()
        repo = Repo(base / "folio" / ".git", base / "folio" / ".git", base / "folio")
    # What is written stays here, and needs to survive no power cut; runs wait in their journals.
    settings = replace(_settings(repo_root(repo) / prefix), commit=CommitSettings("demand"), durability="process", artifacts=None)
    made = Folio(Place(repo, prefix, settings))
    return Scratch(made, code, root, base, (note,) if note else ())


def records_commit(folio: Folio, run: Run) -> tuple[str | None, str]:
    """Return the commit whose records the run found when it started, and a note where that is the next best."""
    repo, place = folio.repo, folio.place
    stood_on = str(run.code.get("commit") or "")
    here = run.code.get("repository", "here") == "here" and place.ledger is None
    if here and stood_on and repo.read_kind(stood_on) == "commit":
        return stood_on, ""
    tip = place.tip()
    if tip is None:
        return None, ""
    said = (
        repo.run("rev-list", "-1", f"--before={run.start // 1000}", "--end-of-options", tip, "--", check=False).decode().strip()
    )
    note = "the commit that the run stood on is gone: runs and models are as they were at its time" if here and stood_on else ""
    return said or tip, note


def _init(original: Repo, git: Path) -> None:
    git.parent.mkdir(parents=True, exist_ok=True)
    same = ("--object-format=sha256",) if original.object_format == "sha256" else ()
    done = run_git(("init", "--quiet", "--bare", "--initial-branch=main", "--template=", *same, "--", str(git)), git.parent)
    if done.returncode:
        raise GitError(f"{git}: git init failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    with open(git / "config", "a", encoding="utf-8") as config:
        config.write(_CONFIG)
    (git / "objects" / "info").mkdir(parents=True, exist_ok=True)
    (git / "objects" / "info" / "alternates").write_text(f"{original.common_dir / 'objects'}\n", "utf-8")


def _subtrees(folio: Folio, commit: str | None) -> dict[str, str]:
    """Return the ids of the folders of records of a commit."""
    found = read_tree(folio.repo, f"{commit}:{folio.place.prefix.rstrip('/')}") if commit else None
    return {entry.name: entry.oid for entry in found or () if entry.name in _RECORDS and entry.mode == FOLDER}


def _attach(repo: Repo, prefix: str, tree: str | None, records: Mapping[str, str]) -> None:
    """Make the work tree that of a first commit: the code with the records; the records' files stay out of the work tree."""
    made = tree or write_tree(repo, [])
    if tree is None:
        blob = repo.run("hash-object", "-w", "--stdin", input=(repo_root(repo) / paths.SETTINGS).read_bytes()).decode().strip()
        made = write_tree(repo, [Entry("100644", paths.SETTINGS, blob)])
    for name, oid in records.items():
        made = _joined(repo, made, [part for part in (*prefix.split("/"), name) if part], oid)
    commit = repo.run("commit-tree", made, input=b"code: as it was recorded\n", env=_IDENT).decode().strip()
    repo.run("update-ref", "HEAD", commit)
    repo.run("read-tree", "HEAD")
    if records:
        absent = repo.run("ls-files", "--deleted", "-z")
        repo.run("update-index", "-z", "--skip-worktree", "--stdin", input=absent)


def repo_root(repo: Repo) -> Path:
    """Return the work tree of a repository that has one."""
    assert repo.work_tree is not None
    return repo.work_tree


def _joined(repo: Repo, tree: str, parts: list[str], oid: str) -> str:
    """Return a tree with another one joined to it below a path; where both have a file, the first stands."""
    entries = {entry.name: entry for entry in read_tree(repo, tree) or ()}
    if not parts:
        for theirs in read_tree(repo, oid) or ():
            ours = entries.get(theirs.name)
            if ours is None:
                entries[theirs.name] = theirs
            elif ours.mode == theirs.mode == FOLDER and ours.oid != theirs.oid:
                entries[theirs.name] = theirs._replace(oid=_joined(repo, ours.oid, [], theirs.oid))
        return write_tree(repo, list(entries.values()))
    name, rest = parts[0], parts[1:]
    held = entries.get(name)
    if held is None or held.mode != FOLDER:
        made = oid if not rest else _joined(repo, write_tree(repo, []), rest, oid)
    else:
        made = _joined(repo, held.oid, rest, oid)
    entries[name] = Entry(FOLDER, name, made)
    return write_tree(repo, list(entries.values()))


def _settings(folder: Path) -> Settings:
    file = folder / paths.SETTINGS
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(initial_settings())
    return decode_settings(file.read_bytes(), paths.SETTINGS)


def _told(folio: Folio, base: Path) -> str:
    """Return the part of git's configuration that says where artifacts go, and where else they are read."""
    place = folio.artifacts_place
    behind: str | Path = place or (folio.place.local / "objects").resolve()
    if place and "://" not in place and not is_bucket(place):
        behind = (folio.place.root / Path(place).expanduser()).resolve()
    return f"[runfolio]\n\tartifacts = {_quoted(base / 'objects')}\n\tartifactsBehind = {_quoted(behind)}\n"


def _quoted(value: str | Path) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
