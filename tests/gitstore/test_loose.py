"""gitstore/loose.py: what is stored rather than deflated is what zlib reads, and no longer than zlib would make it."""

from __future__ import annotations

import random
import zlib

import pytest

from runfolio.gitstore.loose import compressed


@pytest.mark.parametrize("size", [0, 1, 40, 4096, 4097, 0xFFFF, 0x10000])
def test_stored_data_are_read_by_zlib(size: int) -> None:
    data = random.Random(size).randbytes(size)
    stored = compressed(data, 0)
    assert zlib.decompress(stored) == data
    assert len(stored) <= len(zlib.compress(data, 0))
