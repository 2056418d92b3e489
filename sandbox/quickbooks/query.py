"""The query language: SELECT * | COUNT(*) FROM Entity WHERE ... ORDERBY ... STARTPOSITION n MAXRESULTS n."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.quickbooks import refusals
from sandbox.quickbooks.refusals import Refused

MOST_ROWS = 1000
DEFAULT_ROWS = 100
OPERATORS = ("=", "<", ">", "<=", ">=")

_TOKEN = re.compile(
    r"""\s*(?:(?P<STRING>'(?:[^'\\]|\\.)*')
    |(?P<NUMBER>-?\d+(?:\.\d+)?)
    |(?P<IDENTIFIER>[A-Za-z_][\w.]*)
    |(?P<SIGN><=|>=|[=<>(),*]))""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    position: int

    def word(self) -> str:
        return self.text.upper() if self.kind == "IDENTIFIER" else ""


@dataclass(frozen=True)
class Condition:
    """`values` has one value, several only for IN."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    entity: str
    count: bool = False
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()  # property, descending
    start: int = 1
    limit: int = DEFAULT_ROWS


def parse(text: str) -> Query:
    """Raises Refused with code 4000 for what is not the language, 4001 for values out of range."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._next = 0

    def _split(self) -> list[Token]:
        tokens, position = [], 0
        end = len(self._text.rstrip())
        while position < end:
            match = _TOKEN.match(self._text, position)
            if match is None:
                raise self._lexical(position)
            kind = str(match.lastgroup)
            tokens.append(Token(kind, match.group(kind), match.start(kind)))
            position = match.end()
        return [*tokens, Token("EOF", "", end)]

    def _lexical(self, position: int) -> Refused:
        position += len(self._text[position:]) - len(self._text[position:].lstrip())
        return refusals.query_syntax(
            f'Lexical error at {self._place(position)}.  Encountered: "{self._text[position]}"'
        )

    def _place(self, position: int) -> str:
        before = self._text[:position]
        return f"line {before.count(chr(10)) + 1}, column {position - before.rfind(chr(10))}"

    def _unexpected(self, token: Token) -> Refused:
        seen = '"<EOF>"' if token.kind == "EOF" else f'" <{token.kind}> "{token.text} ""'
        return refusals.query_syntax(f"Encountered {seen} at {self._place(token.position)}.")

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self, fits: Callable[[Token], bool]) -> Token:
        token = self._peek()
        if not fits(token):
            raise self._unexpected(token)
        self._next += 1
        return token

    def _accept(self, *words: str) -> bool:
        """Take these words if they come next."""
        ahead = self._tokens[self._next : self._next + len(words)]
        if [token.word() for token in ahead] != list(words):
            return False
        self._next += len(words)
        return True

    def _expect(self, word: str) -> None:
        self._take(lambda token: token.word() == word)

    def _sign(self, sign: str) -> None:
        self._take(lambda token: token.kind == "SIGN" and token.text == sign)

    def _name(self) -> str:
        return self._take(lambda token: token.kind == "IDENTIFIER").text

    def query(self) -> Query:
        self._expect("SELECT")
        count = self._accept("COUNT")
        for sign in "(*)" if count else "*":
            self._sign(sign)
        self._expect("FROM")
        entity = self._name()
        conditions = self._conditions() if self._accept("WHERE") else ()
        order = self._order() if self._accept("ORDERBY") or self._accept("ORDER", "BY") else ()
        start = self._whole_number(most=None) if self._accept("STARTPOSITION") else 1
        limit = self._whole_number(most=MOST_ROWS) if self._accept("MAXRESULTS") else DEFAULT_ROWS
        self._take(lambda token: token.kind == "EOF")
        return Query(entity, count, conditions, order, start, limit)

    def _conditions(self) -> tuple[Condition, ...]:
        found = [self._condition()]
        while self._accept("AND"):
            found.append(self._condition())
        return tuple(found)

    def _condition(self) -> Condition:
        field = self._name()
        if self._accept("IN"):
            return Condition(field, "IN", self._list())
        if self._accept("LIKE"):
            return Condition(field, "LIKE", (self._value(),))
        operator = self._take(lambda token: token.text in OPERATORS).text
        return Condition(field, operator, (self._value(),))

    def _list(self) -> tuple[str, ...]:
        self._sign("(")
        values = [self._value()]
        while self._peek().text == ",":
            self._sign(",")
            values.append(self._value())
        self._sign(")")
        return tuple(values)

    def _value(self) -> str:
        token = self._take(lambda it: it.kind in ("STRING", "NUMBER") or it.word() in ("TRUE", "FALSE"))
        return re.sub(r"\\(.)", r"\1", token.text[1:-1]) if token.kind == "STRING" else token.text

    def _order(self) -> tuple[tuple[str, bool], ...]:
        found = [self._order_field()]
        while self._peek().text == ",":
            self._sign(",")
            found.append(self._order_field())
        return tuple(found)

    def _order_field(self) -> tuple[str, bool]:
        field, descending = self._name(), self._accept("DESC")
        if not descending:
            self._accept("ASC")
        return field, descending

    def _whole_number(self, *, most: int | None) -> int:
        token = self._take(lambda it: it.kind == "NUMBER" and "." not in it.text)
        value = int(token.text)
        if value < 1:
            raise refusals.query_invalid(f"value {value} is too small. Min allowed value is 1")
        if most is not None and value > most:
            raise refusals.query_invalid(f"value {value} is too large. Max allowed value is {most}")
        return value
