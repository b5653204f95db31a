"""Folios for the tests of the site, named for what is in them."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import runfolio
from runfolio.folio import Folio, open_folio
from runfolio.site import BuildOptions
from runfolio.site.gather import Site

PNG = b"".join(
    [
        b"\x89PNG\r\n\x1a\n",
        *(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in (
                (b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0)),
                (b"IDAT", zlib.compress(b"\0" + b"\xff\0\0" * 2)),
                (b"IEND", b""),
            )
        ),
    ]
)
ALERT = "<script>window.pwned=1;alert(1)</script>"
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="window.pwned=1">{ALERT}<image href="https://evil.example/x.png"/></svg>'
TOKEN = "ghp_" + "a1B2" * 10
HOSTILE_FILES: Mapping[str, bytes] = {
    "page.html": ALERT.encode(),
    "plot.svg": SVG.encode(),
    "lie.png": ALERT.encode(),
    "picture.html": PNG,
    "polyglot.js": b"GIF89a/*\x01\x00*/=1;window.pwned=1;alert(1)//",
    "run.js": b"window.pwned=1;alert(1)",
    "feed.xml": b'<?xml version="1.0"?><x xmlns:h="http://www.w3.org/1999/xhtml"><h:script>window.pwned=1;alert(1)</h:script></x>',
    "report.pdf": b"%PDF-1.4\n1 0 obj<</JS(app.alert(1))>>",
    "notes.md": f"# Notes\n\n{ALERT} [x](javascript:alert(1)) ![p](https://evil.example/p.png) [ok](https://example.org/)\n".encode(),
    "t.csv": f'a,b\n1,"{ALERT}"\n=cmd|calc,2\n'.encode(),
    "qa.json": json.dumps({"columns": [ALERT, "n"], "data": [[ALERT, None], ["x", 1.5]]}).encode(),
    "deep.json": b"[" * 5000,
    "model.bin": bytes(range(256)),
    "a\"b<i>'&.txt": b"plain",
    "secret.txt": f"token {TOKEN}".encode(),
    "sound.wav": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\0\0\0\0",
    "empty.txt": b"",
}
_OPENED: list[Folio] = []
HOSTILE_NAME = f"</script>{ALERT} \u202ename"


def log_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Log files as artifacts of the active run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.write_bytes(data)
        runfolio.log_artifact(str(path))


def hostile_folio(folder: Path, scratch: Path) -> Folio:
    """Fill a folio with runs whose every field is hostile."""
    runfolio.set_tracking_uri(str(folder))
    runfolio.set_experiment(f"Wine {ALERT}")
    for number in range(3):
        with runfolio.start_run(run_name=f"{number} {HOSTILE_NAME}"):
            runfolio.log_params({"lr": "0.1", "text": ALERT, "path": "/home/grace/data.csv"})
            runfolio.log_metrics({"accuracy": float("nan") if number == 1 else 0.1 * number, "loss": float("inf")})
            runfolio.set_tags({"mlflow.note.content": f"{ALERT} by Ada Lovelace", "token_kind": "]]>", "team": "red"})
            if number:
                log_files(HOSTILE_FILES, scratch)
    return committed(folder)


def plain_folio(folder: Path, runs: int, experiment: str = "wine") -> Folio:
    """Fill a folio with small runs."""
    runfolio.set_tracking_uri(str(folder))
    runfolio.set_experiment(experiment)
    for number in range(runs):
        with runfolio.start_run(run_name=f"run {number}"):
            runfolio.log_param("seed", number)
            runfolio.log_metric("accuracy", number / 3)
    return committed(folder)


def committed(folder: Path) -> Folio:
    """Commit what has ended and open the folio."""
    from runfolio.tracking.session import forget_sessions

    forget_sessions()
    folio = opened(folder)
    folio.commit()
    return folio


def data_of(folio: Folio, out: Path, options: BuildOptions | None = None) -> Site:
    """Write the data, the API and the feeds of a site, and of its pages those that hold no runs."""
    from runfolio.site import api, data, feeds
    from runfolio.site.assets import asset_files
    from runfolio.site.output import Output
    from runfolio.site.pages import about, missing, search
    from runfolio.site.pages import data as data_page

    output = Output(out)
    output.open()
    site = Site(folio, options or BuildOptions(), folio.place.tip() or "", output)
    output.salt = repr((folio.settings.site, site.options, site.title))
    output.write(asset_files(site.overrides))
    for step in data.steps(site):
        output.write(step.files)
    output.write(list(api.files(site)))
    output.write(list(feeds.files(site)))
    output.write([page for maker in (data_page, about, search, missing) for page in maker.pages(site)])
    output.finish("")
    return site


def with_site(folio: Folio, text: str) -> Folio:
    """Return the folio with settings of the site added."""
    path = folio.place.root / "runfolio.yaml"
    path.write_text(path.read_text() + text)
    return opened(path.parent)


def opened(folder: Path) -> Folio:
    """Open a folio that :func:`close_all` closes."""
    folio = open_folio(folder)
    _OPENED.append(folio)
    return folio


def close_all() -> None:
    """Close what was opened here."""
    while _OPENED:
        _OPENED.pop().close()


def png(width: int, height: int) -> bytes:
    """Return a picture."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()
