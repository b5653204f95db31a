"""The search space: what is read, and each mistake named."""

from __future__ import annotations

from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.sweeps.space import (
    Choices,
    Fixed,
    FloatRange,
    IntRange,
    decode_space,
    encode_space,
    grid_point,
    grid_size,
    read_space,
    values_of,
)

GOOD: dict[str, Any] = {
    "depth": {"type": "int", "low": 2, "high": 12},
    "even": {"type": "int", "low": 2, "high": 9, "step": 2},
    "rate": {"type": "float", "low": 1e-4, "high": 0.1, "log": True},
    "momentum": {"type": "float", "low": 0, "high": 1, "step": 0.25},
    "kind": ["relu", "tanh"],
    "mixed": {"type": "categorical", "choices": [1, "1", True, None]},
    "epochs": 10,
}


def test_each_kind_of_dimension_is_read() -> None:
    assert read_space(GOOD) == {
        "depth": IntRange(2, 12),
        "even": IntRange(2, 9, 2),
        "rate": FloatRange(1e-4, 0.1, None, True),
        "momentum": FloatRange(0.0, 1.0, 0.25),
        "kind": Choices(("relu", "tanh")),
        "mixed": Choices((1, "1", True, None)),
        "epochs": Fixed(10),
    }


def test_a_space_comes_back_from_its_record() -> None:
    assert decode_space(encode_space(read_space(GOOD))) == read_space(GOOD)


def test_optunas_distributions_and_ranges_are_dimensions() -> None:
    optuna = pytest.importorskip("optuna")
    kinds = optuna.distributions
    said = {
        "a": kinds.IntDistribution(1, 5),
        "b": kinds.FloatDistribution(0.1, 1, log=True),
        "c": kinds.CategoricalDistribution(["x", "y"]),
        "d": range(2, 10, 3),
    }
    assert read_space(said) == {
        "a": IntRange(1, 5), "b": FloatRange(0.1, 1.0, None, True), "c": Choices(("x", "y")), "d": IntRange(2, 8, 3),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "integer", "low": 1, "high": 2}, "space.x.type: 'integer' is none: int, float, categorical or fixed"),
        ({"low": 1, "high": 2}, "space.x.type: is missing"),
        ({"type": "int", "low": 1}, "space.x.high: a whole number is expected; is missing"),
        ({"type": "int", "low": 1.5, "high": 2}, "space.x.low: a whole number is expected; found 1.5"),
        ({"type": "float", "low": "a", "high": 2}, "space.x.low: a number is expected; found 'a'"),
        ({"type": "float", "low": True, "high": 2}, "space.x.low: a number is expected; found True"),
        ({"type": "float", "low": float("nan"), "high": 2}, "space.x.low"),
        ({"type": "float", "low": 3, "high": 2}, "space.x.high: 2.0 is below low (3.0)"),
        ({"type": "float", "low": 0, "high": 2, "log": True}, "space.x.low: a number above 0 is expected where log is true"),
        ({"type": "float", "low": 1, "high": 2, "log": "yes"}, "space.x.log: true or false is expected; found 'yes'"),
        ({"type": "float", "low": 1, "high": 2, "log": True, "step": 0.1}, "space.x.step: cannot be together with log"),
        ({"type": "float", "low": 1, "high": 2, "step": 0}, "space.x.step: a number above 0"),
        ({"type": "float", "min": 1, "high": 2}, "space.x.min: no such field of float"),
        ({"type": "categorical", "choices": []}, "space.x.choices: a list of at least one value"),
        ({"choices": "ab"}, "space.x.choices: a list of at least one value"),
        ([1, 1], "space.x.choices: a value is there twice"),
        ([[1], [2]], "space.x.choices: each is a text, a number, true, false or null; found list"),
    ],
)
def test_a_mistake_is_named_with_its_field(entry: Any, said: str) -> None:
    with pytest.raises(UsageError) as found:
        read_space({"x": entry})
    assert said in found.value.message


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UsageError) as found:
        read_space({"a": {"type": "int"}, "b": [], "c": {"type": "float", "low": 2, "high": 1}})
    assert [line.split(":")[0] for line in found.value.message.splitlines()] == [
        "space.a.low", "space.a.high", "space.b.choices", "space.c.high",
    ]  # fmt: skip


def test_a_grid_has_each_combination_once() -> None:
    space = read_space(
        {"a": [1, 2], "b": {"type": "float", "low": 0, "high": 1, "step": 0.5}, "c": {"type": "int", "low": 1, "high": 2}}
    )
    points = [tuple(grid_point(space, number).values()) for number in range(grid_size(space))]
    assert len(points) == len(set(points)) == 12
    assert points[:3] == [(1, 0.0, 1), (1, 0.0, 2), (1, 0.5, 1)]


def test_a_grid_needs_an_end() -> None:
    with pytest.raises(UsageError, match=r"space\.a: a grid needs a step here, or a list of values"):
        grid_size(read_space({"a": {"type": "float", "low": 0, "high": 1}}))
    with pytest.raises(UsageError, match=r"1,000,000 points"):
        grid_size(read_space({name: {"type": "int", "low": 1, "high": 100} for name in "abc"}))


def test_steps_end_at_the_highest_value_that_they_reach() -> None:
    assert values_of(IntRange(2, 9, 2)) == [2, 4, 6, 8]
    assert values_of(FloatRange(0.0, 0.3, 0.1)) == pytest.approx([0.0, 0.1, 0.2, 0.3])
