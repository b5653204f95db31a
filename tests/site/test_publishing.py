"""What is published of artifacts follows the settings, and no published file runs anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.folio import Folio
from runfolio.site.gather import Site
from runfolio.site.kinds import SAFE_ENDINGS
from runfolio.site.publishing import read_body
from tests.site.folios import ALERT, HOSTILE_FILES, PNG, close_all, committed, data_of, hostile_folio, log_files, with_site


def value_of(path: Path) -> Any:
    """Return the value of a data file."""
    text = path.read_text("ascii")
    return json.loads(text[text.index(",") + 1 : text.rindex(")")])


def details(out: Path) -> list[dict[str, Any]]:
    """Return the artifacts of each run, the oldest first, with what the site adds to them."""
    made = {}
    for path in out.glob("data/r/*.js"):
        if path.name.startswith("index."):
            continue
        chunk = value_of(path)
        for run_id, record in chunk["runs"].items():
            added = chunk["more"].get(run_id, {})
            listed, shown = added.get("artifacts") or record.get("artifacts", {}), added.get("previews", {})
            made[run_id] = [{"path": name, **entry, "preview": shown.get(name)} for name, entry in listed.items()]
    return [{"artifacts": made[run_id]} for run_id in sorted(made)]


def previews(out: Path) -> dict[str, Any]:
    return {item["path"]: item["preview"] for item in details(out)[-1]["artifacts"]}


def published(out: Path) -> list[Path]:
    return sorted(path for path in (out / "artifacts").rglob("*") if path.is_file()) if (out / "artifacts").is_dir() else []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture
def folio(folio_dir: Path, tmp_path: Path) -> Folio:
    return hostile_folio(folio_dir, tmp_path / "files")


@pytest.fixture
def built(folio: Folio, tmp_path: Path) -> tuple[Path, Site]:
    out = tmp_path / "site"
    return out, data_of(folio, out)


def test_every_published_file_has_a_safe_ending(built: tuple[Path, Site]) -> None:
    files = published(built[0])
    assert files
    assert {path.suffix for path in files} <= set(SAFE_ENDINGS)


def test_what_is_shown_of_each_kind(built: tuple[Path, Site]) -> None:
    found = {path: preview and (preview["kind"], Path(preview["file"]).suffix) for path, preview in previews(built[0]).items()}
    assert found == {
        "page.html": ("text", ".txt"),
        "plot.svg": ("image", ".txt"),
        "lie.png": ("text", ".txt"),
        "picture.html": ("image", ".png"),
        "polyglot.js": ("image", ".gif"),
        "run.js": ("text", ".txt"),
        "feed.xml": ("text", ".txt"),
        "report.pdf": None,
        "notes.md": ("markdown", ".txt"),
        "t.csv": ("table", ".csv"),
        "qa.json": ("table", ".json"),
        "deep.json": ("text", ".json"),
        "model.bin": None,
        "a\"b<i>'&.txt": ("text", ".txt"),
        "secret.txt": None,
        "sound.wav": ("audio", ".wav"),
        "empty.txt": None,
    }


def test_same_bytes_stand_once(built: tuple[Path, Site]) -> None:
    contents = [path.read_bytes() for path in published(built[0])]
    assert contents.count(ALERT.encode()) == 1
    assert contents.count(PNG) == 1


def test_published_bytes_are_those_of_the_digest(built: tuple[Path, Site]) -> None:
    shown = previews(built[0])
    for path, preview in shown.items():
        if preview:
            assert (built[0] / preview["file"]).read_bytes() == HOSTILE_FILES[path]


def test_token_in_a_text_is_withheld_and_named(built: tuple[Path, Site]) -> None:
    out, site = built
    assert any("secret.txt" in warning and "GitHub token" in warning for warning in site.warnings)
    assert not [path for path in out.rglob("*") if path.is_file() and b"ghp_a1B2" in path.read_bytes()]


def test_picture_has_its_size(built: tuple[Path, Site]) -> None:
    shown = previews(built[0])["picture.html"]
    assert (shown["width"], shown["height"]) == (2, 1)
    assert "data" not in shown


@pytest.mark.parametrize(
    ("settings", "endings"),
    [
        ('site: {artifacts: {publish: ["*.csv"]}}\n', {".csv"}),
        ("site: {artifacts: {publish: []}}\n", set()),
        ("site: {artifacts: {max_bytes: 6}}\n", {".txt"}),
        ("site: {artifacts: {total_bytes: 0}}\n", set()),
    ],
)
def test_settings_decide(folio: Folio, tmp_path: Path, settings: str, endings: set[str]) -> None:
    out = tmp_path / "site"
    data_of(with_site(folio, settings), out)
    assert {path.suffix for path in published(out)} == endings


def test_limit_keeps_the_newest_runs_and_says_so(folio_dir: Path, tmp_path: Path) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    for number in range(4):
        with runfolio.start_run():
            log_files({"log.txt": bytes([65 + number]) * 1000}, tmp_path / "files")
    out = tmp_path / "site"
    site = data_of(with_site(committed(folio_dir), "site: {artifacts: {total_bytes: 2500}}\n"), out)
    assert [bool(item["artifacts"][0]["preview"]) for item in details(out)] == [False, False, True, True]
    assert any("limit is reached" in warning for warning in site.warnings)


def test_missing_and_damaged_objects_are_counted_and_hide_nothing(folio: Folio, tmp_path: Path) -> None:
    digests = {path: entry.digest for path, entry in folio.runs.artifacts(newest(folio)).items()}
    folio.store.delete(digests["notes.md"])
    place = Path(folio.store.url(digests["t.csv"]).removeprefix("file://"))
    place.chmod(0o600)
    place.write_bytes(b"other")
    out = tmp_path / "site"
    site = data_of(folio, out)
    shown = previews(out)
    assert (shown["notes.md"], shown["t.csv"]) == (None, None)
    assert shown["page.html"]
    assert any("could not be read" in warning for warning in site.warnings)


def newest(folio: Folio) -> Any:
    from runfolio.query import Filter

    return folio.runs.search(Filter(), limit=1)[0]


def test_files_that_share_twelve_digits_get_longer_names(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from runfolio.records import Digest
    from runfolio.site.kinds import Kind
    from runfolio.site.publishing import _Chooser

    site: Any = SimpleNamespace(settings=SimpleNamespace(artifacts=None))
    chooser = _Chooser(site)
    one, two = (Digest("sha256:" + "a" * 12 + letter * 52) for letter in "bc")
    first = chooser._named(one, Kind("text", ".txt"), "text", "x")
    chooser._made.files[first.file] = first
    second = chooser._named(two, Kind("text", ".txt"), "text", "y")
    assert (first.file, second.file) == ("artifacts/aa/aaaaaaaaaaaa.txt", f"artifacts/aa/{'a' * 12}{'c' * 52}.txt")
    assert chooser._named(one, Kind("text", ".txt"), "text", "z").file == first.file


def test_second_build_makes_nothing_again(folio: Folio, built: tuple[Path, Site]) -> None:
    assert data_of(folio, built[0]).output.rendered == 0


def test_no_published_file_runs_anything_when_it_is_opened(
    built: tuple[Path, Site], browser: Any, serve: Callable[[Path], str]
) -> None:
    address, said, asked = serve(built[0]), [], []
    context = browser.new_context()
    page = context.new_page()
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    for path in published(built[0]):
        if path.suffix in (".csv", ".wav"):
            continue  # offered for download
        for place in (address + path.relative_to(built[0]).as_posix(), path.as_uri()):
            page.goto(place)
            assert page.evaluate("window.pwned") is None
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith((address, "file://", address.partition("/team")[0]))] == []


def test_svg_runs_script_when_opened_as_a_file_which_is_why_none_is_published(tmp_path: Path, browser: Any) -> None:
    place = tmp_path / "plot.svg"
    place.write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg"><script>window.pwned=1</script></svg>')
    context = browser.new_context()
    page = context.new_page()
    page.goto(place.as_uri())
    assert page.evaluate("window.pwned") == 1
    context.close()


def test_templates_show_every_body_escaped(built: tuple[Path, Site]) -> None:
    site = built[1]
    draw = site.renderer.environment.get_template("_preview.html").module
    for artifact in details(built[0])[-1]["artifacts"]:
        shown = str(draw.preview(artifact, "../../", read_body(site, artifact)))  # type: ignore[attr-defined]
        assert bool(shown.strip()) == bool(artifact["preview"])
        for word in ("<script", 'javascript:alert(1)"', "onload=", 'src="https'):
            assert word not in shown
        if artifact["path"] == "notes.md":
            assert '<a href="https://example.org/" rel="nofollow noopener noreferrer">ok</a>' in shown
            assert "<h3>Notes</h3>" in shown


SHOW = """async (artifacts) => {
  const main = document.getElementById("main");
  main.replaceChildren();
  for (const artifact of artifacts) {
    const place = rf.preview(artifact);
    place.dataset.name = artifact.path;
    main.append(place);
  }
  while (document.querySelector("[aria-busy]")) await new Promise((done) => requestAnimationFrame(done));
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
}"""


@pytest.mark.parametrize("from_file", [True, False], ids=["from a folder", "served"])
def test_scripts_show_every_preview_and_run_none(
    built: tuple[Path, Site], open_page: Any, serve: Callable[[Path], str], from_file: bool
) -> None:
    out = built[0]
    page = open_page(out / "about.html" if from_file else serve(out) + "about.html")
    for name in ("assets/charts", "assets/runs"):
        page.add_script_tag(url=built[1].output.path(name))
    artifacts = details(out)[-1]["artifacts"]
    page.evaluate(SHOW, artifacts)
    assert page.evaluate("window.pwned") is None
    for artifact in artifacts:
        place = page.locator(f"[data-name={json.dumps(artifact['path'])}]")
        shown = artifact["preview"]
        assert place.count() == 1
        assert bool(place.locator(".preview").count()) == bool(shown), artifact["path"]
        if shown and shown["kind"] == "image" and artifact["path"] != "polyglot.js":
            assert place.locator("img").evaluate("image => image.naturalWidth") > 0
    assert page.locator(f"main td:text-is({json.dumps(ALERT)})").count() == 2
    links = page.locator("main .prose a").evaluate_all("links => links.map(link => [link.href, link.rel])")
    assert links == [["https://example.org/", "nofollow noopener noreferrer"]]
    assert page.locator("main script, main iframe, main svg, main object").count() == 0


def test_scripts_and_templates_show_the_same(built: tuple[Path, Site], open_page: Any) -> None:
    out, site = built
    draw = site.renderer.environment.get_template("_preview.html").module
    page = open_page(out / "about.html")
    for name in ("assets/charts", "assets/runs"):
        page.add_script_tag(url=site.output.path(name))
    for artifact in details(out)[-1]["artifacts"]:
        page.evaluate(SHOW, [artifact])
        scripted = page.locator("#main > *").inner_text().split()
        written = str(draw.preview(artifact, "", read_body(site, artifact)))  # type: ignore[attr-defined]
        page.evaluate(
            "text => { document.getElementById('main').replaceChildren(...new DOMParser().parseFromString(text, 'text/html').body.childNodes) }",
            written,
        )
        assert page.locator("#main").inner_text().split() == scripted
