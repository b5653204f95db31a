"""scikit-learn under ``mlflow.autolog()``: a fit, its evaluation, a grid search with its children."""

import mlflow
from sklearn import metrics
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split

mlflow.set_experiment("autolog sklearn")
mlflow.autolog()

x, y = load_iris(return_X_y=True, as_frame=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
with mlflow.start_run(run_name="fit") as run:
    fitted = LogisticRegression(max_iter=500).fit(x_train, y_train)
    accuracy = metrics.accuracy_score(y_test, fitted.predict(x_test))
with mlflow.start_run(run_name="search"):
    GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.1, 1.0]}, cv=2).fit(x_train, y_train)

loaded = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
assert metrics.accuracy_score(y_test, loaded.predict(x_test)) == accuracy
