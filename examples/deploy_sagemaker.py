"""The guide's deployment to SageMaker with its import changed; MLflow itself took this function away in its version 2.

The image ACCOUNT.dkr.ecr.us-east-1.amazonaws.com/wine-classifier:VERSION must be there: runfolio models build-docker, docker push.
"""

import runfolio.sagemaker

runfolio.sagemaker.deploy(
    app_name="wine-classifier-prod",
    model_uri="models:/wine-classifier/Production",
    execution_role_arn="arn:aws:iam::123456789:role/SageMakerRole",
    instance_type="ml.m5.large",
    region_name="us-east-1",
)
