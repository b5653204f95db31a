"""What became of a pipeline and of its steps."""

from __future__ import annotations

from collections.abc import Mapping

from runfolio._dataclass import dataclass
from runfolio.pipelines.contents import Content
from runfolio.records.pipelines import MADE, UP_TO_DATE


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step.

    Parameters
    ----------
    name : str
    state : str
        One of :data:`runfolio.records.pipelines.STATES`.
    run_id : str
        The run that made its outputs, or that failed to; empty where there is none.
    why : tuple of str
        Why it was run, or was not.
    start, end : int or None
        Milliseconds since the epoch, UTC.
    key : str
    inputs : Mapping of str to Content
        By place.
    files : Content
        What it made, by path from the pipeline's folder.
    """

    name: str
    state: str
    run_id: str = ""
    why: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    key: str = ""
    inputs: Mapping[str, Content] | None = None
    files: Content | None = None


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """What came of a run of a pipeline.

    Parameters
    ----------
    name : str
    run_id : str
        Empty where nothing was to be done, and so no run was made.
    steps : tuple of StepResult
        In order.
    signal : int
        The signal that ended it; 0 where none did.
    """

    name: str
    run_id: str
    steps: tuple[StepResult, ...]
    signal: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether all steps that it was about are up to date now."""
        return all(step.state in (MADE, UP_TO_DATE) for step in self.steps)
