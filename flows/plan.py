"""What an org needs to get from what it last received to a bundle. Pure: a plan is a value with a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from flows.apexuse import is_test
from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.packages import Kind, Package
from kit.yamlfile import read_yaml

State = Mapping[ComponentKey, str]
"""What an org holds of ours: the digest of each component."""

DELETE_ORDER = Path(__file__).with_name("delete_order.yml")


class TestLevel(StrEnum):
    """The test levels that a plan asks for. A validation without tests can't be deployed quickly, so one runs."""

    __test__ = False  # pytest: this is no test class

    SPECIFIED = "RunSpecifiedTests"
    LOCAL = "RunLocalTests"


@dataclass(frozen=True, slots=True)
class Tests:
    """Which Apex tests a deployment runs. `classes` is empty unless the level is `SPECIFIED`. `because` says why: a
    sentence for each class, or a single one for the level; it is empty where no choice was made."""

    __test__ = False  # pytest: this is no test class

    level: TestLevel
    classes: tuple[str, ...] = ()
    because: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the tests as plain data."""
        reasons = {"because": list(self.because)} if self.because else {}
        return {"level": self.level.value, "classes": list(self.classes), **reasons}

    def without(self, absent: Collection[str]) -> Tests:
        """Return the tests that are left without these classes: all local ones when none is."""
        if self.level is not TestLevel.SPECIFIED:
            return self
        left = [place for place, name in enumerate(self.classes) if name not in absent]
        classes = tuple(self.classes[place] for place in left)
        because = tuple(self.because[place] for place in left) if self.because else ()
        return Tests(self.level, classes, because) if classes else Tests(TestLevel.LOCAL)


class Severity(StrEnum):
    """How bad it is when a risk comes true, the worst first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Risk:
    """What a plan may lose or open. `component` is "Type:FullName"; `id` names the check in risks.yml."""

    id: str
    severity: Severity
    component: str
    what: str
    what_zh: str

    def as_json(self) -> dict[str, str]:
        """Return the risk as plain data,."""
        return {**asdict(self), "severity": self.severity.value}


@dataclass(frozen=True, slots=True)
class Plan:
    """The delta of one org. `base` is the digest of the state that it starts from; `deletes` stand in the order
    in which they are safe: what refers before what is referred to. `risks` are part of what is approved, and so are the
    `packages` that the org has to have: which of them it lacks only the org knows."""

    org: str
    bundle_digest: str
    base: str
    creates: tuple[ComponentKey, ...]
    changes: tuple[ComponentKey, ...]
    deletes: tuple[ComponentKey, ...]
    tests: Tests
    risks: tuple[Risk, ...] = ()
    packages: tuple[Package, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to deploy."""
        return not (self.creates or self.changes or self.deletes)

    @property
    def touched(self) -> tuple[ComponentKey, ...]:
        """What is deployed: creates and changes."""
        return tuple(sorted((*self.creates, *self.changes)))

    @property
    def counts(self) -> dict[str, int]:
        """How many components are created, changed and deleted."""
        return {
            "created": len(self.creates),
            "changed": len(self.changes),
            "deleted": len(self.deletes),
        }

    @property
    def digest(self) -> str:
        """SHA-256 over everything the plan says, in hex: what an approval is given over."""
        return _sha256(self.as_json())

    def as_json(self) -> dict[str, object]:
        """Return the plan as plain data, which `plan_from_json` reads."""
        return {
            "org": self.org,
            "bundle": self.bundle_digest,
            "base": self.base,
            "creates": [str(key) for key in self.creates],
            "changes": [str(key) for key in self.changes],
            "deletes": [str(key) for key in self.deletes],
            "tests": self.tests.as_json(),
            **({"risks": [risk.as_json() for risk in self.risks]} if self.risks else {}),
            **({"packages": [package.as_json() for package in self.packages]} if self.packages else {}),
        }


def make_plan(bundle: Bundle, shipped: State, *, org: str, production: bool) -> Plan:
    """Return what `org`, which last received `shipped`, needs in order to hold exactly `bundle`; what stays in an org
    (`delete_order.yml`) is never deleted."""
    wanted = bundle.components
    return Plan(
        org=org,
        bundle_digest=bundle.digest,
        base=state_digest(shipped),
        creates=tuple(sorted(key for key in wanted if key not in shipped)),
        changes=tuple(sorted(key for key, new in wanted.items() if shipped.get(key, new.digest) != new.digest)),
        deletes=delete_order(key for key in shipped if key not in wanted and key.type not in _staying()),
        tests=_tests(bundle.tests, production=production),
    )


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """Return the plan that `Plan.as_json` wrote."""

    def keys(name: str) -> tuple[ComponentKey, ...]:
        return tuple(ComponentKey.parse(text) for text in data[name])

    told = data["tests"]
    tests = Tests(TestLevel(told["level"]), tuple(told["classes"]), tuple(told.get("because", ())))
    deltas = keys("creates"), keys("changes"), keys("deletes")
    risks = tuple(Risk(**{**each, "severity": Severity(each["severity"])}) for each in data.get("risks", ()))
    packages = tuple(Package(**{**each, "kind": Kind(each["kind"])}) for each in data.get("packages", ()))
    return Plan(data["org"], data["bundle"], data["base"], *deltas, tests, risks, packages)


def state_after(plan: Plan, bundle: Bundle, shipped: State) -> dict[ComponentKey, str]:
    """Return what the org holds once `plan`, made of `bundle` for `shipped`, is deployed."""
    after = {key: digest for key, digest in shipped.items() if key not in set(plan.deletes)}
    return after | {key: bundle.components[key].digest for key in plan.touched}


def delete_order(keys: Iterable[ComponentKey]) -> tuple[ComponentKey, ...]:
    """Return `keys` in an order in which they can be deleted: what refers before what is referred to."""
    ranks = _ranks()
    return tuple(sorted(keys, key=lambda key: (ranks.get(key.type, 0), key)))


def tests_for(components: Iterable[Component], *, production: bool) -> Tests:
    """Return the tests to run: all local ones in production, else the bundle's own, or all local ones when the
    bundle has none."""
    return _tests(tuple(sorted(each.key.full_name for each in components if is_test(each))), production=production)


def _tests(classes: tuple[str, ...], *, production: bool) -> Tests:
    if production or not classes:
        return Tests(TestLevel.LOCAL)
    return Tests(TestLevel.SPECIFIED, classes)


def state_digest(state: State) -> str:
    """Return the SHA-256, in hex, of a state."""
    return hashlib.sha256(state_bytes(state)).hexdigest()


def state_bytes(state: State) -> bytes:
    """Return a state as JSON, the same bytes for the same state."""
    return _canonical({str(key): digest for key, digest in state.items()})


@cache
def _staying() -> frozenset[str]:
    return frozenset(read_yaml(DELETE_ORDER).data["stays"])


@cache
def _ranks() -> dict[str, int]:
    table = read_yaml(DELETE_ORDER).data
    first, last = table["first"], table["last"]
    return {name: place - len(first) for place, name in enumerate(first)} | {
        name: place + 1 for place, name in enumerate(last)
    }


def _sha256(data: object) -> str:
    return hashlib.sha256(_canonical(data)).hexdigest()


def _canonical(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
