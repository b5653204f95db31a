"""Train a forest. What it logs goes to the run of its step."""

import argparse
import pickle

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

import runfolio

parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int, default=4)
parser.add_argument("--trees", type=int, default=50)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

rows = pd.read_csv("data/train.csv")
X, y = rows.drop(columns="target"), rows["target"]
forest = RandomForestClassifier(args.trees, max_depth=args.depth, random_state=args.seed)
with runfolio.start_run():
    runfolio.log_metric("cv_accuracy", cross_val_score(forest, X, y, cv=3).mean())
    with open("model.pkl", "wb") as file:
        pickle.dump(forest.fit(X, y), file)
