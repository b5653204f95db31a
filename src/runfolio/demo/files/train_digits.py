"""A small neural network on the digits data, with real learning curves."""

import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import runfolio

EPOCHS = 40
RUNS = [(16, 0.001, 0), (16, 0.001, 1), (16, 0.001, 2), (64, 0.001, 0), (64, 0.03, 0)]


def train(hidden, learning_rate, seed):
    data = load_digits()
    X, X_valid, y, y_valid = train_test_split(data.data / 16.0, data.target, test_size=0.5, random_state=0, stratify=data.target)
    with runfolio.start_run(run_name=f"mlp-{hidden}-lr{learning_rate}-seed{seed}"):
        runfolio.log_params({"hidden": hidden, "learning_rate": learning_rate, "epochs": EPOCHS, "batch_size": 64, "seed": seed})
        runfolio.log_input(runfolio.data.from_numpy(X, targets=y, name="digits"), context="training")
        net = MLPClassifier((hidden,), learning_rate_init=learning_rate, batch_size=64, random_state=seed)
        order = np.random.default_rng(seed)
        for epoch in range(EPOCHS):
            shuffled = order.permutation(len(X))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for start in range(0, len(X), 64):
                    rows = shuffled[start : start + 64]
                    net.partial_fit(X[rows], y[rows], classes=range(10))
            runfolio.log_metrics(
                {
                    "train_loss": log_loss(y, net.predict_proba(X)),
                    "valid_loss": log_loss(y_valid, net.predict_proba(X_valid)),
                    "valid_accuracy": accuracy_score(y_valid, net.predict(X_valid)),
                },
                step=epoch,
            )
        figure, axes = plt.subplots(figsize=(5, 5))
        ConfusionMatrixDisplay.from_predictions(y_valid, net.predict(X_valid), ax=axes, colorbar=False)
        runfolio.log_figure(figure, "confusion_matrix.png")
        plt.close(figure)


if __name__ == "__main__":
    runfolio.set_experiment("digits-curves")
    for number, run in enumerate(RUNS, 1):
        train(*run)
        print(f"{number}/{len(RUNS)}", flush=True)
