"""Datasets of a folio: which content is current in the work tree, facts of each content, versions out of git's history.

``datasets/<slug>.yaml`` is read where people edit it, in the work tree, as a lock file would be; another revision is read on request.
It goes to the branch that is checked out, also where the records have a ledger branch of their own: it is part of the code that a run
stood on. The facts, ``datasets/<slug>/<digits>.json``, go with the records.

>>> import tempfile
>>> from runfolio.folio import initialise
>>> folio = initialise(tempfile.mkdtemp()).folio
>>> folio.datasets.all()
[]

What it does *not* do: read or hash data (`runfolio.folio.dataset_adding`), or compare it with what lies on disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from runfolio._dataclass import dataclass, replace
from runfolio.errors import DamagedError, NotFoundError, StateError
from runfolio.folio.place import Place, short
from runfolio.formats import paths
from runfolio.formats.datasets import decode_dataset, decode_facts, edit_dataset, encode_dataset, encode_facts
from runfolio.gitstore import FileChange
from runfolio.gitstore.history import commits_that_changed
from runfolio.gitstore.trees import folder_names
from runfolio.records.datasets import Dataset, Facts, Holder, check_dataset_name, facts_name
from runfolio.records.names import slug_of
from runfolio.records.visible import visible


@dataclass(frozen=True, slots=True)
class Found:
    """The datasets of a folder or revision, and the faults of files that could not be read."""

    datasets: tuple[Dataset, ...]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """A content that was current once.

    Parameters
    ----------
    dataset : Dataset
        What the file said.
    commit : str
    at : int
        Milliseconds since the epoch, UTC.
    author, subject : str
    """

    dataset: Dataset
    commit: str
    at: int
    author: str
    subject: str


class DatasetBook:
    """The datasets of a folio.

    Parameters
    ----------
    place : Place
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def _folder(self) -> Path | None:
        return None if self._place.repo.bare else self._place.root / paths.DATASETS

    def found(self, rev: str | None = None) -> Found:
        """List the datasets by name, and what is wrong with files that cannot be read.

        Parameters
        ----------
        rev : str, optional
            A commit; the work tree by default (of a bare repository its HEAD).
        """
        if rev is None and self._folder is not None:
            return datasets_in(self._folder)
        commit = rev or self._place.repo.resolve("HEAD")
        if commit is None:
            return Found(())
        names = folder_names(self._place.repo, f"{commit}:{self._place.full(paths.DATASETS)}")
        wanted = [f"{paths.DATASETS}/{name}" for name in names if paths.dataset_of_path(f"{paths.DATASETS}/{name}")]
        files = {path: self._place.read(commit, path) for path in wanted}
        return _decoded({path: data for path, data in files.items() if data is not None})

    def all(self, rev: str | None = None) -> list[Dataset]:
        """List the datasets by name; a file that is damaged is passed over, ``check`` names it."""
        return list(self.found(rev).datasets)

    def find(self, name: str, rev: str | None = None) -> Dataset:
        """Return the dataset of that name.

        Raises
        ------
        NotFoundError
            If there is none; the message lists those that are there.
        DamagedError
            If files could not be read, and it is in none of the others.
        """
        found = self.found(rev)
        made = next((item for item in found.datasets if name in (item.name, item.slug)), None)
        if made is not None:
            return made
        if found.faults:
            raise DamagedError("\n".join(found.faults))
        names = ", ".join(repr(visible(item.name)) for item in found.datasets[:8]) or "none yet (runfolio data add PATH)"
        when = f" at {rev[:10]}" if rev else ""
        raise NotFoundError(f"There is no dataset {visible(name)!r}{when}. There are: {names}.")

    def of_path(self, path: str) -> Dataset | None:
        """Return the dataset that lies at a path from the repository's root, or None."""
        return next((item for item in self.all() if item.path == path), None)

    def facts(self, slug: str, digest: str, tip: str | None = None) -> Facts | None:
        """Return what is known of a content, or None.

        Parameters
        ----------
        slug : str
        digest : str
        tip : str, optional
            Commit to read; the folio's tip by default, then HEAD.

        Raises
        ------
        DamagedError
            If the record is damaged.
        """
        path = paths.facts_path(slug, facts_name(digest))
        for commit in dict.fromkeys((tip or self._place.tip(), self._place.repo.resolve("HEAD"))):
            data = self._place.read(commit, path)
            if data is not None:
                made = decode_facts(data, path)
                if made.digest == digest:
                    return made
        return None

    def contents(self, slug: str, tip: str | None = None) -> list[Facts]:
        """List the facts of all contents of a dataset, by digest; damaged ones are passed over."""
        made: dict[str, Facts] = {}
        for commit in dict.fromkeys((tip or self._place.tip(), self._place.repo.resolve("HEAD"))):
            folder = f"{paths.DATASETS}/{slug}"
            for name in folder_names(self._place.repo, f"{commit}:{self._place.full(folder)}") if commit else ():
                path = f"{folder}/{name}"
                data = self._place.read(commit, path) if paths.facts_of_path(path) and path not in made else None
                try:
                    if data is not None:
                        made[path] = decode_facts(data, path)
                except DamagedError:
                    continue
        return sorted(made.values(), key=lambda item: item.digest)

    def versions(self, slug: str, tip: str | None = None, limit: int = 1000) -> list[DatasetVersion]:
        """List the contents that were current, newest first, one for each commit that changed the digest.

        Parameters
        ----------
        slug : str
        tip : str, optional
            Commit to begin with; HEAD by default.
        limit : int, optional
            Commits to look at, at most.
        """
        start = tip or self._place.repo.resolve("HEAD")
        path = paths.dataset_path(slug)
        if start is None:
            return []
        made: list[DatasetVersion] = []
        commits = commits_that_changed(self._place.repo, start, (self._place.full(path),), limit)
        contents = dict(self._place.repo.read_many([change.new for commit in commits for change in commit.changes if change.new]))
        for commit in commits:
            data = contents.get(commit.changes[0].new or "")
            try:
                dataset = decode_dataset(data, path) if data is not None else None
            except DamagedError:
                continue
            if dataset is not None:
                made.append(DatasetVersion(dataset, commit.oid, commit.at, commit.author, commit.subject))
        # An edit of the description alone is no version: the oldest commit of a stretch with one digest brought it.
        following = [*made[1:], None]
        return [item for item, older in zip(made, following) if _is_new(item, older)]  # noqa: B905 nothing follows where there is none

    def at(self, name: str, rev: str = "") -> Dataset:
        """Return a dataset as of a revision, or with one of its earlier contents.

        Parameters
        ----------
        name : str
        rev : str, optional
            A revision of git, or the digest of a content (whole, or 8 of its hex digits at least); what is current by default.

        Raises
        ------
        NotFoundError
            If nothing is meant by that.
        """
        if not rev:
            return self.find(name)
        digits = rev.partition(":")[2] if rev.startswith(("sha256:", "md5:")) else rev
        if len(digits) >= 8 and not set(digits.removesuffix(".dir")) - set("0123456789abcdef"):
            made = self._by_digest(name, digits)
            if made is not None:
                return made
        commit = self._place.repo.resolve(rev)
        if commit is None:
            raise NotFoundError(
                f"{visible(name)}@{visible(rev)}: neither a content of this dataset nor a revision of git. "
                f"List its contents: runfolio data show {visible(name)}"
            )
        return self.find(name, commit)

    def _by_digest(self, name: str, digits: str) -> Dataset | None:
        """Return the dataset with the content whose digest begins so, of those that are recorded or were current."""
        current = self._latest(name)
        if current is None:
            return None
        known = {version.dataset.digest: version.dataset for version in reversed(self.versions(current.slug))}
        for facts in self.contents(current.slug):
            known.setdefault(facts.digest, replace(current, digest=facts.digest, kind=facts.kind, held_by=facts.held_by))
        known[current.digest] = current
        meant = [item for digest, item in known.items() if digest.partition(":")[2].startswith(digits)]
        if len(meant) > 1:
            raise NotFoundError(f"{visible(name)}@{digits}: {len(meant)} contents begin so; give more of the digest.")
        return meant[0] if meant else None

    def _latest(self, name: str) -> Dataset | None:
        try:
            return self.find(name)
        except NotFoundError:
            gone = self.versions(slug_of(name))
            return gone[0].dataset if gone else None

    def record(self, dataset: Dataset, facts: Facts | None, verb: str, *, again: bool = False) -> Dataset:
        """Write which content of a dataset is current, and the facts of that content, by one small commit.

        Parameters
        ----------
        dataset : Dataset
            With an empty slug for a new one.
        facts : Facts or None
            Of its content.
        verb : str
            Of the commit's subject: ``add``, ``update``, ``describe``.
        again : bool, optional
            Write the facts also where there are some of that content.

        Returns
        -------
        Dataset
            As it was written.

        Raises
        ------
        StateError
            If the dataset's file was changed in the work tree and that is not committed, or no commit can be made now.
        """
        check_dataset_name(dataset.name)
        made: list[Dataset] = []
        now = time.time_ns() // 1_000_000

        def whole(tip: str | None) -> list[FileChange]:
            made[:] = [self._named(dataset, tip, now)]
            path = paths.dataset_path(made[0].slug)
            old = self._place.read(tip, path)
            self._require_committed(path, old)
            data = encode_dataset(made[0]) if old is None else edit_dataset(old, made[0])
            return [FileChange(self._place.full(path), data)]

        def known(tip: str | None) -> list[FileChange]:
            if facts is None:
                return []
            slug = made[0].slug if made else dataset.slug
            path = paths.facts_path(slug, facts_name(facts.digest))
            if not again and self._place.read(tip, path) is not None:
                return []
            return [FileChange(self._place.full(path), encode_facts(facts))]

        def message() -> str:
            return f"datasets: {verb} {visible(dataset.name)}\n"

        self._commit(whole, known, message)
        return made[0]

    def remove(self, name: str) -> Dataset:
        """Take a dataset's file away; the facts of its contents, and git's history, keep what they were."""
        dataset = self.find(name)
        path = paths.dataset_path(dataset.slug)

        def gone(tip: str | None) -> list[FileChange]:
            self._require_committed(path, self._place.read(tip, path))
            return [FileChange(self._place.full(path), None)]

        self._commit(gone, lambda tip: [], lambda: f"datasets: remove {visible(dataset.name)}\n")
        return dataset

    def _named(self, dataset: Dataset, tip: str | None, now: int) -> Dataset:
        """Give a new dataset its slug: the one that its name makes, unless another dataset has it."""
        if dataset.slug:
            return dataset
        folder = self._place.full(paths.DATASETS)
        taken = {name.removesuffix(".yaml") for name in (folder_names(self._place.repo, f"{tip}:{folder}") if tip else ())}
        wanted, number = slug_of(dataset.name), 2
        slug = wanted
        while slug in taken:
            slug, number = f"{wanted[:44]}-{number}", number + 1
        return replace(dataset, slug=slug, created=dataset.created or now)

    def _require_committed(self, path: str, old: bytes | None) -> None:
        """Refuse to write over what somebody changed in the work tree."""
        if self._folder is None:
            return
        file = self._place.root / path
        try:
            here = file.read_bytes()
        except FileNotFoundError:
            return
        if here != old:
            raise StateError(
                f"{path} was changed here and is not committed. Commit it, or bring back what was there: git checkout HEAD -- {path}"
            )

    def _commit(
        self,
        whole: Callable[[str | None], list[FileChange]],
        known: Callable[[str | None], list[FileChange]],
        message: Callable[[], str],
    ) -> None:
        from runfolio.folio.committing import commit_on, commit_with_retry
        from runfolio.folio.lock import WAIT_S, locked
        from runfolio.gitstore.checkout import finish_pending

        place = self._place
        if place.ledger is None:
            commit_with_retry(place, lambda tip: [*whole(tip), *known(tip)], message)
            return
        branch = place.repo.head_branch()
        waiting = place.repo.unfinished()
        if branch is None or waiting:
            what = (
                f"a {waiting} is under way on {short(branch)}. Finish it (or abort it)"
                if waiting and branch
                else "HEAD is detached"
            )
            raise StateError(f"Nothing was committed: {what}. A dataset's file goes to the branch that is checked out.")
        with locked(place.repo.own_folder, WAIT_S):
            finish_pending(place.repo)
            whole(place.repo.resolve(branch))
            # The facts first: killed in between, they tell of a content that nothing calls current yet.
            commit_on(place, place.ledger, known, message)
            commit_on(place, branch, whole, message)


def datasets_in(folder: Path) -> Found:
    """Read the dataset files of a folder on disk; links are not followed.

    Parameters
    ----------
    folder : Path
        The folder ``datasets`` of a code tree.
    """
    files: dict[str, bytes] = {}
    faults: list[str] = []
    try:
        names = sorted(item.name for item in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return Found(())
    for name in names:
        path = f"{paths.DATASETS}/{name}"
        file = folder / name
        if paths.dataset_of_path(path) is None or file.is_symlink() or not file.is_file():
            continue
        try:
            files[path] = file.read_bytes()
        except OSError as error:
            faults.append(f"{path}: cannot be read: {error.strerror or error}.")
    made = _decoded(files)
    return Found(made.datasets, (*faults, *made.faults))


def _decoded(files: Mapping[str, bytes]) -> Found:
    made: list[Dataset] = []
    faults: list[str] = []
    for path, data in files.items():
        try:
            made.append(decode_dataset(data, path))
        except DamagedError as error:
            faults += error.message.split("\n")
    return Found(tuple(sorted(made, key=lambda item: item.name)), tuple(faults))


def _is_new(item: DatasetVersion, older: DatasetVersion | None) -> bool:
    return older is None or item.dataset.digest != older.dataset.digest


def named(datasets: Iterable[Dataset]) -> str:
    """Name some datasets in a sentence."""
    return ", ".join(visible(item.name) for item in datasets)


def named_holder(dataset: Dataset) -> str:
    """Say who keeps a dataset's bytes."""
    return {Holder.STORE: "object store", Holder.DVC: "DVC", Holder.SOURCE: visible(dataset.source)}[dataset.held_by]
