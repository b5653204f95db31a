"""What commits brought, told from real repositories."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.folio import Folio, changes, initialise, open_folio
from runfolio.folio.changes import RecordCommit, files_of_commits, read_difference, record_log
from runfolio.gitstore import Repo
from runfolio.site import BuildOptions, build_site, history

LOG = """
import json, sys, runfolio
runfolio.set_experiment("wine")
lr, values = sys.argv[1], json.loads(sys.argv[2])
for seed, value in enumerate(values):
    with runfolio.start_run(run_name=f"lr-{lr}-{seed}"):
        runfolio.log_params({"lr": lr, "seed": seed})
        runfolio.log_metric("accuracy", value)
"""


def log(folder: Path, lr: str, values: list[float]) -> None:
    subprocess.run([sys.executable, "-c", LOG, lr, json.dumps(values)], cwd=folder, check=True, capture_output=True)


def git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folio"
    folio = initialise(made, own=True).folio
    experiment = folio.experiments.create("wine")
    from runfolio.records import Objective

    folio.experiments.edit(experiment.experiment_id, "set the objective of", objective=Objective("accuracy", "max", "seed"))
    folio.close()
    return made


def build(folder: Path, out: Path, **options: object) -> Folio:
    folio = open_folio(folder)
    build_site(folio, out, BuildOptions(**options))
    folio.close()
    return folio


def page_of(out: Path, commit: str) -> str:
    return next(out.glob(f"changes/*..{commit[:12]}/index.html")).read_text()


def test_a_commit_of_better_replicates_is_improved_and_of_like_ones_is_noise(folder: Path, tmp_path: Path) -> None:
    log(folder, "0.1", [0.90, 0.905, 0.895])
    first = git(folder, "rev-parse", "HEAD").strip()
    log(folder, "0.2", [0.95, 0.951, 0.949])
    second = git(folder, "rev-parse", "HEAD").strip()
    log(folder, "0.3", [0.93, 0.99, 0.95])
    third = git(folder, "rev-parse", "HEAD").strip()
    build(folder, tmp_path / "site")
    assert "first result" in page_of(tmp_path / "site", first)
    assert ">improved<" in page_of(tmp_path / "site", second) and "Welch" in page_of(tmp_path / "site", second)
    assert ">within noise<" in page_of(tmp_path / "site", third)


def test_an_edited_metric_of_an_old_run_is_loud_and_first(folder: Path, tmp_path: Path) -> None:
    log(folder, "0.1", [0.9])
    path = next(iter((folder / "runs" / "wine").rglob("*.json")))
    path.write_text(path.read_text().replace("0.9", "0.99"))
    git(folder, "commit", "-qam", "nothing to see <b>here</b>")
    commit = git(folder, "rev-parse", "HEAD").strip()
    build(folder, tmp_path / "site")
    text = page_of(tmp_path / "site", commit)
    assert "results of an existing run were edited" in text and "metrics.accuracy.last" in text
    assert "<del>0.9</del>" in text and "<ins>0.99</ins>" in text and "<b>here" not in text


def test_a_record_taken_out_is_named(folder: Path, tmp_path: Path) -> None:
    log(folder, "0.1", [0.9, 0.8])
    path = next(iter((folder / "runs" / "wine").rglob("*.json")))
    name = json.loads(path.read_text())["name"]
    git(folder, "rm", "-q", str(path.relative_to(folder)))
    git(folder, "commit", "-qm", "tidy")
    build(folder, tmp_path / "site")
    text = page_of(tmp_path / "site", git(folder, "rev-parse", "HEAD").strip())
    assert "Records taken out" in text and name in text


def test_a_merge_is_one_change_with_all_that_it_brought(folder: Path) -> None:
    log(folder, "0.1", [0.9])
    git(folder, "checkout", "-qb", "topic")
    log(folder, "0.2", [0.91])
    log(folder, "0.3", [0.92])
    git(folder, "checkout", "-q", "-")
    git(folder, "merge", "-q", "--no-ff", "-m", "merge the topic", "topic")
    folio = open_folio(folder)
    tip = folio.place.tip()
    assert tip
    merge, *others = record_log(folio.place, tip, 10)
    files = files_of_commits(folio.place, [merge.oid, others[-1].oid])
    difference, faults = read_difference(folio.place, files[merge.oid])
    folio.close()
    assert merge.subject == "merge the topic" and len(merge.parents) == 2
    assert {run.params["lr"] for run in difference.runs_added.values()} == {"0.2", "0.3"} and not faults


def test_a_log_that_is_longer_is_the_one_that_git_makes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log(folder, "0.1", [0.9, 0.8])
    folio = open_folio(folder)
    place, limit = folio.place, 4
    known = record_log(place, str(place.tip()), limit)

    def longer(*, without_git: bool = True) -> list[RecordCommit]:
        tip = str(place.repo.resolve("HEAD"))
        with monkeypatch.context() as patch:
            if without_git:
                patch.setattr(Repo, "run", lambda *_, **__: pytest.fail("git was asked"))
            made = record_log(place, tip, limit, known)
            files = files_of_commits(place, [item.oid for item in made][:1])
        assert made == record_log(place, tip, limit)
        with monkeypatch.context() as patch:
            patch.setattr(changes, "_NEW_COMMITS", 0)
            assert files == files_of_commits(place, [item.oid for item in made][:1])
        return made

    (folder / "train.py").write_text("1")
    git(folder, "add", "train.py")
    git(folder, "commit", "-qm", "no record")
    assert longer() == known
    git(folder, "checkout", "-qb", "topic")
    log(folder, "0.2", [0.91])
    git(folder, "checkout", "-q", "-")
    git(folder, "merge", "-q", "--no-ff", "-m", "merge the topic", "topic")
    known = longer()
    for number in range(3):
        log(folder, f"0.{number}", [0.92])
    known = longer()
    assert len(known) == limit
    git(folder, "reset", "-q", "--hard", "HEAD~2")  # of what is known the newest are gone, so older ones are wanted
    log(folder, "0.7", [0.5])
    longer(without_git=False)
    (folder / "datasets").mkdir()
    (folder / "datasets" / "note.txt").write_text("no record")
    git(folder, "add", "datasets")
    git(folder, "commit", "-qm", "datasets are a pattern")
    longer(without_git=False)
    folio.close()


def test_what_old_commits_brought_is_not_read_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log(folder, "0.1", [0.9])
    build(folder, tmp_path / "site")
    log(folder, "0.2", [0.91])
    asked: list[str] = []
    read = history.files_of_commits
    monkeypatch.setattr(history, "files_of_commits", lambda place, oids: asked.extend(oids) or read(place, oids))
    build(folder, tmp_path / "site")
    assert asked == [git(folder, "rev-parse", "HEAD").strip()]
    build(folder, tmp_path / "anew")
    for path in (tmp_path / "anew" / "changes").rglob("*.html"):
        assert path.read_bytes() == (tmp_path / "site" / path.relative_to(tmp_path / "anew")).read_bytes()


def test_a_page_for_two_revisions(folder: Path, tmp_path: Path) -> None:
    git(folder, "tag", "start")
    log(folder, "0.1", [0.9])
    log(folder, "0.2", [0.91])
    build(folder, tmp_path / "site", diff=("start", "HEAD"))
    start, head = (git(folder, "rev-parse", name).strip()[:12] for name in ("start", "HEAD"))
    text = (tmp_path / "site" / "changes" / f"{start}..{head}" / "index.html").read_text()
    assert "2 new runs" in text and f"From {start[:10]}" in text


@pytest.mark.parametrize(("old", "new"), [("HEAD~1", "HEAD"), ("HEAD", "HEAD"), ("HEAD", "HEAD~2")])
def test_a_page_for_any_two_revisions(folder: Path, tmp_path: Path, old: str, new: str) -> None:
    log(folder, "0.1", [0.9])
    log(folder, "0.2", [0.91])
    build(folder, tmp_path / "site", diff=(old, new))
    before, after = (git(folder, "rev-parse", name).strip()[:12] for name in (old, new))
    text = (tmp_path / "site" / "changes" / f"{before}..{after}" / "index.html").read_text()
    told = {"HEAD~1": "1 new run", "HEAD": "No record differs" if new == "HEAD" else "Records taken out"}
    assert told[old] in text


def test_what_no_one_can_see_is_spelled_out(folder: Path, tmp_path: Path) -> None:
    script = (
        LOG.replace('"wine"', '"wi\\u202ene"')
        .replace('"lr": lr', '"lr": f"{seed}\\u202e1"')
        .replace('f"lr-{lr}-{seed}"', '"1.0\\u202e9"')
    )
    subprocess.run([sys.executable, "-c", script, "0.1", "[0.9, 0.8]"], cwd=folder, check=True, capture_output=True)
    git(folder, "commit", "-q", "--allow-empty", "-m", "an empty one is no change")
    path = next(iter((folder / "runs").rglob("*.json")))
    path.write_text(path.read_text().replace("0.9", "0.99"))
    git(folder, "commit", "-qam", "seen\u200b")
    build(folder, tmp_path / "site")
    pages = [path.read_text() for path in (tmp_path / "site" / "changes").rglob("index.html")]
    assert not any(letter in text for text in pages for letter in "\u202e\u200b")
    assert any("wi\\u202ene</a>" in text for text in pages)
    assert any("<td>1\\u202e1</td>" in text for text in pages)
    assert any("1.0\\u202e9" in text for text in pages) and any("seen\\u200b" in text for text in pages)


def test_a_public_site_names_no_author(folder: Path, tmp_path: Path) -> None:
    log(folder, "0.1", [0.9])
    author = git(folder, "log", "-1", "--format=%an").strip()
    build(folder, tmp_path / "site", public=True)
    assert author not in (tmp_path / "site" / "changes" / "index.html").read_text()
