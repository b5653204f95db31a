r"""What secrets look like: the shapes of tokens, and the names that secrets are given.

Shapes are those that their makers publish (GitHub's and GitLab's token prefixes, AWS key ids, JSON web tokens of
RFC 7519, private keys of RFC 7468). Names are judged by their last word, because ``token_file`` and ``password_length``
name no secret, and with the vocabulary of language models in mind: ``max_tokens``, ``pad_token`` and ``tokenizer`` are
hyperparameters.

Every repeat is bounded or ends at a character that it cannot contain, so matching is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runfolio._pattern import pattern

PEM = pattern(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)

URL_USER = pattern(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{0,30}://)"
    # The second form: a password with a bare slash in it, told from host:port/path@version by not being a number.
    r"(?P<user>[^\s/?#'\"<>]{0,1024}@|[^\s/?#@:'\"<>]{1,256}:(?!\d{1,5}(?:[/?#]|$))[^\s@'\"<>]{1,256}@)"
)

HEADER = pattern(
    r"(?P<head>authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic|token|digest|apikey)\s{1,3}|"
    r"(?<![A-Za-z0-9_])bearer\s{1,3}(?=[A-Za-z0-9._~+/\-]{0,64}\d))"
    r"(?P<value>[^\s\"',;]{8,4096}|\*\*\*)",
    re.IGNORECASE,
)

_WORD = r"(?<![A-Za-z0-9_])"
# A name, what every such token has in it letter by letter, and the whole shape.
_SHAPES = (
    (
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    ),
    (
        "a GitLab token",
        ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-", "glft-", "glimt-", "glagent-"),
        r"gl(?:pat|dt|rt|cbt|ptt|soat|ft|imt|agent)-[A-Za-z0-9_\-]{16,}",
    ),
    ("a Hugging Face token", ("hf_", "api_org_"), r"(?:hf|api_org)_[A-Za-z0-9]{20,}"),
    ("an API key", ("sk-",), r"sk-(?:(?:ant|proj|svcacct|admin|or)-[A-Za-z0-9_\-]{20,}|(?=[A-Za-z]{0,60}\d)[A-Za-z0-9]{20,})"),
    (
        "an API key",
        ("k_live", "k_test", "gsk", "nvapi", "r8", "pplx"),
        r"(?:[sr]k_(?:live|test)|gsk|nvapi|r8|pplx)[_\-](?=[A-Za-z]{0,60}\d)[A-Za-z0-9_\-]{20,}",
    ),
    ("a Slack token", ("xox", "xapp-"), r"(?:xox[a-z]|xapp)-[A-Za-z0-9\-]{10,}"),
    ("an AWS key id", ("AKIA", "ASIA", "ABIA", "ACCA"), r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("a Google API key", ("AIza",), r"AIza[A-Za-z0-9_\-]{30,}"),
    ("a Google token", ("ya29.",), r"ya29\.[A-Za-z0-9_\-]{20,}"),
    ("a package index token", ("npm_", "pypi-"), r"(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_\-]{40,})"),
    ("a container registry token", ("dckr_pat_",), r"dckr_pat_[A-Za-z0-9_\-]{20,}"),
    ("a mail service key", ("SG.",), r"SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}"),
)
TOKENS = (
    *((name, pattern(_WORD + shape)) for name, _, shape in _SHAPES),
    # No '-' before it, so that a run of letters has one start only and the search for the dot stays linear.
    ("a JSON web token", pattern(r"(?<![\w\-])eyJ[A-Za-z0-9_\-]{8,8192}\.eyJ[A-Za-z0-9_\-]{4,8192}\.[A-Za-z0-9_\-]{0,8192}")),
)

_MARKED = tuple(zip((*(marks for _, marks, _ in _SHAPES), ("eyJ",)), TOKENS, strict=True))

_STRONG = frozenset({"password", "passwd", "passphrase", "pwd", "passwort", "pgpassword"})
_ALWAYS = frozenset(
    {"secret", "apikey", "credential", "credentials", "authtoken", "accesstoken", "secretkey", "accesskey", "privatekey"}
)
_ENDINGS = frozenset(
    {
        ("api", "key"), ("access", "key"), ("secret", "key"), ("private", "key"), ("account", "key"), ("signing", "key"),
        ("encryption", "key"), ("auth", "key"), ("storage", "key"), ("license", "key"), ("amz", "signature"),
        ("amz", "credential"), ("session", "cookie"), ("set", "cookie"),
    }
)  # fmt: skip
_NOT_BEFORE_TOKEN = frozenset({
    "pad", "eos", "bos", "unk", "sep", "cls", "mask", "special", "next", "prev", "previous", "per", "start", "end", "stop",
    "image", "prompt", "max", "min", "n", "num", "first", "last", "cache", "by", "each", "class", "new", "use", "no", "with",
    "has", "is", "of", "from", "audio", "video", "begin", "separator", "context", "decoder", "encoder",
})  # fmt: skip
_CAMEL = pattern(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = pattern(r"[_.\-/]+")
_PLAIN = pattern(r"[-+]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:[eE][-+]?\d{1,3})?\Z|<[^<>\s]{0,40}>\Z|\[[^\[\]\s]{0,40}\]\Z")
_PLAIN_WORDS = frozenset({"true", "false", "none", "null", "yes", "no", "on", "off", "nan"})


def possible_tokens(text: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield those of `TOKENS` that a text can hold at all: a few letters are looked for sooner than a pattern is compiled."""
    for marks, token in _MARKED:
        if any(mark in text for mark in marks):
            yield token


def words_of(key: str) -> tuple[str, ...]:
    """Split a name into lower-case words: ``--dbPassword`` and ``db/password`` give ``("db", "password")``."""
    return tuple(word.lower() for part in _SEPARATORS.split(key) if part for word in _CAMEL.split(part))


def normal_key(key: str) -> str:
    """Spell a name in one way: ``--API_key`` and ``api-key`` give ``api-key``."""
    return "-".join(words_of(key))


def is_secret_key(key: str, *, strong: bool = False) -> bool:
    """Say whether a name is one that a secret is given.

    Parameters
    ----------
    key : str
        Of a flag, variable or field: ``--api-key``, ``HF_TOKEN``, ``clientSecret``.
    strong : bool, optional
        Only names of passwords, whose value is secret whatever it looks like.
    """
    words = words_of(key)
    if not words:
        return False
    last = words[-1].rstrip("0123456789") or words[-1]
    if last in _STRONG:
        return True
    if strong:
        return False
    if last == "token":
        return len(words) == 1 or words[-2] not in _NOT_BEFORE_TOKEN
    return last in _ALWAYS or words[-2:] in _ENDINGS


def is_plain_value(value: str) -> bool:
    """Say whether a value is too plain to be a secret: empty, a short number, a truth value, ``<pad>``."""
    return not value or value.lower() in _PLAIN_WORDS or _PLAIN.match(value) is not None
