"""Scripts written for MLflow import names from its modules: the same stand in ours."""

from __future__ import annotations

import importlib

import pytest


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("models.signature", "ModelSignature infer_signature set_signature"),
        ("models.model", "Model ModelInfo get_model_info"),
        ("models.evaluation", "EvaluationMetric EvaluationResult MetricThreshold make_metric evaluate"),
        ("types.schema", "AnyType Array ColSpec DataType Map Object ParamSchema ParamSpec Property Schema TensorSpec"),
        ("types.type_hints", "TypeFromExample"),
        ("pyfunc.model", "ChatModel PythonModel PythonModelContext"),
        ("types.llm", "ChatChoice ChatCompletionResponse ChatMessage ChatParams ToolCall ToolDefinition"),
        ("entities.model_registry", "ModelVersion RegisteredModel"),
        ("data.pandas_dataset", "PandasDataset from_pandas"),
        ("data.polars_dataset", "PolarsDataset from_polars"),
        ("data.numpy_dataset", "NumpyDataset from_numpy"),
        ("data.dataset", "Dataset"),
        ("data.dataset_source", "DatasetSource"),
        ("tracking.client", "MlflowClient"),
        ("tracking", "MlflowClient"),
    ],
)
def test_names_are_where_scripts_for_mlflow_look_for_them(module: str, names: str) -> None:
    found = importlib.import_module(f"runfolio.{module}")
    above = importlib.import_module(f"runfolio.{module.rpartition('.')[0] or module}")
    for name in names.split():
        # One class, whichever way it was imported.
        assert getattr(found, name) is getattr(above, name, getattr(found, name))
