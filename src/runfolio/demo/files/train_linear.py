"""A linear model on the wine data, on the splits of the forests: is a forest needed at all?"""

from sklearn.datasets import load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import runfolio

SEEDS = (1, 2, 3)


def train(seed):
    data = load_wine(as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.7, random_state=seed, stratify=data.target
    )
    with runfolio.start_run(run_name=f"lda-seed{seed}"):
        runfolio.log_params({"model_type": "LDA", "scaled": True, "seed": seed})
        runfolio.log_input(runfolio.data.from_pandas(X_train, name="wine"), context="training")
        model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis())
        model.fit(X_train, y_train)
        predictions = model.predict(X_test)
        runfolio.log_metrics(
            {
                "accuracy": accuracy_score(y_test, predictions),
                "f1_score": f1_score(y_test, predictions, average="weighted"),
                "log_loss": log_loss(y_test, model.predict_proba(X_test)),
            }
        )
        signature = runfolio.models.infer_signature(X_train, predictions)
        runfolio.sklearn.log_model(model, "model", signature=signature, input_example=X_train.head(3))


if __name__ == "__main__":
    runfolio.set_experiment("wine-classification")
    for number, seed in enumerate(SEEDS, 1):
        train(seed)
        print(f"{number}/{len(SEEDS)}", flush=True)
