"""Put this very runfolio into an environment: a link to its folder, and what tells installers that it is there.

Only runfolio itself is linked. A file of paths would bring all that lies beside it, and packages that the environment lacks would
be found there.
"""

from __future__ import annotations

import os
import re
import shutil
from importlib import metadata
from pathlib import Path

from runfolio._version import __version__

PACKAGE = "runfolio"
OLDEST = (3, 10)
_SCRIPT = "#!{python}\nimport sys\n\nfrom runfolio.cli.main import main\n\nsys.exit(main())\n"


def home() -> Path:
    """Return the folder of the runfolio that is running."""
    return Path(__file__).resolve().parents[1]


def put_in(folder: Path) -> None:
    """Put runfolio into an environment, unless its Python is too old for it."""
    for packages in _packages(folder):
        if tuple(int(part) for part in packages.parent.name.removeprefix("python").split(".")) >= OLDEST:
            _link(folder, packages)


def _packages(folder: Path) -> list[Path]:
    return [path for path in (folder / "lib").glob("python3.*/site-packages") if re.fullmatch(r"python3\.\d+", path.parent.name)]


def _link(folder: Path, packages: Path) -> None:
    for old in (packages / PACKAGE, *packages.glob(f"{PACKAGE}-*.dist-info")):
        old.unlink() if old.is_symlink() else shutil.rmtree(old, ignore_errors=True)
    (packages / PACKAGE).symlink_to(home(), target_is_directory=True)
    info = packages / f"{PACKAGE}-{__version__}.dist-info"
    info.mkdir()
    for name, text in _facts().items():
        (info / name).write_text(text, "utf-8")
    (info / "INSTALLER").write_text("runfolio\n", "utf-8")
    (info / "RECORD").write_text("".join(f"{info.name}/{name},,\n" for name in (*_facts(), "INSTALLER", "RECORD")), "utf-8")
    script = folder / "bin" / PACKAGE
    script.write_text(_SCRIPT.format(python=folder / "bin" / "python"), "utf-8")
    script.chmod(0o755)


def is_in(folder: Path) -> bool:
    """Tell whether what the environment links to is still there."""
    links = [place / PACKAGE for place in _packages(folder)]
    return all((link / "_version.py").exists() for link in links if link.is_symlink())


def _facts() -> dict[str, str]:
    bare = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {__version__}\n"
    try:
        here = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        return {"METADATA": bare}
    found = {name: here.read_text(name) for name in ("METADATA", "entry_points.txt")}
    return {"METADATA": bare} | {name: text for name, text in found.items() if text}


def identity() -> tuple[str, str]:
    """Return what tells this runfolio from another."""
    return __version__, os.fspath(home())
