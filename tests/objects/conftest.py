"""One S3 server for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.objects import s3

_NUMBERS = count()


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a real S3 server on loopback."""
    with s3.s3_server(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture
def s3_bucket(s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a new bucket there; credentials stand in the environment, the cache is the test's own."""
    name = f"bucket-{next(_NUMBERS)}"
    s3.make_bucket(s3_endpoint, name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.SECRET)
    monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RUNFOLIO_STORE_TIMEOUT", "5")
    return name
