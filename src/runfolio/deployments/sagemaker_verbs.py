"""``runfolio.sagemaker.deploy`` and ``delete``: MLflow 1's functions, over the client of the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.deployments.sagemaker import SageMakerDeploymentClient
from runfolio.deployments.sagemaker_requests import INSTANCE, MODES
from runfolio.errors import UsageError


def deploy(
    app_name: str,
    model_uri: str,
    execution_role_arn: str | None = None,
    assume_role_arn: str | None = None,
    bucket: str | None = None,
    image_url: str | None = None,
    region_name: str | None = None,
    mode: str = "create",
    archive: bool = False,
    instance_type: str = INSTANCE,
    instance_count: int = 1,
    vpc_config: Mapping[str, Any] | None = None,
    flavor: str | None = None,
    synchronous: bool = True,
    timeout_seconds: int = 1200,
    data_capture_config: Mapping[str, Any] | None = None,
    variant_name: str | None = None,
    async_inference_config: Mapping[str, Any] | None = None,
    serverless_config: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Put a model onto a SageMaker endpoint, and record it.

    Parameters
    ----------
    app_name : str
        Name of the endpoint.
    model_uri : str
    execution_role_arn : str
        Role that the endpoint works with.
    assume_role_arn : str, optional
        Role to take on before anything is done.
    bucket : str, optional
        For the model's archive; one of the account's by default, made if it is missing.
    image_url : str, optional
        Container image; the one named after the version in the account's ECR by default.
    region_name : str, optional
        AWS's configuration by default.
    mode : str, optional
        ``create`` (refused where the endpoint is there), ``replace``, or ``add`` (beside what is there, without traffic).
    archive : bool, optional
        Keep what is replaced.
    instance_type : str, optional
    instance_count : int, optional
    vpc_config, data_capture_config, async_inference_config, serverless_config : dict, optional
        SageMaker's own.
    flavor : str, optional
        ``python_function``.
    synchronous : bool, optional
        Wait until it serves.
    timeout_seconds : int, optional
    variant_name : str, optional
    env : dict, optional
        Variables of the container; never secrets.
    tags : dict, optional

    Returns
    -------
    dict
        ``name``, ``endpoint_arn``, ``region``, ``image``, ``model_name``.
    """
    if mode not in MODES:
        raise UsageError(f"mode: {', '.join(MODES)} are the modes, found {mode!r}.")
    said = {
        "execution_role_arn": execution_role_arn, "assume_role_arn": assume_role_arn, "bucket": bucket, "image_url": image_url,
        "region_name": region_name, "archive": archive, "instance_type": instance_type, "instance_count": instance_count,
        "vpc_config": vpc_config, "synchronous": synchronous, "timeout_seconds": timeout_seconds, "variant_name": variant_name,
        "data_capture_config": data_capture_config, "async_inference_config": async_inference_config,
        "serverless_config": serverless_config, "env": env, "tags": tags,
    }  # fmt: skip
    config = {key: value for key, value in said.items() if value is not None}
    client = SageMakerDeploymentClient(f"sagemaker:/{region_name or ''}")
    if mode == "create":
        return client.create_deployment(app_name, model_uri, flavor, config)
    config["mode"] = mode
    there = app_name in {item["name"] for item in client.list_deployments()}
    if not there:  # MLflow's rule: replace and add also make what is not there
        config.pop("mode")
        return client.create_deployment(app_name, model_uri, flavor, config)
    return client.update_deployment(app_name, model_uri, flavor, config)


def delete(
    app_name: str,
    region_name: str | None = None,
    assume_role_arn: str | None = None,
    archive: bool = False,
    synchronous: bool = True,
    timeout_seconds: int = 300,
) -> None:
    """Delete an endpoint with its models and configuration, and record it.

    Parameters
    ----------
    app_name : str
    region_name, assume_role_arn : str, optional
    archive : bool, optional
        Keep models and configuration.
    synchronous : bool, optional
        Wait until it is gone.
    timeout_seconds : int, optional
    """
    said = {
        "region_name": region_name,
        "assume_role_arn": assume_role_arn,
        "archive": archive,
        "synchronous": synchronous,
        "timeout_seconds": timeout_seconds,
    }
    client = SageMakerDeploymentClient(f"sagemaker:/{region_name or ''}")
    client.delete_deployment(app_name, {key: value for key, value in said.items() if value is not None})
