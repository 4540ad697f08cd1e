"""Runs a parsed query over the records of an org."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from emulators.salesforce import soql_compare
from emulators.salesforce.errors import RestError
from emulators.salesforce.schema import NUMBERS, FieldType, ObjectType, Schema
from emulators.salesforce.soql import (
    AllOf,
    AnyOf,
    Call,
    Comparison,
    Condition,
    Item,
    Not,
    Operand,
    Path,
    Query,
    Value,
    malformed,
    parse,
    pointed,
)

Row = dict[str, Any]
Test = Callable[[Row], bool]

_WSDL = "Please reference your WSDL or the describe call for the appropriate names."
AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
# Functions that answer the field itself here: the emulated org has one language, one currency, no translation.
_PASSING = frozenset({"TOLABEL", "FORMAT", "CONVERTCURRENCY"})
_DATE_PARTS: dict[str, Callable[[date], Any]] = {
    "CALENDAR_YEAR": lambda d: d.year,
    "CALENDAR_MONTH": lambda d: d.month,
    "DAY_IN_MONTH": lambda d: d.day,
    "DAY_ONLY": lambda d: d.isoformat()[:10],
}
_COUNT_FIELD = FieldType("count", "int", "count")


class Rows(Protocol):
    """Where a query finds records."""

    def rows(self, obj: ObjectType, *, deleted: bool = False) -> list[Row]:
        """Return the records of an object; those in the recycle bin only when `deleted`."""
        ...


@dataclass(frozen=True)
class Result:
    """What a query found: records as the REST API prints them, and the number that `totalSize` says."""

    total: int
    records: list[Row]


@dataclass(frozen=True)
class _Getter:
    """How to read one operand from a row, and the field whose type it has."""

    field: FieldType
    read: Callable[[Any], Any]


class Engine:
    """Runs queries for one caller: `base` is the path before `/sobjects`, `api` "data" or "tooling"."""

    def __init__(
        self, schema: Schema, records: Rows, api: str, base: str, today: date, *, deleted: bool = False
    ) -> None:
        self._schema, self._records, self._api, self._base = schema, records, api, base
        self._today, self._deleted = today, deleted
        self._indexes: dict[str, dict[str, Row]] = {}

    def run(self, text: str) -> Result:
        """Return what a query finds. Raises `RestError` MALFORMED_QUERY, INVALID_TYPE or INVALID_FIELD."""
        query = parse(text)
        obj = self._schema.object(query.source, self._api)
        if obj is None:
            message = (
                f"sObject type '{query.source}' is not supported. If you are attempting to use a custom object, "
                f"be sure to append the '__c' after the entity name. {_WSDL}"
            )
            raise RestError(400, "INVALID_TYPE", pointed(text, query.source_at, message))
        rows = self._records.rows(obj, deleted=self._deleted)
        return self._select(query, obj, rows)

    def _select(self, query: Query, obj: ObjectType, rows: list[Row]) -> Result:
        scope = _Scope(self, query, obj)
        test = scope.test(query.where) if query.where else None
        found = [row for row in rows if test is None or test(row)]
        if query.count_only:
            count = len(_window(query, found))
            return Result(count, [])
        if query.group or any(isinstance(i.what, Call) and i.what.name in AGGREGATES for i in query.items):
            records = self._grouped(query, scope, found)
            return Result(len(records), records)
        _reject_having(query)
        found = _window(query, scope.sorted(found))
        shapes = [(item, scope.getter(item.what)) for item in expanded(query, obj)]
        children = [(sub, *self._children(query, obj, sub)) for sub in query.children]
        records = [self._record(obj, scope, row, shapes, children) for row in found]
        return Result(len(records), records)

    def _record(
        self,
        obj: ObjectType,
        scope: _Scope,
        row: Row,
        shapes: Sequence[tuple[Item, _Getter]],
        children: Sequence[tuple[Query, str, ObjectType, FieldType]],
    ) -> Row:
        out = self._attributed(obj, row)
        for item, getter in shapes:
            if isinstance(item.what, Path):
                self._place(out, obj, scope.own(item.what), row, getter)
            else:
                out[item.alias or item.what.name.lower()] = getter.read(row)
        for sub, name, child, link in children:
            mine = [
                other
                for other in self._records.rows(child, deleted=self._deleted)
                if other.get(link.name) == row.get(obj.key_field)
            ]
            result = self._select(sub, child, mine)
            out[name] = {"totalSize": result.total, "done": True, "records": result.records} if result.total else None
        return out

    def _place(self, out: Row, obj: ObjectType, parts: Sequence[str], row: Row, getter: _Getter) -> None:
        """Put a field into the record, inside the records of the parents that its path goes through."""
        at, current, current_row = out, obj, row
        for part in parts[:-1]:
            link = current.parent(part)
            parent = self._parent(link, current_row) if link else None
            if link is None or parent is None:
                at.setdefault(link.relationship if link else part, None)
                return
            current, current_row = parent
            if at.get(link.relationship) is None:
                at[link.relationship] = self._attributed(current, current_row)
            at = at[link.relationship]
        at[getter.field.name] = getter.read(row)

    def _attributed(self, obj: ObjectType, row: Row) -> Row:
        url = f"{self._base}/sobjects/{obj.name}/{row.get('Id')}"
        return {"attributes": {"type": obj.name, "url": url}}

    def _children(self, query: Query, obj: ObjectType, sub: Query) -> tuple[str, ObjectType, FieldType]:
        wanted = sub.source.lower()
        for name, child, link in self._schema.children(obj):
            if name.lower() == wanted:
                return name, child, link
        message = (
            f"Didn't understand relationship '{sub.source}' in FROM part of query call. If you are attempting to "
            f"use a custom relationship, be sure to append the '__r' after the custom relationship name. {_WSDL}"
        )
        raise RestError(400, "INVALID_TYPE", pointed(query.text, sub.source_at, message))

    def _parent(self, link: FieldType, row: Row) -> tuple[ObjectType, Row] | None:
        """Return the object and record that a reference of `row` points to, or None."""
        key = row.get(link.name)
        for name in link.references if key else ():
            parent = self._schema.objects.get(name.lower())
            if parent is None:
                continue
            if parent.name not in self._indexes:
                rows = self._records.rows(parent, deleted=True)
                self._indexes[parent.name] = {str(r.get(parent.key_field)): r for r in rows}
            found = self._indexes[parent.name].get(str(key))
            if found is not None:
                return parent, found
        return None

    def _grouped(self, query: Query, scope: _Scope, found: list[Row]) -> list[Row]:
        keys = [scope.getter(operand) for operand in query.group]
        groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): found}
        for row in found if keys else ():
            group = tuple(soql_compare.comparable(key.field, key.read(row)) for key in keys)
            groups.setdefault(group, []).append(row)
        grouped = {_words(operand) for operand in query.group}
        names, number = [], 0
        for item in query.items:
            if isinstance(item.what, Call):
                names.append(item.alias or f"expr{number}")
                number += not item.alias
            else:
                names.append(item.alias or item.what.parts[-1])
            if _words(item.what) not in grouped and not (isinstance(item.what, Call) and item.what.name in AGGREGATES):
                raise malformed(
                    query.text, item.what.at, f"Field must be grouped or aggregated: {_words(item.what, lower=False)}"
                )
        having = scope.test_of_group(query.having) if query.having else None
        kept = [rows for rows in groups.values() if having is None or having(rows)]
        for ordered in reversed(query.order):
            getter = scope.of_group(ordered.what)
            kept = _sorted(kept, getter, ordered.descending, ordered.nulls_last)
        getters = [scope.of_group(item.what) for item in query.items]
        return [
            {"attributes": {"type": "AggregateResult"}}
            | {name: getter.read(rows) for name, getter in zip(names, getters, strict=True)}
            for rows in _window(query, kept)
        ]


def expanded(query: Query, obj: ObjectType) -> list[Item]:
    """Return the selected items with FIELDS(ALL|STANDARD|CUSTOM) written out. Raises `RestError` MALFORMED_QUERY."""
    out = []
    for item in query.items:
        if isinstance(item.what, Call) and item.what.name == "FIELDS":
            which = str(item.what.arguments[0]).upper() if item.what.arguments else ""
            if which != "STANDARD" and not (query.limit and query.limit <= 200):
                raise RestError(400, "MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200")
            out += [
                Item(Path((f.name,), item.what.at))
                for f in obj.fields.values()
                if which == "ALL" or f.custom == (which == "CUSTOM")
            ]
        else:
            out.append(item)
    return out


@dataclass(frozen=True)
class _Scope:
    """Names of one FROM: turns operands and conditions of a query into functions of a row."""

    engine: Engine
    query: Query
    obj: ObjectType

    def own(self, path: Path) -> tuple[str, ...]:
        """Return the parts of a path without the object's name or alias in front."""
        head = path.parts[0].lower()
        if len(path.parts) > 1 and head in (self.query.alias.lower(), self.obj.name.lower()) and head:
            return path.parts[1:]
        return path.parts

    def getter(self, operand: Operand) -> _Getter:
        """Return how to read an operand. Raises `RestError` INVALID_FIELD for a name that the object lacks."""
        if isinstance(operand, Path):
            return self._path(self.obj, self.own(operand), operand)
        inner = operand.arguments[0] if operand.arguments else None
        if isinstance(inner, Value) or inner is None:
            raise malformed(self.query.text, operand.at, f"unexpected token: '{operand.name}'")
        getter = self.getter(inner)
        if operand.name in _PASSING:
            return getter
        part = _DATE_PARTS.get(operand.name)
        if part is None:
            raise malformed(self.query.text, operand.at, f"Invalid function: {operand.name}")
        field = replace(_COUNT_FIELD, name=operand.name, type="string" if operand.name == "DAY_ONLY" else "int")

        def read(row: Row) -> Any:
            value = getter.read(row)
            return part(date.fromisoformat(str(value)[:10])) if value else None

        return _Getter(field, read)

    def _path(self, obj: ObjectType, parts: Sequence[str], path: Path) -> _Getter:
        if len(parts) == 1:
            field = obj.field(parts[0])
            if field is None:
                raise self._invalid_field(
                    path,
                    f"No such column '{parts[0]}' on entity '{obj.name}'. If you are attempting to use a custom "
                    f"field, be sure to append the '__c' after the custom field name. {_WSDL}",
                )
            name = field.name
            return _Getter(field, lambda row: row.get(name))
        link = obj.parent(parts[0])
        if link is None:
            raise self._invalid_field(
                path,
                f"Didn't understand relationship '{parts[0]}' in field path. If you are attempting to use a custom "
                f"relationship, be sure to append the '__r' after the custom relationship name. {_WSDL}",
            )
        # A polymorphic parent (Owner: User or Group) has a field when one of its objects has it.
        getters: dict[str, _Getter] = {}
        refused: RestError | None = None
        for name in link.references:
            parent = self.engine._schema.objects.get(name.lower())
            if parent is None:
                continue
            try:
                getters[parent.name] = self._path(parent, parts[1:], path)
            except RestError as error:
                refused = error
        if not getters:
            raise refused or self._invalid_field(path, f"No such column '{parts[-1]}' on entity 'Name'. {_WSDL}")

        def read(row: Row) -> Any:
            found = self.engine._parent(link, row)
            getter = getters.get(found[0].name) if found else None
            return getter.read(found[1]) if found and getter else None

        return _Getter(next(iter(getters.values())).field, read)

    def _invalid_field(self, path: Path, message: str) -> RestError:
        return RestError(400, "INVALID_FIELD", pointed(self.query.text, path.at, message))

    def sorted(self, rows: list[Row]) -> list[Row]:
        """Return the rows in the query's order."""
        for ordered in reversed(self.query.order):
            rows = _sorted(rows, self.getter(ordered.what), ordered.descending, ordered.nulls_last)
        return rows

    def test(self, condition: Condition) -> Test:
        """Return the WHERE condition as a function of a row."""
        return self._test(condition, self.getter)

    def test_of_group(self, condition: Condition) -> Callable[[list[Row]], bool]:
        """Return the HAVING condition as a function of a group's rows."""
        return self._test(condition, self.of_group)

    def _test(self, condition: Condition, getter_of: Callable[[Operand], _Getter]) -> Callable[[Any], bool]:
        match condition:
            case AllOf(terms):
                every = [self._test(term, getter_of) for term in terms]
                return lambda row: all(test(row) for test in every)
            case AnyOf(terms):
                some = [self._test(term, getter_of) for term in terms]
                return lambda row: any(test(row) for test in some)
            case Not(term):
                inner = self._test(term, getter_of)
                return lambda row: not inner(row)
        return self._comparison(condition, getter_of)

    def _comparison(self, comparison: Comparison, getter_of: Callable[[Operand], _Getter]) -> Callable[[Any], bool]:
        getter, today = getter_of(comparison.left), self.engine._today
        operator, right = comparison.operator, comparison.right
        if isinstance(right, Query):
            literals: tuple[Value, ...] = self._subquery(right)
        else:
            literals = right if isinstance(right, tuple) else (right,)
            for literal in literals:
                wrong = soql_compare.type_error(getter.field, literal, today)
                if wrong:
                    message = pointed(self.query.text, comparison.left.at, wrong)
                    raise RestError(400, "INVALID_FIELD", message)
        return lambda row: soql_compare.holds(operator, getter.field, getter.read(row), literals, today)

    def _subquery(self, query: Query) -> tuple[Value, ...]:
        """Return what a semi-join selects, as literals."""
        obj = self.engine._schema.object(query.source, self.engine._api)
        if len(query.items) != 1:
            raise malformed(query.text, query.source_at, "Only one column may be selected in an inner select")
        if obj is None:
            message = f"sObject type '{query.source}' is not supported. {_WSDL}"
            raise RestError(400, "INVALID_TYPE", pointed(query.text, query.source_at, message))
        scope = _Scope(self.engine, query, obj)
        getter = scope.getter(query.items[0].what)
        test = scope.test(query.where) if query.where else None
        rows = self.engine._records.rows(obj)
        values = {getter.read(row) for row in rows if test is None or test(row)}
        return tuple(Value("string", value, 0) for value in values if value is not None)

    def of_group(self, operand: Operand) -> _Getter:
        """Return how to read an operand from the rows of a group: an aggregate, or what the group shares."""
        if not (isinstance(operand, Call) and operand.name in AGGREGATES):
            getter = self.getter(operand)
            return _Getter(getter.field, lambda rows: getter.read(rows[0]) if rows else None)
        if not operand.arguments:
            return _Getter(_COUNT_FIELD, len)
        inner = operand.arguments[0]
        if isinstance(inner, Value):
            raise malformed(self.query.text, operand.at, f"unexpected token: '{operand.name}'")
        getter = self.getter(inner)
        if operand.name in ("SUM", "AVG") and getter.field.type not in NUMBERS:
            message = f"field {getter.field.name} does not support aggregate operator {operand.name}"
            raise malformed(self.query.text, operand.at, message)

        def read(rows: Any) -> Any:
            values = [value for row in rows if (value := getter.read(row)) not in (None, "")]
            return _aggregate(operand.name, getter.field, values)

        counts = operand.name.startswith("COUNT")
        return _Getter(_COUNT_FIELD if counts else getter.field, read)


def _aggregate(name: str, field: FieldType, values: list[Any]) -> Any:
    if name == "COUNT":
        return len(values)
    keyed = {soql_compare.comparable(field, value): value for value in values}
    if name == "COUNT_DISTINCT":
        return len(keyed)
    if not values:
        return None
    if name in ("SUM", "AVG"):
        total = float(sum(values))
        return total if name == "SUM" else total / len(values)
    return keyed[min(keyed) if name == "MIN" else max(keyed)]


def _sorted(rows: list[Any], getter: _Getter, descending: bool, nulls_last: bool) -> list[Any]:
    def value(row: Any) -> Any:
        return soql_compare.comparable(getter.field, getter.read(row))

    null = [row for row in rows if value(row) is None]
    rest = sorted((row for row in rows if value(row) is not None), key=value, reverse=descending)
    return rest + null if nulls_last else null + rest


def _window(query: Query, rows: list[Any]) -> list[Any]:
    end = None if query.limit is None else query.offset + query.limit
    return rows[query.offset : end]


def _reject_having(query: Query) -> None:
    if query.having is not None:
        raise RestError(400, "MALFORMED_QUERY", "HAVING clause requires a GROUP BY clause")


def _words(operand: Operand | Value, *, lower: bool = True) -> str:
    """Return an operand as text, to compare what is selected with what is grouped."""
    if isinstance(operand, Path):
        text = str(operand)
    elif isinstance(operand, Call):
        text = f"{operand.name}({','.join(_words(inner, lower=lower) for inner in operand.arguments)})"
    else:
        text = str(operand.value)
    return text.lower() if lower else text
