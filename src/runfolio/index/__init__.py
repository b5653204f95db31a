"""The disposable table of all records of a folio at one commit, which answers searches.

It is made from git and nothing else, brought up by the difference of two commits, and may be thrown away at any time: a file
that is damaged, of another schema, locked for too long or in a read-only folder is replaced without a word (by a new file, or
by a table in memory). What it answers is exactly what :mod:`runfolio.query` says on every record, one at a time.

>>> index = Index.open(None)                                                        # doctest: +SKIP
>>> index.update(repo, repo.resolve("HEAD"), "")                                    # doctest: +SKIP
>>> index.search_runs(parse_filter("metrics.acc > 0.9"), limit=10)                  # doctest: +SKIP

It does not write to git, does not read the work tree, and does not judge records: a record that does not decode is a line of
:meth:`Index.faults` and hides no other; whether the bytes are canonical is for ``runfolio check``.
"""

from runfolio.index.contents import RunRow
from runfolio.index.rows import RecordFault
from runfolio.index.table import ExperimentSummary, Index

__all__ = ["ExperimentSummary", "Index", "RecordFault", "RunRow"]
