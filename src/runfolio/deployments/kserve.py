"""The target ``kserve``: an ``InferenceService`` (serving.kserve.io/v1beta1) with our image as its predictor, applied by ``kubectl``.

What is made fits the parts of KServe's published schema that are used (``tests/deployments/kserve.schema.json``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from runfolio.deployments import cluster
from runfolio.deployments.calling import ask
from runfolio.deployments.client import Config, Outcome, Target, truth, whole
from runfolio.deployments.manifests import CONTAINER_KEYS, annotations_of, checked_name, labels_of, pod
from runfolio.deployments.plan import Plan, Step, already_there, not_there
from runfolio.errors import StateError, UsageError
from runfolio.records.deployments import DeploymentState

if TYPE_CHECKING:
    from runfolio.deployments.source import Source

KIND = "inferenceservices.serving.kserve.io"
_APPLY, _DELETE, _WAIT = "kubectl apply", "kubectl delete", "kubectl wait"
_OURS = "app.kubernetes.io/managed-by=runfolio"


class KServeDeploymentClient(Target):
    """A namespace of a cluster with KServe."""

    name = "kserve"
    keys: ClassVar[Mapping[str, str]] = {
        **CONTAINER_KEYS,
        "min_replicas": "pods at least, 0 scales to none; 1 by default",
        "max_replicas": "pods at most; min_replicas by default",
        "concurrency": "requests that a pod is sent at a time; no bound by default",
        "mode": "RawDeployment or Serverless; the cluster's own by default",
        "canary_percent": "share of the traffic that the new version gets; all by default",
        "wait": "false does not wait until it is ready",
        "timeout": "seconds to wait; 600 by default",
    }

    @property
    def place(self) -> str:
        """The namespace."""
        return self.target_uri.partition(":")[2].strip("/") or "default"

    def plan(self, verb: str, name: str, source: Source | None, config: Config) -> Plan:
        """Write the InferenceService."""
        plan = Plan(self.name, checked_name(self.place), verb, checked_name(name), source, config)
        if verb == "delete":
            return replace(plan, steps=(Step(_DELETE, {"kind": KIND, "namespace": self.place, "name": name}),))
        if source is None:
            raise UsageError("kserve: update takes the model and the image, too: -m models:/NAME/VERSION -C image=NAME@sha256:…")
        steps = [Step(_APPLY, inference_service(name, self.place, source, config))]
        if truth(config.get("wait", True), "wait"):
            timeout = whole(config.get("timeout", 600), "timeout", 1)
            steps.append(Step(_WAIT, {"for": "condition=Ready", "name": name, "timeout": f"{timeout}s"}))
        return replace(plan, steps=tuple(steps))

    def carry_out(self, plan: Plan) -> Outcome:
        """Apply or delete it, and wait."""
        if plan.verb == "delete":
            cluster.kubectl("delete", KIND, plan.name, "-n", self.place, "--ignore-not-found")
            return Outcome()
        there = any(item["metadata"]["name"] == plan.name for item in cluster.read(KIND, "-n", self.place)["items"])
        if plan.verb == "create" and there:
            raise already_there(plan)
        if plan.verb == "update" and not there:
            raise not_there(plan)
        (service,) = plan.contents(_APPLY)
        cluster.apply([service])
        for wait in plan.contents(_WAIT):
            cluster.kubectl(
                "wait", f"{KIND}/{plan.name}", "-n", self.place, f"--for={wait['for']}", f"--timeout={wait['timeout']}"
            )
        shown = _shown(cluster.read(KIND, plan.name, "-n", self.place))
        predictor = service["spec"]["predictor"]
        facts = {"min_replicas": str(predictor["minReplicas"]), "max_replicas": str(predictor["maxReplicas"])}
        state = DeploymentState.LIVE if plan.contents(_WAIT) else DeploymentState.REQUESTED
        return Outcome(state, shown["url"], shown["image"], facts, shown)

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """List what runfolio put into the namespace."""
        return [_shown(item) for item in cluster.read(KIND, "-n", self.place, "-l", _OURS)["items"]]

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, Any]:
        """Return address, image and whether it is ready."""
        return _shown(cluster.read(KIND, checked_name(name), "-n", self.place))

    def predict(self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None) -> Any:
        """Ask the service at the address that KServe gave it, or at the URL that is given as endpoint."""
        url = endpoint or self.get_deployment(deployment_name or "")["url"]
        if not url:
            raise StateError(
                f"{deployment_name}: KServe has given it no address yet. Look: runfolio deployments get -t {self.target_uri}"
            )
        return ask(url if url.endswith("/invocations") else f"{url}/invocations", inputs)


def inference_service(name: str, namespace: str, source: Source, config: Config) -> dict[str, Any]:
    """Return the InferenceService of a model."""
    least = whole(config.get("min_replicas", 1), "min_replicas")
    most = whole(config.get("max_replicas", max(least, 1)), "max_replicas", 1)
    if most < least:
        raise UsageError(f"config: max_replicas: {most} is less than min_replicas, {least}.")
    # The predictor is a pod specification with more: the container's name is what KServe knows a custom one by.
    predictor: dict[str, Any] = {"minReplicas": least, "maxReplicas": most, **pod("kserve-container", source, config)}
    if config.get("concurrency"):
        predictor["containerConcurrency"] = whole(config["concurrency"], "concurrency", 1)
    if config.get("canary_percent"):
        percent = whole(config["canary_percent"], "canary_percent")
        if percent > 100:
            raise UsageError(f"config: canary_percent: 0 to 100 is expected, found {percent}.")
        predictor["canaryTrafficPercent"] = percent
    notes = annotations_of(source)
    if config.get("mode"):
        if config["mode"] not in ("RawDeployment", "Serverless"):
            raise UsageError(f"config: mode: RawDeployment or Serverless is expected, found {config['mode']!r}.")
        notes["serving.kserve.io/deploymentMode"] = str(config["mode"])
    about = {"name": name, "namespace": namespace, "labels": labels_of(name, source), "annotations": notes}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": about,
        "spec": {"predictor": predictor},
    }


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    about, status = item["metadata"], item.get("status", {})
    notes = about.get("annotations", {})
    ready = next((found.get("status") for found in status.get("conditions", ()) if found.get("type") == "Ready"), "Unknown")
    return {
        "name": about["name"],
        "namespace": about.get("namespace", ""),
        "model": notes.get("runfolio/uri", ""),
        "digest": notes.get("runfolio/digest", ""),
        "image": item["spec"]["predictor"].get("containers", [{}])[0].get("image", ""),
        "url": status.get("url", ""),
        "status": "Ready" if ready == "True" else "Waiting",
    }


def target_help() -> str:
    """Say what the target is and takes."""
    from runfolio.deployments.helping import help_text

    return help_text(
        KServeDeploymentClient, "kserve:/NAMESPACE", "An InferenceService in the cluster of kubectl's current context."
    )
