"""Verdicts of reproduction in a folio: read at its tip, each written once by one small commit."""

from __future__ import annotations

from collections.abc import Iterable

from runfolio.errors import DamagedError
from runfolio.folio.committing import commit_with_retry
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.reproductions import decode_reproduction, encode_reproduction
from runfolio.gitstore import FileChange
from runfolio.gitstore.trees import folder_names
from runfolio.records.reproductions import Outcome, Reproduction
from runfolio.records.visible import visible


class ReproductionBook:
    """What came of making the runs of a folio again.

    Parameters
    ----------
    place : Place
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def of_run(self, run_id: str, tip: str | None = None) -> list[Reproduction]:
        """List the attempts at a run, the newest first.

        A record that is damaged is passed over; ``check`` names it.

        Parameters
        ----------
        run_id : str
        tip : str, optional
            Commit to read; the folio's tip by default.
        """
        tip = tip or self._place.tip()
        return sorted(self._read([run_id], tip), key=lambda item: item.attempt_id, reverse=True)

    def newest(self, run_id: str, tip: str | None = None) -> Reproduction | None:
        """Return the newest attempt at a run, or None."""
        found = self.of_run(run_id, tip)
        return found[0] if found else None

    def all(self, tip: str | None = None) -> dict[str, list[Reproduction]]:
        """Return the attempts at every run, the newest first, by run id."""
        tip = tip or self._place.tip()
        made: dict[str, list[Reproduction]] = {}
        for item in self._read(self._names(tip, paths.REPRODUCTIONS), tip):
            made.setdefault(item.run_id, []).append(item)
        return {key: sorted(items, key=lambda item: item.attempt_id, reverse=True) for key, items in made.items()}

    def record(self, made: Reproduction) -> str:
        """Write a verdict, and return its path from the folio's root.

        Raises
        ------
        StateError
            If no commit can go to the branch at hand now.
        """
        path = paths.reproduction_path(made.run_id, made.attempt_id)
        data = encode_reproduction(made)
        # A public site shows subjects: the verdict is in them, and no reason, which may name a path.
        words = made.words.partition(":")[0] if made.verdict is Outcome.COULD_NOT_RUN else made.words
        message = f"reproductions: {visible(made.run_id[:12])} {visible(words)[:90]}\n"
        commit_with_retry(self._place, lambda _: [FileChange(self._place.full(path), data)], message)
        return path

    def _read(self, run_ids: Iterable[str], tip: str | None) -> list[Reproduction]:
        if tip is None:
            return []
        wanted = {}
        for run_id in run_ids:
            folder = f"{paths.REPRODUCTIONS}/{run_id}"
            wanted.update(
                {f"{tip}:{self._place.full(f'{folder}/{name}')}": f"{folder}/{name}" for name in self._names(tip, folder)}
            )
        found = []
        for name, data in self._place.repo.read_many(wanted):
            path = wanted[name]
            if data is None or paths.reproduction_of_path(path) is None:
                continue
            try:
                found.append(decode_reproduction(data, path))
            except DamagedError:
                continue
        return found

    def _names(self, tip: str | None, folder: str) -> list[str]:
        return folder_names(self._place.repo, f"{tip}:{self._place.full(folder)}") if tip else []
