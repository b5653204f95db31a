"""A worker that knows the place of the store alone hands a run over: into a folder that is shared, exactly once."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

import runfolio
from runfolio.errors import NotFoundError, StateError, UsageError
from runfolio.folio import open_folio
from runfolio.folio.collecting import collect
from runfolio.folio.mailboxes import FolderMailbox, Mailbox, deliver, mark_of, open_mailbox, place_of, reach
from runfolio.folio.opening import settings_text
from runfolio.journal import Spool
from runfolio.query import parse_filter
from runfolio.tracking.session import forget_sessions

SWEEP = "01a20af6586b7000ad3376d9e9ffcfe6"


@pytest.fixture
def mailbox(folio_dir: Path, tmp_path: Path) -> Mailbox:
    with closing(open_folio(folio_dir)) as folio:
        return open_mailbox(place_of(folio.store, folio.artifacts_place), tmp_path / "scratch")


def spooled(folder: Path, text: str = "weights") -> str:
    """Log a run with a file to a spool folder."""
    runfolio.set_tracking_uri(f"spool:{folder}")
    with runfolio.start_run(run_name="far away") as run:
        runfolio.log_metric("accuracy", 0.9)
        runfolio.log_text(text, "model/weights.txt")
    forget_sessions()
    runfolio.set_tracking_uri(None)
    return run.info.run_id


def hand_over(folder: Path, run_id: str, mailbox: Mailbox) -> None:
    spool = Spool(folder)
    deliver(spool, spool.of_run(run_id), mailbox, SWEEP)


def test_a_run_goes_through_a_shared_folder_with_its_files(folio_dir: Path, tmp_path: Path, mailbox: Mailbox) -> None:
    run_id = spooled(tmp_path / "spool")
    assert mailbox.delivered(SWEEP, run_id) is None
    hand_over(tmp_path / "spool", run_id, mailbox)
    assert Spool(tmp_path / "spool").of_run(run_id) == []
    assert b"accuracy" in (mailbox.delivered(SWEEP, run_id) or b"")
    with closing(open_folio(folio_dir)) as folio:
        taken = collect(folio)
        assert [run.run_id for run in taken.taken] == [run_id] and not taken.left and not taken.unfinished
        entry = folio.runs.artifacts(folio.runs.get(run_id))["model/weights.txt"]
        assert folio.store.read(entry.digest) == b"weights"
        assert folio.runs.committed(run_id) is not None
    assert mailbox.delivered(SWEEP, run_id) is None, "what was collected lies there no more"


def test_a_run_that_two_workers_hand_over_is_there_once(folio_dir: Path, tmp_path: Path, mailbox: Mailbox) -> None:
    import shutil

    run_id = spooled(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    hand_over(tmp_path / "one", run_id, mailbox)
    with closing(open_folio(folio_dir)) as folio:
        assert len(collect(folio).taken) == 1
        hand_over(tmp_path / "two", run_id, mailbox)
        again = collect(folio)
        assert (again.taken, again.there) == ([], [run_id])
        assert [run.run_id for run in folio.runs.search(parse_filter(""))] == [run_id]


def test_a_run_whose_file_is_missing_stays_where_it_was(tmp_path: Path, mailbox: Mailbox) -> None:
    run_id = spooled(tmp_path / "spool")
    for file in (tmp_path / "spool/objects").rglob("*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(NotFoundError, match=r"artifact 'model/weights.txt'"):
        hand_over(tmp_path / "spool", run_id, mailbox)
    assert len(Spool(tmp_path / "spool").of_run(run_id)) == 1 and mailbox.delivered(SWEEP, run_id) is None


def test_a_spool_keeps_to_the_settings_that_lie_in_it(folio_dir: Path, tmp_path: Path) -> None:
    (folio_dir / "runfolio.yaml").write_text("schema: 1\nredact:\n  patterns: ['tok-[0-9]+']\n")
    with closing(open_folio(folio_dir)) as folio:
        (tmp_path / "spool").mkdir()
        (tmp_path / "spool/runfolio.yaml").write_bytes(settings_text(folio.place))
    runfolio.set_tracking_uri(f"spool:{tmp_path / 'spool'}")
    with runfolio.start_run() as run:
        runfolio.log_param("how", "with tok-12345")
    forget_sessions()
    (journal,) = Spool(tmp_path / "spool").of_run(run.info.run_id)
    text = journal.path.read_text()
    assert "tok-12345" not in text and '["p","how",' in text


@pytest.mark.parametrize("place", ["objects", "file:objects"])
def test_a_place_that_workers_cannot_find_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a bucket, or the absolute path of a folder"):
        open_mailbox(place, tmp_path)


def test_a_folder_of_the_same_name_on_another_machine_is_told_from_the_folios_own(mailbox: Mailbox, tmp_path: Path) -> None:
    assert isinstance(mailbox, FolderMailbox)
    mark = mark_of(mailbox.store)
    assert mark == mark_of(mailbox.store) and len(mark) == 32
    reach(mailbox, mark)
    elsewhere = open_mailbox(str(tmp_path / "elsewhere"), tmp_path)
    with pytest.raises(StateError, match="is not the folder in which the folio keeps its objects"):
        reach(elsewhere, mark)
    assert not (tmp_path / "elsewhere").exists(), "a worker makes no folder that nobody collects"
