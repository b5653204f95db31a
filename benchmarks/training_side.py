"""One framework's trainings, with and without autologging in turn: ``python training_side.py FRAMEWORK ROUNDS EPOCHS``.

Run in a folio; prints as JSON of each round the CPU of the training alone, of the one that logs itself, and, of the latter, what was spent in
logging (see :mod:`guarded`). On a shared machine the first two differ by more than that. A small CNN on scikit-learn's digits: what a
user's first training costs. What is logged is all that autologging does by default while it trains, but for the model itself: that costs
what ``log_model`` costs, and is counted by ``whole_side.py``.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import warnings

warnings.simplefilter("ignore")
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

from guarded import Guarded  # noqa: E402

import runfolio  # noqa: E402


def lightning_fit(epochs):
    import lightning
    import torch
    from sklearn.datasets import load_digits

    torch.set_num_threads(1)
    torch.manual_seed(0)
    nn = torch.nn

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(
                nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10),
            )  # fmt: skip

        def training_step(self, batch, at):
            loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())

    x, y = load_digits(return_X_y=True)
    data = torch.utils.data.TensorDataset(torch.tensor(x, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16, torch.tensor(y))
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(max_epochs=epochs, accelerator="cpu", **quiet)
    return lambda: trainer.fit(Net(), torch.utils.data.DataLoader(data, batch_size=64))


def keras_fit(epochs):
    import keras
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1).astype("float32") / 16
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)), layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPool2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"), layers.MaxPool2D(), layers.Flatten(),
            layers.Dense(128, activation="relu"), layers.Dense(10),
        ]
    )  # fmt: skip
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x[:64], y[:64], batch_size=64, epochs=1, verbose=0)  # traced before it is timed
    return lambda: model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)


FITS = {"pytorch": lightning_fit, "keras": keras_fit}


def cpu(framework, epochs, *, logged):
    runfolio.autolog(disable=True)
    fit = FITS[framework](epochs)
    if logged:
        getattr(runfolio, framework).autolog(log_models=False)
    with runfolio.start_run():
        began = time.process_time()
        fit()
        return time.process_time() - began


if __name__ == "__main__":
    name, rounds, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    cpu(name, 1, logged=True)
    made = []
    for at in range(rounds):
        first = at % 2 == 0  # whoever is second finds caches warm
        with Guarded(time.thread_time) as spent:
            pair = {one: cpu(name, length, logged=one) for one in (first, not first)}
        made.append([pair[False], pair[True], spent.total])
    print(json.dumps(made))
