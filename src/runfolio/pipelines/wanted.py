"""Which steps are asked for."""

from __future__ import annotations

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.formats.fields import suggestion
from runfolio.pipelines.model import Pipeline, Step


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Parameters
    ----------
    steps : tuple of str
        These, and what they need; all by default.
    start_from : tuple of str
        These and what needs them, and what those need.
    force : bool
        Make again what was named (all, where nothing was), also where it is up to date.
    jobs : int
        So many steps at once.
    overwrite : bool
        Overwrite files that a person changed.
    """

    steps: tuple[str, ...] = ()
    start_from: tuple[str, ...] = ()
    force: bool = False
    jobs: int = 1
    overwrite: bool = False

    def chosen(self, pipeline: Pipeline) -> tuple[tuple[Step, ...], frozenset[str]]:
        """Return the steps that this is about, in order, and the names of those that are to be made again.

        Raises
        ------
        UsageError
            If there is no step of a name.
        """
        known = [step.name for step in pipeline.steps]
        for name in (*self.steps, *self.start_from):
            if name not in known:
                raise UsageError(f"The pipeline {pipeline.name} has no step {name!r}{suggestion(name, known, '.')}")
        if self.jobs < 1:
            raise UsageError(f"{self.jobs} steps at once is not possible: --jobs takes a number from 1.")
        named = set(self.steps) | {step.name for step in pipeline.following(self.start_from)}
        named = named or set(known)
        return pipeline.needed_by(named), frozenset(named if self.force else ())
