"""Every fault is named with file and field; a folio in order has none."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runfolio.errors import NotFoundError
from runfolio.folio import initialise
from runfolio.folio.checking import check
from runfolio.folio.opening import open_folio
from runfolio.formats import paths
from runfolio.formats.canonical import dump
from runfolio.gitstore.checkout import write_note
from runfolio.records.findings import Finding, Severity
from tests.folio.damage import ENVIRONMENT, LOCK, Damage, Rich, add_run, amend, git, random_change


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rich]:
    with pytest.MonkeyPatch.context() as patch:
        for key, value in ENVIRONMENT.items():
            patch.setenv(key, value)
        patch.delenv("RUNFOLIO_SPOOL", raising=False)
        patch.delenv("RUNFOLIO_ARTIFACTS", raising=False)
        yield Rich(tmp_path_factory.mktemp("rich") / "folio")


@pytest.fixture
def case(rich: Rich, tmp_path: Path) -> Iterator[Damage]:
    place = tmp_path / "copy"
    shutil.copytree(rich.place, place, symlinks=True)
    made = Damage(place, rich.ids)
    yield made
    made.folio.close()


def found(findings: list[Finding], rule: str, file: str, field: str = "") -> Finding:
    """Return the finding of a rule, and see that it says where and what to do."""
    match = [item for item in findings if item.rule == rule and item.file == file and item.field == field]
    assert match, "\n".join(f"{item.file}: {item.line()}" for item in findings) or "no finding at all"
    assert match[0].message
    return match[0]


def short(case: Damage) -> str:
    return case.path("short")


def series(case: Damage) -> str:
    return paths.series_path(case.path("short"))


def swap(case: Damage, first: str, second: str) -> None:
    case.commit_all({first: case.read(second), second: case.read(first)})


Make = Callable[[Damage], object]
Where = Callable[[Damage], str]
COMMITTED: list[tuple[str, Make, str, Where, str]] = [
    # bytes
    ("cut", lambda c: c.commit_all({short(c): c.read(short(c))[:200]}), "run.format", short, "artifacts.notes/1.txt"),
    ("empty", lambda c: c.commit_all({short(c): b""}), "run.format", short, ""),
    ("trailing junk", lambda c: c.commit_all({short(c): c.read(short(c)) + b"\n"}), "run.format", short, ""),
    ("byte order mark", lambda c: c.commit_all({short(c): b"\xef\xbb\xbf" + c.read(short(c))}), "run.format", short, ""),
    ("crlf", lambda c: c.commit_all({short(c): c.read(short(c)).replace(b"\n", b"\r\n")}), "run.format", short, ""),
    ("not utf-8", lambda c: c.replace(short(c), b"gini", b"g\xffni"), "run.format", short, ""),
    ("indented by hand", lambda c: c.replace(short(c), b'  "start"', b'    "start"'), "run.format", short, "series.start"),
    ("doubled key", lambda c: c.replace(short(c), b'  "start"', b'  "name": "x",\n  "start"'), "run.format", short, ""),
    (
        "merge markers",
        lambda c: c.replace(short(c), b'  "start"', b'<<<<<<< HEAD\n  "start"'),
        "run.format",
        short,
        "series.whole",
    ),
    ("nan literal", lambda c: c.replace(short(c), b'"last": 0.501', b'"last": NaN'), "run.format", short, ""),
    ("number too large", lambda c: c.replace(short(c), b'"last": 0.501', b'"last": 1e400'), "run.format", short, ""),
    # fields
    ("newer schema", lambda c: c.edit(short(c), lambda v: v.update(schema=9)), "schema.newer", short, "schema"),
    ("no schema", lambda c: c.edit(short(c), lambda v: v.pop("schema")), "run.format", short, "schema"),
    ("field missing", lambda c: c.edit(short(c), lambda v: v.pop("status")), "run.format", short, "status"),
    ("unknown status", lambda c: c.edit(short(c), lambda v: v.update(status="DONE")), "run.format", short, "status"),
    ("start as text", lambda c: c.edit(short(c), lambda v: v.update(start="now")), "run.format", short, "start"),
    ("param as number", lambda c: c.edit(short(c), lambda v: v["params"].update(depth=3)), "run.format", short, "params.depth"),
    (
        "metric as text",
        lambda c: c.edit(short(c), lambda v: v["metrics"]["loss"].update(last="high")),
        "run.format",
        short,
        "metrics.loss",
    ),
    (
        "digest cut",
        lambda c: c.edit(short(c), lambda v: v["artifacts"]["notes/0.txt"].update(digest="sha256:12")),
        "run.format",
        short,
        "artifacts.notes/0.txt",
    ),
    (
        "metric name climbs out",
        lambda c: c.edit(short(c), lambda v: v["params"].update({"../x": "1"})),
        "run.names",
        short,
        "params",
    ),
    (
        "artifact climbs out",
        lambda c: c.edit(short(c), lambda v: v["artifacts"].update({"../x": v["artifacts"]["notes/0.txt"]})),
        "run.names",
        short,
        "artifacts",
    ),
    # path and content
    ("another id", lambda c: c.edit(short(c), lambda v: v.update(run_id=c.ids["long"])), "run.path", short, "run_id"),
    ("another experiment", lambda c: c.edit(short(c), lambda v: v.update(experiment="beer")), "run.path", short, "experiment"),
    (
        "wrong day",
        lambda c: c.commit_all({short(c).replace("/2026-11/", "/2026-10/"): c.read(short(c))}),
        "run.path",
        lambda c: short(c).replace("/2026-11/", "/2026-10/"),
        "start",
    ),
    ("two records swapped", lambda c: swap(c, short(c), c.path("long")), "run.path", short, "run_id"),
    (
        "one id twice",
        lambda c: c.commit_all({"runs/wine/2026-10/01/" + c.ids["long"] + ".json": c.read(c.path("long"))}),
        "run.same-id",
        lambda c: c.path("long"),
        "run_id",
    ),
    # times
    ("end before start", lambda c: c.edit(short(c), lambda v: v.update(end=v["start"] - 5)), "run.times", short, "end"),
    ("far future", lambda c: c.edit(short(c), lambda v: v.update(end=9_999_999_999_999)), "run.times", short, "end"),
    ("no end", lambda c: c.edit(short(c), lambda v: v.pop("end")), "run.times", short, "end"),
    # histories
    ("histories gone", lambda c: c.commit_all({series(c): None}), "series.missing", series, ""),
    ("histories without run", lambda c: c.commit_all({short(c): None}), "series.orphan", series, ""),
    ("histories cut", lambda c: c.commit_all({series(c): c.read(series(c))[:90]}), "series.format", series, "metrics.accuracy"),
    (
        "histories of another run",
        lambda c: c.edit(series(c), lambda v: v.update(run_id=c.ids["long"])),
        "series.run",
        series,
        "run_id",
    ),
    ("points miscounted", lambda c: c.edit(short(c), lambda v: v["series"].update(points=7)), "series.run", series, "points"),
    (
        "columns uneven",
        lambda c: c.edit(series(c), lambda v: v["metrics"]["loss"]["steps"].pop()),
        "series.format",
        series,
        "metrics.loss",
    ),
    (
        "a point changed",
        lambda c: c.edit(series(c), lambda v: v["metrics"]["loss"]["values"].__setitem__(0, 5.0)),
        "series.summary",
        series,
        "metrics.loss.max",
    ),
    (
        "an inner point changed",
        lambda c: c.edit(series(c), lambda v: v["metrics"]["loss"]["values"].__setitem__(4, 0.21)),
        "series.edited",
        series,
        "",
    ),
    (
        "best value changed",
        lambda c: c.edit(short(c), lambda v: v["metrics"]["loss"].update(min=0.01)),
        "series.summary",
        series,
        "metrics.loss.min",
    ),
    ("series dropped", lambda c: c.edit(short(c), lambda v: v.pop("series")), "run.series", short, "series"),
    # references
    ("parent gone", lambda c: c.commit_all({short(c): None, series(c): None}), "run.parent", lambda c: c.path("child"), "parent"),
    (
        "experiment gone",
        lambda c: c.commit(**{"experiments/wine.yaml": None}),
        "run.experiment",
        lambda c: "experiments/wine.yaml",
        "",
    ),
    (
        "baseline gone",
        lambda c: c.commit_all({"experiments/wine.yaml": c.read("experiments/wine.yaml") + b"baseline: 0abc\n"}),
        "experiment.baseline",
        lambda c: "experiments/wine.yaml",
        "baseline",
    ),
    (
        "experiment misspelt",
        lambda c: c.commit_all({"experiments/wine.yaml": b"schema: 1\nobjective: {metric: a, direction: up}\n"}),
        "experiment.format",
        lambda c: "experiments/wine.yaml",
        "objective.direction",
    ),
    (
        "two experiments of one name",
        lambda c: c.commit_all({"experiments/wine-2.yaml": b"schema: 1\nname: Wine\n"}),
        "experiment.same-name",
        lambda c: "experiments/wine.yaml",
        "name",
    ),
    (
        "package list gone",
        lambda c: c.commit_all({f"environments/{LOCK}.txt": None}),
        "run.environment",
        short,
        "environment.lock",
    ),
    (
        "package list changed",
        lambda c: c.commit_all({f"environments/{LOCK}.txt": b"numpy==1\n"}),
        "environment.name",
        lambda c: f"environments/{LOCK}.txt",
        "",
    ),
    (
        "lock misnamed",
        lambda c: c.edit(short(c), lambda v: v["environment"].update(lock="xyz")),
        "run.environment",
        short,
        "environment.lock",
    ),
    ("code misnamed", lambda c: c.edit(short(c), lambda v: v["code"].update(tree="xyz")), "code.id", short, "code.tree"),
    ("code gone", lambda c: c.edit(short(c), lambda v: v["code"].update(tree="1" * 40)), "code.missing", short, "code.tree"),
    (
        "object gone",
        lambda c: c.edit(short(c), lambda v: v["artifacts"]["notes/1.txt"].update(digest="sha256:" + "1" * 64)),
        "object.missing",
        short,
        "artifacts.notes/1.txt",
    ),
    (
        "object size",
        lambda c: c.edit(short(c), lambda v: v["artifacts"]["notes/1.txt"].update(size=3)),
        "object.size",
        short,
        "artifacts.notes/1.txt",
    ),
    (
        "artifact count",
        lambda c: c.edit(c.path("wide"), lambda v: v.update(artifact_count=3)),
        "object.manifest",
        lambda c: c.path("wide"),
        "artifact_count",
    ),
    # edits in canonical spelling, which only history shows
    ("param edited", lambda c: c.edit(short(c), lambda v: v["params"].update(depth="7")), "run.edited", short, "params.depth"),
    (
        "metric edited",
        lambda c: c.edit(c.path("child"), lambda v: v["metrics"]["accuracy"].update(last=0.99)),
        "run.edited",
        lambda c: c.path("child"),
        "metrics.accuracy.last",
    ),
    ("notice taken away", lambda c: c.edit(short(c), lambda v: v.pop("notices")), "run.edited", short, "notices"),
    (
        "resumption forged",
        lambda c: c.edit(short(c), lambda v: (v.update(resumed=[5]), v["params"].pop("depth"))),
        "run.edited",
        short,
        "params.depth",
    ),
    ("run removed", lambda c: c.commit_all({c.path("child"): None}), "run.removed", lambda c: c.path("child"), ""),
    # names
    (
        "unknown file",
        lambda c: c.commit_all({"runs/wine/notes.txt": b"hello"}),
        "file.unknown",
        lambda c: "runs/wine/notes.txt",
        "",
    ),
    (
        "letters of another case",
        lambda c: c.commit_all({"runs/Wine/2026-11/18/a.json": b"{}\n"}),
        "file.case",
        lambda c: "runs/wine",
        "",
    ),
    (
        "settings misspelt",
        lambda c: c.commit_all({"runfolio.yaml": b"schema: 1\ndurabilty: power\n"}),
        "settings.format",
        lambda c: "runfolio.yaml",
        "durabilty",
    ),
    (
        "retention filter",
        lambda c: c.commit_all({"runfolio.yaml": b"schema: 1\nretention:\n  - filter: metrics.a >\n    older_than: 9d\n"}),
        "settings.filter",
        lambda c: "runfolio.yaml",
        "retention[0].filter",
    ),
]


@pytest.mark.parametrize(
    ("make", "rule", "where", "field"), [entry[1:] for entry in COMMITTED], ids=[entry[0] for entry in COMMITTED]
)
def test_committed_fault_is_named_with_file_and_field(case: Damage, make: Make, rule: str, where: Where, field: str) -> None:
    file = where(case)
    make(case)
    assert found(check(case.folio, rev="HEAD"), rule, file, field).remedy or rule == "schema.newer"


def test_a_retention_filter_that_cannot_be_read_is_named_with_its_line(case: Damage) -> None:
    case.commit_all({"runfolio.yaml": b"schema: 1\nretention:\n  - older_than: 9d\n    filter: metrics.a >\n"})
    said = found(check(case.folio, rev="HEAD"), "settings.filter", "runfolio.yaml", "retention[0].filter").message
    assert said.endswith("(line 4)") and "\n" not in said


def test_folio_in_order_has_no_finding(case: Damage) -> None:
    assert check(case.folio, read_data=1.0) == []


def test_deleting_restoring_and_resuming_by_runfolio_is_no_finding(case: Damage) -> None:
    run_id = case.ids["child"]
    amend(case.folio, run_id, ("t", "note", "twice"), ("p", "late", "1"), ("m", "accuracy", 0.7, 5, 9), ("name", "better"))
    for number, state in enumerate(("deleted", "active", "deleted")):
        run = case.folio.runs.committed(run_id)
        assert run is not None
        writer = case.folio.start({"amend": True, "run_id": run_id, "experiment": "wine", "start": run.start})
        writer.event("life", state, run.start + number)
        assert case.folio.spool.seal(writer)
        assert case.folio.commit().folded == 1
    assert check(case.folio) == []


def test_removing_a_deleted_run_is_no_finding(case: Damage) -> None:
    run = case.folio.runs.committed(case.ids["child"])
    assert run is not None
    writer = case.folio.start({"amend": True, "run_id": run.run_id, "experiment": "wine", "start": run.start})
    writer.event("life", "deleted", run.start)
    assert case.folio.spool.seal(writer)
    case.folio.commit()
    path = case.path("child")
    case.commit_all({path: None})
    assert check(case.folio) == []


def test_edited_record_that_was_brought_back_is_no_finding(case: Damage) -> None:
    good = case.read(short(case))
    case.edit(short(case), lambda value: value["params"].update(depth="7"))
    found(check(case.folio), "run.edited", short(case), "params.depth")
    case.commit_all({short(case): good})
    assert check(case.folio) == []


def test_remedy_names_the_commit_that_still_has_the_record(case: Damage) -> None:
    path, good = short(case), case.read(short(case))
    case.commit_all({path: good[:100]})
    remedy = next(item.remedy for item in check(case.folio, rev="HEAD") if item.rule == "run.format")
    args = remedy.partition("git ")[2].split()
    git(case.place, *args)
    assert (case.place / path).read_bytes() == good


def test_one_bad_record_hides_no_other(case: Damage) -> None:
    records = [case.path(name) for name in case.ids]
    case.commit_all(dict.fromkeys(records, b"{"))
    named = {item.file for item in check(case.folio) if item.rule == "run.format"}
    assert named == set(records)


def test_every_wrong_field_of_a_record_is_named_at_once(case: Damage) -> None:
    case.edit(short(case), lambda value: value.update(start="x", status=1, params=[], end=True))
    fields = {item.field for item in check(case.folio, rev="HEAD") if item.rule == "run.format"}
    assert fields == {"start", "status", "params", "end"}


def test_wrong_fields_are_named_also_in_another_spelling(case: Damage) -> None:
    path = short(case)
    fields = {**json.loads(case.read(path)), "status": "DONE", "start": "now"}
    case.commit_all({path: json.dumps(fields).encode()})
    findings = check(case.folio)
    assert "canonical spelling" in found(findings, "run.format", path).message
    assert "one of RUNNING, SCHEDULED, FINISHED" in found(findings, "run.format", path, "status").message
    found(findings, "run.format", path, "start")


@pytest.mark.parametrize(("mode", "word"), [("120000", "symbolic link"), ("160000", "submodule"), ("100755", "executable")])
def test_link_submodule_and_executable_in_place_of_a_record_are_named(case: Damage, mode: str, word: str) -> None:
    path = case.path("child")
    oid = git(case.place, "rev-parse", "HEAD" if mode == "160000" else f"HEAD:{path}").strip()
    git(case.place, "update-index", "--cacheinfo", f"{mode},{oid},{path}")
    git(case.place, "commit", "-qm", "by hand")
    assert word in found(check(case.folio, rev="HEAD"), "file.mode", path).message


def test_damaged_tree_is_named_and_the_other_folders_are_checked(case: Damage) -> None:
    case.commit_all({"experiments/wine.yaml": b"schema: x\n"})
    oid = git(case.place, "rev-parse", "HEAD:runs/wine/2026-11").strip()
    break_git_object(case, oid, lambda data: data[:10])
    with closing(open_folio(case.place)) as folio:
        findings = check(folio, rev="HEAD")
    found(findings, "git.tree", "runs/wine/2026-11")
    found(findings, "experiment.format", "experiments/wine.yaml", "schema")


def test_unknown_revision_is_refused(case: Damage) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        check(case.folio, rev="nowhere")


def test_past_revision_is_checked_without_the_present_faults(case: Damage) -> None:
    case.commit_all({short(case): b"{"})
    assert check(case.folio, rev="HEAD~1") == []


def test_clone_without_any_object_gets_one_finding_for_all(case: Damage) -> None:
    shutil.rmtree(case.place / ".git" / "runfolio" / "objects")
    missing = [item for item in check(case.folio) if item.rule == "object.missing"]
    assert len(missing) <= 21 and all(item.severity is Severity.ERROR for item in missing)


def test_a_package_list_that_is_gone_is_one_finding_whatever_the_number_of_runs(case: Damage) -> None:
    case.edit(case.path("wide"), lambda v: v.setdefault("environment", {}).update(lock=LOCK))
    case.commit_all({f"environments/{LOCK}.txt": None})
    (one,) = [item for item in check(case.folio) if item.rule == "run.environment"]
    assert re.search(r"is not there \(nor for 1 more run\)", one.message)


def test_records_alone_are_no_worse_for_objects_that_lie_in_another_clone(case: Damage) -> None:
    shutil.rmtree(case.place / ".git" / "runfolio" / "objects")
    (one,) = check(case.folio, rev="HEAD")
    assert (one.rule, one.severity) == ("object.elsewhere", Severity.WARNING)
    assert "git does not carry them" in one.message and "runfolio artifacts mirror" in one.remedy


def test_an_object_that_is_gone_is_an_error_where_the_others_are_there(case: Damage) -> None:
    case.edit(short(case), lambda v: v["artifacts"]["notes/1.txt"].update(digest="sha256:" + "1" * 64))
    assert [item.severity for item in check(case.folio, rev="HEAD") if item.rule == "object.missing"] == [Severity.ERROR]


@pytest.mark.parametrize(
    ("rev", "severity"), [(None, Severity.ERROR), ("HEAD", Severity.WARNING)], ids=["whole folio", "records alone"]
)
def test_a_bucket_without_an_answer_is_an_error_of_the_folio_and_none_of_its_records(
    case: Damage, monkeypatch: pytest.MonkeyPatch, rev: str | None, severity: Severity
) -> None:
    pytest.importorskip("boto3")
    monkeypatch.setenv("RUNFOLIO_ARTIFACTS", "s3://objects?endpoint=http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "key")
    with closing(open_folio(case.place)) as folio:
        (one,) = [item for item in check(folio, rev=rev) if item.rule.startswith("object.")]
    assert (one.rule, one.severity) == ("object.unreachable", severity)


def test_damaged_manifest_object_is_named_with_its_run(case: Damage) -> None:
    run = case.folio.runs.committed(case.ids["wide"])
    assert run is not None and run.manifest is not None
    overwrite(case.object_file(run.manifest), b"{}\n")
    assert run.run_id in found(check(case.folio), "object.damaged", case.path("wide"), "manifest").message


def test_folio_in_a_sub_folder_is_checked(tmp_path: Path, rich: Rich) -> None:
    top = tmp_path / "top"
    (top / "ml").mkdir(parents=True)
    git(top, "init", "-q", "-b", "main")
    with closing(initialise(top / "ml", commit=True).folio) as folio:
        add_run(folio, 1, points=5)
        folio.commit()
        assert check(folio) == []
        record = next((top / "ml" / "runs").rglob("*[0-9a-f].json"))
        record.write_bytes(b"{")
        relative = record.relative_to(top).as_posix()
        assert found(check(folio), "work-tree.edited", relative).remedy.endswith(f":/{relative}")
        git(top, "commit", "-qam", "by hand")
        found(check(folio), "run.format", relative)


# What only this clone has


def test_record_edited_or_deleted_in_the_work_tree_is_named_with_the_way_back(case: Damage) -> None:
    for path, change in ((short(case), lambda file: file.write_bytes(b"{}")), (case.path("child"), lambda file: file.unlink())):
        change(case.place / path)
        finding = found(check(case.folio), "work-tree.edited", path)
        git(case.place, *finding.remedy.partition("git ")[2].split())
        assert check(case.folio) == []


def test_staged_edit_and_new_file_are_named(case: Damage) -> None:
    (case.place / short(case)).write_bytes(b"{}")
    git(case.place, "add", ".")
    (case.place / "runs" / "wine" / "copy.json").write_bytes(b"{}")
    findings = check(case.folio)
    assert "staged" in found(findings, "work-tree.edited", short(case)).message
    found(findings, "work-tree.new", "runs/wine/copy.json")


def test_a_fault_that_the_work_tree_has_mended_is_said_to_be_the_commit_s(case: Damage) -> None:
    file = case.place / "policy.yaml"
    file.write_text("schema: 1\npromotion: []\n")
    git(case.place, "add", "policy.yaml")
    git(case.place, "commit", "-qm", "policy")
    assert "committed" not in found(check(case.folio), "policy.format", "policy.yaml", "promotion").message
    file.write_text("schema: 1\n")
    finding = found(check(case.folio), "policy.format", "policy.yaml", "promotion")
    assert "so it was committed, and the work tree has another" in finding.message
    git(case.place, *finding.remedy.partition("git ")[2].split(), "-m", "mended")
    assert check(case.folio) == []


def test_experiment_being_edited_is_no_finding_until_it_is_wrong(case: Damage) -> None:
    file = case.place / "experiments" / "wine.yaml"
    file.write_text(file.read_text() + "description: better\n")
    assert check(case.folio) == []
    file.write_text("schema: 1\nlifecycle: gone\n")
    found(check(case.folio), "experiment.format", "experiments/wine.yaml", "lifecycle")


def test_journals_that_wait_or_cannot_be_read_or_were_left_are_named(case: Damage) -> None:
    add_run(case.folio, 9)
    folder = case.folio.spool.journals_folder
    (folder / "abcd.jsonl").write_bytes(b"not json\n")
    left = folder / f"{'0' * 32}.jsonl"
    left.write_bytes(b'["open",{"schema":1,"run_id":"' + b"0" * 32 + b'","experiment":"wine","start":5}]\nrubbish\n')
    findings = check(case.folio)
    assert found(findings, "journal.waiting", str(folder)).severity is Severity.NOTE
    found(findings, "journal.unreadable", str(folder / "abcd.jsonl"), "open")
    assert "runfolio recover" in found(findings, "journal.left", str(left)).remedy
    found(findings, "journal.lines", str(left))


def test_pending_note_and_stale_lock_of_git_are_named(case: Damage) -> None:
    write_note(case.folio.repo, {"branch": "refs/heads/main"})
    lock = case.place / ".git" / "index.lock"
    lock.write_bytes(b"")
    os.utime(lock, (1, 1))
    findings = check(case.folio)
    found(findings, "local.pending", str(case.folio.repo.git_dir / "runfolio" / "pending.json"))
    found(findings, "local.lock", str(case.folio.repo.git_dir / "index.lock"))


# Random damage


def overwrite(file: Path, data: bytes) -> None:
    file.chmod(0o644)
    file.write_bytes(data)


def break_git_object(case: Damage, oid: str, change: Callable[[bytes], bytes | None]) -> None:
    file = case.place / ".git" / "objects" / oid[:2] / oid[2:]
    if not file.exists():
        pack = next((case.place / ".git" / "objects" / "pack").glob("*.pack"))
        moved = case.place / "moved.pack"
        shutil.move(pack, moved)
        with open(moved, "rb") as data:
            subprocess.run(["git", "unpack-objects", "-q"], cwd=case.place, stdin=data, check=True)
        moved.unlink()
        break_git_object(case, oid, change)
        return
    made = change(file.read_bytes())
    if made is None:
        file.unlink()
    else:
        overwrite(file, made)


def may_be_meant(before: bytes, after: bytes) -> bool:
    """Tell whether the change is one that runfolio makes too: another name or tag, in the right spelling."""
    try:
        old, new = json.loads(before), json.loads(after)
    except ValueError:
        return False
    free = ("name", "tags", "parent", "user", "lifecycle")
    facts = [{key: value for key, value in item.items() if key not in free} for item in (old, new)]
    return facts[0] == facts[1] and dump(new) == after


def records_of(case: Damage) -> list[str]:
    listed = git(case.place, "ls-tree", "-r", "--name-only", "HEAD", "runs", "environments").split()
    return sorted(listed)


def damage_commit(case: Damage, rng: random.Random) -> set[str]:
    """Commit a damaged record, or two whose contents are swapped."""
    files = records_of(case)
    if rng.random() < 0.25:
        first, second = rng.sample([path for path in files if path.startswith("runs/")], 2)
        swap(case, first, second)
        return {first, second}
    path = rng.choice(files)
    before = case.read(path)
    after = random_change(rng)(before)
    while after is not None and (after == before or may_be_meant(before, after)):
        after = random_change(rng)(before)
    case.commit_all({path: after})
    return {path}


def damage_git(case: Damage, rng: random.Random) -> set[str]:
    """Damage git's own file that holds a record."""
    path = rng.choice(records_of(case))
    break_git_object(case, git(case.place, "rev-parse", f"HEAD:{path}").strip(), random_change(rng))
    return {path}


def damage_work_tree(case: Damage, rng: random.Random) -> set[str]:
    """Damage a record in the work tree."""
    path = rng.choice(records_of(case))
    made = random_change(rng)((case.place / path).read_bytes())
    if made is None:
        (case.place / path).unlink()
    else:
        (case.place / path).write_bytes(made)
    return {path}


def damage_object(case: Damage, rng: random.Random) -> set[str]:
    """Damage objects that runs name, or swap two."""
    named: dict[str, str] = {}
    for which in case.ids:
        run = case.folio.runs.committed(case.ids[which])
        assert run is not None
        entries = [
            *case.folio.runs.artifacts(run).values(),
            *([run.manifest] if run.manifest else []),
            *([run.series] if run.series else []),
        ]
        named.update({entry.digest: case.path(which) for entry in entries if entry.digest})
    first, second = rng.sample(sorted(named), 2)
    if rng.random() < 0.25:
        one, two = (case.object_file(digest).read_bytes() for digest in (first, second))
        overwrite(case.object_file(first), two)
        overwrite(case.object_file(second), one)
        return {named[first], named[second]}
    made = random_change(rng)(case.object_file(first).read_bytes())
    if made is None:
        case.object_file(first).unlink()
    else:
        overwrite(case.object_file(first), made)
    return {named[first]}


PLACES = (damage_commit, damage_git, damage_work_tree, damage_object)


@pytest.mark.parametrize("seed", range(100))
def test_random_damage_to_record_or_object_is_named(case: Damage, seed: int) -> None:
    rng = random.Random(seed)
    hit = PLACES[seed % len(PLACES)](case, rng)
    with closing(open_folio(case.place)) as folio:
        findings = check(folio, read_data=1.0)
    shown = "\n".join(f"{item.file}: {item.line()}" for item in findings)
    for path in hit:
        run_id = Path(path).name.split(".")[0]
        assert any(item.file == path or run_id in item.message or run_id in item.file for item in findings), (
            f"{path} is not named:\n{shown}"
        )
    assert any(item.severity is not Severity.NOTE for item in findings)


def test_clean_folio_of_300_runs_has_no_finding(tmp_path: Path, rich: Rich) -> None:
    seen: list[tuple[int, int]] = []
    with closing(initialise(tmp_path / "many", commit=True).folio) as folio:
        for number in range(300):
            add_run(folio, number, points=number % 40, files=number % 3)
        assert folio.commit().folded == 300
        assert check(folio, read_data=1.0, progress=lambda done, total: seen.append((done, total))) == []
    assert seen[-1][0] == seen[-1][1] >= 300
