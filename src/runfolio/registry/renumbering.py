"""Give a version another number: for one that two branches both took.

In a merge that stopped at that file, theirs keeps the number and ours moves: to the work tree and the index, so that the merge can be
committed. Otherwise the version moves by one commit on the branch at hand. Stages and aliases that our side gave to it follow.
"""

from __future__ import annotations

from dataclasses import replace

from runfolio.errors import StateError, storage_error
from runfolio.folio.committing import commit_with_retry
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.formats.models import decode_model, edit_model
from runfolio.gitstore import FileChange
from runfolio.gitstore.trees import parse_tree
from runfolio.records.models import RegisteredModel
from runfolio.records.visible import visible


def renumber(folio: Folio, name: str, number: int) -> int:
    """Give a version the next number that no branch has taken, and return that.

    Raises
    ------
    NotFoundError
        If there is no such version.
    StateError
        If a merge is under way, but not stopped at that version.
    """
    model = folio.models.find(name)
    path = paths.version_path(model.slug, number)
    stages = _unmerged(folio, path)
    new = _free_number(folio, model)
    if stages:
        _in_merge(folio, model, number, new, stages)
        return new
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
    return new


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
    if folio.repo.work_tree is None or not (folio.repo.git_dir / "MERGE_HEAD").exists():
        return {}
    made = {}
    full = folio.place.full(path)
    for line in folio.repo.run("ls-files", "-u", "-z", "--", full).split(b"\0"):
        if line:
            _, oid, stage = line.partition(b"\t")[0].decode().split(" ")
            made[int(stage)] = oid
    if made and not {2, 3} <= made.keys():
        raise StateError(f"{path} was removed on one side of the merge: decide with git rm or git add, then go on.")
    return made


def _in_merge(folio: Folio, model: RegisteredModel, number: int, new: int, stages: dict[int, str]) -> None:
    repo, place = folio.repo, folio.place
    root = repo.work_tree
    assert root is not None
    written = {
        place.full(paths.version_path(model.slug, number)): repo.read(stages[3]) or b"",
        place.full(paths.version_path(model.slug, new)): repo.read(stages[2]) or b"",
    }
    top = paths.model_path(model.slug)
    file = root / place.full(top)
    ours, base = place.read(repo.resolve("HEAD"), top), _base(folio, top)
    if ours is not None and file.exists():
        mine = decode_model(ours, top)
        start = decode_model(base, top) if base is not None else RegisteredModel(mine.name, mine.slug)
        here = decode_model(file.read_bytes(), top)
        stage = mine.stage_of(number)
        given = {alias for alias, item in mine.aliases.items() if item == number and start.aliases.get(alias) != number}
        after = here
        if stage != start.stage_of(number) and number in here.stages.get(stage, ()):
            numbers = tuple(sorted(new if item == number else item for item in here.stages[stage]))
            after = replace(after, stages={**after.stages, stage: numbers})
        after = replace(after, aliases={alias: new if alias in given else item for alias, item in after.aliases.items()})
        if after != here:
            written[place.full(top)] = edit_model(file.read_bytes(), after)
    for path, data in written.items():
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        except OSError as error:
            raise storage_error(f"write {path}", error) from None
    repo.run("add", "--", *written)


def _base(folio: Folio, path: str) -> bytes | None:
    found = folio.repo.run("merge-base", "HEAD", "MERGE_HEAD", check=False).decode().split()
    return folio.place.read(found[0], path) if found else None
