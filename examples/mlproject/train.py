"""A training script as MLflow's tutorial has it: it says nothing of projects, and logs to the run that it is started in."""

import argparse
import random

import runfolio

parser = argparse.ArgumentParser()
parser.add_argument("alpha", type=float)
parser.add_argument("l1_ratio", type=float)
parser.add_argument("--rows", type=int, default=200)
chosen = parser.parse_args()

random.seed(40)
xs = [random.uniform(-1, 1) for _ in range(chosen.rows)]
ys = [2.0 * x + random.gauss(0, 0.1) for x in xs]

with runfolio.start_run():
    slope = 0.0
    for step in range(50):
        error = [slope * x - y for x, y in zip(xs, ys, strict=True)]
        gradient = sum(2 * e * x for e, x in zip(error, xs, strict=True)) / len(xs)
        penalty = chosen.alpha * (chosen.l1_ratio * (slope > 0) + (1 - chosen.l1_ratio) * slope) / 10
        slope -= 0.5 * (gradient + penalty)
        runfolio.log_metric("rmse", (sum(e * e for e in error) / len(error)) ** 0.5, step=step)
    runfolio.log_metric("slope", slope)
    print(f"slope {slope:.4f}")
