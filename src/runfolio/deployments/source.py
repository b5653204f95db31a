"""What is deployed: the files of a model, verified, with what is known of them.

The digest is that of the manifest of the files, the same that a version's record names: an image, an archive in a bucket and a record
can be compared by it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, NotFoundError, UsageError
from runfolio.flavors.model import Model
from runfolio.formats.mlmodel import FILE
from runfolio.objects import encode_manifest, walk_files
from runfolio.records.runs import ArtifactEntry, Digest

if TYPE_CHECKING:
    from runfolio.folio.folio import Folio

REGISTERED, LOGGED = "models:/", "runs:/"
MANIFEST = "runfolio-manifest.json"


@dataclass(frozen=True, slots=True)
class Source:
    """A model to deploy.

    Parameters
    ----------
    uri : str
        As it was asked for.
    folder : Path
        Its files.
    files : Mapping of str to ArtifactEntry
        By path in the folder.
    digest : Digest
        Of the manifest of the files.
    name : str
        Of the registered model; else of the folder.
    slug : str
        Folder of the registered model; empty where it is none.
    version : int or None
    run_id : str or None
    created : int
        When the version was registered, milliseconds since the epoch, UTC; 0 where that is not known.
    commit : str
        Of the code that trained it, where its run knows.
    requirements : tuple of str
        Lines of its ``requirements.txt``.
    python : str
        Version of Python that it was saved with, as ``3.11``; empty where it does not say.
    """

    uri: str
    folder: Path
    files: Mapping[str, ArtifactEntry]
    digest: Digest
    name: str
    slug: str = ""
    version: int | None = None
    run_id: str | None = None
    created: int = 0
    commit: str = ""
    requirements: tuple[str, ...] = ()
    python: str = ""
    flavors: Mapping[str, Any] = field(default_factory=dict)

    @property
    def manifest(self) -> bytes:
        """The bytes whose digest is `digest`."""
        return encode_manifest(self.files)

    @property
    def title(self) -> str:
        """Name and version, in words."""
        return self.name if self.version is None else f"{self.name} {self.version}"


def fetch(uri: str, folder: Path, *, folio: Folio | None = None) -> Source:
    """Copy a model's files, each verified against its digest, and say what is known of them.

    Parameters
    ----------
    uri : str
        ``models:/NAME/…``, ``models:/NAME@ALIAS``, ``runs:/RUN/PATH``, or a folder.
    folder : Path
        Where to put them; missing, or empty.
    folio : Folio, optional
        Whose registry is asked; by default the one in force.

    Raises
    ------
    NotFoundError
        If there is no such model, or it has no ``MLmodel``.
    DamagedError
        If the bytes are not those that the folio's record names.
    """
    from runfolio.tracking.fetching import download_artifacts

    known: dict[str, Any] = {}
    where = str(folio.place.root) if folio is not None else None
    if uri.startswith(REGISTERED):
        known = _version_facts(uri, folio)
    if uri.startswith((REGISTERED, LOGGED)):
        got = Path(download_artifacts(uri, dst_path=folder / "fetched", tracking_uri=where))
    else:
        got = Path(download_artifacts(uri))
        if not got.is_dir():
            raise NotFoundError(
                f"{uri}: no such folder. A model is models:/NAME/VERSION, runs:/RUN/PATH, or a folder with {FILE}."
            )
    model = folder / "model"
    shutil.copytree(got, model, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    shutil.rmtree(folder / "fetched", ignore_errors=True)
    return describe(uri, model, **known)


def describe(uri: str, folder: Path, **known: Any) -> Source:
    """Say what is known of a folder of a model.

    Parameters
    ----------
    uri : str
    folder : Path
    **known
        What a record says of it: fields of :class:`Source`. Its digest must be that of the files.
    """
    if not (folder / FILE).is_file():
        raise NotFoundError(f"{uri}: no {FILE} in it, so nobody knows how to load it. Name the folder that log_model made.")
    expected = known.pop("digest", None)
    files: Mapping[str, ArtifactEntry] = known.pop("files", None) or files_in(folder)
    _compare(uri, folder, files)
    model = Model.load(folder)
    digest = Digest(f"sha256:{hashlib.sha256(encode_manifest(files)).hexdigest()}")
    if expected is not None and digest != expected:
        raise DamagedError(f"{uri}: its files make the manifest {digest}, and its record names {expected}. Run: runfolio check")
    said = {"name": folder.name if folder.name != "model" else "model", "run_id": model.run_id, **known}
    return Source(
        uri=uri, folder=folder, files=files, digest=digest, requirements=_requirements(folder), python=_python(folder, model),
        flavors=model.flavors, **said,
    )  # fmt: skip


def files_in(folder: Path) -> dict[str, ArtifactEntry]:
    """List the files of a folder with their digests."""
    return {name: ArtifactEntry(_digest(path), path.stat().st_size) for name, path in walk_files(folder)}


def _compare(uri: str, folder: Path, files: Mapping[str, ArtifactEntry]) -> None:
    there = {name: entry.digest for name, entry in files_in(folder).items()}
    wrong = sorted(name for name in {*there, *files} if name not in files or there.get(name) != files[name].digest)
    if wrong:
        raise DamagedError(f"{uri}: {', '.join(wrong[:5])}: not the bytes that the record names. Run: runfolio artifacts verify")


def _digest(path: Path) -> Digest:
    made = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            made.update(block)
    return Digest(f"sha256:{made.hexdigest()}")


def _version_facts(uri: str, folio: Folio | None) -> dict[str, Any]:
    from runfolio.registry import files_of, parse_model_uri, resolve
    from runfolio.tracking.client import RunfolioClient

    asked = parse_model_uri(uri)
    if asked.path:
        raise UsageError(f"{uri} names a file of a version. Deploy the version: {uri[: -len(asked.path) - 1]}")
    at = folio or RunfolioClient()._registry()
    model, version = resolve(at, asked)
    commit = ""
    run = at.runs.committed(version.run_id) if version.run_id else None
    if run is not None:
        commit = str(run.code.get("commit") or "")
    return {
        "name": model.name,
        "slug": model.slug,
        "version": version.version,
        "run_id": version.run_id,
        "created": version.created,
        "digest": version.digest,
        "files": files_of(at, version),
        "commit": commit,
    }


def _requirements(folder: Path) -> tuple[str, ...]:
    file = folder / "requirements.txt"
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _python(folder: Path, model: Model) -> str:
    import re

    file = folder / "python_env.yaml"
    text = file.read_text("utf-8") if file.is_file() else ""
    found = re.search(r"^python:\s*['\"]?(\d+\.\d+)", text, re.MULTILINE)
    said = found[1] if found else str(model.flavors.get("python_function", {}).get("python_version") or "")
    return ".".join(said.split(".")[:2])
