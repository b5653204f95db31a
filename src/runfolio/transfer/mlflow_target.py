"""Open an MLflow store that is written: a database or a folder, by MLflow's own stores, so that ids are kept; or a server."""

from __future__ import annotations

from urllib.parse import urlsplit

from runfolio.errors import UsageError
from runfolio.transfer.mlflow_asking import database_file, installed_mlflow, quiet, without_secret
from runfolio.transfer.mlflow_places import asked, path_of
from runfolio.transfer.target import Target


def open_target(uri: str, artifacts: str | None = None) -> Target:
    """Open an MLflow store for writing; one that is not there is made.

    Parameters
    ----------
    uri : str
        A folder ``mlruns``, ``sqlite:///…``, ``postgresql://…``, a server's ``http://…``.
    artifacts : str, optional
        Folder or address under which new experiments' files go. Beside an SQLite database it is ``mlartifacts`` by default, in a folder the
        folder itself; another database asks for it.

    Raises
    ------
    MissingPackageError
        If MLflow is not installed.
    UsageError, RemoteError
        If the address is none, or MLflow cannot open it.
    """
    scheme = urlsplit(uri).scheme
    if scheme == "runfolio":
        raise UsageError(f"{uri!r} is a folio. Runs of two clones come together by runfolio sync.")
    mlflow = installed_mlflow("write an MLflow store")
    with asked(f"{without_secret(uri)}: MLflow {mlflow.__version__} cannot open it"), quiet():
        if scheme in ("http", "https"):
            if artifacts is not None:
                raise UsageError("--artifacts: a server says itself where files go.")
            from runfolio.transfer.mlflow_server_target import ServerTarget

            server: Target = ServerTarget(uri)
            return server
        folder = path_of(uri)
        if folder is not None:
            from runfolio.transfer.mlflow_folder_target import FolderTarget

            place: Target = FolderTarget(uri, folder, artifacts)
            return place
        from runfolio.transfer.mlflow_sql_target import SqlTarget

        return SqlTarget(uri, artifacts or _beside(uri))


def _beside(uri: str) -> str:
    place = database_file(uri)
    if place is None:
        raise UsageError(
            f"{without_secret(uri)}: where do files go? Name it, as the server is told: --artifacts s3://bucket/path"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    return (place.absolute().parent / "mlartifacts").as_uri()
