"""Azure Machine Learning: the ``mlflow.azureml`` of MLflow 1, over Azure ML's managed online endpoints.

>>> import runfolio.azureml
>>> runfolio.azureml.deploy(model_uri="models:/wine/Production", workspace=ws, service_name="wine")      # doctest: +SKIP
"""

from runfolio.deployments.azureml import AzureMLDeploymentClient
from runfolio.deployments.azureml_verbs import delete, deploy

__all__ = ["AzureMLDeploymentClient", "delete", "deploy"]
