"""What a site consists of before any of it is made: files, each with the inputs that its bytes depend on.

A file whose inputs have not changed since the last build is not made again. So ``inputs`` must hold everything that
``render`` looks at; what all files depend on (templates, settings, version) is added by :mod:`runfolio.site.output`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runfolio._dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A file under a name of its own: an HTML page, a feed.

    Parameters
    ----------
    path : str
        From the site's root, with ``/``.
    inputs : str or bytes
    render : callable
        Returns the bytes.
    """

    path: str
    inputs: str | bytes
    render: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Data:
    """A file that pages name, with a digest of its content in its name, so that no cache ever shows an old one.

    Parameters
    ----------
    name : str
        From the site's root, without digest and ending: ``data/r/0``. Other files find its path under this name.
    inputs : str or bytes
    render : callable
        Returns the bytes, and facts about them (JSON values) that the plan of other files needs.
    ending : str, optional
    """

    name: str
    inputs: str | bytes
    render: Callable[[], tuple[bytes, object]]
    ending: str = ".js"


@dataclass(frozen=True, slots=True)
class Step:
    """Files that can be made one beside the other.

    Parameters
    ----------
    name : str
        What they are, for the progress bar.
    files : sequence of Page or Data
    done, total : int
        How far a work is that has many steps of one name; `total` is 0 where it has one, which is counted by its files.
    """

    name: str
    files: Sequence[Page | Data]
    done: int = 0
    total: int = 0
