"""Parquet, read batch by batch; a leaf, which needs pyarrow."""

from __future__ import annotations

from pathlib import Path

from runfolio.profiling.tables import Table

CHUNK_ROWS = 4096
_PLAIN = (
    "int",
    "uint",
    "float",
    "double",
    "decimal",
    "bool",
    "string",
    "large_string",
    "date",
    "timestamp",
    "dictionary",
    "halffloat",
)


def read_parquet(path: Path, table: Table) -> None:
    """Feed a table with the rows of a file.

    Parameters
    ----------
    path : Path
    table : Table
        With columns already, where this is a further file of one table: it must have the same ones.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = [str(name) for name in file.schema_arrow.names]
            if not table.names:
                table.begin(names)
                for place, field in enumerate(file.schema_arrow):
                    table.type_of(place, str(field.type)[:80])
            elif table.names != [name[:200] for name in names[: len(table.names)]]:
                table.note("a file with other columns than the first was left out")
                return
            plain = [str(field.type).startswith(_PLAIN) for field in file.schema_arrow]
            for batch in file.iter_batches(batch_size=CHUNK_ROWS):
                for row in batch.slice(0, max(table.asked.sample - len(table.sample), 0)).to_pylist():
                    table.add_sample(row)
                columns = [
                    column.to_pylist() if flat else _present(column) for column, flat in zip(batch.columns, plain, strict=True)
                ]
                table.add_values(columns, batch.num_rows)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        table.note(f"it cannot be read as Parquet: {str(error)[:200]}")


class _Nested:
    """Stands for a value of a type that has no statistics."""


def _present(column: object) -> list[object]:
    made = _Nested()
    return [made if there else None for there in column.is_valid().to_pylist()]  # type: ignore[attr-defined]
