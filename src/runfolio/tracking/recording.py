"""Any program as a run: ``runfolio record -- COMMAND``.

While the program runs there is a folder ``recordings/<run id>/`` in the spool: ``recording.json`` (what ``runfolio log`` needs
to know to start fast), ``lines`` (the program's file of lines, see `runfolio.formats.lines`) and the console output so far. The
recorder holds a lock on ``recording.json``, and the program inherits a hold on the run's journal, so that a recorder that was
killed can be told from one that works, and a program that outlives its recorder from one that has ended. :func:`take_left`
brings the rest of such a folder into the journal; ``runfolio recover`` calls it before it ends the run.

What it does *not* do: decide about the program. Its exit status becomes ours, also where recording had faults.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, RunfolioError, UsageError, storage_error
from runfolio.folio.offline import OfflineFolio
from runfolio.journal import RunState, Spool
from runfolio.records import DEFAULT_EXPERIMENT_NAME, Experiment
from runfolio.records.names import check_run_id
from runfolio.records.redaction import Redactor
from runfolio.tracking.attaching import FACTS, LINES_VARIABLE, RUN_VARIABLE
from runfolio.tracking.console import DEFAULT_LIMIT, LOG, Console, join
from runfolio.tracking.live import LiveRun
from runfolio.tracking.program import AS_WE_ARE, Ending, Manner, run_program
from runfolio.tracking.session import CHOSEN_VARIABLE, URI_VARIABLE, AnyFolio, Session
from runfolio.tracking.starting import start_live
from runfolio.tracking.tailing import NOTE, LineReader

FOLDER = "recordings"
LINES = "lines"
DONE = "done"
EXIT_TAG = "runfolio.exit_code"
SIGNAL_TAG = "runfolio.signal"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A program that was run.

    Parameters
    ----------
    run_id, name : str
    ending : Ending
    """

    run_id: str
    name: str
    ending: Ending


def record(
    held: Session,
    command: Sequence[str],
    *,
    experiment: str | None = None,
    name: str | None = None,
    tags: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    console: bool = True,
    limit: int = DEFAULT_LIMIT,
) -> Recorded:
    """Run a program as a run.

    Parameters
    ----------
    held : Session
    command : sequence of str
        The program and its arguments.
    experiment : str, optional
        Name; made if it is missing.
    name : str, optional
        Of the run.
    tags, params : Mapping, optional
    console : bool, optional
        Keep the program's output as the artifact ``console.log``.
    limit : int, optional
        Bytes of output kept: of more, its beginning and its end.

    Raises
    ------
    UsageError
        If the program does not exist or cannot be started.
    """
    if not command:
        raise UsageError("There is no program to record. Give one: runfolio record -- COMMAND")
    if shutil.which(command[0]) is None:
        raise UsageError(_why_not(command[0]))
    _check_interpreter(command[0])
    chosen = chosen_experiment(held, experiment)
    all_tags = dict(tags or {})
    outer = os.environ.get(RUN_VARIABLE)
    if outer:
        all_tags.setdefault("mlflow.parentRunId", check_run_id(outer))
    entry = {"script": command[0], "type": "PROGRAM", "args": list(command[1:])}
    live = start_live(held, chosen, name=name, tags=all_tags, entry=entry)
    return record_live(held, live, chosen, command, params=params, limit=limit if console else None, top=not outer)


def _why_not(program: str) -> str:
    """Say why a program cannot be started, and what to do."""
    here = Path(program)
    if here.is_dir():
        return f"{program!r} is a folder, not a program. Name the program in it."
    if here.is_file():
        named = program if "/" in program else f"./{program}"
        return f"{named!r} cannot be run: it is not executable. Run: chmod +x {quote(named)}; or name its interpreter before it."
    if "/" in program:
        return f"There is no program {program!r} to record. Check its path; it is relative to {Path.cwd()}."
    return f"There is no program {program!r} to record. Check its name, or give its path."


def _check_interpreter(program: str) -> None:
    """See that the interpreter is there that a script's first line names.

    Raises
    ------
    UsageError
        If it is not.
    """
    try:
        with open(shutil.which(program) or program, "rb") as file:
            first = file.readline(512)
    except OSError:
        return
    # As the system reads it, to which a carriage return is a part of the name: so it is in a script that was written on Windows.
    words = first[2:].strip(b" \t\n").replace(b"\t", b" ").split(b" ") if first.startswith(b"#!") else [b""]
    named = os.fsdecode(words[0])
    if named and not os.path.exists(named):
        remedy = "Its lines end in CR LF: mend them with sed -i 's/\\r$//'" if named.endswith("\r") else "Correct that line"
        raise UsageError(
            f"{program!r} cannot be run: its first line names the interpreter {named!r}, which is not here. {remedy}, "
            "or name an interpreter before the script."
        )


def record_live(
    held: Session,
    live: LiveRun,
    experiment: Experiment,
    command: Sequence[str],
    *,
    params: Mapping[str, str] | None = None,
    limit: int | None = DEFAULT_LIMIT,
    top: bool = True,
    manner: Manner = AS_WE_ARE,
) -> Recorded:
    """Run a program as a run that was started for it, and end the run.

    Parameters
    ----------
    held : Session
    live : LiveRun
    experiment : Experiment
        The run's.
    command : sequence of str
    params : Mapping, optional
    limit : int or None, optional
        Bytes of output kept; None keeps none.
    top : bool, optional
        False for a child of a run that goes on.
    manner : Manner, optional
    """
    try:
        live.batch((), params or {}, {})
        ending = run_recorded(held, live, experiment, command, limit, manner)
    except BaseException:
        live.end("FAILED")
        held.sealed(live)
        forget(held, live.run_id)
        raise
    live.end(ending.status)
    held.sealed(live, top=top)
    forget(held, live.run_id)
    return Recorded(live.run_id, live.record.name, ending)


def run_recorded(
    held: Session,
    live: LiveRun,
    experiment: Experiment,
    command: Sequence[str],
    limit: int | None = DEFAULT_LIMIT,
    manner: Manner = AS_WE_ARE,
) -> Ending:
    """Run a program for a run that goes on, and log all that came of it but its end; the folder stays until :func:`forget`.

    Parameters
    ----------
    held : Session
    live : LiveRun
    experiment : Experiment
        The run's.
    command : sequence of str
    limit : int or None, optional
        Bytes of output kept; None keeps none.
    manner : Manner, optional
    """
    with _recording(held, live, limit, manner.folder or os.getcwd()) as folder:
        reader = LineReader(folder / LINES, live, held.say, base=Path(manner.folder) if manner.folder else None)
        console = Console(folder, limit) if limit is not None else None
        hold = os.open(live.writer.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(hold, fcntl.LOCK_SH)
            ending = run_program(
                command, _environment(held, live, experiment, folder), tick=_careful(held, reader.read),
                output=_keeper(held, live, console) if console else None, keep_open=(hold,), manner=manner,
            )  # fmt: skip
        finally:
            # What the program left behind has inherited the hold: it is let go for all.
            fcntl.flock(hold, fcntl.LOCK_UN)
            os.close(hold)
        reader.read(last=True, whole=not ending.signal)
        if console is not None and limit is not None:
            console.close()
            _log_console(live, folder, limit)
        _log_ending(live, ending)
        (folder / DONE).touch()
        return ending


@contextmanager
def _recording(held: Session, live: LiveRun, limit: int | None, base: str) -> Iterator[Path]:
    """Make the recording's folder and hold it."""
    folder = _folder(held.folio.spool, live.run_id)
    try:
        folder.mkdir(parents=True)
        (folder / LINES).touch()
        with open(folder / FACTS, "x", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            json.dump(_facts(held, live, limit, base), file)
            file.flush()
            yield folder
    except RunfolioError:
        raise
    except OSError as error:
        raise storage_error("keep the recording", error) from None


def _facts(held: Session, live: LiveRun, limit: int | None, base: str) -> dict[str, Any]:
    folio = held.folio
    return {
        "run_id": live.run_id,
        "experiment": live.record.experiment,
        "journal": str(live.writer.path.absolute()),
        "durability": folio.settings.durability,
        "patterns": list(folio.settings.redact.patterns),
        "keys": list(folio.settings.redact.keys),
        "artifacts": folio.artifacts_place,
        "objects": str((folio.folder if isinstance(folio, OfflineFolio) else folio.place.local) / "objects"),
        "root": str(folio.folder if isinstance(folio, OfflineFolio) else folio.place.root),
        "base": base,
        "limit": limit,
    }


def _environment(held: Session, live: LiveRun, experiment: Experiment, folder: Path) -> dict[str, str]:
    made = {key: value for key, value in os.environ.items() if key != "RUNFOLIO_EXPERIMENT_ID"}
    made[RUN_VARIABLE] = live.run_id
    made[URI_VARIABLE] = held.location
    made[LINES_VARIABLE] = str((folder / LINES).absolute())
    made["RUNFOLIO_EXPERIMENT_NAME"] = experiment.name
    made.setdefault("PYTHONUNBUFFERED", "1")
    return made


def _careful(held: Session, read: Callable[[], None]) -> Callable[[], None]:
    """Read lines so that a fault is said and the program goes on; what was not read is read later."""

    def tick() -> None:
        try:
            read()
        except RunfolioError as error:
            held.say(error.message)

    return tick


def _keeper(held: Session, live: LiveRun, console: Console) -> Callable[[bytes], None]:
    failed = False

    def keep(data: bytes) -> None:
        nonlocal failed
        if failed:
            return
        try:
            console.take(data)
        except RunfolioError as error:
            failed = True
            held.say(f"the rest of the program's output is not kept: {error.message}")
            live.notice(f"{LOG}: the output was kept up to byte {console.taken:,} only: {error.message}")

    return keep


def _log_console(live: LiveRun, folder: Path, limit: int) -> None:
    joined = join(folder, limit)
    if joined is not None:
        live.artifact_file(joined[0], LOG)
        if joined[1]:
            live.notice(f"{LOG}: {joined[1]:,} bytes in the middle of the output were left out (--log-limit)")


def _log_ending(live: LiveRun, ending: Ending) -> None:
    tags = {EXIT_TAG: str(ending.code)}
    if ending.signal:
        tags[SIGNAL_TAG] = ending.signal
    live.batch((), {}, tags)


def chosen_experiment(held: Session, name: str | None) -> Experiment:
    """Return the experiment that runs of this process go to: the one named, else that of the environment, else the default."""
    wanted = os.environ.get("RUNFOLIO_EXPERIMENT_ID") if name is None else None
    if wanted:
        found = held.folio.experiments.by_id(wanted)
        if found is None:
            raise NotFoundError(f"RUNFOLIO_EXPERIMENT_ID: no experiment {wanted!r} is here. List them: runfolio experiments list")
        return found
    said = name or os.environ.get("RUNFOLIO_EXPERIMENT_NAME") or os.environ.get(CHOSEN_VARIABLE)
    return held.folio.experiments.get_or_create(said or DEFAULT_EXPERIMENT_NAME)


def forget(held: Session, run_id: str) -> None:
    """Remove the folder of a recording whose run has ended."""
    _remove(_folder(held.folio.spool, run_id))


def _folder(spool: Spool, run_id: str) -> Path:
    return spool.folder / FOLDER / run_id


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def take_left(folio: AnyFolio, say: Callable[[str], None]) -> list[str]:
    """Bring what killed recorders had not logged yet into their runs' journals.

    The runs go on; ``runfolio.folio.recovery.recover`` ends them. A recording whose program still runs is left alone.

    Parameters
    ----------
    folio : Folio or OfflineFolio
    say : callable
        Tells the user something.

    Returns
    -------
    list of str
        The runs whose journals have all there is now.
    """
    made = []
    top = folio.spool.folder / FOLDER
    for folder in sorted(top.iterdir()) if top.is_dir() else ():
        try:
            with open(folder / FACTS, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _take_folder(folio, say, folder, json.loads(file.read() or b"{}")):
                    made.append(folder.name)
        except BlockingIOError:
            continue  # its recorder lives, or somebody else is at it
        except FileNotFoundError:
            if time.time() - folder.stat().st_mtime > 60:
                _remove(folder)
        except ValueError:
            _remove(folder)  # killed before it had started the program
    return made


def _take_folder(folio: AnyFolio, say: Callable[[str], None], folder: Path, facts: Mapping[str, Any]) -> bool:
    spool = folio.spool
    journal = next((item for item in spool.of_run(folder.name) if not item.sealed and not item.part), None)
    done = (folder / DONE).exists()
    if journal is None:
        if done or not _unread(folder):
            _remove(folder)
        else:
            say(f"run {folder.name} was sealed before the last lines of its program were read; they are in {folder / LINES}")
        return False
    with spool.hold(journal) as free:
        if not free:
            return False
        state = RunState(journal.path).refresh()
    writer = spool.attach(journal) if state.header else None
    if writer is None:
        return False
    if done:
        # All was logged, and only the end is missing.
        ending = Ending(int(state.tags.get(EXIT_TAG) or 0), state.tags.get(SIGNAL_TAG) or "")
        writer.event("end", ending.status, int((folder / DONE).stat().st_mtime * 1000))
        writer.close(durable=spool.durable)
        return True
    live = LiveRun(folio, redactor_of(folio), writer, state.run())
    try:
        base = Path(str(facts.get("base") or "."))
        reader = LineReader(folder / LINES, live, say, state.lines, state.tags.get(NOTE) or "", base)
        reader.read(last=True, whole=False)
        if facts.get("limit") is not None:
            _log_console(live, folder, int(facts["limit"]))
        if state.end is not None:
            # A part of the program had ended the run on its own; the whole did not come to its end.
            writer.event("end", "RUNNING", 0)
        (folder / DONE).touch()
    finally:
        writer.close(durable=spool.durable)
    return True


def _unread(folder: Path) -> bool:
    with suppress(OSError):
        return (folder / LINES).stat().st_size > 0
    return False


def redactor_of(folio: AnyFolio) -> Redactor:
    """Return a redactor with the folio's rules."""
    rules = folio.settings.redact
    return Redactor(rules.patterns, rules.keys, home=str(Path.home()))
