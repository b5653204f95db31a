"""A folder of wheels, so that environments are made without a network: two tiny packages, and what runfolio needs to log."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str], requires: tuple[str, ...] = ()) -> Path:
    """Write a wheel (PEP 427)."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    made = {key: text.encode() for key, text in files.items()}
    made[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}".encode()
    made[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    return packed(folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl", info, made)


def packed(path: Path, info: str, files: Mapping[str, bytes]) -> Path:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, data in files.items():
        rows.writerow(
            (name, f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()}", len(data))
        )
    rows.writerow((f"{info}/RECORD", "", ""))
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**files, f"{info}/RECORD": text.getvalue().encode()}.items():
            archive.writestr(name, data)
    return path


def repacked(folder: Path, package: str) -> Path:
    """Write an installed package as a wheel again."""
    found = metadata.distribution(package)
    info = next(str(path.parent) for path in found.files or () if path.name == "METADATA")
    files = {
        path.as_posix(): Path(str(path.locate())).read_bytes()
        for path in found.files or ()
        if path.suffix != ".pyc" and ".." not in path.parts and path.name not in ("RECORD", "INSTALLER", "REQUESTED")
    }
    tag = next(line.split(": ")[1] for line in (found.read_text("WHEEL") or "").splitlines() if line.startswith("Tag: "))
    return packed(folder / f"{info.removesuffix('.dist-info')}-{tag}.whl", info, files)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that ``--find-links`` reads: ``tiny`` 1.0 and 2.0, ``needy`` (needs ``tiny<2``), click and PyYAML."""
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0"):
        wheel(folder, "tiny", version, {"tiny.py": f"version = {version!r}\n"})
    wheel(folder, "needy", "1.0", {"needy.py": "import tiny\n"}, ("tiny<2",))
    for package in ("click", "PyYAML"):
        repacked(folder, package)
    return folder


@pytest.fixture
def offline(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pip as a user without a network configures it; environments are kept in a folder of the test's. Returns that folder."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.delenv("PIP_CERT", raising=False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # else each start of pip compiles it
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "runfolio" / "environments"


def in_it(python: Path, code: str) -> str:
    """Run code in an environment's Python, and return what it printed."""
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout.strip()


def other_python() -> str:
    """Return a minor version of Python that is not here."""
    return "3.99" if sys.version_info[:2] != (3, 99) else "3.98"
