"""Open an MLflow store that is written: a database or a folder, by MLflow's own stores, so that ids are kept; or a server."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from urllib.parse import urlsplit

from runfolio.errors import UsageError
from runfolio.transfer.mlflow_asking import database_file, installed_mlflow, quiet, without_secret
from runfolio.transfer.mlflow_database import is_new
from runfolio.transfer.mlflow_places import asked, path_of
from runfolio.transfer.target import Target

_DATABASES = (".db", ".sqlite", ".sqlite3")


def open_target(uri: str, artifacts: str | None = None, *, dry_run: bool = False) -> Target:
    """Open an MLflow store for writing; one that is not there is made.

    Parameters
    ----------
    uri : str
        A folder ``mlruns``, ``sqlite:///…``, ``postgresql://…``, a server's ``http://…``.
    artifacts : str, optional
        Folder or address under which new experiments' files go. Beside an SQLite database it is ``mlartifacts`` by default, in a folder the
        folder itself; another database asks for it.
    dry_run : bool
        Nothing is to be written: for a database or folder that is not there an empty one stands in, elsewhere, for as long as it is used.

    Raises
    ------
    MissingPackageError
        If MLflow is not installed.
    UsageError, RemoteError
        If the address is none, or MLflow cannot open it, or could only by changing the tables of an older MLflow for good.
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
        if folder is None:
            files = artifacts or _beside(uri)
            return _stand_in(database=True) if is_new(uri) and dry_run else _database(uri, files)
        if folder.suffix in _DATABASES and not folder.is_dir():
            raise UsageError(f"{uri}: a path is that of a folder mlruns. For a database write sqlite:///{uri}")
        if dry_run and not (folder.is_dir() and any(folder.iterdir())):
            return _stand_in(database=False)
        return _folder(uri, folder, artifacts)


def _database(uri: str, files: str) -> Target:
    from runfolio.transfer.mlflow_sql_target import SqlTarget

    if (place := database_file(uri)) is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
    return SqlTarget(uri, files)


def _folder(uri: str, folder: Path, files: str | None) -> Target:
    from runfolio.transfer.mlflow_folder_target import FolderTarget

    return FolderTarget(uri, folder, files)


def _stand_in(*, database: bool) -> Target:
    """Open an empty store that is removed with the target, or when the process ends."""
    empty = Path(tempfile.mkdtemp(prefix="runfolio-mlflow-"))
    uri = f"sqlite:///{empty}/mlflow.db"
    target = _database(uri, _beside(uri)) if database else _folder(str(empty / "mlruns"), empty / "mlruns", None)
    weakref.finalize(target, shutil.rmtree, empty, ignore_errors=True)
    return target


def _beside(uri: str) -> str:
    place = database_file(uri)
    if place is None:
        raise UsageError(
            f"{without_secret(uri)}: where do files go? Name it, as the server is told: --artifacts s3://bucket/path"
        )
    return (place.absolute().parent / "mlartifacts").as_uri()
