"""``runfolio models serve``: a model over HTTP; what it does is in :mod:`runfolio.serving`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from runfolio.cli.opening import chosen_folio

TOKEN_VARIABLE = "RUNFOLIO_SERVE_TOKEN"  # noqa: S105 # the variable's name


@click.command("serve")
@click.option("-m", "--model-uri", metavar="URI", required=True, help="models:/NAME/Production, runs:/RUN/PATH, or a folder.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="0 takes a free one.")
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("-w", "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes that predict.")
@click.option("-t", "--timeout", type=click.FloatRange(0.1), default=60.0, show_default=True, help="Seconds for a prediction.")
@click.option(
    "--env-manager",
    type=click.Choice(["local", "virtualenv", "uv"]),
    default="local",
    show_default=True,
    help="Run the model here, or in an environment made of its requirements.txt.",
)
@click.option("--engine", type=click.Choice(["native", "onnx"]), default="native", show_default=True, help="What predicts.")
@click.option(
    "--batching",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Predict concurrent requests together; auto only where that changes no bit of an answer.",
)
@click.option("--threads", type=click.IntRange(0), default=0, help="Predictions at a time in a worker; 0 chooses.")
@click.option(
    "--token-file", type=click.Path(dir_okay=False, path_type=Path), help=f"Holds the token to ask for (or {TOKEN_VARIABLE})."
)
@click.option("--no-token", "--insecure", "no_token", is_flag=True, help="Let other machines call it without a token.")
@click.option("--allowed-hosts", metavar="NAMES", default="", help="Names in Host headers to answer, by comma; * any.")
@click.option(
    "--max-body", metavar="MB", type=click.FloatRange(0.001), default=100.0, show_default=True, help="Size of a request."
)
@click.option("--max-waiting", type=click.IntRange(1), default=1000, show_default=True, help="Requests under way in a worker.")
@click.option("--max-connections", type=click.IntRange(1), default=1000, show_default=True, help="Connections of a worker.")
@click.option("--max-requests", type=click.IntRange(0), default=0, help="Replace a worker after so many; 0 never.")
@click.option("--max-memory", metavar="MB", type=click.IntRange(0), default=0, help="Replace a worker that holds more; 0 never.")
@click.option("--head-timeout", type=click.FloatRange(0.1), default=10.0, show_default=True, help="Seconds for a head to come.")
@click.option("--body-timeout", type=click.FloatRange(0.1), default=30.0, show_default=True, help="Seconds for a body to come.")
@click.option("--shutdown-timeout", type=click.FloatRange(0.0), default=30.0, show_default=True, help="Seconds to end.")
@click.option("--start-timeout", type=click.FloatRange(1.0), default=600.0, show_default=True, help="Seconds to load the model.")
@click.option("--reload/--no-reload", default=True, show_default=True, help="Serve what the stage or alias moves to.")
@click.option("--reload-interval", type=click.FloatRange(0.05), default=1.0, show_default=True, help="Seconds between looks.")
@click.option("--trust", is_flag=True, help="Let the code of a folder run that no record vouches for.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="On standard error.")
@click.option("--access-log", is_flag=True, help="Log each request, not only faults.")
@click.option(
    "--served-as", nargs=3, default=("", "", ""), hidden=True
)  # name, version and digest: what an image says of its folder
@click.option("--no-conda", is_flag=True, hidden=True)
@click.option("--install-mlflow", is_flag=True, hidden=True)
def serve(**given: object) -> None:
    """Serve a model over HTTP, in MLflow's scoring protocol.

    POST /invocations predicts; /ping, /health, /version, /metrics, /openapi.json and /docs tell of it. It listens on this machine
    only, unless --host says otherwise. When a promotion moves the stage or alias, the new version is loaded beside the old one and
    takes over without a dropped request; SIGHUP looks at once, SIGTERM ends after the requests under way.
    """
    from runfolio.serving.beginning import hand_over, prepared
    from runfolio.serving.logs import start_logging
    from runfolio.serving.options import ServeOptions, check_exposure
    from runfolio.serving.sources import Source

    said = dict(given)
    options = ServeOptions(
        host=str(said["host"]),
        port=_int(said["port"]),
        workers=_int(said["workers"]),
        threads=_int(said["threads"]),
        timeout_s=_float(said["timeout"]),
        body_timeout_s=_float(said["body_timeout"]),
        head_timeout_s=_float(said["head_timeout"]),
        max_body=int(_float(said["max_body"]) * 1024 * 1024),
        max_connections=_int(said["max_connections"]),
        max_waiting=_int(said["max_waiting"]),
        max_requests=_int(said["max_requests"]),
        max_memory=_int(said["max_memory"]) << 20,
        shutdown_timeout_s=_float(said["shutdown_timeout"]),
        token=_token(said["token_file"]),
        hosts=tuple(name.strip() for name in str(said["allowed_hosts"]).split(",") if name.strip()),
        batching=str(said["batching"]),
        engine=str(said["engine"]),
        log_format=str(said["log_format"]),
        access_log=bool(said["access_log"]),
    )
    check_exposure(options, open_to_all=bool(said["no_token"]))
    start_logging(options.log_format)
    uri = str(said["model_uri"])
    source = Source(
        uri,
        chosen_folio() if uri.startswith(("models:/", "runs:/")) else None,
        trust=bool(said["trust"]) or None,
        known=_three(said["served_as"]),
    )
    beginning = prepared(
        source,
        options,
        str(said["env_manager"]),
        reload_s=_float(said["reload_interval"]) if said["reload"] else 0.0,
        start_timeout_s=_float(said["start_timeout"]),
    )
    hand_over(beginning, "runfolio.cli.models_serving", sys.argv[1:])


def _three(value: object) -> tuple[str, str, str]:
    assert isinstance(value, tuple)
    name, version, digest = map(str, value)
    return name, version, digest


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _float(value: object) -> float:
    assert isinstance(value, (int, float))
    return float(value)


def _token(file: object) -> str:
    if isinstance(file, Path):
        try:
            token = file.read_text("utf-8").strip()
        except OSError as error:
            raise click.UsageError(f"--token-file {file}: {error.strerror}.") from None
        if not token:
            raise click.UsageError(f"--token-file {file}: the file is empty.")
        return token
    return os.environ.get(TOKEN_VARIABLE, "").strip()
