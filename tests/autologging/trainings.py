"""Trainings that log themselves, by MLflow or by us: the same lines for both, in the module that is given as `lib`.

``python trainings.py FRAMEWORK`` runs those of a framework with MLflow, in the current folder, and prints what each logged as JSON.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any


def sklearn_forest(lib: Any) -> None:
    from sklearn.datasets import load_wine
    from sklearn.ensemble import RandomForestClassifier

    lib.sklearn.autolog()
    X, y = load_wine(return_X_y=True)
    RandomForestClassifier(10, random_state=42).fit(X, y)


def sklearn_two_classes(lib: Any) -> None:
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    lib.sklearn.autolog(log_input_examples=True, extra_tags={"team": "red"}, pos_label=1)
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    weights = (y + 1).to_numpy()
    make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y, logisticregression__sample_weight=weights)


def sklearn_weighted(lib: Any) -> None:
    import numpy
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge

    lib.sklearn.autolog(log_models=False)
    X, y = load_diabetes(return_X_y=True)
    Ridge(alpha=0.5).fit(X, y, sample_weight=numpy.arange(len(y)) + 1.0)


def sklearn_unlabelled(lib: Any) -> None:
    from sklearn.cluster import KMeans
    from sklearn.datasets import load_wine

    lib.sklearn.autolog()
    KMeans(3, n_init=1, random_state=0).fit(load_wine(return_X_y=True)[0])


def sklearn_sparse(lib: Any) -> None:
    from scipy.sparse import csr_matrix
    from sklearn.datasets import load_wine
    from sklearn.naive_bayes import MultinomialNB

    lib.sklearn.autolog(log_models=False)
    X, y = load_wine(return_X_y=True)
    MultinomialNB().fit(csr_matrix(X), y)


def sklearn_search(lib: Any) -> None:
    from sklearn.datasets import load_wine
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    lib.sklearn.autolog(max_tuning_runs=3)
    X, y = load_wine(return_X_y=True)
    GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3, 4], "criterion": ["gini"]}, cv=2).fit(X, y)


def sklearn_random_search(lib: Any) -> None:
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import RandomizedSearchCV

    lib.sklearn.autolog(log_models=False, log_datasets=False)
    X, y = load_diabetes(return_X_y=True)
    RandomizedSearchCV(Ridge(), {"alpha": [0.1, 1.0, 10.0]}, n_iter=2, cv=2, random_state=0).fit(X, y)


def sklearn_after(lib: Any) -> None:
    """As a script does it: what is predicted stands in global variables."""
    from sklearn import metrics
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import LinearRegression

    lib.sklearn.autolog(log_models=False)
    X, y = load_diabetes(return_X_y=True)
    scope = {"X_train": X[:300], "y_train": y[:300], "X_test": X[300:], "y_test": y[300:]}
    code = """
model = LinearRegression().fit(X_train, y_train)
predicted = model.predict(X_test)
metrics.mean_squared_error(y_test, predicted)
metrics.mean_squared_error(y_true=y_test, y_pred=predicted)
metrics.r2_score(y_test, model.predict(X_test[:142]))
model.score(X_test, y_test)
"""
    exec(code, {**scope, "LinearRegression": LinearRegression, "metrics": metrics, "__name__": "script"})


def _wine() -> tuple[Any, Any]:
    from sklearn.datasets import load_wine

    X, y = load_wine(return_X_y=True, as_frame=True)
    X.columns = [name.replace("/", "_").replace(" ", "_") for name in X.columns]
    return X, y


def xgboost_train(lib: Any) -> None:
    import xgboost

    lib.xgboost.autolog(importance_types=["weight", "gain"], log_input_examples=True)
    X, y = _wine()
    train, test = xgboost.DMatrix(X[::2], y[::2]), xgboost.DMatrix(X[1::2], y[1::2])
    params = {"objective": "multi:softprob", "num_class": 3, "eta": 0.5, "nthread": 1, "eval_metric": ["mlogloss", "merror"]}
    xgboost.train(params, train, 40, evals=[(train, "train"), (test, "test")], early_stopping_rounds=3, verbose_eval=False)


def xgboost_estimator(lib: Any) -> None:
    import xgboost

    lib.xgboost.autolog()
    X, y = _wine()
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=2, n_jobs=1)
    model.fit(X, y, eval_set=[(X, y)], verbose=False)


def xgboost_linear(lib: Any) -> None:
    """One importance a class and feature, if any at all."""
    import xgboost

    lib.xgboost.autolog(log_models=False, log_datasets=False)
    X, y = _wine()
    xgboost.train({"booster": "gblinear", "nthread": 1}, xgboost.DMatrix(X, y), 3)


def lightgbm_train(lib: Any) -> None:
    import lightgbm

    lib.lightgbm.autolog(log_input_examples=True)
    X, y = _wine()
    train, test = lightgbm.Dataset(X[::2], y[::2]), lightgbm.Dataset(X[1::2], y[1::2])
    params = {"objective": "multiclass", "num_class": 3, "num_threads": 1, "verbose": -1, "seed": 0, "min_data_in_leaf": 5}
    lightgbm.train(
        params, train, 30, valid_sets=[test], valid_names=["test"], callbacks=[lightgbm.early_stopping(3, verbose=False)]
    )


def lightgbm_estimator(lib: Any) -> None:
    import lightgbm

    lib.lightgbm.autolog()
    X, y = _wine()
    lightgbm.LGBMClassifier(n_estimators=4, n_jobs=1, verbose=-1, random_state=0).fit(X, y, eval_X=X, eval_y=y)


def statsmodels_ols(lib: Any) -> None:
    import statsmodels.api

    lib.statsmodels.autolog()
    X, y = _wine()
    statsmodels.api.OLS(y, statsmodels.api.add_constant(X[["alcohol", "hue"]])).fit()


def statsmodels_logit(lib: Any) -> None:
    import statsmodels.api

    lib.statsmodels.autolog(log_models=False)
    X, y = _wine()
    statsmodels.api.Logit((y == 1).astype(float), X[["hue", "ash"]]).fit(disp=0)


CASES: dict[str, list[Callable[[Any], None]]] = {
    "sklearn": [
        sklearn_forest, sklearn_two_classes, sklearn_weighted, sklearn_unlabelled, sklearn_sparse, sklearn_search,
        sklearn_random_search, sklearn_after,
    ],
    "xgboost": [xgboost_train, xgboost_estimator, xgboost_linear],
    "lightgbm": [lightgbm_train, lightgbm_estimator],
    "statsmodels": [statsmodels_ols, statsmodels_logit],
}  # fmt: skip


def logged_by(lib: Any, case: Callable[[Any], None]) -> list[dict[str, Any]]:
    """Run a training; return what each of its runs holds: the parent first, then its children by their params."""
    experiment = lib.set_experiment(case.__name__)
    case(lib)
    runs = lib.search_runs([experiment.experiment_id], output_format="list")
    found = [_read(lib.MlflowClient(), run) for run in runs]
    return sorted(found, key=lambda run: ("mlflow.parentRunId" in run["tags"], sorted(run["params"].items())))


def _read(client: Any, run: Any) -> dict[str, Any]:
    return {
        "status": run.info.status,
        "params": dict(run.data.params),
        "metrics": {
            key: [[point.step, point.value] for point in client.get_metric_history(run.info.run_id, key)]
            for key in run.data.metrics
        },
        "tags": dict(run.data.tags),
        "artifacts": sorted(_files(client, run.info.run_id, None)),
        "inputs": [_input(each) for each in run.inputs.dataset_inputs],
    }


def _files(client: Any, run_id: str, path: str | None) -> list[str]:
    made = []
    for each in client.list_artifacts(run_id, path):
        made += _files(client, run_id, each.path) if each.is_dir else [each.path]
    return made


def _input(each: Any) -> dict[str, Any]:
    tags = {tag.key: tag.value for tag in each.tags}
    said = each.dataset
    return {
        "context": tags["mlflow.data.context"],
        "name": said.name,
        "source_type": said.source_type,
        "schema": json.loads(said.schema or "null"),
        "profile": json.loads(said.profile or "null"),
    }


if __name__ == "__main__":
    import mlflow

    warnings.simplefilter("ignore")
    # Ten seconds a model, in which MLflow loads it in yet another process to see what that imports. Nothing here is about that.
    mlflow.models.infer_pip_requirements = lambda uri, flavor, fallback=None, **more: fallback or []
    print(json.dumps({case.__name__: logged_by(mlflow, case) for case in CASES[sys.argv[1]]}))
