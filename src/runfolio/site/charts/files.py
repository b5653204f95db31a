"""What declared and logged charts add to a site: specifications, static pictures, the theme, and Vega's script where there is any chart.

Three steps, because what a Python function returns is only known once it has run: specifications, pictures, then what they share. Most
folios declare no chart, so what makes one is loaded where one is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from runfolio.site.assets import templates_folder
from runfolio.site.columns import script
from runfolio.site.output import canonical
from runfolio.site.plan import Data, Step

if TYPE_CHECKING:
    from runfolio.site.charts.declared import Declared
    from runfolio.site.gather import ExperimentData, Site

VEGA, THEME_FILE = "assets/vega", "data/chart-theme"
NO_VEGA = (
    "The site has charts in Vega-Lite, but this copy of runfolio runs from a work tree, without the script that draws them: python "
    "hatch_build.py in the work tree makes it."
)


def steps(site: Site) -> Iterator[Step]:
    """Yield the files in the order in which they can be made, each step with its name; the tables' data must be there."""
    yield Step("charts", list(specifications(site)))
    yield Step("pictures of charts", list(pictures(site)))
    yield Step("Vega", list(shared(site)))


def specifications(site: Site) -> Iterator[Data]:
    """Yield the specifications of declared charts, one for each experiment that they are for."""
    for name, chart, item in _each(site):
        known = sorted(item.columns or {})
        inputs = [chart.title, chart.spec, chart.source, chart.path, chart.function, known]
        runs = site.digest(item.rows) if chart.spec is None else ""
        yield Data(name, canonical(inputs) + runs, partial(_specification, site, name, chart, item, known))


def pictures(site: Site) -> Iterator[Data]:
    """Yield the static pictures of declared charts, where they can be drawn."""
    if not site.charts:
        return
    from runfolio.site.charts.stills import MOST_ROWS, can_draw

    if not can_draw():
        return
    for name, chart, item in _each(site):
        facts = _facts(site, name)
        if facts["uses_runs"] and len(item.rows) > MOST_ROWS:
            continue
        body = site.digest(item.rows) if facts["uses_runs"] else ""
        for theme in ("light", "dark"):
            inputs = canonical([facts, theme]) + body
            yield Data(f"{name}-{theme}", inputs, partial(_picture, site, facts, item, theme, chart.where), ".svg")


def shared(site: Site) -> Iterator[Data]:
    """Yield Vega's script and the theme, where the site has a chart that needs them."""
    logged = any(item["kind"] == "chart" for found in site.previews.values() for item in found.values())
    if not logged and not any(True for _ in _each(site)):
        return
    try:
        vega = (templates_folder() / "vendor" / "vega.js").read_bytes()
    except FileNotFoundError:
        site.warnings.append(NO_VEGA)
        return
    from runfolio.site.charts.theme import THEME

    yield Data(VEGA, hashlib.sha256(vega).digest(), lambda: (vega, None))
    yield Data(THEME_FILE, canonical(THEME), lambda: (script(THEME_FILE, THEME), None))


def cards(site: Site, item: ExperimentData) -> list[dict[str, Any]]:
    """Return what the page of an experiment shows of its declared charts; the files must be written already."""
    made = []
    for name, chart, other in _each(site):
        if other is item:
            stills = {theme: _path(site, f"{name}-{theme}") for theme in ("light", "dark")}
            made.append({"title": chart.title, "data": site.output.path(name), **stills})
    return made


def scripts(site: Site) -> dict[str, str | None]:
    """Return where a page finds Vega and the theme; None where the site has none."""
    return {"vega": _path(site, VEGA), "theme": _path(site, THEME_FILE)}


def _each(site: Site) -> Iterator[tuple[str, Declared, ExperimentData]]:
    for item in site.experiments:
        if item.rows:
            for at, chart in enumerate(site.charts):
                if chart.is_for(item.name):
                    yield f"data/charts/{item.slug}-{at}", chart, item


def _specification(
    site: Site, name: str, chart: Declared, item: ExperimentData, known: list[str]
) -> tuple[bytes, dict[str, Any]]:
    from runfolio.site.charts.rows import columns_of
    from runfolio.site.charts.running import run_python
    from runfolio.site.charts.specs import columns_in, fitted, uses_runs

    spec = run_python(chart, columns_of(site, item)) if chart.spec is None else chart.spec
    asks = uses_runs(spec)
    facts = {"spec": fitted(spec), "uses_runs": asks, "columns": columns_in(spec, known) if asks else []}
    return script(name, {"title": chart.title, **facts}), facts


def _picture(site: Site, facts: Mapping[str, Any], item: ExperimentData, theme: str, where: str) -> tuple[bytes, None]:
    from runfolio.site.charts.rows import columns_of
    from runfolio.site.charts.stills import picture

    columns = columns_of(site, item, facts["columns"]) if facts["uses_runs"] else {}
    return picture(facts["spec"], columns, theme, where), None


def _facts(site: Site, name: str) -> Mapping[str, Any]:
    found = site.output.facts(name)
    assert isinstance(found, dict)
    return found


def _path(site: Site, name: str) -> str | None:
    return site.output.path(name) if name in site.output.made else None
