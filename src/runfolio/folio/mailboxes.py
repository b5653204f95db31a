"""The inbox of a folio as a worker sees it: beside the objects of its store, in a bucket or in a folder that they share.

A worker knows the store's place and nothing else of the folio: no repository, no git. :func:`deliver` puts the objects of a run where all
objects lie, each verified, then what the run needs, and its journal last, so that what a collector finds is whole. Who is killed anywhere
delivers again; the collector knows a run by its id.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from runfolio.errors import StateError, UsageError, storage_error
from runfolio.folio.bucket_inbox import PREFIX, put_file
from runfolio.folio.copies import settle_left
from runfolio.folio.staging import bring_objects, check_state
from runfolio.journal import Journal, RunState, Spool
from runfolio.objects import LocalStore, ObjectStore
from runfolio.objects.cache import Cache
from runfolio.objects.places import is_bucket, open_bucket, open_store
from runfolio.objects.remote import RemoteStore

MARK = ".mark"
"""File in the inbox of a folder, by which workers tell that they see the same folder as the folio."""


class Mailbox(Protocol):
    """Where runs are delivered to. All methods raise `errors.StorageError` where the place fails."""

    @property
    def store(self) -> ObjectStore:
        """The objects of the folio."""

    def put(self, path: Path, key: str) -> None:
        """Put a copy of a file into the inbox, whole or not at all."""

    def delivered(self, worker: str, run_id: str) -> bytes | None:
        """Return the journal of a run that lies in the inbox and was not collected yet, or None."""


class BucketMailbox:
    """The inbox of a bucket.

    Parameters
    ----------
    store : RemoteStore
    """

    def __init__(self, store: RemoteStore) -> None:
        self.store: RemoteStore = store

    def put(self, path: Path, key: str) -> None:
        """Put a file, its digest at the end of its key."""
        put_file(self.store.bucket, path, key)

    def delivered(self, worker: str, run_id: str) -> bytes | None:
        """Return the first journal of that run whose bytes are those that were sent."""
        for found in self.store.bucket.list(f"{PREFIX}{worker}/journal/{run_id}."):
            _, chunks = self.store.bucket.open(found.key)
            data = b"".join(chunks)
            if found.key.endswith(f".sha256-{hashlib.sha256(data).hexdigest()}"):
                return data
        return None


class FolderMailbox:
    """The inbox beside a store in a folder.

    Parameters
    ----------
    store : LocalStore
    """

    def __init__(self, store: LocalStore) -> None:
        self.store: LocalStore = store

    def put(self, path: Path, key: str) -> None:
        """Copy a file under a hidden name, and rename it; what is there already is whole, and stays."""
        target = self.store.root / PREFIX / key
        if target.exists():
            return
        aside = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}")
        try:
            data = path.read_bytes()
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(aside, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, target)
        except OSError as error:
            raise storage_error(f"put {path.name} into the inbox {target.parent}", error) from None

    def delivered(self, worker: str, run_id: str) -> bytes | None:
        """Return the journal of that run."""
        try:
            return (self.store.root / PREFIX / worker / "journal" / f"{run_id}.sealed.jsonl").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error("look into the inbox", error) from None


def open_mailbox(place: str, scratch: Path) -> Mailbox:
    """Open the inbox of a store.

    Parameters
    ----------
    place : str
        A bucket, or the absolute path of a folder: as :func:`place_of` gives it.
    scratch : Path
        Folder of this machine for what is on its way to a bucket.

    Raises
    ------
    UsageError
        If the place is neither.
    MissingPackageError
        If the package is not installed that speaks to the bucket.
    """
    if is_bucket(place):
        return BucketMailbox(RemoteStore(open_bucket(place), scratch / "waiting", Cache()))
    store = open_store(place, scratch, Path("/"))
    if not isinstance(store, LocalStore) or not Path(place.removeprefix("file://")).is_absolute():
        raise UsageError(f"{place!r} is no place of a store: give a bucket, or the absolute path of a folder that workers reach.")
    return FolderMailbox(store)


def place_of(store: ObjectStore, setting: str | None) -> str:
    """Return the place of a folio's store as workers elsewhere name it.

    Parameters
    ----------
    store : ObjectStore
        The folio's.
    setting : str or None
        Its setting ``artifacts``.
    """
    return str(store.root.absolute()) if isinstance(store, LocalStore) else str(setting)


def deliver(spool: Spool, journals: Sequence[Journal], mailbox: Mailbox, worker: str) -> None:
    """Put one run that has ended into an inbox: objects, package list, journals, in this order.

    Parameters
    ----------
    spool : Spool
        Where it was written; its objects lie in ``objects`` there.
    journals : sequence of Journal
        All of the run's, sealed, the first one first. They are dropped once they are delivered.
    mailbox : Mailbox
    worker : str
        Folder in the inbox.

    Raises
    ------
    RunfolioError
        If something is missing or damaged, or the place fails: everything stays then, and can be delivered again.
    """
    objects = LocalStore(spool.folder / "objects")
    for journal in journals:
        state = RunState(journal.path).refresh()
        check_state(journal, state)
        settle_left(objects, state)
        bring_objects(objects, mailbox.store, state)
        mailbox.store.upload()
        if not state.amends:
            lock = str(state.run().environment.get("lock", ""))
            file = spool.environments_folder / f"{lock}.txt"
            if lock and file.is_file():
                mailbox.put(file, f"{worker}/environments/{lock}.txt")
    for journal in journals:
        mailbox.put(journal.path, f"{worker}/journal/{journal.path.name}")
    for journal in reversed(journals):
        spool.drop(journal)


def mark_of(store: LocalStore) -> str:
    """Return what tells this folder from one of the same path on another machine: drawn once, and kept in the inbox.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    file = store.root / PREFIX / MARK
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(file, "x", encoding="ascii") as new:
                new.write(os.urandom(16).hex())
                new.flush()
                os.fsync(new.fileno())
        except FileExistsError:
            pass
        return file.read_text("ascii", "replace")
    except OSError as error:
        raise storage_error(f"mark the inbox {file.parent}", error) from None


def reach(mailbox: Mailbox, mark: str = "") -> None:
    """Make sure that the place answers, before work is done whose results could not be kept.

    Parameters
    ----------
    mailbox : Mailbox
    mark : str, optional
        That of the folder, as :func:`mark_of` gives it where the folio is.

    Raises
    ------
    StorageError
        If it does not.
    StateError
        If the folder is not the one that the folio has.
    """
    if isinstance(mailbox, BucketMailbox):
        next(iter(mailbox.store.bucket.list(f"{PREFIX}-")), None)
    elif isinstance(mailbox, FolderMailbox):
        inbox = mailbox.store.root / PREFIX
        try:
            found = (inbox / MARK).read_text("ascii", "replace")
        except FileNotFoundError:
            found = ""
        except OSError as error:
            raise storage_error(f"look into the inbox {inbox}", error) from None
        if found != mark or not mark:
            raise StateError(
                f"{mailbox.store.root} on {platform.node()} is not the folder in which the folio keeps its objects. Workers on other "
                "machines need a folder that all of them see, or a bucket: set artifacts in runfolio.yaml, and let runfolio artifacts "
                "mirror take along what is there."
            )
        try:
            with tempfile.TemporaryFile(dir=inbox):
                pass
        except OSError as error:
            raise storage_error(f"write to the inbox {inbox}", error) from None
