"""Where a dataset came from, in MLflow's form: a type (``local``, ``http``, ``s3``, ``code``, …) and a JSON object.

A source keeps the place as the user gave it, for use in this process; :meth:`DatasetSource.to_dict` is what gets written,
without credentials, signed queries and home folders. Nothing here opens a connection: a URI out of a record is text.

>>> resolve_source("https://ada:secret@example.org/wine.csv?token=abc").to_json()
'{"url": "https://example.org/wine.csv"}'
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from runfolio._dataclass import dataclass, field
from runfolio.errors import UsageError, missing_package
from runfolio.formats.datasets import SOURCE_TYPE, named_in_source
from runfolio.records.redaction import Redactor
from runfolio.records.secrets import is_secret_key

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{1,31}):/")
_SIGNED = re.compile(r"(?i)(x-amz-|x-goog-|awsaccesskeyid|googleaccessid|signature|expires|sig|sv|se|sp|st|code)")


@dataclass(frozen=True)
class DatasetSource:
    """What every source can say of itself."""

    kind: ClassVar[str] = ""

    @property
    def source_type(self) -> str:
        """The type that a record keeps beside the JSON."""
        return self.kind

    def to_dict(self, redactor: Redactor | None = None) -> dict[str, Any]:
        """Return the JSON object that a record keeps.

        Parameters
        ----------
        redactor : Redactor, optional
            Takes further secrets out; one that knows this user's home folder by default.
        """
        raise NotImplementedError

    def to_json(self, redactor: Redactor | None = None) -> str:
        """Return :meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict(redactor))

    def load(self) -> Any:
        """Return a path under which the data can be read.

        Raises
        ------
        UsageError
            For every source that is not on this machine: runfolio fetches nothing.
        """
        raise UsageError(
            f"This dataset's source is of type {self.source_type!r}, which runfolio does not fetch: {self.to_json()}."
        )


@dataclass(frozen=True)
class LocalDatasetSource(DatasetSource):
    """A file or folder on this machine."""

    uri: str
    kind: ClassVar[str] = "local"

    def to_dict(self, redactor: Redactor | None = None) -> dict[str, Any]:
        """Return the path, with the home folder as ``~``."""
        return {"uri": (redactor or _redactor()).text(_local_path(self.uri))}

    def load(self) -> str:
        """Return the path."""
        return os.path.expanduser(_local_path(self.uri))


@dataclass(frozen=True)
class HTTPDatasetSource(DatasetSource):
    """A file behind a web address."""

    url: str
    kind: ClassVar[str] = "http"

    def to_dict(self, redactor: Redactor | None = None) -> dict[str, Any]:
        """Return the address without user, password, secrets in the query and fragment."""
        return {"url": clean_uri(self.url, redactor)}


@dataclass(frozen=True)
class RemoteDatasetSource(DatasetSource):
    """An object in a bucket, a table of a warehouse: a URI with a scheme, which is also the type."""

    uri: str

    @property
    def source_type(self) -> str:
        """The URI's scheme."""
        return self.uri.partition(":")[0].lower()

    def to_dict(self, redactor: Redactor | None = None) -> dict[str, Any]:
        """Return the URI without user, password, secrets in the query and fragment."""
        return {"uri": clean_uri(self.uri, redactor)}


@dataclass(frozen=True)
class CodeDatasetSource(DatasetSource):
    """Data made by the run's own code, which the run record names already: hence no tags by default."""

    tags: Mapping[str, str] = field(default_factory=dict)
    kind: ClassVar[str] = "code"

    def to_dict(self, redactor: Redactor | None = None) -> dict[str, Any]:
        """Return the tags."""
        cleaner = redactor or _redactor()
        return {"tags": {str(key): cleaner.text(str(value)) for key, value in self.tags.items()}}


@dataclass(frozen=True)
class HuggingFaceDatasetSource(DatasetSource):
    """A dataset of Hugging Face's hub, or what else ``datasets.load_dataset`` reads."""

    path: str
    config_name: str | None = None
    data_dir: str | None = None
    data_files: Any = None
    split: str | None = None
    revision: str | None = None
    kind: ClassVar[str] = "hugging_face"

    def to_dict(self, redactor: Redactor | None = None) -> dict[str, Any]:
        """Return MLflow's fields: what ``datasets.load_dataset`` is given."""
        said = {name: getattr(self, name) for name in _HUB_FIELDS}
        cleaned = _clean_value(said, redactor or _redactor())
        assert isinstance(cleaned, dict)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in cleaned.items()}

    def load(self) -> Any:
        """Load it by ``datasets.load_dataset``, which may fetch it from the hub.

        Returns
        -------
        datasets.Dataset

        Raises
        ------
        MissingPackageError
            If the package ``datasets`` is not installed.
        """
        try:
            import datasets
        except ImportError as error:
            raise missing_package("datasets", "", "load a dataset of Hugging Face's") from error
        given = {name: getattr(self, name) for name in _HUB_FIELDS}
        return datasets.load_dataset(name=given.pop("config_name"), **given)


_HUB_FIELDS = ("path", "config_name", "data_dir", "data_files", "split", "revision")


@dataclass(frozen=True)
class RecordedDatasetSource(DatasetSource):
    """A content of a dataset that the folio has recorded."""

    dataset: str
    digest: str
    path: str = ""
    kind: ClassVar[str] = SOURCE_TYPE

    def to_dict(self, redactor: Redactor | None = None) -> dict[str, Any]:
        """Return the dataset's name, the whole digest and the path from the repository's root."""
        made = {"dataset": self.dataset, "digest": self.digest}
        return {**made, "path": self.path} if self.path else made

    def load(self) -> str:
        """Return a path under which the verified content can be read.

        It is that of the folio which ``RUNFOLIO_TRACKING_URI`` names, or of the current folder's.
        """
        from runfolio.folio import open_folio
        from runfolio.folio.dataset_status import readable_path

        folio = open_folio(os.environ.get("RUNFOLIO_TRACKING_URI"))
        try:
            return str(readable_path(folio, f"{self.dataset}@{self.digest}"))
        finally:
            folio.close()


def resolve_source(source: Any) -> DatasetSource:
    """Return the source that a user means.

    Parameters
    ----------
    source : None, str, path or DatasetSource
        None is the run's code; text is a web address, a URI or a path.

    Raises
    ------
    UsageError
        If it is anything else.
    """
    if source is None:
        return CodeDatasetSource()
    if isinstance(source, DatasetSource):
        return source
    if isinstance(source, PurePath):
        return LocalDatasetSource(str(source))
    if not isinstance(source, str) or not source:
        raise UsageError(f"A dataset's source is a path, a URL or a URI, this is {source!r}.")
    match = _SCHEME.match(source)
    scheme = match["scheme"].lower() if match else ""
    if scheme in ("http", "https"):
        return HTTPDatasetSource(source)
    return LocalDatasetSource(source) if scheme in ("", "file") else RemoteDatasetSource(source)


def source_from_record(source_type: str, source: str) -> DatasetSource:
    """Return the source that a record names.

    Parameters
    ----------
    source_type : str
    source : str
        JSON text.

    Raises
    ------
    UsageError
        If the JSON is none of the known forms.
    """
    try:
        said = json.loads(source or "{}")
    except ValueError:
        said = None
    if isinstance(said, dict):
        if source_type == "code":
            tags = said.get("tags")
            return CodeDatasetSource(tags if isinstance(tags, dict) else {})
        if source_type == "http" and isinstance(said.get("url"), str):
            return HTTPDatasetSource(said["url"])
        if source_type == HuggingFaceDatasetSource.kind and isinstance(said.get("path"), str):
            return HuggingFaceDatasetSource(said["path"], *(said.get(name) for name in _HUB_FIELDS[1:]))
        if source_type == SOURCE_TYPE:
            found = named_in_source(source_type, source)
            if found is not None:
                return RecordedDatasetSource(*found, str(said.get("path", "")))
        if isinstance(said.get("uri"), str):
            return LocalDatasetSource(said["uri"]) if source_type == "local" else RemoteDatasetSource(said["uri"])
    raise UsageError(f"This dataset's source is of type {source_type!r}, whose form is not known: {source[:200]!r}.")


def clean_uri(uri: str, redactor: Redactor | None = None) -> str:
    """Take user, password, fragment and a query with secrets out of a URI.

    A query that holds one secret, signature or value without a name is dropped as a whole: what is left of a signed address is of no use.

    Parameters
    ----------
    uri : str
    redactor : Redactor, optional

    Returns
    -------
    str

    Examples
    --------
    >>> clean_uri("s3://AKIA:key@bucket/a.parquet?versionId=3")
    's3://bucket/a.parquet?versionId=3'
    """
    cleaner = redactor or _redactor()
    try:
        parts = urlsplit(uri)
    except ValueError:
        return cleaner.remote(uri)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    nameless = any("=" not in part for part in parts.query.split("&") if part)
    secret = nameless or any(is_secret_key(key) or _SIGNED.match(key) for key, _ in pairs)
    host = parts.netloc.rpartition("@")[2]
    return cleaner.text(urlunsplit((parts.scheme, host, parts.path, "" if secret else parts.query, "")))


def clean_source(source: Any, redactor: Redactor | None = None) -> Any:
    """Take secrets and home folders out of a source's JSON text that someone else wrote; clean text stays as it is.

    Parameters
    ----------
    source : str
        What is no text is returned unchanged.
    redactor : Redactor, optional

    Returns
    -------
    str

    Examples
    --------
    >>> clean_source('{"url":"https://ada:pw@example.org/w"}')
    '{"url": "https://example.org/w"}'
    """
    if not isinstance(source, str):
        return source
    cleaner = redactor or _redactor()
    try:
        said = json.loads(source)
    except ValueError:
        return cleaner.text(source)
    cleaned = _clean_value(said, cleaner)
    return source if cleaned == said else json.dumps(cleaned)


def _clean_value(value: Any, cleaner: Redactor) -> Any:
    if isinstance(value, str):
        return clean_uri(value, cleaner) if "://" in value else cleaner.text(value)
    if isinstance(value, dict):
        return {key: _clean_value(entry, cleaner) for key, entry in value.items()}
    return [_clean_value(entry, cleaner) for entry in value] if isinstance(value, list) else value


def _local_path(uri: str) -> str:
    if not uri.lower().startswith("file:"):
        return uri
    return unquote(urlsplit(uri).path)


def _redactor() -> Redactor:
    return Redactor(home=str(Path("~").expanduser()))
