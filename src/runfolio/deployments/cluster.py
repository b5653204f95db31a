"""A Kubernetes cluster, reached by the ``kubectl`` that is there, with its own context and credentials."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.errors import MissingPackageError, NotFoundError, StateError

_TIMEOUT_S = 900
_LOG_LINE = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d")
"""Of klog, as ``E1128 02:21:02.190077   10631 memcache.go:265] …``."""


def kubectl(*args: str, given: bytes | None = None) -> str:
    """Run kubectl and return what it printed.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    NotFoundError
        If the cluster has no such object.
    StateError
        If it failed otherwise, with its own words.
    """
    program = shutil.which("kubectl")
    if program is None:
        raise MissingPackageError(
            "kubectl is needed to speak to the cluster, and is not installed. Print what would be applied with --dry-run, and apply "
            "it where kubectl is.",
            name="kubectl",
        )
    try:
        done = subprocess.run([program, *args], input=given, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise StateError(f"kubectl {args[0]} took more than {_TIMEOUT_S // 60} minutes.") from None
    if done.returncode:
        said = _said(done.stderr.decode("utf-8", "replace"))
        kind = NotFoundError if "NotFound" in said else StateError
        words = args[: args.index("--")] if "--" in args else args
        raise kind(f"kubectl {' '.join(words)}: {said or 'it failed and said nothing'}")
    return done.stdout.decode("utf-8", "replace")


def _said(text: str) -> str:
    """Return what kubectl says to people: not the log lines of its libraries, unless there is nothing else."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join([line for line in lines if not _LOG_LINE.match(line)] or lines)[:600]


def apply(objects: Sequence[Mapping[str, Any]]) -> None:
    """Apply objects, as one list: server-side, so that fields which others set stay."""
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl(
        "apply", "--server-side", "--field-manager=runfolio", "--force-conflicts", "-f", "-", given=json.dumps(listed).encode()
    )


def read(*args: str) -> dict[str, Any]:
    """Get objects as JSON."""
    made: dict[str, Any] = json.loads(kubectl("get", *args, "-o", "json"))
    return made


def ask_inside(workload: str, namespace: str, body: bytes) -> Any:
    """Let a pod's own server predict: through ``kubectl exec``, which neither a network policy nor a token is in the way of."""
    command = ["/opt/venv/bin/python", "/opt/runfolio/inside.py", "predict"]
    return json.loads(kubectl("exec", "-i", "-n", namespace, workload, "--", *command, given=body))
