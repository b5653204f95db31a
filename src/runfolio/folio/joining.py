"""What decides, in ``sync``, about records that both sides changed; the rules are :mod:`runfolio.diff.joining`'s."""

from __future__ import annotations

from runfolio.diff.joining import ConflictError, join
from runfolio.errors import StateError
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.gitstore.merging import Clash, Resolver
from runfolio.records.visible import visible


def join_records(place: Place) -> Resolver:
    """Return what decides about files that both sides changed."""

    def resolve(clash: Clash) -> bytes | None:
        path = place.strip(clash.path) if clash.path.startswith(place.prefix) else clash.path
        if clash.ours == clash.theirs:
            return clash.ours
        why = ""
        if clash.ours is not None and clash.theirs is not None:
            try:
                joined = join(path, clash.base, clash.ours, clash.theirs)
            except ConflictError as error:
                joined, why = None, f" ({error.message.rstrip('.')})"
            if joined is not None:
                return joined
        version = paths.version_of_path(path)
        if version is not None and clash.base is None:
            then = f"then runfolio models renumber NAME {version[1]}, which gives ours the next number, and git commit"
        else:
            then = "then choose, or git checkout --ours or --theirs on the file"
        raise StateError(
            f"{visible(clash.path)} was changed here and on the remote, in ways that cannot be joined{visible(why)}. Nothing was "
            f"moved. Merge it yourself (git pull --no-rebase; {then}), then sync again."
        )

    return resolve
