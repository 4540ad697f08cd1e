"""Which Apex tests a plan runs: all, the release's own, or those that what changes concerns. Pure.

Salesforce asks of production (Apex Developer Guide, "Run Tests in a Deployment"): all local tests; or with specified
tests that they cover 75 % of each class and trigger of the deployment, which the org itself counts and refuses. So
where no test names a class or trigger that changes, nothing less than all local tests is planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from flows.apexuse import APEX, code_of, is_test, uses, words_of
from flows.components import Component, ComponentKey
from flows.plan import Plan, TestLevel, Tests

_OF_OBJECT = frozenset({"ValidationRule", "RecordType", "BusinessProcess", "WorkflowRule", "WorkflowFieldUpdate"})
_NAMED = frozenset({
    "CustomObject", "CustomField", "CustomLabel", "CustomPermission", "CustomMetadata", "Flow", "NamedCredential",
    "StaticResource", "EmailTemplate", "Queue", "PermissionSet",
})  # fmt: skip


class Wanted(StrEnum):
    """Which tests somebody asks for."""

    USUAL = "usual"
    ALL = "all"
    SPECIFIED = "specified"
    RELATED = "related"


@dataclass(frozen=True, slots=True)
class _Way:
    """How a class comes to what changes: over which classes, the first of them named by it."""

    over: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Say it: "names A", or "names B, which names A"."""
        return ", which names ".join((f"names {self.over[0]}", *self.over[1:]))


def choose(wanted: Wanted, plan: Plan, components: Mapping[ComponentKey, Component], *, production: bool) -> Tests:
    """Return the tests of `plan`, made of these components, as `wanted`; the plan's own for the usual ones."""
    if wanted is Wanted.USUAL or plan.empty:
        return plan.tests
    if wanted is Wanted.ALL:
        return Tests(TestLevel.LOCAL, because=("all local tests were asked for",))
    tests = sorted(key.full_name for key, each in components.items() if is_test(each))
    if wanted is Wanted.SPECIFIED:
        own = dict.fromkeys(tests, "it is a test of the release")
        return _specified(own, plan, components, production=production)
    ways = _ways(_concerned(plan, components), components.values())
    related = {name: ways[key].sentence for name in tests if (key := ComponentKey("ApexClass", name)) in ways}
    related |= {name: "it changes itself" for name in tests if ComponentKey("ApexClass", name) in plan.touched}
    return _specified(related, plan, components, production=production)


def _specified(
    chosen: Mapping[str, str], plan: Plan, components: Mapping[ComponentKey, Component], *, production: bool
) -> Tests:
    if not chosen:
        why = "no test of the release names what changes, and a validation runs some"
        return Tests(TestLevel.LOCAL, because=(why,))
    if production:
        tested = _reached(chosen, components)
        bare = [str(key) for key in plan.touched if key.type in APEX and key not in tested]
        if bare:
            why = f"production wants each class and trigger covered, and no chosen test names {', '.join(bare)}"
            return Tests(TestLevel.LOCAL, because=(why,))
    return Tests(TestLevel.SPECIFIED, tuple(chosen), tuple(chosen.values()))


def _concerned(plan: Plan, components: Mapping[ComponentKey, Component]) -> dict[str, str]:
    """Return the words, in lower case, that a class names what changes by, and what each of them stands for."""
    words: dict[str, str] = {}
    for key in (*plan.deletes, *plan.touched):
        owner, _, last = key.full_name.rpartition(".")
        if key.type == "ApexTrigger":
            words |= {name: str(key) for name in _triggered(components.get(key))}
        elif key.type == "ApexClass" or key.type in _NAMED:
            words[(last.rpartition("/")[2]).lower()] = str(key)
        elif key.type in _OF_OBJECT and owner:
            words.setdefault(owner.lower(), str(key))
    return words


def _triggered(trigger: Component | None) -> list[str]:
    """Return the object of a trigger, in lower case: who saves it runs the trigger."""
    head = code_of(trigger).partition("(")[0].split() if trigger else []
    return [head[-1].lower()] if len(head) > 1 and head[-2].lower() == "on" else []


def _ways(concerned: Mapping[str, str], components: Iterable[Component]) -> dict[ComponentKey, _Way]:
    """Return which classes name what is concerned, or a class that does; by the shortest way."""
    apex = [each for each in components if each.key.type == "ApexClass"]
    ways: dict[ComponentKey, _Way] = {}
    for each in apex:
        named = words_of(each, strings=True) & concerned.keys() - {each.key.full_name.lower()}
        if named:
            ways[each.key] = _Way((concerned[min(named)],))
    users: dict[ComponentKey, list[ComponentKey]] = {}
    for user, used in uses(apex).items():
        for key in used:
            users.setdefault(key, []).append(user)
    front = sorted(ways)
    while front:
        found = [(user, key) for key in front for user in sorted(users.get(key, ())) if user not in ways]
        for user, key in found:
            ways.setdefault(user, _Way((str(key), *ways[key].over)))
        front = sorted({user for user, _ in found})
    return ways


def _reached(tests: Iterable[str], components: Mapping[ComponentKey, Component]) -> set[ComponentKey]:
    """Return the classes and triggers that the tests come to: what they name, what that names, what is triggered."""
    used = uses(components.values())
    triggers = [(key, set(_triggered(each))) for key, each in components.items() if key.type == "ApexTrigger"]
    found: set[ComponentKey] = set()
    front = {ComponentKey("ApexClass", name) for name in tests}
    while front:
        found |= front
        words = {word for key in front for word in words_of(components[key], strings=True)}
        front = {one for key in front for one in used[key]}
        front |= {key for key, objects in triggers if objects & words}
        front -= found
    return found
