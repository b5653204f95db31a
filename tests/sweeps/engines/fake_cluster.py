"""``kubectl`` for tests: takes indexed Jobs as the cluster does, and runs their pods as local processes.

No mock of our code: a program on PATH with kubectl's arguments. It refuses what the published schema refuses. A pod is the container's command with
the container's variables, those of the secrets that it names, and ``JOB_COMPLETION_INDEX``, and nothing of the environment of who applied it; ``/tmp``
is a folder of the pod's own. An index whose pod fails is tried again as often as ``backoffLimitPerIndex`` says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STATE = Path(os.environ.get("FAKE_CLUSTER", "unset"))


def fail(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.exit(1)


def write(file: Path, data: Any) -> None:
    aside = file.with_suffix(".new")
    aside.write_text(json.dumps(data))
    os.replace(aside, file)


def file_of(namespace: str, name: str) -> Path:
    return STATE / f"job.{namespace}.{name}.json"


def apply(given: bytes) -> None:
    import kubernetes_validate

    for item in json.loads(given)["items"]:
        try:
            kubernetes_validate.validate(item, "1.33", strict=True)
        except kubernetes_validate.ValidationError as error:
            fail(f"Error from server (Invalid): {item['kind']}: {error.message}")
        about = item["metadata"]
        if about["namespace"] != "default":
            fail(f'Error from server (NotFound): namespaces "{about["namespace"]}" not found')
        file = file_of(about["namespace"], about["name"])
        if file.exists():
            if json.loads(file.read_text())["spec"] != item["spec"]:
                fail(f'The Job "{about["name"]}" is invalid: spec.template: field is immutable')
            continue
        write(file, item)
        subprocess.Popen(
            [sys.executable, __file__, "run", str(file)],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def pod(job: dict[str, Any], index: int, attempt: int) -> subprocess.Popen[bytes]:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    env = {"PATH": "/nonexistent", "JOB_COMPLETION_INDEX": str(index)}
    for source in container.get("envFrom", ()):
        env |= json.loads((STATE / f"secret.{source['secretRef']['name']}.json").read_text())
    tmp = tempfile.mkdtemp(dir=STATE)
    env |= {
        item["name"]: item["value"].replace("/tmp", tmp) if item["name"] in ("HOME", "TMPDIR") else item["value"]
        for item in container["env"]
    }
    with open(STATE / f"{job['metadata']['name']}-{index}-{attempt}.log", "wb") as log:
        return subprocess.Popen(container["command"], cwd=container.get("workingDir", tmp), env=env, stdout=log, stderr=log)


def spans(indexes: list[int]) -> str:
    return ",".join(map(str, sorted(indexes)))


def run(name: str) -> None:
    file = Path(name)
    job = json.loads(file.read_text())
    spec = job["spec"]
    todo = [(index, 0) for index in range(spec["completions"])]
    going: dict[int, tuple[subprocess.Popen[bytes], int]] = {}
    done: list[int] = []
    failed: list[int] = []
    while todo or going:
        if not file.exists():
            for process, _ in going.values():
                process.kill()
                process.wait()
            return
        for index, (process, attempt) in list(going.items()):
            if process.poll() is None:
                continue
            del going[index]
            if process.returncode == 0:
                done.append(index)
            elif attempt < spec["backoffLimitPerIndex"]:
                todo.append((index, attempt + 1))
            else:
                failed.append(index)
        while todo and len(going) < spec["parallelism"]:
            index, attempt = todo.pop(0)
            going[index] = (pod(job, index, attempt), attempt)
        job["status"] = {"completedIndexes": spans(done), "failedIndexes": spans(failed), "active": len(going)}
        if not todo and not going:
            job["status"]["conditions"] = [{"type": "Failed" if failed else "Complete", "status": "True"}]
        if file.exists():
            write(file, job)
        time.sleep(0.05)


def option(args: list[str], name: str) -> str:
    return args[args.index(name) + 1] if name in args else ""


def main(args: list[str]) -> None:
    space = option(args, "-n")
    if args[0] == "run":
        run(args[1])
    elif args[0] == "apply":
        apply(sys.stdin.buffer.read())
    elif args[:2] == ["get", "jobs"]:
        wanted = dict(part.split("=") for part in option(args, "-l").split(","))
        found = [json.loads(file.read_text()) for file in sorted(STATE.glob(f"job.{space}.*.json"))]
        print(json.dumps({"items": [item for item in found if wanted.items() <= item["metadata"]["labels"].items()]}))
    elif args[:2] == ["get", "job"]:
        file = file_of(space, args[2])
        print(file.read_text()) if file.exists() else fail(f'Error from server (NotFound): jobs.batch "{args[2]}" not found')
    elif args[:2] == ["delete", "job"]:
        file_of(space, args[2]).unlink(missing_ok=True)
    else:
        fail(f"error: unknown command {args}")


if __name__ == "__main__":
    main(sys.argv[1:])
