"""``runfolio demo``: the main job on real data in one command."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runfolio.demo.making import Script
    from runfolio.review.change import Change


@click.command("demo")
@click.argument("folder", default="runfolio-demo", type=click.Path(file_okay=False))
@click.option("--no-open", is_flag=True, help="Only say what to look at; open nothing.")
def demo(folder: str, no_open: bool) -> None:
    """Make a folio, train on real data, commit the runs, promote a model, build the site and open it.

    Trains the wine sweep (five random forests, three seeds each) and five networks on the digits data, registers three of the forests,
    promotes them as far as the gates of policy.yaml let them, and makes the run behind what is in Production again. On a branch it
    proposes a better model, and shows the report that its pull request would bear.
    """
    from runfolio.cli.site import Steps
    from runfolio.demo.making import make, show
    from runfolio.demo.proposing import BASE, BRANCH, propose, write_report

    target = Path(folder)
    click.echo(f"Making a folio in {target}", err=True)
    bar = Bars()
    folio, released = make(target, bar)
    runs = len(folio.fresh_index().paths())
    folio.close()
    change = propose(target, bar)
    bar.close()
    with Steps() as steps:
        page = show(target, steps)
    report = write_report(target, change)
    refused = released.refused
    click.echo(f"\n{runs} runs are committed in {target}. The site: {page}\n")
    click.echo(f"{refused.model} {released.live} is in Production. Version {refused.version} was refused:")
    for gate in refused.gates:
        if gate.state == "failed":
            click.echo(f"  ✗ {gate.id}: {gate.text}")
    if released.proof is not None:
        click.echo(f"\nIts run was made again, with what is installed here: {released.proof.words}.")
    click.echo(f"\nThe branch {BRANCH} proposes a better model. A pull request of it would bear this report ({report}):\n")
    for line in proposal_lines(change):
        click.echo(f"  {line}")
    click.echo("\nLook at them:\n")
    for command, words in (
        (f"cd {quote(str(folder))}", ""),
        ("runfolio site serve --open", "the site, which follows new runs"),
        ("runfolio runs list", "all runs, newest first"),
        ('runfolio runs search "metrics.accuracy > 0.95" --order-by "metrics.accuracy DESC"', "MLflow's filter language"),
        ("runfolio runs compare forest-10-seed1 forest-200-seed1", "only what differs"),
        ("runfolio runs show mlp-64-lr0.001-seed0", "one run, with its curves and the code that made it"),
        (
            "runfolio reproduce models:/wine-cultivar/Production --env-manager virtualenv",
            "again, in an environment made of its list",
        ),
        ("runfolio models versions wine-cultivar", "what is live, and what was before"),
        ("runfolio policy explain wine-cultivar 3 Production", "why version 3 is not"),
        (f"runfolio diff {BASE}...{BRANCH}", "what the branch brings; for its pull request: runfolio review"),
        ("git log --stat", "the lab book"),
    ):
        click.echo(f"  {command}" + (click.style(f"    # {words}", dim=True) if words else ""))
    if not no_open and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def proposal_lines(change: Change) -> list[str]:
    """Return the first lines of the report on the proposal: what got better, what is promoted, and whether it may be."""
    from dataclasses import replace

    from runfolio.review.options import ReportOptions
    from runfolio.review.text import report_text

    options = replace(ReportOptions(), sections=("verdict", "promotions"))
    return report_text(change, options, 110).rstrip().splitlines()


class Bars:
    """A progress bar a script on a terminal; a line a script elsewhere."""

    def __init__(self) -> None:
        self._script: Script | None = None
        self._width = 24

    def __call__(self, script: Script, done: int) -> None:
        """Show how far a script is."""
        if not sys.stderr.isatty():
            if done == 0:
                click.echo(f"  {script.verb} {script.words}", err=True)
            return
        if self._script is not None and self._script is not script:
            click.echo(err=True)
        self._script = script
        full = self._width * done // script.steps
        click.echo(f"\r  {'█' * full}{'░' * (self._width - full)} {done:>2}/{script.steps}  {script.words}", nl=False, err=True)

    def close(self) -> None:
        """End the last bar's line."""
        if self._script is not None:
            click.echo(err=True)
