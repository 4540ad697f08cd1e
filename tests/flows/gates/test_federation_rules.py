"""What the federation agreed on: freeze days, rings, and overrides that grow old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from flows.freeze import frozen
from flows.gates import federationrules
from flows.gates.facts import Deviation
from flows.gates.run import run_gates
from tests.flows.gates.builders import FEDERATION, FREEZES, TODAY, apex, bundle, facts


@pytest.mark.parametrize(
    ("org", "day", "expected"),
    [
        ("china-production", date(2026, 2, 14), []),
        ("china-production", date(2026, 2, 15), ["K50.freeze"]),
        ("china-production", date(2026, 2, 23), ["K50.freeze"]),
        ("china-production", date(2031, 3, 18), ["K50.unknown"]),
        ("china-preview", date(2027, 1, 9), ["K50.freeze"]),
        ("global-production", date(2026, 12, 29), ["K50.freeze"]),
        ("china-staging", date(2026, 2, 15), []),
    ],
)
def test_whoever_looks_at_a_release_sees_the_freezes_that_would_stop_a_run(
    org: str, day: date, expected: list[str]
) -> None:
    found = [
        one for one in federationrules.timing(FEDERATION.org(org), FEDERATION, FREEZES, day) if one.rule.id == "K50"
    ]
    assert [one.id for one in found] == expected
    assert len(frozen(FEDERATION.org(org), FREEZES, day)) == len(expected)
    if expected == ["K50.freeze"]:
        assert [one.what for one in found] == [each.what for each in frozen(FEDERATION.org(org), FREEZES, day)]


def test_a_run_judges_calendar_and_rings_itself_so_its_gates_are_silent_on_them() -> None:
    org, spring = FEDERATION.org("china-production"), date(2026, 2, 15)
    told = replace(facts(), deviations=())
    silent = {one.rule.id for one in run_gates(bundle(), org, FEDERATION, told, spring)}
    shown = {one.rule.id for one in run_gates(bundle(), org, FEDERATION, told, spring, freezes=FREEZES)}
    assert shown - silent == {"K50", "K51"}


def test_the_rings_before_an_org_are_asked_of_the_ledger_and_the_first_ring_asks_nobody() -> None:
    [asked] = federationrules.timing(FEDERATION.org("china-uat"), FEDERATION, FREEZES, TODAY)
    assert asked.id == "K51.unknown"
    assert "global-uat" in asked.what
    assert list(federationrules.timing(FEDERATION.org("global-uat"), FEDERATION, FREEZES, TODAY)) == []


@pytest.mark.parametrize(
    ("since", "expected"),
    [(None, ["K52.unknown"]), (date(2026, 5, 1), ["K52.old-deviation"]), (date(2026, 11, 1), [])],
)
def test_an_override_that_grows_old_is_listed(since: date | None, expected: list[str]) -> None:
    one = apex("class A {}")
    told = replace(facts(), deviations=(Deviation(one.key, "china", "core", one.source, since),))
    found = federationrules.gate(bundle(one), FEDERATION.org("global-uat"), FEDERATION, told, TODAY)
    assert [each.id for each in found] == expected
