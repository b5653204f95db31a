"""Make the README's pictures from real output: ``python docs/pictures/make.py`` (needs Chromium and util-linux's ``script``)."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
COLOURS = {"1": "font-weight:700", "2": "opacity:.62", "31": "color:#ff7b72", "32": "color:#56d364", "33": "color:#e3b341",
           "34": "color:#79c0ff", "35": "color:#d2a8ff", "36": "color:#56d4dd", "90": "color:#8b949e"}  # fmt: skip
PAGE = """<!doctype html><meta charset="utf-8"><style>
body{{margin:0;padding:26px 30px;background:#0d1117;color:#e6edf3;font:15px/1.5 "DejaVu Sans Mono",monospace;width:max-content}}
pre{{margin:0;font:inherit}} .p{{color:#56d364}}</style><pre><span class="p">$</span> {command}\n{text}</pre>"""


def shown(text: str) -> str:
    """Turn terminal output into HTML."""
    made, open_spans = [], 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", text.replace("\r", "")):
        match = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if match is None:
            made.append(html.escape(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", part)))
        elif match[1] in ("", "0"):
            made.append("</span>" * open_spans)
            open_spans = 0
        else:
            style = ";".join(COLOURS[code] for code in match[1].split(";") if code in COLOURS)
            made.append(f'<span style="{style}">')
            open_spans += 1
    return "".join(made) + "</span>" * open_spans


def picture(folder: Path, command: str, name: str, lines: int, columns: int) -> None:
    """Run a command in a terminal of that size and take its picture."""
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", "GIT_PAGER": "cat"}
    done = subprocess.run(
        ["script", "-qec", f"stty cols {columns} rows 60; {command}", "/dev/null"],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    text = "\n".join(done.stdout.rstrip().splitlines()[:lines])
    page = folder.parent / f"{name}.html"
    page.write_text(PAGE.format(command=html.escape(command), text=shown(text)), "utf-8")
    height = 52 + int(22.5 * (text.count("\n") + 2))
    width = 60 + int(9.03 * max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in text.splitlines())) + 8
    chromium = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
                "--no-first-run", f"--user-data-dir={folder.parent}/profile", f"--window-size={width},{height}",
                f"--screenshot={HERE / name}.png", page.as_uri()]  # fmt: skip
    subprocess.run(chromium, check=True, capture_output=True)


def main() -> None:
    """Make both pictures."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name) / "wine"
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
        subprocess.run([sys.executable, "-m", "runfolio", "demo", str(folder)], env=env, check=True, stdout=subprocess.DEVNULL)
        picture(folder, "runfolio runs list -e wine-classification", "runs-list", 19, 146)
        picture(folder, "git log --stat", "lab-book", 30, 118)


if __name__ == "__main__":
    main()
