"""``runfolio policy owners``: who must approve what, for the git host."""

from __future__ import annotations

import click

from runfolio.cli.ci import HOSTS
from runfolio.cli.opening import opened


@click.command("owners")
@click.option("--host", default="github", show_default=True, type=HOSTS, help="The git host that reads the file.")
@click.option(
    "--owner", "names", multiple=True, metavar="NAME", help="Who owns policy, settings and workflows; all approvers by default."
)
@click.option("--branch", metavar="NAME", help="The branch that is merged into; the remote's default branch by default.")
@click.option("--write", "writes", is_flag=True, help="Put the lines into the host's CODEOWNERS file; what else is in it stays.")
def owners(host: str, names: tuple[str, ...], branch: str | None, writes: bool) -> None:
    """Print the CODEOWNERS lines that policy.yaml asks for, and how to give them force.

    Who may approve what comes from the gates' `approvals: {from: [...]}`; a tag `owners` of an experiment or a model adds its own.
    """
    from runfolio.errors import NotFoundError, StateError
    from runfolio.formats.paths import POLICY
    from runfolio.policy import decode_policy
    from runfolio.workflows import facts_of
    from runfolio.workflows.owners import block, file_of, guidance, merged, ownership
    from runfolio.workflows.writing import replace_file

    with opened() as folio:
        data = folio.place.read(folio.place.tip(), POLICY) or folio.place.read(folio.repo.resolve("HEAD"), POLICY)
        if data is None:
            raise NotFoundError(f"There is no committed {POLICY} here. The grammar: docs/how-to/policy.md")
        made = ownership(folio, decode_policy(data, POLICY), host, names)
        lines, facts, top = block(made, host), facts_of(folio, branch), folio.repo.work_tree
        if not writes:
            click.echo(lines, nl=False)
        elif top is None:
            raise StateError("A bare repository has no work tree for a CODEOWNERS file. Run this in a clone.")
        else:
            path = file_of(top, host)
            before = (top / path).read_text("utf-8") if (top / path).is_file() else ""
            after = merged(before, lines)
            if after != before:
                replace_file(top / path, after)
            click.echo(f"{path} is up to date" if after == before else f"wrote {path}")
        for said in made.unnamed:
            click.echo(f"runfolio: no person is named who approves {said}: whoever may merge decides.", err=True)
        for name in made.unknown:
            click.echo(
                f"runfolio: {host} knows no mail addresses in that file: {name} is left out. Name a login in policy.yaml.",
                err=True,
            )
        click.echo(f"\n{guidance(made, host, facts.branch, facts.ledger)}", err=True)
