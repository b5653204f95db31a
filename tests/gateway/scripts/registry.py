"""The registry, from a logged model to the one that an alias names, and back."""

import mlflow
import numpy
from mlflow import MlflowClient
from sklearn.tree import DecisionTreeClassifier

x, y = numpy.arange(20.0).reshape(10, 2), numpy.array([0, 1] * 5)
mlflow.set_experiment("registry")
for depth in (1, 2):
    with mlflow.start_run(run_name=f"depth {depth}"):
        fitted = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(x, y)
        signature = mlflow.models.infer_signature(x, fitted.predict(x))
        place = {"artifact_path": "tree"} if mlflow.__version__ < "3" else {"name": "tree", "serialization_format": "cloudpickle"}
        mlflow.log_metric("accuracy", fitted.score(x, y))
        mlflow.sklearn.log_model(fitted, signature=signature, registered_model_name="trees", **place)

client = MlflowClient()
client.update_registered_model("trees", "Which tree?")
client.set_registered_model_tag("trees", "team", "red")
client.update_model_version("trees", "2", "A deeper one.")
client.set_model_version_tag("trees", "2", "checked", "yes")
client.transition_model_version_stage("trees", "1", "Staging")
client.transition_model_version_stage("trees", "2", "Production")
client.set_registered_model_alias("trees", "champion", "2")
champion = client.get_model_version_by_alias("trees", "champion")
assert champion.version in (2, "2") and champion.status == "READY"
for address in ("models:/trees/2", "models:/trees@champion", "models:/trees/Production", "models:/trees/latest"):
    assert mlflow.sklearn.load_model(address).get_depth() == 2
assert mlflow.pyfunc.load_model("models:/trees/Staging").predict(x[:2]).shape == (2,)
assert mlflow.models.get_model_info("models:/trees/1").signature is not None
assert sorted(int(item.version) for item in client.search_model_versions("name = 'trees'")) == [1, 2]
client.delete_registered_model_alias("trees", "champion")
client.set_registered_model_alias("trees", "champion", "1")
