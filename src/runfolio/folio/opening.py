"""Find a folio, or make one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from shlex import quote

from runfolio._dataclass import dataclass
from runfolio.errors import MissingPackageError, NotAFolioError, StateError, UsageError, storage_error, storage_errors
from runfolio.folio.branch_names import check_branch_name
from runfolio.folio.drivers import install_drivers
from runfolio.folio.folio import Folio
from runfolio.folio.locations import current_folder
from runfolio.folio.parsed import parsed_files
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.settings import Settings, decode_settings, initial_settings
from runfolio.gitstore import FileChange, Repo, commit_files
from runfolio.gitstore.commits import configured_ident
from runfolio.gitstore.process import run_git

ATTRIBUTES = """\
runs/** linguist-generated -text -filter diff=runfolio merge=runfolio
environments/** linguist-generated -text -filter
reproductions/** linguist-generated -text -filter
datasets/*.yaml -filter
datasets/*/*.json linguist-generated -text -filter
experiments/*.yaml merge=runfolio
models/**/*.yaml merge=runfolio
"""
_MARK = "# runfolio: records are written by machines; diffs and merges of them go through the installed drivers\n"
_WITHOUT_MERGE = "runs/** linguist-generated -text -filter diff=runfolio\nenvironments/** linguist-generated -text -filter\n"
"""The lines that runfolio 0.1 wrote before it had a merge driver."""
_MLFLOW_FOLDER = "mlruns"
"""Where MLflow puts runs: a script that names it, `set_tracking_uri("file:./mlruns")`, means the folder it works in."""


@dataclass(frozen=True, slots=True)
class Made:
    """What :func:`initialise` did.

    Parameters
    ----------
    folio : Folio
    written : tuple of str
        Files that were written, from the repository's root.
    committed : bool
    new_repository : bool
    drivers : bool
        Whether git was told how to show and join records, in this clone's own configuration.
    """

    folio: Folio
    written: tuple[str, ...]
    committed: bool
    new_repository: bool
    drivers: bool


@storage_errors("open the folio")
def open_folio(location: str | os.PathLike[str] | None = None) -> Folio:
    """Open the folio at or above a folder.

    Parameters
    ----------
    location : path, optional
        A folder in a folio, or a bare repository; the current folder by default. For ``mlruns``, which MLflow makes where it is
        not, the folder that it would be in.

    Raises
    ------
    NotAFolioError
        If there is none; the message says how to make one.
    """
    start = Path(location or current_folder()).expanduser()
    if start.name == _MLFLOW_FOLDER and not start.exists():
        start = start.parent
    if not start.exists():
        raise NotAFolioError(f"{start} does not exist. Make a folio there with: runfolio init {start}")
    start = start.resolve()
    if start.is_file():
        start = start.parent
    root = next((folder for folder in (start, *start.parents) if (folder / paths.SETTINGS).is_file()), None)
    repo = Repo.discover(root or start)
    if root is not None and repo.work_tree is not None:
        prefix = _prefix(root, repo.work_tree)
        data, where = _read(root / paths.SETTINGS), str(root / paths.SETTINGS)
    else:
        prefix, where = "", f"HEAD:{paths.SETTINGS}"
        committed = repo.read(where)
        if committed is None:
            raise NotAFolioError(
                f"{start} is in no folio: no {paths.SETTINGS} here or above.{_below(start)} Make one with: runfolio init"
            )
        data = committed
    parsed = parsed_files(repo.own_folder)
    settings = parsed.decode(decode_settings, data, where)
    parsed.save()
    return Folio(Place(repo, prefix, settings))


def open_trusted(location: str | os.PathLike[str] | None, base: str) -> tuple[Folio, str | None]:
    """Open a folio with the settings of a commit, whatever the work tree says: to look at a change that nobody has agreed to yet.

    Parameters
    ----------
    location : path, optional
        A folder in the repository; the current folder by default.
    base : str
        Revision before the change.

    Returns
    -------
    Folio
    str or None
        Commit whose settings and policy hold: `base`, or, where records have a branch of their own, the remote's first branch; None
        where neither has a ``runfolio.yaml``, and the defaults hold.

    Raises
    ------
    NotAFolioError
        If the place is in no repository.
    """
    start = Path(location or current_folder()).expanduser().resolve()
    repo = Repo.discover(start if start.is_dir() else start.parent)
    inside = _prefix(start, repo.work_tree) if repo.work_tree is not None and start.is_relative_to(repo.work_tree) else ""
    folders = [inside, *("/".join(inside.split("/")[:depth]) + "/" for depth in range(inside.count("/") - 1, 0, -1)), ""]
    for rev in (base, "refs/remotes/origin/HEAD"):
        commit = repo.resolve(rev)
        for prefix in dict.fromkeys(folders) if commit else ():
            data = repo.read(f"{commit}:{prefix}{paths.SETTINGS}")
            if data is not None:
                return Folio(Place(repo, prefix, decode_settings(data, f"{rev}:{prefix}{paths.SETTINGS}"))), commit
    here = next((prefix for prefix in folders if repo.work_tree and (repo.work_tree / prefix / paths.SETTINGS).is_file()), inside)
    return Folio(Place(repo, here, Settings())), None


def settings_text(place: Place) -> bytes:
    """Return the bytes of a folio's ``runfolio.yaml``: for machines that have the settings and not the repository."""
    if place.repo.work_tree is not None:
        return _read(place.root / paths.SETTINGS)
    return place.repo.read(f"HEAD:{place.full(paths.SETTINGS)}") or b"schema: 1\n"


def _below(start: Path) -> str:
    """Name a folio in a folder below, which somebody at the root of a repository may mean."""
    try:
        found = sorted([*start.glob(f"*/{paths.SETTINGS}"), *start.glob(f"*/*/{paths.SETTINGS}")])
    except OSError:
        return ""
    if not found:
        return ""
    folder = quote(str(found[0].parent.relative_to(start)))
    return f" There is one below: runfolio -C {folder} …, or cd {folder}."


def _prefix(root: Path, top: Path) -> str:
    relative = root.relative_to(top).as_posix()
    return "" if relative == "." else relative + "/"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise storage_error("read the folio's settings", error) from None


def initialise(
    folder: str | os.PathLike[str] = ".",
    *,
    artifacts: str | None = None,
    branch: str | None = None,
    commit: bool | None = None,
    bare: bool = False,
    own: bool = False,
) -> Made:
    """Make a folder into a folio; where it is one already, bring what is missing.

    Parameters
    ----------
    folder : path, optional
        A work tree, a folder in one, a bare repository, or a folder that becomes a new repository.
    artifacts : str, optional
        Place of the object store; a folder under the git folder by default.
    branch : str, optional
        Name of the ledger branch that takes the records; the branch at hand by default.
    commit : bool, optional
        Commit the two files. By default only in a repository made here, and in a bare one.
    bare : bool, optional
        Make a bare repository.
    own : bool, optional
        Make a repository here even where the folder lies in another one.

    Raises
    ------
    UsageError
        If `artifacts` is no place for a store or holds a secret; if it or `branch` contradicts the settings that are there; if `bare`
        is asked of a folder that holds other things.
    """
    target = Path(folder).expanduser()
    if not target.is_absolute():
        target = Path(current_folder(), target)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(f"make the folder {target}", error) from None
    target = target.resolve()
    if artifacts:
        _check_place(artifacts, target)
    new = False
    try:
        if own and not (target / ".git").exists():
            raise NotAFolioError("a repository of its own is wanted")
        repo = Repo.discover(target)
        if bare and not repo.bare:
            if any(target.iterdir()):
                raise UsageError(f"{target} is not empty, and a bare repository needs a folder of its own. Name a new one.")
            raise NotAFolioError("a bare repository is wanted")
    except NotAFolioError:
        _new_repository(target, bare)
        repo, new = Repo.discover(target), True
    branch = branch and branch.removeprefix("refs/heads/")
    if branch:
        check_branch_name(repo, branch)
    prefix = "" if repo.work_tree is None else _prefix(target, repo.work_tree)
    settings_path, attributes_path = prefix + paths.SETTINGS, prefix + ".gitattributes"
    files = _missing(repo, settings_path, attributes_path, artifacts, branch)
    drivers = install_drivers(repo)
    if repo.work_tree is not None:
        for path, data in files.items():
            try:
                (repo.work_tree / path).write_bytes(data)
            except OSError as error:
                raise storage_error(f"write {path}", error) from None
    wanted = (new or repo.bare) if commit is None else commit
    done = bool(files) and wanted and _commit(repo, files)
    found = files.get(settings_path) or _current(repo, settings_path) or b""
    folio = Folio(Place(repo, prefix, decode_settings(found, settings_path)))
    return Made(folio, tuple(files), done, new, drivers)


def _new_repository(target: Path, bare: bool) -> None:
    options = ("--bare",) if bare else ()
    done = run_git(("init", "--quiet", "--initial-branch=main", *options, "--", str(target)), target)
    if done.returncode:
        raise NotAFolioError(f"{target}: git init failed: {done.stderr.decode('utf-8', 'replace').strip()}")


def _current(repo: Repo, path: str) -> bytes | None:
    if repo.work_tree is None:
        return repo.read(f"HEAD:{path}")
    try:
        return (repo.work_tree / path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(f"read {path}", error) from None


def _check_place(artifacts: str, base: Path) -> None:
    """Refuse a place that no store can be at, or that holds a secret, before it is written down; who lacks its package may name it."""
    from runfolio.objects import open_store

    with suppress(MissingPackageError):
        open_store(artifacts, base / "objects", base)


def _missing(repo: Repo, settings_path: str, attributes_path: str, artifacts: str | None, branch: str | None) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    settings = _current(repo, settings_path)
    if settings is None:
        files[settings_path] = initial_settings(artifacts=artifacts, branch=branch)
    else:
        held = decode_settings(settings, settings_path)
        for asked, there, field in ((artifacts, held.artifacts, "artifacts"), (branch, held.records.branch, "records.branch")):
            if asked and asked != there:
                raise UsageError(
                    f"{settings_path} is there and says {field}: {there or 'null'}. Edit the file"
                    + (f", or run: runfolio migrate --to {asked}" if field == "records.branch" else ".")
                )
    attributes = _current(repo, attributes_path) or b""
    if _WITHOUT_MERGE.encode() in attributes and b"merge=runfolio" not in attributes:
        files[attributes_path] = attributes.replace(_WITHOUT_MERGE.encode(), ATTRIBUTES.encode())
    elif b"diff=runfolio" not in attributes:
        gap = b"" if not attributes or attributes.endswith(b"\n") else b"\n"
        files[attributes_path] = attributes + gap + (_MARK + ATTRIBUTES).encode()
    return files


def _commit(repo: Repo, files: dict[str, bytes]) -> bool:
    from runfolio.gitstore.checkout import empty_tree, update

    branch = repo.head_branch()
    if branch is None:
        raise StateError("HEAD is detached, so the settings were written but not committed. Check out a branch and commit them.")
    parent = repo.resolve("HEAD")
    changes = [FileChange(path, data) for path, data in sorted(files.items())]
    if not commit_files(repo, branch, parent, changes, "runfolio: start a folio\n", configured_ident(repo)):
        raise StateError(
            "The branch moved while the settings were being committed. Commit them yourself: git add . && git commit"
        )
    tip = repo.resolve("HEAD")
    if tip and repo.work_tree is not None:
        update(repo, branch, parent or empty_tree(repo), tip, "")
    return True
