"""What the platforms send, as XML or as JSON, parsed so that no document can reach beyond itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

MOST_DEPTH = 8


class Malformed(Exception):
    """No message. Its text never holds any of it."""


@dataclass(frozen=True)
class Message:
    """A message: its fields as they came, and what makes it one of a kind on its channel."""

    fields: dict[str, Any]
    key: str

    def text(self, name: str) -> str:
        """Return a field as text, "" when it isn't there."""
        value = self.fields.get(name, "")
        return str(value) if isinstance(value, str | int | float) else ""


def parse(body: bytes) -> dict[str, Any]:
    """Return the fields of an XML document's root, or of a JSON object. Raises `Malformed`."""
    text = body.lstrip()
    if text.startswith(b"<"):
        return _xml(text)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("neither XML nor JSON") from None
    if not isinstance(data, dict):
        raise Malformed("no object")
    return data


def message(channel: str, body: bytes) -> Message:
    """Return the message in a decrypted body.

    Events have no MsgId: there the digest of the whole body stands in for it, which is the same in a repetition.
    Raises `Malformed`.
    """
    fields = parse(body)
    ident = fields.get("MsgId") or hashlib.sha256(body).hexdigest()
    return Message(fields, f"{channel}:{ident}")


def _xml(text: bytes) -> dict[str, Any]:
    """Return the children of the root; a name that repeats is a list. A document type is refused, and so entities."""
    stack: list[tuple[dict[str, Any], list[str]]] = [({}, [])]

    def refuse(*_: object) -> None:
        raise Malformed("a document type")

    def start(_: str, __: object) -> None:
        if len(stack) > MOST_DEPTH:
            raise Malformed("too deep")
        stack.append(({}, []))

    def end(name: str) -> None:
        children, texts = stack.pop()
        value: Any = children or "".join(texts).strip()
        above = stack[-1][0]
        if name in above:
            before = above[name]
            above[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            above[name] = value

    def data(part: str) -> None:
        stack[-1][1].append(part)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    try:
        parser.Parse(text, True)
    except expat.ExpatError:
        raise Malformed("no well-formed XML") from None
    (root,) = stack[0][0].values()
    if not isinstance(root, dict):
        raise Malformed("no fields")
    return root
