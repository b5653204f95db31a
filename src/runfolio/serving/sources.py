"""Where a served model comes from: fetched by digest, and looked at again when the folio moves.

A look is cheap: the name of the commit at the folio's tip is read, and only where it is another one, the model's file. What reads
folios and models is loaded when it is needed: a supervisor of a folder never needs it.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, RunfolioError, StateError

MODELS, RUNS = "models:/", "runs:/"


@dataclass(frozen=True, slots=True)
class Which:
    """Which model it is.

    Parameters
    ----------
    uri : str
        As it was asked for.
    name, version, digest : str
        Empty where it is no registered model.
    """

    uri: str
    name: str = ""
    version: str = ""
    digest: str = ""

    def fields(self) -> dict[str, str]:
        """Return it for a record."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.digest[:19]})" if self.version else self.uri


class Source:
    """A model by URI.

    Parameters
    ----------
    uri : str
        ``models:/…``, ``runs:/…``, or a folder.
    folio : str, optional
        Path of the folio; the one of the current folder by default.
    trust : bool, optional
        See :func:`runfolio.flavors.trust.check_trust`; of folders.
    known : tuple of (str, str, str), optional
        Name, version and digest of a folder whose caller knows, and has verified, what it is: an image's.
    """

    def __init__(
        self, uri: str, folio: str | None = None, *, trust: bool | None = None, known: tuple[str, str, str] = ("", "", "")
    ) -> None:
        self.uri = uri
        self.place = folio
        self.trust = trust
        self._folio: Any = None
        self._tip: str | None = None
        self.moves = uri.startswith(MODELS)
        self._last = Which(uri) if self.moves else Which(uri, *known)

    def _opened(self) -> Any:
        if self._folio is None:
            from runfolio.folio.opening import open_folio

            self._folio = open_folio(self.place)
        return self._folio

    def which(self) -> Which:
        """Return which model the URI means now.

        Raises
        ------
        RunfolioError
            If it means none.
        """
        if not self.moves:
            return self._last
        folio = self._opened()
        tip = folio.place.tip()
        if tip == self._tip and self._last.version:
            return self._last
        from runfolio.registry import resolve

        model, version = resolve(folio, self.uri, tip)
        self._last = Which(self.uri, model.name, str(version.version), str(version.digest or ""))
        self._tip = tip
        return self._last

    def fetch(self, which: Which, target: Path) -> Path:
        """Put the model's files into a folder (a folder stays where it is), and return it; its code may run.

        Raises
        ------
        RunfolioError
            If a file is missing, is not what its digest says, or may not be trusted.
        """
        if self.moves:
            from runfolio.registry import files_of, resolve
            from runfolio.tracking.artifacts import copy_out

            folio = self._opened()
            _, version = resolve(folio, f"{MODELS}{which.name}/{which.version}", self._tip)
            folder = copy_out(folio.store, files_of(folio, version), target)
        elif self.uri.startswith(RUNS):
            from runfolio.tracking.fetching import download_artifacts

            folder = Path(download_artifacts(self.uri, dst_path=target, tracking_uri=self.place))
        else:
            # A server of a folder needs nothing of a folio: what reads one is not loaded.
            folder = Path(self.uri.removeprefix("file://")).expanduser().resolve()
            if not folder.is_dir():
                raise NotFoundError(
                    f"No such folder: {self.uri!r}. A model of a folio is written models:/NAME/STAGE or runs:/RUN/PATH."
                )
        if not os.path.isfile(folder / "MLmodel"):
            raise NotFoundError(f"{self.uri}: there is no model here: no file MLmodel.")
        from runfolio.flavors.catalogue import runs_code
        from runfolio.flavors.model import Model
        from runfolio.flavors.trust import check_trust

        model = Model.load(folder)
        verified = self.uri.startswith((MODELS, RUNS))
        try:
            check_trust(folder, runs=runs_code(folder, model), verified=verified, trust=self.trust)
        except StateError as error:
            raise StateError(f"{error.message} On the command line: --trust.") from None
        return folder

    def close(self) -> None:
        """Close the folio."""
        if self._folio is not None:
            self._folio.close()
            self._folio = None


def why(error: RunfolioError) -> str:
    """Return an error as one line."""
    return " ".join(error.message.split())
