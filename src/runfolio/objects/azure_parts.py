"""Blocks of Azure Blob Storage, through azure-storage-blob.

A block goes with its MD5, which the service compares, and is named by its number and that MD5: so a list of blocks tells what they hold,
and one with other bytes has another name. The requests: Blob service REST API, Put Block, Get Block List, Put Block List. What is not
committed the service drops after a week; there is no other way to let it go but to commit nothing and delete that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from runfolio.errors import StorageError
from runfolio.objects.buckets import reason
from runfolio.objects.part_uploads import Part, RefusedError

OTHERWISE = ("AZURE_STORAGE_TOKEN", "AZURE_USE_FABRIC_ENDPOINT", "AZURE_SKIP_SIGNATURE")
"""Variables that obstore heeds and this package does not."""
_KEYS = ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_MASTER_KEY")
_SIGNATURES = ("AZURE_STORAGE_SAS_KEY", "AZURE_STORAGE_SAS_TOKEN")
_GONE = frozenset({"BlobNotFound", "InvalidBlockList", "InvalidBlobOrBlock"})
_REFUSED = frozenset({400, 401, 403, 405, 409})


class AzureParts:
    """Blocks in a container.

    Parameters
    ----------
    account_url : str
    container, account : str
    prefix : str
        Of all keys, without a slash at its end; empty for none.
    timeout_s : float
        Without a byte.

    Raises
    ------
    ImportError
        If azure-storage-blob is not installed; azure-identity, where neither a key nor a signature is at hand.
    StorageError
        If it cannot be set up.
    """

    at_once = 4

    def __init__(self, account_url: str, container: str, account: str, prefix: str, timeout_s: float) -> None:
        from azure.storage.blob import ContainerClient

        self._place, self._prefix = f"az://{container}", f"{prefix}/" if prefix else ""
        with self._speaking("reach"):
            self._container: Any = ContainerClient(
                account_url, container, _credential(account), retry_total=1, connection_timeout=5, read_timeout=timeout_s
            )

    def begin(self, key: str, size: int) -> str:
        """Return the key: a blob has one list of blocks that are not committed."""
        self.held(key, key, [])
        return key

    def find(self, key: str) -> None:
        """Return None: who has lost the temporary name of a blob cannot find its blocks."""

    def held(self, key: str, upload: str, sizes: list[int]) -> Mapping[int, Part] | None:
        """Return the blocks that are there."""
        with self._speaking("look for parts in"):
            listed = self._unless_gone(lambda: self._blob(key).get_block_list("uncommitted")[1])
        if listed is None:
            return None
        return {int(block.id[:5]): Part(block.size, block.id[6:]) for block in listed if _is_ours(block.id)}

    def put(self, key: str, upload: str, number: int, data: bytes, part: Part) -> Part:
        """Bring a block up; the service compares it with its MD5."""
        with self._speaking("store a part in"):
            self._blob(key).stage_block(_name(number, part), data, len(data), validate_content=True)
        return part

    def complete(self, key: str, upload: str, parts: list[Part]) -> bool:
        """Make the blob of its blocks; False where one of them is not there any more."""
        from azure.storage.blob import BlobBlock

        blocks = [BlobBlock(_name(number, part)) for number, part in enumerate(parts)]
        with self._speaking("complete an upload to"):
            return self._unless_gone(lambda: self._blob(key).commit_block_list(blocks)) is not None

    def abandon(self, key: str, upload: str) -> None:
        """Commit no block, and delete the empty blob that this makes."""
        with self._speaking("abandon an upload to"):
            self._blob(key).commit_block_list([])
            self._blob(key).delete_blob()

    def abandon_older(self, prefix: str, age_s: float) -> int:
        """Return 0: the service drops what is not committed after a week."""
        return 0

    def _blob(self, key: str) -> Any:
        return self._container.get_blob_client(self._prefix + key)

    def _unless_gone(self, ask: Any) -> Any:
        from azure.core.exceptions import HttpResponseError

        try:
            return ask()
        except HttpResponseError as error:
            if getattr(error, "error_code", None) in _GONE:
                return None
            raise

    @contextlib.contextmanager
    def _speaking(self, action: str) -> Iterator[None]:
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        try:
            yield
        except (AzureError, OSError, ValueError) as error:
            refused = isinstance(error, ClientAuthenticationError) or getattr(error, "status_code", None) in _REFUSED
            kind = RefusedError if refused else StorageError
            raise kind(f"Could not {action} {self._place}: {reason(str(error))}.") from None


def _credential(account: str) -> Any:
    key = next((value for name in _KEYS if (value := os.environ.get(name))), None)
    if key:
        return {"account_name": account, "account_key": key}
    signature = next((value for name in _SIGNATURES if (value := os.environ.get(name))), None)
    if signature:
        return signature
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _name(number: int, part: Part) -> str:
    """Return the name of a block; the names of all blocks of a blob must be of one length."""
    return f"{number:05}-{part.md5}"


def _is_ours(name: str) -> bool:
    return len(name) == 38 and name[:5].isdecimal() and name[5] == "-"
