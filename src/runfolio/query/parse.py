"""Tokens to a :class:`Filter` and order keys. Every fault points at its place and says what is expected."""

from __future__ import annotations

from collections.abc import Sequence

from runfolio.errors import UsageError
from runfolio.query.grammar import (
    ATTRIBUTE_NAMES,
    ATTRIBUTES,
    COMPARISONS,
    DATASET_FIELDS,
    DATASETS,
    ENTITIES,
    NUMBER_OPERATORS,
    TEXT_OPERATORS,
    Clause,
    Filter,
    Kind,
    OrderKey,
    Value,
    is_number,
)
from runfolio.query.tokens import Token, fault, tokenize

_QUOTED = ("double", "backtick")
_INSTEAD = {"==": "=", "<>": "!=", "=>": ">=", "=<": "<="}


def parse_filter(text: str | None, kind: Kind = "runs") -> Filter:
    """Read a filter.

    Parameters
    ----------
    text : str or None
        Empty or None: everything matches.
    kind : "runs", "experiments", "models" or "versions"
        What it is asked of.

    Returns
    -------
    Filter

    Raises
    ------
    UsageError
        If it is not in the language; the message quotes it and points at the place.

    Examples
    --------
    >>> parse_filter("metrics.acc > 0.9").clauses
    (Clause(entity='metrics', key='acc', operator='>', value=0.9),)
    """
    if text is not None and not isinstance(text, str):
        raise UsageError(f"Invalid filter: text is expected, this is {type(text).__name__}.")
    reader = _Reader(text or "", kind, "filter")
    clauses: list[Clause] = []
    while not reader.at_end():
        clauses.append(reader.clause())
        if reader.at_end():
            break
        reader.conjunction()
    return Filter(tuple(clauses), kind, text or "")


def parse_order_by(keys: Sequence[str] | str | None, kind: Kind = "runs") -> tuple[OrderKey, ...]:
    """Read the keys of an order, each ``key [ASC|DESC]``.

    Parameters
    ----------
    keys : sequence of str, str or None
    kind : "runs", "experiments", "models" or "versions"

    Raises
    ------
    UsageError
        If one cannot be read, or the same key stands twice.
    """
    made: list[OrderKey] = []
    for text in [keys] if isinstance(keys, str) else keys or ():
        if not isinstance(text, str):
            raise UsageError(f"Invalid order_by: a list of texts is expected, one of them is {type(text).__name__}.")
        key = _Reader(text, kind, "order_by").order_key()
        if any((key.entity, key.key) == (other.entity, other.key) for other in made):
            raise fault(text, 0, f"{key.entity}.{key.key} stands twice; leave one out", "order_by")
        made.append(key)
    return tuple(made)


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str, kind: Kind, what: str) -> None:
        self._text, self._kind, self._what = text, kind, what
        self._tokens = tokenize(text, what)
        self._place = 0

    def at_end(self) -> bool:
        return self._tokens[self._place].kind == "end"

    def _peek(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._tokens[self._place]
        self._place += token.kind != "end"
        return token

    def _fault(self, at: int, message: str) -> UsageError:
        return fault(self._text, at, message, self._what)

    def conjunction(self) -> None:
        """Read the AND between two clauses; one with nothing after it is tolerated, as in MLflow."""
        token = self._next()
        if token.keyword == "AND":
            return
        if token.keyword == "OR":
            raise self._fault(token.at, "OR is not supported: write one filter for each side, or use IN ('a', 'b')")
        if token.text == ";":
            raise self._fault(token.at, "one filter at a time, without ';'")
        if token.text == ")":
            raise self._fault(token.at, "parentheses are not supported but for the list after IN")
        raise self._fault(token.at, "AND is expected between two conditions")

    def clause(self) -> Clause:
        """Read ``key operator value``."""
        entity, key = self._key()
        place = self._peek().at
        operator = self._operator(entity, key)
        allowed = NUMBER_OPERATORS if is_number(entity, key) else TEXT_OPERATORS
        if operator not in allowed:
            what = "a number" if is_number(entity, key) else "text"
            raise self._fault(place, f"{operator} does not work on {entity}.{key}, which is {what}: use {', '.join(allowed)}")
        value: Value = None
        if operator in ("IN", "NOT IN"):
            value = self._list()
        elif not operator.startswith("IS"):
            value = self._number(entity, key) if is_number(entity, key) else self._string()
        return Clause(entity, key, operator, value)

    def order_key(self) -> OrderKey:
        """Read ``key [ASC|DESC]`` to the end of the text."""
        if self.at_end():
            raise self._fault(0, "it is empty: write a key such as metrics.acc DESC")
        at = self._peek().at
        entity, key = self._key()
        if entity == DATASETS:
            raise self._fault(at, "runs cannot be ordered by a dataset, of which a run may have many")
        token = self._next()
        if token.kind != "end" and token.keyword not in ("ASC", "DESC"):
            remedy = "; write each key as an item of the list" if token.text == "," else ""
            raise self._fault(token.at, f"ASC, DESC or the end is expected{remedy}")
        if not self.at_end():
            remedy = "; write each key as an item of the list" if self._peek().text == "," else ""
            raise self._fault(self._peek().at, f"the end is expected{remedy}")
        return OrderKey(entity, key, token.keyword != "DESC")

    def _key(self) -> tuple[str, str]:
        first = self._next()
        if first.keyword == "NOT":
            raise self._fault(first.at, "NOT stands only before IN and after IS: use != or NOT IN")
        if first.keyword in ("AND", "OR") and self._peek().kind != "operator":
            raise self._fault(first.at, f"a condition is expected before {first.keyword}")
        if first.text == "(" and first.kind == "mark":
            raise self._fault(first.at, "parentheses are not supported: all conditions are joined by AND")
        if first.kind not in ("word", *_QUOTED):
            raise self._fault(first.at, f"a key is expected, such as {self._example()}")
        follower = self._peek()
        joined = follower.at == first.end and follower.kind in ("word", *_QUOTED)
        if first.kind in _QUOTED:
            if joined and follower.kind == "word" and follower.text.startswith("."):
                return self._after_dot(first.text, self._next(), follower.text[1:], first.at)
            return self._attribute(first.text, first.at)
        entity, dot, rest = first.text.partition(".")
        if not dot:
            return self._attribute(first.text, first.at)
        return self._after_dot(entity, first, rest, first.at)

    def _after_dot(self, entity: str, word: Token, rest: str, at: int) -> tuple[str, str]:
        """Make the key from an entity and the name after its dot, which may be in quotes."""
        follower = self._peek()
        if follower.at == word.end and follower.kind in _QUOTED:
            if rest:
                raise self._fault(follower.at, f'quote the whole name: {entity}."{rest}{follower.text}"')
            rest = self._next().text
        name = ENTITIES[self._kind].get(entity.lower())
        if name is None:
            known = ", ".join(dict.fromkeys(ENTITIES[self._kind].values()))
            raise self._fault(at, f"{entity!r} is not something that {self._kind} have: use {known}")
        if not rest:
            raise self._fault(word.end, f"a name is expected after '{entity}.'")
        if name == ATTRIBUTES:
            return self._attribute(rest, at)
        if name == DATASETS and rest not in DATASET_FIELDS:
            raise self._fault(at, f"a dataset has no {rest!r}: use {', '.join(DATASET_FIELDS)}")
        return name, rest

    def _attribute(self, text: str, at: int) -> tuple[str, str]:
        found = ATTRIBUTE_NAMES[self._kind].get(text.lower())
        if found is None:
            known = ", ".join(dict.fromkeys(ATTRIBUTE_NAMES[self._kind].values()))
            elsewhere = "metrics., params. or tags." if self._kind == "runs" else "tags."
            raise self._fault(at, f"{text!r} is not an attribute: use {known}, or put {elsewhere} before a key")
        return ATTRIBUTES, found

    def _operator(self, entity: str, key: str) -> str:
        token = self._next()
        if token.kind == "operator":
            if token.text in COMPARISONS:
                return token.text
            instead = f": write {_INSTEAD[token.text]}" if token.text in _INSTEAD else f": use {', '.join(COMPARISONS)}"
            raise self._fault(token.at, f"{token.text} is not an operator{instead}")
        if token.keyword in ("LIKE", "ILIKE", "IN"):
            return token.keyword
        if token.keyword == "NOT":
            if self._next().keyword == "IN":
                return "NOT IN"
            raise self._fault(token.at, "after NOT only IN is known")
        if token.keyword == "IS":
            after = self._next()
            if after.keyword == "NULL":
                return "IS NULL"
            if after.keyword == "NOT" and self._next().keyword == "NULL":
                return "IS NOT NULL"
            raise self._fault(token.at, "after IS, NULL or NOT NULL is expected")
        expected = ", ".join(NUMBER_OPERATORS if is_number(entity, key) else TEXT_OPERATORS)
        raise self._fault(token.at, f"an operator is expected: {expected}")

    def _number(self, entity: str, key: str) -> int | float:
        token = self._next()
        number = token.number
        if number is None:
            if key == "version_number" and token.kind in ("string", "double") and token.text.isdecimal():
                return int(token.text)  # MLflow takes a version's number in quotes, and no other
            if token.kind in ("string", "double"):
                raise self._fault(token.at, f"a number is expected without quotes, because {entity}.{key} is a number")
            raise self._fault(token.at, f"a number is expected, because {entity}.{key} is a number")
        return number

    def _string(self) -> str:
        token = self._next()
        if token.kind in ("string", "double"):
            return token.text
        if token.kind == "word":
            raise self._fault(token.at, f"text is expected: write '{token.text}' in quotes")
        if token.kind == "backtick":
            raise self._fault(token.at, f"back-ticks are for keys: write '{token.text}'")
        raise self._fault(token.at, "text in quotes is expected")

    def _list(self) -> tuple[str, ...]:
        opening = self._next()
        if opening.kind != "mark" or opening.text != "(":
            raise self._fault(opening.at, "a list is expected: ('a', 'b')")
        made = [self._string()]
        while True:
            token = self._next()
            if token.kind == "mark" and token.text == ")":
                return tuple(made)
            if token.kind != "mark" or token.text != ",":
                raise self._fault(token.at, "a comma or ')' is expected")
            # A comma before the bracket is what Python prints for a tuple of one.
            if not (self._peek().kind == "mark" and self._peek().text == ")"):
                made.append(self._string())

    def _example(self) -> str:
        return "metrics.acc, params.depth or status" if self._kind == "runs" else "name or tags.team"
