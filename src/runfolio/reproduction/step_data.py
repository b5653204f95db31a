"""What a step of a pipeline read and made: its inputs are outputs of other runs, its outputs lie where its program leaves them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from runfolio.errors import RunfolioError
from runfolio.folio.folio import Folio
from runfolio.objects.files import digest_of_file
from runfolio.records.datasets import check_dataset_path
from runfolio.records.pipelines import OUTPUTS, STEP_TAG
from runfolio.records.runs import ArtifactEntry, Run
from runfolio.reproduction.asking import CannotRunError
from runfolio.reproduction.facts import FAULT, OK, Fact

_RUNS = "runs:/"


def bring_inputs(folio: Folio, run: Run, folder: Path) -> dict[str, str]:
    """Bring the outputs of other runs that a step read to their places.

    Parameters
    ----------
    folio : Folio
    run : Run
        Nothing is done for one that is no step's.
    folder : Path
        In which the step's program runs.

    Returns
    -------
    dict of str to str
        The digest by the place, as the record has both.

    Raises
    ------
    CannotRunError
        With each input that cannot be had, and why.
    """
    made, told = {}, []
    for place, uri, digest in _inputs(run):
        try:
            for name, entry in _files(folio, uri).items():
                path = f"{place}/{name}" if name else place
                folio.store.copy_to(entry.digest, folder / check_dataset_path(path))
            made[place] = digest
        except RunfolioError as error:
            told.append(f"{place} ({uri}): {error.message}")
    if told:
        raise CannotRunError("data is missing:\n" + "\n".join(f"  {line}" for line in told))
    return made


def input_facts(folio: Folio, run: Run) -> Iterator[Fact]:
    """Say whether the outputs of other runs that a step read are there."""
    for place, uri, _ in _inputs(run):
        try:
            entries = _files(folio, uri).values()
            found = folio.store.inspect([entry.digest for entry in entries], ())
            bad = next((said for said in found.values() if isinstance(said, RunfolioError)), None)
            if bad is not None:
                raise bad
            yield Fact("data", OK, f"{place}, made by run {uri[len(_RUNS) :].partition('/')[0]}, is there")
        except RunfolioError as error:
            yield Fact("data", FAULT, f"{place} ({uri}): {error.message}", "Fetch it: runfolio artifacts pull")


def outputs_made(original: Run, old: dict[str, ArtifactEntry], folder: Path) -> dict[str, ArtifactEntry]:
    """Return what a step's program left where the original's outputs came from, by the artifacts' paths."""
    made = {}
    for path in old if STEP_TAG in original.tags else ():
        file = folder / path.removeprefix(f"{OUTPUTS}/")
        if path.startswith(f"{OUTPUTS}/") and file.is_file():
            made[path] = ArtifactEntry(*digest_of_file(file))
    return made


def _inputs(run: Run) -> Iterator[tuple[str, str, str]]:
    for item in run.inputs if STEP_TAG in run.tags else ():
        try:
            said = json.loads(item.source)
        except ValueError:
            continue
        uri = str(said.get("uri", "")) if isinstance(said, dict) else ""
        if uri.startswith(_RUNS):
            yield item.name, uri, str(said.get("digest", ""))


def _files(folio: Folio, uri: str) -> dict[str, ArtifactEntry]:
    """Return the files that ``runs:/RUN/PATH`` names, by their paths below it."""
    run_id, _, path = uri[len(_RUNS) :].partition("/")
    found = folio.runs.artifacts(folio.runs.get(run_id))
    if path in found:
        return {"": found[path]}
    made = {name[len(path) + 1 :]: entry for name, entry in found.items() if name.startswith(f"{path}/")}
    if not made:
        raise CannotRunError(f"the run {run_id} has no file {path}")
    return made
