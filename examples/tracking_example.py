"""The guide's wine sweep with its import changed: five runs, and five versions of the model wine-classifier.

MLflow 3.17 and later refuse to save this forest by default; min_samples_split is a share of the samples here, as scikit-learn takes floats.
"""

import warnings

from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split

import runfolio as mlflow
import runfolio.sklearn

warnings.filterwarnings("ignore")

# The guide's set_tracking_uri('http://localhost:5000') is left out: the folio of the current folder takes the runs.
mlflow.set_experiment("wine-classification")


def run_experiment(n_estimators, max_depth, min_samples_split):
    with mlflow.start_run():
        mlflow.log_param("n_estimators", n_estimators)
        mlflow.log_param("max_depth", max_depth)
        mlflow.log_param("min_samples_split", min_samples_split)
        mlflow.log_param("model_type", "RandomForest")

        X, y = load_wine(return_X_y=True)
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
        clf = RandomForestClassifier(
            n_estimators=n_estimators, max_depth=max_depth, min_samples_split=min_samples_split, random_state=42
        )
        clf.fit(X_train, y_train)

        predictions = clf.predict(X_test)
        accuracy = accuracy_score(y_test, predictions)
        f1 = f1_score(y_test, predictions, average="weighted")
        mlflow.log_metric("accuracy", accuracy)
        mlflow.log_metric("f1_score", f1)

        mlflow.sklearn.log_model(clf, artifact_path="model", registered_model_name="wine-classifier")
        print(f"Run completed: accuracy={accuracy:.4f}, f1={f1:.4f}")


if __name__ == "__main__":
    configs = [(50, 5, 0.01), (100, 10, 0.02), (200, 15, 0.05), (300, 20, 0.10), (500, None, 0.02)]
    for n_est, depth, min_split in configs:
        run_experiment(n_est, depth, min_split)
