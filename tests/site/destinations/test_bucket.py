"""Publishing to a real S3 server: order, headers, what is sent, and what a killed publish leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import obstore
import pytest

from runfolio.errors import StateError
from runfolio.objects import open_bucket
from runfolio.site.destinations import publish_to_bucket
from runfolio.site.destinations.contents import LIST, cache_control, media_type, rank
from tests.objects.s3 import FaultProxy, Faults, client
from tests.site.destinations.conftest import Sites
from tests.site.destinations.links import broken


def held(endpoint: str, bucket: str) -> dict[str, bytes]:
    store = client(endpoint, bucket)
    names = [item["path"] for batch in obstore.list(store) for item in batch]
    return {name: bytes(obstore.get(store, name).bytes()) for name in names}


def place(endpoint: str, bucket: str) -> str:
    return f"s3://{bucket}?endpoint={endpoint}"


def test_only_what_changed_is_sent_in_order_and_what_is_gone_goes_after_a_while(
    sites: Sites, s3_endpoint: str, s3_bucket: str
) -> None:
    with FaultProxy(s3_endpoint, Faults()) as proxy:
        bucket = open_bucket(place(proxy.endpoint, s3_bucket))
        assert publish_to_bucket(sites.before, bucket, now_ms=0).sent == len(sites.before.files)
        proxy.faults.requests.clear()
        done = publish_to_bucket(sites.after, bucket, now_ms=1000)
        assert 0 < done.sent < len(sites.after.files) and done.removed == 0
        put = [request.split(f"/{s3_bucket}/")[1] for request in proxy.faults.requests if request.startswith("PUT")]
        assert put[0] == put[-1] == LIST
        ranks = [rank(path, sites.before.files) for path in put[1:-1]]
        assert ranks == sorted(ranks) and set(ranks) == {0, 1, 2, 3}
        gone = sites.before.files.keys() - sites.after.files.keys()
        assert gone and gone <= held(s3_endpoint, s3_bucket).keys()
        proxy.faults.requests.clear()
        assert publish_to_bucket(sites.after, bucket, now_ms=2000).sent == 0
        assert len(proxy.faults.requests) == 1  # one look at the list is all that it takes
        assert publish_to_bucket(sites.after, bucket, now_ms=1_000_000).removed == len(gone)
    shown = held(s3_endpoint, s3_bucket)
    assert shown.keys() == {*sites.after.files, LIST} and not broken(shown)
    assert json.loads(shown[LIST]) == {"version": 1, "files": sites.after.digests()}


def test_types_and_cache_headers_are_right_and_no_artifact_can_be_executed(
    sites: Sites, s3_endpoint: str, s3_bucket: str
) -> None:
    publish_to_bucket(sites.after, open_bucket(place(s3_endpoint, s3_bucket)), "team/folio")
    store = client(s3_endpoint, s3_bucket)
    seen = {}
    for path in sites.after.files:
        attributes = obstore.get(store, f"team/folio/{path}").attributes
        seen[path] = (attributes["Content-Type"], attributes["Cache-Control"])
    assert seen["index.html"] == ("text/html; charset=utf-8", "no-cache")
    assert all("immutable" in control for path, (_, control) in seen.items() if path.startswith(("assets/", "artifacts/")))
    notes = {kind for path, (kind, _) in seen.items() if path.startswith("artifacts/")}
    assert notes == {"text/plain; charset=utf-8"}  # the artifact is called notes.html


@pytest.mark.parametrize(
    ("path", "kind", "control"),
    [
        ("artifacts/ab/abcdef012345.html", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("artifacts/ab/abcdef012345.svg", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("artifacts/ab/abcdef012345.png", "image/png", "public, max-age=31536000, immutable"),
        ("data/build.js", "text/javascript; charset=utf-8", "no-cache"),
        ("data/r/0.846dedd9.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("feed.xml", "application/atom+xml; charset=utf-8", "no-cache"),
        ("no-ending", "application/octet-stream", "no-cache"),
    ],
)
def test_a_table_of_types(path: str, kind: str, control: str) -> None:
    assert (media_type(path), cache_control(path)) == (kind, control)


def test_a_bucket_with_a_site_of_somebody_else_is_refused(sites: Sites, s3_endpoint: str, s3_bucket: str) -> None:
    obstore.put(client(s3_endpoint, s3_bucket), "index.html", b"mine")
    with pytest.raises(StateError, match="was not published by runfolio"):
        publish_to_bucket(sites.before, open_bucket(place(s3_endpoint, s3_bucket)))
    assert held(s3_endpoint, s3_bucket) == {"index.html": b"mine"}


def test_what_lies_beside_the_site_is_kept(sites: Sites, s3_endpoint: str, s3_bucket: str) -> None:
    obstore.put(client(s3_endpoint, s3_bucket), "other/page.html", b"mine")
    bucket = open_bucket(place(s3_endpoint, s3_bucket))
    publish_to_bucket(sites.before, bucket, grace_s=0)
    publish_to_bucket(sites.after, bucket, grace_s=0)
    assert held(s3_endpoint, s3_bucket).keys() == {*sites.after.files, LIST, "other/page.html"}


class KillingProxy(FaultProxy):
    """Kills a process as its n-th PUT comes by."""

    def __init__(self, endpoint: str, at: int) -> None:
        super().__init__(endpoint, Faults())
        self.at, self.process, self.puts = at, None, 0

    def _choose(self, head: bytes) -> str:
        with self._lock:
            self.puts += head.startswith(b"PUT")
            if self.process is not None and self.puts == self.at:
                os.kill(self.process.pid, signal.SIGKILL)
                return "drop"
        return super()._choose(head)


@pytest.mark.parametrize("at", [1, 2, 9, 20, 26])
def test_a_killed_publish_breaks_no_page_and_the_next_one_cleans_up(
    sites: Sites, s3_endpoint: str, s3_bucket: str, at: int
) -> None:
    publish_to_bucket(sites.before, open_bucket(place(s3_endpoint, s3_bucket)))
    with KillingProxy(s3_endpoint, at) as proxy:
        command = [sys.executable, "-m", "runfolio", "-C", str(sites.repo), "site", "publish", "--site", str(sites.after.folder)]
        proxy.process = subprocess.Popen([*command, place(proxy.endpoint, s3_bucket)], stdout=subprocess.DEVNULL)
        assert proxy.process.wait() == -signal.SIGKILL
    assert not broken(held(s3_endpoint, s3_bucket))
    publish_to_bucket(sites.before, open_bucket(place(s3_endpoint, s3_bucket)), grace_s=0)
    shown = held(s3_endpoint, s3_bucket)
    assert shown.keys() == {*sites.before.files, LIST}
    assert all(shown[path] == (Path(sites.before.folder) / path).read_bytes() for path in sites.before.files)
