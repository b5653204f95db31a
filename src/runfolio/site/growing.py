"""Shards that only grew: their first runs are taken from what the last build wrote, and only the new ones are read.

A shard's facts remember how many runs they are about and a digest of them. Where the first runs of a shard are these still, its columns are
decoded from the files of the last build (rounded numbers stay as they are when they are rounded again), and new cells come below. The bytes
are the same as when all records are read; where that is not sure, nothing is taken over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from runfolio._typing import TYPE_CHECKING, Any, NamedTuple
from runfolio.site.columns import MAX_TEXT, Cells, decode_column, encode_column, facts_of, join_facts, lengthened, script_value

if TYPE_CHECKING:
    from runfolio.index import RunRow
    from runfolio.site.gather import Site


class Grown(NamedTuple):
    """A shard of which the last build wrote the first runs.

    Attributes
    ----------
    rows : int
        How many.
    facts : dict
        Of their columns.
    columns : dict
        As they were encoded, by key.
    new : dict
        Cells of the other runs.
    """

    rows: int
    facts: Mapping[str, Mapping[str, Any]]
    columns: Mapping[str, Mapping[str, Any]]
    new: dict[str, Cells]

    def joined_facts(self) -> dict[str, dict[str, Any]]:
        """Return the facts of all columns."""
        made = {}
        for key in sorted({*self.facts, *self.new}):
            parts = [self.facts[key]] if key in self.facts else []
            made[key] = join_facts([*parts, facts_of(self.new[key])] if key in self.new else parts)
        return made

    def encoded(self, key: str, rows: int, digits: int | None, *, rounded: bool) -> dict[str, Any] | None:
        """Return a column as :func:`runfolio.site.columns.encode_column` does; None where no run has it.

        Parameters
        ----------
        key : str
        rows : int
            Of the shard.
        digits : int or None
        rounded : bool
            Whether the last build rounded to as many.
        """
        new, column = self.new.get(key), self.columns.get(key)
        if column is None:
            return encode_column(new, rows, digits) if new else None
        if rounded and (made := lengthened(column, self.facts[key]["filled"], new, rows, digits)):
            return made
        old = decode_column(column, self.facts[key]["kind"])
        cells = Cells(old.kind, [*old.rows, *new.rows], [*old.values, *new.values]) if new else old
        return encode_column(cells, rows, digits)


def remembered(site: Site, rows: Sequence[RunRow], columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a shard, as the next build reads them."""
    return {"rows": len(rows), "digest": site.output.salted(site.digest(rows)), "columns": columns}


def grown_shard(site: Site, place: str, rows: Sequence[RunRow]) -> Grown | None:
    """Return what the last build left of a shard; None where its first runs are others now.

    Parameters
    ----------
    site : Site
    place : str
        What the names of the shard's files begin with.
    rows : sequence of RunRow
    """
    held: Any = site.output.last_facts(f"{place}-facts")
    if not isinstance(held, dict) or not 0 < held.get("rows", 0) <= len(rows):
        return None
    if held.get("digest") != site.output.salted(site.digest(rows[: held["rows"]])):
        return None
    facts = held["columns"]
    # Of longer texts it is not known whether all are the same.
    if any(item["kind"] == "text" and len(item.get("only", "")) >= MAX_TEXT for item in facts.values()):
        return None
    columns: dict[str, Any] = {}
    for part in ("core", *(f"p{number}" for number in range(len(facts)))):
        data = site.output.last_bytes(f"{place}-{part}")
        if data is None:
            break
        try:
            columns.update(script_value(data)["columns"])
        except (ValueError, KeyError, TypeError, json.JSONDecodeError):
            return None
    return Grown(held["rows"], facts, columns, {}) if columns.keys() == facts.keys() else None
