"""Codes of errors: MLflow's ``mlflow.protos.databricks_pb2``, as far as scripts compare and raise them.

A code is its name, as ``error.error_code`` tells it, so that each way of comparing holds:

>>> ErrorCode.Name(RESOURCE_DOES_NOT_EXIST) == RESOURCE_DOES_NOT_EXIST == "RESOURCE_DOES_NOT_EXIST"
True
"""

INTERNAL_ERROR = "INTERNAL_ERROR"
TEMPORARILY_UNAVAILABLE = "TEMPORARILY_UNAVAILABLE"
IO_ERROR = "IO_ERROR"
BAD_REQUEST = "BAD_REQUEST"
INVALID_PARAMETER_VALUE = "INVALID_PARAMETER_VALUE"
ENDPOINT_NOT_FOUND = "ENDPOINT_NOT_FOUND"
INVALID_STATE = "INVALID_STATE"
PERMISSION_DENIED = "PERMISSION_DENIED"
FEATURE_DISABLED = "FEATURE_DISABLED"
RESOURCE_ALREADY_EXISTS = "RESOURCE_ALREADY_EXISTS"
RESOURCE_DOES_NOT_EXIST = "RESOURCE_DOES_NOT_EXIST"
RESOURCE_CONFLICT = "RESOURCE_CONFLICT"
NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
UNAUTHENTICATED = "UNAUTHENTICATED"


class ErrorCode:
    """The two directions of MLflow's enumeration, both of which are the name itself."""

    @staticmethod
    def Name(code: str) -> str:  # noqa: N802 (protobuf's name)
        """Return the name of a code."""
        return code

    @staticmethod
    def Value(name: str) -> str:  # noqa: N802 (protobuf's name)
        """Return the code of a name."""
        return name
