"""The requests of a SageMaker deployment as data: what is uploaded, and the model, endpoint configuration and endpoint that are made.

``{account}`` stands for the number of the account where the caller named neither bucket nor image; it is filled in when the requests are
sent, so that a dry run asks AWS nothing.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.deployments.client import Config, truth, whole
from runfolio.deployments.source import Source
from runfolio.errors import UsageError
from runfolio.records.names import slug_of

ACCOUNT = "{account}"
IMAGE_VARIABLE = "RUNFOLIO_SAGEMAKER_IMAGE"
MODES = ("create", "add", "replace")
INSTANCE = "ml.m4.xlarge"
"""MLflow's own default."""
_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}\Z")
_ROLE = re.compile(r"arn:aws[a-z\-]*:iam::\d+:role/.+\Z")

KEYS = {
    "region_name": "region; else that of the target's URI, AWS_REGION, or the AWS configuration",
    "execution_role_arn": "role that the endpoint works with; needed with create",
    "assume_role_arn": "role to take on before anything is done",
    "bucket": "bucket for the model's archive; one of your account's by default, made if it is missing",
    "image_url": f"container image, in ECR; else {IMAGE_VARIABLE}, else ACCOUNT.dkr.ecr.REGION.amazonaws.com/MODEL:VERSION",
    "check_image": "false does not look whether the image is in ECR",
    "instance_type": f"{INSTANCE} by default",
    "instance_count": "machines; 1 by default",
    "mode": "with update: replace (default), or add beside what is there",
    "archive": "true keeps models and configurations that are replaced or deleted",
    "synchronous": "false does not wait until it serves, or is gone; needs archive=true where something is replaced or deleted",
    "timeout_seconds": "seconds to wait; 1200 by default",
    "variant_name": "of the variant; made from the name by default",
    "vpc_config": "JSON: SecurityGroupIds, Subnets",
    "data_capture_config": "JSON: SageMaker's DataCaptureConfig",
    "async_inference_config": "JSON: SageMaker's AsyncInferenceConfig",
    "serverless_config": "JSON: MemorySizeInMB, MaxConcurrency; in place of instances",
    "env": "JSON: variables of the container; never secrets",
    "tags": "JSON: tags of what is made",
}


@dataclass(frozen=True, slots=True)
class Requests:
    """What is sent for one deployment.

    Parameters
    ----------
    upload : dict
        Bucket and key of the archive.
    model, config, endpoint : dict
        Parameters of CreateModel, CreateEndpointConfig, and CreateEndpoint or UpdateEndpoint.
    """

    upload: dict[str, Any]
    model: dict[str, Any]
    config: dict[str, Any]
    endpoint: dict[str, Any]


def make_requests(name: str, source: Source, region: str, config: Config, *, update: bool) -> Requests:
    """Work the requests out.

    Raises
    ------
    UsageError
        If a value is missing or wrong.
    """
    checked_endpoint(name)
    role = str(config.get("execution_role_arn") or "")
    if not _ROLE.match(role):
        raise UsageError(
            f"config: execution_role_arn: a role such as arn:aws:iam::123456789012:role/SageMakerRole is expected, found {role!r}. "
            "SageMaker takes it on to fetch the image and the archive."
        )
    mark = f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
    bucket = str(config.get("bucket") or f"runfolio-sagemaker-{region}-{ACCOUNT}")
    key = f"{name}/{source.digest.removeprefix('sha256:')}/model.tar.gz"
    told = tags_of(name, source, config)
    tags = [{"Key": str(key), "Value": str(value)} for key, value in sorted(told.items())]
    model_name = f"{name[: 63 - len(mark) - 1].rstrip('-')}-{mark}"
    model: dict[str, Any] = {
        "ModelName": model_name,
        "PrimaryContainer": {
            "Image": image_of(source, region, config),
            "ModelDataUrl": f"s3://{bucket}/{key}",
            "Environment": {"RUNFOLIO_MODEL_DIGEST": source.digest, **_texts(_json(config, "env"), "env")},
        },
        "ExecutionRoleArn": role,
        "Tags": tags,
    }
    if config.get("vpc_config"):
        model["VpcConfig"] = _json(config, "vpc_config")
    endpoint_config: dict[str, Any] = {
        "EndpointConfigName": model_name,
        "ProductionVariants": [_variant(name, model_name, config)],
        "Tags": tags,
    }
    for key_, field in (("data_capture_config", "DataCaptureConfig"), ("async_inference_config", "AsyncInferenceConfig")):
        if config.get(key_):
            endpoint_config[field] = _json(config, key_)
    endpoint: dict[str, Any] = {"EndpointName": name, "EndpointConfigName": model_name}
    if not update:
        # It outlives the version: UpdateEndpoint takes no tags. Which one it serves, its configuration's tags say.
        endpoint["Tags"] = [item for item in tags if item["Key"] not in OF_A_VERSION]
    return Requests({"Bucket": bucket, "Key": key}, model, endpoint_config, endpoint)


def checked_endpoint(name: str) -> str:
    """Return `name` if SageMaker takes it.

    Raises
    ------
    UsageError
        If it does not.
    """
    if not _ENDPOINT.match(name):
        raise UsageError(
            f"--name: SageMaker takes letters, digits and '-', a letter or digit first and last, 63 at most; found {name!r}."
        )
    return name


def image_of(source: Source, region: str, config: Config) -> str:
    """Return the image: what the config or the environment says, else the one of the version's own name in the account's registry."""
    said = str(config.get("image_url") or os.environ.get(IMAGE_VARIABLE) or "")
    tag = str(source.version or source.digest[7:19])
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return said or f"{ACCOUNT}.dkr.ecr.{region}.{domain}/{source.slug or slug_of(source.name)}:{tag}"


OF_A_VERSION = ("runfolio:version", "runfolio:run", "runfolio:digest")
"""Tags that an endpoint itself does not have."""


def tags_of(name: str, source: Source, config: Config) -> dict[str, str]:
    """Return the tags of what is made: where it comes from, and the caller's own."""
    ours = {
        "runfolio:app": name,
        "runfolio:model": source.name,
        "runfolio:version": str(source.version or ""),
        "runfolio:run": source.run_id or "",
        "runfolio:digest": source.digest,
    }
    return {**{key: value for key, value in ours.items() if value}, **_texts(_json(config, "tags"), "tags")}


def filled(value: Any, account: str) -> Any:
    """Return a request with the account's number filled in."""
    if isinstance(value, str):
        return value.replace(ACCOUNT, account)
    if isinstance(value, Mapping):
        return {key: filled(item, account) for key, item in value.items()}
    return [filled(item, account) for item in value] if isinstance(value, (list, tuple)) else value


def waits(config: Config) -> bool:
    """Tell whether to wait for the end; refuse what could not be tidied up without it."""
    return truth(config.get("synchronous", True), "synchronous")


def _variant(name: str, model_name: str, config: Config) -> dict[str, Any]:
    made: dict[str, Any] = {
        "VariantName": str(config.get("variant_name") or model_name),
        "ModelName": model_name,
        "InitialVariantWeight": 1,
    }
    if config.get("serverless_config"):
        made["ServerlessConfig"] = _json(config, "serverless_config")
        return made
    made["InstanceType"] = str(config.get("instance_type") or INSTANCE)
    made["InitialInstanceCount"] = whole(config.get("instance_count", 1), "instance_count", 1)
    if not made["InstanceType"].startswith("ml."):
        raise UsageError(
            f"config: instance_type: SageMaker's start with 'ml.', such as ml.m5.large; found {made['InstanceType']!r}."
        )
    return made


def _json(config: Config, key: str) -> Any:
    value = config.get(key)
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError as error:
            raise UsageError(f"config: {key}: JSON is expected: {error}.") from None
    if value and not isinstance(value, Mapping):
        raise UsageError(f"config: {key}: an object is expected, found {value!r}.")
    return dict(value or {})


def _texts(value: Mapping[str, Any], key: str) -> dict[str, str]:
    wrong = next(
        (name for name, text in value.items() if not isinstance(text, (str, int, float)) or isinstance(text, bool)), None
    )
    if wrong is not None:
        raise UsageError(f"config: {key}: {wrong}: text is expected, found {value[wrong]!r}.")
    return {str(name): str(text) for name, text in value.items()}
