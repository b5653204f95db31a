"""Take secrets and home paths out of text before it is written: git never forgets.

Invariants:

- Pure: no file, no environment, no clock is read; the home folder is given.
- Idempotent: redacting what was redacted changes nothing.
- Linear: every repeat in a pattern is bounded or cannot overlap itself, and input is cut at `MAX_TEXT` characters.
- Every change is named in words in ``found``, never with the secret.

What it does *not* do: guess. A word without a secret's shape and without a secret's name beside it stays as it is, so a
password given as a bare positional argument is not seen. Numbers, digests and ordinary paths are never changed.

Examples
--------
>>> redactor = Redactor(home="/home/ada")
>>> redactor.arguments(["--lr", "0.1", "--api-key", "9f8e7d6c", "--data", "/home/ada/wine.csv"])
['--lr', '0.1', '--api-key', '***', '--data', '~/wine.csv']
>>> redactor.remote("https://ada:s3cret@git.example.org/lab/wine.git")
'https://git.example.org/lab/wine.git'
>>> redactor.notices
('credentials in a URL were removed', 'home folder paths were shortened to ~', 'the value of --api-key was replaced by ***')
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from runfolio._pattern import pattern
from runfolio.errors import UsageError
from runfolio.records.secrets import HEADER, PEM, URL_USER, is_plain_value, is_secret_key, normal_key, possible_tokens

MAX_TEXT = 1 << 20
MASK = "***"
_MOST_JUDGED = 4096

_SCP_REMOTE = pattern(r"(?P<user>[^\s/@:]{1,256})(?::[^\s/@]{0,256})?@(?P<rest>[^\s/:@]{1,256}:.*)\Z", re.DOTALL)
_NAME = pattern(
    r"(?<![A-Za-z0-9_.\-])(?P<dash>-{0,2})(?P<key>[A-Za-z_][A-Za-z0-9_.\-]{0,80})[\"']?(?:\s{0,3}(?P<sign>[=:])\s{0,3}|\s{1,3})"
)
_VALUE = pattern(
    r"\"[^\"\n]{0,4096}\"|'[^'\n]{0,4096}'|"
    # A bare value ends before the next ", name=": a=secret,b=1.
    r"(?:[^\s&\"',;]|[,;](?!\s{0,3}[\"']?[A-Za-z_][A-Za-z0-9_.\-]{0,80}[\"']?\s{0,3}[=:])){1,4096}"
)
# What a secret's name can have instead of one value, as in JSON: names (kept), values (masked), and what it all ends with.
_PART = pattern(
    r"(?P<quote>[\"'])(?P<core>(?:[^\"'\\\n]|\\.|(?!(?P=quote))[\"']){0,4096})(?P=quote)(?P<key>\s{0,3}:)?|"
    r"(?P<bare>[^\s,:{}\[\]\"']{1,4096})(?P<name>\s{0,3}:)?|(?P<sign>[{}\[\]])"
)
_MOST_NESTED = 4096
_FLAG = pattern(r"-{1,2}[A-Za-z][A-Za-z0-9_.\-]{0,80}\Z")
_MAYBE = pattern(r"[=:@/\\_.\-]|\s")
_NUMBER = pattern(r"[+-]?\d{1,20}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,4})?\Z")


class Redactor:
    """Replaces secrets by ``***`` and the home folder by ``~``, and remembers in words what it did.

    Parameters
    ----------
    extra_patterns : iterable of str, optional
        Regular expressions; whatever they match is replaced by ``***``.
    extra_keys : iterable of str, optional
        Further names whose values are secret (``"vault-pin"``).
    home : str, optional
        The home folder; empty or ``/`` to leave paths alone.

    Raises
    ------
    UsageError
        If a pattern is not a regular expression.

    Attributes
    ----------
    found : set of str
        What was replaced, one sentence each.
    """

    def __init__(self, extra_patterns: Iterable[str] = (), extra_keys: Iterable[str] = (), home: str = "") -> None:
        self._sources = (tuple(extra_patterns), tuple(extra_keys), home)
        self._patterns = [_compiled(pattern) for pattern in self._sources[0]]
        self._keys = frozenset(normal_key(key) for key in self._sources[1])
        home = home.rstrip("/\\")
        self._user_name = _last_name(home) if len(home) > 1 else ""
        self._home_paths = _home_pattern(home, self._user_name)
        self._judged: dict[str, bool] = {}
        self.found: set[str] = set()

    @property
    def notices(self) -> tuple[str, ...]:
        """What was replaced so far, sorted."""
        return tuple(sorted(self.found))

    @property
    def rules(self) -> tuple[tuple[str, ...], tuple[str, ...], str]:
        """Patterns, keys and home: equal for redactors that redact alike."""
        return self._sources

    def fresh(self) -> Redactor:
        """Return a redactor with the same rules that has found nothing yet."""
        patterns, keys, home = self._sources
        return Redactor(patterns, keys, home)

    def text(self, value: str) -> str:
        """Redact free text: a command line, a message, source code.

        Parameters
        ----------
        value : str
            Cut after `MAX_TEXT` characters.

        Returns
        -------
        str
        """
        if len(value) > MAX_TEXT:
            self.found.add(f"text was cut after {MAX_TEXT} characters")
            value = value[:MAX_TEXT]
        # One replacement can put the next in view (a token inside a value inside a URL); four rounds settle all that
        # the tests have found. Short text without any sign of a pair or a path leaves at once, and so do numbers.
        for _ in range(4):
            if not self._patterns and ((len(value) < 16 and not _MAYBE.search(value)) or _NUMBER.match(value)):
                return value
            redacted = self._once(value)
            if redacted == value:
                break
            value = redacted
        return value

    def arguments(self, argv: Sequence[str]) -> list[str]:
        """Redact a command's arguments, where a flag's value may be the next argument.

        Parameters
        ----------
        argv : sequence of str

        Returns
        -------
        list of str
            As many as were given.
        """
        made: list[str] = []
        flag = ""
        for argument in argv:
            if flag and not argument.startswith("--"):
                made.append(self._value(flag, argument))
                flag = ""
                continue
            flag = argument if _FLAG.match(argument) and self._secret(argument) else ""
            made.append(self._assignment(argument))
        return made

    def value(self, key: str, text: str) -> str:
        """Redact the value of a named thing: a param or a tag.

        Parameters
        ----------
        key : str
            A secret-looking name (``db.password``) masks the value whatever it looks like.
        text : str

        Returns
        -------
        str
        """
        return self._value(key, text) if self._secret(key) else self.text(text)

    def remote(self, url: str) -> str:
        """Redact the address of a git remote: no user, password, query or fragment.

        Parameters
        ----------
        url : str
            A URL, ``user@host:path`` or a path. The user ``git`` is kept where there is no password, since the
            address does not work without.

        Returns
        -------
        str
        """
        if "://" in url:
            return self.text(url.split("?", 1)[0].split("#", 1)[0])
        match = _SCP_REMOTE.match(url)
        if match and not (match["user"] == "git" and match.start("rest") == len("git@")):
            self.found.add("credentials in a URL were removed")
            url = match["rest"]
        return self.text(url)

    def _once(self, value: str) -> str:
        # What a pattern needs letter by letter is looked for before it: most texts have none of it, and leave most patterns uncompiled.
        if "-----BEGIN " in value:
            value = self._swap(PEM, "a private key was replaced by ***", value)
        if "://" in value:
            value = URL_USER.sub(self._user, value)
        for name, shape in possible_tokens(value):
            value = self._swap(shape, f"{name} was replaced by ***", value)
        if "author" in (lower := value.lower()) or "bearer" in lower:
            value = HEADER.sub(self._header, value)
        value = self._pairs(value)
        for own in self._patterns:
            value = own.sub(self._own, value)
        if self._user_name and self._user_name in value:
            value = self._swap(self._home_paths, "home folder paths were shortened to ~", value, "~")
        return value

    def _swap(self, pattern: re.Pattern[str], notice: str, value: str, mask: str = MASK) -> str:
        value, count = pattern.subn(mask, value)
        if count:
            self.found.add(notice)
        return value

    def _own(self, match: re.Match[str]) -> str:
        if match[0] in ("", MASK):
            return match[0]
        self.found.add("text that matches a pattern of the settings was replaced by ***")
        return MASK

    def _user(self, match: re.Match[str]) -> str:
        if match["user"] == "git@" and match["scheme"].lower().startswith(("ssh", "git+ssh")):
            return match[0]
        self.found.add("credentials in a URL were removed")
        return match["scheme"]

    def _header(self, match: re.Match[str]) -> str:
        if match["value"] == MASK:
            return match[0]
        self.found.add("the value of an authorization header was replaced by ***")
        return match["head"] + MASK

    def _pairs(self, text: str) -> str:
        # Names are walked one by one, not matched with their values, since the value of a harmless name can itself hold
        # a secret one: --override=db.password=x.
        if "=" not in text and ":" not in text and text.split(None, 1)[:1] == [text]:
            return text  # one word, and no sign: no name has a value behind it
        made: list[str] = []
        kept = at = unbalanced = 0
        while name := _NAME.search(text, at):
            at = name.end("key")
            if not self._secret(name["key"]) or not (name["sign"] or name["dash"]):
                continue
            start = name.end()
            if text[start : start + 1] in ("{", "[") and name["sign"] and start >= unbalanced:
                nested = self._nested(name["dash"] + name["key"], text[start : start + _MOST_NESTED])
                if nested is not None:
                    made += [text[kept:start], nested[0]]
                    kept = at = start + nested[1]
                    continue
                unbalanced = start + _MOST_NESTED  # so that a long text is not looked through again and again
            value = _VALUE.match(text, start)
            if value is None:
                continue
            start, end = _core(value)
            masked = self._masked(name, value[0][0] in "\"'", text[start:end])
            made += [text[kept:start], masked]
            kept = at = end
        return "".join(made) + text[kept:]

    def _nested(self, key: str, text: str) -> tuple[str, int] | None:
        """Mask the values in the brackets that a text begins with, and say where they end; None where they do not."""
        made: list[str] = []
        kept = depth = 0
        for part in _PART.finditer(text):
            if part["sign"]:
                depth += 1 if part["sign"] in "{[" else -1
                if depth == 0:
                    whole = text[: part.end()]
                    plain = '"' not in whole and "'" not in whole and self._value(key, whole) == whole  # [PAD]
                    return whole if plain else "".join(made) + text[kept : part.end()], part.end()
            elif not (part["key"] or part["name"]):
                group = "bare" if part["bare"] is not None else "core"
                made += [text[kept : part.start(group)], self._value(key, part[group])]
                kept = part.end(group)
        return None

    def _masked(self, name: re.Match[str], quoted: bool, core: str) -> str:
        if not name["sign"] and core.startswith("-"):
            return core
        # "the token: see below" is prose; a password is masked whatever it looks like.
        prose = name["sign"] == ":" and not quoted and core.isalpha() and not is_secret_key(name["key"], strong=True)
        return core if prose else self._value(name["dash"] + name["key"], core)

    def _assignment(self, argument: str) -> str:
        # A whole argument has an end of its own, so a value with spaces or commas is masked to its last character.
        key, sign, value = argument.partition("=")
        if sign and value and self._secret(key) and re.fullmatch(r"-{0,2}[A-Za-z_][A-Za-z0-9_.\-]{0,80}", key):
            return f"{key}={self._value(key, value)}"
        return self.text(argument)

    def _value(self, key: str, value: str) -> str:
        if value == MASK or (is_plain_value(value) and not is_secret_key(key, strong=True) and normal_key(key) not in self._keys):
            return value
        self.found.add(f"the value of {key} was replaced by ***")
        return MASK

    def _secret(self, key: str) -> bool:
        known = self._judged.get(key)
        if known is None:
            if len(self._judged) >= _MOST_JUDGED:
                self._judged.clear()
            known = self._judged[key] = is_secret_key(key) or normal_key(key) in self._keys
        return known


def _core(value: re.Match[str]) -> tuple[int, int]:
    """Tell where the value proper lies: within its quotes, or before closing brackets."""
    start, end = value.span()
    if value[0][0] in "\"'":
        return start + 1, end - 1
    return start, start + len(value[0].rstrip(")]},;"))


def _last_name(home: str) -> str:
    return home.replace("\\", "/").rpartition("/")[2]


def _home_pattern(home: str, user_name: str) -> re.Pattern[str]:
    user = re.escape(user_name)
    # Where a path may begin: not inside another path, but also right behind a short option (-I/home/ada/include).
    start = r"(?:(?<![\w.~\-])|(?<=\s-[A-Za-z])|(?<=^-[A-Za-z]))"
    host = r"(?:[A-Za-z0-9_.\-]{1,64}@[A-Za-z0-9_.\-]{1,253}:)?"
    places = [re.escape(home)]
    if len(user) > 1:
        places += [rf"/(?:home|Users)/{user}", rf"[A-Za-z]:\\{{1,2}}Users\\{{1,2}}{user}"]
    return pattern(rf"{start}{host}(?:{'|'.join(places)})(?![\w\-]|\.\w)")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(
            f"redaction: the pattern {pattern!r} is not a regular expression ({error}). Correct it in runfolio.yaml."
        ) from None
