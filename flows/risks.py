"""What a plan may lose or open: deletions, narrower fields, wider permissions and sharing, flows that start or end.

Pure: compares what the bundle brings with what was last shipped. The texts are data, in English and Chinese.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from lxml import etree

from flows import xmltext
from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.plan import Plan, Risk, Severity
from kit.yamlfile import read_yaml

RULES = Path(__file__).with_name("risks.yml")

Before = Mapping[ComponentKey, Component]
"""What was last shipped of what changes."""

_PERMITTING = frozenset({"Profile", "PermissionSet", "PermissionSetGroup", "MutingPermissionSet"})
_VALUE_SETS = {"GlobalValueSet": "customValue", "StandardValueSet": "standardValue"}
_SHARING_RULES = frozenset({"SharingCriteriaRule", "SharingOwnerRule"})
_WIDE_OBJECT = frozenset({"modifyAllRecords", "viewAllRecords"})
_NO_FLAGS = frozenset({"custom", "label", "description", "license", "userLicense", "hasActivationRequired", "fullName"})
_SHOWN = 10


def compared(plan: Plan) -> tuple[ComponentKey, ...]:
    """Return the changes whose risk lies in what they were before."""
    kinds = {*_PERMITTING, *_VALUE_SETS, "CustomField", "CustomObject", "Flow"}
    return tuple(key for key in plan.changes if key.type in kinds)


def risks_of(plan: Plan, bundle: Bundle, before: Before) -> tuple[Risk, ...]:
    """Return the risks of a plan, the worst first. `before` holds what was last shipped of `compared(plan)`; what it
    lacks is said to be unknown."""
    found = list(_deleted(plan.deletes))
    for key in compared(plan):
        if key in before:
            found += _check(bundle.components[key], before[key])
        else:
            found.append(_risk("unknown", key))
    compared_too = set(compared(plan))
    for key in plan.touched:
        if key not in compared_too:
            found += _check(bundle.components[key], None)
    ranks = list(Severity)
    return tuple(sorted(found, key=lambda one: (ranks.index(one.severity), one.component, one.id)))


def _deleted(keys: Iterable[ComponentKey]) -> Iterator[Risk]:
    gone = set(keys)
    for key in sorted(gone):
        rule = _rules()["deleted"].get(key.type)
        owner = ComponentKey("CustomObject", key.full_name.partition(".")[0])
        if rule and (key == owner or owner not in gone):  # the object's own risk says it of its parts too
            yield Risk("deleted", Severity(rule["severity"]), str(key), rule["what"], rule["zh"])


def _check(new: Component, old: Component | None) -> Iterator[Risk]:
    kind = new.key.type
    if kind == "CustomField" and old:
        return chain(_field(new, old), _values(new, old, "value"))
    if kind in _VALUE_SETS and old:
        return _values(new, old, _VALUE_SETS[kind])
    if kind in _PERMITTING:
        return _permissions(new, old)
    if kind == "CustomObject" and old:
        return _sharing_model(new, old)
    if kind == "SharingGuestRule":
        return iter([_risk("guest-sharing", new.key)])
    if kind in _SHARING_RULES:
        return _sharing_rule(new)
    return _flow(new, old) if kind == "Flow" else iter(())


def _field(new: Component, old: Component) -> Iterator[Risk]:
    now, then = _root(new), _root(old)
    types = _text(then, "type"), _text(now, "type")
    if types[0] != types[1]:
        yield _risk("field-type", new.key, before=types[0] or "?", after=types[1] or "?")
    for part in ("length", "precision"):
        sizes = _text(then, part), _text(now, part)
        if all(size.isdigit() for size in sizes) and int(sizes[1]) < int(sizes[0]):
            yield _risk("field-shorter", new.key, part=part, before=sizes[0], after=sizes[1])
    if _text(now, "required") == "true" != _text(then, "required"):
        yield _risk("field-required", new.key)


def _values(new: Component, old: Component, tag: str) -> Iterator[Risk]:
    gone = sorted(_active(_root(old), tag) - _active(_root(new), tag))
    if gone:
        yield _risk("picklist-value", new.key, values=_some(gone))


def _active(root: etree._Element, tag: str) -> set[str]:
    return {_text(value, "fullName") for value in root.iter(f"{{*}}{tag}") if _text(value, "isActive") != "false"} - {
        ""
    }


def _permissions(new: Component, old: Component | None) -> Iterator[Risk]:
    """Compare what is permitted: everything of a change, of a new set only what opens the whole org."""
    before = _granted(_root(old)) if old else set()
    now = _granted(_root(new))
    if new.key.type == "MutingPermissionSet":
        before, now = now, before
    gained = now - before
    powerful = {one for one in gained if _powerful(one)}
    if powerful:
        yield _risk("system-permission", new.key, values=_some(sorted(map(_permission, powerful))))
    if old and (rest := gained - powerful):
        yield _risk("permission", new.key, values=_some(sorted(map(_permission, rest))))


Permission = tuple[str, str, str]
"""The section that it stands in, what it is about, and what it permits of it."""


def _granted(root: etree._Element) -> set[Permission]:
    found: set[Permission] = set()
    for section in root:
        kind = xmltext.local_name(section)
        if len(section) == 0:
            if kind == "permissionSets":
                found.add((kind, (section.text or "").strip(), ""))
            continue
        parts = {xmltext.local_name(part): (part.text or "").strip() for part in section if len(part) == 0}
        about = next((text for text in parts.values() if text not in {"true", "false"}), "")
        found |= {(kind, about, flag) for flag, text in parts.items() if text == "true" and flag not in _NO_FLAGS}
        if parts.get("visibility", "None") not in {"None", "DefaultOff", "Hidden"}:
            found.add((kind, about, parts["visibility"]))
    return found


def _powerful(one: Permission) -> bool:
    section, about, flag = one
    return (section == "userPermissions" and about in _rules()["powerful"]) or flag in _WIDE_OBJECT


def _permission(one: Permission) -> str:
    section, about, flag = one
    return about if section in {"userPermissions", "permissionSets"} else f"{about} ({flag})"


def _sharing_model(new: Component, old: Component) -> Iterator[Risk]:
    order = _rules()["sharing"]
    for part in ("sharingModel", "externalSharingModel"):
        then, now = _text(_root(old), part), _text(_root(new), part)
        known = then in order and now in order
        if then != now and now and (not known or order.index(now) > order.index(then)):
            yield _risk("sharing-model", new.key, part=part, before=then or "?", after=now)


def _sharing_rule(new: Component) -> Iterator[Risk]:
    shared = _root(new).find("{*}sharedTo")
    names = [] if shared is None else [(part.text or xmltext.local_name(part)).strip() for part in shared]
    yield _risk("sharing-rule", new.key, after=_some(names) or "?")


def _flow(new: Component, old: Component | None) -> Iterator[Risk]:
    now, then = _text(_root(new), "status"), _text(_root(old), "status") if old else ""
    if now == "Active":
        yield _risk("flow-activated", new.key)
    elif then == "Active":
        yield _risk("flow-deactivated", new.key, after=now or "?")


def _root(component: Component) -> etree._Element:
    """Return the component's XML; an empty element where it has none."""
    if component.fragment:
        return xmltext.parse(component.fragment.xml).root
    for file in component.files:
        if file.data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            return xmltext.parse(file.data).root
    return etree.Element("none")


def _text(element: etree._Element, tag: str) -> str:
    return (element.findtext(f"{{*}}{tag}") or "").strip()


def _some(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:_SHOWN]) + (f" (+{len(every) - _SHOWN})" if len(every) > _SHOWN else "")


def _risk(check: str, key: ComponentKey, **values: str) -> Risk:
    rule = _rules()["checks"][check]
    what, zh = rule["what"].format(**values), rule["zh"].format(**values)
    return Risk(check, Severity(rule["severity"]), str(key), what, zh)


@cache
def _rules() -> dict[str, Any]:
    data: dict[str, Any] = read_yaml(RULES).data
    return data
