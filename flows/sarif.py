"""Findings as SARIF 2.1.0, which code hosts show beside the source.

Static Analysis Results Interchange Format 2.1.0, OASIS Standard, 2020-03-27.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from kit.problems import Place

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
VERSION = "2.1.0"
ROOT = "PROJECTROOT"
_DISTRIBUTION = "sfoa-kit"


class Level(StrEnum):
    """How bad a result is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding: a stable `id`, what it says in one sentence, and what to do about it."""

    id: str
    text: str
    help: str
    level: Level


@dataclass(frozen=True, slots=True)
class Result:
    """One finding. `name` is what it is about in words of its own ("china-uat/CustomField:Account.Rating__c"), which
    makes it the same finding in the next run; `place` is where the source says so, if any does."""

    rule: Rule
    message: str
    name: str
    place: Place | None = None


def sarif(results: Iterable[Result], rules: Iterable[Rule] | None = None) -> dict[str, object]:
    """Return a SARIF log of one run that looked by `rules` (default: those that found something) and found `results`;
    paths are from the project's root."""
    results = tuple(results)
    known = tuple({result.rule.id: result.rule for result in results}.values() if rules is None else rules)
    position = {rule.id: index for index, rule in enumerate(known)}
    driver = {
        "name": "sfoa",
        "semanticVersion": importlib.metadata.version(_DISTRIBUTION),
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.text},
                "help": {"text": rule.help},
                "defaultConfiguration": {"level": rule.level.value},
            }
            for rule in known
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The folder of sfdx-project.json."}}},
        "results": [_result(result, position[result.rule.id]) for result in results],
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _result(result: Result, rule_index: int) -> dict[str, object]:
    location: dict[str, object] = {"logicalLocations": [{"fullyQualifiedName": result.name}]}
    if result.place:
        physical: dict[str, object] = {"artifactLocation": {"uri": quote(result.place.file), "uriBaseId": ROOT}}
        if result.place.line:
            physical["region"] = {"startLine": result.place.line}
        location["physicalLocation"] = physical
    return {
        "ruleId": result.rule.id,
        "ruleIndex": rule_index,
        "level": result.rule.level.value,
        "message": {"text": result.message},
        "locations": [location],
        "partialFingerprints": {"finding/v1": hashlib.sha256(f"{result.rule.id}\n{result.name}".encode()).hexdigest()},
    }
