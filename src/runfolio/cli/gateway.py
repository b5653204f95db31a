"""``runfolio gateway``: MLflow's server over a folio; what it does is in :mod:`runfolio.gateway.server`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from runfolio.cli.opening import chosen_folio

TOKEN_VARIABLE = "RUNFOLIO_GATEWAY_TOKEN"  # noqa: S105 # the variable's name


@click.command("gateway")
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="0 takes a free one.")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Holds the token to ask for (or {TOKEN_VARIABLE}); one is made at each start by default.",
)
@click.option("--no-token", is_flag=True, help="Ask for no token; on this machine alone.")
@click.option("--allow-host", "allowed", metavar="NAME", multiple=True, help="One more name that clients call it by; * any.")
def gateway(host: str, port: int, token_file: Path | None, no_token: bool, allowed: tuple[str, ...]) -> None:
    """Serve the folio to MLflow's clients in any language, by MLflow's own server.

    Python, R, Java, Go, curl: MLflow's REST API, its artifact proxy and its pages. What clients log are ordinary runs of the folio,
    committed every few seconds once they have ended. Needs the whole MLflow (2.22 or 3): pip install mlflow.
    """
    from runfolio.gateway.server import GatewayOptions, serve

    token = "" if no_token else _token(token_file)
    options = GatewayOptions(_folio(), host, port, token, tuple(name.lower() for name in allowed))
    serve(options, click.echo)


def _folio() -> Path:
    from runfolio.folio.opening import open_folio

    folio = open_folio(chosen_folio())
    try:
        return Path(folio.place.root)
    finally:
        folio.close()


def _token(file: Path | None) -> str | None:
    from runfolio.errors import UsageError

    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--token-file {file}: it cannot be read ({error}).") from None
    if not text:
        raise UsageError(f"--token-file {file}: it is empty. Write a token into it, or leave the option away.")
    return text
