"""A trial on a machine that has nothing of the folio but the place of its store: run into a folder of this process, then handed over.

The run is written to a spool folder of the process, sealed there, and put into the store's inbox with its objects before it, under the
name of the sweep. Only then does the engine hear of it. So:

- a worker that is killed before that leaves nothing that counts, and its folder is removed by the next worker of this machine;
- a task that an engine executes again, because the worker died after it had handed the run over, finds it in the inbox and answers with
  what it says, without calling the objective;
- one that is executed again after the run was collected writes it again, under the same run id: the collector knows it.

>>> # result = work(plan, Delivery("s3://ml-artifacts/wine", b"schema: 1\\n"))
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import StateError, storage_error
from runfolio.folio.mailboxes import Mailbox, deliver, open_mailbox, reach
from runfolio.formats.paths import SETTINGS
from runfolio.journal import RunState, Spool
from runfolio.records import new_run_id
from runfolio.sweeps.reading import result_of
from runfolio.sweeps.trials import TrialPlan, TrialResult
from runfolio.sweeps.work import run_trial
from runfolio.tracking.session import URI_VARIABLE

_LOCK = ".lock"
_guard = threading.Lock()
_outboxes: dict[tuple[int, Delivery], Outbox] = {}


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a worker hands runs over, and by which rules it writes them.

    Parameters
    ----------
    store : str
        Place of the folio's store: a bucket, or the absolute path of a folder that workers reach.
    settings : bytes
        The folio's ``runfolio.yaml``: what is redacted and captured.
    mark : str
        Of a folder: that of its inbox; empty for a bucket.
    """

    store: str
    settings: bytes = b"schema: 1\n"
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Outbox:
    """A folder of this process for runs on their way.

    Parameters
    ----------
    folder : Path
    mailbox : Mailbox
    """

    folder: Path
    mailbox: Mailbox

    @property
    def uri(self) -> str:
        """The folder as a tracking URI."""
        return f"spool:{self.folder / 'spool'}"

    def send(self, plan: TrialPlan) -> None:
        """Hand over a trial's run, after those that were started within it."""
        spool = Spool(self.folder / "spool")
        for run_id in [*_within(spool, plan.run_id), plan.run_id]:
            journals = spool.of_run(run_id)
            if not journals:
                raise StateError(f"The run {run_id} of trial {plan.number} is not in {spool.folder}: somebody has removed it.")
            deliver(spool, journals, self.mailbox, plan.sweep)


def work(plan: TrialPlan, delivery: Delivery) -> TrialResult:
    """Run a trial and hand its run over.

    Parameters
    ----------
    plan : TrialPlan
    delivery : Delivery

    Returns
    -------
    TrialResult
        An objective that raises is a result too.

    Raises
    ------
    StorageError
        If the run could not be written or handed over.
    """
    outbox = outbox_of(delivery)
    before = outbox.mailbox.delivered(plan.sweep, plan.run_id)
    if before is not None:
        found = _result_in(before, outbox.folder)
        if found is not None:
            return found
    os.environ[URI_VARIABLE] = outbox.uri  # for runs that the objective starts itself, and for programs
    result = run_trial(replace(plan, place=replace(plan.place, uri=outbox.uri)))
    outbox.send(plan)
    return result


def outbox_of(delivery: Delivery) -> Outbox:
    """Return this process's outbox, made at its first use.

    Raises
    ------
    StorageError
        If this machine cannot write, or the store does not answer.
    """
    with _guard:
        key = os.getpid(), delivery
        found = _outboxes.get(key)
        if found is None:
            folder = _own_folder()
            mailbox = open_mailbox(delivery.store, folder)
            reach(mailbox, delivery.mark)
            try:
                (folder / "spool").mkdir()
                (folder / "spool" / SETTINGS).write_bytes(delivery.settings)
            except OSError as error:
                raise storage_error(f"write to {folder}", error) from None
            found = _outboxes[key] = Outbox(folder, mailbox)
        return found


def _own_folder() -> Path:
    """Make a folder that is held by a lock as long as this process lives; those of processes that died are removed."""
    top = Path(tempfile.gettempdir()) / f"runfolio-workers-{os.getuid()}"
    try:
        top.mkdir(mode=0o700, exist_ok=True)
        about = top.lstat()
        if about.st_uid != os.getuid() or about.st_mode & 0o170077 != 0o040000:
            raise StateError(f"{top} is not a folder of this user alone. Remove it, or set TMPDIR to another place.")
        with open(top / _LOCK, "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in top.iterdir():
                if left.name != _LOCK and not _is_held(left):
                    shutil.rmtree(left, ignore_errors=True)
            made = top / f"{os.getpid()}-{new_run_id()[-8:]}"
            made.mkdir(mode=0o700)
            fd = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(fd, fcntl.LOCK_EX)  # never closed: the kernel lets go when the process ends
    except OSError as error:
        raise storage_error(f"make a folder in {top}", error) from None
    atexit.register(_remove, made, os.getpid())
    return made


def _is_held(folder: Path) -> bool:
    try:
        with open(folder / _LOCK, "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _within(spool: Spool, run_id: str) -> list[str]:
    """List the runs that were started within a run, the innermost first."""
    parents: dict[str, str] = {}
    for journal in spool.journals():
        if not journal.part and journal.sealed:
            parents[journal.run_id] = str(RunState(journal.path).refresh().header.get("parent") or "")
    made: list[str] = []
    wanted = [run_id]
    while wanted:
        outer = wanted.pop()
        inner = [child for child, parent in parents.items() if parent == outer]
        made += inner
        wanted += inner
    return made[::-1]


def _result_in(journal: bytes, folder: Path) -> TrialResult | None:
    """Read a result out of a run's journal."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".jsonl") as file:
        file.write(journal)
        file.flush()
        state = RunState(Path(file.name)).refresh()
    with suppress(ValueError, KeyError):
        return result_of(state.run()) if state.header else None
    return None
