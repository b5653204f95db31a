"""What one build is asked to do, beside the settings that the team reviews."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from runfolio._dataclass import dataclass, field

if TYPE_CHECKING:
    from runfolio.site.memory import Made

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What one build is asked to do.

    Parameters
    ----------
    at : str or None
        Revision whose records are shown; the tip by default.
    base_url : str or None
        Instead of ``site.base_url``.
    public : bool
        Leave out what is nobody else's business; see :mod:`runfolio.site.public`.
    jobs : int
        Processes that render.
    templates : Path or None
        A folder with templates that come first, instead of ``site.templates`` of the commit.
    python_charts : bool
        Whether charts that are declared in Python may run.
    force : bool
        Render everything again.
    diff : tuple of str, optional
        Two revisions, for a page of their difference beside those of the newest commits.
    """

    at: str | None = None
    base_url: str | None = None
    public: bool = False
    jobs: int = 1
    templates: Path | None = None
    python_charts: bool = True
    force: bool = False
    diff: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did.

    Parameters
    ----------
    out : Path
    rendered, kept, removed : int
        Files.
    bytes : int
        Of the whole site.
    runs, experiments : int
    commit : str
    warnings : tuple of str
    made : collection of Made
        The files, each known to be there.
    """

    out: Path
    rendered: int
    kept: int
    removed: int
    bytes: int
    runs: int
    experiments: int
    commit: str
    warnings: tuple[str, ...] = ()
    made: Collection[Made] = field(default=(), repr=False, compare=False)
