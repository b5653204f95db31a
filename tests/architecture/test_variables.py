"""What variables of the environment say is seen as it is now, whoever set it, and however ``os.environ`` keeps it."""

from __future__ import annotations

import os

import pytest

from runfolio._variables import variable, variables

NAMES = (b"RUNFOLIO_TEST_ONE", b"RUNFOLIO_TEST_TWO")


class Mapping(dict[str, str]):
    """Stands for ``os.environ`` where it keeps its values in another way."""


@pytest.mark.parametrize("kept_otherwise", [False, True])
def test_a_variable_is_as_it_was_set_last(monkeypatch: pytest.MonkeyPatch, kept_otherwise: bool) -> None:
    if kept_otherwise:
        monkeypatch.setattr(os, "environ", Mapping(os.environ))
    assert (variables(NAMES), variable(NAMES[0])) == ((None, None), "")
    monkeypatch.setenv("RUNFOLIO_TEST_TWO", "")
    for said in ("plain", "\udcff und \xe9"):
        monkeypatch.setitem(os.environ, "RUNFOLIO_TEST_ONE", said)
        assert (variables(NAMES), variable(NAMES[0])) == ((os.fsencode(said), b""), said)
    monkeypatch.delenv("RUNFOLIO_TEST_ONE")
    assert (variables(NAMES), variable(NAMES[1])) == ((None, b""), "")


def test_a_value_that_was_put_in_bytes_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environb, b"RUNFOLIO_TEST_ONE", b"\xff")
    assert variable(NAMES[0]) == os.environ["RUNFOLIO_TEST_ONE"]
