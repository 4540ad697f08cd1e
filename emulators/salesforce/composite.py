"""The `/composite` resources: several records or several calls in one request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from emulators.http import Request, Response
from emulators.salesforce import errors
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError
from emulators.store import Document

Answer = Callable[[Request], Response]

# 200 records, 25 subrequests: third-party summaries of the REST API Developer Guide (read 2026-11-22).
_MOST_RECORDS = 200
_MOST_CALLS = 25
_REFERENCE = re.compile(r"@\{([A-Za-z]\w*)((?:\.[A-Za-z]\w*|\[\d+\])*)\}")


class _TakenBack(Exception):
    """Ends the transaction of a request that is all or none."""


def collection(ctx: Context) -> Response:
    """Answer `/composite/sobjects`: create, update or delete up to 200 records, all or each for itself."""
    if ctx.method == "DELETE":
        idents = [ident for ident in ctx.request.query.get("ids", "").split(",") if ident]
        all_or_none = ctx.request.query.get("allOrNone", "false").lower() == "true"
        jobs: list[Callable[[], Document]] = [partial(_delete, ctx, ident) for ident in idents]
    elif ctx.method in ("POST", "PATCH"):
        body = ctx.json_object()
        records = body.get("records")
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise errors.bad_json("The list of records is missing at [line:1, column:1]")
        all_or_none = bool(body.get("allOrNone"))
        one = _create if ctx.method == "POST" else _update
        jobs = [partial(one, ctx, record) for record in records]
    else:
        raise errors.wrong_method(ctx.method, "DELETE,GET,PATCH,POST")
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
    calls = _calls(body, "compositeRequest")
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
            if body.get("allOrNone") and any(result["httpStatusCode"] >= 400 for result in out):
                raise _TakenBack
    except _TakenBack:
        message = "The transaction was rolled back since another operation in the same transaction failed."
        halted = RestError(400, "PROCESSING_HALTED", message).body()
        out = [r if r["httpStatusCode"] >= 400 else r | {"body": halted, "httpStatusCode": 400} for r in out]
    return Response.of_json({"compositeResponse": out})


def batch(ctx: Context, answer: Answer) -> Response:
    """Answer `/composite/batch`: up to 25 calls that do not know of each other."""
    results: list[dict[str, Any]] = []
    for call in _calls(ctx.json_object(), "batchRequests"):
        rich = json.dumps(call["richInput"]).encode() if "richInput" in call else b""
        url = "/services/data/" + str(call.get("url", "")).lstrip("/")
        response = answer(_subrequest(ctx, str(call.get("method", "GET")), url, rich))
        results.append({"statusCode": response.status, "result": _content(response)})
    return Response.of_json({"hasErrors": any(r["statusCode"] >= 400 for r in results), "results": results})


def _calls(body: Document, key: str) -> list[Document]:
    """Return the subrequests of a body. Raises `RestError` when there are none, or too many."""
    calls = body.get(key)
    if not isinstance(calls, list) or not calls or not all(isinstance(call, dict) for call in calls):
        raise errors.bad_json(f"The list {key} is missing at [line:1, column:1]")
    if len(calls) > _MOST_CALLS:
        raise RestError(400, "INVALID_INPUT", f"The request exceeds {_MOST_CALLS} subrequests")
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
