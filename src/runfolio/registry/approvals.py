"""Who approved a change: from the git host's API in CI, or from signed trailers offline.

A trailer counts when the commit that bears it is signed, by a key that git vouches for (its allowed-signers file, or gpg's trust), and
whoever signed it is not an author of what is to be approved: the signature says who approved, the words of the trailer do not. It was
given on what that commit holds: where runs or models were changed after it, it counts no more (as hosts ask for the head as it is).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.gitstore.history import signatures
from runfolio.hosts import find_host
from runfolio.hosts.terms import RefusedError

_TRAILER = re.compile(r"^Approved-by:\s*\S", re.MULTILINE)


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
    proposed = _records(folio, head)
    asked = [oid for oid, _, message in commits if _TRAILER.search(message) and _records(folio, oid) == proposed]
    found = signatures(repo, asked, allowed_signers)
    authors = {mail.lower() for mail in touched}
    signers = [found[oid].signer for oid in asked if oid in found and found[oid].state == "good" and found[oid].signer]
    return tuple(dict.fromkeys(name for name in signers if not any(mail in name.lower() for mail in authors)))


def _records(folio: Folio, commit: str) -> list[str]:
    """Return the ids of a commit's folders of models and runs: what a promotion is judged by."""
    names = [f"{commit}:{folio.place.full(name)}" for name in (paths.MODELS, paths.RUNS)]
    return [folio.repo.run("rev-parse", "--verify", "--quiet", "--end-of-options", name, check=False).decode() for name in names]


def approvals_by_host(environ: Mapping[str, str] | None = None) -> tuple[str, ...] | None:
    """Ask the git host who approves the pull request that a CI job runs for.

    Parameters
    ----------
    environ : Mapping, optional
        The process's own by default; see :func:`runfolio.hosts.detection.find_host`.

    Returns
    -------
    tuple of str or None
        Log-in names; None outside of such a job, and where there is no token.

    Raises
    ------
    RemoteError
        If the host does not answer, or the token may not ask.
    """
    host = find_host(environ)
    if host is None or not host.has_token:
        return None
    try:
        pull = host.pull_request()
    except RefusedError:  # a job of a branch, whose token need not know of pull requests
        return None
    return None if pull is None else host.approvals(pull)
