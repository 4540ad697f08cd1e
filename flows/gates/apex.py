"""Apex: sharing is respected by what can be called from outside, and a test names every class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from flows.bundle import Bundle
from flows.components import Component
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding
from flows.gates.reading import components_of, lines_of, place_of
from orgs.federation import Federation, Org

_TEST = re.compile(r"(?im)^\s*@istest\b")
_WITHOUT = re.compile(r"(?i)\bwithout\s+sharing\b")
_ENTRY = re.compile(r"(?i)@(?:AuraEnabled|RestResource|RemoteAction|InvocableMethod)\b|\bwebservice\b")
_WORD = re.compile(r"[A-Za-z]\w*")
_TEST_NAME = re.compile(r"^test_?|_?tests?$")  # VisitTest is named for Visit
_NO_CODE = re.compile(r"(?i)^\s*(?:(?:public|global|virtual|abstract|with sharing)\s+)*(?:interface|enum)\s")
_EXCEPTION = re.compile(r"(?i)\bclass\s+\w+\s+extends\s+\w*Exception\s*\{\s*\}")


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge the Apex classes of a bundle."""
    named: set[str] = set()
    classes = []
    for component in components_of(bundle, "ApexClass"):
        code = code_of(component)
        if _TEST.search(code):
            words = {word.lower() for word in _WORD.findall(code)}
            named |= words | {_TEST_NAME.sub("", word) for word in words}
        else:
            classes.append((component, code))
    for component, code in classes:
        yield from _sharing(component, code)
        bare = _NO_CODE.match(code) or _EXCEPTION.search(code)
        if code.strip() and not bare and component.key.full_name.lower() not in named:
            yield finding("K75.no-test", component.key, component.source)


def code_of(component: Component) -> str:
    """Return the Apex of a class or trigger without its comments, "" when its source is hidden."""
    return "\n".join(line for _, line in lines_of(component, code=True) if not line.lstrip().startswith("<"))


def is_test(component: Component) -> bool:
    """Return whether the component is an Apex test class."""
    return component.key.type == "ApexClass" and bool(_TEST.search(code_of(component)))


def _sharing(component: Component, code: str) -> Iterator[Finding]:
    without = _WITHOUT.search(code)
    if not without:
        return
    place = place_of(component, without[0]) if "\n" not in without[0] else component.source
    entry = _ENTRY.search(code)
    if entry:
        yield finding("K74.exposed", component.key, place, entry=entry[0])
    else:
        yield finding("K74.without-sharing", component.key, place)
