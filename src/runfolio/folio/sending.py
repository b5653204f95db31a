"""``runfolio send``: the runs of a spool folder, put into the inbox of a bucket by a machine that has no repository.

Objects go first and are verified, then what a run needs, and last what makes it whole; only then is it let go here. Sent again after a
kill, everything lands under the same keys, and who collects it knows the run by its id.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from runfolio._dataclass import dataclass, field
from runfolio.errors import RunfolioError, UsageError, storage_error
from runfolio.folio.inbox import RUN_FILE, look, name_when_taken
from runfolio.folio.mailboxes import BucketMailbox, Mailbox, deliver
from runfolio.folio.staging import files_of, id_of, read_foreign
from runfolio.journal import Journal, Spool
from runfolio.objects.cache import Cache
from runfolio.objects.places import is_bucket, open_bucket
from runfolio.objects.remote import RemoteStore

WORKER = ".worker"


@dataclass(slots=True)
class Sent:
    """What was sent.

    Parameters
    ----------
    runs : list of str
        Run ids.
    left : list of (str, str)
        Journals and folders that were not sent, each with the reason.
    unfinished : list of str
        Runs that go on, or whose writer died.
    """

    runs: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)


def send(folder: Path, place: str) -> Sent:
    """Send the runs of a spool folder that have ended.

    Parameters
    ----------
    folder : Path
    place : str
        The folio's setting ``artifacts``: a bucket.

    Raises
    ------
    UsageError
        If the place is no bucket.
    StorageError
        If the bucket cannot be reached: what was not sent yet stays.
    """
    if not is_bucket(place):
        raise UsageError(
            f"{place!r} is no bucket. Into a shared folder runs are logged directly: RUNFOLIO_TRACKING_URI=spool:{place}/inbox/NAME"
        )
    store = RemoteStore(open_bucket(place), folder / ".sending", Cache())
    sender = _Sender(BucketMailbox(store), _worker(folder))
    found = look(folder)
    sender.sent.unfinished += map(str, found.unfinished)
    for spool in found.spools:
        sender.spool(spool)
    for run in found.runs:
        sender.guarded(run, partial(sender.foreign, run))
    return sender.sent


def _worker(folder: Path) -> str:
    """Return the name under which a spool folder's runs lie in the inbox: drawn once, and kept in the folder."""
    file = folder / WORKER
    with suppress(FileNotFoundError):
        name = file.read_text("utf-8").strip()
        if name.isalnum():
            return name
    try:
        file.write_text(uuid.uuid4().hex + "\n", "utf-8")
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise storage_error(f"write {file}", error) from None


class _Sender:
    def __init__(self, mailbox: Mailbox, worker: str) -> None:
        self.sent = Sent()
        self._mailbox, self._worker = mailbox, worker

    def guarded(self, where: Path, action: Callable[[], None]) -> None:
        """Do something about one run; what is wrong with it is noted, and hides no other."""
        try:
            action()
        except RunfolioError as error:
            self.sent.left.append((str(where), error.message))

    def spool(self, folder: Path) -> None:
        """Send the sealed journals of a spool folder of ours."""
        spool = Spool(folder)
        by_run: dict[str, list[Journal]] = {}
        for journal in spool.journals():
            by_run.setdefault(journal.run_id, []).append(journal)
        for run_id, journals in by_run.items():
            if not all(journal.sealed for journal in journals):
                self.sent.unfinished += [str(journal.path) for journal in journals if not journal.sealed]
                continue
            self.guarded(journals[0].path, partial(self._journals, spool, run_id, journals))

    def _journals(self, spool: Spool, run_id: str, journals: Sequence[Journal]) -> None:
        deliver(spool, journals, self._mailbox, self._worker)
        self.sent.runs.append(run_id)

    def foreign(self, folder: Path) -> None:
        """Send a folder with a ``run.json``."""
        run = read_foreign(folder)
        run_id = id_of(folder, run, make=True)
        files_of(folder)
        listed = [Path(top) / name for top, _, names in os.walk(folder) for name in names]
        for path in sorted(listed, key=lambda path: (path == folder / RUN_FILE, path)):
            self._put(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
        try:
            os.rename(folder, name_when_taken(folder))
        except OSError as error:
            raise storage_error(f"rename {folder}, which was sent", error) from None
        self.sent.runs.append(run_id)

    def _put(self, path: Path, key: str) -> None:
        self._mailbox.put(path, f"{self._worker}/{key}")
