"""Which two commits are compared: ``A..B``, ``A...B``, branches, tags, commits and dates."""

from __future__ import annotations

import re

from runfolio.errors import NotFoundError, StateError, UsageError
from runfolio.folio.past import commit_at
from runfolio.folio.place import Place
from runfolio.gitstore.difference import is_shallow, merge_base
from runfolio.gitstore.repo import Repo
from runfolio.records.visible import visible
from runfolio.review.change import Span

_PLAIN = re.compile(r"\w[\w.-]*(/[\w.-]+)+", re.ASCII)
"""Names that a shell takes as they are."""
_ID = re.compile("[0-9a-f]{4,64}")
_BRANCH = re.compile(r"\w[\w.-]*(/[\w.-]+)*", re.ASCII)


def split_span(text: str) -> tuple[str, str, bool]:
    """Return the two revisions that a text names, and whether they stand with three dots.

    Parameters
    ----------
    text : str
        ``A..B``, ``A...B``; a missing side is ``HEAD``, as in git.

    Raises
    ------
    UsageError
        If it has no dots, or dots only.
    """
    base, dots, head = text.partition("..")
    if not dots:
        raise UsageError(f"{visible(text)!r} is no span: give two revisions with two or three dots between them: main..HEAD")
    three = head.startswith(".")
    head = head[1:] if three else head
    if ".." in head or head.startswith("."):
        raise UsageError(f"{visible(text)!r} is no span: give two revisions with two or three dots between them: main..HEAD")
    return base or "HEAD", head or "HEAD", three


def state_span(place: Place, text: str) -> Span:
    """Resolve a span of two states: two dots compare them as they are, three the second with what both have in common.

    Raises
    ------
    NotFoundError
        If there is no such revision or date.
    StateError
        If three dots are given and the two have nothing in common.
    """
    base_text, head_text, three = split_span(text)
    base, head = _state(place, base_text), _state(place, head_text)
    tip = base
    if three:
        base = _common(place.repo, base, head, base_text, head_text)
    return Span(base, head, tip, base_text, head_text)


def proposed_span(repo: Repo, text: str) -> Span:
    """Resolve a span of a proposal: what the second revision brings since it left the first.

    Raises
    ------
    NotFoundError
        If there is no such revision; the message says what a shallow clone must fetch.
    StateError
        If the two have nothing in common.
    """
    base_text, head_text, _ = split_span(text)
    tip, head = _commit(repo, base_text), _commit(repo, head_text)
    return Span(_common(repo, tip, head, base_text, head_text), head, tip, base_text, head_text)


def _state(place: Place, text: str) -> str:
    try:
        return commit_at(place, text)
    except NotFoundError:
        _tell_of_remote(place.repo, text)
        raise


def _commit(repo: Repo, text: str) -> str:
    found = repo.resolve(text)
    if found is not None:
        return found
    _tell_of_remote(repo, text)
    hint = _fetch_of(repo, text) or ("git fetch --unshallow" if is_shallow(repo) else "git fetch --all")
    raise NotFoundError(
        f"There is no revision {visible(text)!r} in {repo.git_dir}{' (a shallow clone)' * is_shallow(repo)}. "
        f"Give a branch, tag or commit that is here, or fetch it: {hint}"
    )


def _tell_of_remote(repo: Repo, text: str) -> None:
    """Raise the better error where a branch is here as a remote has it only, as in a clone that never checked it out."""
    if not _BRANCH.fullmatch(text):
        return
    remotes = repo.run("remote").decode("utf-8", "replace").split("\n")
    found = [name for name in remotes if _BRANCH.fullmatch(name) and repo.resolve(f"refs/remotes/{name}/{text}") is not None]
    if found:
        raise NotFoundError(
            f"There is no branch {text} in {repo.git_dir}: it was never checked out there. As the remote has it, it is {found[0]}/{text}"
        )


def _fetch_of(repo: Repo, text: str) -> str:
    """Return what fetches a remote's branch, which a clone of a single branch does not get by deepening; empty for other names."""
    remote, slash, branch = text.partition("/")
    if slash and _PLAIN.fullmatch(text) and repo.config(f"remote.{remote}.url") is not None:
        return f"git fetch {remote} +refs/heads/{branch}:refs/remotes/{remote}/{branch}"
    fetched = repo.config("remote.origin.fetch")
    if fetched is None or "*" in fetched or not _BRANCH.fullmatch(text) or _ID.fullmatch(text):
        return ""
    return f"git fetch origin +refs/heads/{text}:refs/remotes/origin/{text}, which is then called origin/{text}"


def _common(repo: Repo, one: str, other: str, one_text: str, other_text: str) -> str:
    found = merge_base(repo, one, other)
    if found is not None:
        return found
    pair = f"{visible(one_text)} and {visible(other_text)}"
    if is_shallow(repo):
        raise StateError(
            f"This clone is shallow and does not reach what {pair} have in common, so what is new cannot be told. Fetch more of the "
            "history: git fetch --deepen=200, or all of it: git fetch --unshallow (in GitHub Actions: actions/checkout with fetch-depth: 0)"
        )
    raise StateError(
        f"{pair} have no commit in common (unrelated histories), so what is new cannot be told. Compare the two states as they are: "
        f"runfolio diff {visible(one_text)}..{visible(other_text)}"
    )
