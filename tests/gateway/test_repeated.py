"""Points that are sent twice."""

from __future__ import annotations

from types import SimpleNamespace

from runfolio.gateway.repeated import Repeated


def point(value: float, step: int = 0, **more: str) -> SimpleNamespace:
    return SimpleNamespace(key="loss", value=value, timestamp=1, step=step, **more)


def test_a_point_that_was_logged_is_not_fresh_and_one_that_differs_is() -> None:
    repeated = Repeated(lambda run_id, key: [])
    first = [point(1.0), point(float("nan"), 1)]
    assert repeated.fresh("r", [*first, *first]) == first
    repeated.logged("r", first)
    again = [point(1.0), point(float("nan"), 1), point(2.0), point(1.0, 2)]
    assert repeated.fresh("r", again) == again[2:]
    assert repeated.fresh("other", first) == first


def test_no_more_points_are_remembered_than_were_asked_for() -> None:
    repeated = Repeated(lambda run_id, key: [], most=2)
    repeated.logged("r", [point(float(step), step) for step in range(3)])
    assert [item.step for item in repeated.fresh("r", [point(float(step), step) for step in range(3)])] == [0]


def test_a_point_of_a_model_is_looked_for_in_the_whole_history() -> None:
    repeated = Repeated(lambda run_id, key: [point(1.0)])
    fresh = repeated.fresh("r", [point(1.0, model_id="m-1"), point(3.0, 1, model_id="m-1")])
    assert [item.value for item in fresh] == [3.0]
