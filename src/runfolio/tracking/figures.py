"""Figures to bytes: what ``log_figure`` stores.

Invariants: equal figures give equal bytes (no date, no program name, no random id is written), and a page of HTML carries
its own plotly.js: nothing that is written here makes a browser fetch anything from a CDN.

It does *not* import a plotting package that the caller has not imported: a figure's class tells whose it is.

>>> import json, altair
>>> chart = altair.Chart(altair.Data(values=[{"x": 1}])).mark_point()
>>> json.loads(render_figure(chart, "roc.json"))["mark"]
{'type': 'point'}
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from runfolio.errors import MissingPackageError, UsageError, missing_package

ACCEPTED = "a matplotlib Figure, a plotly Figure or an altair Chart"

# What each of matplotlib's writers puts in unasked; None takes an entry out.
_UNASKED_METADATA: Mapping[str, Mapping[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "svgz": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_PLOTLY_IMAGES = ("png", "jpg", "jpeg", "webp", "svg", "pdf")


def render_figure(figure: Any, file_name: str, save_kwargs: Mapping[str, Any] | None = None) -> bytes:
    """Render a figure in the format that its file's ending names.

    Parameters
    ----------
    figure : matplotlib.figure.Figure, plotly.graph_objects.Figure or altair.Chart
    file_name : str
        matplotlib: every ending that it can write, ``.png`` where there is none. plotly: ``.html``, ``.json``, and
        images where kaleido is installed. altair: ``.json``.
    save_kwargs : Mapping, optional
        Passed to ``savefig``, ``to_html``, ``to_image`` or ``to_dict``.

    Returns
    -------
    bytes

    Raises
    ------
    UsageError
        If the object is no figure, or its package cannot write that ending.
    MissingPackageError
        If plotly needs kaleido or a browser that is not there.
    """
    given = dict(save_kwargs or {})
    ending = _ending(file_name)
    if _is_a(figure, "matplotlib.figure", "FigureBase"):
        return _matplotlib(figure, ending, given)
    if _is_a(figure, "plotly.basedatatypes", "BaseFigure"):
        return _plotly(figure, file_name, ending, given)
    if _is_a(figure, "altair", "TopLevelMixin"):
        return _altair(figure, file_name, ending, given)
    hint = " Log its figure: pass .figure." if hasattr(figure, "figure") else ""
    raise UsageError(f"Unsupported figure object type: {type(figure).__name__}. log_figure takes {ACCEPTED}.{hint}")


def _ending(file_name: str) -> str:
    name = file_name.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[1].lower() if "." in name[1:] else ""


def _is_a(value: Any, module: str, name: str) -> bool:
    """Say whether `value` is an instance of a class in a module that may never have been imported."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _matplotlib(figure: Any, ending: str, given: dict[str, Any]) -> bytes:
    import matplotlib

    wanted = given.pop("format", None) or ending or "png"
    if unasked := _UNASKED_METADATA.get(wanted):
        given["metadata"] = {**unasked, **(given.get("metadata") or {})}
    buffer = io.BytesIO()
    try:
        # Without a salt, matplotlib names the parts of an SVG by a random UUID.
        with matplotlib.rc_context({"svg.hashsalt": "runfolio"}):
            figure.savefig(buffer, format=wanted, **given)
    except ValueError as error:
        raise UsageError(f"matplotlib cannot write this figure as .{wanted}: {error}") from error
    return buffer.getvalue()


def _plotly(figure: Any, file_name: str, ending: str, given: dict[str, Any]) -> bytes:
    if ending == "json":
        return str(figure.to_json(**given)).encode()
    if ending in ("html", "htm"):
        return _plotly_page(figure, given)
    if ending not in _PLOTLY_IMAGES:
        endings = ", ".join(f".{kind}" for kind in ("html", "json", *_PLOTLY_IMAGES))
        raise UsageError(f"Unsupported file extension for plotly figure: {file_name!r}. Use one of {endings}.")
    if importlib.util.find_spec("kaleido") is None:
        raise missing_package("kaleido", "", f"write a plotly figure as .{ending}; .html and .json need nothing more")
    try:
        return bytes(figure.to_image(format=ending, **given))
    except (RuntimeError, OSError) as error:
        raise MissingPackageError(
            f"kaleido could not write {file_name} ({str(error).strip().splitlines()[0]}). It needs a Chrome browser: "
            "run plotly_get_chrome, or log the figure as .html or .json.",
            name="kaleido",
        ) from error


def _plotly_page(figure: Any, given: dict[str, Any]) -> bytes:
    given.pop("auto_open", None)
    for option, embedded in (("include_plotlyjs", True), ("include_mathjax", False)):
        asked = given.setdefault(option, embedded)
        if isinstance(asked, str):
            warnings.warn(
                f"{option}={asked!r} would make the page load a script from elsewhere; it is {embedded} here.",
                UserWarning,
                stacklevel=5,
            )
            given[option] = embedded
    # plotly names the page's element by a random UUID; the figure's own digest is as good and always the same.
    given.setdefault("div_id", "figure-" + hashlib.sha256(figure.to_json().encode()).hexdigest()[:16])
    return str(figure.to_html(**given)).encode()


def _altair(chart: Any, file_name: str, ending: str, given: dict[str, Any]) -> bytes:
    import altair

    if ending != "json":
        raise UsageError(f"An altair chart is stored as its specification: name the file {file_name.rsplit('.', 1)[0]}.json.")
    # The chart's data travels inside the specification; altair's limit of 5,000 rows is for notebooks.
    with altair.data_transformers.enable("default", max_rows=None):
        specification = chart.to_dict(**given)
    return json.dumps(specification, indent=2, sort_keys=True).encode()
