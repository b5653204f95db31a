"""Move the records from the branch at hand to a ledger branch, or back."""

from __future__ import annotations

from shlex import quote

from runfolio._dataclass import dataclass
from runfolio.errors import AlreadyExistsError, StateError
from runfolio.folio.branch_names import check_branch_name
from runfolio.folio.committing import author_of
from runfolio.folio.folio import Folio
from runfolio.folio.lock import locked
from runfolio.folio.place import Place, short
from runfolio.formats import paths
from runfolio.formats.yaml_edit import edit_yaml
from runfolio.gitstore import Repo
from runfolio.gitstore.checkout import drop_note, empty_tree, finish_pending, update, write_note
from runfolio.gitstore.trees import FOLDER, Entry, read_tree, write_tree

FOLDERS = (paths.RUNS, paths.ENVIRONMENTS, paths.EXPERIMENTS, paths.REPRODUCTIONS)
"""What moves. The registry (``models``) stays on the code's branch: a promotion is a reviewed merge there."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What moved, from which branch to which."""

    source: str
    target: str
    runs: int


def migrate(folio: Folio, to: str | None) -> Migration:
    """Move the records of a folio.

    The records of the target are made first, then the settings change and the records leave the source in one commit; killed in
    between, the records are in both places and the command is run again.

    Parameters
    ----------
    folio : Folio
    to : str or None
        Name of the ledger branch; None for the branch at hand.

    Raises
    ------
    StateError
        If the records are there already, HEAD is detached, the settings have changes that are not committed, `to` is a branch of code,
        or another branch is in its way.
    UsageError
        If `to` cannot name a branch.
    AlreadyExistsError
        If the target holds records of its own.
    """
    place, to = folio.place, to and to.removeprefix("refs/heads/")
    if (to or None) == place.settings.records.branch:
        raise StateError(f"The records are {'on ' + to if to else 'on the branch at hand'} already.")
    if to:
        check_branch_name(place.repo, to)
    folio.commit()
    home = place.repo.head_branch()
    if home is None:
        raise StateError("HEAD is detached. Check out the branch whose settings are to change, then migrate.")
    home = place.require_writable(home) if place.ledger is None else home
    with locked(place.repo.own_folder):
        finish_pending(place.repo)
        _refuse_unsaved_settings(place, home)
        if to:
            _refuse_code_branch(place, home, to)
        source = place.ledger or home
        target = f"refs/heads/{to}" if to else home
        runs = _copy(place, source, target, home, to)
    return Migration(short(source), short(target), runs)


def _refuse_unsaved_settings(place: Place, home: str) -> None:
    """Refuse where the settings' file is not as committed: it would stay as it is, and go on naming the place that the records leave."""
    shown = place.checked_out(home)
    path = place.full(paths.SETTINGS)
    if shown is not None and shown.run(
        "--no-optional-locks", "status", "--porcelain", "--untracked-files=all", "--", f":(top,literal){path}"
    ):
        raise StateError(
            f"{path} has changes that are not committed, and migrate changes it, too. Commit it first: "
            f"git add {quote(path)} && git commit -m 'Settings of the folio'"
        )


def _refuse_code_branch(place: Place, home: str, to: str) -> None:
    """Refuse a branch that shares history with the code: the commit that takes the records off one would take them off the other, too."""
    target = f"refs/heads/{to}"
    if target == home or place.checked_out(target) is not None:
        raise StateError(f"{to} is checked out, and a ledger branch never is. Choose another name, such as runfolio/ledger.")
    there, here = place.repo.resolve(target), place.repo.resolve(home)
    if there and here and place.repo.succeeds("merge-base", there, here):
        raise StateError(
            f"{to} is a branch of code: it shares history with {short(home)}. Choose another name, such as runfolio/ledger."
        )


def _copy(place: Place, source: str, target: str, home: str, to: str | None) -> int:
    repo = place.repo
    here, tip = repo.resolve(home), place.tip() if place.ledger else repo.resolve(source)
    records = _folders(place, tip)
    if to is not None:
        there = _folders(place, repo.resolve(target))
        if there and there != records:
            raise AlreadyExistsError(
                f"The branch {to} holds records already. Choose another name, or delete the branch if they are not needed."
            )
        if not there:
            _commit_tree(
                place,
                target,
                repo.resolve(target),
                _with(place, repo.resolve(target), records),
                f"runs: records of {short(source)}\n",
            )
        kept = _with(place, here, dict.fromkeys(records))
    else:
        left = _folders(place, here)
        kept = _with(place, here, {name: _joined(repo, left.get(name), oid) for name, oid in records.items()})
    settings = place.read(here, paths.SETTINGS) or (place.root / paths.SETTINGS).read_bytes()
    changed = edit_yaml(settings, {("records", "branch"): to})
    blob = repo.run("hash-object", "-w", "--stdin", input=changed).decode().strip()
    tree = _put(repo, kept, (place.prefix + paths.SETTINGS).split("/"), Entry("100644", "", blob))
    _commit_tree(place, home, here, tree, f"runfolio: records go to {to or 'the branch at hand'}\n")
    return (
        sum(paths.run_of_path(place.strip(entry.path)) is not None for entry in repo.tree_entries(tip, place.folder(paths.RUNS)))
        if tip
        else 0
    )


def _folders(place: Place, tip: str | None) -> dict[str, str]:
    """Return the tree ids of the record folders of a commit."""
    found = read_tree(place.repo, f"{tip}:{place.prefix.rstrip('/')}") if tip else None
    return {entry.name: entry.oid for entry in found or () if entry.name in FOLDERS and entry.mode == FOLDER}


def _with(place: Place, tip: str | None, records: dict[str, str | None] | dict[str, str]) -> str:
    """Return the tree of a commit with its record folders replaced; None takes one away."""
    tree = place.repo.run("rev-parse", f"{tip}^{{tree}}").decode().strip() if tip else empty_tree(place.repo)
    for name, oid in records.items():
        entry = Entry(FOLDER, "", oid) if oid else None
        tree = _put(place.repo, tree, (place.prefix + name).split("/"), entry)
    return tree


def _joined(repo: Repo, old: str | None, new: str) -> str:
    """Return the tree with all that is in two; of what both have, the new one's. A branch that was merged may hold runs of its own."""
    if old is None or old == new:
        return new
    entries = {item.name: item for item in read_tree(repo, old) or ()}
    for item in read_tree(repo, new) or ():
        there = entries.get(item.name)
        both = there is not None and there.mode == item.mode == FOLDER
        entries[item.name] = item._replace(oid=_joined(repo, there.oid, item.oid)) if there is not None and both else item
    return write_tree(repo, list(entries.values()))


def _put(repo: Repo, tree: str, parts: list[str], entry: Entry | None) -> str:
    """Return a tree with one entry replaced, added or (None) taken away."""
    entries = {item.name: item for item in read_tree(repo, tree) or ()}
    name, *rest = parts
    if rest:
        inner = entries[name].oid if name in entries else empty_tree(repo)
        entries[name] = Entry(FOLDER, name, _put(repo, inner, rest, entry))
    elif entry is None:
        entries.pop(name, None)
    else:
        entries[name] = entry._replace(name=name)
    return write_tree(repo, list(entries.values())) if entries else empty_tree(repo)


def _commit_tree(place: Place, branch: str, parent: str | None, tree: str, message: str) -> None:
    repo, author = place.repo, author_of(place)
    idents = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", author.name), ("EMAIL", author.mail))
    }
    commit = (
        repo.run("commit-tree", tree, *(("-p", parent) if parent else ()), input=message.encode(), env=idents).decode().strip()
    )
    home = place.checked_out(branch)
    if home is not None:
        write_note(home, {"branch": branch, "old": parent, "folder": place.prefix.rstrip("/")})
    if not repo.update_ref(branch, commit, parent, "runfolio: migrate"):
        raise StateError(f"The branch {short(branch)} moved meanwhile. Nothing was lost; run migrate again.")
    if home is not None:
        update(home, branch, parent or empty_tree(repo), commit, place.prefix.rstrip("/"))
        drop_note(home)
