"""The `/composite` resources: several records or several calls in one request.

Source: REST API Developer Guide, "sObject Collections" (and its pages of 236.0 and 240.0), "Composite Graph" (230.0,
248.0, excerpts read 2026-11-22); the rest from knowledge of the API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from emulators.http import Request, Response
from emulators.salesforce import errors, ids
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError
from emulators.salesforce.schema import ObjectType
from emulators.salesforce.sobjects import shown
from emulators.store import Document

Answer = Callable[[Request], Response]

# 200 records, 25 subrequests: third-party summaries of the REST API Developer Guide (read 2026-11-22).
_MOST_RECORDS = 200
_MOST_READ = 2000
_MOST_CALLS = 25
# "Using Composite Graphs" (252.0): 500 nodes; the URLs that a node may have. 75 graphs: from knowledge.
_MOST_NODES, _MOST_GRAPHS, _GRAPHS_SINCE = 500, 75, 50
_NODE = re.compile(r"/services/data/v\d{1,3}\.0/sobjects/\w+(?:/[^/?]+){0,2}/?")
_REFERENCE = re.compile(r"@\{([A-Za-z]\w*)((?:\.[A-Za-z]\w*|\[\d+\])*)\}")


class _TakenBack(Exception):
    """Ends the transaction of a request that is all or none."""


def collection(ctx: Context, path: list[str]) -> Response:
    """Answer `/composite/sobjects`: create, update or delete up to 200 records, all or each for itself; with an object,
    read records; with an external id of it, upsert them."""
    jobs: list[Callable[[], Document]]
    match ctx.method, path:
        case "DELETE", []:
            idents = _listed(ctx.request.query.get("ids", ""))
            jobs = [partial(_delete, ctx, ident) for ident in idents]
            return _together(ctx, jobs, ctx.request.query.get("allOrNone", "false").lower() == "true")
        case "POST" | "PATCH", []:
            body, records = _records(ctx)
            one = _create if ctx.method == "POST" else _update
            jobs = [partial(one, ctx, record) for record in records]
            return _together(ctx, jobs, bool(body.get("allOrNone")))
        case "PATCH", [name, external]:
            body, records = _records(ctx)
            obj = ctx.object(name)
            jobs = [partial(_upsert, ctx, obj, external, record) for record in records]
            return _together(ctx, jobs, bool(body.get("allOrNone")))
        case "GET", [name]:
            query = ctx.request.query
            return _read(ctx, ctx.object(name), _listed(query.get("ids", "")), _listed(query.get("fields", "")))
        case "POST", [name]:
            body = ctx.json_object()
            return _read(ctx, ctx.object(name), list(body.get("ids") or ()), list(body.get("fields") or ()))
    raise errors.wrong_method(ctx.method, "DELETE,GET,PATCH,POST")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _records(ctx: Context) -> tuple[Document, list[Document]]:
    """Return the body and its `records`. Raises `RestError` when there are none, or what is no record among them."""
    body = ctx.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise errors.bad_json("The list of records is missing at [line:1, column:1]")
    return body, records


def _read(ctx: Context, obj: ObjectType, idents: list[str], fields: list[str]) -> Response:
    """Answer records by their ids, in their order; what the org lacks is null."""
    if not idents or not fields:
        raise RestError(400, "MISSING_ARGUMENT", "The parameters ids and fields are required")
    if len(idents) > _MOST_READ:
        raise RestError(400, "EXCEEDED_MAX_SOBJECTS_IN_REQUEST", f"The request exceeds {_MOST_READ} records")
    by_id = {row["Id"]: row for row in ctx.records.rows(obj)}
    found = [by_id.get(ids.normal(str(ident)) or "") for ident in idents]
    return Response.of_json([shown(ctx, obj, row, map(str, fields)) if row else None for row in found])


def _together(ctx: Context, jobs: list[Callable[[], Document]], all_or_none: bool) -> Response:
    """Carry out changes of records, all or each for itself, and answer the result of each."""
    if len(jobs) > _MOST_RECORDS:
        raise RestError(400, "EXCEEDED_MAX_SOBJECTS_IN_REQUEST", f"The request exceeds {_MOST_RECORDS} records")
    results: list[Document] = []
    try:
        with ctx.world.store.transaction():
            for job in jobs:
                try:
                    results.append(job())
                except RestError as error:
                    results.append({"success": False, "errors": [error.as_save_error()]})
            if all_or_none and not all(result["success"] for result in results):
                raise _TakenBack
    except _TakenBack:
        rolled_back = RestError(
            400,
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using AllOrNone header",
        )
        results = [
            result if not result["success"] else {"success": False, "errors": [rolled_back.as_save_error()]}
            for result in results
        ]
    return Response.of_json(results)


def composite(ctx: Context, answer: Answer) -> Response:
    """Answer `/composite`: up to 25 calls, of which later ones may name results of earlier ones."""
    body = ctx.json_object()
    results = _in_turn(
        ctx, answer, _calls(body, "compositeRequest", _MOST_CALLS), all_or_none=bool(body.get("allOrNone"))
    )
    return Response.of_json({"compositeResponse": results})


def graph(ctx: Context, answer: Answer) -> Response:
    """Answer `/composite/graph`: graphs of up to 500 calls in all, each of which is carried out whole or not at all."""
    if ctx.version < _GRAPHS_SINCE:
        raise errors.not_found()
    graphs = [
        (each.get("graphId"), _calls(each, "compositeRequest", _MOST_NODES))
        for each in _calls(ctx.json_object(), "graphs", _MOST_GRAPHS)
    ]
    if sum(len(calls) for _, calls in graphs) > _MOST_NODES:
        raise RestError(400, "INVALID_INPUT", f"The request exceeds {_MOST_NODES} nodes")
    for _, calls in graphs:
        for call in calls:
            if not _NODE.fullmatch(str(call.get("url", ""))):
                raise RestError(
                    400, "INVALID_INPUT", f"A composite graph can't call {call.get('url')}: only records of sobjects"
                )
    answers = []
    for ident, calls in graphs:
        results = _in_turn(ctx, answer, calls, all_or_none=True)
        good = all(result["httpStatusCode"] < 400 for result in results)
        answers.append({"graphId": ident, "graphResponse": {"compositeResponse": results}, "isSuccessful": good})
    return Response.of_json({"graphs": answers})


def _in_turn(ctx: Context, answer: Answer, calls: list[Document], *, all_or_none: bool) -> list[dict[str, Any]]:
    """Make calls one after the other and return the result of each; when one fails, of all or none all others do."""
    results: dict[str, Any] = {}
    out: list[dict[str, Any]] = []
    try:
        with ctx.world.store.transaction():
            for call in calls:
                reference = str(call.get("referenceId", ""))
                status, results[reference] = _answered(ctx, answer, call, results)
                out.append(
                    {
                        "body": results[reference],
                        "httpHeaders": {},
                        "httpStatusCode": status,
                        "referenceId": reference,
                    }
                )
            if all_or_none and any(result["httpStatusCode"] >= 400 for result in out):
                raise _TakenBack
    except _TakenBack:
        message = "The transaction was rolled back since another operation in the same transaction failed."
        halted = RestError(400, "PROCESSING_HALTED", message).body()
        out = [r if r["httpStatusCode"] >= 400 else r | {"body": halted, "httpStatusCode": 400} for r in out]
    return out


def batch(ctx: Context, answer: Answer) -> Response:
    """Answer `/composite/batch`: up to 25 calls that do not know of each other."""
    results: list[dict[str, Any]] = []
    for call in _calls(ctx.json_object(), "batchRequests", _MOST_CALLS):
        rich = json.dumps(call["richInput"]).encode() if "richInput" in call else b""
        url = "/services/data/" + str(call.get("url", "")).lstrip("/")
        response = answer(_subrequest(ctx, str(call.get("method", "GET")), url, rich))
        results.append({"statusCode": response.status, "result": _content(response)})
    return Response.of_json({"hasErrors": any(r["statusCode"] >= 400 for r in results), "results": results})


def _calls(body: Document, key: str, most: int) -> list[Document]:
    """Return the subrequests of a body. Raises `RestError` when there are none, or more than `most`."""
    calls = body.get(key)
    if not isinstance(calls, list) or not calls or not all(isinstance(call, dict) for call in calls):
        raise errors.bad_json(f"The list {key} is missing at [line:1, column:1]")
    if len(calls) > most:
        raise RestError(400, "INVALID_INPUT", f"The request exceeds {most} subrequests")
    return calls


def _answered(ctx: Context, answer: Answer, call: Document, results: dict[str, Any]) -> tuple[int, Any]:
    """Return the status and the content of one subrequest of a composite."""
    try:
        url = str(_resolved(call.get("url", ""), results))
        body = json.dumps(_resolved(call["body"], results)).encode() if "body" in call else b""
    except RestError as error:
        return error.status, error.body()
    response = answer(_subrequest(ctx, str(call.get("method", "GET")), url, body))
    return response.status, _content(response)


def _content(response: Response) -> Any:
    return json.loads(response.body) if response.body else None


def _subrequest(ctx: Context, method: str, url: str, body: bytes) -> Request:
    return Request(method, ctx.request.host, url, ctx.request.headers, body)


def _resolved(value: Any, results: dict[str, Any]) -> Any:
    """Return `value` with every `@{reference.path}` in it replaced."""
    if isinstance(value, dict):
        return {key: _resolved(inner, results) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, results) for inner in value]
    return _REFERENCE.sub(lambda match: _looked_up(match, results), value) if isinstance(value, str) else value


def _looked_up(match: re.Match[str], results: dict[str, Any]) -> str:
    found: Any = results.get(match.group(1))
    for name, index in re.findall(r"\.([A-Za-z]\w*)|\[(\d+)\]", match.group(2)):
        try:
            found = found[name] if name else found[int(index)]
        except (KeyError, IndexError, TypeError) as error:
            message = f"Invalid reference specified. No value for {match.group(0)} found"
            raise RestError(400, "PROCESSING_HALTED", message) from error
    return str(found)


def _create(ctx: Context, record: Document) -> Document:
    ident = ctx.records.insert(ctx.object(_type_of(record)), record)
    return {"id": ident, "success": True, "errors": []}


def _update(ctx: Context, record: Document) -> Document:
    ident = str(record.get("id") or record.get("Id") or "")
    values = {name: value for name, value in record.items() if name.lower() != "id"}
    ctx.records.update(ctx.object(_type_of(record)), ident, values)
    return {"id": ident, "success": True, "errors": []}


def _upsert(ctx: Context, obj: ObjectType, external: str, record: Document) -> Document:
    if _type_of(record).lower() != obj.name.lower():
        raise RestError(400, "INVALID_TYPE", f"The record is no {obj.name} but a {_type_of(record)}")
    value = next((given for name, given in record.items() if name.lower() == external.lower()), None)
    field, row = ctx.records.by_external_id(obj, external, str(value or ""))
    values = {name: given for name, given in record.items() if name.lower() not in (external.lower(), "id")}
    if row is not None:
        ctx.records.update(obj, row["Id"], values)
        return {"id": row["Id"], "success": True, "errors": [], "created": False}
    if value is None and field.type != "id":
        raise RestError(400, "MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
    if value is not None and field.type == "id":
        raise errors.not_found()
    ident = ctx.records.insert(obj, values if field.type == "id" else values | {field.name: value})
    return {"id": ident, "success": True, "errors": [], "created": True}


def _delete(ctx: Context, ident: str) -> Document:
    obj = ctx.schema.of_id(ident)
    if obj is None:
        raise RestError(400, "MALFORMED_ID", f"malformed id {ident}")
    ctx.records.delete(obj, ident)
    return {"id": ident, "success": True, "errors": []}


def _type_of(record: Document) -> str:
    attributes = record.get("attributes")
    if not isinstance(attributes, dict) or "type" not in attributes:
        raise RestError(400, "INVALID_FIELD", "The sObject type of the record is missing: attributes.type")
    return str(attributes["type"])
