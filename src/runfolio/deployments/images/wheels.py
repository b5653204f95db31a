"""The wheel of runfolio that an image gets: a file that is given, or the installed distribution packed anew.

Packed wheels are reproducible: sorted, without times, the same bytes for the same files (format: PEP 427).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from runfolio.errors import NotFoundError, UsageError

PACKAGE = "runfolio"
_FIRST = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive can tell


def runfolio_wheel(given: Path | None) -> tuple[str, bytes]:
    """Return name and bytes of the wheel.

    Parameters
    ----------
    given : Path or None
        A wheel's file; None packs what is installed here.

    Raises
    ------
    NotFoundError, UsageError
        If there is no such file, or it is no wheel of runfolio.
    """
    if given is None:
        return packed_wheel()
    if not given.is_file():
        raise NotFoundError(f"--runfolio-wheel: no such file: {given}.")
    if given.name.split("-")[0] != PACKAGE or given.suffix != ".whl" or not zipfile.is_zipfile(given):
        raise UsageError(f"--runfolio-wheel: {given.name} is no wheel of runfolio. Make one: pip wheel --no-deps .")
    return given.name, given.read_bytes()


def packed_wheel() -> tuple[str, bytes]:
    """Pack the runfolio that is running into a wheel."""
    distribution = metadata.distribution(PACKAGE)
    top = Path(__file__).parents[2]
    info = f"{PACKAGE}-{distribution.version}.dist-info"
    files = {
        path.relative_to(top.parent).as_posix(): path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    for name in ("METADATA", "entry_points.txt"):
        files[f"{info}/{name}"] = (distribution.read_text(name) or "").encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: runfolio\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    return f"{PACKAGE}-{distribution.version}-py3-none-any.whl", _zip(files)


def _record(files: Mapping[str, bytes], own: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, data in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow((name, f"sha256={digest}", len(data)))
    rows.writerow((own, "", ""))
    return text.getvalue().encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _FIRST)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            archive.writestr(entry, data)
    return made.getvalue()
