"""Shell completion: the script to install, and the words that a folio knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from runfolio.folio import Folio

T = TypeVar("T")
NEWEST = 200
"""Runs that are offered: completion must answer at once, also in a folio of 100,000."""


@click.command("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes words in your shell.

    \b
    bash: eval "$(runfolio completion bash)"   in ~/.bashrc
    zsh:  eval "$(runfolio completion zsh)"    in ~/.zshrc, after compinit
    fish: runfolio completion fish > ~/.config/fish/completions/runfolio.fish
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(ctx.find_root().command, {}, "runfolio", "_RUNFOLIO_COMPLETE").source())


def run_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a run's id or name from the newest runs."""
    from click.shell_completion import CompletionItem

    from runfolio.query import Filter

    runs = _asked(ctx, lambda folio: folio.runs.search(Filter(), limit=NEWEST))
    ids = [CompletionItem(run.run_id, help=f"{run.name}, {run.status}") for run in runs if run.run_id.startswith(incomplete)]
    return (
        ids
        if incomplete and ids
        else [*ids, *(CompletionItem(run.name) for run in runs if run.name and run.name.startswith(incomplete))]
    )


def experiment_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete an experiment's name or folder name."""
    from click.shell_completion import CompletionItem

    found = _asked(ctx, lambda folio: folio.experiments.all())
    names = dict.fromkeys(name for item in found for name in (item.slug, item.name))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def model_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a registered model's name."""
    from click.shell_completion import CompletionItem

    found = _asked(ctx, lambda folio: folio.models.all())
    return [CompletionItem(item.name) for item in found if item.name.startswith(incomplete)]


def metric_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a metric of the run that was named before."""
    from click.shell_completion import CompletionItem

    text = ctx.params.get("run") or ""
    keys = _asked(ctx, lambda folio: sorted(folio.runs.get(folio.runs.resolve(text)).metrics)) if text else []
    return [CompletionItem(key) for key in keys if key.startswith(incomplete)]


def _asked(ctx: click.Context, question: Callable[[Folio], list[T]]) -> list[T]:
    """Ask the folio at hand; a shell that completes a word shows no errors."""
    from runfolio.cli.opening import opened
    from runfolio.errors import RunfolioError

    try:
        with ctx, opened(quiet=True) as folio:
            return question(folio)
    except (RunfolioError, click.ClickException):
        return []
