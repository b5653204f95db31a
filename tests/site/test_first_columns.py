"""Which columns a table shows before anybody has chosen any."""

from __future__ import annotations

from typing import Any

from runfolio.folio import Folio
from runfolio.site import BuildOptions
from tests.site.folios import committed, data_of


def test_what_runs_are_judged_by_comes_before_what_else_they_have(folio_dir, tmp_path) -> None:
    import runfolio

    runfolio.set_tracking_uri(str(folio_dir))
    runfolio.set_experiment("wide")
    for number in range(3):
        with runfolio.start_run():
            runfolio.log_metrics({f"group{at % 10}/metric_{at}": at + number for at in range(40)})
            runfolio.log_metrics({"val/acc": 0.9, "train/loss": 0.1, "gloss": 1.0, "accelerator": 2.0})
            runfolio.log_params({f"model/layer{at}/units": at + number for at in range(9)})
            runfolio.log_params({"optimizer": ["adam", "sgd", "lion"][number], "lr": 0.1 * number, "same": "x"})
            if number:
                runfolio.log_metric("f1", 0.5)
    folio: Folio = committed(folio_dir)
    site: Any = data_of(folio, tmp_path / "out", BuildOptions())
    shown = site.experiments[0].core
    assert [key for key in shown if key.startswith("metrics.")] == [
        "metrics.train/loss",
        "metrics.val/acc",
        "metrics.accelerator",
    ]
    assert [key for key in shown if key.startswith("params.")] == [
        "params.lr", "params.optimizer", "params.model/layer0/units", "params.model/layer1/units",
    ]  # fmt: skip
