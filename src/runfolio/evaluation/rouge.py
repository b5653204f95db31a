"""ROUGE of texts in plain Python (C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004), as F-measures.

Words are runs of ``a–z0–9`` of the text in small letters, without stemming; sentences of ``rougeLsum`` are lines. These are the choices of
the package ``rouge-score``, so that the values are those that MLflow logs, without fetching anything from the network.

>>> rouge_n("the cat sat", "the cat ran", 1)
0.6666666666666666
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"[a-z0-9]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text."""
    return _WORD.findall(text.lower())


def rouge_n(wanted: str, said: str, size: int) -> float:
    """Return how far two texts share runs of `size` words."""
    ours, theirs = (_runs(words_of(text), size) for text in (wanted, said))
    return _harmonic(sum((ours & theirs).values()), sum(theirs.values()), sum(ours.values()))


def rouge_l(wanted: str, said: str) -> float:
    """Return how long the longest common subsequence of words is."""
    ours, theirs = words_of(wanted), words_of(said)
    return _harmonic(len(_common(ours, theirs)), len(theirs), len(ours))


def rouge_lsum(wanted: str, said: str) -> float:
    """Return :func:`rouge_l` line by line: of each wanted line, the words that are in its subsequence with any line that was said."""
    ours, theirs = ([words_of(line) for line in text.split("\n") if line] for text in (wanted, said))
    left_ours, left_theirs = (Counter(word for line in lines for word in line) for lines in (ours, theirs))
    hits = 0
    for line in ours:
        for at in sorted({place for other in theirs for place in _common(line, other)}):
            # No word counts more often than it is there, on either side.
            if left_ours[line[at]] > 0 and left_theirs[line[at]] > 0:
                left_ours[line[at]] -= 1
                left_theirs[line[at]] -= 1
                hits += 1
    return _harmonic(hits, sum(map(len, theirs)), sum(map(len, ours)))


def _runs(words: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[at : at + size]) for at in range(len(words) - size + 1))


def _common(one: Sequence[str], other: Sequence[str]) -> list[int]:
    """Return the places in `one` of a longest common subsequence."""
    lengths = [[0] * (len(other) + 1)]
    for word in one:
        above, line = lengths[-1], [0]
        for at, against in enumerate(other, 1):
            line.append(above[at - 1] + 1 if word == against else max(above[at], line[-1]))
        lengths.append(line)
    places, row, column = [], len(one), len(other)
    while row and column:
        if one[row - 1] == other[column - 1]:
            row, column = row - 1, column - 1
            places.append(row)
        elif lengths[row][column - 1] > lengths[row - 1][column]:
            column -= 1
        else:
            row -= 1
    return places[::-1]


def _harmonic(hits: int, said: int, wanted: int) -> float:
    if not hits:
        return 0.0
    precision, recall = hits / said, hits / wanted
    return 2 * precision * recall / (precision + recall)
