"""The commands that messages name: each is there, with the options that are named."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

import runfolio
from runfolio.cli.main import cli

SOURCE = Path(runfolio.__file__).parent
_NAMED = re.compile(r"runfolio ((?:[^\s.,;:)`'\"<]+[ \n]?)+)")
_OPTION = re.compile(r"--[a-z][a-z-]*")


def texts(file: Path) -> Iterator[str]:
    """Yield the texts of a program, with an X for each value; another file as it is."""
    if file.suffix != ".py":
        yield file.read_text("utf-8")
        return
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words begin with, and the words after it."""
    command: click.Command = cli
    while words and isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            break
        command, words = found, words[1:]
    return command, words


def test_a_command_that_a_message_names_has_the_options_that_it_names() -> None:
    wrong, seen = [], 0
    for file in sorted(path for path in SOURCE.rglob("*") if path.suffix in (".py", ".yml", ".html")):
        for words in (match[1].split() for text in texts(file) for match in _NAMED.finditer(text)):
            command, rest = command_of(words)
            if command is cli or command.context_settings.get("ignore_unknown_options"):
                continue
            seen += 1
            there = {name for param in command.params for name in (*param.opts, *param.secondary_opts)} | {"--help"}
            own = rest[: rest.index("--")] if "--" in rest else rest
            asked = {word.split("=")[0] for word in own if _OPTION.match(word)}
            wrong += [f"{file.name}: runfolio {' '.join(words)}: {name}" for name in sorted(asked - there)]
    assert seen > 400 and not wrong, "\n".join(wrong)
