"""The section ``review`` of ``runfolio.yaml``: what the report on a proposed change shows, and when it fails."""

from __future__ import annotations

from collections.abc import Callable

from runfolio._typing import Any
from runfolio.formats.fields import FieldReader, flag, list_of, one_of, whole
from runfolio.records.settings import SECTIONS, ReviewSettings

BASELINES = ("auto", "pinned", "live", "best")
FAILURES = ("gates", "alarms", "damage", "regression")
LEAST_CHARACTERS = 2_000
"""Of a report: fewer hold no verdict, the loudest alarms and the counts of what was left out."""


def read_review(section: FieldReader) -> ReviewSettings:
    """Read the section; a fault is noted for every field that is wrong or unknown."""
    default = ReviewSettings()
    section.only(("sections", "rows", "runs", "quiet", "limit", "baseline", "fail_on"))
    return ReviewSettings(
        section.read("sections", _some_sections, default.sections),
        section.read("rows", whole(1), default.rows),
        section.read("runs", whole(1), default.runs),
        section.read("quiet", flag, default.quiet),
        section.read("limit", whole(LEAST_CHARACTERS), default.limit),
        section.read("baseline", one_of(*BASELINES), default.baseline),
        section.read("fail_on", _distinct(*FAILURES), default.fail_on),
    )


def _some_sections(value: Any) -> tuple[str, ...]:
    names = _distinct(*SECTIONS)(value)
    if not names:
        raise ValueError("a list with one section at least is expected")
    return names


def _distinct(*names: str) -> Callable[[Any], tuple[str, ...]]:
    """Return a reader of lists of the given words, each at most once."""
    read_words = list_of(one_of(*names))

    def read(value: Any) -> tuple[str, ...]:
        words = read_words(value)
        doubled = sorted({word for word in words if words.count(word) > 1})
        if doubled:
            raise ValueError(f"each name once is expected, found more than one {doubled[0]}")
        return words

    return read
