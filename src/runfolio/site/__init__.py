"""A folio to a static site: experiment dashboards, run and compare pages, a catalogue, data for other languages.

Gather, plan, render what is stale, write atomically, remove what is gone. Two builds of one commit are byte-identical in any
folder, time zone, locale and hash seed. Nothing is fetched, at the build or by a page; no clock is read.

>>> from runfolio.site import BuildOptions, build_site                                    # doctest: +SKIP
>>> build_site(open_folio("."), Path("site"), BuildOptions())                              # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runfolio._lazy import lazy_names

if TYPE_CHECKING:
    from runfolio.site.build import build_site, is_current
    from runfolio.site.options import BuildOptions, BuildReport

__all__ = ["BuildOptions", "BuildReport", "build_site", "is_current"]

__getattr__ = lazy_names(__name__, {"build": ("build_site", "is_current"), "options": ("BuildOptions", "BuildReport")})
