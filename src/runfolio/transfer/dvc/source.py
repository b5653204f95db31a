"""A repository of DVC, or a folder of dvclive, as a source: experiments (``refs/exps``), and the revisions that are asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import GitError, NotAFolioError, NotFoundError
from runfolio.gitstore import Repo
from runfolio.transfer.dvc.runs import Reading
from runfolio.transfer.dvc.trees import Cache, CommitFiles, Files, FolderFiles, cache_of
from runfolio.transfer.held import NOTE_TAG, Draft, HeldRun, HeldSource
from runfolio.transfer.plain import id_of
from runfolio.transfer.source import SourceExperiment

TOOL = "dvc"
_EXPERIMENT = re.compile(r"refs/exps/(?P<base>[0-9a-f]{2}/[0-9a-f]{38,62})/(?P<name>[^/].*)\Z")
_HEAD = re.compile(rb"^(author|committer) (.*) <(.*)> (\d+) [+-]\d{4}$", re.MULTILINE)
_OWN_MESSAGE = "dvc: "


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit that is a run.

    Parameters
    ----------
    commit, name : str
    baseline : str
        The commit that an experiment began with; empty for others.
    branch : str
        Where it is a branch.
    """

    commit: str
    name: str
    baseline: str = ""
    branch: str = ""


def open_dvc(
    place: Path, revisions: Sequence[str] = (), *, branches: bool = False, tags: bool = False, workspace: bool = False
) -> DvcSource:
    """Open a repository of DVC or a folder of dvclive.

    Parameters
    ----------
    place : Path
        A git repository (or a folder in one that holds ``.dvc``), or a folder that dvclive wrote.
    revisions : sequence of str, optional
        Commits, branches, tags that are runs, too.
    branches, tags, workspace : bool, optional
        Take all branches, all tags; the files as they are now.

    Raises
    ------
    NotFoundError
        If there is neither, or no such revision.
    """
    if not place.is_dir():
        raise NotFoundError(f"{place}: no such folder. Give a repository that uses DVC, or a folder that dvclive wrote.")
    live = (place / "metrics.json").is_file() or (place / "plots" / "metrics").is_dir()
    try:
        repo = None if live else Repo.discover(place)
    except (NotAFolioError, GitError):
        repo = None
    if repo is None:
        if not live and not any(place.rglob("metrics.json")):
            raise NotFoundError(
                f"{place}: it is in no git repository, and dvclive wrote nothing there (metrics.json, plots/metrics)."
            )
        return DvcSource(place, None, [], cache_of(place), workspace=True)
    root = repo.work_tree or place
    found = list(_experiments(repo))
    for name in revisions:
        commit = repo.resolve(name)
        if commit is None:
            raise NotFoundError(f"{place}: there is no revision {name!r}. See: git log --oneline --all")
        found.append(Revision(commit, name))
    if branches:
        found += [
            Revision(commit, ref[len("refs/heads/") :], branch=ref[len("refs/heads/") :])
            for ref, commit in _refs(repo, "refs/heads/")
        ]
    if tags:
        found += [Revision(commit, ref[len("refs/tags/") :]) for ref, commit in _refs(repo, "refs/tags/")]
    if not found and not workspace:
        raise NotFoundError(
            f"{place}: the repository has no experiments of DVC (refs/exps). Say what the runs are: --rev REV, --all-branches, "
            "--all-tags, or --workspace for the files as they are now."
        )
    cache = cache_of(place if (place / ".dvc").is_dir() else root)
    return DvcSource(root, repo, found, cache, workspace=workspace)


def _refs(repo: Repo, start: str) -> Iterator[tuple[str, str]]:
    """Yield refs and the commits that they name; tags that name no commit are none."""
    lines = repo.run("for-each-ref", "--format=%(refname) %(objectname) %(*objectname) %(objecttype) %(*objecttype)", start)
    for line in lines.decode("utf-8", "surrogateescape").splitlines():
        ref, oid, peeled, kind, inner = (line.split(" ") + [""] * 5)[:5]
        if kind == "commit":
            yield ref, oid
        elif "commit" in (inner, kind, peeled):
            yield ref, peeled


def _experiments(repo: Repo) -> Iterator[Revision]:
    for ref, commit in _refs(repo, "refs/exps/"):
        match = _EXPERIMENT.match(ref)
        if match:
            yield Revision(commit, match["name"], baseline=match["base"].replace("/", ""))


class DvcSource(HeldSource):
    """Runs of a DVC repository, or of one folder of dvclive.

    Parameters
    ----------
    root : Path
    repo : Repo or None
    revisions : sequence of Revision
    cache : Cache
    workspace : bool
        Take the files as they are now, too.
    """

    def __init__(self, root: Path, repo: Repo | None, revisions: Sequence[Revision], cache: Cache, *, workspace: bool) -> None:
        super().__init__(TOOL, str(root))
        self._root, self._repo, self._cache, self._workspace = root, repo, cache, workspace
        self._name = root.resolve().name or "dvc"
        self._revisions = list({item.commit: item for item in reversed(revisions)}.values())[::-1]

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield one experiment, named as the repository's folder."""
        yield self.experiment(self._name)

    def held(self, experiment_ids: Sequence[str]) -> Iterator[HeldRun]:
        """Yield the revisions, and the work folder."""
        experiment_id = self.experiment(self._name).experiment_id
        if experiment_id not in experiment_ids:
            return
        for revision in self._revisions:
            yield self._revision(revision, experiment_id)
        if self._workspace:
            yield self._folder(experiment_id)

    def _revision(self, revision: Revision, experiment_id: str) -> HeldRun:
        assert self._repo is not None
        repo, commit = self._repo, revision.commit
        head, _, message = (repo.read(commit) or b"").partition(b"\n\n")
        people = {found[0]: (found[1].decode("utf-8", "replace"), int(found[3]) * 1000) for found in _HEAD.findall(head)}
        author, _ = people.get(b"author", ("", 0))
        at = people.get(b"committer", ("", 0))[1]
        draft = Draft(self, id_of(TOOL, commit), experiment_id, commit)
        text = message.decode("utf-8", "replace").strip()
        draft.tag(NOTE_TAG, "" if text.startswith(_OWN_MESSAGE) else text)
        draft.tag("dvc.baseline", revision.baseline)
        draft.tag("mlflow.source.git.commit", commit)
        draft.tag("mlflow.source.git.branch", revision.branch)
        draft.tag("mlflow.source.git.repoURL", repo.config("remote.origin.url"))
        return self._read(draft, CommitFiles(repo, commit), at, revision.name, author)

    def _folder(self, experiment_id: str) -> HeldRun:
        files = FolderFiles(self._root, lambda place, why: self.cannot_read(str(place), why))
        states = [path for path in files.paths if path.endswith(("metrics.json", "params.yaml", ".tsv"))]
        made = hashlib.sha256()
        for path in states:
            made.update(path.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(files.read(path) or b"").digest())
        at = int(max((self._root / path).stat().st_mtime for path in states) * 1000) if states else 0
        draft = Draft(self, id_of(TOOL, "workspace", made.hexdigest()), experiment_id, f"workspace {made.hexdigest()[:12]}")
        return self._read(draft, files, at, "workspace", "")

    def _read(self, draft: Draft, files: Files, at: int, name: str, user: str) -> HeldRun:
        where = f"run {draft.run_id} ({name})"
        reading = Reading(files, self._cache, draft, at, lambda text: self.cannot_read(where, text))
        reading.run()
        if not draft.params and not draft.histories:
            self.cannot_read(where, "it has neither params nor metrics that DVC declares or dvclive wrote")
        start = at if reading.first is None else min(reading.first, at)
        return draft.held("FINISHED", start, max(at, start), name=name, user=user)
