"""Rows of CSV and records: how both Bulk APIs read the one and write the other.

Source: Bulk API 2.0 and Bulk API Developer Guide, "Prepare CSV Files", "Valid CSV Record Rows", "Relationship Fields in
a Header Row", "Understanding Bulk API 2.0 Query" (excerpts read 2026-11-22); the words of errors: issue threads that
quote them, else from knowledge.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.salesforce.columns import paths_of
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError
from emulators.salesforce.schema import FieldType, ObjectType
from emulators.salesforce.soql import Call, parse
from emulators.salesforce.soql_run import AGGREGATES
from emulators.store import Document

Row = dict[str, str]
Write = Callable[[Document], tuple[str, bool]]

_NULL = "#N/A"


class BadBatch(Exception):
    """None of the rows can be processed; the message is the API's."""


@dataclass(frozen=True)
class Written:
    """What became of one row: the record's id ("" for none), whether it was created, and what was wrong."""

    row: Mapping[str, Any]
    id: str = ""
    created: bool = False
    problem: RestError | None = None

    @property
    def error(self) -> str:
        """What was wrong, as a cell of CSV."""
        bad = self.problem
        return f"{bad.code}:{bad.message}:{','.join(bad.fields or ()) or '--'}" if bad else ""


def read_rows(text: str, delimiter: str = ",") -> tuple[list[str], list[Row]]:
    """Return header and rows of a CSV text. Raises `BadBatch` for what is no CSV, or a row longer than the header."""
    try:
        lines = [cells for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if cells]
    except csv.Error as bad:
        raise BadBatch(f"Records not processed: {bad}") from None
    if not lines:
        return [], []
    header, *rows = lines
    for place, cells in enumerate(rows, 1):
        if len(cells) > len(header):
            raise BadBatch(f"Record {place} has {len(cells)} fields, the header {len(header)}")
    return header, [dict(zip(header, cells, strict=False)) for cells in rows]


def write_rows(
    ctx: Context, obj: ObjectType, operation: str, external_id: str, header: list[str], rows: Iterable[Row]
) -> Iterator[Written]:
    """Insert, update, upsert or delete a record for each row, and yield what became of it. Raises `BadBatch`."""
    for name in header:
        if (_link(ctx, obj, name) if "." in name else obj.field(name)) is None:
            raise BadBatch(f"Field name not found : {name}")
    return _carried(ctx, obj, operation, external_id, rows, _typed)


def write_records(
    ctx: Context, obj: ObjectType, operation: str, external_id: str, records: list[Document]
) -> Iterator[Written]:
    """Do the same for records of JSON, whose values have types; a parent's record names it by an external id."""
    for record in records:
        for name, value in record.items():
            nested = isinstance(value, dict) and obj.parent(name)
            if name != "attributes" and not nested and obj.field(name) is None:
                raise BadBatch(f"Field name not found : {name}")
    return _carried(ctx, obj, operation, external_id, records, _linked)


def _carried(
    ctx: Context,
    obj: ObjectType,
    operation: str,
    external_id: str,
    rows: Iterable[Mapping[str, Any]],
    read: Callable[[Context, ObjectType, Any], Document],
) -> Iterator[Written]:
    write = _writer(ctx, obj, operation, external_id)
    for row in rows:
        try:
            yield Written(row, *write(read(ctx, obj, row)))
        except RestError as bad:
            given = next((str(cell) for name, cell in row.items() if name.lower() == "id"), "")
            yield Written(row, given, problem=bad)


def _linked(ctx: Context, obj: ObjectType, record: Document) -> Document:
    """Return a record of JSON with the ids of the parents that it names by one of their fields."""
    values: Document = {}
    for name, value in record.items():
        if name == "attributes":
            continue
        if not isinstance(value, dict):
            values[name] = value
            continue
        for own, key in value.items():
            link = None if own == "attributes" else _link(ctx, obj, f"{name}.{own}")
            if link is not None:
                values[link[0].name] = _referenced(ctx, *link, str(key))
    return values


def query_rows(ctx: Context, soql: str, *, deleted: bool, api: str) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a query; `deleted` ones too when asked for. `api` is what a refusal calls the API.

    Raises `RestError` for what is no SOQL, names what the org lacks, or is more than the Bulk APIs take.
    """
    query = parse(soql)
    calls = [item.what.name for item in query.items if isinstance(item.what, Call)]
    if query.children or query.count_only or query.group or query.offset or AGGREGATES & set(calls):
        raise RestError(400, "API_ERROR", f"Aggregate Relationships not supported in {api}")
    found = ctx.engine(deleted=deleted).run(soql).records
    paths = paths_of(ctx.schema, soql, ctx.api)
    if ctx.version < _ORDERED_SINCE:
        paths = sorted(paths)
    return [".".join(path) for path in paths], [[_cell(_at(record, path)) for path in paths] for record in found]


# "Get Results for a Query Job": in API version 49.0 and earlier the columns come in alphabetical order.
_ORDERED_SINCE = 50


def csv_text(rows: Iterable[Iterable[str]], delimiter: str = ",", line_ending: str = "\n") -> str:
    """Return rows as CSV, all cells quoted."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, delimiter=delimiter, lineterminator=line_ending).writerows(rows)
    return out.getvalue()


def _writer(ctx: Context, obj: ObjectType, operation: str, external_id: str) -> Write:
    records = ctx.records

    def known(row: Document) -> str:
        return next((str(row.pop(name)) for name in list(row) if name.lower() == "id"), "")

    def insert(row: Document) -> tuple[str, bool]:
        return records.insert(obj, row), True

    def update(row: Document) -> tuple[str, bool]:
        ident = known(row)
        records.update(obj, ident, row)
        return ident, False

    def delete(row: Document) -> tuple[str, bool]:
        ident = known(row)
        records.delete(obj, ident)
        return ident, False

    def upsert(row: Document) -> tuple[str, bool]:
        named = external_id.lower()
        value = next((row[name] for name in row if name.lower() == named), None)
        _, found = records.by_external_id(obj, external_id, str(value or ""))
        if found is None:
            return insert({k: v for k, v in row.items() if k.lower() != "id"})
        records.update(obj, found["Id"], {k: v for k, v in row.items() if k.lower() not in (named, "id")})
        return str(found["Id"]), False

    return {"insert": insert, "update": update, "delete": delete, "upsert": upsert}[operation]


def _typed(ctx: Context, obj: ObjectType, row: Row) -> Document:
    """Return a row of CSV as a record: an empty cell changes nothing, `#N/A` empties the field."""
    values: Document = {}
    for name, cell in row.items():
        if cell == "":
            continue
        link = _link(ctx, obj, name) if "." in name else None
        if link is not None:
            values[link[0].name] = None if cell == _NULL else _referenced(ctx, *link, cell)
            continue
        field = obj.field(name)
        word = cell.lower()
        is_boolean = field is not None and field.type == "boolean" and word in ("true", "false", "1", "0")
        values[name] = None if cell == _NULL else word in ("true", "1") if is_boolean else cell
    return values


def _link(ctx: Context, obj: ObjectType, column: str) -> tuple[FieldType, ObjectType, str] | None:
    """Return (reference, parent, its field) of a column `[Object:]Relationship.Field`; None when there is none."""
    way, _, name = column.partition(".")
    kind, _, relationship = way.rpartition(":")
    link = obj.parent(relationship)
    if link is None:
        return None
    for reference in link.references:
        parent = ctx.schema.object(reference)
        if parent and parent.field(name) and kind.lower() in ("", parent.name.lower()):
            return link, parent, name
    return None


def _referenced(ctx: Context, link: FieldType, parent: ObjectType, name: str, value: str) -> str:
    field, found = ctx.records.by_external_id(parent, name, value)
    if found is None:
        why = f"Foreign key external ID: {value} not found for field {field.name} in entity {parent.name}"
        raise RestError(400, "INVALID_FIELD", why, [link.name])
    return str(found[parent.key_field])


def _at(record: Any, path: Iterable[str]) -> Any:
    for part in path:
        record = record.get(part) if isinstance(record, dict) else None
    return record


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return re.sub(r"\.000\+0000$", ".000Z", str(value))
