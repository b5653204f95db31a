"""scikit-learn's estimators: params, metrics and plots of a fit, searches as child runs, and metrics that are computed later."""

from __future__ import annotations
