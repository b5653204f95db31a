"""The code of a run: which repository it is in, what state it is in, and that this state is kept.

Invariant: a tree that the result names is kept in the folio; where that cannot be, the notices say why and no tree is named.

What it does *not* do: find out what was started (`runfolio.tracking.entrypoint` does).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from runfolio._pattern import pattern
from runfolio._typing import Any
from runfolio.errors import NotAFolioError, RunfolioError
from runfolio.formats.paths import BUILT_SITE, DATASETS, ENVIRONMENTS, EXPERIMENTS, MODELS, REPRODUCTIONS, RUNS
from runfolio.gitstore.codestate import Asked, CodeState, ask_state, code_tree, configuration
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.snapshots import carry_tree, keep_tree
from runfolio.gitstore.trees import EXECUTABLE, FILE, Rule, Word, tree_of_files, tree_of_folder
from runfolio.records.redaction import Redactor
from runfolio.records.settings import CaptureSettings
from runfolio.tracking.entrypoint import EntryPoint

_MANY_FILES = 2_000
_CI_BRANCHES = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME")


def record_rules(prefix: str) -> tuple[Rule, ...]:
    """Return what in a folio's repository is a record and so no code, level by level (`runfolio.gitstore.trees.without`).

    Only the records themselves are named: a code folder that is called ``models`` stays code. So do ``datasets/*.yaml``: which data was
    current is part of what a run stood on, as a lock file is; only the facts of contents are records.
    """
    start = tuple(Word(part) for part in prefix.split("/") if part)
    slug = r"[a-z0-9][a-z0-9_-]*"
    rules = (
        (RUNS, slug, r"\d{4}-\d\d"),
        (EXPERIMENTS, rf"{slug}\.yaml"),
        (MODELS, r"[^/]+", r"model\.yaml"),
        (MODELS, r"[^/]+", "versions", r"\d+\.yaml"),
        (MODELS, r"[^/]+", "cards", r"\d+\.md"),
        (MODELS, r"[^/]+", "deployments", rf"{slug}\.json"),
        (ENVIRONMENTS, r"[0-9a-f]{16}\.txt"),
        (REPRODUCTIONS, r"[A-Za-z0-9][\w-]*", r"[0-9a-f]{32}\.json"),
        (DATASETS, slug, r"[0-9a-f]{16}\.json"),
    )
    return tuple((*start, *(Word(level) if level.isalpha() else pattern(level, re.ASCII) for level in rule)) for rule in rules)


def printable(text: str) -> str:
    """Spell out what is not UTF-8: names and arguments can arrive with surrogates, which a record cannot carry."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def repository_of(folder: Path, folio: Repo | None) -> Repo | None:
    """Find the repository of the code; looking for ``.git`` first saves two processes in the usual case."""
    here = folder.resolve()
    for place in (here, *here.parents):
        if (place / ".git").exists():
            return folio if folio is not None and folio.work_tree == place else _found(here)
    return None


def _found(folder: Path) -> Repo | None:
    try:
        repo = Repo.discover(folder)
    except NotAFolioError:
        return None
    return repo if repo.work_tree is not None else None


def relative_name(entry: EntryPoint, source: Repo | None) -> str:
    """Return the program's path from the root of its repository; its bare name where it is in none."""
    if entry.file is None or source is None or source.work_tree is None or not entry.file.is_relative_to(source.work_tree):
        return entry.name
    return entry.file.relative_to(source.work_tree).as_posix()


def working_folder(source: Repo | None, cwd: str = "") -> str:
    """Return a working folder from the root of the code's repository: empty where it is the root, ``..`` where it lies outside.

    It is this process's own by default.
    """
    if source is None or source.work_tree is None:
        return ""
    here, root = os.path.realpath(cwd or os.getcwd()), os.path.realpath(source.work_tree)
    if here != root and not here.startswith(root + os.sep):
        return ".."
    return "" if here == root else os.path.relpath(here, root).replace(os.sep, "/")


def configured_user(repo: Repo | None) -> str:
    """Return the user's name as git is configured, or nothing."""
    return configuration(repo)[1] if repo else ""


def ask_code(source: Repo, folio: Repo | None, prefix: str) -> Asked:
    """Have git look at the code while the caller does something else; for :func:`captured_code`."""
    return ask_state(source, f"{prefix}{RUNS}" if _is_here(source, folio) else "")


def _is_here(source: Repo | None, folio: Repo | None) -> bool:
    return source is not None and folio is not None and source.common_dir == folio.common_dir


def captured_code(
    source: Repo | None,
    folio: Repo | None,
    prefix: str,
    settings: CaptureSettings,
    redactor: Redactor,
    entry: EntryPoint,
    notices: list[str],
    asked: Asked | None = None,
) -> tuple[dict[str, Any], str]:
    """Describe the code, keep it, and return the record's field and the user's configured name.

    Parameters
    ----------
    source : Repo or None
        The code's repository.
    folio : Repo or None
    prefix : str
        The folio's folder in its repository.
    settings : CaptureSettings
    redactor : Redactor
    entry : EntryPoint
    notices : list of str
        What was left out or failed is added here.
    asked : Asked, optional
        What :func:`ask_code` started.
    """
    here = _is_here(source, folio)
    made: dict[str, Any] = {"repository": "here" if here else "other" if source else "none"}
    if source is None:
        user = configured_user(folio)
        keep = _project_folder if entry.kind == "PROJECT" else _single_file
        tree = keep(folio, entry, settings, notices)
    else:
        rules = record_rules(prefix) if here else ()
        runs_folder = f"{prefix}{RUNS}" if here else ""
        state = code_tree(
            source,
            rules,
            untracked_max_bytes=settings.untracked_max_bytes,
            runs_folder=runs_folder,
            built=BUILT_SITE,
            asked=asked,
        )
        made.update(_described(state, redactor))
        notices.extend(_left_out_notice(state))
        user, tree = state.user, _kept(source, folio, state.tree, notices)
    if tree:
        made["tree"] = tree
    if folio and entry.inline and settings.notebook:
        text = redactor.text(entry.inline) + "\n"
        made["cells"] = tree_of_files(folio, {"cells.py": (FILE, text.encode("utf-8", "backslashreplace"))})
        keep_tree(folio, made["cells"])
    return made, user


def _described(state: CodeState, redactor: Redactor) -> dict[str, Any]:
    made: dict[str, Any] = {"dirty": state.dirty}
    branch = state.branch or (_ci_branch() if state.commit else "")
    remote = redactor.remote(state.remote) if state.remote else ""
    made.update(
        {key: printable(value) for key, value in (("commit", state.commit), ("branch", branch), ("remote", remote)) if value}
    )
    if state.left_out:
        made["left_out"] = [
            {"path": printable(redactor.text(path)), "size": size, "reason": reason} for path, size, reason in state.left_out
        ]
    return made


def _ci_branch() -> str:
    """Return the branch that a CI job says it builds: there HEAD is detached."""
    return next((os.environ[name] for name in _CI_BRANCHES if os.environ.get(name)), "")


def _left_out_notice(state: CodeState) -> list[str]:
    if not state.left_out:
        return []
    shown = [f"{item.path} ({item.reason})" for item in state.left_out[:3]]
    more = len(state.left_out) - len(shown)
    return [f"not in the kept code: {', '.join(shown)}{f' and {more} more' if more else ''}"]


def _kept(source: Repo, folio: Repo | None, tree: str, notices: list[str]) -> str:
    """Keep the tree in the folio and return its id; where that fails, say so, and name no tree that cannot be had."""
    if folio is None:
        notices.append("the exact code is not kept: no folio is at hand here")
        return ""
    try:
        carry_tree(source, folio, tree)
        keep_tree(folio, tree)
    except (RunfolioError, OSError) as error:
        notices.append(f"the exact code is not kept: {error}")
        return ""
    return tree


def _project_folder(folio: Repo | None, entry: EntryPoint, settings: CaptureSettings, notices: list[str]) -> str:
    """Keep the files of a project that lies in no repository, as git would those that it does not know."""
    if entry.file is None or folio is None:
        return ""
    top = entry.file.parent
    paths: list[str] = []
    left: list[str] = []
    for folder, names, files in os.walk(top):
        names[:] = sorted(name for name in names if not name.startswith(".") and name != "__pycache__")
        for name in sorted(files):
            place = Path(folder, name)
            path = place.relative_to(top).as_posix()
            if place.is_symlink() or not place.is_file() or "\n" in path:
                continue
            fits = place.stat().st_size <= settings.untracked_max_bytes and len(paths) < _MANY_FILES
            (paths if fits else left).append(path)
    if left:
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        notices.append(
            f"not in the kept code: {', '.join(left[:3])}{more} (too large, or too many; the project is in no repository)"
        )
    return _kept(folio, folio, tree_of_folder(folio, top, paths), notices)


def _single_file(folio: Repo | None, entry: EntryPoint, settings: CaptureSettings, notices: list[str]) -> str:
    """Keep a script that lies in no repository."""
    if entry.file is None or folio is None:
        return ""
    mode = EXECUTABLE if os.access(entry.file, os.X_OK) else FILE
    tree = tree_of_files(folio, {entry.file.name: (mode, entry.file.read_bytes())})
    return _kept(folio, folio, tree, notices)
