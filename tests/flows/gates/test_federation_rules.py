"""What the federation agreed on: freeze days, rings, and overrides that grow old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from flows.gates import federationrules
from flows.gates.facts import Deviation
from tests.flows.gates.builders import FEDERATION, TODAY, apex, bundle, facts


@pytest.mark.parametrize(
    ("org", "day", "expected"),
    [
        ("china-production", date(2026, 2, 14), []),
        ("china-production", date(2026, 2, 15), ["K50.freeze"]),
        ("china-production", date(2026, 2, 23), ["K50.freeze"]),
        ("china-production", date(2026, 2, 24), []),
        ("china-production", date(2027, 1, 1), ["K50.unknown"]),
        ("china-staging", date(2026, 2, 15), []),
        ("global-production", date(2026, 2, 15), []),
    ],
)
def test_nothing_goes_to_china_s_production_on_a_public_holiday(org: str, day: date, expected: list[str]) -> None:
    found = federationrules.gate(bundle(), FEDERATION.org(org), FEDERATION, replace(facts(), deviations=()), day)
    assert [one.id for one in found if one.id.startswith("K50")] == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, ["K51.unknown"]),
        ({"release": "r2", "releases": {}}, ["K51.unknown"]),
        ({"release": "r2", "releases": {"global-uat": ["r1"]}}, ["K51.skipped-ring"]),
        ({"release": "r2", "releases": {"global-uat": ["r1", "r2"]}}, []),
    ],
)
def test_a_ring_waits_for_the_ring_before(known: dict[str, object], expected: list[str]) -> None:
    told = replace(facts(**known), deviations=())
    assert [
        one.id for one in federationrules.gate(bundle(), FEDERATION.org("china-uat"), FEDERATION, told, TODAY)
    ] == expected


@pytest.mark.parametrize(
    ("since", "expected"),
    [(None, ["K52.unknown"]), (date(2026, 5, 1), ["K52.old-deviation"]), (date(2026, 11, 1), [])],
)
def test_an_override_that_grows_old_is_listed(since: date | None, expected: list[str]) -> None:
    one = apex("class A {}")
    told = replace(facts(), deviations=(Deviation(one.key, "china", "core", one.source, since),))
    found = federationrules.gate(bundle(one), FEDERATION.org("global-uat"), FEDERATION, told, TODAY)
    assert [each.id for each in found] == expected
