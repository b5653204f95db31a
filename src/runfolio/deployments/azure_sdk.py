"""A workspace of Azure ML by Azure's own SDK (``azure-ai-ml``, v2). The leaf that imports it.

Who you are is ``azure-identity``'s business (``DefaultAzureCredential``: environment, managed identity, ``az login``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runfolio.errors import NotFoundError, RemoteError, StateError, missing_package


class AzureWorkspace:
    """One workspace.

    Parameters
    ----------
    subscription, group, name : str
    client : object, optional
        An ``azure.ai.ml.MLClient`` that is there already.
    """

    def __init__(self, subscription: str, group: str, name: str, client: Any = None) -> None:
        self._ml = client if client is not None else _client(subscription, group, name)

    def put_endpoint(self, file: Path) -> None:
        """Make or change the endpoint that a file describes, and wait."""
        from azure.ai.ml import load_online_endpoint

        with _in_our_words(f"make the endpoint of {file.name}"):
            self._ml.online_endpoints.begin_create_or_update(load_online_endpoint(str(file))).result()

    def put_deployment(self, file: Path) -> None:
        """Make or change the deployment that a file describes, and wait."""
        from azure.ai.ml import load_online_deployment

        with _in_our_words(f"make the deployment of {file.name}"):
            self._ml.online_deployments.begin_create_or_update(load_online_deployment(str(file))).result()

    def traffic(self, endpoint: str) -> dict[str, int]:
        """Return the percent of the requests that each deployment gets."""
        return dict(self.endpoint(endpoint).traffic or {})

    def set_traffic(self, endpoint: str, shares: Mapping[str, int]) -> None:
        """Say which deployment gets how many of the requests."""
        with _in_our_words(f"move the traffic of {endpoint}"):
            found = self._ml.online_endpoints.get(name=endpoint)
            found.traffic = dict(shares)
            self._ml.online_endpoints.begin_create_or_update(found).result()

    def endpoint(self, name: str) -> Any:
        """Return an endpoint."""
        with _in_our_words(f"ask for the endpoint {name}"):
            return self._ml.online_endpoints.get(name=name)

    def endpoints(self) -> list[Any]:
        """List the endpoints."""
        with _in_our_words("list the endpoints"):
            return list(self._ml.online_endpoints.list())

    def deployments(self, endpoint: str) -> list[Any]:
        """List the deployments below an endpoint."""
        with _in_our_words(f"list the deployments of {endpoint}"):
            return list(self._ml.online_deployments.list(endpoint_name=endpoint))

    def delete_deployment(self, endpoint: str, name: str) -> None:
        """Delete one deployment, and wait."""
        with _in_our_words(f"delete the deployment {name} of {endpoint}"):
            self._ml.online_deployments.begin_delete(name=name, endpoint_name=endpoint).result()

    def delete_endpoint(self, name: str) -> None:
        """Delete an endpoint with its deployments, and wait."""
        with _in_our_words(f"delete the endpoint {name}"):
            self._ml.online_endpoints.begin_delete(name=name).result()

    def invoke(self, endpoint: str, file: Path) -> str:
        """Send a file with a request, and return the answer."""
        with _in_our_words(f"ask the endpoint {endpoint}"):
            return str(self._ml.online_endpoints.invoke(endpoint_name=endpoint, request_file=str(file)))


def _client(subscription: str, group: str, name: str) -> Any:
    try:
        from azure.ai.ml import MLClient
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise missing_package("azure-ai-ml", "azureml", "speak to Azure ML") from error
    return MLClient(DefaultAzureCredential(), subscription, group, name)


@contextmanager
def _in_our_words(what: str) -> Iterator[None]:
    """Turn what the SDK raises into one of our errors."""
    try:
        from azure.core.exceptions import AzureError, ClientAuthenticationError, ResourceNotFoundError, ServiceRequestError
    except ImportError as error:
        raise missing_package("azure-ai-ml", "azureml", "speak to Azure ML") from error
    try:
        yield
    except ResourceNotFoundError as error:
        raise NotFoundError(f"Could not {what}: {_first(error)}") from error
    except ClientAuthenticationError as error:
        raise StateError(f"Could not {what}: Azure does not know you: {_first(error)} Run: az login") from error
    except ServiceRequestError as error:
        raise RemoteError(f"Could not {what}: Azure could not be reached: {_first(error)}") from error
    except AzureError as error:
        raise StateError(f"Could not {what}: {_first(error)}") from error


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:600]
