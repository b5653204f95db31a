"""Runs made by W&B itself: ``python wandb_there.py KIND``, in a process that sees the package."""

import os
import signal
import sys

import wandb


def whole(kind):
    run = wandb.init(
        project="mnist", entity="team", id=f"id{kind}", name=f"{kind} try", group="cv-3", job_type="train", notes="A note\nin two lines",
        tags=["baseline", "v1"], config={"lr": 0.01, "opt": {"name": "adam", "betas": [0.9, 0.99]}, "password": "hunter2hunter2", "none": None},
    )  # fmt: skip
    for step in range(5):
        row = {
            "loss": 1 / (step + 1),
            "train/acc": step / 5,
            "inner": {"a": step},
            "top@5": step,
            "word": f"w{step}",
            "flag": step % 2 == 0,
        }
        if step == 2:
            row |= {"odd": float("nan"), "big": float("inf"), "rows": wandb.Table(columns=["a"], data=[[1], [2]])}
        if step in (1, 3):
            row |= {"seen/digit": wandb.Image("picture.png", caption=f"c{step}")}
        run.log(row)
    run.log({"late": 1.0}, step=40)
    run.config.update({"added": "later"})
    run.define_metric("best", summary="min")
    run.log({"best": 2.0})
    run.log({"best": 3.0})
    run.summary["accuracy"] = 0.99
    run.summary["verdict"] = "good"
    run.save("notes.txt", policy="end")
    made = wandb.Artifact("data", "dataset", metadata={"rows": 3})
    made.add_file("notes.txt")
    made.add_reference("s3://bucket/key", checksum=False)
    run.log_artifact(made, aliases=["first"])
    print("a printed line")
    if kind == "raised":
        raise ValueError("boom")
    run.finish()


def killed():
    run = wandb.init(project="long", id="killed1", config={"lr": 1})
    for step in range(int(sys.argv[2])):
        run.log({"value": step, "filler": "x" * 200})
    # W&B writes whole blocks of 32 KiB; until the first is out there is nothing to find.
    while os.path.getsize(run.settings.sync_file) < 3 * 32 * 1024:
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def resumed():
    for part in range(2):
        run = wandb.init(project="long", id="resumed1", resume="allow", config={f"part{part}": part})
        run.log({"value": part}, step=part)
        run.finish()


if __name__ == "__main__":
    {"killed": killed, "resumed": resumed}.get(sys.argv[1], lambda: whole(sys.argv[1]))()
