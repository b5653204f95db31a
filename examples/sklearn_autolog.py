"""The guide's autologging example with its import changed: params, metrics, plots, dataset and model log themselves."""

from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

import runfolio as mlflow

# The guide's set_tracking_uri('http://localhost:5000') is left out: the folio of the current folder takes the runs.
mlflow.set_experiment("autolog-demo")

# Turn autologging on: it captures parameters, metrics, model and artifacts.
mlflow.sklearn.autolog()

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)

with mlflow.start_run():
    clf = RandomForestClassifier(n_estimators=100, random_state=42)
    clf.fit(X_train, y_train)
    # Nothing is logged by hand: autologging has it all.
