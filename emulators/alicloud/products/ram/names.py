"""Names in RAM, and lists cut into pieces."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.resources import Kind


def new_name(call: Call, kind: Kind, parameter: str, pattern: str) -> str:
    """Return the name of something to be made. Raises `ApiError` when it is malformed or taken."""
    name = call.need(parameter)
    if not re.fullmatch(pattern, name, re.ASCII):
        raise ApiError(f"InvalidParameter.{parameter}.InvalidChars", name=name)
    if any(document["id"].lower() == name.lower() for document in kind.all(call)):
        raise ApiError(kind.missing.replace("EntityNotExist", "EntityAlreadyExists"), name=name)
    return name


def cut(call: Call, items: Sequence[Answer]) -> tuple[Sequence[Answer], Answer]:
    """Return the piece of a list that `Marker` and `MaxItems` ask for, and what tells whether more follows."""
    start, most = call.number("Marker", 0), call.number("MaxItems", 100, low=1, high=1000)
    piece, end = items[start : start + most], start + most
    if end < len(items):
        return piece, {"IsTruncated": True, "Marker": str(end)}
    return piece, {"IsTruncated": False}
