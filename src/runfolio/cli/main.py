"""The frame of the command line: the table of commands, loaded when they are used, and how it ends."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from runfolio._dataclass import dataclass
from runfolio.cli.ending import BROKEN_PIPE, Ending, close_output

FOLIO, RUNS, SHOW, CARE, MORE = "The folio", "Runs, experiments and models", "Showing it", "Looking after it", "More"
SECTIONS = (FOLIO, RUNS, SHOW, CARE, MORE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A command before it is loaded.

    Parameters
    ----------
    module, attribute : str
        Where its click command is.
    help : str
        One line; the same as the command's own first line.
    section : str
        One of `SECTIONS`; empty hides it.
    """

    module: str
    attribute: str
    help: str
    section: str


COMMANDS: dict[str, Entry] = {
    "init": Entry(
        "runfolio.cli.folio",
        "init",
        "Make a folder into a folio, or bring a folio up to date: the current folder by default.",
        FOLIO,
    ),
    "status": Entry("runfolio.cli.folio", "status", "Show where records go and what is live, waiting or left behind.", FOLIO),
    "commit": Entry("runfolio.cli.folio", "commit", "Commit the runs that have ended.", FOLIO),
    "sync": Entry("runfolio.cli.folio", "sync", "Commit, fetch, join and push, so that runs of all clones come together.", FOLIO),
    "collect": Entry(
        "runfolio.cli.record", "collect", "Take runs in from spool folders, or from the inbox of the object store.", FOLIO
    ),
    "send": Entry("runfolio.cli.record", "send", "Send runs of a spool folder to the inbox of an object store.", FOLIO),
    "migrate": Entry("runfolio.cli.folio", "migrate", "Move the records between the branch at hand and a ledger branch.", FOLIO),
    "runs": Entry("runfolio.cli.runs", "runs", "List, show, compare and change runs.", RUNS),
    "experiments": Entry("runfolio.cli.experiments", "experiments", "List, show, make and change experiments.", RUNS),
    "artifacts": Entry("runfolio.cli.artifacts", "artifacts", "List, copy, print, add and verify files of runs.", RUNS),
    "models": Entry("runfolio.cli.models", "models", "List, show, register, promote and change models.", RUNS),
    "deployments": Entry(
        "runfolio.cli.deployments", "deployments", "Put models where they are called: clouds, clusters, this machine.", RUNS
    ),
    "data": Entry("runfolio.cli.data", "data", "Record datasets by digest, see what changed, bring contents back.", RUNS),
    "diff": Entry("runfolio.cli.diff", "diff", "Compare two states of the folio, or runs.", RUNS),
    "review": Entry("runfolio.cli.review", "review", "Report what a proposed change says, for its pull request.", RUNS),
    "policy": Entry("runfolio.cli.policy", "policy", "Judge promotions by the gates of policy.yaml.", RUNS),
    "reproduce": Entry("runfolio.cli.reproduce", "reproduce", "Make a run again and compare every metric with its record.", RUNS),
    "verify": Entry(
        "runfolio.cli.reproduce", "verify", "Look whether a run could be made again, without running anything.", RUNS
    ),
    "run": Entry("runfolio.cli.projects", "run", "Run a project in MLflow's format, from a folder or a git repository.", RUNS),
    "record": Entry("runfolio.cli.record", "record", "Run any program as a run.", RUNS),
    "pipeline": Entry(
        "runfolio.cli.pipelines", "pipeline", "Run steps that feed each other; what is up to date is skipped.", RUNS
    ),
    "sweep": Entry("runfolio.cli.sweep", "sweep", "Search a space of params: many runs of one command or function.", RUNS),
    "log": Entry("runfolio.cli.record", "log", "Log to a run from the shell.", RUNS),
    "site": Entry("runfolio.cli.site", "site", "Build, look at and publish the static site.", SHOW),
    "ci": Entry("runfolio.cli.ci", "ci", "Check, report and publish in the CI of your git host.", SHOW),
    "notify": Entry("runfolio.cli.notify", "notify", "Tell a webhook of promotions and regressions.", SHOW),
    "recover": Entry("runfolio.cli.folio", "recover", "Turn what killed processes left into runs.", CARE),
    "import": Entry(
        "runfolio.cli.importing", "import_group", "Take the experiments, runs and models of another tool into the folio.", MORE
    ),
    "export": Entry(
        "runfolio.cli.exporting", "export_group", "Write experiments, runs and models for another tool or an archive.", MORE
    ),
    "gateway": Entry(
        "runfolio.cli.gateway", "gateway", "Serve the folio to MLflow's clients in any language, by MLflow's own server.", MORE
    ),
    "check": Entry("runfolio.cli.health", "check", "Check every record: schema, spelling, references, digests.", CARE),
    "doctor": Entry("runfolio.cli.health", "doctor", "Say what the folio costs and what will hit a limit when.", CARE),
    "gc": Entry("runfolio.cli.artifacts_stores", "gc", "Remove objects that no run or model names any more.", CARE),
    "environments": Entry(
        "runfolio.cli.environments",
        "environments",
        "List and remove the Python environments that were made for runs and models.",
        CARE,
    ),
    "demo": Entry("runfolio.cli.demo", "demo", "Make a folio with real runs to look at.", MORE),
    "completion": Entry("runfolio.cli.completion", "completion", "Print the script that completes words in your shell.", MORE),
    "help": Entry("runfolio.cli.topics", "help_command", "Explain a command, or a topic such as exit-codes.", MORE),
    "merge-driver": Entry(
        "runfolio.cli.merge_driver", "merge_driver", "Join a record that two branches changed, for git merge.", ""
    ),
    "sweep-worker": Entry(
        "runfolio.cli.sweep_worker", "sweep_worker", "Run a task's trials of a sweep, and hand their runs over.", ""
    ),
    "textconv": Entry("runfolio.cli.textconv", "textconv", "Print a record in words, for git diff.", ""),
}


class LazyGroup(click.Group):
    """A group whose commands are modules that are loaded when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        found = getattr(importlib.import_module(entry.module), entry.attribute)
        assert isinstance(found, click.Command)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; where nobody reads the output any more, end as other programs do (click would end with 1)."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            close_output()
            raise click.exceptions.Exit(BROKEN_PIPE) from None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was perhaps meant."""
        name = args[0] if args else ""
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, 2)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else " The commands: runfolio --help"
            raise click.UsageError(f"There is no command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, from the table alone."""
        for section in SECTIONS:
            rows = [(name, entry.help) for name, entry in COMMANDS.items() if entry.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[click.shell_completion.CompletionItem]:
        """Complete a command's name from the table alone."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=entry.help)
            for name, entry in COMMANDS.items()
            if entry.section and name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from runfolio._version import __version__

        click.echo(f"runfolio {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: runfolio help exit-codes. Every command has --help.",
)
@click.option(
    "-C", "--folio", metavar="PATH", help="The folio: a folder in it. Else RUNFOLIO_TRACKING_URI, else the current folder."
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version.")
@click.pass_context
def cli(ctx: click.Context, folio: str | None) -> None:
    """Experiments and runs in git: logged by your scripts, reviewed like code, found in milliseconds."""
    ctx.color = None if sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" else False


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; the table is in :mod:`runfolio.errors`.

    Parameters
    ----------
    args : sequence of str, optional
        Those of the process by default.
    """
    given = list(sys.argv[1:] if args is None else args)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character gets it spelled out rather than a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    ending, collects = Ending(given), gc.isenabled()
    with ending:
        code = cli.main(given, prog_name="runfolio", standalone_mode=False)
        sys.stdout.flush()
        ending.code = code if isinstance(code, int) else 0
    if args is None:
        # The process ends: else the interpreter goes through all objects once more to find cycles, before it drops them all.
        gc.freeze()
    elif collects:
        gc.enable()
    return ending.code
