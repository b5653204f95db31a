"""The target ``kubernetes``: Deployment, Service and NetworkPolicy, applied by ``kubectl``.

``kubernetes:/NAMESPACE`` says where; the cluster is the one of kubectl's current context.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from runfolio.deployments import cluster
from runfolio.deployments.calling import ask, payload_of
from runfolio.deployments.client import Config, Outcome, Target, truth, whole
from runfolio.deployments.manifests import CONTAINER_KEYS, checked_name, service_objects
from runfolio.deployments.plan import Plan, Step, already_there, not_there
from runfolio.errors import UsageError
from runfolio.records.deployments import DeploymentState

if TYPE_CHECKING:
    from runfolio.deployments.source import Source

_APPLY, _DELETE, _WAIT = "kubectl apply", "kubectl delete", "kubectl rollout status"
_KINDS = "deployment,service,networkpolicy,poddisruptionbudget"
_OURS = "app.kubernetes.io/managed-by=runfolio"


class KubernetesDeploymentClient(Target):
    """A namespace of a cluster."""

    name = "kubernetes"
    keys: ClassVar[Mapping[str, str]] = {
        **CONTAINER_KEYS,
        "replicas": "pods; 1 by default",
        "open": "true lets pods of every namespace call it; by default those of its own",
        "wait": "false does not wait until the pods are ready",
        "timeout": "seconds to wait; 600 by default",
    }

    @property
    def place(self) -> str:
        """The namespace."""
        return self.target_uri.partition(":")[2].strip("/") or "default"

    def plan(self, verb: str, name: str, source: Source | None, config: Config) -> Plan:
        """Write the manifests."""
        plan = Plan(self.name, checked_name(self.place), verb, checked_name(name), source, config)
        if verb == "delete":
            return replace(plan, steps=(Step(_DELETE, {"kinds": _KINDS, "namespace": self.place, "selector": _selector(name)}),))
        if source is None:
            raise UsageError(
                "kubernetes: update takes the model and the image, too: -m models:/NAME/VERSION -C image=NAME@sha256:…"
            )
        steps = [Step(_APPLY, item) for item in service_objects(name, self.place, source, config)]
        if truth(config.get("wait", True), "wait"):
            timeout = whole(config.get("timeout", 600), "timeout", 1)
            steps.append(Step(_WAIT, {"deployment": name, "namespace": self.place, "timeout": f"{timeout}s"}))
        return replace(plan, steps=tuple(steps))

    def carry_out(self, plan: Plan) -> Outcome:
        """Apply or delete them, and wait."""
        if plan.verb == "delete":
            cluster.kubectl("delete", _KINDS, "-n", self.place, "-l", _selector(plan.name), "--ignore-not-found")
            return Outcome()
        there = self._there(plan.name)
        if plan.verb == "create" and there:
            raise already_there(plan)
        if plan.verb == "update" and not there:
            raise not_there(plan)
        objects = plan.contents(_APPLY)
        cluster.apply(objects)
        for wait in plan.contents(_WAIT):
            cluster.kubectl("rollout", "status", f"deployment/{plan.name}", "-n", self.place, f"--timeout={wait['timeout']}")
        pod = objects[0]["spec"]["template"]["spec"]["containers"][0]
        url = f"http://{plan.name}.{self.place}/invocations"
        facts = {"replicas": str(objects[0]["spec"]["replicas"]), "memory": pod["resources"]["limits"]["memory"]}
        state = DeploymentState.LIVE if plan.contents(_WAIT) else DeploymentState.REQUESTED
        return Outcome(state, url, pod["image"], facts, {"url": url, "namespace": self.place, "image": pod["image"]})

    def _there(self, name: str) -> bool:
        listed = cluster.read("deployment", "-n", self.place, "-l", _selector(name))
        return bool(listed["items"])

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """List what runfolio put into the namespace."""
        return [_shown(item) for item in cluster.read("deployment", "-n", self.place, "-l", _OURS)["items"]]

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, Any]:
        """Return image, pods that are ready, and what the record says of the model."""
        return _shown(cluster.read("deployment", checked_name(name), "-n", self.place))

    def predict(self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None) -> Any:
        """Ask a pod, through ``kubectl exec``; or the URL that is given as endpoint."""
        if endpoint:
            return ask(endpoint, inputs)
        return cluster.ask_inside(f"deployment/{checked_name(deployment_name or '')}", self.place, payload_of(inputs))


def _selector(name: str) -> str:
    return f"app.kubernetes.io/name={name},{_OURS}"


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    about, status = item["metadata"], item.get("status", {})
    notes = about.get("annotations", {})
    wanted, ready = item["spec"].get("replicas", 1), status.get("readyReplicas", 0)
    return {
        "name": about["name"],
        "namespace": about.get("namespace", ""),
        "model": notes.get("runfolio/uri", ""),
        "digest": notes.get("runfolio/digest", ""),
        "image": item["spec"]["template"]["spec"]["containers"][0]["image"],
        "ready": f"{ready}/{wanted}",
        "status": "Ready" if ready >= wanted else "Waiting",
    }


def target_help() -> str:
    """Say what the target is and takes."""
    from runfolio.deployments.helping import help_text

    about = "Deployment, Service and NetworkPolicy in the cluster of kubectl's current context."
    return help_text(KubernetesDeploymentClient, "kubernetes:/NAMESPACE", about)
