"""Another entry point: it reads a file whose path the project makes absolute."""

import sys

import runfolio

with open(sys.argv[1], encoding="utf-8") as file:
    numbers = [float(line) for line in file if line.strip()]
with runfolio.start_run():
    runfolio.log_metric("mean", sum(numbers) / len(numbers))
