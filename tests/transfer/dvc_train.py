"""A stage of a DVC pipeline that logs with dvclive: reads params.yaml, writes dvclive/ and model.bin."""

import numpy as np
import yaml
from dvclive import Live

with open("params.yaml") as file:
    params = yaml.safe_load(file)
with Live(report="md", save_dvc_exp=False) as live:
    live.log_param("extra", 5)
    for step in range(4):
        live.log_metric("train/loss", params["lr"] / (step + 1), timestamp=True)
        live.log_metric("acc", step / 4)
        live.log_image(f"seen/{step}.png", np.full((4, 4, 3), step, np.uint8))
        live.next_step()
    live.summary["best"] = 0.9
with open("model.bin", "w") as file:
    file.write(f"model {params['lr']}")
with open("plain.json", "w") as file:
    file.write('{"test": {"f1": 0.5}, "kind": "good"}')
