"""All that logging takes of one training, from its start to the end of its run: ``python whole_side.py CASE LENGTH ROUNDS``.

Run in a folio; prints as JSON of each round, by one clock and then by the other, the CPU and the time of the training with all that is logged
of it (a run, params, metrics, plots, datasets, the model with its signature and an input example), the part of it that was logging, and
that part in parts: see :mod:`guarded`. A round before them is not counted, in which packages are imported and the first run is written.
"""

from __future__ import annotations

import json
import sys
import time

from autolog_side import CASES
from guarded import Guarded, process_cpu
from training_side import FITS

import runfolio

EXAMPLES = {"log_input_examples": True}


def logged_by(framework, fit, **options):
    """Return a training that logs itself."""
    getattr(runfolio, framework).autolog(**options)
    return lambda spent: fit()


def loop(epochs):
    """Return a loop of one's own in PyTorch: each step's loss, each epoch's accuracy, and the model."""
    import torch
    from sklearn.datasets import load_digits

    import runfolio.pytorch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    nn = torch.nn
    x, y = (torch.tensor(each) for each in load_digits(return_X_y=True))
    x = x.float().reshape(-1, 1, 8, 8) / 16

    def fit(spent):
        net = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10),
        )  # fmt: skip
        optimizer = torch.optim.Adam(net.parameters())
        with spent.part("start_run, log_params, log_input"):
            runfolio.start_run()
            runfolio.log_params({"epochs": epochs, "lr": 1e-3, "batch_size": 64})
            runfolio.log_input(runfolio.data.from_numpy(x.numpy(), targets=y.numpy()), "train")
        step = 0
        for _ in range(epochs):
            right = 0
            for first in range(0, len(x), 64):
                batch, labels = x[first : first + 64], y[first : first + 64]
                said = net(batch)
                loss = nn.functional.cross_entropy(said, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                right += int((said.argmax(1) == labels).sum())
                value, step = loss.item(), step + 1
                with spent.part("log_metric"):
                    runfolio.log_metric("loss", value, step)
            with spent.part("log_metric"):
                runfolio.log_metric("accuracy", right / len(x), step)
        with spent.part("log_model"):
            example = x[:5].numpy()
            runfolio.pytorch.log_model(net, "model", input_example=example)
        with spent.part("end_run"):
            runfolio.end_run()

    return fit


def training(case, length):
    """Return a training, which is given what counts."""
    if case == "loop":
        return loop(length)
    if case in FITS:
        return logged_by(case, FITS[case](length), **(EXAMPLES if case == "keras" else {}))
    make, sizes, _ = CASES[case]
    return logged_by(case, make(sizes[0], length), **EXAMPLES)


def main():
    """Measure."""
    case, length, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    runfolio.set_experiment("bench")
    with Guarded() as spent:
        training(case, 2)(spent)
    made = []
    for name, clock in [("CPU", process_cpu), ("wall", time.perf_counter)] * rounds:
        fit = training(case, length)
        began = clock()
        with Guarded(clock) as spent:
            fit(spent)
        made.append({"clock": name, "whole": clock() - began, "logging": spent.total, "parts": spent.parts.most_common()})
    print(json.dumps(made))


if __name__ == "__main__":
    main()
