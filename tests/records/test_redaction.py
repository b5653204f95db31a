"""What is redacted, what is left alone, and that both stay linear."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import UsageError
from runfolio.records.redaction import MAX_TEXT, Redactor

HOME = "/home/ada"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9"
# Put together at run time, so that no scanner takes this file for a leak.
GITHUB = "gh" + "p_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"

CHANGED = {
    "github_token": (f"clone with {GITHUB} now", "clone with *** now"),
    "github_fine_grained": ("github_" + "pat_11ABCDEFG0123456789_abcdefghij", "***"),
    "gitlab_token": ("gl" + "pat-AbCdEf0123456789xyzq", "***"),
    "hugging_face": ("h" + "f_AbCdEfGhIjKlMnOpQrStUvWxYz012345", "***"),
    "openai": ("s" + "k-AbCdEf0123456789AbCdEf0123456789", "***"),
    "openai_project": ("s" + "k-proj-AbCd_Ef01-23456789AbCdEf", "***"),
    "anthropic": ("s" + "k-ant-api03-AbCd_Ef01-23456789AbCdEf", "***"),
    "stripe": ("s" + "k_live_AbCdEf0123456789AbCd", "***"),
    "slack": ("xo" + "xb-123456789012-AbCdEfGhIjKl", "***"),
    "aws_key_id": ("AK" + "IAIOSFODNN7EXAMPLE", "***"),
    "google_key": ("AI" + "zaSyA1234567890abcdefghijklmnopqrstu", "***"),
    "npm": ("np" + "m_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789", "***"),
    "pypi": ("py" + "pi-AgEIcHlwaS5vcmcCJGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6", "***"),
    "json_web_token": (f"jwt {JWT}", "jwt ***"),
    "private_key": (f"key:\n{PEM}\nend", "key:\n***\nend"),
    "private_key_cut_short": (PEM[:60], "***"),
    "url_user_and_token": ("https://user:tok@host/x.git", "https://host/x.git"),
    "url_token_only": ("https://tok@host/x.git", "https://host/x.git"),
    "url_password_with_at": ("https://user:p@ss@host/x", "https://host/x"),
    "url_password_with_slash": ("https://user:p/ss@host/x", "https://host/x"),
    "database_url": ("postgresql+psycopg2://u:p@db:5432/mlflow", "postgresql+psycopg2://db:5432/mlflow"),
    "url_query": ("https://h/x?a=1&access_token=abc123&b=2", "https://h/x?a=1&access_token=***&b=2"),
    "signed_url": ("https://b/k?X-Amz-Signature=ab12cd34&n=1", "https://b/k?X-Amz-Signature=***&n=1"),
    "flag_with_space": ("train --password hunter2 --lr 0.1", "train --password *** --lr 0.1"),
    "flag_with_sign": ("--token=abc123", "--token=***"),
    "flag_quoted": ("--api-key 'two words' x", "--api-key '***' x"),
    "password_is_a_number": ("--password 12345", "--password ***"),
    "environment_style": ("AWS_SECRET_ACCESS_KEY=wJalr/XU+x HF_HOME=/data", "AWS_SECRET_ACCESS_KEY=*** HF_HOME=/data"),
    "camel_case": ("clientSecret=abc123", "clientSecret=***"),
    "dotted": ("db.password=x,lr=0.1", "db.password=***,lr=0.1"),
    "within_another": ("--override=db.password=x", "--override=db.password=***"),
    "json": ('{"password": "x y", "lr": 1}', '{"password": "***", "lr": 1}'),
    "python_repr": ("{'api_key': 'abc', 'n': 3}", "{'api_key': '***', 'n': 3}"),
    "call": ("login(token=abc123)", "login(token=***)"),
    "yaml": ("password: hunter", "password: ***"),
    "header": ("-H 'Authorization: Bearer abcdef123456'", "-H 'Authorization: Bearer ***'"),
    "bearer": ("curl bearer abcdef-123456", "curl bearer ***"),
    "connection_string": ("AccountName=a;AccountKey=Zm9v+/==;x=1", "AccountName=a;AccountKey=***;x=1"),
    "numbered": ("password2=abc", "password2=***"),
    "object_under_a_secret_name": (
        '{"api_token": {"kind": "hunter2secret", "n": 3}, "x": "y"}',
        '{"api_token": {"kind": "***", "n": 3}, "x": "y"}',
    ),
    "list_under_a_secret_name": ('{"password": ["s3cr3t", "b"], "x": 1}', '{"password": ["***", "***"], "x": 1}'),
    "nested_under_a_secret_name": ("password: [a, b: {c: d}] rest", "password: [***, b: {c: ***}] rest"),
    "object_that_does_not_end": ('{"api_token": {"kind": 3', '{"api_token": ***"kind": 3'),
    "home": ("/home/ada/data/wine.csv", "~/data/wine.csv"),
    "home_alone": ("cd /home/ada", "cd ~"),
    "home_in_flag": ("--data=/home/ada/x", "--data=~/x"),
    "home_behind_short_flag": ("-I/home/ada/include", "-I~/include"),
    "home_in_url": ("file:///home/ada/x", "file://~/x"),
    "home_on_a_host": ("scp ada@gpu1.lan:/home/ada/m.bin .", "scp ~/m.bin ."),
    "home_on_mac": ("/Users/ada/x", "~/x"),
    "home_on_windows": (r"C:\Users\ada\x", r"~\x"),
}

KEPT = [
    "",
    "0.001",
    "128",
    "-1e-05",
    "--lr 0.1 --epochs 20",
    "--max-tokens 128",
    "max_tokens=4096",
    "pad_token=<pad>",
    "--pad-token [PAD]",
    "eos_token_id=2",
    "tokenizer=bert-base-uncased",
    "--tokenizer-name gpt2",
    "num_tokens: 5",
    "token: 5",
    "--use-token ./x",
    "--token-file secrets/place.txt",
    "password_length=12",
    "monkey=banana",
    "key=accuracy",
    "--key accuracy",
    "--sort-keys yes",
    "learning_rate=0.1,batch_size=32",
    "the token is used twice",
    "the secret: practise",
    "sk-learn-pipeline-v3",
    "sk-classifier",
    "ghp_short",
    "9b74c9897bac770ffc029102a200c5de0f1e2d3c",
    "sha256:" + "ab" * 32,
    "0192f0c4d7a27c3e8f0a1b2c3d4e5f60",
    "data/train.csv",
    "/mnt/data/wine.csv",
    "/mnt/home/ada/x",
    "/home/adam/x",
    "/home/ada2/x",
    "/home/ada.bak/x",
    "https://example.org/a?x=1&y=2",
    "http://localhost:8080/@scope/pkg",
    "s3://bucket/key/file.parquet",
    "git@github.com:lab/wine.git",
    "mail ada@example.org",
    "C:\\data\\x.csv",
    "a=b=c=d",
    "x: 1, y: 2",
    "f(x)=2*x",
    "2026-11-23T10:00:00Z",
    "Ünïcödé 数据.csv",
    "basic characteristics of wine",
    "--token --verbose",
    "password=",
]


@pytest.mark.parametrize("name", CHANGED)
def test_secret_is_replaced(name: str) -> None:
    given_text, expected = CHANGED[name]
    redactor = Redactor(home=HOME)
    assert redactor.text(given_text) == expected
    assert redactor.found
    assert redactor.text(expected) == expected


@pytest.mark.parametrize("text", KEPT)
def test_harmless_text_stays(text: str) -> None:
    redactor = Redactor(home=HOME)
    assert redactor.text(text) == text
    assert redactor.arguments([text]) == [text]
    assert not redactor.found


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--password", "x y"], ["--password", "***"]),
        (["--password", "-dash"], ["--password", "***"]),
        (["--token", "--verbose"], ["--token", "--verbose"]),
        (["-token", "abc"], ["-token", "***"]),
        (["--token", "5"], ["--token", "5"]),
        (["--password=a, b=c"], ["--password=***"]),
        (["API_KEY=abc def"], ["API_KEY=***"]),
        (["--lr", "0.1", "/home/ada/x"], ["--lr", "0.1", "~/x"]),
        (["--password"], ["--password"]),
        (["--max-tokens", "12"], ["--max-tokens", "12"]),
        ([], []),
    ],
)
def test_arguments_are_read_in_pairs(argv: list[str], expected: list[str]) -> None:
    assert Redactor(home=HOME).arguments(argv) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ada:t0k@git.example.org/lab/wine.git", "https://git.example.org/lab/wine.git"),
        ("https://git.example.org/lab/wine.git?token=abc#x", "https://git.example.org/lab/wine.git"),
        ("ssh://git@git.example.org/lab/wine.git", "ssh://git@git.example.org/lab/wine.git"),
        ("ssh://ada@git.example.org:22/lab/wine.git", "ssh://git.example.org:22/lab/wine.git"),
        ("git@git.example.org:lab/wine.git", "git@git.example.org:lab/wine.git"),
        ("ada@git.example.org:lab/wine.git", "git.example.org:lab/wine.git"),
        ("/home/ada/wine.git", "~/wine.git"),
        ("../wine.git", "../wine.git"),
    ],
)
def test_remote_loses_who_and_keeps_where(url: str, expected: str) -> None:
    redactor = Redactor(home=HOME)
    assert redactor.remote(url) == expected
    assert redactor.remote(expected) == expected


def test_notice_names_the_argument_and_never_the_secret() -> None:
    redactor = Redactor(home=HOME)
    redactor.arguments(["--api-key", "s3cr3t-value", f"--x={GITHUB}"])
    assert redactor.notices == ("a GitHub token was replaced by ***", "the value of --api-key was replaced by ***")
    assert "s3cr3t" not in "".join(redactor.notices)


def test_settings_add_patterns_and_names() -> None:
    redactor = Redactor(extra_patterns=[r"PAT-\d{6}"], extra_keys=["vault-pin"])
    assert redactor.text("patient PAT-123456") == "patient ***"
    assert redactor.arguments(["--vault_pin", "1234"]) == ["--vault_pin", "***"]


def test_pattern_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        Redactor(extra_patterns=["("])


def test_fresh_redactor_has_the_rules_and_no_findings() -> None:
    first = Redactor(extra_keys=["pin"], home=HOME)
    first.text("pin=abc")
    second = first.fresh()
    assert not second.found
    assert second.text("pin=abc /home/ada") == "pin=*** ~"


@pytest.mark.parametrize("home", ["", "/", "\\"])
def test_no_home_means_no_path_changes(home: str) -> None:
    assert Redactor(home=home).text("/home/ada/x /root/y") == "/home/ada/x /root/y"


def test_text_is_cut_at_the_limit() -> None:
    redactor = Redactor()
    assert len(redactor.text("a " * MAX_TEXT)) == MAX_TEXT
    assert redactor.notices == (f"text was cut after {MAX_TEXT} characters",)


PIECES = st.sampled_from(
    [value for pair in CHANGED.values() for value in pair]
    + KEPT
    + list(" =:/@-_.,;&?'\"\n(){}[]~*")
    + ["token", "--password", "://", "eyJ"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    redactor = Redactor(home=HOME)
    once = redactor.text(text)
    assert redactor.text(once) == once


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=4))
def test_arguments_redacted_twice_are_redacted_once(argv: list[str]) -> None:
    redactor = Redactor(home=HOME)
    once = redactor.arguments(argv)
    assert len(once) == len(argv)
    assert redactor.arguments(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        "a", "=", "a=", "-", "--a ", "eyJ", "-eyJ", "eyJaaaaaaaa.", "://", "a://", "a:b@", "/home/ada",
        "-----BEGIN PRIVATE KEY-----", "'", "\"a':", "ghp_", "sk-", "token=", "token=a,",
        "password ", "bearer ", " \n", "authorization:", "a.", "x@h:", "token:{", "token:['", "token:{\"a\":",
    ],
)  # fmt: skip
def test_a_long_text_ends(piece: str) -> None:
    # A pattern that overlapped itself would need 10^10 steps or more here; the alarm ends such a run with a failure.
    def too_long(*_: object) -> None:
        raise AssertionError(f"redacting {piece!r} again and again does not come to an end")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(120)
    try:
        assert Redactor(home=HOME).text((piece * 200_000)[:200_000] + "!")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
