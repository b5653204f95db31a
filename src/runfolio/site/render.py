"""HTML from templates: everything a page needs that is the same on every page.

Invariants:

- What comes from a record is a value, never a template, and is escaped where it stands.
- Every page carries the content-security policy `CSP`; nothing inline, nothing from elsewhere.
- Links are relative and name a file, so that a page works under any path and from a folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from runfolio._version import __version__
from runfolio.errors import UsageError
from runfolio.site.charts import scripts
from runfolio.site.markdown import lead_words, markdown_tree
from runfolio.site.step_images import artifact_name
from runfolio.site.words import bytes_words, count_words, duration_words, number_words, param_words, signed_words

if TYPE_CHECKING:
    import jinja2

    from runfolio.site.gather import Site

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
_SAFE_JSON = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class Renderer:
    """Renders the pages of one site.

    Parameters
    ----------
    site : Site
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._own = {name: text for name, text in site.overrides.items() if name.endswith(".html")}
        # What is compiled of our own templates is kept beside the index: compiling takes longer than most pages. Never for a team's,
        # since code for the sandbox is other code of the same text.
        from runfolio.site.templating import kept_in, make_environment

        self.environment = make_environment(
            self._own, FILTERS, None if self._own else kept_in(site.folio.place.local / "templates")
        )

    def html(self, template: str, path: str, **context: Any) -> bytes:
        """Render a page.

        Parameters
        ----------
        template : str
            File in ``site_templates/templates``.
        path : str
            Of the page from the site's root; links are made relative to it.
        **context
            The template's own values; ``root`` where the page is also shown under other addresses than its own.

        Raises
        ------
        UsageError
            If a template that the team overrides fails; the message names file and line.
        """
        import jinja2

        site = self._site
        root = context.pop("root", "../" * path.count("/"))
        shared = {
            "root": root,
            "path": path,
            "site": {
                "title": site.title, "description": site.settings.description,
                "base_url": site.base_url, "version": __version__, "public": site.options.public,
                "datasets": bool(site.datasets),
            },
            "csp": CSP,
            "vega": scripts(site),
            "asset": lambda name: root + site.output.path(name),
            "page": context.pop("page", template.removesuffix(".html")),
        }  # fmt: skip
        try:
            return self.environment.get_template(template).render(**shared, **context).encode("utf-8", "replace")
        except jinja2.TemplateError as error:
            raise self._explained(error, template) from error

    def extra_pages(self) -> Mapping[str, str]:
        """Return the team's own pages: template by the path they are published under."""
        return {name.removeprefix("pages/"): name for name in sorted(self._own) if name.startswith("pages/")}

    def _explained(self, error: jinja2.TemplateError, template: str) -> Exception:
        if not self._own:
            return error
        where = getattr(error, "name", None) or template
        line = getattr(error, "lineno", None)
        place = f"{where}, line {line}" if line else where
        return UsageError(f"{place}: {error.message or error}. Correct the template (docs: how-to/site-templates).")


def breakable(text: str) -> Markup:
    """Let a line end behind each part of a name: ``min_<wbr>samples_<wbr>split``."""
    return Markup("<wbr>").join(re.split(r"(?<=[_./:-])(?=.)", str(text)))


def page_json(value: object) -> Markup:
    """Spell JSON so that it can stand in an element of a page."""
    return Markup(json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).translate(_SAFE_JSON))


def time_tag(ms: int | None) -> Markup:
    """Return a moment as ``<time>``: minutes, UTC."""
    return _tag(ms, "%Y-%m-%d %H:%M")


def day_tag(ms: int | None) -> Markup:
    """Return a moment as ``<time>``: the day, UTC."""
    return _tag(ms, "%Y-%m-%d")


def clock_tag(ms: int | None) -> Markup:
    """Return a moment as ``<time>``: the time of the day, UTC."""
    return _tag(ms, "%H:%M:%S")


def _tag(ms: int | None, pattern: str) -> Markup:
    if ms is None:
        return Markup("–")
    try:
        when = datetime.fromtimestamp(ms / 1000, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return Markup(f"{ms} ms")
    shown = when.strftime(pattern)
    return Markup(
        f'<time datetime="{when.strftime("%Y-%m-%dT%H:%M:%SZ")}" title="{when.strftime("%Y-%m-%d %H:%M:%S")} UTC">{shown}</time>'
    )


FILTERS: Mapping[str, Callable[..., object]] = {
    "bytes": bytes_words, "count": count_words, "duration": duration_words, "number": number_words, "signed": signed_words,
    "time": time_tag, "day": day_tag, "clock": clock_tag, "json": page_json, "breakable": breakable, "artifact_name": artifact_name,
    "markdown": markdown_tree, "lead_words": lead_words, "param": param_words,
}  # fmt: skip
"""What templates can use, beside what Jinja2 has."""
