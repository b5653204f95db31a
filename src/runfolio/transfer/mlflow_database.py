"""An MLflow database before MLflow opens it.

MLflow makes its tables in whatever database it opens, and brings those of an older version up to date, unasked: the older server that
uses them reads them no more. So the version of the tables is asked first. A file of SQLite that is older is read from a copy, which MLflow
brings up to date; an older database that is no file is refused, and so is one that a newer MLflow wrote.

    address, copy = readable("sqlite:///mlflow.db")
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runfolio._dataclass import dataclass
from runfolio.errors import MissingPackageError, NotFoundError, RemoteError
from runfolio.transfer.mlflow_asking import database_file, quiet, without_secret

_OWN = frozenset({"experiments", "runs"})  # tables of MLflow since its first database


@dataclass(frozen=True, slots=True)
class Schema:
    """Which version the tables of a database are of, and which this MLflow reads."""

    found: str | None
    """MLflow's name of the version; None where there are no tables of MLflow's, or those of one before 1.0."""
    wanted: str
    has_tables: bool
    known: bool
    """Whether this MLflow knows the way from the version that was found."""


def is_database(uri: str) -> bool:
    """Tell whether an address is a database's, to MLflow."""
    from mlflow.store.db.db_types import DATABASE_ENGINES

    return urlsplit(uri).scheme.partition("+")[0] in DATABASE_ENGINES


def schema_of(uri: str) -> Schema:
    """Ask a database which version its tables are of, at one attempt; nothing changes there.

    Parameters
    ----------
    uri : str
        Of a database that exists: SQLite makes the file otherwise.

    Raises
    ------
    MissingPackageError
        If only ``mlflow-skinny`` is installed, which opens no database.
    """
    try:
        import alembic.script
        import sqlalchemy
    except ImportError:
        raise MissingPackageError(
            "The package mlflow is needed to open a database (mlflow-skinny opens none), and is not installed. Run: pip install mlflow",
            name="mlflow",
        ) from None
    from mlflow.store.db import utils

    script = alembic.script.ScriptDirectory.from_config(utils._get_alembic_config(db_url=""))
    engine = utils.create_sqlalchemy_engine(uri)
    try:
        with quiet():
            found: str | None = utils._get_schema_version(engine)
        has_tables = set(sqlalchemy.inspect(engine).get_table_names()) >= _OWN
    finally:
        engine.dispose()
    known = found is None or found in {item.revision for item in script.walk_revisions()}
    return Schema(found, utils._get_latest_schema_revision(), has_tables, known)


def readable(uri: str) -> tuple[str, Path | None]:
    """Return an address of the database at which MLflow changes nothing of it.

    Parameters
    ----------
    uri : str

    Returns
    -------
    address : str
    copy : Path or None
        The folder of the copy, where one had to be made; whoever reads it removes it.

    Raises
    ------
    NotFoundError
        If there is no such database, or nothing in it is MLflow's.
    RemoteError
        If this MLflow does not read it as it is, and it is no file that could be copied.
    """
    place = database_file(uri)
    if place is not None and not place.is_file():
        raise NotFoundError(f"{uri}: no such database. Write sqlite:///mlflow.db, with four slashes for a path from the root.")
    schema = schema_of(uri)
    if not schema.has_tables:
        raise NotFoundError(
            f"{without_secret(uri)}: the database holds no MLflow store: there are no tables of experiments and runs."
        )
    if schema.found == schema.wanted:
        return uri, None
    if place is None or not schema.known:
        raise _other_version(uri, schema)
    folder = Path(tempfile.mkdtemp(prefix="runfolio-mlflow-"))
    try:
        return _copy(place, folder / "mlflow.db"), folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def is_new(uri: str) -> bool:
    """Tell whether MLflow would make its tables there.

    Raises
    ------
    RemoteError
        If there are tables of another version: MLflow would change those for good.
    """
    place = database_file(uri)
    if place is not None and not place.is_file():
        return True
    schema = schema_of(uri)
    if not schema.known or (schema.has_tables and schema.found != schema.wanted):
        raise _other_version(uri, schema)
    return not schema.has_tables


def _copy(place: Path, copy: Path) -> str:
    """Copy a file of SQLite as it is at this moment, and let MLflow bring the copy up to date."""
    import sqlite3

    from mlflow.store.db import utils

    with (
        closing(sqlite3.connect(f"{place.absolute().as_uri()}?mode=ro", uri=True)) as there,
        closing(sqlite3.connect(copy)) as made,
    ):
        there.backup(made)
    address = f"sqlite:///{copy}"
    engine: Any = utils.create_sqlalchemy_engine(address)
    try:
        with quiet():
            utils._upgrade_db(engine)
    finally:
        engine.dispose()
    return address


def _other_version(uri: str, schema: Schema) -> RemoteError:
    import mlflow

    where = f"{without_secret(uri)}: MLflow {mlflow.__version__} cannot open it"
    if not schema.known:
        return RemoteError(
            f"{where}: its tables are of version {schema.found}, of a newer MLflow or of another program. "
            "Install the version of MLflow that uses it."
        )
    return RemoteError(
        f"{where} as it is: its tables are of version {schema.found}, of an older MLflow; {schema.wanted} is read. Install the version of "
        f"MLflow that uses it, or bring it up to date for good, after a backup: mlflow db upgrade {without_secret(uri)}"
    )
