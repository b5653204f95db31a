"""SageMaker end to end against moto's server: upload, model, configuration, endpoint, invoke, update, delete; and what goes wrong."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("moto", reason="NOT TESTED: moto is not installed (pip install 'moto[server]')")
pytest.importorskip("flask", reason="NOT TESTED: moto's server is not installed (pip install 'moto[server]')")

import runfolio.sagemaker
from runfolio.cli.main import main
from runfolio.deployments import get_deploy_client
from runfolio.errors import AlreadyExistsError, NotFoundError, RemoteError, StateError, UsageError
from runfolio.folio import open_folio
from runfolio.records.deployments import Deployment
from tests.deployments.aws import ACCOUNT, REGION, Server, running

# boto3 and moto warn of what is coming to Python; neither is ours.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:moto"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:werkzeug"),
]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerRole"
GUIDE = {"execution_role_arn": ROLE, "instance_type": "ml.m5.large", "region_name": REGION}


@pytest.fixture(scope="module")
def moto() -> Iterator[Server]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with running() as server:
        yield server


@pytest.fixture
def aws(moto: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    """An empty account with the images ``wine:1`` and ``wine:2`` in ECR; boto3 finds it as it finds AWS."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    urllib.request.urlopen(urllib.request.Request(f"{moto.url}/moto-api/reset", b""), timeout=30).close()
    ecr = moto.client("ecr")
    ecr.create_repository(repositoryName="wine")
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    for tag in ("1", "2"):
        manifest = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {"mediaType": kind, "size": 7, "digest": f"sha256:{tag * 64}"},
        }
        ecr.put_image(repositoryName="wine", imageManifest=json.dumps(manifest), imageManifestMediaType=kind, imageTag=tag)
    moto.calls.clear()
    moto.slow, moto.fails = 0, ""
    return moto


def records(folder: Path) -> list[Deployment]:
    folio = open_folio(folder)
    try:
        return [item for _, item in folio.deployments.all()]
    finally:
        folio.close()


def made(aws: Server) -> tuple[list[str], list[str], list[str]]:
    """What is there: models, configurations, endpoints."""
    client = aws.client("sagemaker")
    return (
        [item["ModelName"] for item in client.list_models()["Models"]],
        [item["EndpointConfigName"] for item in client.list_endpoint_configs()["EndpointConfigs"]],
        [item["EndpointName"] for item in client.list_endpoints()["Endpoints"]],
    )


def test_the_guides_deploy_makes_model_configuration_and_endpoint(wine: Path, aws: Server) -> None:
    said = runfolio.sagemaker.deploy(
        app_name="wine-classifier-prod",
        model_uri="models:/wine/Production",
        execution_role_arn=ROLE,
        instance_type="ml.m5.large",
        region_name="us-east-1",
    )
    (model,), (config,), endpoints = made(aws)
    assert endpoints == ["wine-classifier-prod"]
    client = aws.client("sagemaker")
    container = client.describe_model(ModelName=model)["PrimaryContainer"]
    (record,) = records(wine)
    assert container["Image"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/wine:2"
    assert container["Environment"] == {"RUNFOLIO_MODEL_DIGEST": record.digest}
    variant = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
    assert (variant["InstanceType"], variant["InitialInstanceCount"], variant["ModelName"]) == ("ml.m5.large", 1, model)
    assert (record.target, record.place, record.name, record.version) == ("sagemaker", REGION, "wine-classifier-prod", 2)
    assert record.image.startswith(f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/wine@sha256:")
    assert (record.state.value, record.facts["instance"], said["name"]) == ("live", "ml.m5.large", "wine-classifier-prod")

    def tags(arn: str) -> dict[str, str]:
        return {item["Key"]: item["Value"] for item in client.list_tags(ResourceArn=arn)["Tags"]}

    # An endpoint outlives the version that it is made with.
    assert tags(said["endpoint_arn"]) == {"runfolio:app": "wine-classifier-prod", "runfolio:model": "wine"}
    told = tags(client.describe_endpoint_config(EndpointConfigName=config)["EndpointConfigArn"])
    assert (told["runfolio:model"], told["runfolio:version"]) == ("wine", "2")


def test_the_archive_holds_the_verified_files_and_is_sent_once(wine: Path, aws: Server) -> None:
    client = get_deploy_client(f"sagemaker:/{REGION}")
    client.create_deployment("one", "models:/wine/2", config=GUIDE)
    client.create_deployment("two", "models:/wine/1", config=GUIDE)
    aws.calls.clear()
    client.delete_deployment("one")
    client.create_deployment("one", "models:/wine/2", config=GUIDE)
    assert [call for call in aws.calls if call.startswith("PUT ")] == []
    s3 = aws.client("s3")
    (bucket,) = [item["Name"] for item in s3.list_buckets()["Buckets"]]
    assert bucket == f"runfolio-sagemaker-{REGION}-{ACCOUNT}"
    digest = next(item.digest for item in records(wine) if item.name == "one")
    body = s3.get_object(Bucket=bucket, Key=f"one/{str(digest)[7:]}/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        names = archive.getnames()
        manifest = archive.extractfile("runfolio-manifest.json")
        assert manifest and f"sha256:{hashlib.sha256(manifest.read()).hexdigest()}" == digest
    assert names == ["MLmodel", "python_env.yaml", "requirements.txt", "weights.txt", "runfolio-manifest.json"]


def test_an_endpoint_predicts(wine: Path, aws: Server, capsys: pytest.CaptureFixture[str]) -> None:
    client = get_deploy_client(f"sagemaker:/{REGION}")
    client.create_deployment("wine", "models:/wine/2", config=GUIDE)
    results = {
        "account_id": ACCOUNT,
        "region": REGION,
        "results": [{"Body": '{"predictions": [0, 1]}', "ContentType": "application/json"}],
    }
    request = urllib.request.Request(f"{aws.url}/moto-api/static/sagemaker/endpoint-results", json.dumps(results).encode())
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request, timeout=30).close()
    assert client.predict("wine", [[14.2, 1.7]]) == {"predictions": [0, 1]}
    with pytest.raises(NotFoundError):
        client.get_deployment("port")
    assert client.get_deployment("wine")["status"] == "InService"
    assert [item["name"] for item in client.list_deployments()] == ["wine"]
    assert main(["deployments", "get", "-t", f"sagemaker:/{REGION}", "--name", "wine"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "InService"


def test_replace_updates_and_takes_away_what_was_replaced(wine: Path, aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runfolio.deployments.sagemaker._PAUSE_S", 0.01)
    runfolio.sagemaker.deploy("wine", "models:/wine/1", mode="replace", **GUIDE)  # makes what is not there
    before = made(aws)
    aws.slow = 2
    runfolio.sagemaker.deploy("wine", "models:/wine/2", mode="replace", **GUIDE)
    after = made(aws)
    assert (len(after[0]), len(after[1]), after[2]) == (1, 1, ["wine"])
    assert before[0] != after[0]
    assert aws.calls.count("SageMaker.UpdateEndpoint") == 1
    (record,) = records(wine)
    assert record.version == 2


def test_archive_keeps_and_add_puts_beside_without_traffic(wine: Path, aws: Server) -> None:
    runfolio.sagemaker.deploy("wine", "models:/wine/1", **GUIDE)
    runfolio.sagemaker.deploy("wine", "models:/wine/2", mode="add", archive=True, variant_name="second", **GUIDE)
    models, configs, _ = made(aws)
    assert (len(models), len(configs)) == (2, 2)
    newest = aws.client("sagemaker").describe_endpoint(EndpointName="wine")["EndpointConfigName"]
    variants = aws.client("sagemaker").describe_endpoint_config(EndpointConfigName=newest)["ProductionVariants"]
    assert [item["InitialVariantWeight"] for item in variants] == [1, 0]
    assert variants[1]["VariantName"] == "second"
    runfolio.sagemaker.delete("wine", region_name=REGION, archive=True)
    assert (len(made(aws)[0]), made(aws)[2]) == (2, [])
    assert [item.state.value for item in records(wine)] == ["deleted"]


def test_delete_takes_all_away_and_a_second_time_nothing(wine: Path, aws: Server) -> None:
    runfolio.sagemaker.deploy("wine", "models:/wine/1", **GUIDE)
    runfolio.sagemaker.delete("wine", region_name=REGION)
    assert made(aws) == ([], [], [])
    runfolio.sagemaker.delete("wine", region_name=REGION)


def test_an_update_that_fails_says_why_and_is_not_recorded(wine: Path, aws: Server) -> None:
    runfolio.sagemaker.deploy("wine", "models:/wine/1", **GUIDE)
    aws.fails = "The container did not pass the ping health check"
    with pytest.raises(StateError, match=r"ping health check.*CloudWatch"):
        runfolio.sagemaker.deploy("wine", "models:/wine/2", mode="replace", **GUIDE)
    assert [item.version for item in records(wine)] == [1]


def test_without_waiting_it_is_on_its_way_and_too_long_a_wait_says_so(
    wine: Path, aws: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    runfolio.sagemaker.deploy("wine", "models:/wine/1", synchronous=False, **GUIDE)
    assert [item.state.value for item in records(wine)] == ["requested"]
    with pytest.raises(UsageError, match="archive=true"):
        runfolio.sagemaker.deploy("wine", "models:/wine/2", mode="replace", synchronous=False, **GUIDE)
    monkeypatch.setattr("runfolio.deployments.sagemaker._PAUSE_S", 0.01)
    aws.slow = 10_000
    with pytest.raises(StateError, match="still Updating, and the time is up"):
        runfolio.sagemaker.deploy("wine", "models:/wine/2", mode="replace", timeout_seconds=1, **GUIDE)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"region_name": REGION}, "execution_role_arn: a role such as"),
        ({**GUIDE, "execution_role_arn": "SageMakerRole"}, "execution_role_arn: a role such as"),
        ({**GUIDE, "instance_type": "m5.large"}, "start with 'ml.'"),
        ({**GUIDE, "instance_count": "none"}, "instance_count: a whole number from 1"),
        ({**GUIDE, "vpc_config": "{"}, "vpc_config: JSON is expected"),
        ({**GUIDE, "env": {"A": [1]}}, "env: A: text is expected"),
        ({**GUIDE, "buckt": "b"}, "did you mean 'bucket'?"),
    ],
)
def test_a_wrong_setting_is_named_and_aws_is_not_asked(wine: Path, aws: Server, config: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        get_deploy_client("sagemaker").create_deployment("wine", "models:/wine/2", config=config)
    assert said in caught.value.message
    assert aws.calls == []


def test_what_is_missing_or_taken_is_said_with_what_to_do_and_nothing_stays(
    wine: Path, aws: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = get_deploy_client("sagemaker")
    with pytest.raises(UsageError, match="Which region"):
        client.create_deployment("wine", "models:/wine/2", config={"execution_role_arn": ROLE})
    with pytest.raises(UsageError, match="SageMaker takes letters"):
        client.create_deployment("wine_1", "models:/wine/2", config=GUIDE)
    with pytest.raises(NotFoundError, match=r"no bucket 'mine'"):
        client.create_deployment("wine", "models:/wine/2", config={**GUIDE, "bucket": "mine"})
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/port:7"
    with pytest.raises(NotFoundError, match=r"build-docker -m models:/wine/2 -n port:7.*docker push"):
        client.create_deployment("wine", "models:/wine/2", config={**GUIDE, "image_url": image})
    with pytest.raises(NotFoundError, match="create"):
        client.update_deployment("wine", "models:/wine/2", config=GUIDE)
    client.create_deployment("wine", "models:/wine/2", config=GUIDE)
    with pytest.raises(AlreadyExistsError, match="update"):
        client.create_deployment("wine", "models:/wine/1", config=GUIDE)
    assert len(made(aws)[0]) == 1
    # A fault in the last call: what the calls before it made is taken away again.
    with pytest.raises(StateError):
        client.create_deployment("port", "models:/wine/2", config={**GUIDE, "instance_type": "ml.nonsense"})
    assert made(aws)[2] == ["wine"]
    assert len(made(aws)[0]) == 1
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(StateError, match="no credentials here"):
        client.create_deployment("port", "models:/wine/2", config=GUIDE)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(RemoteError, match="could not be reached"):
        client.create_deployment("port", "models:/wine/2", config=GUIDE)


def test_a_dry_run_tells_what_would_be_deleted(wine: Path, aws: Server, capsys: pytest.CaptureFixture[str]) -> None:
    client = get_deploy_client(f"sagemaker:/{REGION}")
    client.create_deployment("wine", "models:/wine/1", config=GUIDE)
    aws.calls.clear()
    target = ["-t", f"sagemaker:/{REGION}", "--name", "wine"]
    role = ["-C", f"execution_role_arn={ROLE}", "-C", "bucket=mine"]

    def told(*words: str) -> str:
        assert main(["deployments", *words, "--dry-run"]) == 0
        return capsys.readouterr().out

    replaced = told("update", *target, "-m", "models:/wine/2", *role)
    assert replaced.index("UpdateEndpoint") < replaced.index("DeleteEndpointConfig") < replaced.index("DeleteModel")
    assert "CreateBucket" not in replaced
    for kept in ("archive=true", "mode=add"):
        assert "Delete" not in told("update", *target, "-m", "models:/wine/2", *role, "-C", kept)
    gone = told("delete", *target)
    assert all(word in gone for word in ("DeleteEndpoint\n", "DeleteEndpointConfig", "DeleteModel", "git commit"))
    assert "git commit" not in told("delete", *target, "-C", "record=false")
    assert "DeleteModel" not in told("delete", *target, "-C", "archive=true")
    assert aws.calls == []
    with pytest.raises(AlreadyExistsError, match=f"update -t sagemaker:/{REGION}"):
        client.create_deployment("wine", "models:/wine/1", config=GUIDE)


def test_a_dry_run_prints_every_request_and_asks_aws_nothing(wine: Path, aws: Server, capsys: pytest.CaptureFixture[str]) -> None:
    settings = [word for key, value in GUIDE.items() for word in ("-C", f"{key}={value}")]
    command = ["deployments", "create", "-t", "sagemaker", "--name", "wine", "-m", "models:/wine/2", *settings, "--dry-run"]
    assert main(command) == 0
    said = capsys.readouterr().out
    for word in (
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
        "s3 PutObject",
        "{account}.dkr.ecr.us-east-1",
        "model.tar.gz",
        "ml.m5.large",
    ):
        assert word in said
    assert "CreateBucket" in said
    assert said.endswith("# git commit: deployments: create wine\nfile: models/wine/deployments/sagemaker-us-east-1-wine.json\n")
    assert aws.calls == []
    assert records(wine) == []
