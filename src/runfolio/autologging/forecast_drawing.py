"""Plots of a forecast over its history, and of the components that it is the sum or product of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.autologging.canvas import FILL, LINE, MUTED
from runfolio.autologging.figures import figure_of, png, style

_MOST_PANELS = 8
_DAY = 86_400e9
_MONDAY, _NEW_YEAR = 4, 0
"""Days from the first of 1970, a Thursday, to the start of a week and of a year."""


def forecast(history: Any, made: Any) -> bytes:
    """Draw the history as points, and the forecast as a line with its interval.

    Parameters
    ----------
    history : DataFrame
        With ``ds`` and ``y``.
    made : DataFrame
        With ``ds``, ``yhat`` and, where there is an interval, ``yhat_lower`` and ``yhat_upper``.
    """
    with style():
        days = _dates(made["ds"].to_numpy())
        figure, (axes,) = figure_of(7.2, 3.6)
        if "yhat_lower" in made:
            axes.fill_between(days, made["yhat_lower"], made["yhat_upper"], color=FILL, linewidth=0, label="interval")
        axes.plot(_dates(history["ds"].to_numpy()), history["y"], ".", color=MUTED, markersize=3.0, label="history")
        axes.plot(days, made["yhat"], color=LINE, linewidth=1.3, label="forecast")
        axes.xaxis_date()
        axes.set(title="Forecast of the history", ylabel="y")
        axes.grid(visible=True)
        axes.legend(frameon=False)
        return png(figure)


def components(made: Any, periods: Mapping[str, float]) -> bytes:
    """Draw the components: a seasonality over its period, all others over time.

    Parameters
    ----------
    made : DataFrame
        The forecast.
    periods : Mapping
        Of the seasonalities, in days.
    """
    others = ("holidays", "extra_regressors_additive", "extra_regressors_multiplicative")
    names = [each for each in ("trend", *periods, *others) if each in made][:_MOST_PANELS]
    with style():
        figure, panels = figure_of(7.2, 1.9 * len(names) + 0.3, panels=len(names))
        for axes, name in zip(panels, names, strict=True):
            values = made[name].to_numpy()
            if name in periods:
                phase, label = _phase(made["ds"].to_numpy(), periods[name])
                order = phase.argsort(kind="stable")
                axes.plot(phase[order], values[order], color=LINE, linewidth=1.2)
                axes.set(xlabel=label)
            else:
                axes.plot(_dates(made["ds"].to_numpy()), values, color=LINE, linewidth=1.2)
                axes.xaxis_date()
            axes.set(title=name)
            axes.grid(visible=True)
        return png(figure)


def _dates(times: Any) -> Any:
    """Return times as matplotlib's numbers, whatever converters others have registered."""
    from matplotlib import dates

    made: Any = dates.date2num(times)  # type: ignore[no-untyped-call] # of matplotlib
    return made


def _phase(times: Any, period: float) -> tuple[Any, str]:
    """Return the days into the period, and what the axis is called."""
    days = times.astype("datetime64[ns]").astype("int64") / _DAY
    if period == 7:
        return (days - _MONDAY) % period, "days from Monday"
    if 365 <= period <= 366:
        return (days - _NEW_YEAR) % period, "days from the start of the year"
    return days % period, f"days into a period of {period:g}"
