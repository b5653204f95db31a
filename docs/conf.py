"""How the documentation is built: ``python -m sphinx -W -b html docs docs/_build/html``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from runfolio import __version__

project = "runfolio"
author = "the runfolio authors"
project_copyright = "2026, the runfolio authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
templates_path: list[str] = []
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = ["Exit codes", "Invariants", "What a filter says"]
# MLflow has two classes named Dataset (data and entities), and so have we: a bare name in a docstring may mean either.
suppress_warnings = ["ref.python"]
html_theme = "furo"
html_title = f"runfolio {__version__}"
html_show_sphinx = False


def setup(app: Any) -> None:
    """Write the reference pages from the program itself before the pages are read."""
    place = Path(__file__).parent
    spec = importlib.util.spec_from_file_location("generate", place / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    generate.write_reference(place / "reference")


# `Dataset` and a few other names stand in a room and in the public module that shows them; either target is right.
suppress_warnings = ["ref.python"]
