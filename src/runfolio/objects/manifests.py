"""Manifests: many files as one object. A folder of ten thousand files is one digest in its run's record.

>>> from runfolio.records import ArtifactEntry, Digest
>>> files = {"model/data.bin": ArtifactEntry(Digest("sha256:" + "0" * 64), 7)}
>>> decode_manifest(encode_manifest(files), "the manifest") == files
True
"""

from __future__ import annotations

from collections.abc import Mapping

from runfolio.errors import DamagedError, UsageError
from runfolio.formats.canonical import MAX_RECORD_BYTES, dump, load
from runfolio.formats.runs import check_schema, decode_artifact, encode_artifact
from runfolio.records.names import check_artifact_path
from runfolio.records.runs import ArtifactEntry

SCHEMA = 1


def encode_manifest(files: Mapping[str, ArtifactEntry]) -> bytes:
    """Write a manifest in the canonical spelling.

    Parameters
    ----------
    files : Mapping of str to ArtifactEntry
        By path.

    Raises
    ------
    UsageError
        If it would be longer than a reader takes (about 120,000 files).
    """
    made = dump({"schema": SCHEMA, "artifacts": {path: encode_artifact(entry) for path, entry in files.items()}})
    if len(made) > MAX_RECORD_BYTES:
        raise UsageError(f"{len(files)} files are too many for one run: log them as an archive (tar, zip).")
    return made


def decode_manifest(data: bytes, where: str) -> dict[str, ArtifactEntry]:
    """Read a manifest.

    Parameters
    ----------
    data : bytes
    where : str
        The object, for messages.

    Returns
    -------
    dict of str to ArtifactEntry
        By path; every path stays below the folder that it is unpacked in.

    Raises
    ------
    DamagedError
        If it is not a manifest; the message names every wrong entry.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    value = load(data, where)
    check_schema(value, SCHEMA, where)
    entries = value.get("artifacts")
    if not isinstance(entries, dict):
        raise DamagedError(f"{where}: artifacts: an object is expected, found {type(entries).__name__}.")
    made: dict[str, ArtifactEntry] = {}
    faults: list[str] = []
    for path, entry in entries.items():
        try:
            made[check_artifact_path(path)] = decode_artifact(entry)
        except KeyError as error:
            faults.append(f"{where}: artifacts: {path}: the field {error} is missing")
        except (ValueError, TypeError, AttributeError) as error:
            faults.append(f"{where}: artifacts: {path}: {error}")
    if faults:
        raise DamagedError("\n".join(faults))
    return made
