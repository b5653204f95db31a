"""Multipart uploads of S3, and of what speaks its protocol, through boto3.

Each part goes with its SHA-256, and the whole request is signed with it, so that every server that checks signatures compares the bytes.
The requests: Amazon S3 API reference, CreateMultipartUpload, UploadPart, ListParts, ListMultipartUploads, CompleteMultipartUpload.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from runfolio.errors import StorageError
from runfolio.objects.buckets import reason
from runfolio.objects.part_uploads import Part, RefusedError

OTHERWISE = (
    "AWS_SKIP_SIGNATURE",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_SSE_BUCKET_KEY_ENABLED",
    "AWS_SSE_CUSTOMER_KEY_BASE64",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_REQUEST_PAYER",
    "AWS_S3_EXPRESS",
)
"""Variables that obstore heeds and boto3 does not: where one is set, objects must not be made in two ways."""
_UNUSABLE = frozenset({"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "InvalidRequest", "EntityTooSmall"})
"""What a server says where an upload is gone, or was begun otherwise than ours are."""
_REFUSED = frozenset({400, 401, 403, 404, 405, 501})
_SUMS = "SHA256"
_TRIES = 2
_CONNECTIONS = 32


class S3Parts:
    """Multipart uploads into a bucket.

    Parameters
    ----------
    bucket : str
    prefix : str
        Of all keys, without a slash at its end; empty for none.
    facts : Mapping of str to str
        Of ``endpoint``, ``region``, ``access_key_id``, ``secret_access_key``, ``session_token`` what the place and the files of the AWS
        command line say; what is missing boto3 finds by itself.
    timeout_s : float
        Without a byte.

    Raises
    ------
    ImportError
        If boto3 is not installed.
    StorageError
        If it cannot be set up.
    """

    at_once = 4

    def __init__(self, bucket: str, prefix: str, facts: Mapping[str, str], timeout_s: float) -> None:
        import boto3
        from botocore.config import Config

        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        config = Config(
            connect_timeout=5,
            read_timeout=timeout_s,
            retries={"mode": "standard", "total_max_attempts": _TRIES},
            max_pool_connections=_CONNECTIONS,
            # A sum of ours goes with each part; what boto3 adds by itself not every server knows.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"payload_signing_enabled": True, "addressing_style": "path" if facts.get("endpoint") else "auto"},
        )
        with self._speaking("reach"):
            # A session of its own: the default one is not to be shared between threads.
            self._client: Any = boto3.session.Session().client(
                "s3",
                endpoint_url=facts.get("endpoint") or None,
                region_name=facts.get("region") or None,
                aws_access_key_id=facts.get("access_key_id"),
                aws_secret_access_key=facts.get("secret_access_key"),
                aws_session_token=facts.get("session_token"),
                config=config,
            )

    def begin(self, key: str, size: int) -> str:
        """Begin an upload; return its id."""
        with self._speaking("begin an upload to"):
            made = self._client.create_multipart_upload(**self._at(key), ChecksumAlgorithm=_SUMS)
        return self._told(made, "UploadId")

    def find(self, key: str) -> str | None:
        """Return the id of the upload of this key that was begun last, as ours are begun."""
        found = [
            item
            for item in self._uploads(self._prefix + key)
            if item["Key"] == self._prefix + key and item.get("ChecksumAlgorithm", _SUMS) == _SUMS
        ]
        return str(max(found, key=lambda item: item["Initiated"])["UploadId"]) if found else None

    def held(self, key: str, upload: str, sizes: list[int]) -> Mapping[int, Part] | None:
        """Return the parts that are there, as far as they belong to a file in parts of these sizes."""
        with self._speaking("look for parts in"):
            pages = self._client.get_paginator("list_parts").paginate(**self._at(key), UploadId=upload)
            listed = self._unless_gone(lambda: [item for page in pages for item in page.get("Parts", ())])
        if listed is None:
            return None
        return {item["PartNumber"] - 1: _part(item) for item in listed if item["PartNumber"] <= len(sizes)}

    def put(self, key: str, upload: str, number: int, data: bytes, part: Part) -> Part | None:
        """Bring a part up; the server compares it with its SHA-256."""
        sent = base64.b64encode(bytes.fromhex(part.sha256)).decode()
        with self._speaking("store a part in"):
            made = self._unless_gone(
                lambda: self._client.upload_part(
                    **self._at(key), UploadId=upload, PartNumber=number + 1, Body=data, ChecksumSHA256=sent
                )
            )
        if made is None:
            return None
        if made.get("ChecksumSHA256", sent) != sent:
            raise StorageError(f"Could not store a part in s3://{self._bucket}: what arrived is not what was sent.")
        return part._replace(tag=self._told(made, "ETag"))

    def complete(self, key: str, upload: str, parts: list[Part]) -> bool:
        """Make the object; the server refuses where a part is not the one of this tag."""
        named = [{"PartNumber": number, "ETag": part.tag} for number, part in enumerate(parts, 1)]
        for item, part in zip(named, parts, strict=True):
            if part.sha256:
                item["ChecksumSHA256"] = base64.b64encode(bytes.fromhex(part.sha256)).decode()
        with self._speaking("complete an upload to"):
            made = self._unless_gone(
                lambda: self._client.complete_multipart_upload(**self._at(key), UploadId=upload, MultipartUpload={"Parts": named})
            )
        return made is not None and bool(self._told(made, "ETag"))

    def abandon(self, key: str, upload: str) -> None:
        """Let an upload and its parts go."""
        with self._speaking("abandon an upload to"):
            self._unless_gone(lambda: self._client.abort_multipart_upload(**self._at(key), UploadId=upload))

    def abandon_older(self, prefix: str, age_s: float) -> int:
        """Let uploads go to which nothing came for so long: the parts of each cost money until somebody does."""
        before, count = time.time() - age_s, 0
        for item in self._uploads(self._prefix + prefix):
            key, upload = item["Key"][len(self._prefix) :], item["UploadId"]
            if item["Initiated"].timestamp() < before and self._touched(key, upload) < before:
                self.abandon(key, upload)
                count += 1
        return count

    def _touched(self, key: str, upload: str) -> float:
        """Return when the newest part came, seconds since the epoch, UTC; 0 if none did."""
        with self._speaking("look for parts in"):
            pages = self._client.get_paginator("list_parts").paginate(**self._at(key), UploadId=upload)
            times = self._unless_gone(
                lambda: [item["LastModified"].timestamp() for page in pages for item in page.get("Parts", ())]
            )
        return float(max(times or [0]))

    def _uploads(self, prefix: str) -> Iterator[Any]:
        with self._speaking("look for uploads in"):
            for page in self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix):
                yield from page.get("Uploads", ())

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    def _told(self, answer: Mapping[str, Any], name: str) -> str:
        """Return a field that a right answer has; a page about an error that came with status 200 has none."""
        if not answer.get(name):
            raise StorageError(f"Could not understand what s3://{self._bucket} answered: there is no {name}.")
        return str(answer[name])

    def _unless_gone(self, ask: Any) -> Any:
        """Return what the server says; None where it knows no such upload, or none that ours goes into."""
        from botocore.exceptions import ClientError

        try:
            return ask()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _UNUSABLE:
                return None
            raise

    @contextlib.contextmanager
    def _speaking(self, action: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            yield
        except NoCredentialsError as error:
            raise RefusedError(f"Could not {action} s3://{self._bucket}: {reason(str(error))}.") from None
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            kind = RefusedError if status in _REFUSED else StorageError
            raise kind(f"Could not {action} s3://{self._bucket}: {reason(str(error))}.") from None
        except (BotoCoreError, OSError, ValueError) as error:
            raise StorageError(f"Could not {action} s3://{self._bucket}: {reason(str(error))}.") from None


def _part(item: Mapping[str, Any]) -> Part:
    """Return a part in a list. Its tag is the MD5 of its bytes, but where a key of the bucket encrypts them; then the SHA-256 is told."""
    tag = str(item.get("ETag", ""))
    checksum = item.get("ChecksumSHA256")
    return Part(int(item["Size"]), tag.strip('"'), base64.b64decode(checksum).hex() if checksum else "", tag)
