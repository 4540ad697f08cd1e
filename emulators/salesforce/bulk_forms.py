"""The forms of the Bulk API (1.0): what a job is asked for, and its answers, in XML or in JSON.

Source: Bulk API Developer Guide (legacy 1.0), "JobInfo", "BatchInfo", "Errors" (from knowledge, 2026-11-22). A request
in JSON is answered in JSON, and so is any call of a job whose data is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from emulators.http import Request, Response
from emulators.salesforce.metadata.xmlform import Malformed, parse, text

_XMLNS = "http://www.force.com/2009/06/asyncapi/dataload"
_ASKED = ("operation", "object", "contentType", "concurrencyMode", "externalIdFieldName", "state")


def speaks_json(request: Request) -> bool:
    """Return whether a request is in JSON, or wants its answer so."""
    heads = (request.headers.get(name, "") for name in ("content-type", "accept"))
    return any(head.startswith("application/json") for head in heads)


def job_info(request: Request) -> dict[str, str]:
    """Return what a job is asked for, by name. Raises `ValueError`."""
    if not speaks_json(request):
        try:
            root = parse(request.body)
        except Malformed as bad:
            raise ValueError(f"Unable to parse Job: {bad.message}") from None
        return {name: value for name in _ASKED if (value := text(root, name))}
    try:
        given = json.loads(request.body)
    except ValueError as bad:
        raise ValueError(f"Unable to parse Job: {bad}") from None
    if not isinstance(given, dict):
        raise ValueError("Unable to parse Job: it is no JSON object")
    return {name: str(given[name]) for name in _ASKED if given.get(name) not in (None, "")}


def answer(name: str, values: Mapping[str, Any], *, as_json: bool, status: int = 200) -> Response:
    """Return a jobInfo, batchInfo or error."""
    if as_json:
        return Response.of_json({key: value for key, value in values.items() if value != ""}, status)
    return _xml(name, elements(values), status)


def answer_list(name: str, item: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> Response:
    """Return a batchInfoList."""
    if as_json:
        return Response.of_json({item: [{k: v for k, v in row.items() if v != ""} for row in rows]})
    return _xml(name, "".join(f"<{item}>{elements(row)}</{item}>" for row in rows))


def result_list(results: list[str], *, as_json: bool) -> Response:
    """Return the ids of a query's results."""
    return (
        Response.of_json(results) if as_json else _xml("result-list", "".join(f"<result>{r}</result>" for r in results))
    )


def elements(values: Mapping[str, Any]) -> str:
    """Return values as XML, empty ones left out."""
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items() if value != "")


def _xml(name: str, inner: str, status: int = 200) -> Response:
    return Response.of_xml(f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{_XMLNS}">{inner}</{name}>', status)
