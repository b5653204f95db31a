"""What only this clone has: journals, the note of an unfinished commit, left locks, and the work tree."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from runfolio.errors import BusyError, GitError, RunfolioError, StorageError
from runfolio.folio.checks.documents import check_experiment, check_policy, check_settings
from runfolio.folio.checks.models import check_edited
from runfolio.folio.drivers import missing_drivers
from runfolio.folio.lock import locked
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.gitstore.checkout import read_note
from runfolio.journal import Journal, RunState, Spool
from runfolio.records.findings import Finding, Severity

STALE_LOCK_S = 600.0
_STATES = {"M": "changed", "D": "deleted", "T": "replaced by something that is no file", "A": "added", "?": "new"}


def check_journals(spool: Spool, findings: list[Finding]) -> None:
    """Name journals that cannot be read, that a dead process left, and that wait for a commit."""
    left = {journal.path for journal in spool.left_behind()}
    waiting: list[Journal] = []
    for journal in spool.journals():
        _check_journal(journal, journal.path in left, findings)
        if journal.sealed:
            waiting.append(journal)
    if waiting:
        runs = len({journal.run_id for journal in waiting})
        message = f"{runs} finished run{'s wait' if runs > 1 else ' waits'} to be committed"
        folder = str(spool.journals_folder)
        findings.append(Finding("journal.waiting", Severity.NOTE, folder, "", message, "Run: runfolio commit"))


def _check_journal(journal: Journal, left: bool, findings: list[Finding]) -> None:
    file = str(journal.path)
    try:
        state = RunState(journal.path).refresh()
    except OSError as error:
        message = f"the journal of run {journal.run_id} cannot be read: {error.strerror or error}"
        findings.append(Finding("journal.unreadable", Severity.ERROR, file, "", message, "Check the file's owner and mode"))
        return
    if not state.header:
        if journal.path.exists():
            message = f"the journal of run {journal.run_id} has no readable header, so the run cannot be committed"
            remedy = "Look at its first line; if nothing in it is worth keeping, remove the file"
            findings.append(Finding("journal.unreadable", Severity.ERROR, file, "open", message, remedy))
        return
    said = state.header.get("run_id")
    if said != journal.run_id:
        message = f"the file's name says run {journal.run_id}, its header says {said}"
        remedy = "Give the file the name that its header says"
        findings.append(Finding("journal.run", Severity.ERROR, file, "run_id", message, remedy))
    if state.unreadable:
        message = f"{state.unreadable} of its lines cannot be read; the run is sealed without them"
        remedy = "They were never acknowledged if a process was killed; else check the disk"
        findings.append(Finding("journal.lines", Severity.WARNING, file, "", message, remedy))
    if left:
        message = f"the process that logged run {journal.run_id} died before it ended the run"
        findings.append(Finding("journal.left", Severity.WARNING, file, "", message, "Run: runfolio recover"))


def check_unfinished(place: Place, findings: list[Finding]) -> None:
    """Name what a killed process left: a commit whose files are not in the work tree yet, locks of git."""
    try:
        with locked(place.repo.own_folder, 0.0):
            if read_note(place.repo) is not None:
                file = str(place.repo.git_dir / "runfolio" / "pending.json")
                message = "a process was killed between its commit and the work tree, so git status is not right"
                remedy = "Run: runfolio commit, which finishes it"
                findings.append(Finding("local.pending", Severity.WARNING, file, "", message, remedy))
    except BusyError:
        pass  # a commit is under way: its note is in order
    except StorageError as error:
        message, remedy = error.message.rstrip("."), "No run can be committed from here"
        findings.append(Finding("local.storage", Severity.WARNING, "", "", message, remedy))
    lock = place.repo.git_dir / "index.lock"
    try:
        age = time.time() - lock.stat().st_mtime
    except OSError:
        return
    if age > STALE_LOCK_S:
        message = f"a git process took the lock {age / 60:.0f} minutes ago and has not given it back"
        remedy = "If no git process is running, remove the file"
        findings.append(Finding("local.lock", Severity.WARNING, str(lock), "", message, remedy))


def check_drivers(place: Place, findings: list[Finding]) -> None:
    """Note that git joins this clone's records by lines, where ``.gitattributes`` asks for more: git brings no configuration along."""
    if place.repo.work_tree is None or not missing_drivers(place.repo):
        return
    try:
        asked = "merge=runfolio" in (place.root / ".gitattributes").read_text("utf-8", "replace")
    except OSError:
        return
    if asked:
        message = (
            "git does not know in this clone how to join records field by field (two tags of one model conflict), or to show them"
        )
        path = place.full(".gitattributes")
        findings.append(
            Finding("local.drivers", Severity.NOTE, path, "merge=runfolio", message, "Run, once in each clone: runfolio init")
        )


def check_work_tree(place: Place, findings: list[Finding]) -> None:
    """Name records of the work tree that are not as they were committed; YAML that people edit must be readable."""
    repo = place.repo
    if repo.work_tree is None:
        return
    ours = (paths.RUNS, paths.EXPERIMENTS, paths.ENVIRONMENTS, paths.REPRODUCTIONS, paths.MODELS, paths.SETTINGS, paths.POLICY)
    names = [f":(top,literal){place.folder(name)}" for name in ours]
    try:
        listed = repo.run("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", *names)
    except GitError as error:
        message = f"git cannot compare the work tree: {error.message.rstrip('.')}"
        findings.append(Finding("git.status", Severity.ERROR, "", "", message, "Run: git status, and git fsck"))
        return
    for item in listed.split(b"\0"):
        if item:
            text = item.decode("utf-8", "surrogateescape")
            _check_changed(place, text[:2], text[3:], findings)


def _check_changed(place: Place, state: str, path: str, findings: list[Finding]) -> None:
    letter = state[1] if state[1].strip() else state[0]
    inner = place.strip(path)
    edited = _is_edited_by_people(inner)
    if inner.startswith(f"{paths.MODELS}/") and not edited:
        return  # weights and whatever else people keep in a folder of that name
    if "U" in state or state in ("AA", "DD"):
        message = "the file is in conflict in an unfinished merge"
        findings.append(Finding("work-tree.conflict", Severity.ERROR, path, "", message, "Finish the merge"))
        return
    if not state[1].strip() and (place.repo.git_dir / "MERGE_HEAD").exists():
        return  # what an unfinished merge brings
    if edited and letter != "D":
        _check_edit(place, path, inner, findings)
        return
    if inner == paths.POLICY or inner.startswith(f"{paths.MODELS}/"):
        return  # people may remove them; git status tells that it is not committed
    if letter == "?" or state == "A ":
        message = "the file is in the work tree, and is not committed"
        remedy = f"If it is a record, commit it: git add :/{path}; if not, remove it"
        findings.append(Finding("work-tree.new", Severity.WARNING, path, "", message, remedy))
        return
    what = _STATES.get(letter, "changed")
    message = f"it is {what} in the work tree since it was committed{', and staged' if state[0].strip() else ''}"
    remedy = f"Bring it back with: git checkout HEAD -- :/{path}"
    findings.append(Finding("work-tree.edited", Severity.ERROR, path, "", message, remedy))


def _is_edited_by_people(inner: str) -> bool:
    named = (
        paths.experiment_of_path(inner) or paths.model_of_path(inner) or paths.version_of_path(inner) or paths.card_of_path(inner)
    )
    return bool(named) or inner in (paths.SETTINGS, paths.POLICY)


def _check_edit(place: Place, path: str, inner: str, findings: list[Finding]) -> None:
    """Check a YAML file that someone edits, as it is now."""
    assert place.repo.work_tree is not None
    try:
        data = (place.repo.work_tree / path).read_bytes()
    except OSError as error:
        message = f"it cannot be read in the work tree: {error.strerror or error}"
        findings.append(Finding("work-tree.edited", Severity.ERROR, path, "", message, f"git checkout HEAD -- :/{path}"))
        return
    found: list[Finding] = []
    if inner == paths.SETTINGS:
        check_settings(data, path, found)
    elif inner == paths.POLICY:
        check_policy(data, path, place.settings.registry.stages, found)
    elif paths.model_of_path(inner) or paths.version_of_path(inner):
        # In a merge a number may be the other side's now: see `runfolio models renumber`.
        committed = None if place.repo.unfinished() else place.repo.read(f"HEAD:{path}")
        check_edited(path, inner, data, committed, found)
    elif paths.experiment_of_path(inner):
        check_experiment(data, path, found)
    _tell_apart(path, found, findings)
    findings.extend(item for item in found if item not in findings)


def _tell_apart(path: str, now: Sequence[Finding], findings: list[Finding]) -> None:
    """Say of each fault that only the committed file has that it is that one's: who mended it in the work tree would look for it there."""
    remedy = "Commit the file once it is in order" if now else f"Commit it as it is now: git commit :/{path}"
    for at, item in enumerate(findings):
        of_content = item.rule.endswith(".format") or item.rule in ("settings.filter", "schema.newer")
        if item.file == path and of_content and item not in now:
            message = f"{item.message.rstrip('.')}: so it was committed, and the work tree has another"
            findings[at] = replace(item, message=message, remedy=remedy)


def check_local(place: Place, spool: Spool, findings: list[Finding]) -> None:
    """Check all that only this clone has."""
    try:
        check_journals(spool, findings)
    except RunfolioError as error:
        folder = str(spool.journals_folder)
        findings.append(Finding("journal.unreadable", Severity.ERROR, folder, "", error.message.rstrip("."), ""))
    check_unfinished(place, findings)
    check_drivers(place, findings)
    check_work_tree(place, findings)
