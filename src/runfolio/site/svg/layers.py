"""A graph without circles, laid out in layers: each node after those that it needs, edges that cross little, none through a node.

The steps are those of Sugiyama, Tagawa and Toda (1981): layers by the longest way, a bend where an edge passes a layer, the order in each
layer by the mean place of the neighbours, down and up a few times. Coordinates follow from layer and place alone, so that the same graph is
always the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from runfolio._dataclass import dataclass

SWEEPS = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """Where nodes and edges lie.

    Parameters
    ----------
    layers : int
    widest : int
        Places in the layer that has most.
    places : Mapping of str to (int, float)
        Layer and place of each node; places are centred on those of the widest layer.
    edges : tuple of tuple of (int, float)
        Of each edge the layers and places that it goes through, the nodes' own at its ends.
    ends : tuple of (str, str)
        The nodes at the ends of each edge.
    """

    layers: int
    widest: int
    places: Mapping[str, tuple[int, float]]
    edges: tuple[tuple[tuple[int, float], ...], ...]
    ends: tuple[tuple[str, str], ...]


def lay_out(needs: Mapping[str, Sequence[str]]) -> Layout:
    """Lay a graph out.

    Parameters
    ----------
    needs : Mapping of str to sequence of str
        What each node needs; each after those that it needs.

    Examples
    --------
    >>> lay_out({"a": [], "b": ["a"]}).places
    {'a': (0, 0.0), 'b': (1, 0.0)}
    """
    layer: dict[str, int] = {}
    for name, wanted in needs.items():
        layer[name] = max((layer[each] + 1 for each in wanted), default=0)
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name, at in layer.items():
        rows[at].append(name)
    chains: list[list[str]] = []
    ends: list[tuple[str, str]] = []
    for name, wanted in needs.items():
        for each in wanted:
            bends = [f"\0{each}\0{at}" for at in range(layer[each] + 1, layer[name])]
            for at, bend in enumerate(bends, layer[each] + 1):
                if bend not in layer:
                    layer[bend] = at
                    rows[at].append(bend)
            chains.append([each, *bends, name])
            ends.append((each, name))
    _order(rows, chains)
    widest = max(map(len, rows), default=0)
    places = {name: (at, place + (widest - len(row)) / 2) for at, row in enumerate(rows) for place, name in enumerate(row)}
    edges = tuple(tuple(places[name] for name in chain) for chain in chains)
    return Layout(len(rows), widest, {name: places[name] for name in needs}, edges, tuple(ends))


def _order(rows: list[list[str]], chains: Sequence[Sequence[str]]) -> None:
    """Order each layer by the mean place of the neighbours in the layer before or after it."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for chain in chains:
        for first, second in pairwise(chain):
            before.setdefault(second, []).append(first)
            after.setdefault(first, []).append(second)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        numbers = range(1, len(rows)) if down else range(len(rows) - 2, -1, -1)
        for at in numbers:
            other = rows[at - 1 if down else at + 1]
            place = {name: number / max(len(other), 1) for number, name in enumerate(other)}
            own = {name: number / max(len(rows[at]), 1) for number, name in enumerate(rows[at])}
            near = before if down else after

            def mean(name: str) -> float:
                found = [place[each] for each in near.get(name, ()) if each in place]  # noqa: B023 # called in this round only
                return sum(found) / len(found) if found else own[name]  # noqa: B023

            rows[at].sort(key=mean)
