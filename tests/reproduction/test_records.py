"""Verdicts in a folio: written once, found by run, checked with what they name, kept from the clean-up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runfolio.cli.reproduce import verdict_lines
from runfolio.folio import initialise
from runfolio.folio.checking import check
from runfolio.folio.folio import Folio
from runfolio.folio.in_use import in_use
from runfolio.formats import paths
from runfolio.records import new_run_id
from runfolio.records.reproductions import Deviation, Outcome, Reproduction
from runfolio.records.runs import ArtifactEntry
from runfolio.tracking.client import RunfolioClient


@pytest.fixture
def folio(tmp_path: Path) -> Iterator[Folio]:
    made = initialise(tmp_path / "lab").folio
    client = RunfolioClient(str(tmp_path / "lab"))
    run = client.create_run("0", run_name="first")
    client.log_metric(run.info.run_id, "accuracy", 0.5)
    client.set_terminated(run.info.run_id)
    made.commit()
    yield made
    made.close()


def run_of(folio: Folio) -> str:
    return folio.runs.resolve("first")


def test_the_newest_attempt_is_found_and_git_is_clean(folio: Folio) -> None:
    run_id = run_of(folio)
    log, size = folio.store.put_bytes(b"it ran\n")
    first = Reproduction(run_id, new_run_id(), Outcome.COULD_NOT_RUN, reason="no numpy", log=ArtifactEntry(log, size))
    second = Reproduction(run_id, new_run_id(), Outcome.EXACT, compared=1, exact=1)
    folio.reproductions.record(first)
    folio.reproductions.record(second)
    assert folio.reproductions.of_run(run_id) == [second, first]
    assert folio.reproductions.newest(run_id) == second
    assert folio.reproductions.all() == {run_id: [second, first]}
    assert folio.reproductions.newest("0" * 32) is None
    status = subprocess.run(["git", "status", "--porcelain"], cwd=folio.place.root, capture_output=True, check=True)
    assert status.stdout == b""
    said = folio.repo.run("log", "-2", "--format=%s").decode().splitlines()
    assert said == [
        f"reproductions: {run_id[:12]} reproduced, bit for bit",
        f"reproductions: {run_id[:12]} could not be run",
    ]
    assert check(folio) == []
    assert log in in_use(folio, folio.store, 0)


def test_check_names_what_is_wrong_with_a_verdict(folio: Folio) -> None:
    run_id = run_of(folio)
    lost = ArtifactEntry(folio.store.put_bytes(b"lost")[0], 4)
    made = Reproduction(run_id, new_run_id(), Outcome.EXACT, log=lost)
    where = folio.reproductions.record(made)
    folio.reproductions.record(Reproduction("a" * 32, new_run_id(), Outcome.EXACT))
    folio.store.delete(lost.digest)
    assert {(item.rule, item.field) for item in check(folio)} == {("reproduction.run", "run_id"), ("object.missing", "log")}
    file = folio.place.root / where
    file.write_bytes(file.read_bytes().replace(b'"exact"', b'"differs"'))
    assert any(item.file == where and item.rule == "work-tree.edited" for item in check(folio))
    subprocess.run(["git", "commit", "-qam", "edited"], cwd=folio.place.root, check=True)
    found = [item for item in check(folio) if item.rule == "reproduction.changed"]
    assert [item.file for item in found] == [where]
    assert "git checkout" in found[0].remedy
    file.write_bytes(b"{}\n")
    subprocess.run(["git", "commit", "-qam", "broken"], cwd=folio.place.root, check=True)
    assert {"reproduction.format", "reproduction.changed"} <= {item.rule for item in check(folio)}


def test_words_name_the_worst_metrics_first() -> None:
    metrics = {
        "a": Deviation(Outcome.DIFFERS, 1.0, 1.1, 0.09),
        "b": Deviation(Outcome.DIFFERS, 1.0, 2.0, 0.5),
        "c": Deviation(Outcome.DIFFERS, 1.0, None),
        "d": Deviation(Outcome.WITHIN_TOLERANCE, 1.0, 1.0, 1e-12),
    }
    made = Reproduction("r", "a" * 32, Outcome.DIFFERS, metrics=metrics)
    assert made.words == "differs: c is missing, b by 0.5 (rel), a by 0.09 (rel)"
    assert not made.verdict.reproduced


def test_a_verdict_is_no_code_of_a_run(folio: Folio) -> None:
    from runfolio.gitstore.codestate import code_tree
    from runfolio.tracking.source import record_rules

    def tree() -> str:
        return code_tree(folio.repo, record_rules(""), untracked_max_bytes=1000, runs_folder="runs").tree

    before = tree()
    folio.reproductions.record(Reproduction(run_of(folio), new_run_id(), Outcome.EXACT))
    assert tree() == before
    assert paths.reproduction_of_path("reproductions/x/y.json") is None


def test_packages_of_another_version_are_told_before_those_of_one_list_alone() -> None:
    packages = {**{f"a{number:02}": ("", "1.0") for number in range(30)}, "scipy": ("1.11.0", "1.12.0")}
    made = Reproduction("r" * 32, "a" * 32, Outcome.EXACT, packages=packages)
    told = [line.strip() for line in verdict_lines(made) if "package" in line]
    assert told[:2] == ["package scipy 1.11.0 → 1.12.0", "package a00 – → 1.0"]
    assert len(told) == 12 and told[-1] == "… and 20 packages more that are in one of the lists alone (--json names all)"
