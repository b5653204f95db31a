"""A mapping for a table that has none: by the names of its columns, and by what is in its first rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from itertools import islice
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.formats.yaml_text import dump_yaml
from runfolio.transfer.table.cells import cell_number
from runfolio.transfer.table.mapping import TableMapping, decode_mapping
from runfolio.transfer.table.rows import kind_of, rows_of

LOOKED_AT = 1000
_FACTS = {
    "id": "run_id id run uuid run.id run_uuid _id trial_id",
    "name": "name run_name title display_name run.name",
    "experiment": "experiment experiment_name project study",
    "status": "status state",
    "start": "start start_time started started_at created created_at start_date datetime_start",
    "end": "end end_time ended finished finished_at stop_time datetime_complete",
    "duration": "duration runtime duration_s seconds elapsed",
    "user": "user user_id author owner",
    "parent": "parent parent_id parent_run_id",
    "note": "note notes description comment",
    "metric": "metric metric_name key",
    "value": "value metric_value",
    "step": "step global_step iteration epoch iter",
    "time": "timestamp time wall_time wall_clock date",
}
_STEPS = frozenset(_FACTS["step"].split())
_COMMA = re.compile(r"\s*-?\d+,\d+\s*")
_PREFIXES = {
    "params": ("params.", "param.", "param_", "params_", "config.", "config/", "config_", "hparams.", "hparams/"),
    "metrics": ("metrics.", "metric.", "metric_", "metrics_", "summary.", "summary/"),
    "tags": ("tags.", "tag.", "tag_", "tags_"),
}
_METRIC = re.compile(
    r"(?:\A|[^a-z])(?:loss|acc|accuracy|f1|auc|auroc|roc_auc|rmse|mae|mse|mape|score|error|precision|recall|r2|bleu|rouge\w*|perplexity|ppl|"
    r"iou|map|ndcg|logloss|reward|return|objective|value|values_\d+)(?:[^a-z]|\Z)"
)


@dataclass(slots=True)
class Proposal:
    """A mapping, and how sure it is.

    Parameters
    ----------
    document : dict
        As ``mapping.yaml`` has it.
    guessed : list of str
        Columns that were told by what is in them, not by their names.
    """

    document: dict[str, Any]
    guessed: list[str] = field(default_factory=list)

    def mapping(self) -> TableMapping:
        """Return it, read."""
        return decode_mapping(dump_yaml(self.document), "the proposed mapping")

    def text(self, file: Path) -> str:
        """Return it as the file ``mapping.yaml``."""
        header = f"What the columns of {file.name} are, as runfolio sees it. Change what is wrong, and import with --mapping."
        if self.guessed:
            header += f"\nTold by their first rows, not by their names: {', '.join(self.guessed)}."
        return dump_yaml(self.document, header).decode()


def propose(file: Path, base: TableMapping | None = None) -> Proposal:
    """Propose a mapping.

    Parameters
    ----------
    file : Path
    base : TableMapping, optional
        What is known of the file: its format, encoding, delimiter.

    Raises
    ------
    NotFoundError
        If there is no such file.
    UsageError
        If its header cannot be, or nothing says whether it is CSV or JSON.
    """
    known = base or TableMapping()
    rows = [row for _, row in islice(rows_of(file, known, lambda at, said: None), LOOKED_AT)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = {name: [row[name] for row in rows if row.get(name) is not None] for name in columns}
    with_comma = [name for name, found in cells.items() if any(_COMMA.fullmatch(str(value)) for value in found)]
    document = _of_file(file, known)
    if with_comma:
        document["decimal"] = ","
    facts = _facts(columns)
    points = _are_points(facts, cells)
    if not points:
        facts = {fact: name for fact, name in facts.items() if fact not in ("metric", "value", "step")}
        if "time" in facts:
            moment = facts.pop("time")
            facts.setdefault("start", moment)
    if "end" in facts:
        facts.pop("duration", None)
    document["rows"] = "points" if points else "runs"
    if facts:
        document["columns"] = facts
    reading = TableMapping(decimal="," if with_comma else ".")
    guessed = _sorted_out([name for name in columns if name not in facts.values()], cells, reading, points, document)
    return Proposal(document, list(dict.fromkeys(guessed + with_comma)))


def _of_file(file: Path, known: TableMapping) -> dict[str, Any]:
    """Return what is known of the file."""
    said: dict[str, Any] = {"format": kind_of(file, known)}
    if known.encoding != TableMapping().encoding:
        said["encoding"] = known.encoding
    if known.delimiter:
        said["delimiter"] = known.delimiter
    if known.missing != ("",):
        said["missing"] = list(known.missing)
    return said


def _facts(columns: Sequence[str]) -> dict[str, str]:
    """Return which column says what, by their names; of several, the name that comes first in `_FACTS`."""
    plain = {name.strip().casefold().replace(" ", "_"): name for name in reversed(columns)}
    found = {}
    for fact, names in _FACTS.items():
        named = next((plain[name] for name in names.split() if name in plain), None)
        if named is not None:
            found[fact] = named
    return found


def _are_points(facts: dict[str, str], cells: dict[str, list[Any]]) -> bool:
    if "metric" in facts and "value" in facts:
        return True
    for name in ("metric", "value"):
        facts.pop(name, None)
    if "step" not in facts:
        return False
    ids = cells[facts["id"]] if "id" in facts else []
    return not ids or len({str(value) for value in ids}) < len(ids)


def _sorted_out(
    names: Sequence[str], cells: dict[str, list[Any]], mapping: TableMapping, points: bool, document: dict[str, Any]
) -> list[str]:
    """Put each column under params, metrics, tags or ignore; return those that were told by what is in them."""
    found: dict[str, list[str]] = {"params": [], "metrics": [], "tags": [], "ignore": []}
    strip: dict[str, None] = {}
    guessed = []
    for name in names:
        said = next(
            ((role, prefix) for role, all_ in _PREFIXES.items() for prefix in all_ if name.casefold().startswith(prefix)), None
        )
        if said is not None:
            found[said[0]].append(name)
            strip.setdefault(name[: len(said[1])])
        elif name.casefold() in _FACTS["duration"].split():  # the end says it
            found["ignore"].append(name)
        elif points and name.casefold() in _STEPS:  # a second count, beside the one that is the step
            found["metrics"].append(name)
        elif not cells[name]:
            found["ignore"].append(name)
        elif _METRIC.search(name.casefold()) and _numbers(cells[name], mapping):
            found["metrics"].append(name)
        else:
            guessed.append(name)
            found[
                "metrics"
                if points and "metric" not in document.get("columns", {}) and _numbers(cells[name], mapping)
                else "params"
            ].append(name)
    document.update({role: held for role, held in found.items() if held})
    if strip:
        document["strip"] = list(strip)
    return guessed


def _numbers(values: Sequence[Any], mapping: TableMapping) -> bool:
    for value in values:
        try:
            cell_number(value, mapping)
        except ValueError:
            return False
    return bool(values)
