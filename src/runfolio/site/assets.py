"""Scripts and styles: the parts in ``site_templates/assets`` joined into one file of each kind, and what the wheel vendors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.site.plan import Data

THEME = "10-theme.js"
BUNDLES = ("assets/app", "assets/table", "assets/charts", "assets/runs", "assets/altair", "assets/start")
"""Scripts that every page has, that pages with a table of runs, with charts, of runs, and with charts in Vega-Lite add, and the last,
which starts them."""
_OF_NUMBER = {"4": "assets/table", "5": "assets/charts", "6": "assets/runs", "7": "assets/altair", "9": "assets/start"}


@lru_cache(maxsize=1)
def templates_folder() -> Path:
    """Return the folder of templates and assets: inside the installed package, or at the top of a work tree."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "site_templates"
    return inside if inside.is_dir() else package.parent.parent / "site_templates"


def asset_files(overrides: Mapping[str, str]) -> list[Data]:
    """Return the site's own scripts and styles.

    What they are made of is among what every file depends on (:func:`templates_digest`, and the team's own), so that none is read
    while nothing of it changed.

    Parameters
    ----------
    overrides : Mapping of str to str
        The team's own files by path; of these, ``assets/css/*.css`` come after ours.
    """
    from runfolio.site.plan import Data

    folder = templates_folder() / "assets"

    def scripts(bundle: str) -> list[str]:
        return _texts(path for path in sorted((folder / "js").glob("*.js")) if path.name != THEME and _bundle(path) == bundle)

    def styles() -> list[str]:
        own = [text for name, text in sorted(overrides.items()) if name.startswith("assets/css/") and name.endswith(".css")]
        return [*_texts(sorted((folder / "css").glob("*.css"))), *own]

    return [
        _joined("assets/theme", lambda: _texts([folder / "js" / THEME]), ".js"),
        *(_joined(name, partial(scripts, name), ".js") for name in BUNDLES),
        _joined("assets/app-style", styles, ".css"),
        Data("assets/icon", "", lambda: ((folder / "icon.svg").read_bytes(), None), ".svg"),
    ]


def _bundle(path: Path) -> str:
    """Return which file a script goes into, by the number that its name starts with."""
    return _OF_NUMBER.get(path.name[0], "assets/app")


def _texts(paths: Iterable[Path]) -> list[str]:
    return [path.read_text("utf-8") for path in paths]


def _joined(name: str, parts: Callable[[], list[str]], ending: str) -> Data:
    from runfolio.site.plan import Data

    return Data(name, "", lambda: (_small("\n".join(parts()), ending).encode(), None), ending)


def _small(text: str, ending: str) -> str:
    """Take comments and indentation out; names stay, so that errors can be read."""
    if ending == ".js":
        from rjsmin import jsmin

        return str(jsmin(text)) + "\n"
    from rcssmin import cssmin

    return str(cssmin(text)) + "\n"


def templates_digest() -> str:
    """Return a digest of every template and asset: what all pages depend on."""
    from runfolio.site.output import digest_of

    folder = os.fspath(templates_folder())
    walks = (os.walk(os.path.join(folder, name)) for name in ("templates", "assets", "vendor"))
    files = sorted(os.path.join(place, name) for walk in walks for place, _, names in walk for name in names)
    return digest_of(part for path in files for part in (os.fsencode(os.path.relpath(path, folder)), _bytes_of(path)))


def _bytes_of(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
