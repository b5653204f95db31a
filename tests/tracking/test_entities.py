"""What users read back has MLflow's shapes, and a notebook shows it without running anything."""

from __future__ import annotations

import math
import pickle
from html.parser import HTMLParser

import pytest

from runfolio import records
from runfolio.errors import UsageError
from runfolio.tracking.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    FileInfo,
    InputTag,
    Metric,
    PagedList,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    ViewType,
    experiment_entity,
    run_entity,
)

RUN_ID = "0192f0c4d7a27c3e8f0a1b2c3d4e5f60"
RECORD = records.Run(
    RUN_ID,
    "wine",
    name="calm-otter",
    status=records.RunStatus.FINISHED,
    start=1_732_400_000_000,
    end=1_732_400_001_500,
    user="ada",
    parent="f" * 32,
    params={"depth": "3"},
    metrics={"acc": records.MetricSummary(0.5, 2, 1_732_400_000_900), "loss": records.MetricSummary(math.nan, 0, 1)},
    tags={"team": "blue"},
    inputs=(records.DatasetInput("wine", "ab12", "local", '{"uri": "a.csv"}', tags={"mlflow.data.context": "training"}),),
    code={"commit": "c" * 40},
)


class Page(HTMLParser):
    """Collects the tags and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_run_entity_says_what_the_record_says() -> None:
    run = run_entity(RECORD, "7", "runs:/x")
    assert (run.info.run_id, run.info.run_uuid, run.info.run_name) == (RUN_ID, RUN_ID, "calm-otter")
    assert (run.info.experiment_id, run.info.user_id, run.info.status) == ("7", "ada", "FINISHED")
    assert (run.info.start_time, run.info.end_time) == (1_732_400_000_000, 1_732_400_001_500)
    assert (run.info.lifecycle_stage, run.info.artifact_uri) == ("active", "runs:/x")
    assert run.data.params == {"depth": "3"}
    assert run.data.metrics["acc"] == 0.5 and math.isnan(run.data.metrics["loss"])


def test_tags_are_all_tags_that_mlflow_would_show() -> None:
    assert run_entity(RECORD, "7", "").data.tags == RECORD.all_tags
    assert RECORD.all_tags["mlflow.parentRunId"] == "f" * 32


def test_inputs_carry_dataset_and_tags() -> None:
    entry = run_entity(RECORD, "7", "").inputs.dataset_inputs[0]
    assert (entry.dataset.name, entry.dataset.digest, entry.dataset.source_type) == ("wine", "ab12", "local")
    assert entry.dataset.schema is None
    assert entry.tags == [InputTag("mlflow.data.context", "training")]


def test_status_text_is_plain_text_not_an_enum() -> None:
    status = run_entity(RECORD, "7", "").info.status
    assert type(status) is str and f"{status}" == "FINISHED"


def test_to_dictionary_has_mlflows_keys() -> None:
    said = run_entity(RECORD, "7", "runs:/x").to_dictionary()
    assert set(said) == {"info", "data", "inputs"}
    assert set(said["info"]) == {
        "artifact_uri",
        "end_time",
        "experiment_id",
        "lifecycle_stage",
        "run_id",
        "run_name",
        "run_uuid",
        "start_time",
        "status",
        "user_id",
    }
    assert said["data"]["params"] == {"depth": "3"}
    assert said["inputs"]["dataset_inputs"][0]["tags"] == {"mlflow.data.context": "training"}
    assert said["inputs"]["dataset_inputs"][0]["dataset"]["name"] == "wine"


def test_dict_of_info_lists_all_attributes() -> None:
    assert dict(RunInfo("r", "0"))["run_uuid"] == "r"


def test_repr_names_class_and_values() -> None:
    assert repr(FileInfo("a/b", False, 3)) == "<FileInfo: file_size=3, is_dir=False, path='a/b'>"
    assert "depth" in repr(run_entity(RECORD, "7", ""))


def test_entities_are_values() -> None:
    assert Metric("a", 1.0, 2, 3) == Metric("a", 1.0, 2, 3)
    assert len({Metric("a", 1.0, 2, 3), Metric("a", 1.0, 2, 3)}) == 1
    assert FileInfo("a", True) != FileInfo("b", True)
    with pytest.raises(AttributeError):
        Metric("a", 1.0, 2, 3).key = "b"  # type: ignore[misc]


def test_entities_survive_pickle() -> None:
    run = run_entity(RECORD, "7", "x")
    assert pickle.loads(pickle.dumps(run)).info == run.info


def test_metric_goes_to_a_dictionary_and_back() -> None:
    metric = Metric("a", 1.5, 2, 3)
    assert Metric.from_dictionary(metric.to_dictionary()) == metric


def test_metric_from_a_dictionary_names_what_is_missing() -> None:
    with pytest.raises(UsageError, match="'step'"):
        Metric.from_dictionary({"key": "a", "value": 1.0, "timestamp": 2})


def test_dataset_input_to_dictionary_has_mlflows_keys() -> None:
    said = DatasetInput(Dataset("n", "d", "code", "{}"), [InputTag("k", "v")]).to_dictionary()
    assert said == {
        "dataset": {"name": "n", "digest": "d", "source_type": "code", "source": "{}", "schema": None, "profile": None},
        "tags": {"k": "v"},
    }


def test_experiment_entity_says_what_the_record_says() -> None:
    record = records.Experiment("3", "wine", "Wine", created=5, updated=0, description="cup", tags={"a": "b"})
    experiment = experiment_entity(record, "place")
    assert (experiment.experiment_id, experiment.name, experiment.artifact_location) == ("3", "Wine", "place")
    assert experiment.tags == {"mlflow.note.content": "cup", "a": "b"}
    assert (experiment.creation_time, experiment.last_update_time) == (5, None)
    assert experiment.to_dictionary()["lifecycle_stage"] == "active"


def test_paged_list_is_a_list_with_a_token() -> None:
    page = PagedList([1, 2], "next")
    assert page == [1, 2] and page.token == "next" and page.to_list() == [1, 2]
    assert PagedList().token is None


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<!--", "</table>"])
def test_notebook_html_escapes_every_value(hostile: str) -> None:
    data = RunData({hostile: 1.0}, {hostile: hostile}, {hostile: hostile})
    run = Run(RunInfo(hostile, hostile, user_id=hostile, run_name=hostile, status=hostile), data)
    experiment = Experiment(hostile, hostile, hostile, hostile, {hostile: hostile})
    for page in (Page(run._repr_html_()), Page(experiment._repr_html_())):
        assert page.tags <= {"div", "b", "p", "table", "tr", "th", "td"}
        assert page.attributes == []
        assert hostile in page.text


def test_notebook_html_shows_metrics_params_and_own_tags() -> None:
    text = Page(run_entity(RECORD, "7", "")._repr_html_()).text
    for part in ("calm-otter", "FINISHED", "1.5 s", "2024-11-23", "acc0.5", "lossnan", "depth3", "teamblue"):
        assert part in text
    assert "mlflow." not in text


def test_notebook_html_is_bounded() -> None:
    run = Run(RunInfo("r", "0"), RunData(params={f"p{at:05}": "v" * 6000 for at in range(5000)}))
    html = run._repr_html_()
    assert len(html) < 60_000 and "and 4900 more" in html


def test_notebook_html_shows_a_time_beyond_the_calendar() -> None:
    assert str(10**18) in Run(RunInfo("r", "0", start_time=10**18))._repr_html_()


def test_statuses_are_text_and_mlflows_numbers_are_understood() -> None:
    assert RunStatus.all_status() == ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
    assert [RunStatus.to_string(number) for number in range(1, 6)] == RunStatus.all_status()
    assert RunStatus.from_string("FAILED") == RunStatus.FAILED == "FAILED"
    assert RunStatus.to_string(records.RunStatus.KILLED) == "KILLED"
    assert [RunStatus.is_terminated(status) for status in RunStatus.all_status()] == [False, False, True, True, True]


@pytest.mark.parametrize("bad", ["finished", "", 0, 6, True, None])
def test_unknown_status_is_refused_and_the_known_ones_named(bad: object) -> None:
    with pytest.raises(UsageError, match="RUNNING, SCHEDULED"):
        RunStatus.to_string(bad)  # type: ignore[arg-type]


def test_view_types_have_mlflows_numbers_and_words() -> None:
    assert (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL) == (1, 2, 3)
    for number in (1, 2, 3):
        assert ViewType.from_string(ViewType.to_string(number)) == number
    with pytest.raises(UsageError, match="active_only"):
        ViewType.from_string("some")
    with pytest.raises(UsageError, match="DELETED_ONLY"):
        ViewType.to_string(4)
