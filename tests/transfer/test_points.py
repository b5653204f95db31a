"""Points that are kept on disk and read back are those that were added, whatever their number and order."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from runfolio.transfer.journals import PointsDigest
from runfolio.transfer.points import PointSpool
from runfolio.transfer.source import Point

POINTS = st.builds(Point, st.floats(allow_nan=False), st.integers(0, 2**50), st.integers(-(2**62), 2**62))


def digest(points: list[Point]) -> tuple[int, str]:
    made = PointsDigest()
    for point in points:
        made.add(point)
    return made.number, made.text()


@given(st.lists(st.tuples(st.sampled_from("abc"), POINTS), max_size=40), st.integers(1, 60))
def test_each_metric_has_its_own_points_in_order(added: list[tuple[str, Point]], times: int) -> None:
    spool = PointSpool()
    for _ in range(times):  # more than a block of 512
        for key, point in added:
            spool.add(key, point)
    for key in "abc":
        assert list(spool.points(key)) == [point for name, point in added if name == key] * times
    assert spool.last() == {key: point.value for key, point in added}
    spool.close()


def test_what_came_again_after_a_restart_is_there_once() -> None:
    spool = PointSpool()
    for step in range(1500):
        spool.add("loss", Point(step, 0, step))
        spool.add("gone", Point(step, 0, step + 2000))
    spool.cut(700)
    assert spool.last() == {"loss": 699.0}
    for step in range(700, 720):
        spool.add("loss", Point(-step, 1, step))
    assert [point.value for point in spool.points("loss")] == [*range(700), *(-step for step in range(700, 720))]
    assert list(spool.points("gone")) == [] and spool.last() == {"loss": -719.0}
    spool.close()


@given(st.lists(POINTS, max_size=20), st.randoms())
def test_a_digest_knows_the_points_and_not_their_order(points: list[Point], dice) -> None:
    mixed = list(points)
    dice.shuffle(mixed)
    assert digest(mixed) == digest(points)
    for at in range(len(points)):
        assert digest(points[:at] + points[at + 1 :]) != digest(points)
        assert digest([*points, points[at], points[at]]) != digest(points)


def test_points_are_not_held_in_memory() -> None:
    tracemalloc.start()
    spool = PointSpool()
    for step in range(100_000):
        spool.add("loss" if step % 2 else "acc", Point(step, step, step))
    assert sum(1 for _ in spool.points("loss")) == 50_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500_000  # 2.4 MB as they are packed
