"""objects/signs.py: puts and clean-ups that meet, in every order of their steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from threading import Condition, Thread

import pytest

from runfolio.errors import StorageError
from runfolio.objects import signs
from runfolio.objects.buckets import Stat
from runfolio.objects.signs import KEPT, LEAVING, STALE_S, Signs

KEY = "sha256/ab/" + "cd" * 31
OLD_MS = 10_000_000
STEPS = {"put": 6, "clean-up": 7}


@dataclass
class Memory:
    """A bucket in memory, whose clock goes on by a second with each thing that is written."""

    checks = True
    now: int = field(default_factory=lambda: int(time.time() * 1000))
    held: dict[str, Stat] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None

    def put(self, key: str, content: bytes | Path | Iterator[bytes], attributes: Mapping[str, str] | None = None) -> str:
        self.before()
        self.now += 1000
        self.held[key] = Stat(key, len(content) if isinstance(content, bytes) else 0, self.now)
        return ""

    def create(self, key: str, content: bytes = b"") -> str | None:
        self.before()
        if key in self.held:
            return None
        self.now += 1000
        self.held[key] = Stat(key, len(content), self.now)
        return ""

    def stat(self, key: str) -> Stat | None:
        self.before()
        return self.held.get(key)

    def delete(self, keys: list[str]) -> None:
        self.before()
        for key in keys:
            self.held.pop(key, None)

    def list(self, prefix: str) -> Iterator[Stat]:
        return iter([self.held[key] for key in sorted(self.held) if key.startswith(prefix)])

    def open(self, key: str, start: int = 0) -> tuple[int, Iterator[bytes]]:
        raise NotImplementedError

    def move(self, key: str, to: str) -> None:
        raise NotImplementedError

    def url(self, key: str) -> str:
        return f"memory://{key}"


class Turns:
    """Lets threads go on one step at a time, in a given order; whoever has no step left in it goes on freely at its end."""

    def __init__(self, order: list[str]) -> None:
        self._order, self._changed = list(order), Condition()

    def take(self, name: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._order or self._order[0] == name)
            if self._order:
                self._order.pop(0)
            self._changed.notify_all()

    def leave(self, name: str) -> None:
        with self._changed:
            self._order = [turn for turn in self._order if turn != name]
            self._changed.notify_all()


def orders() -> Iterator[list[str]]:
    total = sum(STEPS.values())
    for places in combinations(range(total), STEPS["put"]):
        yield ["put" if step in places else "clean-up" for step in range(total)]


def meet(order: list[str]) -> tuple[str, bool]:
    """Let a put meet a clean-up of an old object; returns what the put was told, and whether the object is there in the end."""
    turns, said = Turns(order), ["put"]
    first = Memory()
    first.held[KEY] = Stat(KEY, 7, first.now - OLD_MS)
    second = Memory(held=first.held, now=first.now)

    def put() -> None:
        try:
            there = Signs(first).keep(KEY, 7)
            if not there:
                first.put(KEY, b"weights")
            said[0] = "there" if there else "sent"
        except StorageError:
            said[0] = "refused"
        turns.leave("put")

    def clean_up() -> None:
        Signs(second).remove(KEY, before_ms)
        turns.leave("clean-up")

    before_ms = first.now
    first.before, second.before = lambda: turns.take("put"), lambda: turns.take("clean-up")
    threads = [Thread(target=put), Thread(target=clean_up)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return said[0], KEY in first.held


def test_a_put_that_was_acknowledged_keeps_its_object_whatever_a_clean_up_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs.time, "sleep", lambda seconds: None)
    seen = {meet(order) for order in orders()}
    assert {said for said, _ in seen} >= {"there", "sent"}
    assert [item for item in seen if item[0] != "refused" and not item[1]] == []


def test_a_sign_of_life_spares_an_old_object_and_a_second_clean_up_leaves_it_to_the_first() -> None:
    bucket = Memory()
    old = bucket.now - OLD_MS
    bucket.held[KEY] = Stat(KEY, 7, old)
    assert Signs(bucket).keep(KEY, 7)
    assert KEPT + KEY in bucket.held
    assert not Signs(bucket).remove(KEY, old)
    assert bucket.create(LEAVING + KEY) is not None
    assert not Signs(bucket).remove(KEY, bucket.now + 1)
    bucket.delete([LEAVING + KEY])
    assert Signs(bucket).remove(KEY, bucket.now + 1)
    assert bucket.held == {}


def test_a_clean_up_that_was_killed_holds_puts_up_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs.time, "sleep", lambda seconds: None)
    bucket = Memory()
    bucket.held[KEY] = Stat(KEY, 7, bucket.now - OLD_MS)
    bucket.create(LEAVING + KEY)
    with pytest.raises(StorageError, match="judged by a clean-up"):
        Signs(bucket).keep(KEY, 7)
    bucket.held[LEAVING + KEY] = Stat(LEAVING + KEY, 0, int((time.time() - STALE_S - 1) * 1000))
    assert Signs(bucket).keep(KEY, 7)
    assert LEAVING + KEY not in bucket.held
