"""A script that logs with dvclive alone and saves its experiment: no pipeline."""

from dvclive import Live

with Live(dir="live2", exp_name="direct", exp_message="Tried directly", cache_images=True) as live:
    live.log_params({"lr": 3, "deep": {"er": [1, 2]}})
    for step in range(3):
        live.log_metric("value", step * 1.5)
        live.next_step()
    with open("weights.bin", "w") as file:
        file.write("weights")
    live.log_artifact("weights.bin", type="model", name="best", labels=["good"], meta={"k": 1})
