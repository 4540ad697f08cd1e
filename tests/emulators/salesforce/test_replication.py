"""What was deleted and changed in a span of time."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from emulators.salesforce.catalog import stamp
from emulators.salesforce.orgs import OrgRecord
from tests.emulated_org import cites
from tests.emulators.salesforce.salesforce_world import Caller, Clock

ACCOUNTS = "/services/data/v67.0/sobjects/Account"
HOUR = 60 * 60
DAY = 24 * HOUR


def span(start: float, end: float) -> str:
    return urlencode({"start": stamp(start), "end": stamp(end)})


def created(caller: Caller, name: str) -> str:
    return str(json.loads(caller("POST", ACCOUNTS, {"Name": name}).body)["id"])


@cites("get deleted", "knowledge")
def test_what_was_deleted_and_changed_in_a_span_is_told(caller: Caller, clock: Clock) -> None:
    """sobjects/X/deleted tells what was deleted in a span and when, sobjects/X/updated what was created or changed."""
    start = clock()
    gone, kept = created(caller, "Gone"), created(caller, "Kept")
    clock.seconds += HOUR
    moment = stamp(clock())
    assert caller("DELETE", f"{ACCOUNTS}/{gone}").status == 204
    clock.seconds += 600
    answer: Any = caller.get(f"{ACCOUNTS}/deleted/?{span(start, clock())}")
    assert answer["deletedRecords"] == [{"id": gone, "deletedDate": moment}]
    assert answer["latestDateCovered"] == stamp(clock() - clock() % 60)
    assert caller.get(f"{ACCOUNTS}/updated?{span(start, clock())}")["ids"] == [kept]
    assert caller.get(f"{ACCOUNTS}/deleted?{span(start, start + HOUR)}")["deletedRecords"] == []
    assert caller.get(f"{ACCOUNTS}/updated?{span(clock() - 300, clock())}")["ids"] == []


@cites("get deleted")
def test_deletions_are_told_for_fifteen_days(caller: Caller, china: OrgRecord, clock: Clock) -> None:
    """Deletions of the last 15 days are told, older ones are not."""
    start, gone = clock(), created(caller, "Gone")
    caller("DELETE", f"{ACCOUNTS}/{gone}")
    for days, found in ((14, 1), (16, 0)):
        clock.seconds = start + days * DAY
        caller.token = caller.salesforce.sessions.open(china, china.users[0], "SFOA_RELEASE_RUNNER")
        assert len(caller.get(f"{ACCOUNTS}/deleted?{span(start, clock())}")["deletedRecords"]) == found


@cites("get deleted", "knowledge")
@pytest.mark.parametrize("query", ["", "start=x&end=y", span(600, 610), span(1200, 600)])
def test_a_span_has_a_start_and_a_later_minute_as_its_end(query: str, caller: Caller) -> None:
    """The seconds of a span are ignored; it needs a start, and an end in a later minute."""
    status, code, _ = caller.refused("GET", f"{ACCOUNTS}/deleted?{query}")
    assert (status, code) == (400, "INVALID_REPLICATION_DATE" if query else "MISSING_ARGUMENT")
