"""What will hit a limit when: the hosts' limits for repositories, and the disk.

The hosts' figures are those that their documentation gives for ordinary accounts, and change now and then: GitHub strongly
recommends less than 5 GB and blocks files above 100 MB; GitLab.com allows 10 GB a project; Bitbucket Cloud refuses pushes above
4 GB. A host of one's own has limits of its own; GitHub's recommendation then stands as a measure of what stays pleasant.
"""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlsplit

from runfolio._dataclass import dataclass
from runfolio.folio.measuring import WINDOW_DAYS, RecordSizes, RepositorySize, StoreSize

_GIB, _MIB = 1 << 30, 1 << 20
_FAR_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit, and when it is reached.

    Parameters
    ----------
    name : str
        What is limited, and by whom.
    now, limit : int
        Bytes.
    runs_left : int or None
        Runs until it is reached, each as large as those that are there; None where runs don't come into it.
    day : date or None
        When that is at the present rate; None where it is never, or in more than a hundred years.
    """

    name: str
    now: int
    limit: int
    runs_left: int | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """A git host, with its limits in bytes."""

    name: str
    repository: int
    file: int


GITHUB = Host("GitHub (recommended)", 5 * _GIB, 100 * _MIB)
HOSTS = {
    "github.com": GITHUB,
    "gitlab.com": Host("GitLab.com", 10 * _GIB, 100 * _MIB),
    "bitbucket.org": Host("Bitbucket Cloud", 4 * _GIB, 100 * _MIB),
}


def host_of(remote: str) -> Host:
    """Return the host of a remote's address; GitHub's limits stand for those that are not known."""
    name = urlsplit(remote).hostname if "://" in remote else remote.rpartition("@")[2].partition(":")[0]
    return HOSTS.get((name or "").lower(), GITHUB)


def limits_of(
    host: Host, records: RecordSizes, repository: RepositorySize, store: StoreSize | None, today: date
) -> tuple[Limit, ...]:
    """Say what will hit a limit when.

    Parameters
    ----------
    host : Host
    records : RecordSizes
    repository : RepositorySize
    store : StoreSize or None
    today : date
    """
    made = [
        _repository(host, records, repository, today),
        Limit(f"largest record: a file on {host.name}", records.largest, host.file),
    ]
    if store is not None:
        made.append(_disk(records, store, today))
    return tuple(made)


def _repository(host: Host, records: RecordSizes, repository: RepositorySize, today: date) -> Limit:
    left = max(0, host.repository - repository.bytes)
    runs_left = int(left / records.a_run) if records.a_run else None
    days = runs_left / records.a_day if runs_left is not None and records.a_day else None
    return Limit(f"repository on {host.name}", repository.bytes, host.repository, runs_left, _day(today, days))


def _disk(records: RecordSizes, store: StoreSize, today: date) -> Limit:
    span = max(1.0, records.recent / records.a_day) if records.a_day else float(WINDOW_DAYS)
    a_day = store.recent / span + records.a_run * records.a_day
    days = store.free / a_day if a_day else None
    runs_left = int(days * records.a_day) if days is not None and records.a_day else None
    return Limit("disk of the object store", store.total - store.free, store.total, runs_left, _day(today, days))


def _day(today: date, days: float | None) -> date | None:
    return None if days is None or days > _FAR_DAYS else today + timedelta(days=int(days))
