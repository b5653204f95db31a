"""What is inside an image, as a CycloneDX 1.6 document: the model with the digests of its files, and each package with its hash.

The base image is named by what the Dockerfile says of it; what it holds, a scanner of the built image can tell.
Format: https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from runfolio._version import __version__
from runfolio.deployments.images.locks import Package
from runfolio.deployments.source import Source


def make_sbom(source: Source, packages: Sequence[Package], epoch: int) -> bytes:
    """Write the document.

    Parameters
    ----------
    source : Source
    packages : sequence of Package
        Empty where there is no lock.
    epoch : int
        Seconds since the epoch, UTC: when it is said to have been made.
    """
    model = _model(source)
    components = [_package(item) for item in packages]
    made = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, source.digest + ''.join(item.sha256 for item in packages))}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "runfolio", "version": __version__}]},
            "component": model,
        },
        "components": components,
        "dependencies": [{"ref": model["bom-ref"], "dependsOn": [item["bom-ref"] for item in components]}],
    }
    return (json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _model(source: Source) -> dict[str, Any]:
    files = [
        {
            "type": "file",
            "bom-ref": f"model/{name}",
            "name": name,
            "hashes": [{"alg": "SHA-256", "content": entry.digest.removeprefix("sha256:")}],
        }
        for name, entry in sorted(source.files.items())
    ]
    told = {"runfolio:uri": source.uri, "runfolio:manifest": source.digest, "runfolio:run": source.run_id or ""}
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{source.name}@{source.version or source.digest[7:19]}",
        "name": source.name,
        "version": str(source.version or source.digest[7:19]),
        "hashes": [{"alg": "SHA-256", "content": source.digest.removeprefix("sha256:")}],
        "components": files,
        "properties": [{"name": name, "value": value} for name, value in told.items() if value],
    }


def _package(item: Package) -> dict[str, Any]:
    purl = f"pkg:pypi/{item.name}@{item.version}"
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": item.name,
        "version": item.version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": item.sha256}],
    }
    if item.license:
        made["licenses"] = [{"license": {"name": item.license}}]
    return made
