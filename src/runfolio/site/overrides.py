"""Templates of the team's own: from a folder that was named, or from the commit that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runfolio.errors import StorageError, UsageError
from runfolio.folio import Folio


def team_templates(folio: Folio, commit: str, folder: Path | None) -> dict[str, str]:
    """Return the team's own templates and styles by their path, which begins like that of ours.

    Parameters
    ----------
    folio : Folio
    commit : str
        The commit whose ``site.templates`` is read where no folder is given.
    folder : Path or None

    Raises
    ------
    UsageError
        If the folder is missing, or a file is not UTF-8 text.
    """
    if folder is not None:
        files = _of_folder(folder)
    elif folio.settings.site.templates:
        top = folio.place.full(folio.settings.site.templates)
        entries = [item for item in folio.repo.tree_entries(commit, top) if _is_wanted(item.path)]
        files = {item.path[len(top) + 1 :]: folio.repo.read(item.oid) or b"" for item in entries}
    else:
        return {}
    made = {}
    for name, data in files.items():
        try:
            made[name] = data.decode()
        except UnicodeDecodeError as error:
            raise UsageError(f"{name}: the template is not UTF-8 text (byte {error.start}).") from None
    return made


def _of_folder(folder: Path) -> Mapping[str, bytes]:
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder with templates. Give another: --templates DIR")
    inner = folder / "templates"
    if any(_is_wanted(path.name) for path in inner.glob("*")):
        raise UsageError(
            f"{folder}: templates lie in the folder itself, and here in one below. Give that one: --templates {inner}"
        )
    try:
        found = [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_wanted(path.name)]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
    except OSError as error:
        raise StorageError(f"{error.filename}: the template cannot be read: {error.strerror}.") from error


def _is_wanted(path: str) -> bool:
    return path.endswith((".html", ".css"))
