"""What of a store is to be taken or written, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError
from runfolio.transfer.findings import Imported
from runfolio.transfer.source import SourceExperiment


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked of an import or an export.

    Parameters
    ----------
    experiments : sequence of str
        Names or ids; all if empty.
    since_ms : int or None
        Runs that started then or later, milliseconds since the epoch, UTC.
    dry_run : bool
        Count, and change nothing.
    files, models : bool
        Artifacts too; registered models too.
    verify : bool
        Read each run back from where it went, and compare.
    tell : callable
        Given what is going on, in words.
    """

    experiments: Sequence[str] = ()
    since_ms: int | None = None
    dry_run: bool = False
    files: bool = True
    models: bool = True
    verify: bool = True
    tell: Callable[[str], None] = lambda text: None

    @property
    def whole(self) -> bool:
        """Whether all runs are asked for."""
        return not self.experiments and self.since_ms is None

    def among(self, found: Iterable[SourceExperiment], done: Imported, holder: str) -> list[SourceExperiment]:
        """Return the experiments that are asked for; those that `holder` (the store, the folio) does not have are findings.

        Raises
        ------
        NotFoundError
            If it has none of them.
        """
        asked, there = set(self.experiments), list(found)
        wanted = [item for item in there if not asked or {item.name, item.experiment_id} & asked]
        if asked and not wanted:
            names = ", ".join(sorted(repr(item.name) for item in there)[:20]) or "none"
            raise NotFoundError(
                f"{holder[0].upper()}{holder[1:]} has no experiment named {' or '.join(sorted(map(repr, asked)))}. It has: {names}."
            )
        for name in sorted(asked - {name for item in wanted for name in (item.name, item.experiment_id)}):
            done.find(f"experiment {name}", f"{holder} has none of that name or id")
        return wanted
