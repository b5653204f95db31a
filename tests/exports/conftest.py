"""A folio with what an export must get right: odd numbers, formulas, children, deleted runs, a dataset, a model with a history."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import runfolio
from runfolio.client import RunfolioClient
from runfolio.folio import open_folio
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import next_millisecond


@dataclasses.dataclass(frozen=True)
class Lab:
    """The folio, and run ids by name."""

    folder: Path
    ids: dict[str, str]

    def lose(self, run: str, path: str) -> str:
        """Take the object of a run's file out of the store; return its digest."""
        folio = open_folio(self.folder)
        try:
            digest = folio.runs.artifacts(folio.runs.get(self.ids[run]))[path].digest
            assert folio.store.delete(digest)
        finally:
            folio.close()
        return digest


@pytest.fixture
def lab(folio_dir: Path, tmp_path: Path) -> Lab:
    runfolio.set_tracking_uri(folio_dir)
    table = tmp_path / "wine.csv"
    table.write_text("alcohol,kind\n12.5,a\n13.5,b\n")
    runfolio.set_experiment("Wine")
    ids: dict[str, str] = {}
    with runfolio.start_run(run_name="parent", description="as a whole") as parent:
        ids["parent"] = parent.info.run_id
        runfolio.log_params({"depth": 3, "note": "=HYPERLINK(1)"})
        for step in range(40):
            runfolio.log_metric("loss", 1 / (step + 3), step=step)
        runfolio.log_metric("gap", float("nan"))
        runfolio.log_metric("far", float("-inf"))
        runfolio.log_metric("acc", 0.1 + 0.2)
        runfolio.log_input(runfolio.data.from_file(table, name="wine"), context="training")
        runfolio.log_text("weights", "model/weights.txt")
        runfolio.log_text("ein é\n", "notes/über uns.txt")
        for number in range(2):
            next_millisecond()
            with runfolio.start_run(run_name=f"child-{number}", nested=True) as child:
                ids[f"child-{number}"] = child.info.run_id
                runfolio.log_param("depth", number)
                runfolio.log_metric("acc", 0.5 + number / 10)
                runfolio.set_tag("team", "-red")
    next_millisecond()
    runfolio.set_experiment("Other")
    with runfolio.start_run(run_name="failed") as failed:
        ids["failed"] = failed.info.run_id
        runfolio.end_run("FAILED")
    with runfolio.start_run(run_name="gone") as gone:
        ids["gone"] = gone.info.run_id
        runfolio.log_metric("acc", 1.0)
    client = RunfolioClient(folio_dir)
    client.delete_run(ids["gone"])
    client.create_registered_model("cultivar", tags={"owner": "ada"}, description="Which cultivar")
    client.create_model_version("cultivar", f"runs:/{ids['parent']}/model", ids["parent"])
    client.transition_model_version_stage("cultivar", 1, "Production")
    client.set_registered_model_alias("cultivar", "champion", 1)
    forget_sessions()
    return Lab(folio_dir, ids)
