"""A training with and without autologging, in turn, in one process: ``python autolog_side.py LIBRARY CASE ROUNDS`` prints JSON.

``LIBRARY`` is ``runfolio`` or ``mlflow``. All figures are CPU seconds, those of child processes among them (MLflow starts one for each
model, to see what it imports): ``first`` is what logging adds to the first training of a process, where the packages that draw and
save are imported; ``plain`` and ``logged`` are those of the rounds.
"""

import importlib
import json
import logging
import os
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)


def data(rows):
    """Return features and two classes, always the same."""
    from sklearn.datasets import make_classification

    return make_classification(rows, 30, n_informative=12, random_state=0)


def boosting(rows, rounds):
    """Return a training by XGBoost, with two sets that are evaluated each round."""
    import xgboost

    features, classes = data(rows)

    def train():
        half = rows // 2
        train, test = (xgboost.DMatrix(features[part], classes[part]) for part in (slice(half), slice(half, None)))
        params = {"nthread": 1, "max_depth": 6, "eta": 0.05, "objective": "binary:logistic"}
        xgboost.train(params, train, rounds, evals=[(train, "train"), (test, "test")], verbose_eval=False)

    return train


def forest(rows, trees):
    """Return the fit of a forest."""
    from sklearn.ensemble import RandomForestClassifier

    features, classes = data(rows)
    return lambda: RandomForestClassifier(trees, max_depth=12, random_state=0).fit(features, classes)


CASES = {
    "xgboost": (boosting, (20_000, 400), (200, 5)),
    "xgboost-quick": (boosting, (2_000, 50), (200, 5)),
    "sklearn": (forest, (10_000, 300), (200, 5)),
    "sklearn-quick": (forest, (500, 20), (200, 5)),
}


def cpu():
    """Return CPU seconds so far."""
    return sum(os.times()[:4])


def cost(training):
    """Return the CPU seconds of a call."""
    before = cpu()
    training()
    return cpu() - before


def main():
    """Measure."""
    library, case, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    make, sizes, small = CASES[case]
    log = importlib.import_module(library)
    framework = importlib.import_module(f"{library}.{case.removesuffix('-quick')}")
    warm, training = make(*small), make(*sizes)
    log.set_experiment("bench")
    warm()
    alone = cost(warm)
    framework.autolog()
    first = cost(warm) - alone
    plain, logged = [], []
    for _ in range(rounds):
        framework.autolog(disable=True)
        plain.append(cost(training))
        framework.autolog()
        logged.append(cost(training))
    print(json.dumps({"first": first, "plain": plain, "logged": logged}))


if __name__ == "__main__":
    main()
