"""Every test starts and ends with autologging off: frameworks are as they were, and what was said once is said again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runfolio.autologging import guarding
from runfolio.autologging.switches import autolog


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    guarding._said.clear()
    yield
    autolog(disable=True)


@pytest.fixture
def folio(folio_dir: object, monkeypatch: pytest.MonkeyPatch) -> object:
    """A folio that is the current folder."""
    monkeypatch.chdir(str(folio_dir))
    return folio_dir
