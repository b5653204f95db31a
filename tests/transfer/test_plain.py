"""Ids of runs of other tools: stable, apart, and none that tells a time as ours do."""

from __future__ import annotations

import re

from runfolio.records import run_id_time
from runfolio.transfer.plain import id_of


def test_an_id_is_the_same_at_every_import_and_never_looks_like_one_of_ours() -> None:
    made = [id_of("tool", "project", f"r{at}") for at in range(2000)]
    assert len(set(made)) == 2000 and made == [id_of("tool", "project", f"r{at}") for at in range(2000)]
    assert all(
        re.fullmatch(r"[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}", run_id) and run_id_time(run_id) is None for run_id in made
    )
    assert id_of("tool", "a", "bc") != id_of("tool", "ab", "c")
