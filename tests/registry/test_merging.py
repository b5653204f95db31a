"""Real branches merged by git, through the installed merge driver."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import runfolio
from runfolio.cli.main import main
from runfolio.folio import open_folio
from runfolio.folio.checking import check
from runfolio.records.findings import Severity
from runfolio.registry.history import history
from runfolio.tracking.session import forget_sessions
from tests.conftest import git

Merge = Callable[[], subprocess.CompletedProcess[str]]


@pytest.fixture
def wine(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folio with the model ``wine`` and three versions, version 1 in Production; the driver on the PATH."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.chdir(folio_dir)
    runfolio.set_tracking_uri(folio_dir)
    with runfolio.start_run(run_name="maker") as run:
        runfolio.log_text("weights", "model/model.pkl")
    for _ in range(3):
        runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
    forget_sessions()
    cli("models", "promote", "wine", "1", "Production", "--direct")
    return folio_dir


def cli(*args: str) -> None:
    assert main(args) == 0


def on_branches(folder: Path, ours: Callable[[], None], theirs: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """Let two branches change the folio, and merge theirs into ours."""
    git(folder, "switch", "-qc", "theirs")
    theirs()
    forget_sessions()
    git(folder, "switch", "-q", "main")
    ours()
    forget_sessions()
    return subprocess.run(["git", "merge", "-q", "--no-edit", "theirs"], cwd=folder, capture_output=True, text=True, check=False)


def test_two_people_describing_and_tagging_one_model_do_not_conflict(wine: Path) -> None:
    def ours() -> None:
        cli("models", "describe", "wine", "Which cultivar?")
        cli("models", "tag", "wine", "team=core")
        cli("models", "tag", "wine", "seen=ada", "-v", "1")

    def theirs() -> None:
        cli("models", "tag", "wine", "tier=1")
        cli("models", "alias", "wine", "1", "champion")
        cli("models", "describe", "wine", "the first", "-v", "1")

    merged = on_branches(wine, ours, theirs)
    assert merged.returncode == 0, merged.stderr
    folio = open_folio(wine)
    model = folio.models.find("wine")
    version = folio.models.version(model, 1)
    assert (model.description, model.tags, model.aliases) == ("Which cultivar?", {"team": "core", "tier": "1"}, {"champion": 1})
    assert (version.description, version.tags) == ("the first", {"seen": "ada"})
    folio.close()


def test_two_people_tagging_one_run_do_not_conflict(wine: Path) -> None:
    merged = on_branches(
        wine, lambda: cli("runs", "tag", "maker", "reviewed=yes"), lambda: cli("runs", "tag", "maker", "paper=fig-3")
    )
    assert merged.returncode == 0, merged.stderr
    folio = open_folio(wine)
    tags = folio.runs.get(folio.runs.resolve("maker")).tags
    assert (tags["reviewed"], tags["paper"]) == ("yes", "fig-3")
    folio.close()
    assert main(["check"]) == 0


def test_one_tag_of_a_run_given_two_values_conflicts(wine: Path) -> None:
    merged = on_branches(wine, lambda: cli("runs", "tag", "maker", "best=a"), lambda: cli("runs", "tag", "maker", "best=b"))
    assert merged.returncode == 1
    assert "tags.best: 'a' here, 'b' there" in merged.stderr


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (("promote", "wine", "2", "Production"), ("promote", "wine", "3", "Production"), "stages.Production: 2 here, 3 there"),
        (("promote", "wine", "2", "Production"), ("demote", "wine", "1"), "stages.Production: 2 here, nothing there"),
        (("promote", "wine", "3", "Staging"), ("promote", "wine", "3", "Production"), "version 3 was put into"),
        (
            ("promote", "wine", "3", "Archived"),
            ("promote", "wine", "3", "Staging"),
            "put into Staging on one side, into Archived",
        ),
        (("promote", "wine", "2", "Staging", "--keep"), ("promote", "wine", "3", "Staging", "--keep"), "stages.Staging"),
    ],
)
def test_what_is_live_is_never_guessed(wine: Path, ours: tuple[str, ...], theirs: tuple[str, ...], said: str) -> None:
    merged = on_branches(wine, lambda: cli("models", *ours, "--direct"), lambda: cli("models", *theirs, "--direct"))
    assert merged.returncode == 1
    assert said in merged.stderr
    assert "UU models/wine/model.yaml" in git(wine, "status", "--short") or "AA" in git(wine, "status", "--short")


def test_one_alias_given_to_two_versions_conflicts(wine: Path) -> None:
    merged = on_branches(
        wine, lambda: cli("models", "alias", "wine", "2", "champion"), lambda: cli("models", "alias", "wine", "3", "champion")
    )
    assert (merged.returncode, "aliases.champion: 2 here, 3 there" in merged.stderr) == (1, True)


def test_two_promotions_to_different_stages_join(wine: Path) -> None:
    merged = on_branches(
        wine,
        lambda: cli("models", "promote", "wine", "2", "Production", "--direct", "--archive"),
        lambda: cli("models", "promote", "wine", "3", "Staging", "--direct"),
    )
    assert merged.returncode == 0, merged.stderr
    folio = open_folio(wine)
    assert folio.models.find("wine").stages == {"Production": (2,), "Archived": (1,), "Staging": (3,)}
    folio.close()


def register(folder: Path, name: str) -> None:
    runfolio.set_tracking_uri(folder)
    with runfolio.start_run(run_name=name) as run:
        runfolio.log_text(name, "model/model.pkl")
    runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine", tags={"from": name})
    forget_sessions()


def test_a_number_that_two_branches_took_conflicts_and_renumber_moves_ours(wine: Path) -> None:
    def ours() -> None:
        register(wine, "ours")
        cli("models", "alias", "wine", "4", "mine")
        cli("models", "promote", "wine", "4", "Staging", "--direct")

    def theirs() -> None:
        register(wine, "theirs")
        cli("models", "alias", "wine", "4", "yours")

    merged = on_branches(wine, ours, theirs)
    assert merged.returncode == 1
    assert "AA models/wine/versions/4.yaml" in git(wine, "status", "--short")
    cli("models", "renumber", "wine", "4")
    assert "AA" not in git(wine, "status", "--short")
    git(wine, "commit", "-q", "--no-edit")
    folio = open_folio(wine)
    model = folio.models.find("wine")
    made = {version.version: version.tags.get("from") for version in folio.models.versions(model)}
    assert (made[4], made[5]) == ("theirs", "ours")
    assert (model.aliases, model.stages["Staging"]) == ({"mine": 5, "yours": 4}, (5,))
    folio.close()
    assert main(["check"]) == 0


def test_renumber_joins_what_both_sides_did_with_the_number(wine: Path) -> None:
    def ours() -> None:
        register(wine, "ours")
        cli("models", "alias", "wine", "4", "mine")
        cli("models", "promote", "wine", "4", "Staging", "--direct")
        cli("models", "card", "wine", "4", "--write")

    def theirs() -> None:
        register(wine, "theirs")
        cli("models", "alias", "wine", "4", "yours")
        cli("models", "promote", "wine", "4", "Production", "--direct")

    merged = on_branches(wine, ours, theirs)
    assert "version 4 was put into" in merged.stderr
    cli("models", "renumber", "wine", "4")
    git(wine, "commit", "-q", "--no-edit")
    folio = open_folio(wine)
    model = folio.models.find("wine")
    assert (model.aliases, model.stages) == ({"mine": 5, "yours": 4}, {"Production": (4,), "Staging": (5,)})
    folio.close()
    assert [file.name for file in (wine / "models/wine/cards").iterdir()] == ["5.md"]
    assert main(["check"]) == 0
    assert git(wine, "status", "--short") == ""


@pytest.mark.parametrize("driver", [True, False])
def test_renumber_does_not_guess_what_both_sides_made_live(wine: Path, capfd: pytest.CaptureFixture[str], driver: bool) -> None:
    def live(name: str) -> None:
        register(wine, name)
        cli("models", "alias", "wine", "4", "champion")
        cli("models", "promote", "wine", "4", "Production", "--direct")

    if not driver:
        git(wine, "config", "--remove-section", "merge.runfolio")
    merged = on_branches(wine, lambda: live("ours"), lambda: live("theirs"))
    assert (merged.returncode, "model.yaml" in git(wine, "status", "--short")) == (1, False)  # Production: 4 says each side
    capfd.readouterr()
    cli("models", "renumber", "wine", "4")
    said = capfd.readouterr()
    assert (said.out, "5 here, 4 there. Decide in that file" in said.err) == ("5\n", True)
    states = [line[:2] for line in git(wine, "status", "--short", "models").splitlines()]
    assert states == ["UU", "M ", "A "]  # model.yaml, version 4, which is theirs now, and 5
    text = (wine / "models/wine/model.yaml").read_text()
    assert all(line in text for line in ("<<<<<<< ours", "  champion: 5", "  champion: 4", "  Production: 5", "  Production: 4"))


def test_renumber_keeps_what_was_decided_by_hand(wine: Path) -> None:
    def live(name: str, stage: str) -> None:
        register(wine, name)
        cli("models", "promote", "wine", "4", stage, "--direct")
        cli("models", "alias", "wine", "4", name)

    on_branches(wine, lambda: live("ours", "Staging"), lambda: live("theirs", "Production"))
    git(wine, "checkout", "--theirs", "models/wine/model.yaml")
    file = wine / "models/wine/model.yaml"
    file.write_text(file.read_text().replace("aliases:\n", "aliases:\n  ours: 4\n"))
    cli("models", "renumber", "wine", "4")
    git(wine, "commit", "-q", "--no-edit")
    folio = open_folio(wine)
    model = folio.models.find("wine")
    assert (model.aliases, model.stages) == ({"ours": 5, "theirs": 4}, {"Production": (4,)})
    folio.close()


def test_renumber_in_a_rebase_says_to_merge(wine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    git(wine, "switch", "-qc", "theirs")
    register(wine, "theirs")
    git(wine, "switch", "-q", "main")
    register(wine, "ours")
    assert subprocess.run(["git", "rebase", "-q", "theirs"], cwd=wine, capture_output=True, check=False).returncode == 1
    assert main(["models", "renumber", "wine", "4"]) == 13
    assert "in conflict, but not in a merge" in capfd.readouterr().err


def test_renumber_moves_a_version_before_the_merge_too(wine: Path) -> None:
    git(wine, "switch", "-qc", "theirs")
    register(wine, "theirs")
    git(wine, "switch", "-q", "main")
    register(wine, "ours")
    cli("models", "promote", "wine", "4", "Staging", "--direct")
    cli("models", "renumber", "wine", "4")
    merged = subprocess.run(["git", "merge", "-q", "--no-edit", "theirs"], cwd=wine, capture_output=True, text=True, check=False)
    assert merged.returncode == 0, merged.stderr
    folio = open_folio(wine)
    model = folio.models.find("wine")
    assert folio.models.numbers(model) == [1, 2, 3, 4, 5]
    assert model.stages["Staging"] == (5,)
    folio.close()
    assert main(["check"]) == 0


def test_without_the_driver_two_promotions_conflict_all_the_same(wine: Path) -> None:
    git(wine, "config", "--remove-section", "merge.runfolio")
    merged = on_branches(
        wine,
        lambda: cli("models", "promote", "wine", "2", "Production", "--direct"),
        lambda: cli("models", "promote", "wine", "3", "Production", "--direct"),
    )
    assert merged.returncode == 1
    assert "<<<<<<<" in (wine / "models" / "wine" / "model.yaml").read_text()
    done = main(["models", "list"])
    assert done == 0  # the branch's own commit is read, not the half-merged file


def test_check_names_models_that_are_in_conflict_or_not_readable(wine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def to(version: str) -> Callable[[], None]:
        return lambda: cli("models", "promote", "wine", version, "Production", "--direct")

    assert on_branches(wine, to("2"), to("3")).returncode == 1
    capsys.readouterr()
    assert main(("check",)) == 1
    said = capsys.readouterr().out
    assert "models/wine/model.yaml\n  error: the file is in conflict in an unfinished merge" in said
    assert said.count("error:") == 1
    git(wine, "merge", "--abort")
    (wine / "models" / "weights.pkl").write_text("of somebody's own")
    assert main(("check",)) == 0
    assert "weights" not in capsys.readouterr().out
    (wine / "models" / "wine" / "model.yaml").write_text("schema: 1\nstages:\n\tProduction: 1\n")
    (wine / "models" / "wine" / "versions" / "1.yaml").write_text("schema: 1\nbogus\n")
    assert main(("check",)) == 1
    said = capsys.readouterr().out
    assert "[model.format]" in said
    assert "[version.format]" in said


def test_what_a_merge_brought_is_told_of_who_did_it(wine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs() -> None:
        monkeypatch.setenv("GIT_AUTHOR_NAME", "Bob")
        cli("models", "promote", "wine", "2", "Staging", "--direct")
        cli("models", "tag", "wine", "tier=1")

    def ours() -> None:
        monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
        cli("models", "tag", "wine", "team=core")

    assert on_branches(wine, ours, theirs).returncode == 0
    folio = open_folio(wine)
    told = [(event.text, event.author, event.merged_by) for event in history(folio, "wine")]
    assert [item for item in told if "Staging" in item[0]] == [("version 2: None → Staging", "Bob", "Ada")]
    assert sorted(item[:2] for item in told if item[0].startswith("tags")) == [
        ("tags: team=core", "Ada"),
        ("tags: tier=1", "Bob"),
    ]
    # The other way round, on a branch that takes the main line in.
    git(wine, "switch", "-qc", "work", "HEAD~1")
    git(wine, "merge", "-q", "--no-edit", "theirs")
    git(wine, "switch", "-q", "main")
    git(wine, "merge", "-q", "--no-ff", "--no-edit", "work")
    assert sum("Staging" in event.text for event in history(folio, "wine")) == 1
    folio.close()


def test_what_a_merge_itself_decided_is_told_of_the_merge(wine: Path) -> None:
    def to(version: str) -> Callable[[], None]:
        return lambda: cli("models", "promote", "wine", version, "Production", "--direct")

    assert on_branches(wine, to("2"), to("3")).returncode == 1
    git(wine, "checkout", "-q", "--theirs", "models/wine/model.yaml")
    file = wine / "models" / "wine" / "model.yaml"
    file.write_text(file.read_text() + "description: the third it is\n")
    git(wine, "commit", "-qam", "theirs")
    folio = open_folio(wine)
    newest = [event.text for event in history(folio, "wine")]
    folio.close()
    assert newest[:2] == ["described", "version 2: Production → None"]  # version 3 is told of the commit that promoted it


def test_two_who_began_one_model_disagree_on_the_version_only(wine: Path) -> None:
    def begin(text: str) -> Callable[[], None]:
        def made() -> None:
            (wine / "out").mkdir(exist_ok=True)
            (wine / "out" / "weights.txt").write_text(text)
            cli("models", "register", "out", "cultivars")

        return made

    merged = on_branches(wine, begin("ours"), begin("theirs"))
    assert merged.returncode == 1
    assert git(wine, "diff", "--name-only", "--diff-filter=U").split() == ["models/cultivars/versions/1.yaml"]
    cli("models", "renumber", "cultivars", "1")
    git(wine, "commit", "-q", "--no-edit")
    folio = open_folio(wine)
    assert [item.version for item in folio.models.versions(folio.models.find("cultivars"))] == [1, 2]
    folio.close()


def test_init_says_that_a_clone_joins_records_from_now_on(wine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(wine, "add", "-A")
    git(wine, "commit", "-q", "--allow-empty", "-m", "all")
    git(tmp_path, "clone", "-q", str(wine), "clone")
    for said in ("git diff and git merge know its records in this clone now", "nothing to do"):
        capsys.readouterr()
        assert main(("init", str(tmp_path / "clone"))) == 0
        assert said in capsys.readouterr().out
    assert "runfolio merge-driver" in git(tmp_path / "clone", "config", "merge.runfolio.driver")


def _without_runfolio(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run git as a terminal does in which the environment is not active."""
    env = {**os.environ, "PATH": os.defpath}
    assert shutil.which("runfolio", path=os.defpath) is None
    return subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_where_runfolio_is_not_found_git_shows_bytes(wine: Path) -> None:
    """It ended with "fatal: unable to read files to diff"."""
    with runfolio.start_run(run_name="shown"):
        runfolio.log_metric("accuracy", 0.5)
    forget_sessions()
    done = _without_runfolio(wine, "log", "-p", "--ext-diff", "--textconv", "-1", "--", "runs")
    assert (done.returncode, done.stderr) == (0, "") and '+  "name": "shown",' in done.stdout


def test_where_runfolio_is_not_found_git_joins_lines_and_marks_both_sides(wine: Path) -> None:
    """It left our side alone in the file, without a mark of theirs: who added it lost a promotion that was merged."""
    git(wine, "switch", "-q", "-c", "theirs")
    cli("models", "tag", "wine", "owner=ada")
    git(wine, "switch", "-q", "main")
    cli("models", "tag", "wine", "place=lab")
    done = _without_runfolio(wine, "merge", "theirs")
    said = (wine / "models/wine/model.yaml").read_text()
    assert done.returncode == 1 and "not found" not in done.stderr
    assert "<<<<<<< ours\n" in said and "owner: ada" in said and "place: lab" in said and ">>>>>>> theirs\n" in said


def test_a_clone_that_joins_by_lines_is_noted(wine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(wine, "add", "-A")
    git(wine, "commit", "-q", "--allow-empty", "-m", "all")
    git(tmp_path, "clone", "-q", str(wine), "clone")
    clone = tmp_path / "clone"
    for told in (True, False):
        with contextlib.closing(open_folio(clone)) as folio:
            found = [item for item in check(folio) if item.rule == "local.drivers"]
        assert [(item.file, item.severity, item.remedy) for item in found] == (
            [(".gitattributes", Severity.NOTE, "Run, once in each clone: runfolio init")] if told else []
        )
        capsys.readouterr()
        assert main(("-C", str(clone), "status")) == 0
        assert ("runfolio init was not run in this clone" in capsys.readouterr().out) is told
        git(clone, "config", "merge.runfolio.driver", "runfolio merge-driver %O %A %B %P")  # as it was written before
        assert main(("init", str(clone))) == 0
