"""Whether one value of a record meets one comparison of a query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from emulators.salesforce import ids
from emulators.salesforce.periods import period
from emulators.salesforce.schema import NUMBERS, TEXTS, FieldType
from emulators.salesforce.soql import Value

_QUOTED = "should be enclosed in quotes"
_BARE = "should not be enclosed in quotes"


def type_error(field: FieldType, literal: Value, today: date) -> str | None:
    """Return what SOQL says of a literal that does not fit a field, or None when it fits."""
    if literal.kind == "null":
        return None
    if literal.kind == "period":
        try:
            period(str(literal.value), today)
        except (OverflowError, ValueError):
            return f"value of filter criterion for field '{field.name}' is out of range: {literal.value}"
    if field.type in TEXTS:
        fits, rule = literal.kind == "string", f"must be of type string and {_QUOTED}"
    elif field.type in NUMBERS:
        fits, rule = literal.kind == "number", f"must be of type {field.type} and {_BARE}"
    elif field.type == "boolean":
        fits, rule = literal.kind == "boolean", f"must be of type boolean and {_BARE}"
    elif field.type == "date":
        fits, rule = literal.kind in ("date", "period"), f"must be of type date and {_BARE}"
    elif field.type == "datetime":
        fits, rule = literal.kind in ("datetime", "period"), f"must be of type dateTime and {_BARE}"
    else:
        return f"field '{field.name}' can not be filtered in a query call"
    return None if fits else f"value of filter criterion for field '{field.name}' {rule}"


def holds(operator: str, field: FieldType, value: Any, literals: Sequence[Value], today: date) -> bool:
    """Return whether `value operator literals` is true; comparisons other than in/notin take one literal.

    Null equals null and differs from everything else; no order holds for it. Text compares without case.
    """
    own = comparable(field, value)
    match operator:
        case "=" | "in" | "!=" | "notin":
            found = any(_equal(field, own, literal, today) for literal in literals)
            return found == (operator in ("=", "in"))
        case "like":
            return own is not None and any(
                literal.value is not None and _pattern(literal.value).fullmatch(str(own)) is not None
                for literal in literals
            )
        case "includes" | "excludes":
            chosen = set(str(own or "").split(";")) - {""}
            hit = any(set(str(literal.value or "").lower().split(";")) <= chosen for literal in literals)
            return hit == (operator == "includes")
    return own is not None and _ordered(operator, field, own, literals[0], today)


def comparable(field: FieldType, value: Any) -> Any:
    """Return a stored value as something that compares with its like: lower-case text, number, date, time."""
    if value is None or value == "":
        return None
    if field.type in ("id", "reference"):
        return ids.normal(str(value)) or str(value)
    if field.type in NUMBERS:
        return float(value)
    if field.type == "date":
        return date.fromisoformat(str(value)[:10])
    if field.type == "datetime":
        return instant(str(value))
    return value if isinstance(value, bool) else str(value).lower()


def instant(text: str) -> datetime:
    """Return the time of `2026-11-22T02:00:00.000+0000` or `…Z`. Raises `ValueError` for anything else."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _equal(field: FieldType, own: Any, literal: Value, today: date) -> bool:
    if literal.kind == "period":
        first, after = _bounds(field, literal, today)
        return own is not None and bool(first <= own < after)
    return bool(own == comparable(field, literal.value))


def _ordered(operator: str, field: FieldType, own: Any, literal: Value, today: date) -> bool:
    if literal.kind == "null":
        return False
    if literal.kind == "period":
        first, after = _bounds(field, literal, today)
        edge = {"<": own < first, ">": own >= after, "<=": own < after, ">=": own >= first}
        return bool(edge[operator])
    other = comparable(field, literal.value)
    if other is None:
        return False
    return bool({"<": own < other, ">": own > other, "<=": own <= other, ">=": own >= other}[operator])


def _bounds(field: FieldType, literal: Value, today: date) -> tuple[Any, Any]:
    first, after = period(str(literal.value), today)
    if field.type == "date":
        return first, after
    midnight = datetime.min.time()
    return (
        datetime.combine(first, midnight, UTC),
        datetime.combine(after, midnight, UTC),
    )


@lru_cache(maxsize=256)
def _pattern(like: str) -> re.Pattern[str]:
    """Return the regular expression of a LIKE pattern: `%` is any text, `_` one character, `\\` quotes both."""
    parts = re.findall(r"\\[%_]|.", like.lower(), re.DOTALL)
    out = [".*" if part == "%" else "." if part == "_" else re.escape(part[-1]) for part in parts]
    return re.compile("".join(out), re.DOTALL)
