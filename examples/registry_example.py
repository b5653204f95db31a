"""The guide's registry example with its imports changed: register, stage, describe, tag, list and load versions.

Run tracking_example.py first: the best of its runs is registered here once more.
"""

import runfolio as mlflow
import runfolio.pyfunc
from runfolio import MlflowClient

# The guide's MlflowClient(tracking_uri='http://localhost:5000'): the folio of the current folder is asked.
client = MlflowClient()
model_name = "wine-classifier"

# The guide has runs:/<RUN_ID>/model.
best = mlflow.search_runs(experiment_names=["wine-classification"], order_by=["metrics.accuracy DESC"], max_results=1)
result = mlflow.register_model(model_uri=f"runs:/{best.run_id[0]}/model", name=model_name)
print(f"Registered version: {result.version}")

client.transition_model_version_stage(name=model_name, version=result.version, stage="Staging")
client.update_model_version(
    name=model_name,
    version=result.version,
    description="Wine classifier with 94.4% accuracy, RandomForest 200 estimators",
)
client.set_model_version_tag(name=model_name, version=result.version, key="reviewed_by", value="ml-lead@company.com")

# What the guide expects to find in Production: the first version.
client.transition_model_version_stage(name=model_name, version="1", stage="Production")

# The guide's command, in no MLflow 2 or 3: runfolio models list-versions -m wine-classifier
for version in client.search_model_versions(f"name='{model_name}'"):
    print(version.version, version.current_stage, version.description)

model = mlflow.pyfunc.load_model(model_uri="models:/wine-classifier/Production")
model_v2 = mlflow.pyfunc.load_model(model_uri="models:/wine-classifier/2")
row = [[14.23, 1.71, 2.43, 15.6, 127.0, 2.80, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065.0]]
print(f"Production says {model.predict(row)}, version 2 says {model_v2.predict(row)}")
