"""Judge the model by rows that it has not seen."""

import json
import pickle

import pandas as pd
from sklearn.metrics import accuracy_score, f1_score

import runfolio

rows = pd.read_csv("data/test.csv")
with open("model.pkl", "rb") as file:
    forest = pickle.load(file)  # made by the step before, and placed here by its digest
found = forest.predict(rows.drop(columns="target"))
metrics = {"accuracy": accuracy_score(rows["target"], found), "f1_macro": f1_score(rows["target"], found, average="macro")}
with runfolio.start_run():
    runfolio.log_metrics(metrics)
with open("report.json", "w") as file:
    json.dump(metrics, file, indent=2)
print(metrics)
