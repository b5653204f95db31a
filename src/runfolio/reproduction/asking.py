"""Which run a user's words mean: an id, a name, ``runs:/…`` or ``models:/…``; and the error of a run that cannot be made again."""

from __future__ import annotations

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, RunfolioError
from runfolio.folio.folio import Folio
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.runs import Run
from runfolio.registry.uris import PREFIX, resolve

_RUNS = "runs:/"


class CannotRunError(RunfolioError):
    """The run cannot be made again; the message is the verdict's reason."""

    exit_code = 22


@dataclass(frozen=True, slots=True)
class Asked:
    """A run, and the version of a model through which it was asked for.

    Parameters
    ----------
    run : Run
    text : str
        What was asked for, where that was not the run itself.
    model : RegisteredModel or None
    version : ModelVersion or None
    """

    run: Run
    text: str = ""
    model: RegisteredModel | None = None
    version: ModelVersion | None = None


def asked_for(folio: Folio, text: str) -> Asked:
    """Find the run that is meant.

    Parameters
    ----------
    folio : Folio
    text : str
        A run's id, the beginning of one, or its name; ``runs:/RUN`` with or without a path; ``models:/NAME/…``.

    Raises
    ------
    NotFoundError
        If there is no such run or version, or the version was made by no run of this folio.
    """
    if text.startswith(PREFIX):
        model, version = resolve(folio, text)
        if version.run_id is None:
            raise NotFoundError(
                f"{text} is {model.name} {version.version}, which no run made ({version.source or 'no source'}): there is nothing to "
                "run again. Register a model that a run logged."
            )
        try:
            return Asked(folio.runs.get(version.run_id), text, model, version)
        except NotFoundError:
            raise NotFoundError(
                f"{text} was made by run {version.run_id}, which is not in this folio. Fetch it: runfolio sync"
            ) from None
    if text.startswith(_RUNS):
        name = text[len(_RUNS) :].lstrip("/").split("/", 1)[0]
        return Asked(folio.runs.named(name), text)
    return Asked(folio.runs.named(text))
