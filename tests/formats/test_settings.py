"""formats/settings.py and formats/durations.py: what a team decided."""

from __future__ import annotations

import pytest

from runfolio.errors import DamagedError, NewerSchemaError, UsageError
from runfolio.formats.settings import decode_settings, initial_settings, parse_duration
from runfolio.records import Objective
from runfolio.records.settings import RetentionRule, ReviewSettings, Settings

FULL = b"""\
schema: 1
artifacts: s3://bucket/prefix
records: {branch: runfolio/records}
commit: {when: batch, batch: 50, author: "Robot <robot@example.org>", hooks: true, sign: true}
durability: power-each
capture: {code: false, untracked_max_bytes: 0, arguments: false, packages: false, platform: false, user: false, host: true,
  notebook: false}
redact: {patterns: ['AKIA[0-9A-Z]{16}'], keys: [pin]}
retention:
  - {filter: "attributes.status = 'FAILED'", older_than: 90d, action: delete}
objectives:
  "*": {metric: accuracy}
  wine: {metric: loss, direction: min, replicate: fold}
system_metrics: {enabled: true, interval_s: 5}
sync: {remote: upstream}
site: {title: Ours, base_url: "https://a.example.org/x", artifacts: {publish: ["*.png"]}, charts: [{title: t}], run_pages: 3}
review: {sections: [alarms, verdict], rows: 5, runs: 3, quiet: false, limit: 2000, baseline: live, fail_on: [regression]}
"""


def test_two_lines_are_enough() -> None:
    assert decode_settings(b"schema: 1\n", "runfolio.yaml") == Settings()


def test_every_field_is_read() -> None:
    read = decode_settings(FULL, "runfolio.yaml")
    assert read.artifacts == "s3://bucket/prefix"
    assert read.records.branch == "runfolio/records"
    assert (read.commit.when, read.commit.batch, read.commit.author, read.commit.hooks, read.commit.sign) == (
        "batch",
        50,
        "Robot <robot@example.org>",
        True,
        True,
    )
    assert read.durability == "power-each"
    assert not read.capture.code and read.capture.host and read.capture.untracked_max_bytes == 0
    assert (read.redact.patterns, read.redact.keys) == (("AKIA[0-9A-Z]{16}",), ("pin",))
    assert read.retention == (RetentionRule("attributes.status = 'FAILED'", 90 * 86_400),)
    assert read.objective("wine") == Objective("loss", "min", "fold")
    assert read.objective("other") == Objective("accuracy")
    assert (read.system_metrics.enabled, read.system_metrics.interval_s, read.remote) == (True, 5, "upstream")
    assert (read.site.title, read.site.base_url, read.site.run_pages) == ("Ours", "https://a.example.org/x/", 3)
    assert (read.site.artifacts.publish, read.site.charts) == (("*.png",), ({"title": "t"},))
    assert read.review == ReviewSettings(("alarms", "verdict"), 5, 3, False, 2000, "live", ("regression",))


def test_null_is_the_default() -> None:
    keys = [
        "artifacts",
        "records",
        "commit",
        "durability",
        "capture",
        "redact",
        "retention",
        "objectives",
        "system_metrics",
        "sync",
        "site",
        "registry",
        "review",
    ]
    assert decode_settings(b"schema: 1\n" + b"".join(f"{key}:\n".encode() for key in keys), "f") == Settings()


BAD = {
    "redactt: {}": "line 2: redactt: no such setting; did you mean 'redact'?",
    "Durability: power": "did you mean 'durability'?",
    "zzz: 1": "known here: schema, artifacts",
    "commit: {wen: auto}": "commit.wen: no such setting; did you mean 'when'?",
    "commit: {when: often}": "commit.when: one of auto, run, batch, demand is expected, found 'often'",
    "commit: {batch: 0}": "commit.batch: a whole number from 1 is expected, found 0",
    "commit: {batch: true}": "found true",
    "commit: {batch: '5'}": "found '5'",
    "commit: {author: Robot}": "'Name <mail>' is expected",
    'commit: {author: "A <a@b>\\nX"}': "'Name <mail>' is expected",
    "commit: {hooks: no}": "commit.hooks: true or false is expected, found 'no'; write false",
    "commit: 5": "commit: 'key: value' lines are expected, found 5",
    "commit: []": "found a list",
    "durability: fast": "one of process, power, power-each",
    "durability: [power]": "found a list",
    "artifacts: 5": "artifacts: text is expected, found 5; put it in quotes",
    "artifacts: ''": "artifacts: text is expected, found nothing",
    "records: {branch: 'a b'}": "records.branch: a branch name is expected",
    "records: {branch: --upload-pack=x}": "records.branch: a branch name is expected",
    "records: {branch: a..b}": "records.branch",
    "records: {branch: a.lock}": "records.branch",
    "sync: {remote: '--exec=x'}": "sync.remote: the name of a git remote",
    "redact: {patterns: ['(']}": "redact.patterns: '(' is not a regular expression",
    "redact: {patterns: x}": "redact.patterns: a list is expected",
    "redact: {keys: [1]}": "redact.keys: text is expected",
    "retention: {filter: x}": "retention: a list is expected",
    "retention: [{filter: x}]": "retention[0]: older_than is missing",
    "retention: [{older_than: 3 months}]": "retention[0].older_than: '3 months' is not a span of time",
    "retention: [{older_than: 90}]": "retention[0].older_than: 90 is not a span",
    "retention: [{older_than: 90d, action: burn}]": "retention[0].action: one of delete",
    "retention: [5]": "retention[0]: 'key: value' lines",
    "objectives: {wine: {direction: min}}": "objectives.wine: metric is missing",
    "objectives: {wine: {metric: a, direction: up}}": "objectives.wine.direction: one of max, min",
    "objectives: {wine: accuracy}": "objectives.wine: 'key: value' lines",
    "system_metrics: {interval_s: 0.5}": "system_metrics.interval_s: a whole number from 1",
    "site: 1": "site: 'key: value' lines",
    "review: {section: []}": "review.section: no such setting; did you mean 'sections'?",
    "review: {sections: []}": "review.sections: a list with one section at least",
    "review: {sections: [gates, verdicts]}": "review.sections: one of verdict, alarms",
    "review: {sections: [gates, gates]}": "review.sections: each name once is expected, found more than one gates",
    "review: {rows: 0}": "review.rows: a whole number from 1",
    "review: {limit: 500}": "review.limit: a whole number from 2000",
    "review: {baseline: newest}": "review.baseline: one of auto, pinned, live, best",
    "review: {fail_on: gates}": "review.fail_on: a list is expected",
}


@pytest.mark.parametrize("line", BAD)
def test_a_wrong_setting_is_named_with_line_and_remedy(line: str) -> None:
    with pytest.raises(DamagedError, match=r"^runfolio\.yaml: line 2: ") as caught:
        decode_settings(f"schema: 1\n{line}\n".encode(), "runfolio.yaml")
    assert BAD[line] in caught.value.message


def test_all_faults_are_told_at_once_in_the_order_of_their_lines() -> None:
    data = b"schema: 1\nzzz: 1\ncommit:\n  batch: -1\n  hooks: yes\ndurability: fast\nretention:\n  - older_than: x\n"
    with pytest.raises(DamagedError) as caught:
        decode_settings(data, "f")
    assert [fault.split(":")[1] for fault in caught.value.message.splitlines()] == [
        " line 2",
        " line 4",
        " line 5",
        " line 6",
        " line 8",
    ]


@pytest.mark.parametrize("data", [b"artifacts: x\n", b"schema: '1'\n", b"schema: true\n", b"schema:\n", b""])
def test_the_schema_must_be_said(data: bytes) -> None:
    with pytest.raises(DamagedError, match="schema"):
        decode_settings(data, "f")


def test_a_newer_schema_asks_for_an_upgrade() -> None:
    with pytest.raises(NewerSchemaError, match="pip install -U runfolio"):
        decode_settings(b"schema: 2\nnew: x\n", "f")


@pytest.mark.parametrize("artifacts", [None, "s3://b/p", "/data/ours", "C:\\data", "no", "x: y #z", "{}"])
@pytest.mark.parametrize("branch", [None, "runfolio/records", "no", "1"])
def test_initial_settings_read_back(artifacts: str | None, branch: str | None) -> None:
    data = initial_settings(artifacts, branch)
    read = decode_settings(data, "runfolio.yaml")
    assert (read.artifacts, read.records.branch, read.durability) == (artifacts, branch, "power")
    assert initial_settings(artifacts, branch) == data


def test_the_commented_part_of_initial_settings_is_right_too() -> None:
    head, tail = initial_settings().decode().split("# Also common:\n")
    read = decode_settings((head + tail.replace("# ", "")).encode(), "f")
    assert read.objective("any") == Objective("accuracy") and read.retention[0].older_than_s == 90 * 86_400


@pytest.mark.parametrize(("artifacts", "branch"), [(None, "a b"), (None, ""), (None, "-x"), (" ", None)])
def test_initial_settings_refuse_what_could_not_be_read(artifacts: str | None, branch: str | None) -> None:
    with pytest.raises(UsageError):
        initial_settings(artifacts, branch)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90d", 7_776_000), ("12h", 43_200), ("2w", 1_209_600), ("30m", 1800), ("45s", 45), ("1d12h", 129_600), ("0d", 0),
        ("1d2h3m4s", 93_784),
     (" 1 D ", 86_400), ("0.5d", 43_200), ("1w 2d", 777_600)],
)  # fmt: skip
def test_spans_of_time_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "90", "d", "-1d", "1h1d", "3 months", "1y", "1e3d", "١d", "9" * 200 + "d", "999999999d", "infd"]
)
def test_other_text_is_no_span(text: str) -> None:
    with pytest.raises(UsageError, match=r"span|years"):
        parse_duration(text)
