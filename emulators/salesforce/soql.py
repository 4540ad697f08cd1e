"""SOQL text to a tree: what is selected, from where, and under which condition."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeAlias

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.exceptions import VisitError

from emulators.salesforce.errors import RestError


@dataclass(frozen=True)
class Path:
    """A field, by way of relationships: `Owner.Profile.Name`. `at` is its offset in the query."""

    parts: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Value:
    """A literal: `kind` is string, number, boolean, null, date, datetime or period (TODAY, LAST_N_DAYS:7)."""

    kind: Literal["string", "number", "boolean", "null", "date", "datetime", "period"]
    value: Any
    at: int


@dataclass(frozen=True)
class Call:
    """A function over arguments: `COUNT(Id)`. `name` is upper case."""

    name: str
    arguments: tuple[Path | Call | Value, ...]
    at: int


Operand: TypeAlias = Path | Call


@dataclass(frozen=True)
class Comparison:
    """`left operator right`. Operators: = != < > <= >= like in notin includes excludes."""

    left: Operand
    operator: str
    right: Value | tuple[Value, ...] | Query


@dataclass(frozen=True)
class AllOf:
    """Conditions that all hold."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """Conditions of which one holds."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """A condition that does not hold."""

    term: Condition


Condition: TypeAlias = Comparison | AllOf | AnyOf | Not


@dataclass(frozen=True)
class Item:
    """One selected thing and its alias, "" for none."""

    what: Operand
    alias: str = ""


@dataclass(frozen=True)
class Ordered:
    """One sort key."""

    what: Operand
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True)
class Query:
    """A whole query. `count_only` is `SELECT COUNT()`; `children` are the sub-selects of the SELECT list."""

    text: str
    source: str
    source_at: int
    alias: str = ""
    count_only: bool = False
    items: tuple[Item, ...] = ()
    children: tuple[Query, ...] = ()
    where: Condition | None = None
    group: tuple[Operand, ...] = ()
    having: Condition | None = None
    order: tuple[Ordered, ...] = ()
    limit: int | None = None
    offset: int = 0


def parse(text: str) -> Query:
    """Return the tree of a query. Raises `RestError` MALFORMED_QUERY with row, column and the token."""
    try:
        tree = _grammar().parse(text)
        query: Query = _Tree(text).transform(tree)
    except UnexpectedCharacters as error:
        spot = f"line {error.line}:{error.column - 1} no viable alternative at character '{error.char}'"
        raise RestError(400, "MALFORMED_QUERY", spot) from error
    except UnexpectedEOF as error:
        raise malformed(text, len(text), "unexpected token: '<EOF>'") from error
    except UnexpectedToken as error:
        at, token = (
            (len(text), "<EOF>") if error.token.type == "$END" else (error.token.start_pos or 0, str(error.token))
        )
        raise malformed(text, at, f"unexpected token: '{token}'") from error
    except VisitError as error:
        raise error.orig_exc from error
    return query


def malformed(text: str, at: int, message: str) -> RestError:
    """Return MALFORMED_QUERY for a spot of a query."""
    return RestError(400, "MALFORMED_QUERY", pointed(text, at, message))


def pointed(text: str, at: int, message: str) -> str:
    """Return a message under the piece of the query that it is about, as Salesforce prints it."""
    before = text[:at]
    row, start = before.count("\n") + 1, before.rfind("\n") + 1
    line = text[start:].partition("\n")[0]
    column = at - start
    first = max(0, column - 40)
    return (
        f"\n{line[first : column + 40]}\n{' ' * (column - first)}^\nERROR at Row:{row}:Column:{column + 1}\n{message}"
    )


@cache
def _grammar() -> Lark:
    text = resources.files("emulators.salesforce").joinpath("soql.lark").read_text(encoding="utf-8")
    return Lark(text, start="query", parser="lalr", maybe_placeholders=True)


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class _Clause:
    name: str
    value: Any = field(default=None)


class _Tree(Transformer[Token, Any]):
    """Builds the tree bottom up; the names of its methods are the rules of the grammar."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def query(self, parts: list[Any]) -> Query:
        selection, source, *rest = parts
        clauses = {clause.name: clause.value for clause in rest if isinstance(clause, _Clause)}
        chosen = selection.value if selection.name == "items" else []
        return Query(
            text=self._text,
            source=str(source.value[0]),
            source_at=source.value[0].start_pos,
            alias=source.value[1] or "",
            count_only=selection.name == "count_all",
            items=tuple(item for item in chosen if isinstance(item, Item)),
            children=tuple(item for item in chosen if isinstance(item, Query)),
            where=clauses.get("where"),
            group=clauses.get("group", ()),
            having=clauses.get("having"),
            order=clauses.get("order", ()),
            limit=clauses.get("limit"),
            offset=clauses.get("offset", 0),
        )

    def count_all(self, _: list[Any]) -> _Clause:
        return _Clause("count_all")

    def items(self, parts: list[Any]) -> _Clause:
        return _Clause("items", parts)

    def children(self, parts: list[Any]) -> Query:
        query: Query = parts[0]
        return query

    def path_item(self, parts: list[Any]) -> Item:
        return Item(_path(parts[0]), str(parts[1] or ""))

    def call_item(self, parts: list[Any]) -> Item:
        return Item(parts[0], str(parts[1] or ""))

    def call(self, parts: list[Any]) -> Call:
        name = parts[0]
        return Call(str(name).upper(), tuple(p for p in parts[1:] if p is not None), name.start_pos)

    def path(self, parts: list[Any]) -> Path:
        return _path(parts[0])

    def source(self, parts: list[Any]) -> _Clause:
        return _Clause("source", (parts[0], str(parts[1] or "")))

    def scope(self, parts: list[Any]) -> _Clause:
        return _Clause("scope", str(parts[0]))

    def where(self, parts: list[Any]) -> _Clause:
        return _Clause("where", parts[0])

    def having(self, parts: list[Any]) -> _Clause:
        return _Clause("having", parts[0])

    def group(self, parts: list[Any]) -> _Clause:
        return _Clause("group", tuple(parts))

    def order(self, parts: list[Any]) -> _Clause:
        return _Clause("order", tuple(parts))

    def ordered(self, parts: list[Any]) -> Ordered:
        what, direction, nulls = parts
        return Ordered(what, str(direction or "").lower() == "desc", str(nulls or "").lower().endswith("last"))

    def limit(self, parts: list[Any]) -> _Clause:
        return _Clause("limit", int(parts[0]))

    def offset(self, parts: list[Any]) -> _Clause:
        if int(parts[0]) > 2000:
            raise RestError(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        return _Clause("offset", int(parts[0]))

    def for_use(self, _: list[Any]) -> _Clause:
        return _Clause("for")

    def all_of(self, parts: list[Any]) -> AllOf:
        return AllOf(tuple(parts))

    def any_of(self, parts: list[Any]) -> AnyOf:
        return AnyOf(tuple(parts))

    def negated(self, parts: list[Any]) -> Not:
        return Not(parts[0])

    def comparison(self, parts: list[Any]) -> Comparison:
        left, operator, right = parts
        return Comparison(left, "!=" if operator == "<>" else str(operator), right)

    def like(self, parts: list[Any]) -> Comparison:
        return Comparison(parts[0], "like", parts[1])

    def in_list(self, parts: list[Any]) -> Comparison:
        return Comparison(parts[0], "in", parts[1])

    def not_in_list(self, parts: list[Any]) -> Comparison:
        return Comparison(parts[0], "notin", parts[1])

    def set_test(self, parts: list[Any]) -> Comparison:
        return Comparison(parts[0], str(parts[1]).lower(), parts[2])

    def literals(self, parts: list[Any]) -> tuple[Value, ...]:
        return tuple(parts)

    def literal(self, parts: list[Any]) -> Value:
        token = parts[0]
        at = token.start_pos
        match token.type:
            case "STRING":
                return Value("string", _unescaped(str(token)[1:-1]), at)
            case "NUMBER" | "INTEGER":
                return Value("number", float(token) if not token.isdigit() else int(token), at)
            case "BOOLEAN":
                return Value("boolean", token.lower() == "true", at)
            case "NULL":
                return Value("null", None, at)
            case "DATE" | "DATETIME":
                try:
                    datetime.fromisoformat(str(token))
                except ValueError as error:
                    raise malformed(self._text, at, f"Invalid date: {token}") from error
                return Value("date" if token.type == "DATE" else "datetime", str(token), at)
        return Value("period", str(token).upper(), at)


def _path(token: Token) -> Path:
    return Path(tuple(str(token).split(".")), token.start_pos or 0)


def _unescaped(text: str) -> str:
    """Return a string literal's text. A quoted `%` or `_` keeps its backslash: LIKE reads it."""
    out, escaped = [], False
    for char in text:
        if escaped:
            out.append(f"\\{char}" if char in "%_" else _ESCAPES.get(char, char))
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out.append(char)
    return "".join(out)
