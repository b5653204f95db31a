"""Runs of a table: a CSV file or lines of JSON, with a mapping that says what its columns are.

:mod:`.mapping` reads the mapping, :mod:`.rows` the lines, :mod:`.cells` what is in them; :mod:`.source` makes runs of them, and
:mod:`.proposal` proposes a mapping for a table that has none.
"""

from runfolio.transfer.table.mapping import decode_mapping
from runfolio.transfer.table.proposal import propose
from runfolio.transfer.table.source import open_table

__all__ = ["decode_mapping", "open_table", "propose"]
