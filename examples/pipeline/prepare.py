"""Split the wine data into rows to learn from and rows to be judged by."""

import argparse
from pathlib import Path

from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

rows = load_wine(as_frame=True).frame
train, test = train_test_split(rows, test_size=0.3, random_state=args.seed, stratify=rows["target"])
Path("data").mkdir(exist_ok=True)
train.to_csv("data/train.csv", index=False)
test.to_csv("data/test.csv", index=False)
print(f"{len(train)} rows to learn from, {len(test)} to be judged by")
