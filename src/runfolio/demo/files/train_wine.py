"""A sweep over random forests on the wine data: five configurations, three seeds each.

The split leaves 30 % of the data for training, so that the configurations differ; with 80 % all five score 1.0.
"""

from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split

import runfolio

CONFIGS = [(10, 2, 0.20), (20, 3, 0.10), (50, 5, 0.05), (100, 10, 0.02), (200, None, 0.02)]
SEEDS = (1, 2, 3)


def train(n_estimators, max_depth, min_samples_split, seed):
    data = load_wine(as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.7, random_state=seed, stratify=data.target
    )
    with runfolio.start_run(run_name=f"forest-{n_estimators}-seed{seed}", nested=True):
        runfolio.log_params(
            {
                "model_type": "RandomForest",
                "n_estimators": n_estimators,
                "max_depth": max_depth,
                "min_samples_split": min_samples_split,
                "seed": seed,
            }
        )
        runfolio.log_input(runfolio.data.from_pandas(X_train, name="wine"), context="training")
        forest = RandomForestClassifier(
            n_estimators=n_estimators, max_depth=max_depth, min_samples_split=min_samples_split, random_state=seed
        )
        forest.fit(X_train, y_train)
        predictions = forest.predict(X_test)
        runfolio.log_metrics(
            {
                "accuracy": accuracy_score(y_test, predictions),
                "f1_score": f1_score(y_test, predictions, average="weighted"),
                "log_loss": log_loss(y_test, forest.predict_proba(X_test)),
            }
        )
        importance = dict(zip(X_train.columns, forest.feature_importances_.round(6).tolist(), strict=True))
        runfolio.log_dict(importance, "feature_importance.json")
        signature = runfolio.models.infer_signature(X_train, predictions)
        runfolio.sklearn.log_model(forest, "model", signature=signature, input_example=X_train.head(3))


if __name__ == "__main__":
    runfolio.set_experiment("wine-classification")
    total = len(CONFIGS) * len(SEEDS)
    with runfolio.start_run(run_name="sweep", description="Five random forests, three seeds each, on 30 % of the wine data."):
        runfolio.log_params({"configurations": len(CONFIGS), "seeds": len(SEEDS), "test_size": 0.7})
        for number, (config, seed) in enumerate(((config, seed) for config in CONFIGS for seed in SEEDS), 1):
            train(*config, seed)
            print(f"{number}/{total}", flush=True)
