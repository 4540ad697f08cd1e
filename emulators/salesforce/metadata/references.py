"""Which other components a component names, read by the rules of `references.json` and out of formulas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from lxml import etree

from emulators.salesforce.metadata.components import Key
from emulators.salesforce.metadata.xmlform import line_of, text, walk


@dataclass(frozen=True)
class Rule:
    """A row of `references.json`, which explains its columns."""

    type: tuple[str, ...]
    to: str
    path: str = ""
    name: str = "{value}"
    within: str = ""
    object: str = ""
    condition: Mapping[str, str] = field(default_factory=dict)
    when: re.Pattern[str] | None = None
    label: str = ""
    problem: str = ""
    removed: str = ""


@dataclass(frozen=True)
class Reference:
    """A component that another one names, by the text of `element` where it stands in XML.

    `removed` is the name of the entry around it that goes when the target is deleted.
    """

    target: Key
    problem: str
    line: int = 0
    column: int = 0
    removed: str = ""
    element: etree._Element | None = field(default=None, compare=False, repr=False)


def references(key: Key, element: etree._Element | None, body: Mapping[str, bytes]) -> Iterator[Reference]:
    """Yield what a component names: in its XML (`element`), its formulas and its code."""
    if element is not None:
        for rule in _rules().get(key.type, ()):
            yield from _apply(rule, key, element)
        for path in _FORMULAS.get(key.type, ()):
            for spot in walk(element, path):
                yield from _formula(key, spot)
    if key.type == "ApexTrigger":
        yield from _trigger(body)
    if key.type == "LightningComponentBundle":
        yield from _imports(body)


def object_of(key: Key) -> str:
    """Return the object that a component belongs to by its name, "" when none."""
    name = key.full_name
    if key.type == "Layout":
        return name.partition("-")[0]
    if key.type == "CustomObjectTranslation":
        return name.rpartition("-")[0]
    if key.type == "DuplicateRule":
        return name.partition(".")[0]
    if key.type in ("Workflow", "SharingRules", "MatchingRules"):
        return name
    return name.partition(".")[0] if "." in name else ""


@cache
def _rules() -> Mapping[str, tuple[Rule, ...]]:
    rows = json.loads(files(__package__).joinpath("references.json").read_text("utf-8"))["rules"]
    by_type: dict[str, list[Rule]] = {}
    for row in rows:
        condition = row.pop("if", {})
        when = re.compile(row.pop("when")) if "when" in row else None
        rule = Rule(**row | {"type": tuple(row["type"])}, condition=condition, when=when)
        for name in rule.type:
            by_type.setdefault(name, []).append(rule)
    return {name: tuple(rules) for name, rules in by_type.items()}


def _apply(rule: Rule, key: Key, element: etree._Element) -> Iterator[Reference]:
    for scope in walk(element, rule.within) if rule.within else (element,):
        if any(text(scope, name) != wanted for name, wanted in rule.condition.items()):
            continue
        owner = text(scope, rule.object) if rule.object else object_of(key)
        if "{object}" in rule.name and not owner:
            continue
        if not rule.path:
            yield from _own_name(rule, key, owner)
            continue
        for spot in walk(scope, rule.path):
            value = (spot.text or "").strip()
            matched = rule.when.match(value) if rule.when else None
            if not value or (rule.when and not matched):
                continue
            if matched and matched.groups():
                value = matched.group(1)
            target = Key(rule.to, _fill(rule.name, value, owner, key))
            label = rule.label or rule.path.rpartition("/")[2]
            problem = rule.problem.format(value=value) or _not_found(label, target)
            yield Reference(target, problem, line_of(spot), removed=rule.removed, element=spot)


def _own_name(rule: Rule, key: Key, owner: str) -> Iterator[Reference]:
    name = _fill(rule.name, key.full_name, owner, key)
    if rule.when is None or rule.when.match(name):
        target = Key(rule.to, name)
        yield Reference(target, _not_found(rule.label, target), 1, 1)


def _fill(template: str, value: str, owner: str, key: Key) -> str:
    kind = key.full_name.partition(".")[0] + "__mdt"
    return template.format(value=value, object=owner, full_name=key.full_name, metadata_type=kind)


def _not_found(label: str, target: Key) -> str:
    return f"In field: {label} - no {target.type} named {target.full_name} found"


# Where formulas stand, by type.
_FORMULAS = {
    "CustomField": ("formula", "lookupFilter/booleanFilter"),
    "ValidationRule": ("errorConditionFormula",),
    "WorkflowRule": ("formula",),
    "WorkflowFieldUpdate": ("formula",),
}
_LITERAL = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|/\*.*?\*/", re.DOTALL)
_MERGE = re.compile(r"\$(\w+)\.(\w+)(?:\.\w+)*")
_PATH = re.compile(r"(?<![\w.$])([A-Za-z]\w*(?:\.[A-Za-z]\w*)*)")
_GLOBALS = {"Label": "CustomLabel", "Permission": "CustomPermission", "Setup": "CustomObject"}


def _formula(key: Key, spot: etree._Element) -> Iterator[Reference]:
    """Yield the custom fields, labels and permissions that a formula names.

    A path over a relationship (`Store__r.Area__c`) is followed only to its first field: what lies behind it
    depends on where that field leads.
    """
    formula = _LITERAL.sub(" ", spot.text or "")
    line, owner = line_of(spot), object_of(key)
    for name, member in _MERGE.findall(formula):
        if name in _GLOBALS:
            target = Key(_GLOBALS[name], member)
            yield Reference(target, f"Field ${name}.{member} does not exist. Check spelling.", line, element=spot)
    for path in _PATH.findall(_MERGE.sub(" ", formula)):
        first = path.partition(".")[0]
        field_name = re.sub(r"__r$", "__c", first) if "." in path else first
        if field_name.endswith("__c"):
            target = Key("CustomField", f"{owner}.{field_name}")
            yield Reference(target, f"Field {field_name} does not exist. Check spelling.", line, element=spot)


_TRIGGER = re.compile(r"\btrigger\s+\w+\s+on\s+(\w+)\s*\(", re.IGNORECASE)
_IMPORT = re.compile(r"@salesforce/(apex|label|schema|resourceUrl|customPermission)/([\w.]+)")
_IMPORTED = {
    "apex": ("ApexClass", r"^(\w+)\.\w+$", "Unable to find Apex action class referenced as '{name}'."),
    "label": ("CustomLabel", r"^c\.(\w+)$", "No custom label found with name: {name}"),
    "schema": ("CustomField", r"^(\w+\.\w+__c)$", "Invalid reference {name} of type sobjectField"),
    "resourceUrl": ("StaticResource", r"^(\w+)$", "Invalid reference {name} of type resourceUrl"),
    "customPermission": ("CustomPermission", r"^(\w+)$", "Invalid reference {name} of type customPermission"),
}


def _trigger(body: Mapping[str, bytes]) -> Iterator[Reference]:
    for data in body.values():
        code = data.decode("utf-8", "replace")
        found = _TRIGGER.search(code)
        if found:
            line = code.count("\n", 0, found.start(1)) + 1
            column = found.start(1) - code.rfind("\n", 0, found.start(1))
            problem = f"Invalid SObject type name: {found.group(1)}"
            yield Reference(Key("CustomObject", found.group(1)), problem, line, column)


def _imports(body: Mapping[str, bytes]) -> Iterator[Reference]:
    for path, data in body.items():
        if not path.endswith((".js", ".ts")) or "/__tests__/" in path:
            continue
        code = data.decode("utf-8", "replace")
        for found in _IMPORT.finditer(code):
            kind, pattern, problem = _IMPORTED[found.group(1)]
            named = re.match(pattern, found.group(2))
            if named:
                line = code.count("\n", 0, found.start()) + 1
                column = found.start() - code.rfind("\n", 0, found.start())
                yield Reference(Key(kind, named.group(1)), problem.format(name=named.group(1)), line, column)
