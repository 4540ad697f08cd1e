"""What rules are made of: resources as the engine's wire has them, a stack of them, a rule, a violation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

# The engine writes these in place of a value that it doesn't know before the update: one for each kind of value
# (pulumi/sdk, go/common/resource/plugin/rpc.go, v3.259.0).
UNKNOWN_SIGNS: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
# Key and value that mark a secret on the wire (go/common/resource/properties.go, v3.259.0).
SECRET_MARK: Final = ("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270")


class Severity(StrEnum):
    """`mandatory` stops an update; `advisory` is said and let through."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in English and in Chinese."""

    en: str
    zh: str


class _Unknown:
    """A value that stands only after the update. It breaks no rule: the rule sees it at the next preview."""

    def __repr__(self) -> str:
        return "(known after the update)"


UNKNOWN: Final = _Unknown()


def plain(value: object) -> Any:
    """Return a wire value with `UNKNOWN` in place of the engine's signs, and of secrets, at any depth."""
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWN_SIGNS else value
    if isinstance(value, Mapping):
        if value.get(SECRET_MARK[0]) == SECRET_MARK[1]:
            return UNKNOWN
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


@dataclass(frozen=True)
class Resource:
    """One resource: type token, logical name, URN, inputs under their wire names.

    `references` says from which resources (URNs) each property takes its value: before an update that is all that is
    known of an id.
    """

    type: str
    name: str
    properties: Mapping[str, Any]
    urn: str = ""
    protect: bool = False
    references: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Module and class: "oss.Bucket" of "alicloud:oss/bucket:Bucket"; the token itself elsewhere."""
        package, _, rest = self.type.partition(":")
        module, _, cls = rest.partition(":")
        return f"{module.partition('/')[0]}.{cls}" if package == "alicloud" else self.type

    def get(self, path: str, default: Any = None) -> Any:
        """Return the value at a dotted path; `default` when there is none, `UNKNOWN` when it isn't known yet."""
        value: Any = self.properties
        for part in path.split("."):
            if value is UNKNOWN:
                return UNKNOWN
            value = value.get(part) if isinstance(value, Mapping) else None
        return default if value is None else value

    def unless(self, path: str, *allowed: object) -> str | None:
        """Return "path: value" when the value is known and none of `allowed`. None among them allows its absence."""
        value = self.get(path)
        return None if value is UNKNOWN or value in allowed else f"{path}: {said(value)}"

    def when(self, path: str, *refused: object) -> str | None:
        """Return "path: value" when the value is one of `refused`. None among them refuses its absence."""
        value = self.get(path)
        return f"{path}: {said(value)}" if value is not UNKNOWN and value in refused else None

    def below(self, path: str, least: int) -> str | None:
        """Return "path: value" when a number is known and less than `least`, or absent."""
        value = self.get(path)
        try:
            number = 0 if value is None else int(value)
        except (TypeError, ValueError):
            return None
        return f"{path}: {said(value)}" if number < least else None


@dataclass(frozen=True)
class Stack:
    """All resources of one stack that stand after the update."""

    resources: tuple[Resource, ...]

    @property
    def production(self) -> bool:
        """Whether any resource says so by its tag: what holds wherever the resources were read."""
        return any(r.get("tags.environment") == "production" for r in self.resources)

    def of(self, kind: str) -> tuple[Resource, ...]:
        """Return the resources of one kind ("oss.BucketAcl")."""
        return tuple(r for r in self.resources if r.kind == kind)

    def around(self, bucket: Resource, kind: str, by: str = "bucket") -> tuple[Resource, ...]:
        """Return the resources of `kind` whose property `by` names `bucket`: by its name, or by reference."""
        name = bucket.get("bucket")
        return tuple(
            r
            for r in self.of(kind)
            if bucket.urn in r.references.get(by, ()) or (isinstance(name, str) and r.get(by) == name)
        )


Check = Callable[[Resource, Stack], str | None]


@dataclass(frozen=True)
class Rule:
    """`check` judges one resource of `kinds` (any, when empty) and returns what is wrong, in the resource's own words
    ("acl: public-read"), or None. `looks_around` says that it needs the whole stack."""

    id: str
    severity: Severity
    title: Text
    fix: Text
    source: str
    kinds: frozenset[str]
    looks_around: bool
    check: Check

    def judge(self, resource: Resource, stack: Stack) -> str | None:
        """Return what is wrong with one resource, or None when nothing is or the rule isn't about it."""
        if self.kinds and resource.kind not in self.kinds:
            return None
        return self.check(resource, stack)


@dataclass(frozen=True)
class Violation:
    """A rule that a resource breaks, and by what."""

    rule: Rule
    resource: Resource
    found: str

    @property
    def message(self) -> str:
        """What the engine shows, in both languages."""
        rule = self.rule
        return (
            f"{rule.title.en} ({self.found})\n    fix: {rule.fix.en}\n"
            f"    {rule.title.zh}\n    修复：{rule.fix.zh}\n    source: {rule.source}"
        )


def violations(rules: Iterable[Rule], stack: Stack) -> list[Violation]:
    """Return every violation, by rule and then in the order of the resources."""
    return [
        Violation(rule, resource, found)
        for rule in rules
        for resource in stack.resources
        if (found := rule.judge(resource, stack)) is not None
    ]


def said(value: object) -> str:
    """Return a value in words for people: short, as JSON."""
    if value is None:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 80 else text[:77] + "..."


class Rules:
    """Collects the rules of one module, in the order in which they stand there."""

    def __init__(self, area: str) -> None:
        self.area = area
        self.all: list[Rule] = []

    def add(
        self,
        *kinds: str,
        title: tuple[str, str],
        fix: tuple[str, str],
        source: str,
        severity: Severity = Severity.MANDATORY,
        looks_around: bool = False,
    ) -> Callable[[Check], Check]:
        """Make the decorated check the area's next rule: SFOA-<area>-<number>. Never reorder: ids are quoted."""

        def register(check: Check) -> Check:
            number = len(self.all) + 1
            self.all.append(
                Rule(
                    f"SFOA-{self.area}-{number:03}",
                    severity,
                    Text(*title),
                    Text(*fix),
                    source,
                    frozenset(kinds),
                    looks_around,
                    check,
                )
            )
            return check

        return register
