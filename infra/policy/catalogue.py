"""All rules of the kit, in the order of their areas."""

from __future__ import annotations

from infra.policy import access, doors, encryption, keeping, perimeter, records, residency
from infra.policy.model import Rule

AREAS = (residency, encryption, access, perimeter, doors, records, keeping)
RULES: tuple[Rule, ...] = tuple(rule for area in AREAS for rule in area.RULES.all)
