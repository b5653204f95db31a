"""Charts that a team declares: ``site.charts`` in ``runfolio.yaml``.

Invariants: a declaration has exactly one source (``spec``, ``file``, ``python``); files are read from the commit that is shown, never
from the work tree; all faults are told at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, UsageError
from runfolio.formats.yaml import load_yaml
from runfolio.site.charts.specs import MAX_BYTES, clean_spec

if TYPE_CHECKING:
    from runfolio.site.gather import Site

_KEYS = ("title", "experiment", "spec", "file", "python")
_SOURCES = ("spec", "file", "python")


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared chart.

    Parameters
    ----------
    title : str
    experiments : str
        Shell pattern over names.
    where : str
        The declaration and its file, for messages.
    spec : dict or None
        Vega-Lite, cleaned; None where Python makes it.
    source, path, function : str
        The Python source, its file and the function that returns an Altair chart; empty where `spec` is given.
    """

    title: str
    experiments: str
    where: str
    spec: dict[str, Any] | None = None
    source: str = ""
    path: str = ""
    function: str = ""

    def is_for(self, name: str) -> bool:
        """Tell whether the chart is on the page of the experiment of that name."""
        return fnmatchcase(name, self.experiments)


def read_declared(site: Site) -> list[Declared]:
    """Return the declared charts of a site; those in Python are left out, with a warning, where they may not run.

    Raises
    ------
    UsageError
        If any declaration is wrong; the message names chart, file and key of all of them.
    """
    found, faults, left_out = [], [], 0
    for at, item in enumerate(site.settings.charts):
        try:
            made = _declared(site, item, at)
        except UsageError as error:
            faults.append(error.message)
            continue
        if made.spec is None and not site.options.python_charts:
            left_out += 1
        else:
            found.append(made)
    if faults:
        raise UsageError("\n".join(faults) + "\nCorrect the charts (docs: how-to/site-charts).")
    if left_out:
        site.warnings.append(f"Charts declared in Python that did not run and are left out: {left_out} (--no-python-charts).")
    return found


def _declared(site: Site, item: Mapping[str, Any], at: int) -> Declared:
    title = item.get("title")
    where = f"runfolio.yaml: site.charts[{at}]"
    if not isinstance(title, str) or not title.strip():
        raise UsageError(
            f"{where}.title: a short text is expected; it is the heading of the chart, and its name for screen readers."
        )
    where = f"{where} ({title})"
    unknown = [str(key) for key in item if key not in _KEYS]
    sources = [key for key in _SOURCES if item.get(key) is not None]
    pattern = item.get("experiment", "*")
    if unknown:
        raise UsageError(f"{where}: {', '.join(unknown)} is not known; there are {', '.join(_KEYS)}.")
    if len(sources) != 1:
        raise UsageError(f"{where}: exactly one of {', '.join(_SOURCES)} is expected, found {', '.join(sources) or 'none'}.")
    if not isinstance(pattern, str):
        raise UsageError(f"{where}.experiment: a name or a pattern such as churn-* is expected, found {pattern!r}.")
    kind, source = sources[0], item[sources[0]]
    if kind == "spec":
        return Declared(title, pattern, where, clean_spec(source, where))
    if not isinstance(source, str):
        raise UsageError(f"{where}.{kind}: a text is expected, found {source!r}.")
    if kind == "file":
        return Declared(title, pattern, f"{where}, {source}", _of_file(site, source, f"{where}.file", f"{where}, {source}"))
    path, colon, function = source.rpartition(":")
    if not colon or not path.endswith(".py") or not function.isidentifier():
        raise UsageError(
            f"{where}.python: a file and a function are expected, such as charts.py:loss_by_depth, found {source!r}."
        )
    text = _text_of(site, path, f"{where}.python")
    return Declared(title, pattern, f"{where}, {source}", source=text, path=path, function=function)


def _of_file(site: Site, path: str, key: str, where: str) -> dict[str, Any]:
    text = _text_of(site, path, key)
    if path.endswith((".yaml", ".yml")):
        try:
            return clean_spec(load_yaml(text.encode(), path), where)
        except DamagedError as error:
            raise UsageError(f"{where}: {error.message}") from error
    if not path.endswith(".json"):
        raise UsageError(f"{key}: a name that ends in .json, .yaml or .yml is expected, found {path!r}.")
    try:
        return clean_spec(json.loads(text), where)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"{where}: the file is not JSON: {error}.") from error


def _text_of(site: Site, path: str, key: str) -> str:
    """Read a file of the commit."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or any(letter < " " for letter in path):
        raise UsageError(f"{key}: a file inside the folio is expected, found {path!r}.")
    data = site.folio.repo.read(f"{site.commit}:{site.folio.place.full(path)}")
    if data is None:
        raise UsageError(f"{key}: there is no file {path!r} in commit {site.commit[:12]}. Commit it, or correct the name.")
    if len(data) > MAX_BYTES:
        raise UsageError(f"{key}: {path} has {len(data):,} bytes; at most {MAX_BYTES:,} are read.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{key}: {path} is not UTF-8 text (byte {error.start}).") from None
