"""Compares two XML forms of one component element by element, each matched by its type's own key.

Which key that is stands in `drift_keys.yml`; what Salesforce itself rewrites, and so is no difference, in
`drift_ignored.yml`. Pure but for reading these tables once.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from itertools import chain, count
from pathlib import Path
from typing import Any

from lxml import etree

from flows.xmltext import child_text, local_name
from kit.yamlfile import read_yaml

KEYS = Path(__file__).with_name("drift_keys.yml")
IGNORED = Path(__file__).with_name("drift_ignored.yml")


class How(StrEnum):
    """How an element differs from what was shipped."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """One element that differs. `path` leads to it: "fieldPermissions[Account.Rating__c]/editable".

    `shipped` and `found` are its text, or for an element with others inside what names it; "" where it is not.
    `line` counts from 1 in what was shipped: where the element stands, or should.
    """

    path: str
    how: How
    shipped: str
    found: str
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of `drift_ignored.yml`. Empty `types`, `elements` and `values` mean any."""

    types: frozenset[str] = frozenset()
    elements: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    where: Mapping[str, str] = field(default_factory=dict)
    added: bool = False

    def covers(self, kind: str, element: etree._Element, how: How) -> bool:
        """Return whether the rule speaks of an element of a component of type `kind`, found missing or added."""
        return (
            (not self.types or kind in self.types)
            and (not self.elements or local_name(element) in self.elements)
            and (not self.values or (len(element) == 0 and text_of(element) in self.values))
            and all(child_text(element, name) == value for name, value in self.where.items())
            and (how is How.ADDED or not self.added)
        )


@dataclass(frozen=True, slots=True)
class Tables:
    """Both tables, read. `keys` is by type and element name; each alternative joins child elements."""

    keys: Mapping[str, Mapping[str, Sequence[Sequence[str]]]]
    any_key: Sequence[Sequence[str]]
    ordered: Mapping[str, frozenset[str]]
    absent: Sequence[Rule]
    never: Sequence[Rule]
    empty_entries: Sequence[Rule]
    cut_to_retrieve: Sequence[Rule]
    alone: Sequence[Rule]


def compare(
    shipped: etree._Element, found: etree._Element, kind: str, names: frozenset[str] | None = None
) -> list[Difference]:
    """Return what in `found` is not as in `shipped`, two forms of one component of type `kind`.

    `names` are the full names of everything that was retrieved together: of some types an org gives back only the
    entries about these. None means that entries about everything come back.
    """
    return list(_Comparison(kind, tables(), names).children(shipped, _of_ours(shipped, found, kind), ""))


def _of_ours(shipped: etree._Element, found: etree._Element, kind: str) -> etree._Element:
    """Return of `found` what is compared: where nothing is shipped but elements that a rule lets stand alone, those."""
    names = {local_name(child) for child in shipped if isinstance(child.tag, str)}
    if not names or not any(kind in rule.types and names <= set(rule.elements) for rule in tables().alone):
        return found
    ours = copy.deepcopy(found)
    for child in list(ours):
        if isinstance(child.tag, str) and local_name(child) not in names:
            ours.remove(child)
    return ours


def key_of(kind: str, element: etree._Element) -> str:
    """Return what names an element of a component of type `kind` among its siblings, or ""."""
    ways = tables().keys.get(kind, {}).get(local_name(element), tables().any_key)
    children = {local_name(child): text_of(child) for child in element}
    for way in ways:
        if all(name in children for name in way):
            return ", ".join(children[name] for name in way)
    return ""


def text_of(element: etree._Element) -> str:
    """Return an element's text as it counts: without blanks around it, line ends as one character."""
    return (element.text or "").replace("\r\n", "\n").strip()


@cache
def tables() -> Tables:
    """Return the tables that ship with the kit, read once."""
    keys, ignored = read_yaml(KEYS).data, read_yaml(IGNORED).data
    return Tables(
        keys={
            kind: {name: _alternatives(ways) for name, ways in elements.items()}
            for kind, elements in keys["types"].items()
        },
        any_key=_alternatives(keys["any"]),
        ordered={kind: frozenset(names) for kind, names in keys["ordered"].items()},
        absent=_rules(ignored["absent"]),
        never=_rules(ignored["never"]),
        empty_entries=_rules(ignored["empty_entries"]),
        cut_to_retrieve=_rules(ignored["cut_to_retrieve"]),
        alone=_rules(ignored["alone"]),
    )


def _alternatives(ways: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(way.split("+")) for way in ways)


def _rules(rows: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            types=frozenset(row.get("types", ())),
            elements=frozenset(row.get("elements", ())),
            values=frozenset(row.get("values", ())),
            where=row.get("where", {}),
            added=row.get("added", False),
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class _Comparison:
    kind: str
    tables: Tables
    names: frozenset[str] | None

    def children(self, shipped: etree._Element, found: etree._Element, path: str) -> Iterator[Difference]:
        """Yield the differences between the children of two elements that were matched."""
        left, right = _by_name(shipped), _by_name(found)
        for name in dict.fromkeys((*left, *right)):
            yield from self._siblings(left.get(name, []), right.get(name, []), path + name, shipped)

    def _siblings(
        self, left: list[etree._Element], right: list[etree._Element], path: str, parent: etree._Element
    ) -> Iterator[Difference]:
        """Yield the differences between elements of one name."""
        name = local_name((left or right)[0])
        if any(rule.covers(self.kind, (left or right)[0], How.ADDED) for rule in self.tables.never):
            return
        ordered = name in self.tables.ordered.get(self.kind, ())
        ours, theirs = self._labelled(left, right, ordered)
        for label, element in ours.items():
            here = f"{path}[{label}]" if label else path
            if label in theirs:
                yield from self._matched(element, theirs[label], here)
            elif not self._as_good_as_absent(element, How.MISSING) and not self._cut(label):
                line = _line(element)
                yield Difference(here, How.MISSING, _value(element, label), "", line)
        for label, element in theirs.items():
            if label not in ours and not self._as_good_as_absent(element, How.ADDED):
                here = f"{path}[{label}]" if label else path
                yield Difference(here, How.ADDED, "", _value(element, label), _line(parent))
        if ordered:
            was = [label for label in ours if label in theirs]
            now = [label for label in theirs if label in ours]
            if was != now:
                yield Difference(path, How.MOVED, ", ".join(was), ", ".join(now), _line(left[0]))

    def _matched(self, shipped: etree._Element, found: etree._Element, path: str) -> Iterator[Difference]:
        if len(shipped) or len(found):
            yield from self.children(shipped, found, f"{path}/")
        elif text_of(shipped) != text_of(found):
            yield Difference(path, How.CHANGED, text_of(shipped), text_of(found), _line(shipped))

    def _labelled(
        self, left: list[etree._Element], right: list[etree._Element], ordered: bool
    ) -> tuple[dict[str, etree._Element], dict[str, etree._Element]]:
        """Return the elements of both sides by what names them: equal labels are to be compared with each other."""
        keyed = [[key_of(self.kind, element) for element in side] for side in (left, right)]
        if not any(keyed[0] + keyed[1]):
            if len(left) <= 1 and len(right) <= 1:
                return {"": left[0]} if left else {}, {"": right[0]} if right else {}
            if all(len(element) == 0 for element in (*left, *right)):
                keyed = [[text_of(element) for element in side] for side in (left, right)]
            elif not ordered:
                keyed[1] = _paired(left, right)
        ours, theirs = (_unique(keys, side) for keys, side in zip(keyed, (left, right), strict=True))
        return ours, theirs

    def _as_good_as_absent(self, element: etree._Element, how: How) -> bool:
        if len(element) == 0 and not text_of(element):
            return True
        if any(rule.covers(self.kind, element, how) for rule in self.tables.absent):
            return True
        empty = any(rule.covers(self.kind, element, how) for rule in self.tables.empty_entries)
        return empty and len(element) > 0 and self._says_only_its_key(element)

    def _says_only_its_key(self, element: etree._Element) -> bool:
        ways = self.tables.keys.get(self.kind, {}).get(local_name(element), self.tables.any_key)
        key = {name for way in ways for name in way}
        return all(
            local_name(child) in key or (len(child) == 0 and text_of(child) in {"", "false"}) for child in element
        )

    def _cut(self, label: str) -> bool:
        """Return whether an entry is missing only since what it is about was not retrieved."""
        if self.names is None or not label:
            return False
        about = any(self.kind in rule.types for rule in self.tables.cut_to_retrieve)
        return about and not any(part in self.names for part in label.split(", "))


def _by_name(element: etree._Element) -> dict[str, list[etree._Element]]:
    found: dict[str, list[etree._Element]] = defaultdict(list)
    for child in element:
        if isinstance(child.tag, str):
            found[local_name(child)].append(child)
    return found


def _paired(left: list[etree._Element], right: list[etree._Element]) -> list[str]:
    """Return labels for `right`: the position of what equals it in `left`, else one that is left over."""
    free = {position: _content(element) for position, element in enumerate(left, 1)}
    taken: dict[int, int] = {}
    for index, element in enumerate(right):
        content = _content(element)
        equal = next((position for position, other in free.items() if other == content), None)
        if equal is not None:
            del free[equal]
            taken[index] = equal
    rest = chain(free, count(len(left) + 1))
    return [f"#{taken[index] if index in taken else next(rest)}" for index in range(len(right))]


def _content(element: etree._Element) -> tuple[object, ...]:
    return (local_name(element), text_of(element), tuple(_content(child) for child in element))


def _unique(keys: Sequence[str], elements: Sequence[etree._Element]) -> dict[str, etree._Element]:
    """Return elements by key; one without is named by its position, and a key that comes again is numbered."""
    seen: Counter[str] = Counter()
    named = {}
    for position, (key, element) in enumerate(zip(keys, elements, strict=True), 1):
        seen[key] += 1
        label = (key if seen[key] == 1 else f"{key} #{seen[key]}") if key else f"#{position}"
        named[label] = element
    return named


def _line(element: etree._Element) -> int:
    line: Any = element.sourceline  # the stubs don't know its type
    return int(line or 0)


def _value(element: etree._Element, label: str) -> str:
    if len(element) == 0:
        return text_of(element)
    leaves = (f"{local_name(child)}: {text_of(child)}" for child in element if len(child) == 0 and text_of(child))
    return ", ".join(leaves) or label
