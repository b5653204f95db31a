"""The addresses by which MLflow names a folio and what lies in it.

``runfolio:///path/to/folio`` is a folio, ``runfolio:`` that of the current folder. What lies in it stands after ``/-/``, so that a folder's
name and a run's id cannot be mistaken for one another::

    runfolio:///home/ada/wine/-/runs/<run id>/model
    runfolio:///home/ada/wine/-/models/<name>/<version>
    runfolio:///home/ada/wine/-/logged/<model id>  a logged model of MLflow 3
    mlflow-artifacts:/runs/<run id>/model          the same through a gateway, which alone knows where the folio is

>>> address_of("runfolio:///home/ada/wine/-/runs/ab12/model/MLmodel")
Address(folio='/home/ada/wine', kind='runs', owner='ab12', path='model/MLmodel')
"""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError

SCHEME = "runfolio"
PROXY = "mlflow-artifacts"
RUNS, MODELS, LOGGED, EXPERIMENTS = "runs", "models", "logged", "experiments"
_MARK = "/-/"


@dataclass(frozen=True, slots=True)
class Address:
    """A place in a folio.

    Parameters
    ----------
    folio : str
        Its path; empty for the folio of the current folder.
    kind : str
        ``runs``, ``models``, ``logged`` or ``experiments``; empty for the folio itself.
    owner : str
        A run's id, ``<name>/<version>`` of a registered model, a logged model's or an experiment's id.
    path : str
        Below it; empty for all.
    """

    folio: str
    kind: str = ""
    owner: str = ""
    path: str = ""

    def below(self, path: str | None) -> Address:
        """Return the address of a path below this one."""
        parts = [part for part in (self.kind, self.owner, self.path, path or "") if part]
        return _inside(self.folio, "/".join(parts))


def folio_of(uri: str) -> str:
    """Return the path of the folio that a store's URI names.

    Raises
    ------
    UsageError
        If it names a place within a folio.
    """
    found = address_of(uri)
    if found.kind:
        raise UsageError(f"{uri!r} names a place in a folio. Give the folio: runfolio://{found.folio}.")
    return found.folio


def address_of(uri: str) -> Address:
    """Read an address.

    Raises
    ------
    UsageError
        If it is none.
    """
    parts = urlsplit(uri)
    if parts.scheme == PROXY:
        return _inside("", unquote(parts.path).strip("/"))
    if parts.scheme != SCHEME:
        raise UsageError(f"{uri!r} is no address of a folio. Write runfolio:///path/to/folio.")
    if parts.netloc:
        raise UsageError(
            f"{uri!r} names the host {parts.netloc!r}: a folio is a folder on this machine. Write three slashes: "
            f"runfolio:///{parts.netloc}{parts.path}."
        )
    folio, mark, rest = unquote(parts.path).partition(_MARK)
    return _inside(folio, rest.strip("/")) if mark else Address(folio.removesuffix("/-") or folio)


def _inside(folio: str, rest: str) -> Address:
    if not rest:
        return Address(folio)
    kind, _, more = rest.partition("/")
    if kind not in (RUNS, MODELS, LOGGED, EXPERIMENTS):
        raise UsageError(f"{rest!r}: runs/, models/, logged/ and experiments/ are what a folio holds.")
    parts = more.split("/")
    size = 2 if kind == MODELS else 1
    return Address(folio, kind, "/".join(parts[:size]), "/".join(parts[size:]))


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes addresses of a folio.

    Parameters
    ----------
    folio : str
        Its path.
    proxied : bool
        Made for clients of a gateway, which fetch and send through it.
    """

    folio: str
    proxied: bool = False

    def run(self, run_id: str) -> str:
        """Return the address of a run's artifacts."""
        return self._made(RUNS, run_id)

    def logged_model(self, model_id: str) -> str:
        """Return the address of a logged model's files."""
        return self._made(LOGGED, model_id)

    def version(self, name: str, version: str) -> str:
        """Return the address of a version's files."""
        return self._made(MODELS, name, version)

    def experiment(self, experiment_id: str) -> str:
        """Return the address of an experiment."""
        return self._made(EXPERIMENTS, experiment_id)

    def _made(self, *parts: str) -> str:
        path = "/".join(quote(part, safe="") for part in parts)
        return f"{PROXY}:/{path}" if self.proxied else f"{SCHEME}://{quote(self.folio)}{_MARK}{path}"
