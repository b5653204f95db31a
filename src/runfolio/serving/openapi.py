"""``/openapi.json``: what can be asked, with the model's own columns, for tools that make clients of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.flavors.python_function import PyFuncModel
from runfolio.flavors.schema import ColSpec, Schema, TensorSpec
from runfolio.flavors.types import Array, DataType, Map, Object

_PLAIN: dict[DataType, dict[str, Any]] = {
    DataType.boolean: {"type": "boolean"},
    DataType.integer: {"type": "integer", "format": "int32"},
    DataType.long: {"type": "integer", "format": "int64"},
    DataType.float: {"type": ["number", "null"], "format": "float"},
    DataType.double: {"type": ["number", "null"], "format": "double"},
    DataType.string: {"type": "string"},
    DataType.binary: {"type": "string", "contentEncoding": "base64"},
    DataType.datetime: {"type": "string", "format": "date-time"},
}
_EXAMPLES: dict[str, Any] = {"boolean": True, "integer": 1, "number": 1.5, "string": "a"}


def description(model: PyFuncModel, served: Mapping[str, Any], *, token: bool) -> dict[str, Any]:
    """Return the description, in OpenAPI 3.1.

    Parameters
    ----------
    model : PyFuncModel
    served : dict
        ``name``, ``version`` and ``uri`` of the model.
    token : bool
        Whether a token is asked for.
    """
    errors = {
        str(status): {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
        for status, text in (
            (400, "The request does not fit the model, or the model refused it"),
            (503, "Too many requests wait"),
            (504, "The prediction took too long"),
        )
    }
    said: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": str(served.get("name") or "model"),
            "version": str(served.get("version") or "0"),
            "description": "A model served by runfolio, in MLflow's scoring protocol.",
        },
        "paths": {
            "/invocations": {"post": _invocations(model, errors)},
            "/ping": {"get": _probe("Whether the server answers")},
            "/health": {"get": _probe("The same; with ?details what it serves, as JSON")},
            "/version": {"get": _probe("Version of MLflow whose protocol this is")},
            "/metrics": {"get": _probe("Counts and times, for Prometheus")},
        },
        "components": {
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error_code", "message"],
                    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
                }
            }
        },
    }
    if token:
        said["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        said["security"] = [{"bearer": []}]
    return said


def _probe(text: str) -> dict[str, Any]:
    return {"summary": text, "responses": {"200": {"description": "Yes"}}}


def _invocations(model: PyFuncModel, errors: Mapping[str, Any]) -> dict[str, Any]:
    signature = model.metadata.signature
    outputs = _outputs(signature.outputs if signature else None)
    answer = {"type": "object", "required": ["predictions"], "properties": {"predictions": outputs}}
    content: dict[str, Any] = {"application/json": {"schema": _body(model), "example": example(model)}}
    if signature is None or signature.inputs is None or not signature.inputs.is_tensor_spec():
        content["text/csv"] = {"schema": {"type": "string"}}
        content["application/vnd.apache.parquet"] = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    return {
        "summary": "Predict",
        "operationId": "invocations",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {"description": "Predictions, one for each row", "content": {"application/json": {"schema": answer}}},
            **errors,
        },
    }


def _body(model: PyFuncModel) -> dict[str, Any]:
    signature = model.metadata.signature
    inputs = signature.inputs if signature else None
    params: dict[str, Any] = {"type": "object"}
    if signature and signature.params:
        params["properties"] = {
            each.name: {**_kind(each.dtype), "default": each.to_dict()["default"]}
            if each.shape is None
            else {"type": "array", "items": _kind(each.dtype), "default": each.to_dict()["default"]}
            for each in signature.params
        }
    forms = {}
    if inputs is None or not inputs.is_tensor_spec():
        row = _row(inputs)
        forms["dataframe_split"] = {
            "type": "object",
            "required": ["data"],
            "properties": {
                "columns": {"type": "array", "items": {"type": "string"}},
                "index": {"type": "array"},
                "data": {"type": "array", "items": {"type": "array"}},
            },
        }
        forms["dataframe_records"] = {"type": "array", "items": row}
    forms["inputs"] = forms["instances"] = _tensors(inputs)
    return {
        "oneOf": [
            {"type": "object", "title": form, "required": [form], "properties": {form: said, "params": params}}
            for form, said in forms.items()
        ]
    }


def _row(schema: Schema | None) -> dict[str, Any]:
    if schema is None or not schema.has_input_names():
        return {"type": "object"}
    columns = [spec for spec in schema if isinstance(spec, ColSpec)]
    return {
        "type": "object",
        "required": [spec.name for spec in columns if spec.required],
        "properties": {str(spec.name): _kind(spec.type) for spec in columns},
    }


def _tensors(schema: Schema | None) -> dict[str, Any]:
    if schema is None or not schema.is_tensor_spec():
        return {}
    if schema.has_input_names():
        return {
            "type": "object",
            "properties": {str(spec.name): _tensor(spec) for spec in schema if isinstance(spec, TensorSpec)},
        }
    spec = schema.inputs[0]
    assert isinstance(spec, TensorSpec)
    return _tensor(spec)


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    letter = spec.dtype[:1]
    made: dict[str, Any] = {"type": {"f": "number", "i": "integer", "u": "integer", "b": "boolean"}.get(letter, "string")}
    for length in reversed(spec.shape):
        made = {"type": "array", "items": made, **({} if length == -1 else {"minItems": length, "maxItems": length})}
    return made


def _outputs(schema: Schema | None) -> dict[str, Any]:
    if schema is None:
        return {}
    if schema.is_tensor_spec():
        return _tensors(schema)
    if len(schema) == 1 and isinstance(schema.inputs[0], ColSpec):
        return {"type": "array", "items": _kind(schema.inputs[0].type)}
    return {"type": "array", "items": _row(schema)}


def _kind(kind: Any) -> dict[str, Any]:
    if isinstance(kind, DataType):
        return dict(_PLAIN[kind])
    if isinstance(kind, Array):
        return {"type": "array", "items": _kind(kind.dtype)}
    if isinstance(kind, Map):
        return {"type": "object", "additionalProperties": _kind(kind.value_type)}
    if isinstance(kind, Object):
        return {
            "type": "object",
            "required": [each.name for each in kind.properties if each.required],
            "properties": {each.name: _kind(each.dtype) for each in kind.properties},
        }
    return {}


def example(model: PyFuncModel) -> dict[str, Any]:
    """Return a body that the model takes, made of its signature."""
    signature = model.metadata.signature
    schema = signature.inputs if signature else None
    if schema is None:
        return {"inputs": [[1.5, 2.5]]}
    if schema.is_tensor_spec():
        spec = schema.inputs[0]
        assert isinstance(spec, TensorSpec)
        if spec.name is not None:
            return {"inputs": {str(each.name): _zeros(each) for each in schema if isinstance(each, TensorSpec)}}
        return {"inputs": _zeros(spec)}
    row = {str(name): _one(spec) for name, spec in zip(schema.input_names(), schema, strict=True)}
    if not schema.has_input_names():
        return {"dataframe_split": {"data": [list(row.values())]}}
    return {"dataframe_records": [row]}


def _one(spec: Any) -> Any:
    kind = _kind(spec.type).get("type")
    if spec.type is DataType.datetime:
        return "2026-01-31T12:00:00"
    return _EXAMPLES.get(kind[0] if isinstance(kind, list) else str(kind), [] if kind == "array" else {})


def _zeros(spec: TensorSpec) -> Any:
    made: Any = 0.0 if spec.dtype.startswith("float") else 0
    size = 1
    for length in reversed(spec.shape):
        size *= 1 if length == -1 else length
        if size > 64:
            return []
        made = [made] * (1 if length == -1 else length)
    return made
