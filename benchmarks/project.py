"""Makes SFDX projects out of thin air: the same bytes for the same size, on every machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
API_VERSION = "62.0"

# Of 1000 components so many are of each type; what is left over are custom fields.
OBJECTS, PROFILES, CLASSES, RULES, LABELS, VIEWS = 10, 3, 120, 80, 100, 40


def write_project(root: Path, components: int, *, profiles: bool = True) -> Path:
    """Write a project with exactly that many components (at least 10) and return its folder.

    It is heavy in profiles, as grown orgs are: each profile grants every field and every class. Without `profiles`
    all files are small; there are about as many as components.
    """
    if components < 10:
        raise ValueError("a project has at least 10 components")
    for name, text in _files(components, PROFILES if profiles else 0):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def _files(components: int, share_of_profiles: int) -> Iterator[tuple[str, str]]:
    objects = [f"Object{number:04}__c" for number in _count(components, OBJECTS)]
    classes = [f"Service{number:04}" for number in _count(components, CLASSES)]
    rules = [_owned(objects, number, "Rule{:05}") for number in _count(components, RULES)]
    views = [_owned(objects, number, "View{:05}") for number in _count(components, VIEWS)]
    labels = [f"Label{number:05}" for number in _count(components, LABELS)]
    profiles = [f"Profile {number:03}" for number in _count(components, share_of_profiles)]
    others = sum(len(each) for each in (objects, classes, rules, views, labels, profiles))
    fields = [_owned(objects, number, "Field{:05}__c") for number in range(components - others)]

    project = {"packageDirectories": [{"path": "force-app", "default": True}], "sourceApiVersion": API_VERSION}
    yield "sfdx-project.json", json.dumps(project, indent=2)
    top = "force-app/main/default"
    for name in objects:
        yield f"{top}/objects/{name}/{name}.object-meta.xml", _xml("CustomObject", _object(name))
    for owner, name in fields:
        yield f"{top}/objects/{owner}/fields/{name}.field-meta.xml", _xml("CustomField", _field(name))
    for owner, name in rules:
        yield (
            f"{top}/objects/{owner}/validationRules/{name}.validationRule-meta.xml",
            _xml("ValidationRule", _rule(name)),
        )
    for owner, name in views:
        yield f"{top}/objects/{owner}/listViews/{name}.listView-meta.xml", _xml("ListView", _view(name))
    for name in classes:
        yield f"{top}/classes/{name}.cls", _class(name)
        about = f"    <apiVersion>{API_VERSION}</apiVersion>\n    <status>Active</status>\n"
        yield f"{top}/classes/{name}.cls-meta.xml", _xml("ApexClass", about)
    yield f"{top}/labels/CustomLabels.labels-meta.xml", _xml("CustomLabels", "".join(map(_label, labels)))
    grants = "".join(
        f"    <classAccesses>\n        <apexClass>{name}</apexClass>\n        <enabled>true</enabled>\n"
        "    </classAccesses>\n"
        for name in classes
    ) + "".join(
        "    <fieldPermissions>\n        <editable>true</editable>\n"
        f"        <field>{owner}.{name}</field>\n        <readable>true</readable>\n    </fieldPermissions>\n"
        for owner, name in fields
    )
    for name in profiles:
        text = f"    <custom>true</custom>\n    <description>{name}</description>\n{grants}"
        yield f"{top}/profiles/{name}.profile-meta.xml", _xml("Profile", text)


def _count(components: int, share: int) -> range:
    return range(max(1, components * share // 1000) if share else 0)


def _owned(objects: list[str], number: int, pattern: str) -> tuple[str, str]:
    return objects[number % len(objects)], pattern.format(number)


def _xml(root: str, inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {NAMESPACE}>\n{inner}</{root}>\n'


def _object(name: str) -> str:
    return (
        "    <deploymentStatus>Deployed</deploymentStatus>\n"
        f"    <label>{name}</label>\n"
        "    <nameField>\n        <label>Name</label>\n        <type>Text</type>\n    </nameField>\n"
        f"    <pluralLabel>{name}</pluralLabel>\n"
        "    <sharingModel>ReadWrite</sharingModel>\n"
    )


def _field(name: str) -> str:
    return (
        f"    <fullName>{name}</fullName>\n    <label>{name}</label>\n    <length>80</length>\n"
        "    <required>false</required>\n    <type>Text</type>\n"
    )


def _rule(name: str) -> str:
    return (
        f"    <fullName>{name}</fullName>\n    <active>true</active>\n"
        "    <errorConditionFormula>ISBLANK(Name)</errorConditionFormula>\n"
        f"    <errorMessage>{name} 不成立。</errorMessage>\n"
    )


def _view(name: str) -> str:
    return (
        f"    <fullName>{name}</fullName>\n    <columns>NAME</columns>\n"
        f"    <filterScope>Everything</filterScope>\n    <label>{name}</label>\n"
    )


def _label(name: str) -> str:
    return (
        f"    <labels>\n        <fullName>{name}</fullName>\n        <language>en_US</language>\n"
        f"        <protected>false</protected>\n        <shortDescription>{name}</shortDescription>\n"
        f"        <value>{name} / 标签</value>\n    </labels>\n"
    )


def _class(name: str) -> str:
    methods = "\n".join(
        f"    public Integer step{number}(Integer value) {{\n        return value + {number};\n    }}"
        for number in range(20)
    )
    return f"public with sharing class {name} {{\n{methods}\n}}\n"
