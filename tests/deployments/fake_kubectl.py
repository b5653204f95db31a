"""A ``kubectl`` for tests: keeps what is applied in a folder, validates it as the cluster would, and answers in kubectl's own words.

It is no mock of our code: it is a program on PATH, called with real arguments and standard input, that knows the verbs which are used.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

STATE = Path(os.environ["FAKE_KUBECTL"])
KSERVE = json.loads(Path(__file__).with_name("kserve.schema.json").read_text())
NAMES = {
    "deployment": "Deployment", "service": "Service", "networkpolicy": "NetworkPolicy", "poddisruptionbudget": "PodDisruptionBudget",
    "inferenceservices.serving.kserve.io": "InferenceService",
}  # fmt: skip


def fail(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.exit(1)


def file_of(kind: str, namespace: str, name: str) -> Path:
    return STATE / f"{kind}.{namespace}.{name}.json"


def validate(item: dict[str, Any]) -> None:
    import jsonschema
    import kubernetes_validate

    if item["kind"] != "InferenceService":
        kubernetes_validate.validate(item, "1.33", strict=True)
        return
    jsonschema.validate(item, KSERVE)
    ours = ("minReplicas", "maxReplicas", "canaryTrafficPercent", "containerConcurrency")
    spec = {key: value for key, value in item["spec"]["predictor"].items() if key not in ours}
    kubernetes_validate.validate(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}, "1.33", strict=True
    )


def apply(given: bytes) -> None:
    # Only here: the schemas take seconds to load, and most calls ask for no more than a file.
    import jsonschema
    import kubernetes_validate

    for item in json.loads(given)["items"]:
        try:
            validate(item)
        except (kubernetes_validate.ValidationError, jsonschema.ValidationError) as error:
            fail(f"Error from server (Invalid): {item['kind']}: {error.message}")
        about = item["metadata"]
        if item["kind"] == "Deployment":
            item["status"] = {"readyReplicas": 0 if os.environ.get("FAKE_NEVER_READY") else item["spec"]["replicas"]}
        if item["kind"] == "InferenceService":
            item["status"] = {"url": os.environ.get("FAKE_URL", "http://x"), "conditions": [{"type": "Ready", "status": "True"}]}
        file_of(item["kind"], about["namespace"], about["name"]).write_text(json.dumps(item))


def option(args: list[str], name: str) -> str:
    return args[args.index(name) + 1] if name in args else ""


def chosen(args: list[str]) -> list[dict[str, Any]]:
    wanted = dict(part.split("=") for part in option(args, "-l").split(",") if part)
    kinds = {NAMES[kind] for kind in args[1].split(",")}
    found = [json.loads(file.read_text()) for file in sorted(STATE.glob("*.json"))]
    found = [item for item in found if item["kind"] in kinds and item["metadata"]["namespace"] == option(args, "-n")]
    return [item for item in found if wanted.items() <= item["metadata"]["labels"].items()]


def main(args: list[str]) -> None:
    with (STATE / "calls.jsonl").open("a") as log:
        log.write(json.dumps(args) + "\n")
    verb = args[0]
    if os.environ.get("FAKE_DOWN"):
        line = (
            'E1128 02:21:02.190077   10631 memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group list"\n'
        )
        sys.stderr.write(5 * line)  # as kubectl 1.20 and later do
        fail("The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?")
    if verb == "apply":
        apply(sys.stdin.buffer.read())
    elif verb == "get" and args[2].startswith("-"):
        print(json.dumps({"items": chosen(args)}))
    elif verb == "get":
        file = file_of(NAMES[args[1]], option(args, "-n"), args[2])
        print(file.read_text()) if file.exists() else fail(f'Error from server (NotFound): {args[1]} "{args[2]}" not found')
    elif verb == "delete":
        named = [args[2]] if not args[2].startswith("-") else []
        for item in chosen(args) if not named else chosen([*args[:2], *args[3:]]):
            about = item["metadata"]
            if not named or about["name"] in named:
                file_of(item["kind"], about["namespace"], about["name"]).unlink()
    elif verb in ("rollout", "wait"):
        if os.environ.get("FAKE_SLOW"):
            time.sleep(60)
        if os.environ.get("FAKE_NEVER_READY"):
            fail("error: timed out waiting for the condition")
    elif verb == "exec":
        print(json.dumps({"predictions": [2 * value for value in json.load(sys.stdin)["inputs"]]}))
    else:
        fail(f"error: unknown command {verb!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
