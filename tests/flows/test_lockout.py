"""Who can still log in once a release is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from flows.lockout import LEAST_DAYS, Accepted, Administrator, Logins, judge_lockout
from flows.render.network import IpRange

TODAY = date(2026, 11, 22)
NAMES = ("one@acme.example", "two@acme.example")
GOOD = Logins(
    certificates=[TODAY + timedelta(days=LEAST_DAYS)],
    named=NAMES,
    admins=[Administrator(name) for name in NAMES],
    ranges=[IpRange("203.0.113.0", "203.0.113.31", "office")],
    runner="203.0.113.7",
    tried=Accepted("china-staging", "2026-11-20T02:00:00Z"),
    needs_trial=True,
)


def refusals(logins: Logins) -> list[str]:
    verdict = judge_lockout("china-production", logins, TODAY)
    assert verdict.unknown == []
    for each in verdict.out:
        assert each.what_zh
        assert each.fix
        assert each.fix_zh
    return [each.what for each in verdict.out]


def test_a_release_after_which_people_can_log_in_passes() -> None:
    assert refusals(GOOD) == []


def test_an_expired_certificate_is_refused() -> None:
    (what,) = refusals(replace(GOOD, certificates=[TODAY - timedelta(days=1)]))
    assert "expired on 2026-11-21" in what


def test_a_certificate_that_expires_soon_is_refused_and_the_next_one_beside_it_is_enough() -> None:
    soon = TODAY + timedelta(days=LEAST_DAYS - 1)
    (what,) = refusals(replace(GOOD, certificates=[soon]))
    assert f"in {LEAST_DAYS - 1} days" in what
    assert refusals(replace(GOOD, certificates=[soon, TODAY + timedelta(days=700)])) == []


@pytest.mark.parametrize(
    ("admin", "why"),
    [
        (Administrator(NAMES[0], active=False), "is not active"),
        (Administrator(NAMES[0], frozen=True), "is frozen"),
        (Administrator(NAMES[0], sso_only=True), "may log in by SSO only"),
        (Administrator(NAMES[0], manages=False), "may not manage users"),
    ],
)
def test_an_administrator_who_gets_nowhere_is_none(admin: Administrator, why: str) -> None:
    (what,) = refusals(replace(GOOD, admins=[admin]))
    assert f"{NAMES[0]} {why}" in what
    assert f"{NAMES[1]} is no user of the org" in what
    assert refusals(replace(GOOD, admins=[admin, Administrator(NAMES[1])])) == []


def test_without_a_break_glass_administrator_nothing_passes() -> None:
    (what,) = refusals(replace(GOOD, named=(), admins=()))
    assert "none is named" in what
    (what,) = refusals(replace(GOOD, passwords_off=True))
    assert "turned off for all" in what


def test_a_runner_outside_of_the_ranges_is_refused() -> None:
    (what,) = refusals(replace(GOOD, runner="198.51.100.1"))
    assert "198.51.100.1" in what


def test_a_runner_outside_of_the_login_ranges_of_a_profile_that_may_be_its_own_is_refused() -> None:
    office, egress = IpRange("203.0.113.0", "203.0.113.31"), IpRange("47.100.0.1", "47.100.0.1")
    logs_in = {"Admin": [office], "Release Runner": [egress]}
    (what,) = refusals(replace(GOOD, profiles=logs_in))
    assert what.endswith("203.0.113.7 is in none of the login ranges of the profile Release Runner")
    alone = Logins(profiles={"Admin": logs_in["Admin"]}, runner="203.0.113.7")
    assert refusals(alone) == []
    unseen = judge_lockout("china-production", replace(alone, runner=None), TODAY)
    assert [each.what for each in unseen.unknown] == [
        "china-production: the org doesn't say at which address it sees the runner"
    ]


def test_production_asks_for_an_assertion_that_a_sandbox_accepted() -> None:
    verdict = judge_lockout("china-production", replace(GOOD, tried=None), TODAY)
    assert verdict.out == []
    assert "no sandbox" in verdict.unknown[0].what
    assert refusals(replace(GOOD, tried=None, needs_trial=False)) == []


def test_what_nobody_knows_is_neither_a_refusal_nor_a_pass() -> None:
    verdict = judge_lockout("china-uat", replace(GOOD, admins=None, runner=None), TODAY)
    assert verdict.out == []
    assert len(verdict.unknown) == 2
    assert all(each.what_zh for each in verdict.unknown)


def test_a_release_without_sign_on_and_ranges_locks_nobody_out() -> None:
    assert judge_lockout("china-uat", Logins(), TODAY) == judge_lockout("china-uat", Logins(needs_trial=True), TODAY)
    assert judge_lockout("china-uat", Logins(), TODAY).out == []


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = replace(GOOD, certificates=[date.min], admins=(), runner="::1")
    assert len(refusals(wrong)) == 3
