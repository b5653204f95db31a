"""What else differs between the baseline and the best new run: packages, datasets, files, and the code that made them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.gitstore.difference import line_counts
from runfolio.records import Run
from runfolio.review.change import ArtifactChange, CodeChange, DataChange, ExperimentChange, PackageChange

MOST = 10
"""Experiments whose surroundings are compared."""
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:==|@)\s*(\S.*)$")


def pairs_of(experiments: Iterable[ExperimentChange]) -> list[tuple[str, Run, Run]]:
    """Return (slug, baseline, best new run) of the experiments that have both."""
    return [(item.slug, item.baseline, item.best) for item in experiments if item.baseline and item.best][:MOST]


def package_changes(place: Place, commits: tuple[str, str], pairs: list[tuple[str, Run, Run]]) -> tuple[PackageChange, ...]:
    """Compare the package lists of the baselines with those of the new runs.

    Parameters
    ----------
    place : Place
    commits : tuple of str
        Base and head.
    pairs : list of (str, Run, Run)
    """
    made: dict[str, PackageChange] = {}
    seen = set()
    for _, old, new in pairs:
        names = str(old.environment.get("lock", "")), str(new.environment.get("lock", ""))
        if names[0] == names[1] or not all(names) or names in seen:
            continue
        seen.add(names)
        before, after = (_packages(place, commit, name) for commit, name in zip(commits, names, strict=True))
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                made.setdefault(name, PackageChange(name, before.get(name), after.get(name)))
    for _, old, new in pairs:
        one, other = str(old.environment.get("python", "")), str(new.environment.get("python", ""))
        if one != other:
            made.setdefault("python", PackageChange("python", one or None, other or None))
    return tuple(made[name] for name in sorted(made))


def _packages(place: Place, commit: str, name: str) -> dict[str, str]:
    path = paths.environment_path(name)
    data = place.read(commit, path) or b""
    found = (_PIN.match(line.strip()) for line in data.decode("utf-8", "replace").splitlines())
    return {match[1]: match[2] for match in found if match}


def data_changes(pairs: list[tuple[str, Run, Run]]) -> tuple[DataChange, ...]:
    """Compare the datasets that the two runs of each pair read."""

    def digests(run: Run) -> dict[str, str]:
        made: dict[str, list[str]] = {}
        for item in run.inputs:
            made.setdefault(f"{item.name} ({item.context})" if item.context else item.name, []).append(item.digest)
        return {name: ", ".join(sorted(found)) for name, found in made.items()}

    def changes() -> Iterator[DataChange]:
        for slug, old, new in pairs:
            before, after = digests(old), digests(new)
            for name in sorted(before.keys() | after.keys()):
                if before.get(name) != after.get(name):
                    yield DataChange(slug, name, before.get(name), after.get(name))

    return tuple(changes())


_NOT_HERE = "the code of a run is not in this clone: git push leaves it behind, and runfolio sync, where it ran, brings it along"


def artifact_changes(pairs: list[tuple[str, Run, Run]]) -> tuple[ArtifactChange, ...]:
    """Compare the files of the two runs of each pair, by size and digest; a run with a list of its own is left out."""
    made = []
    for slug, old, new in pairs:
        if old.manifest or new.manifest:
            continue
        for path in sorted(old.artifacts.keys() | new.artifacts.keys()):
            one, other = old.artifacts.get(path), new.artifacts.get(path)
            if (one and one.digest) != (other and other.digest):
                digests = (str(one.digest) if one else None, str(other.digest) if other else None)
                made.append(ArtifactChange(slug, path, *digests, one.size if one else None, other.size if other else None))
    return tuple(made)


def code_changes(place: Place, pairs: list[tuple[str, Run, Run]]) -> tuple[CodeChange, ...]:
    """Compare the code that made the two runs of each pair: the exact trees where they were kept, else the commits."""
    ours = [place.full(name) for name in (*paths.OURS, paths.SETTINGS, paths.POLICY)]
    made = []
    for slug, old, new in pairs:
        commits = str(old.code.get("commit", "")), str(new.code.get("commit", ""))
        trees = str(old.code.get("tree", "") or commits[0]), str(new.code.get("tree", "") or commits[1])
        if not all(trees):
            made.append(CodeChange(slug, *commits, (), "a run names no code"))
            continue
        if trees[0] == trees[1]:
            made.append(CodeChange(slug, *commits))
            continue
        files = line_counts(place.repo, *trees, ours)
        if files is None:  # git push takes no hidden ref along, but it takes the commit, which holds all of a clean run's code
            files = line_counts(place.repo, _clean(old) or trees[0], _clean(new) or trees[1], ours)
        made.append(CodeChange(slug, *commits, tuple(files or ()), "" if files is not None else _NOT_HERE))
    return tuple(made)


def _clean(run: Run) -> str:
    """Return the commit that holds all code of a run; empty where the work tree was changed."""
    return "" if run.code.get("dirty", True) else str(run.code.get("commit", ""))
