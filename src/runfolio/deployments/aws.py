"""AWS by its own SDK: clients made once, its errors in our words. The leaf that imports boto3.

Credentials, profile and endpoint are boto3's own business (``AWS_PROFILE``, ``AWS_ENDPOINT_URL``, a role of the machine); none is ever
asked for, kept or printed here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from runfolio.errors import AlreadyExistsError, NotFoundError, RemoteError, RunfolioError, StateError, UsageError, missing_package

_ABSENT = (
    "NoSuchBucket",
    "NoSuchKey",
    "404",
    "NotFound",
    "ResourceNotFound",
    "RepositoryNotFoundException",
    "ImageNotFoundException",
)
_ABSENT_WORDS = ("could not find", "does not exist", "not found", "cannot find")
_TAKEN_WORDS = ("already exist", "cannot create already")
_DENIED = frozenset(
    "AccessDenied AccessDeniedException UnauthorizedOperation InvalidClientTokenId ExpiredToken SignatureDoesNotMatch".split()
)


def region_at_hand() -> str:
    """Return the region that the environment or the AWS configuration names; empty if none does."""
    said = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if said:
        return said
    try:
        import boto3
    except ImportError:
        return ""
    return str(boto3.session.Session().region_name or "")


class Aws:
    """One account, in one region.

    Parameters
    ----------
    region : str
    assume_role_arn : str, optional
        A role to take on first.
    """

    def __init__(self, region: str, assume_role_arn: str = "") -> None:
        self.region, self._assumed = region, assume_role_arn
        self._clients: dict[str, Any] = {}

    @cached_property
    def _session(self) -> Any:
        try:
            import boto3
        except ImportError as error:
            raise missing_package("boto3", "sagemaker", "speak to AWS") from error
        session = boto3.session.Session(region_name=self.region)
        if not self._assumed:
            return session
        with in_our_words(f"take on the role {self._assumed}"):
            given = session.client("sts").assume_role(RoleArn=self._assumed, RoleSessionName="runfolio")["Credentials"]
        return boto3.session.Session(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=self.region
        )

    def client(self, service: str) -> Any:
        """Return boto3's client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]

    @cached_property
    def account(self) -> str:
        """The number of the account."""
        return str(self.call("sts", "get_caller_identity", "ask who you are")["Account"])

    def call(self, service: str, operation: str, what: str, given: Mapping[str, Any] | None = None) -> Any:
        """Make a call and return its answer.

        Parameters
        ----------
        service, operation : str
            As boto3 names them.
        what : str
            What is being done, as in "make the endpoint wine", for messages.
        given : Mapping, optional
            Its parameters.
        """
        with in_our_words(what):
            function: Callable[..., Any] = getattr(self.client(service), operation)
            return function(**(given or {}))


@contextmanager
def in_our_words(what: str) -> Iterator[None]:
    """Turn what the SDK raises into one of our errors."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
        from botocore.exceptions import ParamValidationError as WrongParameters
    except ImportError as error:
        raise missing_package("boto3", "sagemaker", "speak to AWS") from error
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StateError(
            f"Could not {what}: AWS has no credentials here ({error}). Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run: aws configure"
        ) from error
    except ClientError as error:
        raise _client_error(what, error.response.get("Error", {})) from error
    except WrongParameters as error:
        raise UsageError(f"Could not {what}: AWS does not take this: {' '.join(str(error).split())}") from error
    except BotoCoreError as error:
        raise RemoteError(f"Could not {what}: AWS could not be reached: {error}") from error


def _client_error(what: str, said: Mapping[str, Any]) -> RunfolioError:
    code, message = str(said.get("Code", "")), str(said.get("Message", ""))
    text, low = f"Could not {what}: {message or code} ({code})", message.lower()
    if code in _DENIED:
        return StateError(f"{text}. See that these credentials may do this, and are still good: aws sts get-caller-identity")
    if code in _ABSENT or any(word in low for word in _ABSENT_WORDS):
        return NotFoundError(text)
    if any(word in low for word in _TAKEN_WORDS):
        return AlreadyExistsError(text)
    return StateError(text)
