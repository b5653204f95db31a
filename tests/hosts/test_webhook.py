"""A signed notification: what arrives, what is refused, what is never shown."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import pytest

from runfolio.errors import RemoteError, UsageError
from runfolio.hosts import Event, find_webhook, notify
from runfolio.hosts.webhook import Webhook, is_genuine, notify_all
from tests.hosts.conftest import Clock
from tests.hosts.standin import Reply, Request, StandIn

PROMOTED = Event("promotion", "wine 3 is in Production", {"model": "wine", "version": 3, "stage": "Production"})


class Receiver(StandIn):
    """A server that takes events, and keeps their bytes as they came."""

    def answer(self, request: Request) -> Reply:
        return Reply(200, raw=b"ok")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        assert isinstance(server, Receiver)
        yield server


def test_an_event_arrives_signed(receiver: Receiver, clock: Clock) -> None:
    notify(f"{receiver.origin}/hooks/wine", PROMOTED, "s3cret", patience=clock.patience())
    (request,) = receiver.requests
    assert (request.method, request.path, request.headers["x-runfolio-event"]) == ("POST", "/hooks/wine", "promotion")
    assert request.headers["content-type"].startswith("application/json")
    said = request.body
    assert (said["schema"], said["event"], said["text"], said["data"]["version"]) == (
        1,
        "promotion",
        "wine 3 is in Production",
        3,
    )
    stamp = request.headers["x-runfolio-timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    expected = hmac.new(b"s3cret", f"{stamp}.".encode() + request.raw, hashlib.sha256).hexdigest()
    assert request.headers["x-runfolio-signature-256"] == f"sha256={expected}"
    assert said["sent_at"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(stamp)))
    assert "s3cret" not in str(request.headers) + str(said)


def test_a_receiver_tells_the_genuine_from_the_forged(receiver: Receiver, clock: Clock) -> None:
    notify(receiver.origin, PROMOTED, "s3cret", patience=clock.patience())
    headers, body = receiver.requests[0].headers, receiver.requests[0].raw
    now = float(headers["x-runfolio-timestamp"])
    assert is_genuine(headers, body, "s3cret", now) and is_genuine(headers, body, "s3cret")
    assert not is_genuine(headers, body + b" ", "s3cret", now)
    assert not is_genuine(headers, body, "other", now)
    assert not is_genuine(headers, body, "", now)
    assert not is_genuine(headers, body, "s3cret", now + 301)
    assert not is_genuine({**headers, "x-runfolio-timestamp": str(int(now) + 1)}, body, "s3cret", now)
    assert not is_genuine({**headers, "x-runfolio-signature-256": "sha256=ä"}, body, "s3cret", now)
    assert not is_genuine({**headers, "x-runfolio-timestamp": "²"}, body, "s3cret", now)
    assert not is_genuine({}, body, "s3cret", now)


def test_without_a_secret_nothing_is_signed(receiver: Receiver, clock: Clock) -> None:
    notify(receiver.origin, PROMOTED, patience=clock.patience())
    assert "x-runfolio-signature-256" not in receiver.requests[0].headers


def test_a_busy_receiver_is_told_again_under_the_same_delivery(receiver: Receiver, clock: Clock) -> None:
    receiver.fault("POST", "/", Reply(503), Reply(429, headers={"Retry-After": "9"}), Reply(500))
    notify(f"{receiver.origin}/", PROMOTED, "s3cret", patience=clock.patience())
    assert len(receiver.requests) == 4 and clock.waits[1] == 9
    assert len({request.headers["x-runfolio-delivery"] for request in receiver.requests}) == 1
    assert all(is_genuine(request.headers, request.raw, "s3cret") for request in receiver.requests)


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ([Reply(404, {"message": "no such hook"})], "refused the promotion: 404 no such hook. Is its address right?"),
        ([Reply(302, headers={"Location": "https://evil.example/"})], "refused the promotion: 302. No redirect is followed"),
        ([Reply(503)] * 9, "did not take the promotion: 503. It was not told"),
        ([Reply(429, headers={"Retry-After": "9999"})], "did not take the promotion: 429"),
        ([Reply(200, raw=b"o", promised=100)] * 9, "broke off after 1 of 100 bytes"),
    ],
)
def test_what_was_not_taken_is_told(receiver: Receiver, clock: Clock, replies: list[Reply], words: str) -> None:
    receiver.fault("POST", "/", *replies)
    with pytest.raises(RemoteError) as caught:
        notify(f"{receiver.origin}/services/T0/B0/top-secret-path", PROMOTED, "s3cret", patience=clock.patience())
    assert words in caught.value.message
    assert "top-secret-path" not in caught.value.message and "s3cret" not in caught.value.message


def test_a_receiver_that_hangs_or_is_not_there_is_told(receiver: Receiver, clock: Clock) -> None:
    receiver.fault("POST", "/", Reply(hang=True), times=2)
    with pytest.raises(RemoteError, match="no answer within"):
        notify(f"{receiver.origin}/", PROMOTED, patience=clock.patience(tries=2, timeout_s=0.2))
    with pytest.raises(RemoteError, match="refused"):
        notify("http://127.0.0.1:1/", PROMOTED, patience=clock.patience())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.org/x", "is not https"),
        ("http://127.0.0.1.evil.org/x", "is not https"),
        ("ftp://hooks.example.org/x", "is not https"),
        ("file:///etc/passwd", "no address"),
        ("https://user:pw@hooks.example.org/x", "no address"),
        ("https://hooks.example.org/a b", "no address"),
        ("https://hooks.example.org/\n", "no address"),
        ("hooks.example.org", "no address"),
        ("", "no address"),
    ],
)
def test_an_address_that_is_not_safe_is_refused(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        notify(url, PROMOTED, "s3cret")
    assert "pw" not in caught.value.message


def test_names_mention_nobody_in_a_chat(receiver: Receiver, clock: Clock) -> None:
    event = Event("promotion", "<!channel> & <https://evil|click>\n\u202edrow", {"model": "<!here>"})
    notify(receiver.origin, event, patience=clock.patience())
    said = receiver.requests[0].body
    assert said["text"] == "&lt;!channel&gt; &amp; &lt;https://evil|click&gt; \\u202edrow"
    assert said["data"] == {"model": "<!here>"}


def test_address_and_secret_come_from_the_environment_or_from_git(receiver: Receiver) -> None:
    settings = {"webhook": "https://git.example/hook", "webhookSecret": "of-git"}
    env = {"RUNFOLIO_WEBHOOK": " https://env.example/hook\n"}
    assert find_webhook({}) is None and find_webhook({}, {}.get) is None
    assert find_webhook({}, settings.get) == Webhook("https://git.example/hook", "of-git")
    assert find_webhook({**env, "RUNFOLIO_WEBHOOK_SECRET": "of-env"}, settings.get) == Webhook(
        "https://env.example/hook", "of-env"
    )
    # The secret of one place never signs for the other.
    assert find_webhook(env, settings.get) == Webhook("https://env.example/hook", "")
    assert find_webhook({"RUNFOLIO_WEBHOOK_SECRET": "of-env"}, settings.get) == Webhook("https://git.example/hook", "of-git")
    assert find_webhook({}, {"webhook": "https://git.example/hook"}.get) == Webhook("https://git.example/hook", "")


def test_a_webhook_is_not_shown() -> None:
    shown = repr(Webhook("https://hooks.example.org/services/secret-path", "s3cret"))
    assert shown == "Webhook('https://hooks.example.org/…')"


def test_the_body_is_plain_json(receiver: Receiver, clock: Clock) -> None:
    notify(receiver.origin, Event("regression", "accuracy fell: 0.91 → 0.88 \ud800"), patience=clock.patience())
    assert json.loads(receiver.requests[0].raw)["text"].startswith("accuracy fell: 0.91 → 0.88")


def _events(*names: str) -> list[Event]:
    return [Event("promotion", f"{name} 3 is in Production", {"model": name}) for name in names]


def test_a_refused_event_does_not_keep_the_others_back(receiver: Receiver, clock: Clock) -> None:
    receiver.fault("POST", "/", Reply(422, {"message": "422 unknown channel"}))
    with pytest.raises(RemoteError) as caught:
        notify_all(f"{receiver.origin}/", _events("wine", "beer", "tea"), patience=clock.patience())
    assert [request.body["data"]["model"] for request in receiver.requests] == ["wine", "beer", "tea"]
    first, *others = caught.value.message.splitlines()
    assert first == "2 of 3 events sent; not:" and caught.value.exit_code == 19
    assert len(others) == 1 and "wine 3 is in Production: The webhook at" in others[0] and ": 422 unknown channel." in others[0]


def test_a_receiver_that_is_away_is_waited_for_once(receiver: Receiver, clock: Clock) -> None:
    receiver.fault("POST", "/", *(Reply(503) for _ in range(9)))
    with pytest.raises(RemoteError, match=r"1 of 6 events sent; not:"):
        notify_all(f"{receiver.origin}/", _events(*"abcdef"), patience=clock.patience())
    assert [request.body["data"]["model"] for request in receiver.requests] == [*"aaaaa", *"bcdef"]


def test_one_event_fails_in_its_own_words(receiver: Receiver, clock: Clock) -> None:
    receiver.fault("POST", "/", Reply(404))
    with pytest.raises(RemoteError, match=r"^The webhook at .* refused the promotion: 404\. Is its address right\?"):
        notify_all(f"{receiver.origin}/", _events("wine"), patience=clock.patience())
