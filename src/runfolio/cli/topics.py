"""``runfolio help``: a command's help, and topics that belong to no command."""

from __future__ import annotations

import click

TOPICS = ("exit-codes", "filters")


@click.command("help")
@click.argument("words", nargs=-1, metavar="[COMMAND… | TOPIC]")
@click.pass_context
def help_command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Explain a command, or a topic such as exit-codes.

    The topics: exit-codes, filters.
    """
    if words == ("exit-codes",):
        from runfolio import errors

        click.echo(_part(errors.__doc__ or "", "Exit codes"))
        return
    if words == ("filters",):
        from runfolio import query

        click.echo(_part(query.__doc__ or "", "What a filter says"))
        return
    shown: click.Command = ctx.find_root().command
    inner = ctx.find_root()
    for word in words:
        found = shown.get_command(inner, word) if isinstance(shown, click.Group) else None
        if found is None:
            raise click.UsageError(f"There is no command or topic {' '.join(words)!r}. The topics: {', '.join(TOPICS)}.")
        inner = click.Context(found, info_name=word, parent=inner)
        shown = found
    click.echo(shown.get_help(inner))


def _part(text: str, title: str) -> str:
    """Return what a docstring says from a title on, in plain letters."""
    _, _, rest = text.partition(title)
    return (title + rest).replace("``", "").replace(":mod:", "").replace("::", ":").rstrip()
