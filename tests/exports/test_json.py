"""``runfolio export json``: what is read back equals the records, field by field."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import runfolio
from runfolio.errors import DamagedError
from runfolio.exports import lines
from runfolio.exports.json_lines import read_lines
from runfolio.folio import Folio, open_folio
from runfolio.folio.folio import Folio as OpenFolio
from runfolio.records import Experiment, MetricPoint, Run
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.tracking.session import forget_sessions
from tests import strategies
from tests.cli.conftest import in_process
from tests.conftest import git
from tests.exports.conftest import Lab
from tests.formats.test_models import MODELS, VERSIONS

CHECKER = jsonschema.Draft202012Validator(json.loads(lines.schema_text()))
POINTS = st.builds(MetricPoint, st.just("loss"), st.floats(), strategies.times, st.integers(-(2**70), 2**70))


def plain(value: Any) -> Any:
    """A record as plain data, in which a NaN equals another."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return "NaN" if value != value else value


def there_and_back(fields: dict[str, Any]) -> Any:
    text = lines.encode_line(fields)
    assert text.isascii()
    assert text.count("\n") == 1
    CHECKER.validate(json.loads(text))
    return lines.decode_line(text).value


@given(strategies.runs())
def test_a_run_comes_back_field_by_field(run: Run) -> None:
    assert plain(there_and_back(lines.run_line(run))) == plain(run)


@given(strategies.experiments())
def test_an_experiment_comes_back_field_by_field(experiment: Experiment) -> None:
    assert plain(there_and_back(lines.experiment_line(experiment))) == plain(experiment)


@given(MODELS, VERSIONS)
def test_a_model_and_a_version_come_back_field_by_field(model: RegisteredModel, version: ModelVersion) -> None:
    assert plain(there_and_back(lines.model_line(model))) == plain(model)
    assert plain(there_and_back(lines.version_line("wine", version))) == plain(version)


@given(st.lists(POINTS, max_size=5))
def test_points_come_back_in_their_order(points: list[MetricPoint]) -> None:
    assert plain(there_and_back(lines.points_line("ab", "loss", points))) == plain(points)


@given(st.dictionaries(strategies.texts, strategies.entries, max_size=4))
def test_files_come_back(files: dict[str, Any]) -> None:
    assert there_and_back(lines.artifacts_line("ab", files)) == files


def test_the_schema_is_one_and_refuses_what_is_no_line() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(lines.schema_text()))
    for wrong in (
        {"kind": "run", "path": "x"},
        {"kind": "run", "path": "x", "record": {"schema": 1}},
        {"kind": "points", "run_id": "a", "key": "b", "steps": [0.5], "times": [1], "values": [1]},
        {"kind": "points", "run_id": "a", "key": "b", "steps": [1], "times": [1], "values": ["nan"]},
        {"kind": "other"},
        {},
    ):
        assert not CHECKER.is_valid(wrong), wrong


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"kind": "other"}', '{"kind": "run", "record": {}}', '{"kind": "run", "record": {"schema": 1}}',
     '{"kind": "points", "key": "a", "steps": [1], "times": [], "values": []}', '{"kind": "model", "path": "x", "record": {}}',
     '{"kind": "facts", "record": 3}'],
)  # fmt: skip
def test_a_line_that_is_none_is_named(text: str) -> None:
    with pytest.raises(DamagedError):
        lines.decode_line(text, "records.jsonl: line 7")


def test_an_export_read_back_is_the_folio(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out"
    data = lab.folder / "data.csv"
    data.write_text("a,b\n1,2\n")
    assert in_process(lab.folder, "data", "add", str(data)).code == 0
    with_many(lab)
    done = in_process(lab.folder, "export", "json", str(target), "--all")
    assert done.code == 0, done.err + done.out
    read = list(read_lines(target / "records.jsonl"))
    checker = jsonschema.Draft202012Validator(json.loads((target / "records.schema.json").read_text("utf-8")))
    for line in read:
        checker.validate(line.fields)
    folio = open_folio(lab.folder)
    try:
        compare(folio, read, git(lab.folder, "rev-parse", "HEAD").strip())
    finally:
        folio.close()


def with_many(lab: Lab) -> None:
    """Add a run with more files than a record lists."""
    runfolio.set_tracking_uri(lab.folder)
    runfolio.set_experiment("Other")
    with runfolio.start_run(run_name="many") as run:
        lab.ids["many"] = run.info.run_id
        for number in range(201):
            runfolio.log_text(str(number % 7), f"files/{number}.txt")
    forget_sessions()


def compare(folio: Folio | OpenFolio, read: list[lines.Line], commit: str) -> None:
    """Compare what was read with what the folio says."""

    def of(kind: str) -> list[Any]:
        return [line.value for line in read if line.kind == kind]

    assert (read[0].kind, read[0].fields["commit"]) == ("export", commit)
    ids = [run.run_id for run in of("run")]
    assert len(ids) == 6
    assert plain(of("run")) == plain([folio.runs.get(run_id) for run_id in sorted(ids)])
    histories: dict[str, list[MetricPoint]] = {}
    for line in read:
        if line.kind == "points":
            histories.setdefault(line.fields["run_id"], []).extend(line.value)
    for run_id in ids:
        assert plain(histories.get(run_id, [])) == plain(list(folio.runs.history(folio.runs.get(run_id)))), run_id
    assert {item.slug: item for item in of("experiment")} == {item.slug: item for item in folio.experiments.all()}
    (model,) = of("model")
    assert model == folio.models.find("cultivar")
    assert of("version") == folio.models.versions(model)
    assert of("dataset") == folio.datasets.all()
    assert len(of("facts")) == 1
    (files,) = of("artifacts")
    assert len(files) == 201
    assert files == folio.runs.artifacts(next(run for run in map(folio.runs.get, ids) if run.manifest))
    locks = {str(folio.runs.get(run_id).environment["lock"]) for run_id in ids}
    assert {line.fields["path"] for line in read if line.kind == "environment"} == {f"environments/{lock}.txt" for lock in locks}
    assert next(line.fields["event"] for line in read if line.kind == "event") == "created"


def test_what_cannot_be_read_is_a_finding_and_the_rest_is_there(lab: Lab, tmp_path: Path) -> None:
    lab.lose("parent", "model/weights.txt")
    for path in lab.folder.glob("environments/*.txt"):
        git(lab.folder, "rm", "-q", str(path))
    git(lab.folder, "commit", "-qm", "no lists")
    for path in (lab.folder / ".git/runfolio/environments").glob("*.txt"):
        path.unlink()
    done = in_process(lab.folder, "export", "json", str(tmp_path / "out"), "--json")
    assert done.code == 1
    found = [item["where"] for item in json.loads(done.out)["findings"]]
    assert f"run {lab.ids['parent']}: model/weights.txt" in found
    assert [where for where in found if where.startswith("environments/")]
    assert len([line for line in read_lines(tmp_path / "out/records.jsonl") if line.kind == "run"]) == 4


def test_a_damaged_verdict_or_fact_is_a_finding(lab: Lab, tmp_path: Path) -> None:
    data = lab.folder / "data.csv"
    data.write_text("a,b\n1,2\n")
    assert in_process(lab.folder, "data", "add", str(data)).code == 0
    facts = next(lab.folder.glob("datasets/*/*.json"))
    facts.write_text("{ torn")
    verdict = lab.folder / f"reproductions/{lab.ids['parent']}/{'0' * 32}.json"
    verdict.parent.mkdir(parents=True)
    verdict.write_text("{ torn")
    deployment = lab.folder / "models/cultivar/deployments/prod.json"
    deployment.parent.mkdir(parents=True)
    deployment.write_text("{ torn")
    git(lab.folder, "add", ".")
    git(lab.folder, "commit", "-qm", "tear")
    done = in_process(lab.folder, "export", "json", str(tmp_path / "out"), "--json")
    assert done.code == 1, done.err
    found = [item["where"] for item in json.loads(done.out)["findings"]]
    wanted = [path.relative_to(lab.folder).as_posix() for path in (facts, verdict, deployment.parent)]
    assert [where for where in found if where in wanted] == [wanted[1], wanted[0], wanted[2]]
