"""Trees, commits, refs. Nothing here knows about machine learning.

Git is reached by plumbing commands: one long-lived ``cat-file --batch`` for reading, one ``fast-import`` for each commit.
An object library was measured and not taken on this path: through ``index.add`` and ``index.commit`` a commit in a
repository of 100,000 files costs seconds, and four processes at once lost acknowledged runs
(``docs/design/decisions.md``).

Invariants: a branch moves only by compare-and-swap; the user's index, staged changes and work in progress are never
touched but for the entries of the records themselves; every value that comes from outside stands behind
``--end-of-options`` or on standard input; no hook, filter, textconv or file monitor of the repository runs unless asked.
"""

from __future__ import annotations

from runfolio._lazy import lazy_names
from runfolio._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.gitstore.commits import FileChange, Ident, commit_files
    from runfolio.gitstore.repo import Change, Repo, TreeEntry

__all__ = ["Change", "FileChange", "Ident", "Repo", "TreeEntry", "commit_files"]

__getattr__ = lazy_names(__name__, {"commits": ("FileChange", "Ident", "commit_files"), "repo": ("Change", "Repo", "TreeEntry")})
