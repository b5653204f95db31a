"""The examples in the room's docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import runfolio.hosts as room

MODULES = ["runfolio.hosts", *(f"runfolio.hosts.{module.name}" for module in pkgutil.iter_modules(room.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), extraglobs={"find_host": room.find_host})
    assert result.failed == 0


def test_there_are_examples() -> None:
    assert (
        sum(
            doctest.testmod(importlib.import_module(name), extraglobs={"find_host": room.find_host}).attempted for name in MODULES
        )
        > 8
    )
