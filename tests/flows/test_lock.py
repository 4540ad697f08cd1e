from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from flows.ledger import Entry, Event, Record
from flows.lock import BEAT_SECONDS, LEASE_SECONDS, Beat, Held, OrgLock, machine
from flows.objectstore import MemoryStore
from kit.problems import Problem, Refused

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
RECORD = Record(Event.VALIDATING, "run", "bundle", "plan", holder="h1")
ENTRY = Entry("china-uat", 3, "", "2026-11-22T03:00:00Z", "lin@ci-7", RECORD, "")
KEY = "locks/china-uat/h1.json"


class Clock:
    """Time that passes while a lock sleeps; `meanwhile` is what happens then."""

    def __init__(self) -> None:
        self.at, self.slept = NOW, 0.0

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.at += timedelta(seconds=seconds)
        self.meanwhile()

    def meanwhile(self) -> None:
        """Nothing happens."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lock(clock: Clock) -> OrgLock:
    return OrgLock("china-uat", MemoryStore(), clock.now, clock.sleep)


def beat(lock: OrgLock, ago: float, **more: object) -> None:
    """Write a sign of life of the holder, of another machine if nothing else is said."""
    at = (NOW - timedelta(seconds=ago)).isoformat()
    lock.store.put(KEY, json.dumps(asdict(replace(Beat("lin@ci-7", at, "elsewhere", 1), **more))).encode())  # type: ignore[arg-type]


def test_a_holder_that_gave_a_sign_within_its_lease_is_left_alone(lock: OrgLock, clock: Clock) -> None:
    beat(lock, LEASE_SECONDS - 1)
    with pytest.raises(Held, match="held by run run of lin@ci-7: entry 3"):
        lock.refuse_if_held(ENTRY)
    assert clock.slept == 0


def test_a_holder_that_stays_silent_is_dead(lock: OrgLock, clock: Clock) -> None:
    beat(lock, LEASE_SECONDS + 1)
    lock.refuse_if_held(ENTRY)
    assert clock.slept >= BEAT_SECONDS


@pytest.mark.parametrize("ago", [3600.0, -3600.0])
def test_a_holder_whose_clock_is_wrong_lives_as_long_as_it_gives_signs(lock: OrgLock, clock: Clock, ago: float) -> None:
    beat(lock, ago)
    clock.meanwhile = lambda: beat(lock, ago - BEAT_SECONDS)  # type: ignore[method-assign]
    with pytest.raises(Held):
        lock.refuse_if_held(ENTRY)


def test_a_dead_holder_whose_clock_was_ahead_does_not_hold_the_org_until_ours_catches_up(lock: OrgLock) -> None:
    beat(lock, -3600)
    lock.refuse_if_held(ENTRY)


def test_a_holder_that_said_good_bye_is_not_waited_for(lock: OrgLock, clock: Clock) -> None:
    beat(lock, 1, over=True)
    lock.refuse_if_held(ENTRY)
    assert clock.slept == 0


def test_a_process_of_this_machine_that_is_gone_is_not_waited_for(lock: OrgLock, clock: Clock) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    beat(lock, 1, machine=machine(), pid=gone.pid)
    lock.refuse_if_held(ENTRY)
    assert clock.slept == 0


def test_a_process_of_this_machine_that_runs_holds_the_org(lock: OrgLock) -> None:
    beat(lock, 1, machine=machine(), pid=os.getpid())
    with pytest.raises(Held):
        lock.refuse_if_held(ENTRY)


def test_a_holder_without_a_sign_counts_from_its_entry_on(lock: OrgLock, clock: Clock) -> None:
    with pytest.raises(Held):
        lock.refuse_if_held(replace(ENTRY, at="2026-11-22T03:59:30Z"))
    lock.refuse_if_held(ENTRY)


def test_who_holds_an_org_gives_signs_until_it_lets_go(lock: OrgLock) -> None:
    with lock.beating() as holder:
        entry = replace(ENTRY, record=replace(RECORD, holder=holder))
        with pytest.raises(Held):
            lock.refuse_if_held(entry)
    lock.refuse_if_held(entry)


class Counting(MemoryStore):
    """Counts the signs of life, and takes none of those in `refuses` (from 1)."""

    def __init__(self, refuses: set[int]) -> None:
        super().__init__()
        self.signs, self.refuses, self.enough = 0, refuses, threading.Event()

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        self.signs += 1
        if self.signs in self.refuses:
            raise Refused(Problem("the bucket is out of reach", "", ""))
        if self.signs >= 5:
            self.enough.set()
        super().put(key, data)


def test_signs_go_on_by_themselves_though_some_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.lock.BEAT_SECONDS", 0.01)
    store = Counting(refuses={2, 3})
    with OrgLock("china-uat", store).beating():
        assert store.enough.wait(10)
    (last,) = store.objects.values()
    assert json.loads(last)["over"] is True


def test_who_cannot_give_a_first_sign_does_not_begin() -> None:
    with pytest.raises(Refused, match="out of reach"), OrgLock("china-uat", Counting(refuses={1})).beating():
        pytest.fail("it began")
