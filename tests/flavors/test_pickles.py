"""flavors/pickles.py: a plain pickle is any pickler's, and what it refers to is known without reading it."""

from __future__ import annotations

import fractions
import functools
import json
import operator
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from runfolio.flavors.pickled_names import modules_of
from runfolio.flavors.pickles import write_plain

numpy = pytest.importorskip("numpy")


class Here:
    """A class that the script itself defines."""


class Singleton:
    """One that is pickled by its name alone."""

    def __reduce__(self) -> str:
        return "THE_ONE"


THE_ONE = Singleton()
VALUES: dict[str, Any] = {
    "an instance": fractions.Fraction(1, 2),
    "a function": json.dumps,
    "a class": fractions.Fraction,
    "an array of text": numpy.array(["a", "b"]),
    "a ufunc": {"f": numpy.add},
    "a method": fractions.Fraction(1, 2).limit_denominator,
    "what is made again by another one's function": functools.partial(operator.itemgetter(1), [1]),
    "what is pickled by its name": [THE_ONE],
    "large bytes": b"x" * 500_000,
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_plain_pickle_is_any_picklers_and_its_modules_are_known(tmp_path: Path, value: Any) -> None:
    modules = write_plain(value, tmp_path / "model.pkl")
    made = (tmp_path / "model.pkl").read_bytes()
    assert made == pickle.dumps(value, protocol=5)
    assert modules is not None and modules >= modules_of(made) - {"builtins"}


@pytest.mark.parametrize("made", [lambda: Here(), lambda: Here, lambda: [{"deep": Here()}], lambda: THE_ONE])
def test_no_plain_pickle_of_what_the_script_itself_defines(tmp_path: Path, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, held in (("Here", Here), ("Singleton", Singleton), ("THE_ONE", THE_ONE)):
        monkeypatch.setattr(sys.modules["__main__"], name, held, raising=False)
    for kind in (Here, Singleton):
        monkeypatch.setattr(kind, "__module__", "__main__")
    assert write_plain(made(), tmp_path / "model.pkl") is None
    assert not (tmp_path / "model.pkl").exists()
