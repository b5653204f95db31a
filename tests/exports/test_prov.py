"""``runfolio export prov``: the prov package reads the document, and its relations are those of the records."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import prov.model as w3c
import pytest

import runfolio
from runfolio.exports.prov import PREFIXES, file_name
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import Done, in_process
from tests.exports.conftest import Lab

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:prov.*")


def export(lab: Lab, target: Path, *options: str) -> Done:
    return in_process(lab.folder, "export", "prov", str(target), *options)


def read(target: Path) -> w3c.ProvDocument:
    found = w3c.ProvDocument.deserialize(str(target))
    assert isinstance(found, w3c.ProvDocument)
    return found


def pairs(document: w3c.ProvDocument, kind: type[Any], first: str, second: str) -> set[tuple[str, str]]:
    """Two parts of each relation of a kind, by name."""
    made = set()
    for record in document.get_records(kind):
        parts = {str(name): str(value) for name, value in record.formal_attributes}
        if first in parts and second in parts:
            made.add((parts[first], parts[second]))
    return made


def names(document: w3c.ProvDocument, kind: type[Any], prefix: str) -> set[str]:
    return {str(item.identifier) for item in document.get_records(kind) if str(item.identifier).startswith(prefix)}


def test_the_document_is_read_and_comes_back_equal(lab: Lab, tmp_path: Path) -> None:
    done = export(lab, tmp_path / "lineage.json")
    assert done.code == 0, done.err
    document = read(tmp_path / "lineage.json")
    again = w3c.ProvDocument.deserialize(content=document.serialize())
    assert document == again
    assert len(document.unified().records) == len(document.records)
    assert {item.prefix: item.uri for item in document.namespaces if item.prefix in PREFIXES} == PREFIXES
    assert "endDocument" in document.get_provn()


def test_every_relation_ends_at_something_that_is_there(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "lineage.json", "--all")
    document = read(tmp_path / "lineage.json")
    there = {item.identifier for item in document.get_records((w3c.ProvElement,))}
    for record in document.get_records(w3c.ProvRelation):
        for name, value in record.formal_attributes:
            if value is not None and str(name) not in ("prov:time", "prov:startTime", "prov:endTime"):
                assert value in there, (record, name)


def test_runs_use_data_and_code_and_make_files(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "lineage.json")
    document = read(tmp_path / "lineage.json")
    parent = f"run:{lab.ids['parent']}"
    used = pairs(document, w3c.ProvUsage, "prov:activity", "prov:entity")
    kinds = {entity.partition(":")[0] for activity, entity in used if activity == parent}
    assert kinds == {"code", "dataset", "environment"}
    made = pairs(document, w3c.ProvGeneration, "prov:entity", "prov:activity")
    weights, about = (file_name(lab.ids["parent"], path) for path in ("model/weights.txt", "notes/über uns.txt"))
    assert {(weights, parent), (about, parent)} <= made
    informed = pairs(document, w3c.ProvCommunication, "prov:informed", "prov:informant")
    assert informed == {(f"run:{lab.ids[name]}", parent) for name in ("child-0", "child-1")}
    people = pairs(document, w3c.ProvAssociation, "prov:activity", "prov:agent")
    assert (parent, "person:Ada") in people
    (run,) = document.get_record(parent)
    assert {"depth=3", "note==HYPERLINK(1)"} <= set(run.get_attribute("folio:param"))
    assert {"gap=NaN", "far=-Infinity"} <= set(run.get_attribute("folio:metric"))


def test_a_version_comes_of_its_files_and_goes_to_its_stage(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "lineage.json")
    document = read(tmp_path / "lineage.json")
    weights = file_name(lab.ids["parent"], "model/weights.txt")
    derived = pairs(document, w3c.ProvDerivation, "prov:generatedEntity", "prov:usedEntity")
    assert derived == {("model:cultivar/1", weights)}
    special = pairs(document, w3c.ProvSpecialization, "prov:specificEntity", "prov:generalEntity")
    ((staged, version),) = special
    assert staged.startswith("model:cultivar/1/in/Production/")
    assert version == "model:cultivar/1"
    made = dict(pairs(document, w3c.ProvGeneration, "prov:entity", "prov:activity"))
    (promotion,) = document.get_record(made[staged])
    assert [str(label) for label in promotion.get_attribute("prov:label")] == ["version 1: None → Production"]
    assert (made[staged], version) in pairs(document, w3c.ProvUsage, "prov:activity", "prov:entity")


def test_the_lineage_of_one_run_has_those_above_and_below_it(lab: Lab, tmp_path: Path) -> None:
    def runs(*options: str) -> set[str]:
        done = export(lab, tmp_path / "one.json", *options)
        assert done.code == 0, done.err
        return names(read(tmp_path / "one.json"), w3c.ProvActivity, "run:")

    family = {f"run:{lab.ids[name]}" for name in ("parent", "child-0", "child-1")}
    assert runs("--run", "child-0") == family - {f"run:{lab.ids['child-1']}"}
    of_models = names(read(tmp_path / "one.json"), w3c.ProvEntity, "model:")
    assert {name.partition("/in/")[0] for name in of_models} == {"model:cultivar/1"}
    assert runs("--run", lab.ids["parent"]) == family
    assert runs("--run", lab.ids["failed"]) == {f"run:{lab.ids['failed']}"}
    assert not names(read(tmp_path / "one.json"), w3c.ProvEntity, "model:")
    assert runs("--model", "models:/cultivar@champion") == {f"run:{lab.ids['parent']}"}
    assert "model:cultivar/1" in names(read(tmp_path / "one.json"), w3c.ProvEntity, "model:")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--run", "nobody"), 11),
        (("--model", "models:/none/1"), 11),
        (("--model", "cultivar"), 2),
        (("--run", "parent", "--all"), 2),
    ],
)
def test_what_is_not_there_is_said(lab: Lab, tmp_path: Path, options: tuple[str, ...], code: int) -> None:
    assert export(lab, tmp_path / "no.json", *options).code == code
    assert not (tmp_path / "no.json").exists()


def test_data_that_a_run_made_links_it_to_the_run_that_read_it(lab: Lab, tmp_path: Path) -> None:
    data = lab.folder / "clean.csv"
    data.write_text("a,b\n1,2\n")
    runfolio.set_tracking_uri(lab.folder)
    runfolio.set_experiment("Steps")
    with runfolio.start_run(run_name="cleaning") as cleaning:
        runfolio.log_artifact(str(data))
    forget_sessions()
    assert in_process(lab.folder, "data", "add", str(data)).code == 0
    runfolio.set_tracking_uri(lab.folder)
    runfolio.set_experiment("Steps")
    here = Path.cwd()
    os.chdir(lab.folder)
    try:
        with runfolio.start_run(run_name="training") as training:
            runfolio.log_input(runfolio.data.from_folio("clean"))
    finally:
        os.chdir(here)
    forget_sessions()
    export(lab, tmp_path / "lineage.json", "--experiment", "Steps")
    document = read(tmp_path / "lineage.json")
    used = pairs(document, w3c.ProvUsage, "prov:activity", "prov:entity")
    (dataset,) = {name for activity, name in used if activity == f"run:{training.info.run_id}" and name.startswith("dataset:")}
    derived = pairs(document, w3c.ProvDerivation, "prov:generatedEntity", "prov:usedEntity")
    assert (dataset, file_name(cleaning.info.run_id, "clean.csv")) in derived


def test_an_earlier_document_is_replaced_and_another_file_is_not(lab: Lab, tmp_path: Path) -> None:
    target = tmp_path / "lineage.json"
    assert export(lab, target).code == 0
    first = target.read_bytes()
    assert export(lab, target).code == 0
    assert target.read_bytes() == first
    target.write_text(json.dumps({"mine": 1}))
    refused = export(lab, target)
    assert (refused.code, target.read_text()) == (13, '{"mine": 1}')
    assert "--force" in refused.err
    assert export(lab, target, "--force").code == 0
    assert target.read_bytes() == first
    assert export(lab, tmp_path).code == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".lineage")) == []


def test_a_file_that_the_store_lost_is_a_finding(lab: Lab, tmp_path: Path) -> None:
    digest = lab.lose("parent", "model/weights.txt")
    done = export(lab, tmp_path / "lineage.json")
    assert done.code == 1
    assert digest in done.out
    assert file_name(lab.ids["parent"], "model/weights.txt") in names(read(tmp_path / "lineage.json"), w3c.ProvEntity, "file:")
