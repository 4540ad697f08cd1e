"""The rules as Pulumi's policy pack. `infra/policy/sfoa-policies` starts it for `--policy-pack`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from infra.policy.catalogue import RULES
from infra.policy.model import UNKNOWN, Resource, Rule, Severity, Stack, violations

LEVELS = {Severity.MANDATORY: EnforcementLevel.MANDATORY, Severity.ADVISORY: EnforcementLevel.ADVISORY}


def policies(rules: Iterable[Rule] = RULES) -> list[Policy]:
    """Return each rule as the engine's policy: before the resource is made where the rule can, else over the stack."""
    return [_over_stack(rule) if rule.looks_around else _over_resource(rule) for rule in rules]


def _over_resource(rule: Rule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = Resource(args.resource_type, args.name, _plain(args.props), args.urn, args.opts.protect)
        for found in violations((rule,), Stack((resource,))):
            report(found.message, args.urn)

    return ResourceValidationPolicy(rule.id, rule.title.en, validate, LEVELS[rule.severity])


def _over_stack(rule: Rule) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for found in violations((rule,), Stack(tuple(map(_resource, args.resources)))):
            report(found.message, found.resource.urn)

    return StackValidationPolicy(rule.id, rule.title.en, validate, LEVELS[rule.severity])


def _resource(seen: PolicyResource) -> Resource:
    references = {key: frozenset(other.urn for other in others) for key, others in seen.property_dependencies.items()}
    return Resource(seen.resource_type, seen.name, _plain(seen.props), seen.urn, seen.opts.protect, references)


def _plain(value: Any) -> Any:
    """Return the library's proxies as plain data: touching a value that isn't known yet raises in them."""
    if isinstance(value, Mapping):
        return {key: _at(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_at(value, place) for place in range(len(value))]
    return value


def _at(holder: Any, key: str | int) -> Any:
    try:
        return _plain(holder[key])
    except UnknownValueError:
        return UNKNOWN


if __name__ == "__main__":
    PolicyPack("sfoa", policies())
