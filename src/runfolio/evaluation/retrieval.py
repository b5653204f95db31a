"""How good a list of retrieved documents is: precision, recall and NDCG of the first k, as MLflow defines their edges.

>>> precision_of(["a", "x", "b"], ["a", "b"], 2), recall_of(["a", "x", "b"], ["a", "b"], 2)
(0.5, 0.5)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def precision_of(said: Sequence[Any], wanted: Sequence[Any], k: int) -> float:
    """Return which share of the first `k` documents is relevant; 0 where none was retrieved."""
    first, relevant = list(said)[:k], set(wanted)
    return sum(each in relevant for each in first) / len(first) if first else 0.0


def recall_of(said: Sequence[Any], wanted: Sequence[Any], k: int) -> float:
    """Return which share of the relevant documents is among the first `k`; 1 where nothing was wanted and nothing said."""
    first, relevant = set(list(said)[:k]), set(wanted)
    return len(first & relevant) / len(relevant) if relevant else float(not first)


def ndcg_of(said: Sequence[Any], wanted: Sequence[Any], k: int) -> float:
    """Return the normed discounted gain of the first `k`, a relevant document counting 1.

    A relevant document that is retrieved twice counts as two relevant ones.
    """
    relevant = set(wanted)
    if not len(said) or not relevant:
        return float(not len(said) and not relevant)
    first = list(said)[:k]
    gains = [each in relevant for each in first]
    again = sum(each in relevant for at, each in enumerate(first) if each in first[:at])
    ideal = sum(_discount(at) for at in range(min(len(first), len(relevant) + again)))
    return sum(_discount(at) for at, gain in enumerate(gains) if gain) / ideal


def _discount(place: int) -> float:
    return 1 / math.log2(place + 2)
