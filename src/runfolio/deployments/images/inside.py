"""What runs in an image, copied into it: verify the model by its digest, start the server, tell whether it answers.

Nothing but the standard library. ``verify`` and the start refuse a model whose manifest has not the digest of the image (or of
``RUNFOLIO_MODEL_DIGEST``), a file that differs from the manifest, and a file that is not in it: it might be code.

The commands are the one that SageMaker gives (``serve``), and ``verify``, ``health`` and ``predict`` (standard input is sent to the
server that runs beside).
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

MODEL = "/opt/ml/model"
MANIFEST = "runfolio-manifest.json"
BILL = "sbom.cdx.json"
EVERYWHERE = "0.0.0.0"  # noqa: S104 # inside a container, what is let in is the business of who starts it
REFUSED = 14
"""Exit code of a model that is not what its digest says; the same as runfolio's own for what is damaged."""


def faults(model: Path, manifest: bytes, digest: str) -> list[str]:
    """Return what differs between a model's folder and its manifest; nothing if all is as it should be.

    Parameters
    ----------
    model : Path
    manifest : bytes
    digest : str
        Of the manifest: ``sha256:`` and 64 hex digits.
    """
    found = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    if found != digest:
        return [f"the manifest is {found}, and {digest or 'no digest'} is asked for"]
    listed = json.loads(manifest)["artifacts"]
    there = {path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_symlink() or not path.is_dir()}
    told = [f"{name} is missing" for name in sorted(listed.keys() - there)]
    told += [f"{name} is not in the manifest" for name in sorted(there - listed.keys() - {MANIFEST})]
    for name in sorted(listed.keys() & there):
        made = hashlib.sha256()
        with (model / name).open("rb") as file:
            while block := file.read(1 << 20):
                made.update(block)
        if f"sha256:{made.hexdigest()}" != listed[name]["digest"]:
            told.append(f"{name} has other bytes")
    return told


def verify(env: Mapping[str, str]) -> int:
    """Compare the model with its digest and say what differs; return the exit code."""
    model = Path(env.get("RUNFOLIO_MODEL_FOLDER") or MODEL)
    own = model / MANIFEST  # an archive that a cloud unpacks brings its own
    file = own if own.is_file() else Path(__file__).with_name(MANIFEST)
    try:
        told = faults(model, file.read_bytes(), env.get("RUNFOLIO_MODEL_DIGEST", ""))
    except OSError as error:
        told = [f"{error.filename}: {error.strerror}"]
    for line in told:
        sys.stderr.write(f"runfolio: {model}: {line}\n")
    if told:
        sys.stderr.write("runfolio: the model is not the one that this image was made for, and is not started.\n")
    return REFUSED if told else 0


def served_as(env: Mapping[str, str]) -> tuple[str, str, str]:
    """Return name, version and digest of the model that was verified, for the server to tell.

    The image's bill of materials names the model that it was built of. Where a cloud mounts another one, which its digest tells, only
    that digest is known.
    """
    digest = env.get("RUNFOLIO_MODEL_DIGEST", "")
    try:
        model = json.loads(Path(__file__).with_name(BILL).read_bytes())["metadata"]["component"]
        if f"sha256:{model['hashes'][0]['content']}" == digest:
            return str(model["name"]), str(model["version"]) if str(model["version"]).isdigit() else "", digest
    except (OSError, ValueError, KeyError, IndexError):
        pass  # no image of ours, or one without a bill: the model serves all the same
    return "", "", digest


def server_command(env: Mapping[str, str]) -> list[str]:
    """Return the command that serves the model; its bytes are verified, so its code may run."""
    model = env.get("RUNFOLIO_MODEL_FOLDER") or MODEL
    port = env.get("SAGEMAKER_BIND_TO_PORT") or env.get("PORT") or "8080"
    workers = env.get("RUNFOLIO_WORKERS") or "1"
    made = [sys.executable, "-m", "runfolio", "models", "serve", "-m", model, "-h", EVERYWHERE, "-p", port, "-w", workers]
    made += ["--env-manager", "local", "--no-reload", "--trust", "--allowed-hosts", "*", "--log-format", "json"]
    made += ["--served-as", *served_as(env)]
    return made if env.get("RUNFOLIO_SERVE_TOKEN") else [*made, "--no-token"]


def health(env: Mapping[str, str]) -> int:
    """Ask the server whether it answers; return the exit code."""
    port = env.get("SAGEMAKER_BIND_TO_PORT") or env.get("PORT") or "8080"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=3) as answer:
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, OSError):
        return 1


def predict(env: Mapping[str, str]) -> int:
    """Send standard input to the server and print its answer; return the exit code."""
    port = env.get("SAGEMAKER_BIND_TO_PORT") or env.get("PORT") or "8080"
    headers = {"Content-Type": "application/json"}
    if env.get("RUNFOLIO_SERVE_TOKEN"):
        headers["Authorization"] = f"Bearer {env['RUNFOLIO_SERVE_TOKEN']}"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", sys.stdin.buffer.read(), headers)
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310 # the address is ours
            sys.stdout.buffer.write(answer.read())
            return 0
    except urllib.error.HTTPError as error:
        with error:
            sys.stderr.write(
                f"runfolio: the server refused the request ({error.code}): {error.read()[:600].decode('utf-8', 'replace')}\n"
            )
    except (urllib.error.URLError, OSError) as error:
        sys.stderr.write(f"runfolio: the server did not answer: {error}\n")
    return 1


def main(args: Sequence[str], env: Mapping[str, str]) -> int:
    """Carry out a command; ``serve`` does not return."""
    command = args[0] if args else "serve"
    if command == "health":
        return health(env)
    if command == "predict":
        return predict(env)
    if command not in ("serve", "verify"):
        sys.stderr.write(f"runfolio: {command!r} is no command of this image: serve, verify, predict or health.\n")
        return 2
    code = verify(env)
    if code or command == "verify":
        return code
    server = server_command(env)
    os.execv(server[0], server)  # noqa: S606 # the server takes this process's place, and its signals
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
