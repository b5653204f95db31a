"""Which commit a revision or a date means, for questions to the past."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from runfolio.errors import NotFoundError
from runfolio.folio.place import Place
from runfolio.records.times import read_utc_text, utc_text

_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


def commit_at(place: Place, text: str) -> str:
    """Return the commit whose records a revision or a date means.

    Parameters
    ----------
    place : Place
    text : str
        A branch, tag, commit or other revision of git; a day (``2026-11-01``: as it stood at the end of that day, UTC); or a
        time with its zone (``2026-11-01T12:00:00Z``). Where records have a ledger branch, a revision of the code means the
        ledger as it stood when that commit was made.

    Raises
    ------
    NotFoundError
        If there is no such revision, or no commit as old as that.
    """
    tip = place.tip()
    if tip is None:
        raise NotFoundError(f"There is no commit yet, so nothing was there at {text!r}.")
    found = place.repo.resolve(text)
    if found is not None:
        if place.ledger is None or place.repo.succeeds("merge-base", "--is-ancestor", found, tip):
            return found
        moment = int(place.repo.run("show", "--no-patch", "--format=%ct", "--end-of-options", found))
    else:
        read = _moment(text)
        if read is None:
            raise NotFoundError(
                f"{text!r} is no revision of {place.root} and no date. Give a branch, tag or commit, a day such as 2026-11-01, "
                f"or a time such as 2026-11-01T12:00:00Z.{_cut(place)}"
            )
        moment = read
    # --first-parent: what this branch held then, not what was brought in by a merge later.
    older = place.repo.run("rev-list", "-1", "--first-parent", f"--before={moment}", tip, "--").decode().strip()
    if not older:
        raise NotFoundError(f"No commit of {place.root} is as old as {text!r}.{_cut(place) or _began(place, tip)}")
    return older


def _cut(place: Place) -> str:
    return " This clone is shallow; bring in the rest of its history: git fetch --unshallow" if place.repo.shallow else ""


def _began(place: Place, tip: str) -> str:
    """Say when the history here begins, and how to ask for it from its beginning."""
    first = place.repo.run("rev-list", "--first-parent", tip, "--").decode().split()[-1]
    at = utc_text(place.repo.committed_at(first))
    return f" The first, {first[:12]}, is of {at}: give a later date, or that commit; what came after it is {first[:12]}..HEAD"


def _moment(text: str) -> int | None:
    """Return a day's last second, or a time, in seconds since the epoch; None if it is neither."""
    try:
        if _DAY.match(text):
            start = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc)
            return int((start + timedelta(days=1)).timestamp()) - 1
        return read_utc_text(text) // 1000
    except ValueError:
        return None
