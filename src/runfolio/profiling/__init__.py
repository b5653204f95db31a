"""What is in a file of data, found out in one pass and in bounded memory: rows, columns, types, statistics.

A :class:`Table` takes rows in chunks and tells of each column. What reads a format feeds it: ``delimited`` (CSV, TSV),
``json_lines``, and two leaves, ``parquet`` (pyarrow) and ``arrays`` (numpy). Of a column with more than `SAMPLE` numbers, quantiles
and histogram rest on a sample of that size, drawn with a fixed seed, so that one content has one description; count, extremes, mean
and deviation are exact always.

Values themselves are kept only on request, for they may be personal data: the extremes of numbers and dates are all that is told unasked.

>>> import io
>>> from runfolio.profiling.delimited import read_delimited
>>> table = Table()
>>> read_delimited(io.BytesIO(b"alcohol,colour\\n12.5,red\\n13.5,white\\n,red\\n"), table)
>>> [(column.name, column.type, column.count, column.missing, column.mean) for column in table.columns()]
[('alcohol', 'number', 2, 1, 13.0), ('colour', 'text', 3, 0, None)]

What it does *not* do: hash, store or compare.
"""

from runfolio.profiling.tables import SAMPLE, Asked, Table

__all__ = ["SAMPLE", "Asked", "Table"]
