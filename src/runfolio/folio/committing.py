"""One commit of records on the branch that takes them, with its work tree."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from runfolio._variables import variable
from runfolio.errors import BusyError, StateError
from runfolio.folio.lock import WAIT_S, locked
from runfolio.folio.place import Place, short
from runfolio.gitstore import FileChange, Ident, Repo, commit_files
from runfolio.gitstore.checkout import drop_note, empty_tree, finish_pending, read_note, show_known, update, write_note
from runfolio.gitstore.commits import configured_ident
from runfolio.gitstore.index_lock import index_held
from runfolio.gitstore.trees import read_tree
from runfolio.gitstore.upkeep import pack_now_and_then

TRIES = 60
MANY = 32
"""Files of one commit from which on whole folders are read to see which are new."""


def author_of(place: Place) -> Ident:
    """Return who record commits are by: the setting, else git's configured author."""
    text = variable(b"RUNFOLIO_AUTHOR") or place.settings.commit.author
    return (Ident.parse(text) if text else None) or configured_ident(place.repo)


def commit_with_retry(place: Place, change: Callable[[str | None], list[FileChange]], message: str | Callable[[], str]) -> bool:
    """Commit a change of records under the folio's lock.

    Parameters
    ----------
    place : Place
    change : callable
        Given the tip, returns the files that change; called again when the branch moved meanwhile.
    message : str or callable
        Called after `change`.

    Returns
    -------
    bool
        Whether there was anything to commit.

    Raises
    ------
    StateError
        If no commit can go to the branch now.
    """
    with locked(place.repo.own_folder, WAIT_S):
        branch = place.require_writable(place.branch_at_hand())
        finish_pending(place.repo)
        return commit_on(place, branch, change, message)


def commit_on(
    place: Place, branch: str, change: Callable[[str | None], list[FileChange]], message: str | Callable[[], str]
) -> bool:
    """Commit a change of records on a branch; the caller holds the lock.

    See :func:`commit_with_retry`.
    """
    home = place.checked_out(branch)
    start = _shown(home, branch) if home is not None else None
    for attempt in range(TRIES):
        parent = base_of(place, branch)
        changes = _unequal(place, parent, change(parent))
        if not changes:
            # The git of a killed process may have made this very commit meanwhile; the work tree has not seen it then.
            _bring_up(place, home, branch, start)
            return False
        if _attempt(place, home, branch, start, parent, changes, message if isinstance(message, str) else message()):
            _fire_hook(place)
            pack_now_and_then(place.repo)
            return True
        if place.repo.resolve(branch) is None:
            from runfolio.folio.branch_names import refuse_clash

            refuse_clash(place.repo, branch)
        import random

        time.sleep(random.uniform(0.002, 0.02) * (attempt + 1))
    raise BusyError(
        f"The branch {short(branch)} kept moving under {TRIES} tries to commit. Your runs are safe; try again: runfolio commit"
    )


def _attempt(
    place: Place, home: Repo | None, branch: str, start: str | None, parent: str | None, changes: list[FileChange], text: str
) -> bool:
    """Commit on `parent`; False if the branch was not there any more."""
    settings, author = place.settings, author_of(place)
    durable = settings.durability != "process"

    def commit() -> bool:
        hooks, sign = settings.commit.hooks, settings.commit.sign
        if hooks or sign:
            from runfolio.gitstore.attested import commit_attested

            return commit_attested(place.repo, branch, parent, changes, text, author, durable=durable, hooks=hooks, sign=sign)
        return commit_files(place.repo, branch, parent, changes, text, author, durable=durable)

    if home is None:
        return commit()
    write_note(home, {"branch": branch, "old": start, "folder": place.prefix.rstrip("/"), "only": list(place.written_folders)})
    # Held from before the branch moves: no `git commit` of the user may read the new branch with the old index.
    with index_held(home):
        done = commit()
        if done and start == parent and _is_next(place, branch, parent):
            show_known(home, changes, parent)
            drop_note(home)
        elif done:
            _bring_up(place, home, branch, start, held=True)
    return done


def _is_next(place: Place, branch: str, parent: str | None) -> bool:
    """Tell whether the branch is just one commit beyond `parent`: ours, whose changes are known."""
    tip = place.repo.resolve(branch)
    return tip is not None and place.repo.parents(tip) == ([parent] if parent else [])


def base_of(place: Place, branch: str) -> str | None:
    """Return the commit on which a new one stands: the branch's own, or what the remote has of a ledger not made here yet."""
    return place.tip() if branch == place.ledger else place.repo.resolve(branch)


def _unequal(place: Place, tip: str | None, changes: list[FileChange]) -> list[FileChange]:
    """Leave out what the tip holds already: a fold that is repeated makes no empty commit."""
    if tip is None:
        return [change for change in changes if change.data is not None]
    absent = _absent(place, tip, changes) if len(changes) > MANY else set()
    known = [change for change in changes if change.path not in absent]
    there = dict(place.repo.read_many([f"{tip}:{change.path}" for change in known]))
    return [change for change in changes if there.get(f"{tip}:{change.path}") != change.data]


def _absent(place: Place, tip: str, changes: list[FileChange]) -> set[str]:
    """Return the paths that the tip does not have: a folder read once is cheaper than git's search for each missing name."""
    by_folder: dict[str, set[str]] = {}
    for change in changes:
        folder, _, name = change.path.rpartition("/")
        by_folder.setdefault(folder, set()).add(name)
    absent: set[str] = set()
    for folder, names in by_folder.items():
        entries = read_tree(place.repo, f"{tip}:{folder}") or ()
        absent.update(f"{folder}/{name}" if folder else name for name in names.difference(entry.name for entry in entries))
    return absent


def _shown(home: Repo, branch: str) -> str | None:
    """Return the commit that the work tree shows: what a note of a killed process says, else the branch's own."""
    note = read_note(home)
    if note is not None and note.get("branch") == branch and not note.get("new"):
        return str(note["old"]) if note.get("old") else None
    return home.resolve(branch)


def _bring_up(place: Place, home: Repo | None, branch: str, old: str | None, *, held: bool = False) -> None:
    """Bring the work tree from the commit that it shows up to the branch."""
    new = place.repo.resolve(branch)
    if home is None or new is None or new == old:
        return
    update(
        home,
        branch,
        old or empty_tree(place.repo),
        new,
        place.prefix.rstrip("/"),
        only=place.written_folders,
        held=held,
    )
    drop_note(home)


def _fire_hook(place: Place) -> None:
    if place.settings.commit.hooks:
        from runfolio.gitstore.hooks import run_hook

        with suppress(StateError):  # as with git commit: it comes too late to refuse
            run_hook(place.repo, "post-commit")
