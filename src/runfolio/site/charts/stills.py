"""Static pictures of declared charts, for pages without scripts: SVG that vl-convert draws, in light and in dark.

They are only ever shown by ``<img>``, where nothing in them runs or loads. Where the package is missing there is none, and the page
links to the specification instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from runfolio.errors import UsageError
from runfolio.site.charts.rows import Columns, nested
from runfolio.site.charts.specs import RUNS
from runfolio.site.charts.theme import THEME, coloured, tokens

MOST_ROWS = 5000
"""Beyond it a picture takes seconds: 3.4 s for 10,000 points."""
WIDTH = 460


def can_draw() -> bool:
    """Tell whether pictures can be made here."""
    return find_spec("vl_convert") is not None


def picture(spec: Mapping[str, Any], columns: Columns, theme: str, where: str) -> bytes:
    """Draw a chart as SVG.

    Parameters
    ----------
    spec : Mapping
        Cleaned.
    columns : dict
        What stands in the place of the data named ``runs``.
    theme : str
        ``light`` or ``dark``.
    where : str
        The chart, for messages.

    Raises
    ------
    UsageError
        If Vega-Lite cannot draw it.
    """
    import vl_convert

    colours = tokens()[theme]
    full = {**spec, "datasets": {**spec.get("datasets", {}), RUNS: nested(columns)}, "background": colours["--sheet"]}
    if full.get("width") == "container":
        full["width"] = WIDTH
    try:
        drawn = vl_convert.vegalite_to_svg(full, config=coloured(THEME, colours), allowed_base_urls=[])
    except ValueError as error:
        raise UsageError(f"{where}: Vega-Lite cannot draw it: {_first_line(error)}") from error
    return str(drawn).encode()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
