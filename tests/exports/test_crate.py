"""``runfolio export ro-crate``: the package rocrate reads the crate, RO-Crate's validator finds every MUST in it, bytes are those of the folio."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rocrate
from rocrate.rocrate import ROCrate

import runfolio
from runfolio.exports.json_lines import read_lines
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import Done, in_process
from tests.conftest import git
from tests.exports.conftest import Lab

CONTEXT = Path(rocrate.__file__).parent / "data/ro-crate.jsonld"
HERE = Path(__file__).parent
VALIDATOR = os.environ.get("RUNFOLIO_ROC_VALIDATOR", "")
"""The folder with RO-Crate's validator, which wants other versions of packages than we have, so that it lies apart (``.ci/test``)."""


def export(lab: Lab, target: Path, *options: str) -> Done:
    return in_process(lab.folder, "export", "ro-crate", str(target), *options)


def entities(target: Path) -> dict[str, dict[str, Any]]:
    graph = json.loads((target / "ro-crate-metadata.json").read_text())["@graph"]
    found = {item["@id"]: item for item in graph}
    assert len(found) == len(graph)
    return found


def ids(value: Any) -> list[str]:
    return [item["@id"] for item in (value if isinstance(value, list) else [value] if value else [])]


def issues(target: Path, tmp_path: Path) -> list[tuple[str, str]]:
    """What RO-Crate's validator says, with its severity; of what is recommended, too."""
    if not (VALIDATOR and Path(VALIDATOR, "rocrate_validator").is_dir()):
        pytest.skip("RO-Crate's validator is not at hand: pip install --target DIR roc-validator, and RUNFOLIO_ROC_VALIDATOR=DIR")
    done = subprocess.run(
        [sys.executable, str(HERE / "validate_crate.py"), str(target), str(tmp_path / "cache"), str(CONTEXT), "process-run-crate"],
        env={**os.environ, "PYTHONPATH": VALIDATOR, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("[") and line.endswith("]"))
    return [(severity, message) for severity, _, message, _ in json.loads(line)]


def test_rocrate_reads_it_and_writes_the_same_again(lab: Lab, tmp_path: Path) -> None:
    done = export(
        lab, tmp_path / "crate", "--artifacts", "--name", "Wine", "--license", "https://creativecommons.org/licenses/by/4.0/"
    )
    assert done.code == 0, done.err
    crate = ROCrate(str(tmp_path / "crate"))
    assert crate.name == "Wine"
    assert crate.root_dataset["license"].id == "https://creativecommons.org/licenses/by/4.0/"
    run = crate.get(f"#run-{lab.ids['parent']}")
    assert run.type == "CreateAction"
    assert run["agent"]["name"] == "Ada"
    assert {item["name"]: item["value"] for item in run["object"] if item.type == "PropertyValue"} == {
        "depth": "3",
        "note": "=HYPERLINK(1)",
    }
    values = {item["name"]: item["value"] for item in run["result"] if item.type == "PropertyValue"}
    assert values == {"acc": "0.30000000000000004", "far": "-Infinity", "gap": "NaN", "loss": str(1 / 42)}
    assert run["object"][0].type == "Dataset"
    crate.write(str(tmp_path / "again"))
    one, other = entities(tmp_path / "crate"), entities(tmp_path / "again")

    def plain(item: dict[str, Any]) -> dict[str, Any]:
        made = {}
        for key, value in item.items():
            listed = value if isinstance(value, list) else [value]
            made[key] = sorted(json.dumps(part, sort_keys=True) for part in listed)
        return made

    assert {name: plain(item) for name, item in one.items()} == {name: plain(item) for name, item in other.items()}


@pytest.mark.parametrize("copied", [True, False])
def test_the_validator_finds_every_must(lab: Lab, tmp_path: Path, copied: bool) -> None:
    found = export(lab, tmp_path / "crate", *(["--artifacts"] if copied else []), "--all")
    assert found.code == 0, found.err
    said = issues(tmp_path / "crate", tmp_path)
    assert [item for item in said if item[0] == "REQUIRED"] == []
    recommended = {message for _, message in said}
    allowed = (
        "not natively supported",
        "publisher",
        "affiliation",
        "SHOULD have a url",
        "SHOULD be an absolute URI",
        "SHOULD have a result",
    )
    assert [message for message in recommended if not any(part in message for part in allowed)] == []


def test_the_validator_would_find_a_run_without_its_instrument(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "crate")
    place = tmp_path / "crate/ro-crate-metadata.json"
    whole = json.loads(place.read_text())
    for item in whole["@graph"]:
        item.pop("instrument", None)
    place.write_text(json.dumps(whole))
    assert ("REQUIRED", "The Action MUST have an instrument property that references the executed tool") in issues(
        tmp_path / "crate", tmp_path
    )


def test_files_are_copied_or_named_by_uri_and_digest(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "with", "--artifacts")
    export(lab, tmp_path / "without")
    digest = hashlib.sha256(b"weights").hexdigest()
    inside = f"artifacts/{lab.ids['parent']}/model/weights.txt"
    assert (tmp_path / "with" / inside).read_bytes() == b"weights"
    assert (tmp_path / "with/artifacts" / lab.ids["parent"] / "notes/über uns.txt").read_text("utf-8") == "ein é\n"
    copied, named = entities(tmp_path / "with"), entities(tmp_path / "without")
    for found, name in ((copied, inside), (named, f"runs:/{lab.ids['parent']}/model/weights.txt")):
        assert found[name] == {
            "@id": name, "@type": "File", "name": "model/weights.txt", "contentSize": "7", "encodingFormat": "text/plain", "sha256": digest,
        }  # fmt: skip
        assert name in ids(found["./"]["hasPart"])
        assert name in ids(found[f"#run-{lab.ids['parent']}"]["result"])
        assert ids(found["#model-cultivar-1"]["isBasedOn"]) == [name]
    assert f"artifacts/{lab.ids['parent']}/notes/%C3%BCber%20uns.txt" in copied
    assert not (tmp_path / "without/artifacts").exists()


def test_the_records_themselves_are_in_it(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "crate")
    runs = [line.value.run_id for line in read_lines(tmp_path / "crate/records.jsonl") if line.kind == "run"]
    assert runs == sorted(lab.ids[name] for name in ("parent", "child-0", "child-1", "failed"))
    found = entities(tmp_path / "crate")
    assert {"records.jsonl", "records.schema.json", "export.json"} <= set(ids(found["./"]["hasPart"]))
    assert sorted(name for name in ids(found["./"]["mentions"]) if name.startswith("#run-")) == [f"#run-{run}" for run in runs]
    assert found["./"]["identifier"] == f"git commit {git(lab.folder, 'rev-parse', 'HEAD').strip()}"


def test_who_did_what_to_a_model_is_told(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "crate")
    found = entities(tmp_path / "crate")
    changes = [item for name, item in found.items() if name.startswith("#change-cultivar-")]
    assert [(item["@type"], item["name"].split(" from ")[0]) for item in changes] == [
        ("CreateAction", "version 1 registered"),
        ("UpdateAction", "version 1: None → Production"),
        ("UpdateAction", "alias champion: none → 1"),
    ]
    assert all(found[item["agent"]["@id"]]["name"] == "Ada" for item in changes)
    assert (found["#model-cultivar-1"]["creativeWorkStatus"], found["#model-cultivar-1"]["alternateName"]) == (
        "Production",
        "@champion",
    )
    failed = found[f"#run-{lab.ids['failed']}"]
    assert (failed["actionStatus"], failed["error"]) == ("http://schema.org/FailedActionStatus", "The run ended as FAILED.")
    assert found[f"#run-{lab.ids['child-0']}"]["isPartOf"] == {"@id": f"#run-{lab.ids['parent']}"}


def test_the_script_that_ran_lies_in_the_crate(lab: Lab, tmp_path: Path) -> None:
    (lab.folder / "train.py").write_text(
        "import runfolio\nwith runfolio.start_run(run_name='script'):\n    runfolio.log_param('a', 1)\n"
    )
    done = subprocess.run([sys.executable, "train.py"], cwd=lab.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    export(lab, tmp_path / "crate", "--run", "script")
    found = entities(tmp_path / "crate")
    (run,) = (item for name, item in found.items() if name.startswith("#run-"))
    code = run["instrument"]["@id"]
    assert found[code]["@type"] == ["File", "SoftwareSourceCode"]
    assert (tmp_path / "crate" / code).read_text() == (lab.folder / "train.py").read_text()


def test_the_crate_of_one_model_has_its_run_alone_and_the_bytes_are_the_same_again(lab: Lab, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert export(lab, tmp_path / name, "--model", "models:/cultivar/Production", "--artifacts").code == 0
    runs = [name for name in entities(tmp_path / "one") if name.startswith("#run-")]
    assert runs == [f"#run-{lab.ids['parent']}"]
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) == 6
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_a_file_that_the_store_lost_is_a_finding_and_named_by_uri(lab: Lab, tmp_path: Path) -> None:
    lab.lose("parent", "model/weights.txt")
    done = export(lab, tmp_path / "crate", "--artifacts")
    assert done.code == 1
    assert f"run {lab.ids['parent']}: model/weights.txt: it was not copied" in done.out
    name = f"runs:/{lab.ids['parent']}/model/weights.txt"
    assert name in ids(entities(tmp_path / "crate")["./"]["hasPart"])
    assert not (tmp_path / "crate/artifacts" / lab.ids["parent"] / "model/weights.txt").exists()


def test_a_live_run_has_no_end_and_an_empty_name_is_refused(lab: Lab, tmp_path: Path) -> None:
    runfolio.set_tracking_uri(lab.folder)
    runfolio.set_experiment("Wine")
    with runfolio.start_run(run_name="live") as live:
        runfolio.log_param("a", "")
        runfolio.flush()
        done = export(lab, tmp_path / "crate", "--run", live.info.run_id)
    forget_sessions()
    assert done.code == 0, done.err
    run = entities(tmp_path / "crate")[f"#run-{live.info.run_id}"]
    assert not {"endTime", "actionStatus", "error"} & set(run)
    refused = export(lab, tmp_path / "no", "--name", " ")
    assert refused.code == 2
    assert "--name" in refused.err
