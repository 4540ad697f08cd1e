"""`/composite/tree`: records with their children in one request, all or none.

Source: REST API Developer Guide, "sObject Tree", "SObject Tree Response Body" (214.0, 248.0, excerpts read 2026-11-22):
200 records, five levels, five types; level by level; where one fails the answer holds it alone. The words of what is
wrong with the tree itself are from knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulators.http import Response
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError, bad_json
from emulators.salesforce.schema import ObjectType
from emulators.store import Document

_MOST_RECORDS, _MOST_LEVELS, _MOST_TYPES = 200, 5, 5


@dataclass(frozen=True)
class _Node:
    """A record of a tree: its fields, and the parent and the field that leads there, for those below the root."""

    obj: ObjectType
    reference: str
    values: Document
    parent: str = ""
    link: str = ""


class _Failed(Exception):
    """A record can't be created; `results` say which and why."""

    def __init__(self, results: list[Document]) -> None:
        super().__init__()
        self.results = results


def plant(ctx: Context, obj: ObjectType) -> Response:
    """Create the trees of a request, whose roots are of `obj`. Raises `RestError` for what is no tree."""
    nodes = list(_nodes(ctx, obj, ctx.json_object()))
    if len(nodes) > _MOST_RECORDS:
        raise RestError(400, "INVALID_INPUT", f"A request has at most {_MOST_RECORDS} records, not {len(nodes)}")
    if len({node.obj.name for node in nodes}) > _MOST_TYPES:
        raise RestError(400, "INVALID_INPUT", f"A request has records of at most {_MOST_TYPES} types")
    made: dict[str, str] = {}
    try:
        _unique(nodes)
        with ctx.world.store.transaction():
            for node in nodes:
                above = {node.link: made[node.parent]} if node.link else {}
                try:
                    made[node.reference] = ctx.records.insert(node.obj, node.values | above)
                except RestError as error:
                    raise _Failed([_wrong(node.reference, error)]) from None
    except _Failed as failed:
        return Response.of_json({"hasErrors": True, "results": failed.results}, 400)
    results = [{"referenceId": reference, "id": ident} for reference, ident in made.items()]
    return Response.of_json({"hasErrors": False, "results": results}, 201)


def _nodes(ctx: Context, obj: ObjectType, body: Document) -> Iterator[_Node]:
    """Yield the records of a request level by level: parents before their children."""
    level: list[tuple[ObjectType, Document, str, str]] = [(obj, each, "", "") for each in _records(body)]
    for _ in range(_MOST_LEVELS):
        below: list[tuple[ObjectType, Document, str, str]] = []
        for own, record, parent, link in level:
            attributes = record.get("attributes")
            about: Document = attributes if isinstance(attributes, dict) else {}
            reference = str(about.get("referenceId") or "")
            if not reference or str(about.get("type", "")).lower() != own.name.lower():
                raise bad_json(f"Each record needs attributes with its type, {own.name}, and a referenceId")
            lists = {name.lower(): (child, field.name) for name, child, field in ctx.schema.children(own)}
            nested = {name for name, value in record.items() if name.lower() in lists and isinstance(value, dict)}
            values = {name: value for name, value in record.items() if name not in nested and name != "attributes"}
            yield _Node(own, reference, values, parent, link)
            for name in sorted(nested):
                child, field = lists[name.lower()]
                below += [(child, each, reference, field) for each in _records(record[name])]
        level = below
    if level:
        raise RestError(400, "INVALID_INPUT", f"A tree has at most {_MOST_LEVELS} levels")


def _records(body: Any) -> list[Document]:
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise bad_json("The list of records is missing at [line:1, column:1]")
    return records


def _unique(nodes: list[_Node]) -> None:
    """Raise `_Failed` with one result for each use of a reference that is used more than once."""
    references = [node.reference for node in nodes]
    twice = [reference for reference in references if references.count(reference) > 1]
    if twice:
        error = RestError(400, "INVALID_INPUT", "Duplicate ReferenceId provided in the request.")
        raise _Failed([_wrong(reference, error) for reference in twice])


def _wrong(reference: str, error: RestError) -> Document:
    return {"referenceId": reference, "errors": [error.as_save_error()]}
