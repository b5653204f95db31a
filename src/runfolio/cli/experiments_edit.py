"""``runfolio experiments create|rename|describe|tag|set-objective|baseline|delete|restore``."""

from __future__ import annotations

from dataclasses import replace

import click

from runfolio.cli import options
from runfolio.cli.completion import run_names
from runfolio.cli.opening import opened
from runfolio.records import Objective
from runfolio.records.visible import visible


@click.command("create")
@click.argument("name")
@click.option("--description", metavar="TEXT", default="", help="What its runs are about.")
@click.option("--tag", "pairs", metavar="KEY=VALUE", multiple=True, help="A tag; repeat for more.")
def create(name: str, description: str, pairs: tuple[str, ...]) -> None:
    """Make an experiment; prints its id."""
    from runfolio.tracking.experiments import checked_tags

    tags = checked_tags(options.key_values(pairs, "tag"))
    with opened() as folio:
        made = folio.experiments.create(name, tags, description)
    click.echo(made.experiment_id)


@click.command("rename")
@options.experiment
@click.argument("new_name")
def rename(experiment: str, new_name: str) -> None:
    """Give an experiment another name; its folder keeps the old one."""
    from runfolio.tracking.client import RunfolioClient

    with opened() as folio:
        found = folio.experiments.find(experiment)
        RunfolioClient(folio.place.root).rename_experiment(found.experiment_id, new_name)
    click.echo(f"{visible(found.name)} is now {visible(new_name)}.", err=True)


@click.command("describe")
@options.experiment
@click.argument("text")
def describe(experiment: str, text: str) -> None:
    """Say what an experiment is about; an empty TEXT takes the description away."""
    with opened() as folio:
        found = folio.experiments.find(experiment)
        folio.experiments.edit(found.experiment_id, "describe", description=text)
    click.echo(f"{visible(found.name)}: described.", err=True)


@click.command("tag")
@options.experiment
@click.argument("pairs", metavar="[KEY=VALUE]…", nargs=-1)
@click.option("--remove", metavar="KEY", multiple=True, help="Take a tag away; repeat for more.")
def tag(experiment: str, pairs: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Set and remove tags of an experiment."""
    from runfolio.errors import NotFoundError
    from runfolio.tracking.experiments import checked_tags

    tags = checked_tags(options.key_values(pairs, "tag"))
    if not tags and not remove:
        raise click.UsageError("Give KEY=VALUE, or --remove KEY.")
    with opened() as folio:
        found = folio.experiments.find(experiment)
        lacking = [key for key in remove if key not in found.tags]
        if lacking:
            raise NotFoundError(
                f"The experiment {found.name!r} has no tag {lacking[0]!r}. It has: {', '.join(sorted(found.tags)) or 'none'}."
            )
        folio.experiments.edit_with(
            found.experiment_id,
            "tag",
            lambda item: replace(item, tags={**{key: value for key, value in item.tags.items() if key not in remove}, **tags}),
        )
    click.echo(f"{visible(found.name)}: {len(tags)} set, {len(remove)} removed.", err=True)


@click.command("set-objective")
@options.experiment
@click.argument("metric")
@click.option("--max/--min", "largest", default=None, help="Which way is better.")
@click.option("--replicate", metavar="PARAM", default="seed", show_default=True, help="Param that alone tells replicates apart.")
def set_objective(experiment: str, metric: str, largest: bool | None, replicate: str) -> None:
    """Name the metric by which an experiment's runs are judged."""
    from runfolio.records.names import check_key

    if largest is None:
        raise click.UsageError("Say which way is better: --max or --min.")
    objective = Objective(check_key(metric, "metric"), "max" if largest else "min", check_key(replicate, "parameter"))
    with opened() as folio:
        found = folio.experiments.find(experiment)
        folio.experiments.edit(found.experiment_id, "set the objective of", objective=objective)
    click.echo(f"{visible(found.name)}: the {'largest' if largest else 'smallest'} {visible(metric)} is best.", err=True)


@click.command("baseline")
@options.experiment
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--clear", is_flag=True, help="Have none.")
def baseline(experiment: str, run: str | None, clear: bool) -> None:
    """Choose the run against which an experiment's others are shown."""
    if (run is None) != clear:
        raise click.UsageError("Name a run, or give --clear.")
    with opened() as folio:
        found = folio.experiments.find(experiment)
        run_id = folio.runs.resolve(run) if run is not None else None
        folio.experiments.edit(found.experiment_id, "set the baseline of", baseline=run_id)
    click.echo(f"{visible(found.name)}: " + (f"the baseline is {run_id}." if run_id else "no baseline."), err=True)


@click.command("delete")
@options.experiment
def delete(experiment: str) -> None:
    """Hide an experiment and its runs; restore brings both back."""
    from runfolio.tracking.client import RunfolioClient

    with opened() as folio:
        found = folio.experiments.find(experiment)
        RunfolioClient(folio.place.root).delete_experiment(found.experiment_id)
    click.echo(f"{visible(found.name)} is deleted. Bring it back: runfolio experiments restore {found.slug}", err=True)


@click.command("restore")
@options.experiment
def restore(experiment: str) -> None:
    """Bring a deleted experiment back."""
    from runfolio.tracking.client import RunfolioClient

    with opened() as folio:
        found = folio.experiments.find(experiment)
        RunfolioClient(folio.place.root).restore_experiment(found.experiment_id)
    click.echo(f"{visible(found.name)} is restored.", err=True)
