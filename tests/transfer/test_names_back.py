"""Names that a folio cannot hold, of a whole run: taken by the import, they come back from the folio as an export reads it, once and again."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from runfolio.folio import initialise
from runfolio.folio.folio import Folio
from runfolio.transfer.folio_source import FolioSource
from runfolio.transfer.importing import import_store
from runfolio.transfer.mlruns_source import open_mlruns
from runfolio.transfer.source import SourceRun
from runfolio.transfer.spelling import NAMES_TAG, names_of
from tests.conftest import git
from tests.transfer.test_mlruns import EXPERIMENT, document, run_of

METRICS = ["loss", *(f"top@{number}" for number in range(700))]
CALLED = {"artifacts": {"a%5Cb.txt": "a\\b.txt"}}


def made(place: Path) -> Path:
    """Write a folder of one run: more odd names than one tag can tell, and a file whose name a folio refuses."""
    document(place / "3", **EXPERIMENT)
    folder = run_of(place, 1)
    for name in METRICS[1:]:
        (folder / "metrics" / name).write_text("1 0.5 0\n2 0.25 1\n")
    (folder / "params" / "opt[lr]").write_text("0.1")
    (folder / "tags" / "by@hand").write_text("x")
    (folder / "artifacts" / "a\\b.txt").write_text("hello")
    return folder


def taken(folio: Folio, place: Path) -> set[str]:
    """Import a folder, and again, which adds nothing; return the places of what was found."""
    done = import_store(folio, open_mlruns(place, str(place)))
    assert done.verified == 1 and not any("read back" in item.what for item in done.findings)
    again = import_store(folio, open_mlruns(place, str(place)))
    assert again.there["runs"] == 1 and not again.findings
    return {item.where for item in done.findings}


def read(folio: Folio) -> SourceRun:
    """Return the run as an export reads it; each metric has its points, each file its name here."""
    source = FolioSource(folio, logged=False)
    [run] = source.runs([item.experiment_id for item in source.experiments()], None)
    assert {key: len(source.history(run.run_id, key)) for key in run.metrics} == {
        key: 3 if key == "loss" else 2 for key in METRICS
    }
    assert [item.path for item in source.files(run.run_id)] == ["a%5Cb.txt", "notes/a.txt"]
    assert run.params == {"depth": "3", "opt[lr]": "0.1"} and run.tags["by@hand"] == "x"
    return run


def test_names_come_back_and_what_a_file_was_called_is_told_through_a_second_import(repo_dir: Path, tmp_path: Path) -> None:
    with closing(initialise(repo_dir, commit=True).folio) as folio:
        folder = made(tmp_path / "mlruns")
        assert {"metric top@7", "parameter opt[lr]", "tag by@hand", "artifact a\\b.txt"} <= taken(folio, tmp_path / "mlruns")
        kept = read(folio).tags
        # More than one tag told it here; where the names are as they were, only what files were called is left to tell.
        assert names_of(kept) == CALLED and [key for key in kept if key.startswith(NAMES_TAG)] == [NAMES_TAG]
    second = tmp_path / "second"
    second.mkdir()
    git(second, "init", "-q")
    # As an export leaves it there: the file by its name here, and the tag.
    (folder / "artifacts" / "a\\b.txt").rename(folder / "artifacts" / "a%5Cb.txt")
    (folder / "tags" / NAMES_TAG).write_text(json.dumps(CALLED))
    with closing(initialise(second, commit=True).folio) as folio:
        taken(folio, tmp_path / "mlruns")
        assert names_of(read(folio).tags) == CALLED
