"""The guide's deployment to Azure ML with its import changed; MLflow itself took mlflow.azureml away in its version 2.

The guide's Workspace.from_config() of azureml.core (SDK v1, no longer supported by Azure) is taken, too. Both read config.json, which the
portal gives you.
"""

from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential

import runfolio.azureml

ws = MLClient.from_config(DefaultAzureCredential())

runfolio.azureml.deploy(
    model_uri="models:/wine-classifier/Production",
    workspace=ws,
    deployment_config={
        "computeType": "aci",
        "containerResourceRequirements": {"cpu": 1, "memoryInGB": 2},
    },
    service_name="wine-classifier-aci",
)
