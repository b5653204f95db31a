"""Datasets that the folio has recorded, in Python: recorded, read verified, and made into what ``log_input`` takes.

``runfolio.data.load("wine")`` reads what is current, ``runfolio.data.path("wine@HEAD~5")`` says where what was current lies, and
``log_input(runfolio.data.from_folio("wine"), context="training")`` names it in a run by its digest.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from runfolio.errors import StateError, UsageError
from runfolio.folio import Folio
from runfolio.records.datasets import Dataset as Recorded
from runfolio.records.visible import visible
from runfolio.tracking.datasets.recorded import RecordedDataset
from runfolio.tracking.session import session


def from_folio(name: str) -> RecordedDataset:
    """Make a dataset, for ``log_input``, of one that the folio has recorded.

    Parameters
    ----------
    name : str
        ``wine`` (what is current), ``wine@REV`` or ``wine@DIGEST``.

    Raises
    ------
    NotFoundError
        If nothing is meant by that.
    """
    from runfolio.folio.dataset_placing import meant

    folio = folio_here()
    recorded = meant(folio, name)
    return RecordedDataset(recorded, folio.datasets.facts(recorded.slug, recorded.digest))


def path(name: str) -> Path:
    """Return a local path with the bytes of a recorded content, verified against its digest.

    It is the dataset's own place where that holds this content; else a read-only copy under git's folder, made when it is first asked for.

    Parameters
    ----------
    name : str
        ``wine`` (what is current), ``wine@REV`` or ``wine@DIGEST``.

    Raises
    ------
    NotFoundError
        If nothing is meant by that, or the content is not at hand: the message says how to fetch it.
    DamagedError
        If the store's bytes are not those of the digest.
    """
    from runfolio.folio.dataset_status import readable_path

    return readable_path(folio_here(), name)


def load(name: str) -> Any:
    """Read a recorded table or array, verified, into memory: a pandas frame, or what numpy holds.

    Parameters
    ----------
    name : str
        As for :func:`path`.

    Returns
    -------
    pandas.DataFrame, numpy.ndarray or numpy.lib.npyio.NpzFile

    Raises
    ------
    UsageError
        If the file is neither CSV, TSV, JSON lines, Parquet nor NumPy's.
    """
    place = path(name)
    ending = place.name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending in ("npy", "npz"):
        import numpy

        return numpy.load(place, allow_pickle=False)
    import pandas

    if ending == "csv":
        return pandas.read_csv(place)
    if ending in ("tsv", "tab"):
        return pandas.read_csv(place, sep="\t")
    if ending in ("jsonl", "ndjson"):
        return pandas.read_json(place, lines=True)
    if ending == "parquet":
        return pandas.read_parquet(place)
    raise UsageError(f"{visible(place.name)} is no table that load() reads. Open it yourself: runfolio.data.path({name!r})")


def add(
    place: str | os.PathLike[str],
    name: str | None = None,
    description: str | None = None,
    source: str | None = None,
    *,
    sample: int = 0,
    top_values: int = 0,
    profile: bool = True,
    store: bool = True,
) -> list[Recorded]:
    """Record what lies at a path as the current content of a dataset, by one small commit; ``runfolio data add``.

    Parameters
    ----------
    place : str or path
        A file, a folder, a ``.dvc`` file or ``dvc.lock``.
    name : str, optional
        The file's name without its ending by default.
    description, source : str, optional
    sample, top_values : int, optional
        Rows and frequent texts to keep in git; they may be personal data.
    profile : bool, optional
        Describe the columns.
    store : bool, optional
        Keep the bytes in the object store; without, `source` names who does.

    Returns
    -------
    list of runfolio.records.datasets.Dataset
        One, but for what DVC tracks.
    """
    from runfolio.folio import dataset_adding as adding
    from runfolio.profiling import Asked
    from runfolio.tracking.datasets.sources import clean_uri

    clean = clean_uri(source) if source and "://" in source else source
    wanted = adding.Wanted(name, description, clean, Asked(sample, top_values), profile, store)
    return [item.dataset for item in adding.add(folio_here(), adding.found_or_refused(Path(place)), wanted)]


def folio_here() -> Folio:
    """Return the folio that this process logs to.

    Raises
    ------
    StateError
        If it logs to a spool folder.
    """
    found = session().folio
    if not isinstance(found, Folio):
        raise StateError(
            "Recorded datasets lie in a folio; this process logs to a spool folder. Name the folio: set_tracking_uri"
        )
    return found
