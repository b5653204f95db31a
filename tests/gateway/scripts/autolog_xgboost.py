"""XGBoost under ``mlflow.xgboost.autolog()``: its own training loop, and its scikit-learn classes."""

import mlflow
import numpy
import xgboost
from sklearn.datasets import load_iris

mlflow.set_experiment("autolog xgboost")
mlflow.xgboost.autolog(log_datasets=True)

x, y = load_iris(return_X_y=True, as_frame=True)
data = xgboost.DMatrix(x, label=y)
asked = {"objective": "multi:softprob", "num_class": 3, "max_depth": 2, "nthread": 1}
with mlflow.start_run(run_name="train") as run:
    booster = xgboost.train(asked, data, num_boost_round=5, evals=[(data, "train")], verbose_eval=False)
with mlflow.start_run(run_name="classifier"):
    xgboost.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1).fit(x, y)

loaded = mlflow.xgboost.load_model(f"runs:/{run.info.run_id}/model")
assert numpy.allclose(loaded.predict(data), booster.predict(data))
