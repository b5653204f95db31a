"""One S3 server for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.objects import s3
from tests.objects.shell import folio, run

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


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    run("git", "init", "-q", "--bare", "-b", "main", "hub.git", cwd=tmp_path)
    return tmp_path / "hub.git"


@pytest.fixture
def here(tmp_path: Path, hub: Path, s3_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folio with a remote, its artifacts in S3."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    (tmp_path / "gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n")
    run("git", "clone", "-q", str(hub), "here", cwd=tmp_path)
    folio("init", "--commit", "--artifacts", f"s3://{s3_bucket}/wine?endpoint={s3_endpoint}", cwd=tmp_path / "here")
    return tmp_path / "here"
