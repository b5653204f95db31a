"""What the search page looks through: all experiments, and the newest runs with their names, ids, users and tags.

Bounded, because a page loads the whole of it: older runs are found in the table of their experiment, and the page says so.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from runfolio.index import RunRow
from runfolio.site.columns import script
from runfolio.site.gather import Site
from runfolio.site.links import experiment_page
from runfolio.site.output import canonical
from runfolio.site.plan import Data

NAME = "data/search"
MOST_RUNS = 20_000
MOST_WORDS = 160
"""Characters of a run's tags and user that are looked through."""


def search_file(site: Site) -> Data:
    """Return the file."""
    newest = heapq.nlargest(MOST_RUNS, site.rows, key=lambda row: (row.start, row.run_id))
    experiments = [
        [item.name, item.experiment.description.partition("\n\n")[0][:280], experiment_page(item.slug), len(item.rows)]
        for item in site.experiments
    ]
    prepared = [row.run_id in site.prepared for row in newest]
    inputs = canonical([experiments, prepared, len(site.rows)]) + site.digest(newest)
    return Data(NAME, inputs, lambda: (script(NAME, _value(site, newest, experiments)), None))


def _value(site: Site, newest: Sequence[RunRow], experiments: Sequence[Any]) -> dict[str, Any]:
    places = {item.slug: at for at, item in enumerate(site.experiments)}
    runs = [
        [record.get("name", ""), places[row.slug], row.run_id, int(row.run_id in site.prepared), _words(record)]
        for row, record in zip(newest, site.records(newest), strict=True)
    ]
    return {"experiments": experiments, "runs": runs, "left": len(site.rows) - len(runs)}


def _words(record: dict[str, Any]) -> str:
    tags = [f"{key}: {value}" for key, value in record.get("tags", {}).items() if not key.startswith("mlflow.")]
    return ", ".join([*([record["user"]] if record.get("user") else []), *tags])[:MOST_WORDS]
