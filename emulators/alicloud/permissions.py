"""RAM's policy language: whether documents allow an action. Pure.

Source: help.aliyun.com, RAM, "Policy elements" and "Policy evaluation process": a Deny that applies wins, then an
Allow; what nobody names is refused. Conditions: StringEquals, StringLike, Bool, and the negations of the first two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

Statement = Mapping[str, Any]
_NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike"}


def allows(documents: Iterable[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Return whether policies together allow `action` ("oss:GetObject") on `resource` ("acs:oss:…")."""
    effects = {
        statement.get("Effect")
        for document in documents
        for statement in statements_of(document)
        if applies(statement, action, resource, context)
    }
    return "Allow" in effects and "Deny" not in effects


def statements_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a policy, which may be one or a list."""
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def applies(statement: Statement, action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Return whether a statement is about an action on a resource, whoever asks."""
    return (
        any(_like(pattern.lower(), action.lower()) for pattern in many(statement.get("Action")))
        and any(_names(pattern, resource) for pattern in many(statement.get("Resource")))
        and holds(statement.get("Condition") or {}, context)
    )


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Return whether all conditions hold. `context` has what is known of the request: condition key → value.

    A key that is not known fulfils the negations alone; an operator that isn't emulated never holds.
    """
    return all(
        _holds(operator, [str(value) for value in many(values)], context.get(name))
        for operator, tests in conditions.items()
        for name, values in tests.items()
    )


def many(value: Any) -> list[Any]:
    """Return what may be one value, a list, or absent, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _holds(operator: str, values: list[str], found: str | None) -> bool:
    if operator in _NEGATED:
        return not _holds(_NEGATED[operator], values, found)
    if found is None:
        return False
    if operator == "StringEquals":
        return found in values
    if operator == "StringLike":
        return any(_like(value, found) for value in values)
    return operator == "Bool" and found.lower() in [value.lower() for value in values]


def _names(pattern: str, resource: str) -> bool:
    """Return whether a pattern names a resource. Bucket policies may leave out what stands before the bucket."""
    if pattern == "*" or _like(pattern, resource):
        return True
    return not pattern.startswith("acs:") and _like(pattern, resource.split(":", 4)[-1])


def _like(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
