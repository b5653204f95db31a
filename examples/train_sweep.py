"""One training of a sweep: its params come as arguments, its metric goes to the run that the sweep has started."""

import argparse

from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

import runfolio

parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int, required=True)
parser.add_argument("--trees", type=int, required=True)
parser.add_argument("--criterion", required=True)
parser.add_argument("--seed", type=int, default=0)
chosen = parser.parse_args()

x, y = load_wine(return_X_y=True)
forest = RandomForestClassifier(chosen.trees, max_depth=chosen.depth, criterion=chosen.criterion, random_state=chosen.seed)
runfolio.log_metric("accuracy", cross_val_score(forest, x, y, cv=5).mean())
