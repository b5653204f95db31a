"""The pages say what is true: the tutorial runs, filters parse, commands and links exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from runfolio.query import parse_filter
from tests.docs.pages import DOCS, fenced, marked

PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path.parent.name != "reference")
PAGES = [page for page in PAGES if not page.startswith("_build")]


def test_tutorial_runs(tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "RUNFOLIO_"))}
    env.update(
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}",
        HOME=str(tmp_path),
        GIT_CONFIG_NOSYSTEM="1",
        PYTHONWARNINGS="error",
    )
    folder = tmp_path
    for language, text in fenced("tutorial.md"):
        if language == "python":
            name = text.splitlines()[0].removeprefix("# ")
            (folder / name).write_text(text, "utf-8")
        elif language == "console":
            for line in text.splitlines():
                assert line.startswith("$ "), f"not a command: {line}"
                done = subprocess.run(["bash", "-ec", line[2:]], cwd=folder, env=env, capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
                if line == "$ git log --stat -1":
                    assert "3 runs" in done.stdout
                if " cd wine" in line:
                    folder = tmp_path / "wine"


@pytest.mark.parametrize("kind", ["runs", "experiments"])
def test_filters_of_the_page_parse(kind: str) -> None:
    found = [line for text in marked("search.md", "filters", kind) for line in text.splitlines()]
    assert found
    for line in found:
        assert parse_filter(line, kind).clauses  # type: ignore[arg-type]


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_their_options_exist(page: str) -> None:
    from runfolio.cli.main import cli

    text = (DOCS / page).read_text("utf-8")
    lines = [line[2:] for language, block in fenced(page) if language == "console" for line in block.splitlines()]
    lines += re.findall(r"`(runfolio [^`]+)`", text)
    for line in lines:
        words = shlex.split(line.split(" #")[0].split(" && ")[0].replace("…", "x"))
        if "runfolio" in words[:2]:
            check_command(cli, words[words.index("runfolio") + 1 :], line)


def check_command(cli: click.Group, words: list[str], line: str) -> None:
    command: click.Command = cli
    context = click.Context(cli, info_name="runfolio")
    while isinstance(command, click.Group) and words and re.match(r"[a-z]", words[0]):
        found = command.get_command(context, words.pop(0).split("|")[0])
        assert found is not None, line
        context, command = click.Context(found, info_name=found.name, parent=context), found
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    asked = [word.split("=")[0] for word in (words[: words.index("--")] if "--" in words else words) if word.startswith("--")]
    assert [name for name in asked if name not in options | {"--help"}] == [], line


@pytest.mark.parametrize("page", PAGES)
def test_no_line_is_too_long_to_review(page: str) -> None:
    lines = (DOCS / page).read_text("utf-8").splitlines()
    prose = [number for number, line in enumerate(lines, 1) if len(line) > 180 and not line.startswith(("|", "[", " "))]
    assert prose == []
