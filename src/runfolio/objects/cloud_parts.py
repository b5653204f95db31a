"""From a bucket of a cloud to the cloud's own uploads in parts, by its own package, where that is installed.

The packages take credentials by the same ordinary means as obstore; where they cannot do as it does, there are no such uploads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec

from runfolio.errors import StorageError
from runfolio.objects.part_uploads import PartUploads

PACKAGES = {"s3": ("boto3",), "azure": ("azure.storage.blob",), "gcs": ("google.auth", "requests")}
"""Extra to the packages that bring uploads in parts."""
_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "azure": ("AZURE_STORAGE_ENDPOINT",),
    "gcs": ("STORAGE_EMULATOR_HOST",),
}
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


def endpoint_of(kind: str, config: Mapping[str, str]) -> str:
    """Return the address that a place, or the environment, names in place of the cloud's own; empty for the latter."""
    return config.get("endpoint") or _first(_ENDPOINTS[kind])


def missing_package(kind: str) -> str:
    """Return the package that uploads in parts lack, for an extra; empty where they lack none."""
    return next((name for name in PACKAGES[kind] if not _installed(name)), "")


def load_before_exit() -> None:
    """Load what the clouds' packages need and what cannot be loaded any more when the process ends, which is when runs are committed.

    ``concurrent.futures.thread`` registers itself with the interpreter's end, and raises once it has begun (boto3 loads it by s3transfer).
    """
    with suppress(RuntimeError):
        import concurrent.futures.thread  # noqa: F401


def open_parts(kind: str, config: Mapping[str, str], prefix: str, timeout_s: float) -> PartUploads | None:
    """Open uploads in parts.

    Parameters
    ----------
    kind : str
        An extra: ``s3``, ``azure``, ``gcs``.
    config : Mapping of str to str
        What obstore was given, and made of it.
    prefix : str
        Of all keys.
    timeout_s : float
        Without a byte.

    Returns
    -------
    PartUploads or None
        None where the package is missing, cannot be set up, or cannot be loaded because the process ends.
    """
    try:
        return _OPENERS[kind](config, prefix, timeout_s)
    except (ImportError, StorageError):
        return None
    except RuntimeError:
        if threading.main_thread().is_alive():
            raise
        return None


def _open_s3(config: Mapping[str, str], prefix: str, timeout_s: float) -> PartUploads | None:
    from runfolio.objects.s3_parts import OTHERWISE, S3Parts

    if _first(OTHERWISE):
        return None
    region = config.get("region") or _first(_REGIONS) or "us-east-1"
    return S3Parts(config["bucket"], prefix, {**config, "endpoint": endpoint_of("s3", config), "region": region}, timeout_s)


def _open_azure(config: Mapping[str, str], prefix: str, timeout_s: float) -> PartUploads | None:
    from runfolio.objects.azure_parts import OTHERWISE, AzureParts

    account = config.get("account_name") or _first(("AZURE_STORAGE_ACCOUNT_NAME",))
    if _first(OTHERWISE) or not account:
        return None
    endpoint = endpoint_of("azure", config) or f"https://{account}.blob.core.windows.net"
    return AzureParts(endpoint, config["container_name"], account, prefix, timeout_s)


def _open_gcs(config: Mapping[str, str], prefix: str, timeout_s: float) -> PartUploads | None:
    from runfolio.objects.gcs_parts import EMULATOR_VARIABLE, OTHERWISE, GcsParts

    if _first(OTHERWISE) and not os.environ.get(EMULATOR_VARIABLE):
        return None
    return GcsParts(config["bucket"], prefix, timeout_s)


_OPENERS = {"s3": _open_s3, "azure": _open_azure, "gcs": _open_gcs}


def _first(names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := os.environ.get(name))), "")


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):  # the folder above is missing; the package is kept out
        return False
