"""Charts of a team's own, in Vega-Lite or Altair: declared in ``runfolio.yaml``, or logged as figures.

:mod:`~runfolio.site.charts.specs` says what of a specification a site shows, whoever wrote it; :mod:`~runfolio.site.charts.declared`
reads the declarations; :mod:`~runfolio.site.charts.running` runs those in Python; :mod:`~runfolio.site.charts.files` writes what pages
draw them from. The pages' script is ``assets/js/72-altair.js``.
"""

from __future__ import annotations

from runfolio.site.charts.files import cards, scripts, steps

__all__ = ["cards", "scripts", "steps"]
