"""runfolio: a git repository as the system of record for the whole machine-learning lifecycle.

>>> import runfolio
>>> runfolio.set_tracking_uri("path/to/repository")      # doctest: +SKIP
>>> with runfolio.start_run():                           # doctest: +SKIP
...     runfolio.log_param("depth", 5)
...     runfolio.log_metric("accuracy", 0.98)

Every name here is loaded when it is first used: ``import runfolio`` costs next to nothing, and loads neither pandas nor git.
"""

from __future__ import annotations

import sys

from runfolio._version import __version__

TYPE_CHECKING = False  # what typing.TYPE_CHECKING is, without its import
if TYPE_CHECKING:
    from runfolio import (
        accelerate,
        artifacts,
        azureml,
        catboost,
        client,
        config,
        data,
        deployments,
        entities,
        errors,
        exceptions,
        keras,
        lightgbm,
        metrics,
        models,
        onnx,
        pipelines,
        projects,
        prophet,
        protos,
        pyfunc,
        pytorch,
        sagemaker,
        sklearn,
        spacy,
        statsmodels,
        store,
        sweeps,
        system_metrics,
        tensorflow,
        tracking,
        transformers,
        types,
        utils,
        version,
        xgboost,
    )
    from runfolio.autologging.switches import autolog
    from runfolio.client import MlflowClient, RunfolioClient
    from runfolio.errors import RunfolioError
    from runfolio.evaluation.evaluating import evaluate
    from runfolio.evaluation.thresholds import validate_evaluation_results
    from runfolio.exceptions import MlflowException
    from runfolio.projects.running import run
    from runfolio.sweeps.sweeping import sweep
    from runfolio.tracking.fluent import (
        ActiveRun,
        active_run,
        end_run,
        flush,
        last_active_run,
        set_experiment,
        start_run,
        tracked,
    )
    from runfolio.tracking.fluent_finding import (
        create_experiment,
        delete_experiment,
        delete_run,
        get_experiment,
        get_experiment_by_name,
        get_parent_run,
        get_run,
        restore_experiment,
        restore_run,
        search_experiments,
        search_runs,
    )
    from runfolio.tracking.fluent_logging import (
        delete_tag,
        get_artifact_uri,
        load_table,
        log_artifact,
        log_artifacts,
        log_batch,
        log_dict,
        log_figure,
        log_image,
        log_input,
        log_inputs,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        log_table,
        log_text,
        set_experiment_tag,
        set_experiment_tags,
        set_tag,
        set_tags,
    )
    from runfolio.tracking.operations import flush_artifact_async_logging, flush_async_logging
    from runfolio.tracking.pictures import Image
    from runfolio.tracking.registering import (
        get_registry_uri,
        register_model,
        search_model_versions,
        search_registered_models,
        set_model_version_tag,
        set_registry_uri,
    )
    from runfolio.tracking.sampling import (
        disable_system_metrics_logging,
        enable_system_metrics_logging,
        set_system_metrics_node_id,
        set_system_metrics_samples_before_logging,
        set_system_metrics_sampling_interval,
    )
    from runfolio.tracking.session import get_tracking_uri, is_tracking_uri_set, set_tracking_uri

__all__ = [
    "ActiveRun",
    "Image",
    "MlflowClient",
    "MlflowException",
    "RunfolioClient",
    "RunfolioError",
    "__version__",
    "accelerate",
    "active_run",
    "artifacts",
    "autolog",
    "azureml",
    "catboost",
    "client",
    "config",
    "create_experiment",
    "data",
    "delete_experiment",
    "delete_run",
    "delete_tag",
    "deployments",
    "disable_system_metrics_logging",
    "enable_system_metrics_logging",
    "end_run",
    "entities",
    "errors",
    "evaluate",
    "exceptions",
    "flush",
    "flush_artifact_async_logging",
    "flush_async_logging",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_parent_run",
    "get_registry_uri",
    "get_run",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "keras",
    "last_active_run",
    "lightgbm",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_batch",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_inputs",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "metrics",
    "models",
    "onnx",
    "pipelines",
    "projects",
    "prophet",
    "protos",
    "pyfunc",
    "pytorch",
    "register_model",
    "restore_experiment",
    "restore_run",
    "run",
    "sagemaker",
    "search_experiments",
    "search_model_versions",
    "search_registered_models",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_model_version_tag",
    "set_registry_uri",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "sklearn",
    "spacy",
    "start_run",
    "statsmodels",
    "store",
    "sweep",
    "sweeps",
    "system_metrics",
    "tensorflow",
    "tracked",
    "tracking",
    "transformers",
    "types",
    "utils",
    "validate_evaluation_results",
    "version",
    "xgboost",
]
_MODULES = (
    "accelerate",
    "artifacts",
    "azureml",
    "catboost",
    "client",
    "config",
    "data",
    "deployments",
    "entities",
    "errors",
    "exceptions",
    "lightgbm",
    "keras",
    "metrics",
    "models",
    "onnx",
    "pipelines",
    "projects",
    "protos",
    "prophet",
    "pyfunc",
    "pytorch",
    "sagemaker",
    "sklearn",
    "spacy",
    "statsmodels",
    "store",
    "sweeps",
    "system_metrics",
    "tensorflow",
    "tracking",
    "transformers",
    "types",
    "utils",
    "version",
    "xgboost",
)
_ELSEWHERE = {
    "Image": "runfolio.tracking.pictures",
    "MlflowClient": "runfolio.client",
    "MlflowException": "runfolio.exceptions",
    "RunfolioClient": "runfolio.client",
    "RunfolioError": "runfolio.errors",
    "autolog": "runfolio.autologging.switches",
    "disable_system_metrics_logging": "runfolio.tracking.sampling",
    "evaluate": "runfolio.evaluation.evaluating",
    "get_registry_uri": "runfolio.tracking.registering",
    "register_model": "runfolio.tracking.registering",
    "run": "runfolio.projects.running",
    "search_model_versions": "runfolio.tracking.registering",
    "search_registered_models": "runfolio.tracking.registering",
    "set_model_version_tag": "runfolio.tracking.registering",
    "set_registry_uri": "runfolio.tracking.registering",
    "enable_system_metrics_logging": "runfolio.tracking.sampling",
    "flush_artifact_async_logging": "runfolio.tracking.operations",
    "flush_async_logging": "runfolio.tracking.operations",
    "get_tracking_uri": "runfolio.tracking.session",
    "is_tracking_uri_set": "runfolio.tracking.session",
    "set_system_metrics_node_id": "runfolio.tracking.sampling",
    "set_system_metrics_samples_before_logging": "runfolio.tracking.sampling",
    "set_system_metrics_sampling_interval": "runfolio.tracking.sampling",
    "set_tracking_uri": "runfolio.tracking.session",
    "sweep": "runfolio.sweeps.sweeping",
    "validate_evaluation_results": "runfolio.evaluation.thresholds",
    **dict.fromkeys(
        (
            "create_experiment delete_experiment delete_run get_experiment get_experiment_by_name get_parent_run get_run "
            "restore_experiment restore_run search_experiments search_runs"
        ).split(),
        "runfolio.tracking.fluent_finding",
    ),
    **dict.fromkeys(
        (
            "delete_tag get_artifact_uri load_table log_artifact log_artifacts log_batch log_dict log_figure log_image "
            "log_input log_inputs log_metric log_metrics log_param log_params log_table log_text set_experiment_tag "
            "set_experiment_tags set_tag set_tags"
        ).split(),
        "runfolio.tracking.fluent_logging",
    ),
}


def __getattr__(name: str) -> object:
    import importlib  # neither it nor typing is imported above: they would double the cost of `import runfolio`

    if name in _MODULES:
        return importlib.import_module(f"runfolio.{name}")
    if name not in __all__:
        from runfolio._absent import absent_names

        return absent_names("runfolio")(name)
    value: object = getattr(importlib.import_module(_ELSEWHERE.get(name, "runfolio.tracking.fluent")), name)
    globals()[name] = value
    return value


class _Absent:
    """Answers for modules that MLflow has and runfolio has not, when all other finders have found nothing."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Find nothing, and say why where a script for MLflow asks."""
        if name.startswith("runfolio."):
            from runfolio._absent import message

            said = message(name)
            if said:
                # Without its name: `from runfolio import trace` would else drop the message and say "cannot import name".
                raise ModuleNotFoundError(said)


sys.meta_path.append(_Absent)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
