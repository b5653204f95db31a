"""What may be said of a change, and what may not."""

from __future__ import annotations

from runfolio.diff.verdict import (
    FIRST,
    IMPROVED,
    NOISE,
    NOTHING,
    OTHER_DATA,
    PREDICTION,
    REGRESSED,
    SINGLE,
    WELCH,
    Trial,
    judge,
)  # fmt: skip
from runfolio.records import Objective

MAX = Objective("accuracy", "max", "seed")


def trials(values: list[float], lr: str = "0.1", data: str = "d") -> list[Trial]:
    return [
        Trial(f"{lr}-{seed}", "", {"lr": lr, "seed": str(seed)}, value, frozenset({data})) for seed, value in enumerate(values)
    ]


def test_a_clear_gain_over_seeds_is_improved_and_its_mirror_is_regressed() -> None:
    low, high = trials([0.90, 0.91, 0.905]), trials([0.95, 0.951, 0.949], lr="0.2")
    verdict = judge(low, high, MAX)
    assert verdict.word == IMPROVED and verdict.low is not None and verdict.low > 0
    assert judge(high, low, MAX).word == REGRESSED
    assert judge(low, high, Objective("loss", "min", "seed")).word == REGRESSED


def test_a_gain_inside_the_spread_is_noise() -> None:
    assert judge(trials([0.90, 0.94, 0.92]), trials([0.91, 0.95, 0.93], lr="0.2"), MAX).word == NOISE


def test_nothing_is_claimed_of_a_single_run() -> None:
    verdict = judge(trials([0.9]), trials([0.99], lr="0.2"), MAX)
    assert verdict.word == SINGLE and verdict.low is None and verdict.difference is not None


def test_other_data_cannot_be_compared() -> None:
    assert judge(trials([0.9, 0.91]), trials([0.95, 0.96], lr="0.2", data="e"), MAX).word == OTHER_DATA


def test_where_each_seed_reads_its_own_data_the_seeds_of_both_sides_are_compared() -> None:
    def split(values: list[float], lr: str, data: str = "part") -> list[Trial]:
        return [
            Trial(f"{lr}-{seed}", "", {"lr": lr, "seed": str(seed)}, value, frozenset({f"{data}-{seed}"}))
            for seed, value in enumerate(values)
        ]

    base = split([0.90, 0.91, 0.905, 0.99, 0.2], "0.1")
    verdict = judge(base, split([0.95, 0.951, 0.949], "0.2"), MAX)
    assert (verdict.word, verdict.apart) == (IMPROVED, 2)
    assert verdict.before is not None and verdict.before.values == (0.90, 0.91, 0.905)
    assert judge(base, split([0.95, 0.951, 0.949], "0.2", data="other"), MAX).word == OTHER_DATA
    assert judge(base[3:], split([0.95, 0.951, 0.949], "0.2"), MAX).word == OTHER_DATA, "no seed of both"
    assert judge(trials([0.9, 0.91, 0.905]), trials([0.95, 0.951, 0.949], lr="0.2"), MAX).apart == 0


def test_the_configuration_with_the_best_mean_is_taken_not_the_luckiest_run() -> None:
    lucky, steady = trials([0.99, 0.80, 0.81], lr="0.1"), trials([0.95, 0.94, 0.95], lr="0.2")
    verdict = judge(trials([0.9, 0.9]), [*lucky, *steady], MAX)
    assert verdict.after is not None and verdict.after.trials[0].params["lr"] == "0.2"
    assert verdict.tried == 2


def test_the_first_result_and_no_result_are_said() -> None:
    assert judge([], trials([0.9]), MAX).word == FIRST
    assert judge(trials([0.9]), [], MAX).word == NOTHING


def test_a_single_run_inside_the_spread_of_the_baseline_is_noise_and_outside_it_stays_a_single_run() -> None:
    base = trials([0.90, 0.92, 0.91, 0.93])
    inside = judge(base, trials([0.94], lr="0.2"), MAX)
    assert (inside.word, inside.method) == (NOISE, PREDICTION)
    outside = judge(base, trials([0.99], lr="0.2"), MAX)
    assert outside.word == SINGLE and outside.low is not None and outside.low > 0
    assert judge(trials([0.9, 0.91]), trials([0.99], lr="0.2"), MAX).low is None, "two replicates have no spread to speak of"


def test_seeds_that_move_nothing_on_either_side_claim_nothing() -> None:
    flat = judge(trials([0.94, 0.94, 0.94]), trials([0.95, 0.95], lr="0.2"), MAX)
    assert (flat.word, flat.low, flat.high) == (SINGLE, None, None)
    assert judge(trials([0.94, 0.94]), trials([0.94, 0.94], lr="0.2"), MAX).word == NOISE
    assert judge(trials([0.94, 0.94, 0.94]), trials([0.95, 0.951, 0.952], lr="0.2"), MAX).word == IMPROVED


def test_the_best_of_many_equals_is_not_called_better() -> None:
    base = trials([0.900, 0.910, 0.905])
    better = trials([0.922, 0.915, 0.919], lr="0.2")
    alone = judge(base, better, MAX)
    assert (alone.word, alone.method, alone.level) == (IMPROVED, WELCH, 0.95)
    others = [trial for number in range(60) for trial in trials([0.90, 0.91, 0.905], lr=f"0.{number + 3}1")]
    among = judge(base, [*better, *others], MAX)
    assert among.after == alone.after and among.tried == 61
    assert among.word == NOISE and among.level > 0.999


def test_numbers_at_the_edge_of_floats_are_judged_and_never_raise() -> None:
    huge = [1.7e308, 1.6e308, 1.7e308]
    assert judge(trials(huge), trials([-1.7e308, -1.6e308, -1.7e308], lr="0.2"), MAX).word == NOISE
    assert judge(trials(huge), trials([0.1], lr="0.2"), MAX).word in (NOISE, SINGLE)
    assert judge(trials([1e150, 1.1e150]), trials([3e150, 3.1e150], lr="0.2"), MAX).word in (NOISE, IMPROVED)
    assert judge(trials([1e-320, 2e-320]), trials([0.0, 0.0], lr="0.2"), MAX).word in (NOISE, REGRESSED)


def test_a_run_that_was_made_again_with_its_seed_is_no_replicate() -> None:
    def again(value: float, times: int, lr: str, **seed: str) -> list[Trial]:
        return [Trial(f"{lr}-{number}", "", {"lr": lr, **seed}, value, frozenset({"d"})) for number in range(times)]

    for seed in ({"seed": "1"}, {}):
        verdict = judge(again(0.90, 3, "0.1", **seed), again(0.91, 2, "0.2", **seed), MAX)
        assert (verdict.word, verdict.low) == (SINGLE, None)
    spread = judge([*trials([0.90, 0.92, 0.91]), *again(0.92, 1, "0.1", seed="1")], trials([0.95, 0.96, 0.955], lr="0.2"), MAX)
    assert spread.before is not None and len(spread.before.trials) == 4 and spread.before.values == (0.90, 0.92, 0.91)
    assert spread.word == IMPROVED and spread.before.mean == judge([], trials([0.90, 0.92, 0.91]), MAX).after.mean  # type: ignore[union-attr]
    unseeded = [*again(0.90, 1, "0.1"), Trial("other", "", {"lr": "0.1"}, 0.92, frozenset({"d"}))]
    assert judge([], unseeded, MAX).after.values == (0.90, 0.92)  # type: ignore[union-attr]
