"""A team's own design: templates, styles and pages that come before the built-in ones, as docs/how-to/site-templates.md says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from runfolio.errors import UsageError
from runfolio.site import BuildOptions, build_site
from tests.docs.pages import fenced
from tests.site.folios import close_all, plain_folio

Built = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def built(tmp_path: Path, folio_dir: Path) -> Iterator[Built]:
    folio = plain_folio(folio_dir, 3)

    def build(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / "templates" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        build_site(folio, tmp_path / "site", BuildOptions(templates=tmp_path / "templates"))
        return tmp_path / "site"

    yield build
    close_all()


def test_the_examples_of_the_page_work(built: Built) -> None:
    css, base, page = [text for language, text in fenced("how-to/site-templates.md") if language in ("css", "jinja")]
    out = built({"assets/css/colours.css": css, "base.html": base, "pages/team.html": page})
    home = (out / "index.html").read_text()
    assert '<a href="https://wiki.example.org/ml">Team wiki</a>' in home
    assert "Data and API" in home
    team = (out / "team.html").read_text()
    assert '<a href="e/wine/index.html">wine</a>, 3 runs' in team
    assert "Team wiki" in team
    [style] = (out / "assets").glob("app-style.*.css")
    assert style.read_text().rstrip().endswith(':root[data-theme="dark"]{--accent:#c9a6f0;--s1:#c9a6f0}')


def test_a_block_of_the_experiments_page_is_changed_and_the_rest_is_kept(built: Built) -> None:
    own = '{% extends "runfolio/experiment.html" %}{% block charts %}<p>No charts here</p>{% endblock %}'
    text = (built({"experiment.html": own}) / "e/wine/index.html").read_text()
    assert "<p>No charts here</p>" in text
    assert 'data-chart="scatter"' not in text
    assert "run 2" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% block main %}", "home.html, line 1"),
        ('{% extends "base.html" %}\n{% block main %}{{ nothing }}{% endblock %}', "'nothing' is undefined"),
        ('{% extends "none.html" %}', "none.html"),
        ('{% extends "base.html" %}{% block main %}{{ site.__class__.__mro__ }}{% endblock %}', "unsafe"),
    ],
    ids=["not closed", "an unknown name", "an unknown template", "a way out of the sandbox"],
)
def test_a_wrong_template_is_told_by_file(built: Built, text: str, said: str) -> None:
    with pytest.raises(UsageError, match="how-to/site-templates") as caught:
        built({"home.html": text})
    assert said in caught.value.message


def test_only_pages_and_styles_are_read(built: Built) -> None:
    out = built({"assets/js/own.js": "alert(1)", "pages/notes.txt": "secret", "pages/ok.html": "fine"})
    assert (out / "ok.html").read_text() == "fine"
    assert not any("secret" in path.read_text("utf-8", "replace") for path in out.rglob("*") if path.is_file())
