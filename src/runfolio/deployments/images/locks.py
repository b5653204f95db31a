"""Every package of an image, with its hash: resolved by pip from its index or cache, installed by ``--require-hashes``.

pip's own report (``pip install --dry-run --report``) says which file it would take of which package. A lock names packages, versions
and hashes, and no index: which one is asked stays the business of who builds.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from runfolio._dataclass import dataclass
from runfolio.errors import StorageError, UsageError

EXTRA = "serve"
"""The extra of runfolio that the server needs."""
_TIMEOUT_S = 1800
_OF_RUNFOLIO = re.compile(r"^\s*runfolio\s*(?P<extras>\[[^\]]*\])?\s*([<>=!~][^;]*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a lock.

    Parameters
    ----------
    name, version : str
    sha256 : str
        Of its wheel; hex digits.
    license : str
        As its metadata says; empty where it says nothing short.
    """

    name: str
    version: str
    sha256: str
    license: str = ""


def make_lock(requirements: Sequence[str], wheel: tuple[str, bytes], python: str, machine: str) -> list[Package]:
    """Resolve what a model and the server need, for Linux.

    Parameters
    ----------
    requirements : sequence of str
        The model's.
    wheel : (str, bytes)
        Of runfolio.
    python : str
        ``3.11``.
    machine : str
        ``x86_64`` or ``aarch64``.

    Returns
    -------
    list of Package
        By name.

    Raises
    ------
    UsageError
        If pip cannot resolve them, or one of them has no wheel with a hash.
    """
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        place, report = _written(Path(folder), requirements, wheel), Path(folder) / "report.json"
        # pip before 23.1 takes options of another machine only with a target, also where nothing is installed.
        target = ("--target", str(Path(folder) / "nothing"))
        _pip(
            "install",
            "--dry-run",
            "--ignore-installed",
            "--report",
            str(report),
            *target,
            *_for(python, machine),
            "-r",
            str(place),
        )
        return sorted((package_of(item) for item in json.loads(report.read_text())["install"]), key=lambda item: item.name)


def fetch_wheels(packages: Sequence[Package], wheel: tuple[str, bytes], python: str, machine: str) -> dict[str, bytes]:
    """Return the wheels that a lock names, by file name: with them an image is built without a network."""
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        lock, target = Path(folder) / "requirements.lock", Path(folder) / "wheels"
        target.mkdir()
        (target / wheel[0]).write_bytes(wheel[1])
        lock.write_text(lock_text(packages))
        _pip("download", "--no-deps", "--require-hashes", "-d", str(target), "--find-links", str(target), *_for(python, machine),
             "-r", str(lock))  # fmt: skip
        return {file.name: file.read_bytes() for file in sorted(target.iterdir())}


def lock_text(packages: Sequence[Package]) -> str:
    """Write a lock as a requirements file with hashes."""
    head = "# Every package of the image, by the hash of its file. Made by runfolio; installed with --require-hashes.\n"
    return head + "".join(f"{item.name}=={item.version} --hash=sha256:{item.sha256}\n" for item in packages)


def _written(folder: Path, requirements: Sequence[str], wheel: tuple[str, bytes]) -> Path:
    (folder / wheel[0]).write_bytes(wheel[1])
    place, ours = folder / "requirements.in", (folder / wheel[0]).as_uri()
    # A model of plain Python asks for runfolio itself: it gets the wheel that is put in, which need not be on an index.
    wanted = [_OF_RUNFOLIO.sub(lambda said: f"runfolio{said['extras'] or ''} @ {ours}", line) for line in requirements]
    place.write_text("\n".join([*wanted, f"runfolio[{EXTRA}] @ {ours}"]) + "\n")
    return place


def _for(python: str, machine: str) -> list[str]:
    """Return pip's options for another Python or machine than this one; always wheels, for an sdist would run code."""
    options = ["--only-binary", ":all:"]
    if (python, machine, sys.platform) == (".".join(platform.python_version_tuple()[:2]), platform.machine(), "linux"):
        return options
    tags = [f"{name}_{machine}" for name in ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "linux")]
    return [
        *options,
        "--python-version",
        python,
        "--implementation",
        "cp",
        *(word for tag in tags for word in ("--platform", tag)),
    ]


def _pip(verb: str, *options: str) -> None:
    command = [sys.executable, "-m", "pip", verb, "--quiet", "--no-input", "--disable-pip-version-check", *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except OSError as error:
        raise StorageError(f"pip could not be started: {error}.") from error
    except subprocess.TimeoutExpired:
        raise UsageError(f"pip did not resolve the requirements within {_TIMEOUT_S // 60} minutes. Pin more of them.") from None
    if done.returncode:
        from runfolio.records.redaction import Redactor

        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR") or "No module named pip" in line]
        said = Redactor(home=str(Path.home())).text("; ".join(lines[:3] or done.stderr.splitlines()[-2:]))
        raise UsageError(
            f"The requirements could not be locked: {said.removeprefix('ERROR: ').rstrip('.')}. Mend the model's requirements.txt, "
            "give pip a network or an index, or let the build choose the versions: --no-lock"
        )


def package_of(item: dict[str, Any]) -> Package:
    """Return what a report of pip says that it would install.

    Raises
    ------
    UsageError
        If that has no hash.
    """
    name, version = str(item["metadata"]["name"]), str(item["metadata"]["version"])
    archive = item["download_info"].get("archive_info") or {}
    digest = (archive.get("hashes") or {}).get("sha256") or _digest_of(str(item["download_info"].get("url") or ""))
    if not digest:
        raise UsageError(
            f"{name} {version} comes from a place without a hash (a folder, or a version control system), so it cannot be locked. Publish "
            "a wheel of it, or let the build choose the versions: --no-lock"
        )
    said = str(item["metadata"].get("license_expression") or item["metadata"].get("license") or "")
    return Package(
        name.lower().replace("_", "-").replace(".", "-"), version, digest, said if len(said) < 64 and "\n" not in said else ""
    )


def _digest_of(url: str) -> str | None:
    """Return the digest of a wheel on this machine, which pip before 23.1 leaves out of its report."""
    if not url.startswith("file:"):
        return None
    file = Path(url2pathname(urlsplit(url).path))
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
