"""A folio's records as files for other tools and for archives: tables, JSON, RO-Crate, W3C PROV.

Invariants:

- Nothing in the folio is changed.
- An export is there whole or not at all: it is written beside its place and renamed.
- The bytes follow from the records at one commit and from what was asked for; no clock and no path of this machine goes into them.
- Memory does not grow with the number of runs: they are read by pages and written as they come (a lineage document excepted, which is one
  JSON object by its format).
- Nothing is passed over in silence: what could not be taken, or not as it was, is a finding with its name and its reason.

Worked example::

    runfolio export parquet tables --filter "metrics.acc > 0.9"
    python -c "import pandas; print(pandas.read_parquet('tables/metrics.parquet'))"

What it does *not* do: take an export in again (``runfolio import`` does that for other tools' stores), or speak to other servers.
"""

from runfolio.exports.report import Report
from runfolio.exports.selection import Selection

__all__ = ["Report", "Selection"]
