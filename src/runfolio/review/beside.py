"""Files that stand beside the records and are named by them: lists of packages, facts of data, model cards.

A list of packages bears the digest of its content as its name, so a list that was changed shows by itself; facts of a content are written
once. A card is prose that people edit: that it changed is told, and letters in it that turn the order of what is read are an alarm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runfolio.folio.checks.documents import check_environment
from runfolio.folio.checks.listing import environment_of_path
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.records.findings import Finding, Severity
from runfolio.review.change import RegistryChange
from runfolio.review.reading import Read

_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates of Unicode's bidirectional algorithm; prose of any language can do without them."""
_PUT_BACK = "Ask for the reason, or have it put back"


def alarms_beside(place: Place, read: Read) -> Iterator[Finding]:
    """Tell of lists of packages and facts of data that say something else now, and of cards that deceive the eye."""
    yield from _package_lists(place, read)
    yield from _facts(place, read)
    yield from _cards(place, read)


def _package_lists(place: Place, read: Read) -> Iterator[Finding]:
    for item in read.inner:
        inner = place.strip(item.path)
        if environment_of_path(inner) is None:
            continue
        if item.new is None:
            message = "a list of packages is gone: the environment of runs that name it is not known any more"
            yield Finding("review.environment", Severity.ERROR, item.path, "", message, _PUT_BACK)
            continue
        data = read.after.environments.get(inner)
        found: list[Finding] = []
        if data is not None:
            check_environment(data, item.path, lambda _: _PUT_BACK, found)
        for fault in found:
            yield Finding("review.environment", Severity.ERROR, item.path, "", fault.message, fault.remedy)


def _facts(place: Place, read: Read) -> Iterator[Finding]:
    for item in read.inner:
        if paths.facts_of_path(place.strip(item.path)) is not None and item.old is not None and item.new is not None:
            message = "the recorded facts of a dataset's content were changed: drift is told from them"
            yield Finding("review.facts-edited", Severity.WARNING, item.path, "", message, "See that it is meant")


def _cards(place: Place, read: Read) -> Iterator[Finding]:
    for path, text in read.after.cards.items():
        turned = _TURNS.search(text)
        if turned:
            line = text.count("\n", 0, turned.start()) + 1
            message = f"line {line} holds U+{ord(turned[0]):04X}, which turns the order of what is read"
            yield Finding("review.disguise", Severity.WARNING, place.full(path), "", message, "See what is really written there")


def card_changes(read: Read, names: Mapping[str, str]) -> Iterator[RegistryChange]:
    """Tell which cards are others now; not those that come with a version that is new itself.

    Parameters
    ----------
    read : Read
    names : mapping of str to str
        The models' names by slug, where the change tells them.
    """
    before, after = read.before.cards, read.after.cards
    for path in sorted(before.keys() | after.keys()):
        found = paths.card_of_path(path)
        if found is None or path in read.unread or (found in read.after.versions and found not in read.before.versions):
            continue
        slug, number = found
        done = "written" if path not in before else "removed" if path not in after else "changed"
        yield RegistryChange("described", names.get(slug, slug), path, f"card of version {number} {done}", number)
