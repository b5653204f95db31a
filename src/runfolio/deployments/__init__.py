"""Models put where they are called: MLflow's ``mlflow.deployments``.

A *target* is a place that takes models: SageMaker, Azure ML, a Kubernetes cluster, KServe, or a process on this machine. Each is a
:class:`BaseDeploymentClient` in a module of its own, found by name when it is asked for; another package adds one with an entry point of
the group ``runfolio.deployments`` (MLflow's own group is looked at, too). What is put somewhere is known by the digest of its files, and
leaves a record beside its model, committed like any other.

>>> from runfolio.deployments import get_deploy_client
>>> client = get_deploy_client("kubernetes:/default")
>>> client.create_deployment("wine", "models:/wine/Production", config={"image": "wine:1"})        # doctest: +SKIP

Container images are made in :mod:`runfolio.deployments.images`. What this room does *not* do: serve (that is the server in the image, or
``runfolio models serve``), and build or push images behind your back.
"""

from typing import TYPE_CHECKING

from runfolio._lazy import lazy_names

if TYPE_CHECKING:
    from runfolio.deployments.client import BaseDeploymentClient
    from runfolio.deployments.targets import get_deploy_client, run_local, target_names

__all__ = ["BaseDeploymentClient", "get_deploy_client", "run_local", "target_names"]

__getattr__ = lazy_names(
    __name__, {"client": ["BaseDeploymentClient"], "targets": ["get_deploy_client", "run_local", "target_names"]}
)
