"""Every line that cannot be had is found, in few attempts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as some

from runfolio.environments.missing import lines_not_had


@given(some.lists(some.booleans(), max_size=200))
def test_just_the_lines_that_cannot_be_had_are_found_in_order(gone: list[bool]) -> None:
    lines = [f"p{number}" for number in range(len(gone))]
    bad = {line for line, is_gone in zip(lines, gone, strict=True) if is_gone}
    attempts = 0

    def attempt(asked: Sequence[str]) -> str:
        nonlocal attempts
        attempts += 1
        return next((f"no {line}" for line in asked if line in bad), "")

    found = lines_not_had(lines, attempt)
    assert [(item.line, item.reason) for item in found] == [(line, f"no {line}") for line in lines if line in bad]
    assert attempts <= 1 + 2 * len(bad) * (math.ceil(math.log2(len(lines) or 1)) + 1)
