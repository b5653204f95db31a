"""The last step of the demonstration: the run behind what is in Production is made again, and the verdict is committed.

With what is installed here (``local``), because that takes seconds; the verdict says so. From a fresh clone, in an environment that is
made of nothing but the run's own list, it is the same command with ``--env-manager virtualenv``.
"""

from __future__ import annotations

from runfolio.demo.releasing import MODEL
from runfolio.folio import Folio
from runfolio.records.reproductions import Reproduction
from runfolio.reproduction import ReproduceOptions, asked_for, reproduce

URI = f"models:/{MODEL}/Production"


def prove(folio: Folio) -> Reproduction:
    """Make the run behind the Production model again, and return the verdict.

    Parameters
    ----------
    folio : Folio
        Of the demonstration.
    """
    return reproduce(folio, asked_for(folio, URI), ReproduceOptions(manager="local")).verdict
