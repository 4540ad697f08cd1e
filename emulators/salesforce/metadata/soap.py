"""SOAP envelopes of the Metadata API: a call read, an answer or a fault written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from emulators.http import Response
from emulators.salesforce.metadata.xmlform import NAMESPACE, Malformed, elements, find, local, parse

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_FAULTS = "http://soap.sforce.com/2006/04/metadata"


class Fault(Exception):
    """A call was refused. `code` is the API's own, without its `sf:`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Call:
    """One call: the name of its operation, the element with its parameters, and its headers, off where they say so."""

    operation: str
    body: etree._Element
    headers: Mapping[str, bool] = field(default_factory=dict)

    def text(self, *names: str, default: str = "") -> str:
        """Return the text of a parameter by path, `default` when it is absent. Case of the first letter is free."""
        spot: etree._Element | None = self.body
        for name in names:
            spot = _child(spot, name) if spot is not None else None
        return (spot.text or "").strip() if spot is not None else default

    def child(self, name: str) -> etree._Element | None:
        """Return a parameter by name."""
        return _child(self.body, name)


@dataclass(frozen=True)
class Written:
    """An answer's `result` elements, as XML already."""

    xml: str


def read_call(data: bytes) -> Call:
    """Return the call of an envelope. Raises `Fault`."""
    try:
        envelope = parse(data, huge=True)
    except Malformed as bad:
        raise Fault("UNKNOWN_EXCEPTION", f"{bad.message} at line {bad.line}, column {bad.column}") from None
    body = find(envelope, "Body")
    call = next(elements(body), None) if body is not None else None
    if local(envelope) != "Envelope" or call is None:
        raise Fault("UNKNOWN_EXCEPTION", "Expected a SOAP envelope with a call in its body")
    head = find(envelope, "Header")
    headers = {local(each): not _is_off(each) for each in elements(head)} if head is not None else {}
    return Call(local(call), call, headers)


def _is_off(header: etree._Element) -> bool:
    return any((inner.text or "").strip() == "false" for inner in elements(header))


def answer(operation: str, results: Any) -> Response:
    """Return the answer to an operation: one `result`, or one for each item of a list."""
    if isinstance(results, Written):
        return _envelope(f'<{operation}Response xmlns="{NAMESPACE}">{results.xml}</{operation}Response>')
    items = results if isinstance(results, list) else [results]
    inner = "".join(line for item in items for line in _written("result", item))
    return _envelope(f'<{operation}Response xmlns="{NAMESPACE}">{inner}</{operation}Response>')


def fault(problem: Fault) -> Response:
    """Return a fault in Salesforce's shape, with HTTP status 500 as SOAP 1.1 asks."""
    text = escape(f"{problem.code}: {problem.message}")
    body = (
        f"<soapenv:Fault><faultcode>sf:{problem.code}</faultcode>"
        f"<faultstring>{text}</faultstring></soapenv:Fault>"
    )
    # On the envelope, as Salesforce writes it: jsforce makes an object of an element with attributes.
    return _envelope(body, 500, f' xmlns:sf="{_FAULTS}"')


def _envelope(body: str, status: int = 200, spaces: str = "") -> Response:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_ENVELOPE}"{spaces}>'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return Response(status, text.encode(), {"Content-Type": "text/xml;charset=UTF-8"})


def _written(name: str, value: Any) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, bool):
        yield f"<{name}>{str(value).lower()}</{name}>"
    elif isinstance(value, Mapping):
        yield f"<{name}>"
        for inner, item in value.items():
            yield from _written(inner, item)
        yield f"</{name}>"
    elif isinstance(value, list):
        for item in value:
            yield from _written(name, item)
    else:
        yield f"<{name}>{escape(str(value))}</{name}>"


def _child(parent: etree._Element, name: str) -> etree._Element | None:
    found = find(parent, name)
    return found if found is not None else find(parent, name[:1].upper() + name[1:])
