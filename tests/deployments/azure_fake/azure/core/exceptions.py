"""The errors of Azure's SDK that are told apart here; names and ancestors are the SDK's."""


class AzureError(Exception):
    pass


class ServiceRequestError(AzureError):
    pass


class HttpResponseError(AzureError):
    pass


class ResourceNotFoundError(HttpResponseError):
    pass


class ClientAuthenticationError(HttpResponseError):
    pass
