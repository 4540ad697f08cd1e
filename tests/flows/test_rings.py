"""When a ring opens: who holds a release, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.ledger import Entry, Event, Record
from flows.rings import Standing, before, closed, standing
from orgs.federation import Federation, load_federation
from tests.flows.release_support import apex, bundle_of, state_of

NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
FEDERATION = load_federation()
BUNDLE = bundle_of(apex("A"), apex("B"))


def soaking(hours: float) -> Federation:
    return FEDERATION.model_copy(update={"soak_hours": {1: hours}})


def names(org: str, standings: list[Standing], federation: Federation = FEDERATION) -> list[str]:
    return [problem.value for problem in closed(federation.org(org), federation, standings, NOW)]


def success(at: str) -> Entry:
    return Entry("global-uat", 4, "", at, "me", Record(Event.SUCCEEDED, "r", "b", "p"), "d")


def test_the_first_ring_is_open() -> None:
    assert names("global-uat", []) == []


def test_a_ring_is_closed_until_every_org_before_it_holds_the_release() -> None:
    held = Standing("global-uat", True, NOW)
    assert names("china-uat", []) == ["global-uat"]
    assert names("china-uat", [Standing("global-uat", False, NOW)]) == ["global-uat"]
    assert names("china-uat", [held]) == []
    assert names("china-staging", [held, Standing("china-uat", True, NOW)]) == ["china-east", "china-preview"]


def test_orgs_of_the_same_ring_do_not_wait_for_each_other() -> None:
    assert [org.name for org in before(FEDERATION.org("china-east"), FEDERATION)] == ["global-uat"]


@pytest.mark.parametrize(("hours", "open_now"), [(0, True), (24, True), (24.1, False), (48, False)])
def test_a_release_soaks_for_the_hours_of_its_ring(hours: float, open_now: bool) -> None:
    held = Standing("global-uat", True, NOW - timedelta(hours=24))
    assert (names("china-uat", [held], soaking(hours)) == []) is open_now


def test_the_refusal_says_when_the_ring_opens_in_both_languages() -> None:
    held = Standing("global-uat", True, NOW)
    federation = soaking(30)
    [problem] = closed(federation.org("china-uat"), federation, [held], NOW)
    assert "soaks until 2026-11-19 08:00 UTC" in problem.what
    assert "观察期至 2026-11-19 08:00 UTC" in problem.what_zh


def test_an_org_holds_a_release_when_its_ledger_says_exactly_what_the_release_gives_it() -> None:
    wanted = state_of(BUNDLE)
    entry = success("2026-11-17T02:00:00Z")
    held = standing("global-uat", wanted, dict(wanted), entry)
    assert held == Standing("global-uat", True, datetime(2026, 11, 17, 2, 0, tzinfo=UTC))
    assert not standing("global-uat", wanted, state_of(bundle_of(apex("A"))), entry).holds
    assert not standing("global-uat", wanted, {}, None).holds


def test_an_org_that_a_release_gives_nothing_is_not_waited_for() -> None:
    assert standing("global-uat", {}, {}, None).holds
