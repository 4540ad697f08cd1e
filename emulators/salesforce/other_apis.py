"""The SOAP APIs beside the Metadata API, and the Streaming API: not emulated, and refused in forms of their own.

A client that reads XML, or messages of Bayeux, shows nobody an error list of the REST API. Source: the shapes that
simple-salesforce 1.12.10 (`login.py`) and jsforce 3.10.26 (faye) read; "Handshake denied" and `advice` as Salesforce's
handshake answers have them, from knowledge of the Streaming API.
"""

from __future__ import annotations

import json
import re
from xml.sax.saxutils import escape

from emulators.coverage import note_action
from emulators.http import Request, Response
from emulators.salesforce.refusals import Refusal, refused, refused_path
from emulators.service import World

PRODUCT = "Salesforce SOAP and Streaming APIs"
"""What the APIs go by in the list of what is asked for and not emulated."""

_FAULTS = {
    "/services/Soap/u": "urn:fault.partner.soap.sforce.com",
    "/services/Soap/c": "urn:fault.enterprise.soap.sforce.com",
}
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_BODY = re.compile(rb"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)")


def refuse(world: World, request: Request) -> Response | None:
    """Return the refusal of a call of these APIs, None when a request is none."""
    if request.path == "/cometd" or request.path.startswith("/cometd/"):
        known = refused("streaming", "/cometd")
        note_action(world.store, PRODUCT, "", "/cometd")
        return _handshake_denied(known.message if known else "")
    if not request.path.startswith("/services/Soap/"):
        return None
    found = refused_path(request.path)
    call = _BODY.search(request.body)
    operation = call.group(1).decode() if call else ""
    name = found.name if found else "/".join(request.path.split("/")[:4])
    note_action(world.store, PRODUCT, "", f"{name} {operation}".strip())
    return _fault(found, name, operation)


def _fault(known: Refusal | None, name: str, operation: str) -> Response:
    why = known.message if known else f"The emulated org has no {name}"
    message = escape(f"{why} (it was asked for {operation})" if operation else why)
    inner = (
        f"<sf:exceptionCode>INVALID_OPERATION</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage>"
    )
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_ENVELOPE}" '
        f'xmlns:sf="{_FAULTS.get(name, "urn:fault.tooling.soap.sforce.com")}"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>sf:INVALID_OPERATION</faultcode><faultstring>INVALID_OPERATION: {message}</faultstring>"
        f"<detail><sf:ApiFault>{inner}</sf:ApiFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return Response(500, text.encode(), {"Content-Type": "text/xml;charset=UTF-8"})


def _handshake_denied(why: str) -> Response:
    """Answer any message of Bayeux: no connection comes about, and the client need not try again."""
    answer = {
        "channel": "/meta/handshake",
        "successful": False,
        "error": f"403::Handshake denied: {why}",
        "advice": {"reconnect": "none"},
        "ext": {"sfdc": {"failureReason": f"403::{why}"}},
    }
    return Response(200, json.dumps([answer]).encode(), {"Content-Type": "application/json;charset=UTF-8"})
