"""The target ``sagemaker``: an endpoint of Amazon SageMaker, with the image of the model.

``sagemaker:/REGION`` says where; names and defaults of the config are MLflow's. The archive in the bucket is named by the model's
digest, so that a version is sent once; the container verifies it by that digest before it serves. What was made for a deployment that
then fails is taken away again.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from runfolio.deployments.archive import write_archive
from runfolio.deployments.aws import Aws, region_at_hand
from runfolio.deployments.calling import payload_of
from runfolio.deployments.client import Config, Outcome, Target, truth, whole
from runfolio.deployments.plan import Plan, Step, already_there, not_there
from runfolio.deployments.sagemaker_requests import ACCOUNT, KEYS, MODES, checked_endpoint, filled, make_requests, waits
from runfolio.deployments.source import Source
from runfolio.errors import NotFoundError, RunfolioError, StateError, UsageError
from runfolio.records.deployments import DeploymentState

UPLOAD, MODEL, CONFIG = "s3 PutObject (if it is not there)", "sagemaker CreateModel", "sagemaker CreateEndpointConfig"
CREATE, UPDATE, DELETE = "sagemaker CreateEndpoint", "sagemaker UpdateEndpoint", "sagemaker DeleteEndpoint"
BUCKET = "s3 CreateBucket (if it is not there)"
_PAUSE_S = 10.0
_TIDYING = (
    Step("sagemaker DeleteEndpointConfig", {"EndpointConfigName": "{what the endpoint had}"}),
    Step("sagemaker DeleteModel", {"ModelName": "{those of that configuration}"}),
)
"""What the target alone knows the names of, and a plan asks it nothing."""


class SageMakerDeploymentClient(Target):
    """Endpoints of an account, in a region."""

    name: ClassVar[str] = "sagemaker"
    keys: ClassVar[Mapping[str, str]] = KEYS

    @property
    def place(self) -> str:
        """The region."""
        return self._region({})

    def _region(self, config: Config) -> str:
        found = (
            str(config.get("region_name") or "") or self.target_uri.partition(":")[2].strip("/").split("/")[0] or region_at_hand()
        )
        if not found:
            raise UsageError("Which region? Name it: -t sagemaker:/eu-west-1, -C region_name=eu-west-1, or AWS_REGION.")
        return found

    def _aws(self, plan: Plan) -> Aws:
        return Aws(plan.place, str((plan.config or {}).get("assume_role_arn") or ""))

    def plan(self, verb: str, name: str, source: Source | None, config: Config) -> Plan:
        """Work out the requests."""
        plan = Plan(self.name, self._region(config), verb, checked_endpoint(name), source, config)
        if not waits(config) and verb != "create" and not truth(config.get("archive", False), "archive"):
            raise UsageError(
                "config: synchronous=false needs archive=true: what is replaced can be deleted only once it is not used any more."
            )
        if verb == "delete":
            return replace(plan, steps=(Step(DELETE, {"EndpointName": name}), *(_TIDYING if _tidies(config) else ())))
        if source is None:
            raise UsageError("sagemaker: update takes the model, too: -m models:/NAME/VERSION")
        if str(config.get("mode") or "replace") not in MODES[1:]:
            raise UsageError(f"config: mode: add or replace is expected, found {config['mode']!r}.")
        made = make_requests(name, source, plan.place, config, update=verb == "update")
        body = {**made.upload, "Body": f"model.tar.gz: {len(source.files)} files of {source.title}"}
        last = Step(UPDATE if verb == "update" else CREATE, made.endpoint)
        bucket = () if config.get("bucket") else (Step(BUCKET, {"Bucket": body["Bucket"]}),)
        after = _TIDYING if verb == "update" and _tidies(config) and config.get("mode") != "add" else ()
        return replace(
            plan, steps=(*bucket, Step(UPLOAD, body), Step(MODEL, made.model), Step(CONFIG, made.config), last, *after)
        )

    def carry_out(self, plan: Plan) -> Outcome:
        """Send the requests, wait, and tidy up."""
        aws, config = self._aws(plan), plan.config or {}
        there = self._described(aws, plan.name)
        if plan.verb == "delete":
            if there is not None:
                self._delete(aws, plan, there)
            return Outcome()
        if plan.verb == "create" and there is not None:
            raise already_there(plan)
        if plan.verb == "update" and there is None:
            raise not_there(plan)
        plan = replace(plan, steps=tuple(replace(step, content=self._filled(aws, step.content)) for step in plan.steps))
        image = self._image(aws, plan)
        self._upload(aws, plan)
        made = self._made(aws, plan, there)
        if waits(config):
            self._wait(aws, plan, made)
        if there is not None and _tidies(config) and config.get("mode") != "add":
            self._tidy(aws, there, keep=made)
        variant = plan.contents(CONFIG)[0]["ProductionVariants"][-1]
        state = DeploymentState.LIVE if waits(config) else DeploymentState.REQUESTED
        facts = {
            "instance": str(variant.get("InstanceType", "serverless")),
            "count": str(variant.get("InitialInstanceCount", "")),
        }
        arn = str(self._status(aws, plan.name).get("EndpointArn", ""))
        return Outcome(
            state, plan.name, image, facts, {"endpoint_arn": arn, "region": plan.place, "image": image, "model_name": made[0]}
        )

    def _filled(self, aws: Aws, content: Any) -> Any:
        return filled(content, aws.account) if ACCOUNT in json.dumps(content) else content

    def _image(self, aws: Aws, plan: Plan) -> str:
        """Return the image with its digest, where it is one of ECR's; say so where it is not there."""
        said = str(plan.contents(MODEL)[0]["PrimaryContainer"]["Image"])
        host, _, path = said.partition("/")
        if (
            ".dkr.ecr." not in host
            or "@sha256:" in said
            or not truth((plan.config or {}).get("check_image", True), "check_image")
        ):
            return said
        name, _, tag = path.partition(":")
        asked = {"registryId": host.split(".")[0], "repositoryName": name, "imageIds": [{"imageTag": tag or "latest"}]}
        try:
            found = aws.call("ecr", "describe_images", f"look for the image {said}", asked)["imageDetails"]
        except NotFoundError as error:
            raise NotFoundError(
                f"{error.message}. Build it (runfolio models build-docker -m {plan.source.uri if plan.source else 'URI'} -n {path}), "
                f"push it (docker tag {path} {said}; docker push {said}), or name another: -C image_url=…"
            ) from None
        digest = found[0].get("imageDigest", "") if found else ""
        return f"{host}/{name}@{digest}" if digest else said

    def _upload(self, aws: Aws, plan: Plan) -> None:
        place = plan.contents(UPLOAD)[0]
        at = {"Bucket": place["Bucket"], "Key": place["Key"]}
        self._bucket(aws, plan, at["Bucket"])
        with suppress(NotFoundError):
            aws.call("s3", "head_object", f"look for s3://{at['Bucket']}/{at['Key']}", at)
            return  # its name is the digest of what it holds
        assert plan.source is not None
        with tempfile.TemporaryDirectory(prefix="runfolio-") as scratch:
            archive = Path(scratch) / "model.tar.gz"
            write_archive(plan.source, archive)
            given = {**at, "Filename": str(archive)}
            aws.call("s3", "upload_file", f"send the model to s3://{at['Bucket']}/{at['Key']}", given)

    def _bucket(self, aws: Aws, plan: Plan, bucket: str) -> None:
        try:
            aws.call("s3", "head_bucket", f"look for the bucket {bucket}", {"Bucket": bucket})
        except NotFoundError:
            if (plan.config or {}).get("bucket"):
                raise NotFoundError(
                    f"There is no bucket {bucket!r} that you can see. Make it, or leave out -C bucket=…: then one of your account's "
                    "is made."
                ) from None
            where = {} if plan.place == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": plan.place}}
            aws.call("s3", "create_bucket", f"make the bucket {bucket}", {"Bucket": bucket, **where})

    def _made(self, aws: Aws, plan: Plan, there: Mapping[str, Any] | None) -> tuple[str, str]:
        """Make model, configuration and endpoint; return the names of the first two."""
        model, config = plan.contents(MODEL)[0], dict(plan.contents(CONFIG)[0])
        if there is not None and (plan.config or {}).get("mode") == "add":
            asked = {"EndpointConfigName": there["EndpointConfigName"]}
            before = aws.call("sagemaker", "describe_endpoint_config", f"read what {plan.name} has", asked)["ProductionVariants"]
            # The new one gets no traffic until somebody gives it weight: MLflow's rule.
            config["ProductionVariants"] = [
                *before,
                *({**item, "InitialVariantWeight": 0} for item in config["ProductionVariants"]),
            ]
        names = (model["ModelName"], config["EndpointConfigName"])
        try:
            aws.call("sagemaker", "create_model", f"make the model {names[0]}", model)
            aws.call("sagemaker", "create_endpoint_config", f"make the configuration {names[1]}", config)
            if plan.verb == "update":
                aws.call("sagemaker", "update_endpoint", f"change the endpoint {plan.name}", plan.contents(UPDATE)[0])
            else:
                aws.call("sagemaker", "create_endpoint", f"make the endpoint {plan.name}", plan.contents(CREATE)[0])
        except RunfolioError:
            self._unmake(aws, names)
            raise
        return names

    def _unmake(self, aws: Aws, names: tuple[str, str]) -> None:
        with suppress(RunfolioError):
            aws.call("sagemaker", "delete_endpoint_config", "tidy up", {"EndpointConfigName": names[1]})
        with suppress(RunfolioError):
            aws.call("sagemaker", "delete_model", "tidy up", {"ModelName": names[0]})

    def _tidy(self, aws: Aws, there: Mapping[str, Any], keep: tuple[str, str] = ("", "")) -> None:
        """Delete the configuration that an endpoint had, with its models."""
        asked = {"EndpointConfigName": there["EndpointConfigName"]}
        with suppress(NotFoundError):
            variants = aws.call("sagemaker", "describe_endpoint_config", f"read {asked['EndpointConfigName']}", asked)[
                "ProductionVariants"
            ]
            aws.call("sagemaker", "delete_endpoint_config", f"delete {asked['EndpointConfigName']}", asked)
            for name in {item["ModelName"] for item in variants} - {keep[0]}:
                with suppress(NotFoundError):
                    aws.call("sagemaker", "delete_model", f"delete the model {name}", {"ModelName": name})

    def _delete(self, aws: Aws, plan: Plan, there: Mapping[str, Any]) -> None:
        config = plan.config or {}
        aws.call("sagemaker", "delete_endpoint", f"delete the endpoint {plan.name}", plan.contents(DELETE)[0])
        deadline = self._deadline(config)
        while waits(config) and (left := self._described(aws, plan.name)) is not None:
            self._pause(plan.name, left, deadline)
        if _tidies(config):
            self._tidy(aws, there)

    def _wait(self, aws: Aws, plan: Plan, made: tuple[str, str]) -> None:
        deadline = self._deadline(plan.config or {})
        while True:
            told = self._status(aws, plan.name)
            status = told["EndpointStatus"]
            if status == "InService" and told.get("EndpointConfigName") in (made[1], None):
                return
            if status in ("Failed", "OutOfService", "UpdateRollbackFailed") or (status == "InService" and plan.verb == "update"):
                why = told.get("FailureReason") or status
                raise StateError(
                    f"The endpoint {plan.name} did not come up: {why}. Its log is in CloudWatch: /aws/sagemaker/Endpoints/{plan.name}"
                )
            self._pause(plan.name, told, deadline)

    def _deadline(self, config: Config) -> float:
        return time.monotonic() + whole(config.get("timeout_seconds", 1200), "timeout_seconds", 1)

    def _pause(self, name: str, told: Mapping[str, Any], deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise StateError(
                f"The endpoint {name} is still {told['EndpointStatus']}, and the time is up. It goes on: runfolio deployments get"
            )
        time.sleep(min(_PAUSE_S, left))

    def _status(self, aws: Aws, name: str) -> dict[str, Any]:
        made: dict[str, Any] = aws.call("sagemaker", "describe_endpoint", f"ask for the endpoint {name}", {"EndpointName": name})
        return made

    def _described(self, aws: Aws, name: str) -> dict[str, Any] | None:
        try:
            return self._status(aws, name)
        except NotFoundError:
            return None

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """List the endpoints of the region; also those that something else made, as MLflow does."""
        aws, found = Aws(self.place), []
        more: dict[str, str] = {}
        while True:
            answer = aws.call("sagemaker", "list_endpoints", "list the endpoints", more)
            found += [_shown(item) for item in answer["Endpoints"]]
            if not answer.get("NextToken"):
                return found
            more = {"NextToken": answer["NextToken"]}

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, Any]:
        """Return what SageMaker says of an endpoint."""
        return _shown(self._status(Aws(self.place), checked_endpoint(name)))

    def predict(self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None) -> Any:
        """Ask an endpoint."""
        name = checked_endpoint(deployment_name or endpoint or "")
        asked = {
            "EndpointName": name,
            "Body": payload_of(inputs),
            "ContentType": "application/json",
            "Accept": "application/json",
        }
        body = Aws(self.place).call("sagemaker-runtime", "invoke_endpoint", f"ask the endpoint {name}", asked)["Body"].read()
        try:
            return json.loads(body)
        except ValueError:
            return body.decode("utf-8", "replace")


def _tidies(config: Config) -> bool:
    """Return whether what an endpoint had before is deleted."""
    return waits(config) and not truth(config.get("archive", False), "archive")


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    known = {"name": "EndpointName", "status": "EndpointStatus", "endpoint_arn": "EndpointArn", "config": "EndpointConfigName"}
    made = {key: item[field] for key, field in known.items() if item.get(field)}
    made.update({key: item[field] for key, field in (("failure", "FailureReason"),) if item.get(field)})
    for key, field in (("created", "CreationTime"), ("changed", "LastModifiedTime")):
        if item.get(field):
            made[key] = str(item[field])
    return made


def run_local(name: str, model_uri: str, flavor: str | None = None, config: Config | None = None) -> dict[str, Any]:
    """Serve a model on this machine, as the endpoint would."""
    from runfolio.deployments.local import run_local as run

    return run(name, model_uri, flavor, config)


def target_help() -> str:
    """Say what the target is and takes."""
    from runfolio.deployments.helping import help_text

    about = "An endpoint of Amazon SageMaker."
    return help_text(SageMakerDeploymentClient, "sagemaker:/REGION", about, "Credentials are boto3's own business.")
