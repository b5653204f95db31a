"""Give a version another number: for one that two branches both took.

In a merge that stopped at that file, theirs keeps the number and ours moves: to the work tree and the index, so that the merge can be
committed. Otherwise the version moves by one commit on the branch at hand. Stages and aliases that our side gave to it follow; where
theirs gave the same to their version, what is live is not guessed: the model's file is left in conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from runfolio.diff.joining import ConflictError, join
from runfolio.errors import DamagedError, StateError, storage_error
from runfolio.folio.committing import commit_with_retry
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.formats.models import decode_model, edit_model
from runfolio.gitstore import FileChange
from runfolio.gitstore.trees import parse_tree
from runfolio.records.models import RegisteredModel
from runfolio.records.visible import visible


class Renumbered(NamedTuple):
    """A version's new number, and what of the model's file is left in conflict for people to decide; empty where nothing is."""

    number: int
    undecided: str = ""


def renumber(folio: Folio, name: str, number: int) -> Renumbered:
    """Give a version the next number that no branch has taken.

    Raises
    ------
    NotFoundError
        If there is no such version.
    StateError
        If git stopped at that version, but not in a merge, or one side removed it.
    """
    model = folio.models.find(name)
    path = paths.version_path(model.slug, number)
    stages = _unmerged(folio, path)
    new = _free_number(folio, model)
    if stages:
        return Renumbered(new, _in_merge(folio, model, number, new, stages))
    folio.models.version(model, number)
    card, new_card = paths.card_path(model.slug, number), paths.card_path(model.slug, new)

    def change(tip: str | None) -> list[FileChange]:
        place, top = folio.place, paths.model_path(model.slug)
        found = folio.models.find(name, tip)
        files = [FileChange(place.full(path), None)]
        files.append(FileChange(place.full(paths.version_path(model.slug, new)), place.read(tip, path) or b""))
        text = place.read(tip, card)
        if text is not None:
            files += [FileChange(place.full(card), None), FileChange(place.full(new_card), text)]
        after = _moved(found, number, new)
        if after != found:
            files.append(FileChange(place.full(top), edit_model(place.read(tip, top) or b"", after)))
        return files

    commit_with_retry(folio.place, change, f"models: renumber {visible(name)} {number} to {new}\n")
    return Renumbered(new)


def _moved(model: RegisteredModel, old: int, new: int) -> RegisteredModel:
    stages = {stage: tuple(sorted(new if item == old else item for item in items)) for stage, items in model.stages.items()}
    return replace(model, stages=stages, aliases={key: new if item == old else item for key, item in model.aliases.items()})


def _free_number(folio: Folio, model: RegisteredModel) -> int:
    """Return the number after the largest that any branch here, or known of a remote, has taken."""
    repo, place = folio.repo, folio.place
    folder = place.full(f"{paths.MODELS}/{model.slug}/versions")
    said = repo.run("for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes").decode().split()
    tips = dict.fromkeys([*said, *(tip for tip in (place.tip(), repo.resolve("MERGE_HEAD")) if tip)])
    taken = folio.models.numbers(model)
    for _, tree in repo.read_many(f"{tip}:{folder}" for tip in tips):
        for entry in parse_tree(tree, len(next(iter(tips))) // 2) if tree else ():
            found = paths.version_of_path(f"{paths.MODELS}/{model.slug}/versions/{entry.name}")
            if found:
                taken.append(found[1])
    return max(taken, default=0) + 1


def _unmerged(folio: Folio, path: str) -> dict[int, str]:
    """Return the object ids of our (2) and their (3) side where a merge stopped at a file."""
    repo = folio.repo
    if repo.work_tree is None:
        return {}
    made = {}
    for line in repo.run("ls-files", "-u", "-z", "--", folio.place.full(path)).split(b"\0"):
        if line:
            _, oid, stage = line.partition(b"\t")[0].decode().split(" ")
            made[int(stage)] = oid
    if made and not (repo.git_dir / "MERGE_HEAD").exists():
        raise StateError(
            f"{path} is in conflict, but not in a merge: commits that a rebase applies after this one would still name the old number. "
            "Abort it (git rebase --abort), merge instead (git pull --no-rebase, or git merge), and renumber in that merge."
        )
    if made and not {2, 3} <= made.keys():
        raise StateError(f"{path} was removed on one side of the merge: decide with git rm or git add, then go on.")
    return made


def _in_merge(folio: Folio, model: RegisteredModel, number: int, new: int, stages: dict[int, str]) -> str:
    """Move our version in the work tree and the index; return what of the model's file is left for people to decide."""
    place, top = folio.place, paths.model_path(model.slug)
    written = {
        paths.version_path(model.slug, number): folio.repo.read(stages[3]) or b"",
        paths.version_path(model.slug, new): folio.repo.read(stages[2]) or b"",
    }
    ours, theirs = (place.read(folio.repo.resolve(rev), top) for rev in ("HEAD", "MERGE_HEAD"))
    base = _base(folio, top)
    undecided = ""
    if ours is not None and theirs is not None:
        start = decode_model(base, top) if base is not None else RegisteredModel(model.name, model.slug)
        decided = _by_hand(folio, top, base, ours, theirs)
        mine = _renamed(decided or ours, top, number, new, [start] if decided is None else [start, decode_model(theirs, top)])
        try:
            written[top] = mine if decided is not None else join(top, base, mine, theirs) or mine
        except ConflictError as error:
            undecided = error.message
            _leave_open(folio, place.full(top), [base, mine, theirs])
    card = paths.card_path(model.slug, number)
    our_card, their_card = (place.read(folio.repo.resolve(rev), card) for rev in ("HEAD", "MERGE_HEAD"))
    if our_card is not None:
        written[paths.card_path(model.slug, new)] = our_card
    if their_card is not None:
        written[card] = their_card
    elif our_card is not None:
        folio.repo.run("rm", "-q", "-f", "--ignore-unmatch", "--", place.full(card))
    for path, data in written.items():
        _write(folio, place.full(path), data)
    folio.repo.run("add", "--", *map(place.full, written))
    return undecided


def _by_hand(folio: Folio, top: str, base: bytes | None, ours: bytes, theirs: bytes) -> bytes | None:
    """Return the model's file where somebody decided in it already; None where it is as the merge made it."""
    root = folio.repo.work_tree
    assert root is not None
    try:
        here = (root / folio.place.full(top)).read_bytes()
        said = decode_model(here, top)
    except (OSError, DamagedError):  # with the marks of a conflict it cannot be read
        return None
    try:
        joined = join(top, base, ours, theirs)
    except ConflictError:
        return here
    return None if joined is None or said == decode_model(joined, top) else here


def _renamed(text: bytes, top: str, old: int, new: int, others: Sequence[RegisteredModel]) -> bytes:
    """Return a model's file with our version's new number in each stage and alias that does not name the old one in others, too."""
    found = decode_model(text, top)
    after = _moved(found, old, new)
    stages = {
        stage: found.stages[stage] if any(old in item.stages.get(stage, ()) for item in others) else numbers
        for stage, numbers in after.stages.items()
    }
    aliases = {
        alias: old if found.aliases[alias] == old and any(item.aliases.get(alias) == old for item in others) else number
        for alias, number in after.aliases.items()
    }
    return edit_model(text, replace(after, stages=stages, aliases=aliases))


def _leave_open(folio: Folio, path: str, sides: Sequence[bytes | None]) -> None:
    """Put a file into conflict, as git's merge does: base, ours and theirs in the index, marks in the work tree."""
    repo = folio.repo
    zeros = "0" * len(repo.resolve("HEAD") or "")
    lines = [f"0 {zeros}\t{path}\0"]
    for stage, data in enumerate(sides, 1):
        if data is not None:
            oid = repo.run("hash-object", "-w", "--stdin", input=data).decode().strip()
            lines.append(f"100644 {oid} {stage}\t{path}\0")
    repo.run("update-index", "-z", "--index-info", input="".join(lines).encode("utf-8", "surrogateescape"))
    repo.run("checkout", "--merge", "--", path)


def _write(folio: Folio, path: str, data: bytes) -> None:
    root = folio.repo.work_tree
    assert root is not None
    try:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    except OSError as error:
        raise storage_error(f"write {path}", error) from None


def _base(folio: Folio, path: str) -> bytes | None:
    found = folio.repo.run("merge-base", "HEAD", "MERGE_HEAD", check=False).decode().split()
    return folio.place.read(found[0], path) if found else None
