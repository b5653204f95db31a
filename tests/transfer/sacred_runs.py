"""Runs of Sacred, made by Sacred itself: ``python sacred_runs.py FOLDER``."""

import contextlib
import os
import signal
import sys
from pathlib import Path

import numpy
from sacred import Experiment
from sacred.observers import FileStorageObserver


def experiment(folder, name):
    made = Experiment(name, base_dir=str(Path(__file__).parent), save_git_info=False)
    made.observers.append(FileStorageObserver(f"{folder}/{name}"))
    return made


def good(folder):
    made = experiment(folder, "digits")

    @made.config
    def config():
        lr = 0.1  # noqa: F841
        net = {"kind": "mlp", "layers": [32, 16], "dropout": {"p": 0.5}}  # noqa: F841
        note = None  # noqa: F841

    @made.main
    def main(_run, lr, net):
        print("training with", lr)
        for step in range(5):
            _run.log_scalar("loss/train", lr / (step + 1), step)
        _run.log_scalar("acc@5", numpy.float32(0.5))
        _run.info["best"] = {"epoch": 3, "score": numpy.float64(0.25)}
        Path("model.txt").write_text("weights")
        made.add_artifact("model.txt", "weights.txt")
        Path("data.csv").write_text("a,b\n1,2\n")
        made.open_resource("data.csv").close()
        return 0.75

    made.run(config_updates={"lr": 0.2}, options={"--name": "digits", "--comment": "first try"})
    made.run(named_configs=[], config_updates={"net": {"dropout": {"p": 0.1}}})


def failed(folder):
    made = experiment(folder, "fails")

    @made.main
    def main(_run):
        _run.log_scalar("loss", 1.0, 0)
        raise ValueError("the data are wrong")

    with contextlib.suppress(ValueError):
        made.run()


def interrupted(folder):
    made = experiment(folder, "stopped")

    @made.main
    def main():
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        made.run()


def killed(folder):
    made = experiment(folder, "killed")

    @made.main
    def main(_run):
        _run.log_scalar("loss", 1.0, 0)
        _run._emit_heartbeat()
        os.kill(os.getpid(), signal.SIGKILL)

    made.run()


if __name__ == "__main__":
    for each in (good, failed, interrupted, killed):
        each(sys.argv[1])
