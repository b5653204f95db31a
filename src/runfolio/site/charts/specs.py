"""Vega-Lite specifications: what of them a site shows, whoever wrote them.

Invariants of what :func:`clean_spec` returns:

- Nothing in it makes a browser load anything: no ``url``, no ``href``, no pictures, no loader.
- It says nothing to the page around it: no ``usermeta`` (whose ``embedOptions`` would override the page's), no input outside of its
  card or with attributes of its own, no cursor but a named one.
- It is Vega-Lite, JSON values through and through, and no deeper than `MAX_DEPTH`.

What it calculates is interpreted, not compiled (the pages' policy knows no ``eval``). What only shows when it is drawn, such as paints
that come out of data, the script in front of Vega takes care of (``hatch_build.py``). It does *not* know which columns runs have, nor how
long an expression takes: a regular expression can be slow on purpose.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from runfolio._pattern import pattern
from runfolio.errors import UsageError

RUNS = "runs"
"""The name of the data that a page puts in the place of ``{"name": "runs"}``."""
MAX_DEPTH = 60
MAX_ROWS = 5000
MAX_BYTES = 2_000_000
_MAX_SEQUENCE = 100_000
_MOST: Mapping[str, int] = {"width": 4000, "height": 4000, "maxbins": 1000, "steps": 10_000, "tickCount": 1000}
_FORBIDDEN: Mapping[str, str] = {
    "url": 'nothing is loaded from an address; use data: {name: runs}, or values in the specification',
    "href": "marks carry no links",
    "loader": "nothing is loaded",
    "element": "inputs stand in the chart's own card",
    "signals": "Vega's own signals are not Vega-Lite; use params",
}  # fmt: skip
_NUMBERS_ONLY = ("maxbins", "steps", "tickCount")
_CURSOR = pattern(r"[a-z-]+\Z")
_PARAM = pattern(r"(.*\.)?params\[\d+\]\Z", re.DOTALL)
# Vega makes attributes of an input of every other key, also of style, src and onfocus.
_INPUT_KEYS = ("autocomplete", "debounce", "input", "labels", "max", "min", "name", "options", "placeholder", "step")
_INPUTS = (
    "checkbox", "color", "date", "datetime-local", "email", "month", "number", "radio", "range", "search", "select", "tel", "text",
    "time", "week",
)  # fmt: skip
_SHOWS = ("mark", "layer", "hconcat", "vconcat", "concat", "repeat", "facet", "spec")
_VEGA_LITE = pattern(r"https?://vega\.github\.io/schema/vega-lite/v\d+(\.\d+){0,2}\.json\Z")


def clean_spec(value: object, where: str, *, most_rows: int | None = MAX_ROWS) -> dict[str, Any]:
    """Return a specification that a page may draw.

    Parameters
    ----------
    value : object
        Parsed JSON or YAML.
    where : str
        The chart and its file, for messages.
    most_rows : int or None
        Rows that the specification may carry itself.

    Raises
    ------
    UsageError
        If it is no Vega-Lite, or asks for what no page does; the message names every key.

    Examples
    --------
    >>> clean_spec({"mark": "point", "usermeta": {"embedOptions": {}}}, "chart 'a'")
    {'mark': 'point'}
    >>> clean_spec({"mark": {"type": "point", "href": "//x"}}, "chart 'a'")
    Traceback (most recent call last):
    ...
    runfolio.errors.UsageError: chart 'a': mark.href: marks carry no links.
    """
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{where}: a Vega-Lite specification is expected, found {_short(value)}.")
    walk = _Walk(most_rows)
    schema = value.get("$schema")
    if schema is not None and not (isinstance(schema, str) and _VEGA_LITE.match(schema)):
        walk.fault("$schema", f"Vega-Lite is expected, found {_short(schema)}")
    if not any(key in value for key in _SHOWS):
        walk.fault("mark", "is missing; a Vega-Lite specification has a mark, or layers, or charts side by side")
    made = walk.mapping({key: inner for key, inner in value.items() if key != "$schema"}, "", 0)
    if walk.faults:
        raise UsageError(f"{where}: " + "; ".join(walk.faults[:20]) + ".")
    return made


def logged_spec(text: str) -> dict[str, Any] | None:
    """Return the specification in a logged file, such as ``log_figure`` writes of an Altair chart; None where there is none to draw.

    Parameters
    ----------
    text : str
        JSON that names Vega-Lite's schema.
    """
    if "vega.github.io/schema/vega-lite/" not in text or len(text) > MAX_BYTES:
        return None
    try:
        value = json.loads(text)
        if not isinstance(value, dict) or "$schema" not in value:
            return None
        return clean_spec(value, "the figure", most_rows=None)
    except (ValueError, RecursionError):  # also UsageError: what is no chart is shown as the text that it is
        return None


def fitted(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a specification as wide as its card, where it says nothing of its width and is one view."""
    made = dict(spec)
    view = made.get("config", {}).get("view", {}) if isinstance(made.get("config"), dict) else {}
    if isinstance(view, dict) and view.get("continuousWidth") == view.get("continuousHeight") == 300:
        # Altair writes its default into every chart; the theme's is meant.
        rest = {key: value for key, value in view.items() if key not in ("continuousWidth", "continuousHeight")}
        made["config"] = {**made["config"], "view": rest}
    encoding = made.get("encoding", {})
    facets = isinstance(encoding, dict) and any(key in encoding for key in ("row", "column", "facet"))
    if ("mark" in made or "layer" in made) and not facets and "width" not in made:
        made["width"] = "container"
    return made


def uses_runs(value: object) -> bool:
    """Tell whether a specification asks for the page's runs."""
    if isinstance(value, Mapping):
        data = value.get("data")
        return (isinstance(data, Mapping) and data.get("name") == RUNS and "values" not in data) or any(
            uses_runs(inner) for key, inner in value.items() if key not in ("values", "datasets")
        )
    return isinstance(value, list) and any(map(uses_runs, value))


def columns_in(spec: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    r"""Return which columns a specification speaks of, in fields or in expressions.

    Parameters
    ----------
    spec : Mapping
    keys : iterable of str
        Columns that there are. Those of attributes may be named without ``attributes.``

    Examples
    --------
    >>> columns_in({"field": "metrics\\.loss", "x": "datum.params['lr'] > 1"}, ["metrics.loss", "metrics.los", "params.lr"])
    ['metrics.loss', 'params.lr']
    """
    said = re.sub(r"\\|[\"']\]|\[[\"']", lambda found: "." if found[0].startswith("[") else "", "\n".join(_strings(spec)))
    found = []
    for key in keys:
        name = key.removeprefix("attributes.")
        at = said.find(name)
        while at >= 0:
            after = said[at + len(name) : at + len(name) + 1]
            if not (after.isalnum() or after == "_") and not (at and (said[at - 1].isalnum() or said[at - 1] == "_")):
                found.append(key)
                break
            at = said.find(name, at + 1)
    return found


class _Walk:
    """Copies values and collects what is wrong with them."""

    def __init__(self, most_rows: int | None) -> None:
        self.faults: list[str] = []
        self._most_rows = most_rows

    def fault(self, place: str, message: str) -> None:
        self.faults.append(f"{place}: {message}")

    def value(self, value: object, place: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            self.fault(place, f"nested deeper than {MAX_DEPTH}")
            return None
        if isinstance(value, dict):
            return self.mapping(value, place, depth)
        if isinstance(value, list):
            return [self.value(inner, f"{place}[{at}]", depth + 1) for at, inner in enumerate(value)]
        if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
            return value
        self.fault(place, f"{_short(value)} is not JSON; write it as text")
        return None

    def mapping(self, value: dict[Any, Any], place: str, depth: int) -> dict[str, Any]:
        made = {}
        self._sequence(value, place)
        for key, inner in value.items():
            here = f"{place}.{key}" if place else str(key)
            if not isinstance(key, str):
                self.fault(place, f"the key {_short(key)} is not text; put it in quotes")
            elif key in _FORBIDDEN:
                self.fault(here, _FORBIDDEN[key])
            elif key in ("mark", "type") and inner == "image":
                self.fault(here, "pictures are not drawn in charts; log them as artifacts")
            elif key in _MOST and isinstance(inner, (int, float)) and inner > _MOST[key]:
                self.fault(here, f"at most {_MOST[key]:,}")
            elif key in _NUMBERS_ONLY and isinstance(inner, dict) and not inner.keys().isdisjoint(("expr", "signal")):
                self.fault(here, "a number is expected")
            elif key == "cursor" and not (isinstance(inner, str) and _CURSOR.match(inner)):
                self.fault(here, f"a word such as pointer is expected, found {_short(inner)}")
            elif key == "name" and inner == "cursor" and _PARAM.match(place):
                self.fault(here, "the name is Vega's own; choose another")
            elif key == "usermeta":
                continue
            elif key == "bind" and isinstance(inner, dict):
                made[key] = self._binding(inner, here, depth)
            elif (key == "values" and place.rpartition(".")[2] == "data") or place == "datasets":
                made[key] = self._rows(inner, here)
            else:
                made[key] = self.value(inner, here, depth + 1)
        return made

    def _binding(self, value: dict[Any, Any], place: str, depth: int) -> dict[str, Any]:
        """Copy what a param is bound to: one input, inputs by field, or a legend."""
        made = self.mapping(value, place, depth + 1)
        inputs = [(place, value)] if not isinstance(value.get("input"), dict) and "input" in value else [
            (f"{place}.{field}", inner) for field, inner in value.items() if isinstance(inner, dict)
        ]  # fmt: skip
        for here, item in inputs:
            if item.get("input") not in _INPUTS:
                self.fault(f"{here}.input", f"one of {', '.join(_INPUTS)} is expected, found {_short(item.get('input'))}")
            for key in item:
                if key not in _INPUT_KEYS:
                    self.fault(f"{here}.{key}", f"inputs have {', '.join(_INPUT_KEYS)}")
        return made

    def _sequence(self, value: dict[Any, Any], place: str) -> None:
        start, stop, step = value.get("start", 0), value.get("stop"), value.get("step", 1)
        numbers = all(isinstance(part, (int, float)) for part in (start, stop, step))
        if numbers and (not step or not abs((stop - start) / step) <= _MAX_SEQUENCE):
            self.fault(place, f"at most {_MAX_SEQUENCE:,} steps")

    def _rows(self, value: object, place: str) -> Any:
        if self._most_rows is not None and isinstance(value, (list, str)):
            count = len(value) if isinstance(value, list) else value.count("\n")
            if count > self._most_rows:
                self.fault(
                    place, f"{count:,} rows; at most {self._most_rows:,} are published in a chart. Use the data named {RUNS!r}"
                )
        try:
            return json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            self.fault(place, f"not JSON ({error})")
            return None


def _strings(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in ("values", "datasets"):
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
