"""The examples of docs/format.md are read by the code that reads real folios, and every field is told."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import fields
from importlib import resources
from pathlib import Path

import pytest

from runfolio.folio.inbox import ARTIFACTS, ID_FILE, METRICS_FILE, RUN_FILE
from runfolio.formats.datasets import DATASET_KEYS, decode_dataset, decode_facts, encode_dataset, encode_facts
from runfolio.formats.deployments import decode_deployment, encode_deployment
from runfolio.formats.experiments import decode_experiment, experiment_fields
from runfolio.formats.foreign import decode_foreign, read_metrics
from runfolio.formats.lines import parse_line
from runfolio.formats.models import decode_model, decode_version, encode_model, encode_version
from runfolio.formats.reproductions import decode_reproduction, encode_reproduction
from runfolio.formats.runs import decode_run, encode_run
from runfolio.formats.series import decode_series, encode_series, read_series
from runfolio.formats.settings import decode_settings, initial_settings
from runfolio.journal import RunState
from runfolio.journal.events import decode_event
from runfolio.journal.state import _ACTIONS
from runfolio.objects.manifests import decode_manifest, encode_manifest
from runfolio.policy import decode_policy, run_examples
from runfolio.policy.rules import FLAGS
from runfolio.records import Experiment
from runfolio.records.datasets import ColumnFacts, Facts
from runfolio.records.deployments import Deployment, DeploymentState
from runfolio.records.reproductions import Outcome, Reproduction
from runfolio.records.runs import RunStatus
from runfolio.records.settings import Settings
from tests.docs.pages import DOCS, fenced, marked

PAGE = "format.md"
TEXT = (DOCS / PAGE).read_text("utf-8")


def example(what: str) -> str:
    (found,) = marked(PAGE, "example", what)
    return found


def test_run_is_canonical_and_keeps_the_schema() -> None:
    import jsonschema

    data = example("run").encode()
    assert encode_run(decode_run(data, PAGE)) == data
    jsonschema.validate(json.loads(data), json.loads(resources.files("runfolio.formats").joinpath("run.schema.json").read_text()))


def test_every_field_of_a_run_is_told() -> None:
    schema = json.loads(resources.files("runfolio.formats").joinpath("run.schema.json").read_text())
    assert [name for name in schema["properties"] if f"| `{name}` |" not in TEXT and f"`{name}`" not in TEXT] == []
    assert [item.value for item in RunStatus if f"`{item.value}`" not in TEXT] == []


def test_series_is_canonical_and_belongs_to_the_run() -> None:
    data = example("series").encode()
    series = decode_series(data, PAGE)
    assert encode_series(series) == data
    run = decode_run(example("run").encode(), PAGE)
    assert run.series and (series.run_id, series.total) == (run.run_id, run.series.points)
    assert set(series.metrics) == set(run.metrics)


def test_history_holds_the_points_that_the_page_says() -> None:
    points = list(read_series(io.BytesIO(gzip.compress(example("history").encode()))))
    assert [(point.key, point.step, point.timestamp) for point in points[:3]] == [
        ("loss", 0, 1795480246490),
        ("loss", 1, 1795480246491),
        ("loss", 2, 1795480246492),
    ]
    assert points[3].value != points[3].value


def test_manifest_is_canonical() -> None:
    data = example("manifest").encode()
    assert encode_manifest(decode_manifest(data, PAGE)) == data


def test_experiment_says_every_field() -> None:
    made = decode_experiment(example("experiment").encode(), "experiments/wine-classification.yaml")
    assert made.objective and made.baseline and made.tags and not made.extra
    known = {item.name for item in fields(Experiment)} - {"slug", "extra"}
    assert [name for name in known | set(experiment_fields(made)) if f"`{name}`" not in TEXT] == []


def test_journal_has_every_event_and_reads_as_a_run(tmp_path: Path) -> None:
    lines = example("journal").encode().splitlines()
    events = [decode_event(line) for line in lines]
    assert {event[0] for event in events if event} == set(_ACTIONS)
    place = tmp_path / "journal.jsonl"
    place.write_bytes(example("journal").encode())
    state = RunState(place).refresh()
    run = state.run()
    assert state.unreadable == 0
    assert (run.name, run.status, dict(run.params), dict(run.tags)) == ("second try", RunStatus.FINISHED, {"depth": "5"}, {})
    assert set(run.metrics) == {"loss", "gap"}
    assert list(run.artifacts) == ["notes/about.txt", "model.bin"]
    assert state.copies == {}


def test_foreign_run_keeps_the_schema_and_is_read() -> None:
    import jsonschema

    data = example("foreign").encode()
    schema = json.loads(resources.files("runfolio.formats").joinpath("spool.schema.json").read_text())
    jsonschema.validate(json.loads(data), schema)
    run = decode_foreign(data, PAGE)
    assert (run.start, run.end, run.notices) == (1795480246379, 1795480246496, ())
    assert [name for name in schema["properties"] if name != "$schema" and f"`{name}`" not in TEXT] == []
    points = list(read_metrics(example("foreign-metrics").encode().splitlines(), PAGE, []))
    assert [(point[0], point[3]) for point in points] == [("loss", 0), ("loss", 1), ("gap", 1)]


@pytest.mark.parametrize("name", [RUN_FILE, METRICS_FILE, ID_FILE, ARTIFACTS])
def test_names_in_a_run_folder_are_told(name: str) -> None:
    assert name in TEXT


def test_lines_are_read() -> None:
    said = [parse_line(line) for line in example("lines").splitlines()]
    assert said[2].metrics == (("loss", 0.9, None, 0),)
    assert said[3].metrics == (("validation loss", 0.5, 1795480246490, 1),)
    assert said[5].artifacts == (("model.bin", "models"),)
    assert len(said[-1].metrics) == 2


def test_settings_page_shows_every_default() -> None:
    first, second = marked("settings.md", "example", "settings")
    assert decode_settings(first.encode(), "settings.md") == Settings()
    assert decode_settings(second.encode(), "settings.md").records.branch == "runfolio/ledger"
    (rules,) = marked("how-to/clean-up.md", "example", "settings")
    assert decode_settings(rules.encode(), "clean-up.md").retention


def test_new_settings_name_the_page_that_tells_all_of_them() -> None:
    first = initial_settings().decode().splitlines()[0]
    assert first.endswith("All of them, with their defaults: docs/settings.md") and "All of them, with their defaults" in (
        DOCS / "settings.md"
    ).read_text("utf-8")


def test_settings_page_tells_every_field() -> None:
    text = (DOCS / "settings.md").read_text("utf-8")
    wanted = ["schema", "sync.remote"]
    for item in fields(Settings):
        value = getattr(Settings(), item.name)
        inner = getattr(type(value), "__dataclass_fields__", None)
        wanted += [f"{item.name}.{name}" for name in inner] if inner else [item.name]
    wanted.remove("remote")
    assert [name for name in wanted if f"| `{name}` |" not in text] == []


def test_registry_examples_are_what_we_write() -> None:
    (model,) = marked("format.md", "example", "model")
    assert encode_model(decode_model(model.encode(), "models/wine/model.yaml")) == model.encode()
    (version,) = marked("format.md", "example", "version")
    assert encode_version(decode_version(version.encode(), "models/wine/versions/3.yaml"), "wine") == version.encode()


def test_the_deployment_is_canonical_and_every_field_is_told() -> None:
    data = example("deployment").encode()
    made = decode_deployment(data, "models/wine/deployments/sagemaker-us-east-1-wine-classifier-prod.json")
    assert encode_deployment(made) == data
    section = TEXT.split("## Deployment:")[1].split("\n## ")[0]
    assert [item.name for item in fields(Deployment) if item.name != "extra" and f"`{item.name}`" not in section] == []
    assert [item.value for item in DeploymentState if f"`{item.value}`" not in section] == []


def test_the_reproduction_is_canonical_and_every_field_is_told() -> None:
    import jsonschema

    data = example("reproduction").encode()
    made = decode_reproduction(data, "reproductions/01a20af6586b7000ad3376d9e9ffcfe6/01a20af6586b7000ad3376d9e9ffcfe7.json")
    assert encode_reproduction(made) == data
    schema = json.loads(resources.files("runfolio.formats").joinpath("reproduction.schema.json").read_text())
    jsonschema.validate(json.loads(data), schema)
    section = TEXT.split("## Reproduction:")[1].split("\n## ")[0]
    names = [item.name for item in fields(Reproduction) if item.name != "extra"]
    assert [name for name in names if f"`{name}`" not in section or name not in schema["properties"]] == []
    assert [item.value for item in Outcome if f"`{item.value}`" not in section] == []


def test_the_dataset_is_what_we_write_and_every_field_is_told() -> None:
    data = example("dataset").encode()
    assert encode_dataset(decode_dataset(data, "datasets/wine.yaml")) == data
    section = TEXT.split("## Dataset:")[1].split("\n## ")[0]
    assert [key for key in DATASET_KEYS if f"`{key}`" not in section] == []


def test_the_facts_are_canonical_and_every_field_is_told() -> None:
    data = example("facts").encode()
    assert encode_facts(decode_facts(data, "datasets/wine/3dd41711122b88ad.json")) == data
    section = TEXT.split("## Facts of a content:")[1].split("\n## ")[0]
    told = {item.name for kind in (Facts, ColumnFacts) for item in fields(kind)} - {"extra", "manifest_size"}
    assert [name for name in told if f"`{name}`" not in section] == []


def test_policy_page_shows_a_policy_that_passes_its_own_examples() -> None:
    text = next(text for language, text in fenced("how-to/policy.md") if language == "yaml" and text.startswith("schema: 1"))
    policy = decode_policy(text.encode())
    assert [result.faults for result in run_examples(policy)] == [()]
    page = (DOCS / "how-to" / "policy.md").read_text("utf-8")
    assert [name for name in FLAGS if f"`{name}`" not in page] == []
