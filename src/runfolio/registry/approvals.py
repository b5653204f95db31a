"""Who approved a change: from the git host's API in CI, or from signed trailers offline.

A trailer counts when the commit that bears it is signed, by a key that git vouches for (its allowed-signers file, or gpg's trust), and
whoever signed it is not an author of what is to be approved: the signature says who approved, the words of the trailer do not.
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfolio.errors import RemoteError, UsageError
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.gitstore.history import signatures

_TRAILER = re.compile(r"^Approved-by:\s*\S", re.MULTILINE)
_TIMEOUT_S = 30.0
_MAX_PAGES = 20


def approvals_by_trailer(folio: Folio, base: str, head: str, allowed_signers: str | None = None) -> tuple[str, ...]:
    """Return who signed a commit between two others that bears an ``Approved-by:`` trailer.

    Parameters
    ----------
    folio : Folio
    base, head : str
    allowed_signers : str, optional
        File of the ssh keys that count; git's configured one by default.
    """
    repo = folio.repo
    said = repo.run("log", "-z", "--no-show-signature", "--format=%H%x02%ae%x02%B", "--end-of-options", head, f"^{base}", "--")
    commits = [part.split("\x02", 2) for part in said.decode("utf-8", "replace").split("\0") if part]
    folder = folio.place.full(paths.MODELS)
    touched = (
        repo.run("log", "--format=%ae", "--end-of-options", head, f"^{base}", "--", folder).decode("utf-8", "replace").split()
    )
    asked = [oid for oid, _, message in commits if _TRAILER.search(message)]
    found = signatures(repo, asked, allowed_signers)
    authors = {mail.lower() for mail in touched}
    signers = [found[oid].signer for oid in asked if oid in found and found[oid].state == "good" and found[oid].signer]
    return tuple(dict.fromkeys(name for name in signers if not any(mail in name.lower() for mail in authors)))


def approvals_by_host(environ: Mapping[str, str] | None = None) -> tuple[str, ...] | None:
    """Ask the git host who approves the pull request that a CI job runs for, as GitHub's REST API tells it.

    Parameters
    ----------
    environ : Mapping, optional
        ``GITHUB_TOKEN``, ``GITHUB_REPOSITORY``, ``GITHUB_EVENT_PATH`` and ``GITHUB_API_URL``; the process's own by default.

    Returns
    -------
    tuple of str or None
        Log-in names, the author's left out; a review counts for the head that it was given on. None outside such a job.

    Raises
    ------
    RemoteError
        If the host does not answer.
    """
    env = os.environ if environ is None else environ
    token, repository, event_path, api = (env.get(f"GITHUB_{name}") for name in ("TOKEN", "REPOSITORY", "EVENT_PATH", "API_URL"))
    if not (token and repository and event_path and api):
        return None
    pull = _pull_request(Path(event_path))
    if pull is None:
        return None
    head, author = str(pull["head"]["sha"]), str(pull["user"]["login"])
    latest: dict[str, str] = {}
    for page in range(1, _MAX_PAGES + 1):
        reviews = _asked(f"{api}/repos/{repository}/pulls/{int(pull['number'])}/reviews?per_page=100&page={page}", token)
        for review in reviews:
            if review.get("state") in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
                current = review["state"] == "APPROVED" and review.get("commit_id") == head
                latest[str(review["user"]["login"])] = "APPROVED" if current else "OTHER"
        if len(reviews) < 100:
            break
    return tuple(name for name, state in latest.items() if state == "APPROVED" and name != author)


def _pull_request(event: Path) -> dict[str, Any] | None:
    try:
        said = json.loads(event.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH: {event} is not the event of a CI job: {error}.") from None
    found = said.get("pull_request") if isinstance(said, dict) else None
    return found if isinstance(found, dict) else None


def _asked(url: str, token: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json", "User-Agent": "runfolio"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # the address is the CI job's own
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            found = json.load(answer)
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise RemoteError(f"The git host did not say who approves: {error}. Try the job again.") from None
    if not isinstance(found, list):
        raise RemoteError("The git host did not say who approves: its answer is no list of reviews. Try the job again.")
    return found
