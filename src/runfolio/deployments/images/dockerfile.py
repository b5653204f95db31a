"""The Dockerfile of a model: packages in one stage, what serves in the other.

The base image is a build argument, so that a team builds on its own; written with its digest where that was given. Nothing is fetched
but the packages of the lock, by hash, from the index that the builder's pip knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from runfolio._dataclass import dataclass

PORT = 8080
USER = 10001
"""Not root, and no user of a base image."""

_TEMPLATE = """\
# {title}: made by runfolio, to be built as it is: docker build -t NAME .
# The base is yours to choose: --build-arg BASE_IMAGE=… (Debian or the like, with Python {python}).
ARG BASE_IMAGE={base}

FROM ${{BASE_IMAGE}} AS packages
ARG SOURCE_DATE_EPOCH={epoch}
ENV PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY {copied} ./
COPY wheels/ wheels/
RUN python3 -m venv /opt/venv \\
    && {install} \\
    && (/opt/venv/bin/python -m compileall -qq --invalidation-mode unchecked-hash /opt/venv/lib || true)
COPY inside.py runfolio-manifest.json /opt/runfolio/
COPY model/ /opt/ml/model/
ENV RUNFOLIO_MODEL_DIGEST={digest}
RUN python3 /opt/runfolio/inside.py verify

FROM ${{BASE_IMAGE}}
LABEL {labels}
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /opt/runfolio /opt/runfolio
COPY sbom.cdx.json {copied} /opt/runfolio/
COPY --from=packages /opt/ml/model /opt/ml/model
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp RUNFOLIO_MODEL_DIGEST={digest}
WORKDIR /tmp
USER {user}:{user}
EXPOSE {port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/opt/venv/bin/python", "/opt/runfolio/inside.py", "health"]
ENTRYPOINT ["/opt/venv/bin/python", "/opt/runfolio/inside.py"]
CMD ["serve"]
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a Dockerfile is made of.

    Parameters
    ----------
    title : str
    base : str
        Base image, with its digest where it is known.
    python : str
    epoch : int
        Seconds since the epoch: the time that files of the image bear.
    digest : str
        Of the model's manifest.
    locked : bool
        Whether each package's hash is known.
    offline : bool
        Whether all wheels are in the context.
    labels : Mapping of str to str
    """

    title: str
    base: str
    python: str
    epoch: int
    digest: str
    locked: bool
    offline: bool
    labels: Mapping[str, str]


def make_dockerfile(facts: Facts) -> str:
    """Write the Dockerfile."""
    copied = "requirements.lock" if facts.locked else "requirements.txt"
    options = ["--no-cache-dir", "--no-compile", "--find-links", "/build/wheels", "-r", copied]
    if facts.locked:
        options = ["--require-hashes", "--only-binary", ":all:", *options]
    if facts.offline:
        options.insert(0, "--no-index")
    labels = " \\\n      ".join(f"{key}={_quoted(value)}" for key, value in sorted(facts.labels.items()) if value)
    return _TEMPLATE.format(
        title=" ".join(facts.title.split()), base=facts.base, python=facts.python, epoch=facts.epoch, digest=facts.digest, copied=copied,
        install=f"/opt/venv/bin/pip install {' '.join(options)}", labels=labels, user=USER, port=PORT,
    )  # fmt: skip


def _quoted(text: str) -> str:
    """Quote a label's value: in a Dockerfile ``$`` starts a variable, also in quotes."""
    return json.dumps(text, ensure_ascii=False).replace("$", "\\$")
