"""The run tables' data: columns in shards of runs, the ones that every table shows in one file, the rest in packs.

Three steps, because which columns are shown first follows from all runs: facts of each shard, the shards' files, the list of
columns. A new run changes the last shard of its experiment only, and where there are thousands, the last one is a small piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from runfolio._pattern import pattern
from runfolio._typing import Any, NamedTuple
from runfolio.index import RunRow
from runfolio.site.columns import encode_column, facts_of, join_facts, script
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.growing import remembered
from runfolio.site.output import canonical
from runfolio.site.plan import Data

SHARD, PIECE = 25_000, 5000
PACKS = 12
ROUND_FROM = 5000
DIGITS = 5
ALWAYS = ("attributes.run_name", "attributes.status", "attributes.start_time", "attributes.duration")
MOST_METRICS, MOST_PARAMS = 3, 4
_TELLING = pattern(
    r"(?<![a-z])(acc|accuracy|auc|auroc|bleu|error|f1|iou|loss|mae|map|mape|mse|perplexity|precision|r2|recall|reward|rmse|score|wer)(?![a-z])",
    re.IGNORECASE,
)
"""Names of what runs are judged by: shown first where as many runs have them as have the others."""
_LEVELS = pattern(r"[./](?=.)")


class Shard(NamedTuple):
    """Runs of an experiment that stand one after the other, and the place of the first one."""

    start: int
    rows: Sequence[RunRow]


def shards_of(item: ExperimentData) -> list[Shard]:
    """Return an experiment's rows by shard; one empty shard where there is no run."""
    count = len(item.rows)
    whole = count // SHARD * SHARD
    # The newest runs are cut small, so that another one does not touch all of them. Few runs are one shard: fewer files to load.
    if whole:
        starts = [*range(0, whole, SHARD), *range(whole, count, PIECE)]
    else:
        starts = [0, count // PIECE * PIECE] if count >= 2 * PIECE and count % PIECE else [0]
    ends = [*starts, count][1:]
    return [Shard(at, item.rows[at:end]) for at, end in zip(starts, ends, strict=True)] or [Shard(0, ())]


def digits_of(item: ExperimentData) -> int | None:
    """Return the significant digits of an experiment's numbers in its table; None where they are whole."""
    return DIGITS if len(item.rows) > ROUND_FROM else None


def facts(site: Site, item: ExperimentData, number: int, rows: Sequence[RunRow]) -> Data:
    """Return a shard's small file with the facts of its columns, from which the next steps are planned."""
    name = _facts_name(item, number)
    return Data(name, site.digest(rows), lambda: _facts(site, name, rows))


def _facts(site: Site, name: str, rows: Sequence[RunRow]) -> tuple[bytes, object]:
    grown = site.grown.get(name)
    found = grown.joined_facts() if grown else {key: facts_of(cells) for key, cells in sorted(site.columns(rows).items())}
    return script(name, len(found)), remembered(site, rows, found)


def known_columns(site: Site, item: ExperimentData) -> dict[str, dict[str, Any]]:
    """Return the facts of an experiment's columns, the first ones of its table first."""
    if item.columns is None:
        parts: dict[str, list[dict[str, Any]]] = {}
        for number in range(len(shards_of(item))):
            held = site.output.facts(_facts_name(item, number))
            assert isinstance(held, dict)
            for key, value in held["columns"].items():
                parts.setdefault(key, []).append(value)
        found = {key: join_facts(value) for key, value in sorted(parts.items())}
        core = _core(item, found)
        item.columns = {key: found[key] for key in (*core, *(key for key in found if key not in core))}
        item.core = tuple(core)
    return item.columns


def _core(item: ExperimentData, found: dict[str, dict[str, Any]]) -> list[str]:
    """Choose the columns that a table shows at first."""
    metrics = sorted(
        (key for key, facts in found.items() if key.startswith("metrics.") and not key.startswith("metrics.system/")),
        key=lambda key: (-found[key]["filled"], not _TELLING.search(key), key),
    )
    first = f"metrics.{item.objective.metric}" if item.objective else ""
    if first in found:
        metrics = [first, *(key for key in metrics if key != first)]
    # What every run that has it has in common tells no run from another.
    varied = (key for key, facts in found.items() if key.startswith("params.") and "only" not in facts)
    # Of a nested configuration, what stands at its top comes first.
    params = sorted(varied, key=lambda key: (-found[key]["filled"], len(_LEVELS.findall(key)), key))
    chosen = [*metrics[:MOST_METRICS], *params[:MOST_PARAMS]]
    return [key for key in (ALWAYS[0], *chosen, *ALWAYS[1:]) if key in found]


def packs_of(site: Site, item: ExperimentData) -> dict[str, int]:
    """Return the pack of each column; -1 for those that are shown at first."""
    others = list(known_columns(site, item))[len(item.core) :]
    size = max(8, -(-len(others) // PACKS))
    return {**dict.fromkeys(item.core, -1), **{key: at // size for at, key in enumerate(others)}}


def shards(site: Site) -> Iterator[Data]:
    """Yield the files of the shards: first columns, packs, ids."""
    prepared = site.prepared
    for item in site.experiments:
        packs, digits = packs_of(site, item), digits_of(item)
        for number, (_, rows) in enumerate(shards_of(item)):
            body = site.digest(rows)
            for pack in sorted({-1, *packs.values()}):
                keys = sorted(key for key, found in packs.items() if found == pack)
                name = _name(item, number, pack)
                inputs = body + canonical([keys, digits or 0])
                yield Data(name, inputs, partial(_columns, site, (item, number), name, keys, rows, digits))
            pages = [at for at, row in enumerate(rows) if row.run_id in prepared]
            name = f"data/e/{item.slug}/{number}-ids"
            yield Data(name, body + canonical(pages), partial(_ids, name, rows, pages))


def _columns(
    site: Site, place: tuple[ExperimentData, int], name: str, keys: Sequence[str], rows: Sequence[RunRow], digits: int | None
) -> tuple[bytes, None]:
    item, number = place
    grown = site.grown.get(_facts_name(item, number))
    if grown is None:
        held = site.columns(rows)
        columns = {key: encode_column(held[key], len(rows), digits) for key in keys if key in held}
    else:
        # Where there was more than one shard, numbers were rounded, and the first one then has more runs than `ROUND_FROM`.
        rounded = number > 0 or grown.rows > ROUND_FROM or digits is None
        found = {key: grown.encoded(key, len(rows), digits, rounded=rounded) for key in keys}
        columns = {key: column for key, column in found.items() if column}
    return script(name, {"rows": len(rows), "columns": columns}), None


def columns(site: Site) -> Iterator[Data]:
    """Yield the list of all columns of each experiment."""
    for item in site.experiments:
        packs = packs_of(site, item)
        value = [{"key": key, "pack": packs[key], **facts} for key, facts in known_columns(site, item).items()]
        name = f"data/e/{item.slug}/columns"
        yield Data(name, canonical(value), partial(_plain, name, value))


def _ids(name: str, rows: Sequence[RunRow], pages: Sequence[int]) -> tuple[bytes, None]:
    return script(name, {"ids": [row.run_id for row in rows], "pages": pages}), None


def _plain(name: str, value: object) -> tuple[bytes, None]:
    return script(name, value), None


def page_data(site: Site, item: ExperimentData) -> dict[str, Any]:
    """Return what the page of an experiment tells its scripts about the data."""
    known, packs = known_columns(site, item), packs_of(site, item)
    count = max(packs.values(), default=-1) + 1
    path = site.output.path
    listed = [
        {
            "start": start,
            "rows": len(rows),
            "core": path(_name(item, number, -1)),
            "packs": [path(_name(item, number, pack)) for pack in range(count)],
            "ids": path(f"data/e/{item.slug}/{number}-ids"),
        }
        for number, (start, rows) in enumerate(shards_of(item))
    ]
    shown = [{"key": key, "kind": facts["kind"], "core": packs[key] == -1} for key, facts in list(known.items())[:200]]
    return {
        "runs": len(item.rows),
        "columns": shown,
        "more": len(known) - len(shown),
        "shards": listed,
        "manifest": path(f"data/e/{item.slug}/columns"),
        "details": path("data/r/index"),
        "rounded": digits_of(item),
    }


def _facts_name(item: ExperimentData, number: int) -> str:
    return f"data/e/{item.slug}/{number}-facts"


def _name(item: ExperimentData, number: int, pack: int) -> str:
    return f"data/e/{item.slug}/{number}-core" if pack < 0 else f"data/e/{item.slug}/{number}-p{pack}"
