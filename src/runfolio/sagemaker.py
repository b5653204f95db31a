"""Amazon SageMaker: MLflow's ``mlflow.sagemaker``, with the ``deploy`` and ``delete`` that MLflow took away in its version 2.

>>> import runfolio.sagemaker
>>> runfolio.sagemaker.deploy(                                                                 # doctest: +SKIP
...     app_name="wine", model_uri="models:/wine/Production", execution_role_arn="arn:aws:iam::123456789012:role/SageMakerRole",
...     region_name="us-east-1")
"""

from runfolio.deployments.sagemaker import SageMakerDeploymentClient, run_local, target_help
from runfolio.deployments.sagemaker_verbs import delete, deploy

__all__ = ["SageMakerDeploymentClient", "delete", "deploy", "run_local", "target_help"]
