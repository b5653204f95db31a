"""A page of one experiment with its data files, written without a folio: as many runs as a test wants, with the values that it wants.

The files are those of the contract between generator and scripts (:mod:`runfolio.site.columns`); the encodings are written here a
second time on purpose, so that the scripts are held to the contract and not to what the generator happens to choose.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2

from runfolio.site.assets import asset_files
from runfolio.site.render import CSP, FILTERS
from runfolio.site.strips import strip_range
from tests.site.conftest import TEMPLATES

Cell = float | str | list[str] | None
Rows = Sequence[Mapping[str, Cell]]


def spell(value: Any) -> Any:
    """A number as JSON can spell it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def kind_of(key: str, values: Sequence[Any]) -> str:
    if key in ("attributes.start_time", "attributes.end_time"):
        return "time"
    first = next(value for value in values if value is not None)
    return "list" if isinstance(first, list) else "text" if isinstance(first, str) else "num"


def encode(key: str, kind: str, values: Sequence[Any]) -> dict[str, Any] | None:
    """Encode one column of a shard, each of the contract's encodings where it fits."""
    filled = [at for at, value in enumerate(values) if value is not None]
    if not filled:
        return None
    sparse = len(filled) * 4 < len(values)
    if kind == "time" and len(filled) == len(values):
        return {"t": "d", "v": [values[0], *(now - then for then, now in pairwise(values))]}
    if kind in ("num", "time"):
        if sparse:
            return {"t": "n", "i": filled, "v": [spell(values[at]) for at in filled]}
        return {"t": "n", "v": [spell(value) for value in values]}
    letter = "l" if kind == "list" else "s"
    distinct = sorted({json.dumps(values[at]) for at in filled})
    if letter == "s" and len(distinct) > len(filled) // 2:
        return {"t": "s", "i": filled, "v": [values[at] for at in filled]} if sparse else {"t": "s", "v": list(values)}
    places = {text: at for at, text in enumerate(distinct)}
    words = [json.loads(text) for text in distinct]
    if sparse:
        return {"t": letter, "d": words, "i": filled, "c": [places[json.dumps(values[at])] for at in filled]}
    return {"t": letter, "d": words, "c": [-1 if value is None else places[json.dumps(value)] for value in values]}


class TableSite:
    """A folder with the page of one experiment.

    Parameters
    ----------
    folder : Path
    rows : sequence of Mapping
        Cells by column key, ``run_id`` beside them; in the order of start, then id.
    core : sequence of str
        Columns that are shown at first.
    shard, pack : int
        Rows of a shard; columns of a pack.
    objective : dict, optional
        metric, direction, replicate.
    baseline : int, optional
        A row.
    listed : int
        How many columns the page lists; the others are in the list of all columns only.
    """

    def __init__(
        self,
        folder: Path,
        rows: Rows,
        *,
        core: Sequence[str],
        shard: int = 25_000,
        pack: int = 8,
        objective: Mapping[str, Any] | None = None,
        baseline: int | None = None,
        listed: int = 200,
        name: str = "wine",
    ) -> None:
        self.folder, self.rows = folder, rows
        self.objective, self.baseline, self.name = objective, baseline, name
        keys = dict.fromkeys(key for row in rows for key in row if key != "run_id")
        self.columns: dict[str, Sequence[Any]] = {key: [row.get(key) for row in rows] for key in keys}
        self.core = [key for key in core if key in self.columns]
        self.kinds = {key: kind_of(key, values) for key, values in self.columns.items()}
        self._write(shard, pack, listed)

    def _script(self, key: str, value: Any) -> str:
        path = self.folder / f"{key}.0123abcd.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"rfData({json.dumps(key)},{json.dumps(value, allow_nan=False)});\n")
        return f"{key}.0123abcd.js"

    def _write(self, size: int, pack: int, listed: int) -> None:
        others = [key for key in self.columns if key not in self.core]
        packs = {**dict.fromkeys(self.core, -1), **{key: at // pack for at, key in enumerate(others)}}
        shards = []
        for number in range(max(1, -(-len(self.rows) // size))):
            start, base = number * size, f"data/e/wine/{number}"
            held = {
                key: found
                for key, values in self.columns.items()
                if (found := encode(key, self.kinds[key], values[start : start + size])) is not None
            }
            count = len(self.rows[start : start + size])
            files = [
                self._script(f"{base}-{'core' if at < 0 else f'p{at}'}",
                             {"rows": count, "columns": {key: held[key] for key in held if packs[key] == at}})
                for at in range(-1, max(packs.values()) + 1)
            ]  # fmt: skip
            ids = [row["run_id"] for row in self.rows[start : start + size]]
            pages = [at for at in range(count) if (start + at) % 7 == 0]
            shards.append(
                {"start": start, "rows": count, "core": files[0], "packs": files[1:],
                 "ids": self._script(f"{base}-ids", {"ids": ids, "pages": pages})}
            )  # fmt: skip
        facts = [
            {
                "key": key,
                "kind": self.kinds[key],
                "pack": packs[key],
                "filled": sum(value is not None for value in self.columns[key]),
            }
            for key in [*self.core, *others]
        ]
        manifest = self._script("data/e/wine/columns", facts)
        self.page_data = {
            "experiment": {
                "id": "7", "slug": "wine", "name": self.name, "description": "", "objective": self.objective,
                "baseline": None if self.baseline is None else self.rows[self.baseline]["run_id"], "baseline_row": self.baseline,
            },
            "first": [], "runs": len(self.rows), "more": max(0, len(facts) - listed), "shards": shards, "manifest": manifest,
            "columns": [{"key": fact["key"], "kind": fact["kind"], "core": fact["pack"] < 0} for fact in facts[:listed]],
            "details": "data/r/index.0123abcd.js", "rounded": None,
        }  # fmt: skip

    def page(self, first: Sequence[int] = (), scripts: bool = True) -> Path:
        """Write the page, with some rows in its HTML, and return its file."""
        by_name = {item.name: item for item in asset_files({})}
        assets = {}
        for name, item in by_name.items():
            path = self.folder / f"{name}{item.ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(item.render()[0])
            assets[name] = f"../../{name}{item.ending}"
        environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader(
                [jinja2.DictLoader({"page.html": PAGE}), jinja2.FileSystemLoader(TEMPLATES / "templates")]),
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        environment.filters.update(FILTERS)
        data = {**self.page_data, "first": list(first)}
        table = {
            "columns": [
                {"key": key, "entity": key.partition(".")[0], "name": key.partition(".")[2], "kind": self.kinds[key]}
                for key in self.core
            ],
            "rows": [self._row(at) for at in first],
            "baseline": None if self.baseline is None else self._row(self.baseline),
            "total": len(self.rows),
            "objective": f"metrics.{self.objective['metric']}" if self.objective else "",
            "direction": self.objective["direction"] if self.objective else "",
            "strip": self._strip(),
            "one_day": "",
        }
        path = self.folder / "e" / "wine" / "index.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            environment.get_template("page.html").render(
                csp=CSP, table=table, data=data, name=self.name, assets=assets, scripts=scripts
            )
        )
        return path

    def _strip(self) -> tuple[float, float] | None:
        if not self.objective:
            return None
        values = self.columns[f"metrics.{self.objective['metric']}"]
        base = None if self.baseline is None else values[self.baseline]
        return strip_range([value for value in values if value is not None], self.objective["direction"], base)

    def _row(self, at: int) -> dict[str, Any]:
        row = self.rows[at]
        name = row.get("attributes.run_name") or str(row["run_id"])[:12]
        return {
            "ordinal": at, "run_id": row["run_id"], "name": name, "href": f"r/run.html#{row['run_id']}",
            "status": row.get("attributes.status", "FINISHED"), "start": row.get("attributes.start_time"),
            "cells": {key: spell(row.get(key)) for key in self.core},
        }  # fmt: skip


PAGE = """{% from "_table.html" import run_table %}
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{{ csp }}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{{ name }}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="{{ assets['assets/app-style'] }}">
{% if scripts %}<script src="{{ assets['assets/theme'] }}"></script>
{% for part in ["app", "table", "start"] %}<script src="{{ assets['assets/' ~ part] }}" defer></script>{% endfor %}{% endif %}
<script type="application/json" id="rf-page">{{ data|json }}</script></head>
<body data-page="experiment" data-root="../../"><main id="main"><h1>{{ name }}</h1>
<div class="grid-main"><div id="runs">{{ run_table(table, "../../") }}</div><aside class="side" aria-label="Charts"></aside></div></main></body></html>
"""
