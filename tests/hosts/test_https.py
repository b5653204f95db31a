"""Real TLS on loopback: a certificate of one's own authority is refused in words, and taken once it is named."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runfolio.errors import RemoteError
from runfolio.hosts import Event, notify
from tests.hosts.conftest import Clock, actions, pull_event
from tests.hosts.conftest import Place as PlaceOf
from tests.hosts.github import GitHubStandIn

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with the program openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "cert.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(file.with_name("key.pem"))]
    subprocess.run(["openssl", "req", "-x509", "-days", "2", *names, *key, "-out", str(file)], check=True, capture_output=True)
    return file


@pytest.fixture
def secure(certificate: Path, tmp_path: Path, clock: Clock) -> Iterator[PlaceOf]:
    server = GitHubStandIn()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True, do_handshake_on_connect=False)
    with server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        yield PlaceOf(server, actions(url, tmp_path, pull_event()), clock)


def test_an_unknown_certificate_is_refused_at_once_and_gets_no_token(secure: PlaceOf) -> None:
    with pytest.raises(RemoteError, match=r"its certificate is not trusted: .*self.signed.*SSL_CERT_FILE names"):
        secure.host().upsert_comment(7, "review", ["text"], order=1)
    assert secure.server.requests == [] and secure.clock.waits == []
    with pytest.raises(RemoteError, match="its certificate is not trusted"):
        notify(secure.environ["GITHUB_API_URL"], Event("promotion", "x"), "s", patience=secure.clock.patience())
    assert secure.server.requests == [] and secure.clock.waits == []


def test_a_certificate_of_one_s_own_authority_is_named(
    secure: PlaceOf, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert secure.host().upsert_comment(7, "review", ["text"], order=1).action == "created"


def test_a_certificate_for_another_name_is_refused(secure: PlaceOf, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    other = secure.environ["GITHUB_API_URL"].replace("localhost", "127.0.0.1")
    with pytest.raises(RemoteError, match="its certificate is not trusted: .*mismatch"):
        secure.host(GITHUB_API_URL=other).upsert_comment(7, "review", ["text"], order=1)


def test_a_host_that_speaks_no_tls_is_told(github: PlaceOf) -> None:
    plain = github.server.url.replace("http://", "https://")
    with pytest.raises(RemoteError, match=r"could not .*(SSL|TLS|wrong version|record)"):
        github.host(GITHUB_API_URL=plain).upsert_comment(7, "review", ["text"], order=1)
