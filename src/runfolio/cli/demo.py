"""``runfolio demo``: the main job on real data in one command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runfolio.demo.making import Script


@click.command("demo")
@click.argument("folder", default="runfolio-demo", type=click.Path(file_okay=False))
@click.option("--no-open", is_flag=True, help="Only say what to look at; open nothing.")
def demo(folder: str, no_open: bool) -> None:
    """Make a folio, train on real data, commit the runs, promote a model, build the site and open it.

    Trains the wine sweep (five random forests, three seeds each) and three networks on the digits data, registers three of the forests,
    and promotes them as far as the gates of policy.yaml let them.
    """
    from runfolio.cli.site import Steps
    from runfolio.demo.making import make, show

    target = Path(folder)
    click.echo(f"Making a folio in {target}", err=True)
    bar = Bars()
    folio, released = make(target, bar)
    bar.close()
    runs = len(folio.fresh_index().paths())
    folio.close()
    with Steps() as steps:
        page = show(target, steps)
    refused = released.refused
    click.echo(f"\n{runs} runs are committed in {target}. The site: {page}\n")
    click.echo(f"{refused.model} {released.live} is in Production. Version {refused.version} was refused:")
    for gate in refused.gates:
        if gate.state == "failed":
            click.echo(f"  ✗ {gate.id}: {gate.text}")
    click.echo("\nLook at them:\n")
    for command, words in (
        (f"cd {folder}", ""),
        ("runfolio site serve --open", "the site, which follows new runs"),
        ("runfolio runs list", "all runs, newest first"),
        ('runfolio runs search "metrics.accuracy > 0.95" --order-by "metrics.accuracy DESC"', "MLflow's filter language"),
        ("runfolio runs compare forest-10-seed1 forest-200-seed1", "only what differs"),
        ("runfolio runs show mlp-64-lr0.001", "one run, with its curves and the code that made it"),
        ("runfolio models versions wine-cultivar", "what is live, and what was before"),
        ("runfolio policy explain wine-cultivar 3 Production", "why version 3 is not"),
        ("git log --stat", "the lab book"),
    ):
        click.echo(f"  {command}" + (click.style(f"    # {words}", dim=True) if words else ""))
    if not no_open and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


class Bars:
    """A progress bar a script on a terminal; a line a script elsewhere."""

    def __init__(self) -> None:
        self._script: Script | None = None
        self._width = 24

    def __call__(self, script: Script, done: int) -> None:
        """Show how far a script is."""
        if not sys.stderr.isatty():
            if done == 0:
                click.echo(f"  training {script.words}", err=True)
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
