"""The least that a generator on Jinja2 does: render and write, with every value at hand.

``python plain_jinja.py copy SITE OUT`` writes the files of a site once more: each piece between two tags of a page, and each value of a
data file, is put in by the template's loop. ``python plain_jinja.py pages N OUT`` writes a page of 5 kB for each of N runs. Both print the
CPU seconds of rendering and writing alone.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from pathlib import Path

import jinja2

COPY = "{% for part in parts %}{{ part }}{% endfor %}"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ run.name }}</title><style>{{ style }}</style></head>
<body><h1>{{ run.name }}</h1><p>{{ run.id }}, {{ run.status }}</p>
{% for title in ("metrics", "params", "tags") %}<h2>{{ title }}</h2><table>
{% for key, value in run[title].items() %}<tr><th scope="row">{{ key }}</th><td>{{ value }}</td></tr>
{% endfor %}</table>{% endfor %}</body></html>
"""


def copy(site: Path, out: Path) -> float:
    """Write the files of a site again."""
    template = jinja2.Environment().from_string(COPY)  # without escaping, which is the cheaper way
    took = 0.0
    for path in sorted(site.rglob("*")):
        if not path.is_file():
            continue
        target = out / path.relative_to(site)
        target.parent.mkdir(parents=True, exist_ok=True)
        data, parts = path.read_bytes(), None
        if path.suffix in (".html", ".js", ".json", ".xml"):
            parts = re.split(r"(?<=>)" if path.suffix in (".html", ".xml") else r"(?<=,)", data.decode())
        start = time.process_time()
        target.write_bytes(template.render(parts=parts).encode() if parts else data)
        took += time.process_time() - start
    return took


def pages(count: int, out: Path) -> float:
    """Write a page for each run."""
    template = jinja2.Environment(autoescape=True).from_string(PAGE)
    pick, took = random.Random(0), 0.0
    for number in range(count):
        run = {
            "name": f"r{number}", "id": f"{number:032x}", "status": "FINISHED",
            "metrics": {f"m{key}": pick.random() for key in range(5)},
            "params": {f"p{key}": str(pick.randint(0, 9)) for key in range(5)},
            "tags": {f"t{key}": "x" for key in range(3)},
        }  # fmt: skip
        start = time.process_time()
        target = out / run["id"] / "index.html"
        target.parent.mkdir(parents=True)
        target.write_text(template.render(run=run, style="/" * 4096), "utf-8")
        took += time.process_time() - start
    return took


if __name__ == "__main__":
    task, given, where = sys.argv[1:]
    print("RESULT", json.dumps(copy(Path(given), Path(where)) if task == "copy" else pages(int(given), Path(where))))
