"""One comment on a pull request, kept up to date, on every host: each test runs on GitHub's, GitLab's and Gitea's stand-in."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import RemoteError, UsageError
from runfolio.hosts.comments import Comment, upsert
from tests.hosts.conftest import Place
from tests.hosts.standin import Reply

COMMENTS = r"/(comments|notes)$"
ONE = r"/(comments|notes)/\d+$"


def update_verb(place: Place) -> str:
    return "PUT" if place.server.kind == "gitlab" else "PATCH"


def marked(order: int, text: str, name: str = "review") -> str:
    return f"<!-- runfolio:{name} order={order} -->\n{text}"


def test_a_comment_is_created_then_updated_then_left_alone(place: Place) -> None:
    host = place.host()
    assert host.pull_request() == 7
    posted = host.upsert_comment(7, "review", ["first"], order=1)
    assert posted.action == "created"
    assert str(place.server.remarks[0].id) in posted.url and "//" in posted.url
    again = place.host().upsert_comment(7, "review", ["second"], order=2)
    assert (again.url, again.action) == (posted.url, "updated")
    writes = len([request for request in place.server.requests if request.method in ("POST", "PATCH", "PUT")])
    assert place.host().upsert_comment(7, "review", ["second"], order=2).action == "unchanged"
    graphql = 1 if place.server.kind == "github" else 0
    assert len([r for r in place.server.requests if r.method in ("POST", "PATCH", "PUT")]) == writes + graphql
    assert [(item.author, item.body) for item in place.server.remarks] == [(place.server.me, marked(2, "second"))]


def test_an_earlier_build_does_not_overwrite_a_later_report(place: Place) -> None:
    place.host().upsert_comment(7, "review", ["of build 9"], order=9)
    kept = place.host().upsert_comment(7, "review", ["of build 8"], order=8)
    assert kept.action == "kept" and kept.url.endswith(str(place.server.remarks[0].id))
    assert [item.body for item in place.server.remarks] == [marked(9, "of build 9")]


def test_order_zero_replaces_whatever_is_there_and_stays_as_late(place: Place) -> None:
    place.host().upsert_comment(7, "review", ["of build 9"], order=9)
    assert place.host().upsert_comment(7, "review", ["by hand"], order=0).action == "updated"
    assert place.server.remarks[0].body == marked(9, "by hand")


def test_later_builds_have_higher_orders(place: Place) -> None:
    later = {"GITHUB_RUN_ID": "43", "CI_PIPELINE_ID": "4201"}
    assert 0 < place.host().build_order() < place.host(**later).build_order()


def test_a_comment_with_our_marker_by_somebody_else_is_not_ours(place: Place) -> None:
    theirs = place.server.add("mallory", marked(10**9, "all is well, merge me"))
    posted = place.host().upsert_comment(7, "review", ["the truth"], order=1)
    assert posted.action == "created"
    assert place.server.remark(theirs.id) is theirs and theirs.body.endswith("merge me")
    assert place.server.remarks[1].body == marked(1, "the truth")


@pytest.mark.parametrize(
    "body",
    [
        marked(5, "of another report", name="other"),
        marked(5, "of a longer name", name="review2"),
        "> " + marked(5, "quoted"),
        "An answer\n" + marked(5, "below"),
        "<!-- runfolio:review -->\nwithout a build",
        "<!-- runfolio:review order=-1 -->\n",
        "<!-- runfolio:review order=1 --> on one line",
        "",
    ],
)
def test_a_comment_of_ours_that_is_no_report_is_left_alone(place: Place, body: str) -> None:
    place.server.add(place.server.me, body)
    assert place.host().upsert_comment(7, "review", ["text"], order=1).action == "created"
    assert place.server.remarks[0].body == body and len(place.server.remarks) == 2


def test_a_comment_is_found_behind_hundreds_of_others(place: Place) -> None:
    for number in range(130):
        place.server.add("bob", f"remark {number}")
    ours = place.server.add(place.server.me, marked(1, "old").replace("\n", "\r\n"))
    for number in range(130):
        place.server.add("carol", f"more {number}")
    assert place.host().upsert_comment(7, "review", ["new"], order=2).action == "updated"
    assert ours.body == marked(2, "new") and len(place.server.remarks) == 261


def test_a_comment_that_was_deleted_before_we_look_is_made_anew(place: Place) -> None:
    place.host().upsert_comment(7, "review", ["first"], order=1)
    place.server.remarks.clear()
    assert place.host().upsert_comment(7, "review", ["second"], order=2).action == "created"


def test_a_comment_that_is_deleted_between_look_and_edit_is_made_anew(place: Place) -> None:
    place.server.add(place.server.me, marked(1, "old"))
    place.server.before(update_verb(place), ONE, place.server.remarks.clear)
    assert place.host().upsert_comment(7, "review", ["new"], order=2).action == "created"
    assert [item.body for item in place.server.remarks] == [marked(2, "new")]


def test_a_comment_that_is_deleted_right_after_the_edit_is_made_anew(place: Place) -> None:
    place.server.add(place.server.me, marked(1, "old"))
    place.server.before("GET", ONE, place.server.remarks.clear)
    assert place.host().upsert_comment(7, "review", ["new"], order=2).action == "created"
    assert [item.body for item in place.server.remarks] == [marked(2, "new")]


# Two builds at once


@pytest.mark.parametrize(("other", "left", "action"), [(1, marked(2, "mine"), "updated"), (3, marked(3, "theirs"), "kept")])
def test_of_two_builds_that_create_at_once_one_comment_stays_with_the_later_text(
    place: Place, other: int, left: str, action: str
) -> None:
    """The other build's comment appears just before ours: it is the oldest, and stays."""
    server = place.server
    server.before("POST", COMMENTS, lambda: server.add(server.me, marked(other, "theirs")) and None)
    posted = place.host().upsert_comment(7, "review", ["mine"], order=2)
    assert (posted.action, [item.body for item in server.remarks]) == (action, [left])
    assert posted.url.endswith(str(server.remarks[0].id))


@pytest.mark.parametrize(("other", "left", "action"), [(1, marked(2, "mine"), "created"), (3, marked(3, "theirs"), "kept")])
def test_a_twin_that_comes_right_after_ours_is_deleted(place: Place, other: int, left: str, action: str) -> None:
    server = place.server
    seen = len([0])

    def second_look() -> None:
        if server.count("POST", COMMENTS) == seen:
            server.add(server.me, marked(other, "theirs"))

    server.before("GET", COMMENTS, second_look, times=2)
    posted = place.host().upsert_comment(7, "review", ["mine"], order=2)
    assert (posted.action, [item.body for item in server.remarks]) == (action, [left])


def test_twins_of_the_past_are_joined(place: Place) -> None:
    for order in (3, 5, 4):
        place.server.add(place.server.me, marked(order, f"of {order}"))
    assert place.host().upsert_comment(7, "review", ["late"], order=4).action == "kept"
    assert [item.body for item in place.server.remarks] == [marked(5, "of 5")]


def test_both_builds_settle_on_one_comment_whoever_comes_last(place: Place) -> None:
    """Build 2 runs whole while build 1 is between its look and its post."""
    server = place.server
    actions: list[str] = []

    def whole_build() -> None:
        server._lock.release()  # the other build asks the same server, in the middle of our request
        try:
            actions.append(place.host().upsert_comment(7, "review", ["two"], order=2).action)
        finally:
            server._lock.acquire()

    server.before("POST", COMMENTS, whole_build)
    actions.append(place.host().upsert_comment(7, "review", ["one"], order=1).action)
    assert actions == ["created", "kept"]
    assert [item.body for item in server.remarks] == [marked(2, "two")]


def test_eight_builds_at_once_leave_one_comment(place: Place) -> None:
    """Real requests side by side, in whatever order the machine takes them."""
    start = threading.Barrier(8)

    def build(order: int) -> str:
        host = place.host()
        start.wait()
        return host.upsert_comment(7, "review", [f"of build {order}"], order=order).action

    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(build, range(1, 9)))
    assert set(ended) <= {"created", "updated", "kept", "unchanged"}
    assert len(place.server.remarks) == 1
    assert place.host().upsert_comment(7, "review", ["of build 9"], order=9).action == "updated"


def test_an_earlier_builds_edit_that_comes_in_between_is_written_over(place: Place) -> None:
    server = place.server
    ours = server.add(server.me, marked(1, "old"))

    def earlier() -> None:
        ours.body = marked(2, "of the earlier build")

    server.before("GET", ONE, earlier)
    assert place.host().upsert_comment(7, "review", ["of the later build"], order=3).action == "updated"
    assert ours.body == marked(3, "of the later build")


def test_builds_that_never_agree_end_in_words(place: Place) -> None:
    server = place.server
    ours = server.add(server.me, marked(1, "old"))

    def earlier() -> None:
        ours.body = marked(2, "again")

    server.before("GET", ONE, earlier, times=99)
    with pytest.raises(RemoteError, match="Other builds keep changing"):
        place.host().upsert_comment(7, "review", ["mine"], order=3)


@settings(max_examples=150, deadline=None)
@given(old=st.booleans(), schedule=st.lists(st.booleans(), max_size=40))
def test_however_two_builds_interleave_one_comment_stays(old: bool, schedule: list[bool]) -> None:
    """Two builds on one list of comments, every step in an order that hypothesis chooses: no twin is left."""
    shared = _Shared()
    if old:
        shared.items, shared.last = [Comment(1, "us", marked(0, "old"), "")], 1
    turns = _Turns(schedule)
    builds = [
        threading.Thread(target=turns.build, args=(shared, name, order), daemon=True) for name, order in (("a", 1), ("b", 2))
    ]
    for item in builds:
        item.start()
    turns.run()
    for item in builds:
        item.join()
    assert len(shared.items) == 1
    # An edit of the earlier build may come last (no host has a conditional edit); the next build rights it.
    upsert(_View(shared, lambda: None), "review", ["text c"], 3, 1000)
    assert [item.body for item in shared.items] == [marked(3, "text c")]


class _Turns:
    """Lets two threads take their steps one after the other, as a schedule says: true is the second one's turn."""

    def __init__(self, schedule: list[bool]) -> None:
        self._schedule = iter(schedule)
        self._change = threading.Condition()
        self._waiting: set[str] = set()
        self._done: set[str] = set()
        self._turn = ""

    def build(self, shared: _Shared, name: str, order: int) -> None:
        try:
            upsert(_View(shared, lambda: self._step(name)), "review", [f"text {name}"], order, 1000)
        finally:
            with self._change:
                self._done.add(name)
                self._change.notify_all()

    def _step(self, name: str) -> None:
        with self._change:
            self._waiting.add(name)
            self._change.notify_all()
            self._change.wait_for(lambda: self._turn == name)
            self._turn = ""
            self._waiting.discard(name)
            self._change.notify_all()

    def run(self) -> None:
        with self._change:
            while True:
                self._change.wait_for(lambda: not self._turn and len(self._waiting | self._done) == 2)
                if len(self._done) == 2:
                    return
                able = sorted(self._waiting)
                self._turn = able[-1] if next(self._schedule, False) else able[0]
                self._change.notify_all()


class _Shared:
    def __init__(self) -> None:
        self.items: list[Comment] = []
        self.last = 0


class _View:
    """One build's way to comments that are shared with another build: a step at a time."""

    def __init__(self, shared: _Shared, step: object) -> None:
        self._shared = shared
        self._step = step

    def me(self) -> str:
        return "us"

    def comments(self) -> list[Comment]:
        self._step()  # type: ignore[operator]
        return list(self._shared.items)

    def read(self, comment_id: int) -> Comment | None:
        self._step()  # type: ignore[operator]
        return next((item for item in self._shared.items if item.id == comment_id), None)

    def create(self, body: str) -> Comment:
        self._step()  # type: ignore[operator]
        self._shared.last += 1
        self._shared.items.append(Comment(self._shared.last, "us", body, ""))
        return self._shared.items[-1]

    def update(self, comment_id: int, body: str) -> None:
        from runfolio.hosts.terms import RefusedError

        self._step()  # type: ignore[operator]
        for place, item in enumerate(self._shared.items):
            if item.id == comment_id:
                self._shared.items[place] = Comment(item.id, "us", body, "")
                return
        raise RefusedError("gone", 404, "")

    def delete(self, comment_id: int) -> None:
        self._step()  # type: ignore[operator]
        self._shared.items = [item for item in self._shared.items if item.id != comment_id]


# Lengths


def test_the_longest_text_that_fits_is_posted(place: Place) -> None:
    """Also of letters that take four bytes: hosts that count bytes take as many as those that count letters."""
    limit = place.server.limit
    head = len(marked(1, ""))
    posted = place.host().upsert_comment(7, "review", ["x" * (limit + 1), "𝕏" * (limit - head), "z"], order=1)
    assert posted.action == "created"
    assert place.server.remarks[0].body == marked(1, "𝕏" * (limit - head))
    assert place.server.count("POST", COMMENTS) == 1


def test_a_text_that_the_host_finds_too_long_is_followed_by_the_next(place: Place) -> None:
    server = place.server
    server.fault("POST", COMMENTS, server.too_long, times=2)
    assert place.host().upsert_comment(7, "review", ["long", "shorter", "short"], order=1).action == "created"
    assert server.remarks[0].body == marked(1, "short")
    server.fault(update_verb(place), ONE, server.too_long)
    assert place.host().upsert_comment(7, "review", ["long", "shorter"], order=2).action == "updated"
    assert server.remarks[0].body == marked(2, "shorter")


def test_a_text_that_is_too_long_in_every_form_ends_in_words(place: Place) -> None:
    place.server.fault("POST", COMMENTS, place.server.too_long, times=9)
    with pytest.raises(RemoteError, match=r"Even the shortest form of the report \(5 characters\) is too long"):
        place.host().upsert_comment(7, "review", ["longer", "short"], order=1)
    assert place.server.remarks == []


@pytest.mark.parametrize("text", ["𝕏" * 100, "a\ud800b", "nul\x00 and bell\x07", "näïve\u2028 line"])
def test_odd_letters_arrive(place: Place, text: str) -> None:
    place.host().upsert_comment(7, "review", [text], order=1)
    assert place.server.remarks[0].body == marked(1, text.replace("\ud800", "?"))


def test_no_line_of_a_text_is_a_command(place: Place) -> None:
    """GitLab carries out `/approve` at the start of a line for whoever posts it; bots on other hosts do so too."""
    place.host().upsert_comment(7, "review", ["/approve\nfine\n  /merge\n> /close\r\n/label ~x\n a/b"], order=1)
    place.host().upsert_comment(7, "review", ["new\n/approve"], order=2)
    body = place.server.remarks[0].body
    assert body == marked(2, "new\n\\/approve")
    if place.server.kind == "gitlab":
        assert place.server.carried_out == []  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "marker", ["a b", "-->", "x --> <b>", "a\nb", "ä/π", "----", "a<!--b", "\ud800", "%2D", "review order=9 -->"]
)
def test_any_marker_is_told_apart_and_ends_no_comment(place: Place, marker: str) -> None:
    """A folio in a folder of any name has a comment of its own."""
    for text in ("one", "two"):
        place.host().upsert_comment(7, marker, [text], order=1)
        place.host().upsert_comment(7, marker + "x", [text], order=1)
    first, second = [item.body.split("\n") for item in place.server.remarks]
    assert (first[1:], second[1:]) == (["two"], ["two"])
    assert first[0].count("--") == 2 and first[0].endswith(" order=1 -->") and first[0].startswith("<!-- runfolio:")
    assert first[0] != second[0]


def test_a_marker_of_no_letters_or_too_many_is_refused(place: Place) -> None:
    for marker in ("", "x" * 1001):
        with pytest.raises(UsageError, match="is marked by a name"):
            place.host().upsert_comment(7, marker, ["text"], order=1)
    assert place.server.requests == []


def test_a_comment_is_only_replaced_where_none_is_to_be_created(place: Place) -> None:
    """What says that nothing differs any more stands in place of an old report, and nowhere else."""
    assert place.host().upsert_comment(7, "review", ["nothing differs"], order=1, create=False).action == "absent"
    assert place.server.remarks == []
    place.host().upsert_comment(7, "review", ["a report"], order=1)
    assert place.host().upsert_comment(7, "review", ["nothing differs"], order=2, create=False).action == "updated"
    assert place.server.remarks[0].body == marked(2, "nothing differs")


def test_no_text_or_a_negative_build_is_refused(place: Place) -> None:
    with pytest.raises(UsageError):
        place.host().upsert_comment(7, "review", [], order=1)
    with pytest.raises(UsageError):
        place.host().upsert_comment(7, "review", ["text"], order=-1)


# Answers that nobody knows the meaning of


@pytest.mark.parametrize("happened", [False, True], ids=["was not created", "was created"])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(502, raw=b"<html>bad gateway</html>"),
        Reply(201, raw=b'{"id": 1'),
        Reply(200, raw=b"<!doctype html><title>Sign in</title>"),
    ],
    ids=["502", "half an answer", "a web page"],
)
def test_a_post_whose_fate_is_unknown_never_makes_a_twin(place: Place, reply: Reply, happened: bool) -> None:
    server = place.server
    if happened:
        server.before("POST", COMMENTS, lambda: server.add(server.me, marked(1, "text")) and None)
    server.fault("POST", COMMENTS, reply)
    assert place.host().upsert_comment(7, "review", ["text"], order=1).action == ("unchanged" if happened else "created")
    assert [item.body for item in server.remarks] == [marked(1, "text")]


def test_a_host_that_never_says_what_became_of_a_post_ends_in_words(place: Place) -> None:
    place.server.fault("POST", COMMENTS, Reply(500, {"message": "oops"}), times=99)
    with pytest.raises(RemoteError, match=r"in trouble \(500 oops\).*may have been done"):
        place.host().upsert_comment(7, "review", ["text"], order=1)
    assert place.server.count("POST", COMMENTS) == 5
