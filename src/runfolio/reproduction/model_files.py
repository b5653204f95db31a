"""``MLmodel`` files name the run and the time that made them: two that differ in nothing else are the same model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runfolio.errors import RunfolioError
from runfolio.objects import ObjectStore
from runfolio.records.runs import ArtifactEntry

_NAME = "MLmodel"
_NAMES = (b"run_id:", b"utc_time_created:", b"model_uuid:", b"model_id:", b"artifact_path:")
_MAX_BYTES = 1 << 20


def same_but_for_names(
    old_store: ObjectStore, old: Mapping[str, ArtifactEntry], new_store: ObjectStore, new: Mapping[str, ArtifactEntry]
) -> list[str]:
    """Return the paths of ``MLmodel`` files that differ only in the lines that name run and time."""
    return [path for path in _candidates(old, new) if _lines(old_store, old[path]) == _lines(new_store, new[path]) is not None]


def not_at_hand(old_store: ObjectStore, old: Mapping[str, ArtifactEntry], new: Mapping[str, ArtifactEntry]) -> list[str]:
    """Return the paths of ``MLmodel`` files that could not be compared but by their digests: the original is not in the store."""
    return sorted(path for path in _candidates(old, new) if not old_store.exists(old[path].digest))


def _candidates(old: Mapping[str, ArtifactEntry], new: Mapping[str, ArtifactEntry]) -> Iterator[str]:
    for path in old.keys() & new.keys():
        if path.rsplit("/", 1)[-1] == _NAME and old[path].digest != new[path].digest:
            yield path


def _lines(store: ObjectStore, entry: ArtifactEntry) -> list[bytes] | None:
    try:
        data = store.read(entry.digest, _MAX_BYTES)
    except RunfolioError:
        return None
    return [line for line in data.splitlines() if not line.startswith(_NAMES)]
