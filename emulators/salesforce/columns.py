"""What a query's columns are (`?columns=true`), as `sf data query` asks before it prints a table.

Source: the answer that @salesforce/plugin-data reads (`commands/data/query.js`, 2026-11-22); the keys from knowledge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emulators.salesforce.schema import NUMBERS, TEXTS, FieldType, ObjectType, Schema
from emulators.salesforce.soql import Call, Path, Query, parse
from emulators.salesforce.soql_run import expanded

Column = dict[str, Any]


def columns_of(schema: Schema, text: str, api: str) -> dict[str, Any]:
    """Return a query's column metadata. The query has been run: what it names exists. Raises `RestError`."""
    query = parse(text)
    obj = schema.object(query.source, api)
    if obj is None:
        return {"columnMetadata": []}
    columns = _columns(schema, obj, query)
    return {
        "columnMetadata": columns,
        "entityName": obj.name,
        "groupBy": bool(query.group),
        "idSelected": any(column["columnName"] == "Id" for column in columns),
        "keyPrefix": obj.prefix,
    }


def paths_of(schema: Schema, text: str, api: str) -> list[tuple[str, ...]]:
    """Return where the columns of a query stand in its records, in its own order: `("Owner", "Username")`.

    The query has been run: what it names exists. Raises `RestError`.
    """
    query = parse(text)
    obj = schema.object(query.source, api)
    found: list[tuple[str, ...]] = []
    for item in expanded(query, obj) if obj else ():
        if isinstance(item.what, Path):
            parts = item.what.parts[1:] if item.what.parts[0] in (query.alias, query.source) else item.what.parts
            found.append(_spelled(schema, obj, parts))
        else:
            found.append((item.alias or item.what.name.lower(),))
    return found


def _spelled(schema: Schema, obj: ObjectType | None, parts: Sequence[str]) -> tuple[str, ...]:
    """Return a path as the org spells it."""
    if obj is None:
        return tuple(parts)
    if len(parts) == 1:
        field = obj.field(parts[0])
        return (field.name if field else parts[0],)
    link = obj.parent(parts[0])
    name = link.relationship if link else parts[0]
    return name, *_spelled(schema, _parent(schema, link), parts[1:])


def _parent(schema: Schema, link: FieldType | None) -> ObjectType | None:
    return next((own for ref in (link.references if link else ()) if (own := schema.objects.get(ref.lower()))), None)


def _columns(schema: Schema, obj: ObjectType, query: Query) -> list[Column]:
    found: list[Column] = []
    for place, item in enumerate(query.items):
        if isinstance(item.what, Call):
            found.append(_column(item.alias or f"expr{place}", None, aggregate=True))
            continue
        parts = item.what.parts[1:] if item.what.parts[0] in (query.alias, query.source) else item.what.parts
        _place(schema, obj, parts, found)
    for child in query.children:
        own = next((other for name, other, _ in schema.children(obj) if name.lower() == child.source.lower()), None)
        inner = _columns(schema, own, child) if own else []
        found.append({**_column(child.source, None, aggregate=True), "joinColumns": inner})
    return found


def _place(schema: Schema, obj: ObjectType, parts: Sequence[str], found: list[Column]) -> None:
    """Add the column of a path; a parent's columns lie together below its relationship."""
    if len(parts) == 1:
        field = obj.field(parts[0])
        found.append(_column(field.name if field else parts[0], field))
        return
    link = obj.parent(parts[0])
    name = link.relationship if link else parts[0]
    column = next((each for each in found if each["columnName"] == name), None)
    if column is None:
        column = _column(name, None)
        found.append(column)
    parent = _parent(schema, link)
    if parent is not None:
        _place(schema, parent, parts[1:], column["joinColumns"])


def _column(name: str, field: FieldType | None, *, aggregate: bool = False) -> Column:
    kind = field.type if field else ""
    return {
        "aggregate": aggregate,
        "apexType": kind.capitalize() if kind else None,
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": bool(field and field.custom),
        "displayName": name,
        "foreignKeyName": None,
        "insertable": bool(field and field.createable),
        "joinColumns": [],
        "numberType": kind in NUMBERS,
        "textType": kind in TEXTS,
        "updatable": bool(field and field.updateable),
    }
