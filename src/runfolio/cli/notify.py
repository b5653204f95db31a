"""``runfolio notify A..B``: tell other programs of promotions and regressions that a merge brought."""

from __future__ import annotations

import os
import re

import click

from runfolio.cli.opening import opened
from runfolio.cli.tables import print_json

_NEW_BRANCH = re.compile(r"0{40,64}\.\.")
"""What git hosts say was there before the first push of a branch."""


@click.command("notify")
@click.argument("span", metavar="[A..B]", default="")
@click.option(
    "--training",
    metavar="TEXT",
    help="Tell instead that a model was trained: what runfolio ci propose said.",
)
@click.option("--link", metavar="URL", help="With --training: the pull request.")
@click.option("--dry-run", is_flag=True, help="Only print what would be sent.")
def notify(span: str, training: str | None, link: str | None, dry_run: bool) -> None:
    """Send promotions, retirements and regressions between two states to a webhook, each as one signed request.

    All are tried; where one was not taken, each such one is named at the end, with exit code 19.

    The address is RUNFOLIO_WEBHOOK or git's runfolio.webhook, the secret RUNFOLIO_WEBHOOK_SECRET or git's runfolio.webhookSecret; never a
    file of the repository. The requests: docs/how-to/hosts.md.
    """
    from runfolio.errors import UsageError
    from runfolio.gitstore.user_settings import user_setting
    from runfolio.hosts.webhook import SECRET_VARIABLE, Event, find_webhook, notify_all
    from runfolio.review.events import events_of
    from runfolio.review.gathering import gather
    from runfolio.review.span import state_span

    if bool(span) == bool(training):
        raise click.UsageError("Say what to tell of: two states, A..B, or --training TEXT.")
    if _NEW_BRANCH.match(span):
        click.echo("Nothing was there before this push, so there is nothing to compare with and nothing to tell.", err=True)
        if dry_run:
            print_json([])
        return
    if training:
        # Where nothing but runfolio is at hand: a job of its own, with the secret and no repository.
        events = [Event("training", f"{training} {link or ''}".strip(), {"link": link})]
        hook = find_webhook(os.environ)
    else:
        with opened() as folio:
            change = gather(folio, state_span(folio.place, span), baseline=folio.settings.review.baseline)
            hook = find_webhook(os.environ, lambda name: user_setting(folio.repo, name))
        events = events_of(change)
    if dry_run:
        print_json([{"event": event.kind, "text": event.text, "data": dict(event.data)} for event in events])
        return
    if hook is None:
        raise UsageError("No webhook is set up: set RUNFOLIO_WEBHOOK, or git config runfolio.webhook. To look first: --dry-run")
    notify_all(hook.url, events, hook.secret)
    unsigned = "" if hook.secret or not events else f", unsigned: {SECRET_VARIABLE} is not set, nor runfolio.webhookSecret of git"
    click.echo(f"{len(events)} event{'s' * (len(events) != 1)} sent{unsigned}.", err=True)
