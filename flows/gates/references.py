"""Which of some components a component names, by the rules of `references.yml`, in formulas, flows and code. Pure.

Only what is certain is found: an exact API name at a place that can mean nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from lxml import etree

from flows.apexuse import APEX
from flows.components import Component, ComponentKey
from flows.gates.reading import lines_of, xml_of
from flows.xmltext import child_text, local_name
from kit.problems import Place
from kit.yamlfile import read_yaml

TABLE_FILE = Path(__file__).with_name("references.yml")
_SUFFIX = re.compile(r"__[a-z]{1,3}$")
_FEW = 8
_STEM = re.compile(rb"[^\W_]+(?:_[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of `references.yml`, which explains its columns."""

    to: str
    at: str = ""
    name: str = "{value}"
    within: str = ""
    object: str = ""
    condition: Mapping[str, str] = field(default_factory=dict)
    when: re.Pattern[str] | None = None
    goes: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A component that another one names: the line of the element in the component's text, counted from 1 (0: the
    component's own name tells), and the word there. `goes`: an org that deletes it takes the entry out with it."""

    target: ComponentKey
    line: int = 0
    word: str = ""
    goes: bool = False


def stems_of(targets: Iterable[ComponentKey]) -> frozenset[bytes]:
    """Return words one of which stands in the name or the text of all that names one of `targets`.

    Words are taken apart at `__`: what refers to `Store__c` may be written `Store__r`.
    """
    return frozenset(_STEM.findall(_SUFFIX.sub("", key.full_name).encode())[-1] for key in targets)


def mentions(text: bytes, wanted: frozenset[bytes]) -> bool:
    """Return whether one of the `stems_of` targets stands in `text`; most components hold none.

    A few are searched for faster than the text is taken apart.
    """
    if len(wanted) <= _FEW:
        return any(stem in text for stem in wanted)
    return not wanted.isdisjoint(_STEM.findall(text))


def references(component: Component, targets: Collection[ComponentKey]) -> list[Reference]:
    """Return what a component names of `targets`, each once."""
    found: dict[ComponentKey, Reference] = {}
    for one in _named(component, targets):
        known = found.get(one.target)
        if one.target in targets and one.target != component.key and (known is None or (known.goes and not one.goes)):
            found[one.target] = one
    return list(found.values())


def place_of(component: Component, reference: Reference) -> Place:
    """Return where the word stands in the source, from the line of its element on: a formula has several."""
    if not reference.line:
        return component.source
    lines = islice(lines_of(component), reference.line - 1, None)
    return next((place for place, text in lines if reference.word in text), component.source)


def _named(component: Component, targets: Collection[ComponentKey]) -> Iterator[Reference]:
    key = component.key
    if component.parent:
        yield Reference(component.parent, goes=True)
    if key.type in APEX:
        yield from _in_apex(component)
    elif key.type == "LightningComponentBundle":
        yield from _imported(component)
    elif key.type in _rules():
        root = xml_of(component)
        if root is None:
            return
        kinds = {target.type for target in targets}
        for rule in _rules()[key.type]:
            if rule.to in kinds:
                yield from _by(rule, key, root, targets)
        for name in _table()["formulas"].get(key.type, ()):
            for spot in root.iterfind("{*}" + name):
                yield from _in_formula(key, spot)
        if key.type == "Flow":
            yield from _in_flow(root)


def _by(rule: Rule, key: ComponentKey, root: etree._Element, targets: Collection[ComponentKey]) -> Iterator[Reference]:
    for scope in root.iterfind(_path(rule.within)) if rule.within else (root,):
        if any(child_text(scope, name) != wanted for name, wanted in rule.condition.items()):
            continue
        owner = child_text(scope, rule.object) if rule.object else _object_of(key)
        if "{object}" in rule.name and not owner:
            continue
        for spot in scope.iterfind(_path(rule.at)) if rule.at else (None,):
            value = (spot.text or "").strip() if spot is not None else ""
            matched = rule.when.match(value) if rule.when else None
            if (spot is not None and not value) or (rule.when and not matched):
                continue
            if matched and matched.groups():
                value = matched[1]
            target = ComponentKey(rule.to, value if rule.name == "{value}" else _fill(rule.name, value, owner, key))
            if target in targets:  # looked up before anything is made of it: a profile has an entry for every field
                yield Reference(target, _line(spot), value, rule.goes)


def _fill(template: str, value: str, owner: str, key: ComponentKey) -> str:
    kind = f"{key.full_name.partition('.')[0]}__mdt"
    return template.format(value=value, object=owner, full_name=key.full_name, metadata_type=kind)


_LITERAL = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|/\*.*?\*/", re.DOTALL)
_MERGE = re.compile(r"\$(\w+)\.(\w+)(?:\.(\w+))*")
_FIRST = re.compile(r"(?<![\w.$:])([A-Za-z]\w*)(\.)?")


def _in_formula(key: ComponentKey, spot: etree._Element) -> Iterator[Reference]:
    """Yield what a formula names. A path over a relationship is followed to its first field alone: what lies behind
    depends on where that field leads."""
    formula, line, owner = _LITERAL.sub(" ", spot.text or ""), _line(spot), _object_of(key)
    for found in _MERGE.finditer(formula):
        yield from _merged(found[1], found[2], found[3], line)
    for name, dot in _FIRST.findall(_MERGE.sub(" ", formula)):
        first = f"{name[:-1]}c" if dot and name.endswith("__r") else name
        if first.endswith("__c"):
            yield Reference(ComponentKey("CustomField", f"{owner}.{first}"), line, name)


def _merged(kind: str, name: str, last: str | None, line: int) -> Iterator[Reference]:
    if kind in ("Label", "Permission"):
        yield Reference(ComponentKey(f"Custom{kind}", name), line, name)
    elif kind == "Setup":
        yield Reference(ComponentKey("CustomObject", name), line, name)
    if last and kind in ("Setup", "ObjectType", "CustomMetadata"):
        yield Reference(ComponentKey("CustomField", f"{name}.{last}"), line, last)


_MERGE_FIELD = re.compile(r"\{!([^}]*)\}")
_MEMBER = re.compile(r"(?<![\w.$])(\$?[A-Za-z]\w*)\.(\w+__c)\b")
_REFERENCES = frozenset({"elementReference", "leftValueReference", "assignToReference"})


def _in_flow(root: etree._Element) -> Iterator[Reference]:
    """Yield the fields that a flow names over a record whose object it states."""
    start = root.find("{*}start")
    record = child_text(start, "object") if start is not None else ""
    objects = {"$Record": record, "$Record__Prior": record}
    for tag, child in (("recordLookups", "object"), ("variables", "objectType")):
        objects |= {child_text(each, "name"): child_text(each, child) for each in root.iterfind("{*}" + tag)}
    for each in root.iterfind("{*}loops"):
        objects[child_text(each, "name")] = objects.get(child_text(each, "collectionReference"), "")
    for spot in root.iter("{*}*"):
        text = spot.text or ""
        for part in [text] if local_name(spot) in _REFERENCES else _MERGE_FIELD.findall(text):
            for name, member in _MEMBER.findall(part):
                if objects.get(name):
                    yield Reference(ComponentKey("CustomField", f"{objects[name]}.{member}"), _line(spot), member)


# A lookup may have its object's name: so an object counts only where a type stands.
_OBJECT = r"(?<![\w.])(\w+__(?:c|mdt|e|b|x))\b"
_TYPES = re.compile(
    rf"\bnew\s+{_OBJECT}|<\s*{_OBJECT}\s*[>,]|\b[Ff][Rr][Oo][Mm]\s+{_OBJECT}|\bon\s+{_OBJECT}\s*\("
    rf"|{_OBJECT}\s*\.|{_OBJECT}\s+\w+\s*[=;]"
)
_FIELD = re.compile(r"(?<![\w.])(?:Schema\.)?([A-Z]\w*)\.(\w+__c)\b")
_QUERY = re.compile(r"\[\s*select\s+([\w\s.,]+?)\s+from\s+(\w+)", re.IGNORECASE)
_MADE = re.compile(r"\bnew\s+(\w+)\s*\(([^()]*)\)")
_SET = re.compile(r"(?<![\w.])(\w+__c)\s*=(?!=)")
_STRING = re.compile(r"'(?:\\.|[^'\\\n])*'")


def _in_apex(component: Component) -> Iterator[Reference]:
    """Yield objects where a type is named, and fields that stand with their object: what a variable is of, only a
    compiler knows."""
    code = _STRING.sub("''", _code(component))

    def line(at: int) -> int:
        return code.count("\n", 0, at) + 1

    for found in _TYPES.finditer(code):
        name = next(filter(None, found.groups()))
        yield Reference(ComponentKey("CustomObject", name), line(found.start(found.lastindex or 0)), name)
    for found in _FIELD.finditer(code):
        yield Reference(ComponentKey("CustomField", f"{found[1]}.{found[2]}"), line(found.start(2)), found[2])
    for query in _QUERY.finditer(code):
        for path in query[1].split(","):
            field_name, dot, _ = path.strip().partition(".")
            if field_name.endswith("__c") or (dot and field_name.endswith("__r")):
                key = ComponentKey("CustomField", f"{query[2]}.{field_name[:-1]}c")
                yield Reference(key, line(query.start(1)), field_name)
    for made in _MADE.finditer(code):
        for found in _SET.finditer(made[2]):
            key = ComponentKey("CustomField", f"{made[1]}.{found[1]}")
            yield Reference(key, line(made.start(2) + found.start(1)), found[1])


_IMPORT = re.compile(r"""["']@salesforce/(apex|label|schema|resourceUrl|customPermission)/(?:c\.)?(\w+)(\.\w+)?["']""")
_IMPORTED = {
    "apex": "ApexClass",
    "label": "CustomLabel",
    "resourceUrl": "StaticResource",
    "customPermission": "CustomPermission",
}


def _imported(component: Component) -> Iterator[Reference]:
    """Yield what a Lightning web component imports; its tests, which no org runs, are no part of it."""
    code = _code(component)
    for found in _IMPORT.finditer(code):
        line = code.count("\n", 0, found.start()) + 1
        if found[1] == "schema":
            yield Reference(ComponentKey("CustomObject", found[2]), line, found[2])
            yield Reference(ComponentKey("CustomField", f"{found[2]}{found[3]}"), line, found[2])
        else:
            yield Reference(ComponentKey(_IMPORTED[found[1]], found[2]), line, found[2])


def _code(component: Component) -> str:
    return "\n".join(text for _, text in lines_of(component, code=True))


def _object_of(key: ComponentKey) -> str:
    """Return the object that a component belongs to by its name, "" when none."""
    if key.type == "CustomObjectTranslation":
        return key.full_name.rpartition("-")[0]
    owner, stands, _ = key.full_name.partition("-" if key.type == "Layout" else ".")
    return owner if stands else ""


def _line(spot: etree._Element | None) -> int:
    line: Any = spot.sourceline if spot is not None else 0  # the stubs don't know its type
    return int(line or 0)


def _path(names: str) -> str:
    return "/".join("{*}" + name for name in names.split("/"))


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = read_yaml(TABLE_FILE).data
    return table


@cache
def _rules() -> Mapping[str, tuple[Rule, ...]]:
    by_type: dict[str, list[Rule]] = {}
    for row in _table()["rules"]:
        rule = Rule(
            to=row["to"],
            at=row.get("at", ""),
            name=row.get("name", "{value}"),
            within=row.get("within", ""),
            object=row.get("object", ""),
            condition=row.get("if", {}),
            when=re.compile(row["when"]) if "when" in row else None,
            goes=row.get("goes", False),
        )
        for kind in row["in"]:
            by_type.setdefault(kind, []).append(rule)
    return {kind: tuple(rules) for kind, rules in by_type.items()}
