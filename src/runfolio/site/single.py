"""A page that is one file: styles inside, no scripts, nothing fetched; for what is kept beside a pull request or sent by mail.

Its policy (CSP) allows the one style that it carries, by that style's digest, and pictures inside the page; nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

from runfolio._version import __version__
from runfolio.site.assets import templates_folder
from runfolio.site.render import FILTERS
from runfolio.site.templating import make_environment

_STYLES = ("10-base", "20-layout", "50-charts", "70-changes")
"""The parts of the site's style that such a page needs."""


def single_page(template: str, style: str, **context: Any) -> str:
    """Render a page that stands alone.

    Parameters
    ----------
    template : str
        File in ``site_templates/templates``.
    style : str
        File in ``site_templates/assets`` with what this page adds to the site's style.
    **context
        The template's values.

    Returns
    -------
    str
        HTML.
    """
    text = _style(style)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    csp = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    icon = base64.b64encode((templates_folder() / "assets" / "icon.svg").read_bytes()).decode()
    made = make_environment({}, FILTERS).get_template(template)
    return made.render(csp=csp, style=_markup(text), icon=icon, version=__version__, **context)


@lru_cache(maxsize=4)
def _style(name: str) -> str:
    from rcssmin import cssmin

    folder = templates_folder() / "assets"
    parts = [*(folder / "css" / f"{part}.css" for part in _STYLES), folder / name]
    return str(cssmin("\n".join(part.read_text("utf-8") for part in parts))).strip()


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)
