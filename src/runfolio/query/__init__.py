"""The filter and order-by language of ``search_runs`` and ``search_experiments``. Pure: no file, no git, no SQL.

One parser (:mod:`.parse`) and one meaning (:mod:`.evaluate`, :mod:`.sorting`). The index answers the same questions in SQL and
the site in JavaScript; both are held to this room's answers by ``golden.json``, which is shipped with the package.

What a filter says
------------------
Clauses joined by ``AND``. A clause is ``[entity.]name operator value``::

    metrics.acc > 0.9 AND params."learning rate" = '0.1' AND tags.team IS NOT NULL
    attributes.status IN ('FAILED', 'KILLED') AND run_name ILIKE '%otter%'
    dataset.context = 'training'

Invariants
----------
- A run that lacks the key matches ``IS NULL`` and nothing else; ``!=`` and ``NOT IN`` want a value that differs.
- NaN differs from every number: only ``!=`` (and ``IS NOT NULL``) matches it.
- A clause on datasets holds if it holds for one of the run's datasets.
- In an order, numbers come before NaN and NaN before what is missing, **in both directions**; ties go by start time, newest
  first, then by run id.
- Text compares by code point, case-sensitively; ``ILIKE`` compares both sides in lower case.

It does not know OR, NOT, parentheses or arithmetic, as MLflow's does not.
"""

from __future__ import annotations

from runfolio._lazy import lazy_names
from runfolio._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.query.evaluate import Listed, artifact_uri, compile_like, fold, matches, read_value
    from runfolio.query.grammar import Clause, Filter, Kind, OrderKey
    from runfolio.query.pages import decode_token, encode_token
    from runfolio.query.parse import parse_filter, parse_order_by
    from runfolio.query.sorting import RUN_ORDER, sort_experiments, sort_listed, sort_runs

__all__ = [
    "RUN_ORDER",
    "Clause",
    "Filter",
    "Kind",
    "Listed",
    "OrderKey",
    "artifact_uri",
    "compile_like",
    "decode_token",
    "encode_token",
    "fold",
    "matches",
    "parse_filter",
    "parse_order_by",
    "read_value",
    "sort_experiments",
    "sort_listed",
    "sort_runs",
]

__getattr__ = lazy_names(
    __name__,
    {
        "evaluate": ("Listed", "artifact_uri", "compile_like", "fold", "matches", "read_value"),
        "grammar": ("Clause", "Filter", "Kind", "OrderKey"),
        "pages": ("decode_token", "encode_token"),
        "parse": ("parse_filter", "parse_order_by"),
        "sorting": ("RUN_ORDER", "sort_experiments", "sort_listed", "sort_runs"),
    },
)
