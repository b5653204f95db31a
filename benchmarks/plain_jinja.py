"""The least that a generator on Jinja2 does: render and write.

- ``python plain_jinja.py records REPOSITORY REF OUT`` is a whole program, the shortest that publishes the runs of a folio: it reads the records of
  a commit through one ``git cat-file --batch``, parses each once, and writes a page of 5 kB for each run, with the values of its params, metrics
  and tags in tables. No index, no table of runs, no charts, no search, no second format.
- ``python plain_jinja.py pages N OUT`` writes the same pages of made-up values that are at hand, and prints the CPU seconds of rendering and
  writing alone.
- ``python plain_jinja.py copy SITE OUT`` writes the files of a site once more: each piece between two tags of a page, and each value of a data file,
  is put in by the template's loop. Prints the CPU seconds of rendering and writing alone.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
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


def records(repository: Path, ref: str, out: Path) -> None:
    """Write a page for each run of a commit."""
    template = jinja2.Environment(autoescape=True).from_string(PAGE)
    listed = subprocess.run(
        ["git", "ls-tree", "-r", ref, "runs/"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    with subprocess.Popen(["git", "cat-file", "--batch"], cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as git:
        assert git.stdin
        assert git.stdout
        for line in listed:
            facts, path = line.split("\t")
            if path.endswith(".series.json"):
                continue
            git.stdin.write(f"{facts.split()[2]}\n".encode())
            git.stdin.flush()
            size = int(git.stdout.readline().split()[2])
            found = json.loads(git.stdout.read(size + 1))
            metrics = {key: value["last"] for key, value in found.get("metrics", {}).items()}
            run = {"name": found["name"], "id": found["run_id"], "status": found["status"], "metrics": metrics,
                   "params": found.get("params", {}), "tags": found.get("tags", {})}  # fmt: skip
            target = out / run["id"] / "index.html"
            target.parent.mkdir(parents=True)
            target.write_text(template.render(run=run, style="/" * 4096), "utf-8")
        git.stdin.close()


if __name__ == "__main__":
    task, given, *others, where = sys.argv[1:]
    if task == "records":
        records(Path(given), others[0], Path(where))
    else:
        print("RESULT", json.dumps(copy(Path(given), Path(where)) if task == "copy" else pages(int(given), Path(where))))
