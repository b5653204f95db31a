"""Runs made by Aim itself: ``python aim_there.py KIND``, in a process that sees the package and a folder with ``.aim`` made here."""

import io
import logging
import os
import signal
import sys
import wave

import aim
import numpy as np

logging.disable(logging.CRITICAL)


def sound():
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 80)
    return made.getvalue()


def whole():
    run = aim.Run(
        run_hash=None,
        repo=".",
        experiment="digits",
        log_system_params=True,
        system_tracking_interval=None,
        capture_terminal_logs=True,
    )
    run.name, run.description = "first try", "A description"
    run.add_tag("good")
    run.add_tag("base")
    run["hparams"] = {"lr": 0.1, "opt": {"name": "adam", "betas": [0.9, 0.99]}, "none": None}
    run["password"] = "hunter2hunter2"
    run["about"] = aim.Text("a text")
    for step in range(5):
        run.track(1 / (step + 1), name="loss", step=step, context={"subset": "train"})
        run.track(2 / (step + 1), name="loss", step=step, context={"subset": "val"})
        run.track(float("nan") if step == 3 else step, name="odd{x}", step=10 * step, context={"fold": 1, "of": {"n": 2}})
        run.track(step, name="val/loss", step=step)
    for step in (1, 3):
        run.track(
            [aim.Image(np.full((4, 4, 3), step + at, np.uint8), caption=f"c{at}") for at in range(2)], name="seen", step=step
        )
    run.track(aim.Text("hello"), name="words", step=0)
    run.track(aim.Distribution(np.arange(10)), name="weights", step=0)
    run.track(aim.Audio(sound(), format="wav", caption="beep"), name="heard", step=2)
    run.set_artifacts_uri(f"file://{os.getcwd()}/store")
    with open("notes.txt", "w") as file:
        file.write("hello")
    run.log_artifact("notes.txt", "deep/notes.txt", block=True)
    print("a printed line")
    run.report_successful_finish(block=True)
    run.close()


def killed():
    run = aim.Run(repo=".", experiment="long", system_tracking_interval=None)
    for step in range(200):
        run.track(step, name="value", step=step)
    run.report_successful_finish(block=True)  # writes what is waiting; the run is not closed
    os.kill(os.getpid(), signal.SIGKILL)


def older():
    run = aim.Run(repo=".", system_tracking_interval=None)
    run.track(1.0, name="value", step=0)
    run.archived = True
    run.close()


if __name__ == "__main__":
    if sys.argv[1] == "repo":
        from aim.sdk.repo import Repo

        Repo(".", init=True)
    else:
        globals()[sys.argv[1]]()
