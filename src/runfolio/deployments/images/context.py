"""The build context of a model's image: a folder with all that a build needs, the same bytes for the same version.

Times of files are ``SOURCE_DATE_EPOCH``, else the moment when the version was registered; names are sorted, modes are set.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio._version import __version__
from runfolio.deployments.images.dockerfile import Facts, make_dockerfile
from runfolio.deployments.images.locks import EXTRA, Package, fetch_wheels, lock_text, make_lock
from runfolio.deployments.images.sbom import make_sbom
from runfolio.deployments.images.wheels import runfolio_wheel
from runfolio.deployments.source import MANIFEST, Source
from runfolio.errors import AlreadyExistsError, UsageError

_REFERENCE = re.compile(r"[A-Za-z0-9][\w.\-]*(?::\d+)?(?:/[\w.\-]+)*(?::[\w.\-]{1,128})?(?:@sha256:[0-9a-f]{64})?\Z", re.ASCII)
_FIRST_EPOCH = 315_532_800
"""1980: what an archive can tell at the earliest."""
MACHINES = ("x86_64", "aarch64")
_OTHER_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Docker's and macOS' names."""
IGNORED = "**/__pycache__\n**/*.pyc\n.git\n"


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """How an image is to be made.

    Parameters
    ----------
    base : str
        Base image; by default ``python:3.X-slim`` with the Python that the model was saved with.
    wheel : Path or None
        Wheel of runfolio to put in; None packs the one that is running.
    lock : bool
        Resolve every package now and install by hash; False leaves the choice to the build.
    offline : bool
        Put all wheels into the context, so that the build needs no network.
    machine : str
        ``x86_64`` or ``aarch64``; this one's by default.
    """

    base: str = ""
    wheel: Path | None = None
    lock: bool = True
    offline: bool = False
    machine: str = ""


@dataclass(frozen=True, slots=True)
class ImageContext:
    """A build context in memory.

    Parameters
    ----------
    source : Source
    base : str
        The base image that the Dockerfile names.
    files : Mapping of str to bytes or Path
        By path in the folder.
    epoch : int
        Seconds since the epoch: the time of every file.
    packages : tuple of Package
        The lock; empty where there is none.
    """

    source: Source
    base: str
    files: Mapping[str, bytes | Path]
    epoch: int
    packages: tuple[Package, ...] = field(default=())

    @property
    def pinned(self) -> bool:
        """Whether the base image is named by its digest."""
        return "@sha256:" in self.base

    def write(self, folder: Path) -> None:
        """Write the context into a folder that is missing, or empty.

        Raises
        ------
        AlreadyExistsError
            If it holds something.
        """
        check_folder(folder)
        for name, content in sorted(self.files.items()):
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
            place.chmod(0o644)
            os.utime(place, (self.epoch, self.epoch))
        for place in sorted((item for item in folder.rglob("*") if item.is_dir()), reverse=True):
            place.chmod(0o755)
            os.utime(place, (self.epoch, self.epoch))


def check_folder(folder: Path) -> None:
    """Refuse a folder that a context cannot be written to.

    Raises
    ------
    AlreadyExistsError
        If it holds something, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyExistsError(f"{folder} is there already, and not empty. Choose another folder for the build context.")


def make_context(source: Source, options: ImageOptions) -> ImageContext:
    """Make the build context of a model.

    Parameters
    ----------
    source : Source
        Its files must stay until the context is written.
    options : ImageOptions

    Raises
    ------
    UsageError
        If its packages cannot be locked, or the base is no image's name.
    """
    python = source.python or ".".join(platform.python_version_tuple()[:2])
    base = options.base or f"docker.io/library/python:{python}-slim"
    if not _REFERENCE.match(base):
        raise UsageError(f"--base-image: not the name of an image: {base!r}. Write NAME:TAG or NAME:TAG@sha256:…")
    if options.offline and not options.lock:
        raise UsageError("--wheels goes with a lock: it says which wheels are meant. Leave out --no-lock.")
    epoch, machine = _epoch(source), _machine(options.machine)
    wheel = runfolio_wheel(options.wheel)
    packages = make_lock(source.requirements, wheel, python, machine) if options.lock else []
    wheels = fetch_wheels(packages, wheel, python, machine) if options.offline else {wheel[0]: wheel[1]}
    facts = Facts(source.title, base, python, epoch, source.digest, options.lock, options.offline, labels_of(source, base, epoch))
    files: dict[str, bytes | Path] = {
        "Dockerfile": make_dockerfile(facts).encode(),
        ".dockerignore": IGNORED.encode(),
        "inside.py": Path(__file__).with_name("inside.py").read_bytes(),
        MANIFEST: source.manifest,
        "sbom.cdx.json": make_sbom(source, packages, epoch),
        **{f"model/{name}": source.folder / name for name in source.files},
        **{f"wheels/{name}": data for name, data in wheels.items()},
    }
    if options.lock:
        files["requirements.lock"] = lock_text(packages).encode()
    else:
        files["requirements.txt"] = ("\n".join([*source.requirements, f"runfolio[{EXTRA}]"]) + "\n").encode()
    return ImageContext(source, base, files, epoch, tuple(packages))


def labels_of(source: Source, base: str, epoch: int) -> dict[str, str]:
    """Return the labels of an image: those of the OCI image specification, and where the model comes from."""
    from datetime import datetime, timezone

    name, _, digest = base.partition("@")
    return {
        "org.opencontainers.image.title": source.name,
        "org.opencontainers.image.version": str(source.version or ""),
        "org.opencontainers.image.revision": source.commit,
        "org.opencontainers.image.created": datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "org.opencontainers.image.base.name": name,
        "org.opencontainers.image.base.digest": digest,
        "runfolio.model.uri": source.uri,
        "runfolio.model.digest": source.digest,
        "runfolio.run": source.run_id or "",
        "runfolio.version": __version__,
        "com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true",
    }


def _machine(wanted: str) -> str:
    """Return a machine by the name that wheels have for it."""
    name = _OTHER_NAMES.get((wanted or platform.machine()).lower(), (wanted or platform.machine()).lower())
    if wanted and name not in MACHINES:
        raise UsageError(f"--machine: there is no {wanted!r}; there are {' and '.join(MACHINES)}.")
    return name


def _epoch(source: Source) -> int:
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    if said and not said.isdigit():
        raise UsageError(f"SOURCE_DATE_EPOCH: whole seconds since the epoch are expected, found {said!r}.")
    return max(int(said) if said else source.created // 1000, _FIRST_EPOCH)
