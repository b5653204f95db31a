"""Write the reference pages from the program itself: commands from click's tree, the API from what the modules export.

Run by ``conf.py`` before a build; ``python docs/generate.py`` writes the pages alone. A page is rewritten only where it differs.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

MODULES = ("runfolio", "runfolio.client", "runfolio.data", "runfolio.entities", "runfolio.artifacts", "runfolio.errors")
WIDTH = 96


def write_reference(folder: Path) -> None:
    """Write all pages.

    Parameters
    ----------
    folder : Path
        Made if it is missing; pages that are no longer wanted are removed.
    """
    pages = {"cli.md": cli_page(), "exit-codes.md": exit_codes_page(), "index.md": INDEX}
    pages |= {f"{name.replace('.', '-')}.rst": module_page(name) for name in MODULES}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        place = folder / name
        if not place.exists() or place.read_text("utf-8") != text:
            place.write_text(text, "utf-8")


INDEX = """\
# Reference

Written from the program itself when these pages are built.

```{toctree}
cli
exit-codes
runfolio
runfolio-client
runfolio-data
runfolio-entities
runfolio-artifacts
runfolio-errors
```
"""


def commands(
    command: click.Command, parent: click.Context | None, name: str
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield a command and all below it, each with its full name and its context."""
    context = click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None and not found.hidden:
                yield from commands(found, context, child)


def cli_page() -> str:
    """Return the page of the command line: every command with what ``--help`` says."""
    from runfolio.cli.main import cli

    parts = ["# Command line\n\nWhat `--help` says, of every command. Results go to stdout, talk to stderr.\n"]
    for path, command, context in commands(cli, None, "runfolio"):
        level = min(path.count(" ") + 2, 4)
        text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
        parts.append(f"{'#' * level} {path}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def exit_codes_page() -> str:
    """Return the page of exit codes, from the table in :mod:`runfolio.errors`."""
    from runfolio import errors

    rows = re.findall(r"^(\d+)\s{2,}(\S.*)$", errors.__doc__ or "", re.MULTILINE)
    classes: dict[int, list[str]] = {}
    for name, found in vars(errors).items():
        if inspect.isclass(found) and issubclass(found, errors.RunfolioError) and found is not errors.RunfolioError:
            classes.setdefault(found.exit_code, []).append(f"`{name}`")
    lines = [
        "# Exit codes",
        "",
        "The same table is in `runfolio help exit-codes`.",
        "",
        "| code | meaning | error classes |",
        "|---|---|---|",
    ]
    for code, meaning in rows:
        shown = meaning.replace("``", "`").replace("|", "\\|")
        lines.append(f"| {code} | {shown} | {', '.join(classes.get(int(code), []))} |")
    return "\n".join(lines) + "\n"


def module_page(name: str) -> str:
    """Return the page of a module: its docstring and all that it exports, each documented once."""
    module = importlib.import_module(name)
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:", ""]
    for item in exported(name):
        found = getattr(module, item)
        home = f"{name}.{item}"
        if inspect.isclass(found):
            members = (
                ""
                if name == "runfolio.errors"
                else "   :members:\n   :inherited-members: object, tuple, list, str, int, Exception\n"
            )
            lines += [f".. autoclass:: {home}", *members.splitlines(), ""]
        elif callable(found):
            lines += [f".. autofunction:: {home}", ""]
    return "\n".join(lines)


def exported(name: str) -> list[str]:
    """Return the names that a module documents: what others document stays there, and aliases are told in words."""
    module = importlib.import_module(name)
    names = getattr(module, "__all__", None) or [
        key for key, found in vars(module).items() if not key.startswith("_") and getattr(found, "__module__", "") == name
    ]
    elsewhere = {"MlflowClient", "RunfolioClient", "MlflowException", "RunfolioError"} if name == "runfolio" else {"MlflowClient"}
    return [
        item
        for item in names
        if item not in elsewhere and not item.startswith("_") and not inspect.ismodule(getattr(module, item))
    ]


if __name__ == "__main__":
    write_reference(Path(__file__).parent / "reference")
