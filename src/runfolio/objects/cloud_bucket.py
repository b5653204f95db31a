"""Buckets of S3 (and what speaks its protocol), Google Cloud Storage and Azure, through obstore.

Credentials come only by the ordinary means of each cloud (environment, files of its command line, the machine's role);
a place holds none, since it stands in a file that a team reviews.
"""

from __future__ import annotations

import configparser
import contextlib
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from runfolio.errors import MissingPackageError, NotFoundError, StorageError, UsageError
from runfolio.objects.buckets import Stat, reason
from runfolio.objects.cloud_parts import endpoint_of, load_before_exit, open_parts
from runfolio.objects.incoming import CHUNK_BYTES
from runfolio.objects.part_uploads import PartUploads

CLOUDS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "az": "azure", "azure": "azure", "abfs": "azure", "abfss": "azure"}
"""Scheme of a place to the extra that brings it."""

TIMEOUT_VARIABLE = "RUNFOLIO_STORE_TIMEOUT"
_PART_BYTES = 8 << 20
_PARTS_AT_ONCE = 4
"""Of one file: with as many files at once as there are threads, this bounds the memory that an upload takes."""
_AT_ONCE_BYTES = 64 << 10
"""Up to this many bytes are read whole: as a stream they cost as much again as the request."""
_OPTIONS = {"s3": ("endpoint", "region"), "gcs": (), "azure": ("account", "endpoint")}
_CHECKED = {"s3"}
"""Clouds that compare a SHA-256 that is sent with the bytes, before they take them."""


class CloudBucket:
    """A bucket of S3 or what speaks its protocol, Google Cloud Storage, or Azure Blob Storage.

    Parameters
    ----------
    place : str
        ``s3://bucket/folder?endpoint=URL&region=NAME``, ``gs://bucket/folder``, ``az://container/folder?account=NAME``.

    Raises
    ------
    UsageError
        If the place names no bucket, or holds what it should not.
    MissingPackageError
        If obstore is not installed.
    """

    def __init__(self, place: str) -> None:
        parts = urlsplit(place)
        self._kind = CLOUDS[parts.scheme.lower()]
        if parts.password or (parts.username and not parts.scheme.lower().startswith("abfs")):
            raise UsageError(
                "artifacts: a place holds no credentials: give them by the cloud's own means (docs/how-to/storage.md)."
            )
        if not parts.hostname or parts.fragment:
            raise UsageError(f"artifacts: {place!r} names no bucket: write {parts.scheme}://BUCKET/FOLDER.")
        options = _options(place, parts.query, self._kind)
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self.checks = self._kind in _CHECKED
        self._config = _config(self._kind, options)
        if self._kind != "gcs":  # STORAGE_EMULATOR_HOST is written without a scheme, too
            _check_endpoint(place, options, endpoint_of(self._kind, self._config))
        load_before_exit()
        self._store = _open(self._base, self._kind, self._config)

    def __repr__(self) -> str:
        return f"CloudBucket({self._base!r})"

    def put(self, key: str, content: bytes | Path | Iterator[bytes], attributes: Mapping[str, str] | None = None) -> str:
        """Store bytes, a file, or what an iterator yields under a key, whole or not at all; with headers to serve it by."""
        with self._speaking(f"store {key} in"):
            served: Any = dict(attributes) if attributes else None
            made = self._store.put(key, content, attributes=served, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE)
            return made["e_tag"] or ""

    def create(self, key: str, content: bytes = b"") -> str | None:
        """Store bytes under a key where there is none; return the entity tag, or None."""
        from obstore import exceptions

        try:
            with self._speaking(f"store {key} in", passed=exceptions.AlreadyExistsError):
                return self._store.put(key, content, mode="create")["e_tag"] or ""
        except exceptions.AlreadyExistsError:
            return None

    def open(self, key: str, start: int = 0) -> tuple[int, Iterator[bytes]]:
        """Return a key's size, and its bytes from an offset."""
        options: Any = {"range": {"offset": start}} if start else None
        with self._speaking(f"read {key} from", reads=True):
            found = self._store.get(key, options=options)
            size = found.meta["size"]
            if size - start <= _AT_ONCE_BYTES:
                return size, iter((found.bytes().to_bytes(),))
            return size, self._chunks(key, found)

    def _chunks(self, key: str, found: Any) -> Iterator[bytes]:
        with self._speaking(f"read {key} from", reads=True):
            for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    def stat(self, key: str) -> Stat | None:
        """Return size and time of a key, or None if it is not there."""
        try:
            with self._speaking(f"look for {key} in", reads=True):
                return _stat(self._store.head(key))
        except NotFoundError:
            return None

    def move(self, key: str, to: str) -> None:
        """Move what lies under a key to another."""
        with self._speaking(f"move {key} in"):
            self._store.copy(key, to, overwrite=True)
        self.delete([key])

    def delete(self, keys: list[str]) -> None:
        """Remove keys; those that are not there are passed over."""
        if keys:
            with self._speaking(f"delete {keys[0]} in"), contextlib.suppress(FileNotFoundError):
                self._store.delete(keys)

    def list(self, prefix: str) -> Iterator[Stat]:
        """Yield what lies under keys that start with `prefix`, in order."""
        with self._speaking("list the objects of"):
            for batch in self._store.list(prefix.rstrip("/") or None):
                yield from sorted(map(_stat, batch))

    def url(self, key: str) -> str:
        """Return where a key lies, for people."""
        return f"{self._base}/{key}"

    def part_uploads(self) -> PartUploads | None:
        """Return the cloud's own uploads in parts; None where its package is not installed, or cannot do as obstore does."""
        return open_parts(self._kind, {**self._store.config, **self._config}, self._store.prefix or "", timeout())

    @contextlib.contextmanager
    def _speaking(self, action: str, passed: type[Exception] | tuple[()] = (), reads: bool = False) -> Iterator[None]:
        from obstore import exceptions

        try:
            yield
        except passed:
            raise
        except FileNotFoundError:
            if reads:
                raise NotFoundError(f"Could not {action} {self._base}: it is not there.") from None
            raise StorageError(
                f"Could not {action} {self._base}: there is no such bucket. Make it, or correct the place."
            ) from None
        except (exceptions.BaseError, OSError, ValueError) as error:
            self._refuse(action, error)

    def _refuse(self, action: str, error: Exception) -> NoReturn:
        from obstore import exceptions

        said = reason(str(error))
        refused = (
            isinstance(error, (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError))
            or "credential" in said.lower()
            or "says 403" in said
            or "says 401" in said
        )
        remedy = _CREDENTIALS[self._kind] if refused else "Check the place, the network and the endpoint, and try again."
        raise StorageError(f"Could not {action} {self._base}: {said}. {remedy}") from None


_CREDENTIALS = {
    "s3": "Credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in ~/.aws (AWS_PROFILE), or the machine's role.",
    "gcs": "Credentials: gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS.",
    "azure": "Credentials: az login with AZURE_USE_AZURE_CLI=true, or AZURE_STORAGE_ACCOUNT_KEY, or the machine's identity.",
}


def _options(place: str, query: str, kind: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS[kind]:
            known = ", ".join(_OPTIONS[kind]) or "none"
            raise UsageError(f"artifacts: {place!r}: {name!r} is no option of such a place (known: {known}).")
    return options


def _check_endpoint(place: str, options: Mapping[str, str], endpoint: str) -> None:
    """Refuse what is no address: obstore takes it, and panics, or asks the cloud's own servers."""
    parts = urlsplit(endpoint)
    asked = "endpoint" in options
    if (asked or endpoint) and not (parts.scheme in ("http", "https") and parts.hostname):
        where = f"{place!r}: endpoint" if asked else "the endpoint that the environment, or ~/.aws/config, names"
        raise UsageError(f"artifacts: {where}: https://HOST is expected, found {endpoint!r}.")


def _config(kind: str, options: dict[str, str]) -> dict[str, Any]:
    """Return what a place and the files of the AWS command line say, in obstore's words."""
    config: dict[str, Any] = {}
    if kind == "s3":
        config = {"checksum_algorithm": "SHA256", **profile(os.environ)}
    elif options.get("account"):
        config["account_name"] = options["account"]
    config.update({name: value for name, value in options.items() if name != "account"})
    return config


def _open(base: str, kind: str, config: dict[str, Any]) -> Any:
    try:
        from obstore import exceptions
        from obstore import store as obstore_stores
    except ImportError:
        raise MissingPackageError(f"Artifacts at {base} need the package obstore: pip install 'runfolio[{kind}]'") from None
    client: dict[str, Any] = {
        "timeout": timedelta(days=1),
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=timeout()),
    }
    if endpoint_of(kind, config).startswith("http://"):
        client["allow_http"] = True
    retry: Any = {
        "max_retries": 5,
        "retry_timeout": timedelta(seconds=30),
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=3), "base": 2},
    }
    try:
        opened: Any = obstore_stores.from_url
        return opened(base, config=config or None, client_options=client, retry_config=retry)
    except (exceptions.BaseError, OSError, ValueError, TypeError) as error:
        raise UsageError(f"artifacts: {base} cannot be opened: {reason(str(error))}. {_CREDENTIALS[kind]}") from None


def timeout() -> float:
    """Return the seconds without a byte after which a connection is given up."""
    text = os.environ.get(TIMEOUT_VARIABLE, "60")
    try:
        return max(0.1, float(text))
    except ValueError:
        raise UsageError(f"{TIMEOUT_VARIABLE}: {text!r} is no number of seconds.") from None


def profile(environment: Any, home: Path | None = None) -> dict[str, str]:
    """Return what the files of the AWS command line say, as far as the environment does not say it.

    Parameters
    ----------
    environment : Mapping of str to str
    home : Path, optional
        The user's home folder by default.

    Returns
    -------
    dict of str to str
        Some of ``access_key_id``, ``secret_access_key``, ``session_token``, ``region``, ``endpoint``. Format of the files:
        AWS CLI user guide, "Configuration and credential file settings".
    """
    folder = (home or Path.home()) / ".aws"
    name = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE") or "default"
    keys = _section(Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials"), name)
    settings = _section(
        Path(environment.get("AWS_CONFIG_FILE") or folder / "config"), name if name == "default" else f"profile {name}"
    )
    made: dict[str, str] = {}
    if not environment.get("AWS_ACCESS_KEY_ID"):
        for key in ("access_key_id", "secret_access_key", "session_token"):
            value = keys.get(f"aws_{key}") or settings.get(f"aws_{key}")
            if value:
                made[key] = value
    if settings.get("region") and not (environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")):
        made["region"] = settings["region"]
    if settings.get("endpoint_url") and not (environment.get("AWS_ENDPOINT_URL") or environment.get("AWS_ENDPOINT_URL_S3")):
        made["endpoint"] = settings["endpoint_url"]
    return made


def _section(file: Path, name: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return {}
    return dict(parser[name]) if parser.has_section(name) else {}


def _stat(meta: Any) -> Stat:
    return Stat(meta["path"], meta["size"], int(meta["last_modified"].timestamp() * 1000))
