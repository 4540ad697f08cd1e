from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.components import ComponentKey
from flows.ledger import Event, Ledger, Overtaken, Record
from flows.objectstore import MemoryStore, Taken
from kit.problems import Refused

STATE = {ComponentKey("ApexClass", "A"): "d1", ComponentKey("CustomField", "Case.X__c"): "d2"}


def record(event: Event = Event.STARTED, **more: object) -> Record:
    return Record(event, "run", "bundle", "plan", **more)  # type: ignore[arg-type]


def filled(entries: int) -> tuple[Ledger, MemoryStore, MemoryStore]:
    store, heads = MemoryStore("ledger"), MemoryStore("releases")
    ledger = Ledger(store, heads)
    for number in range(entries):
        done = record(Event.SUCCEEDED, index=ledger.put_index(STATE), problems=(f"note {number}",))
        ledger.append("china-uat", done)
    return ledger, store, heads


def test_an_org_that_never_received_anything_holds_nothing() -> None:
    ledger, _, _ = filled(0)
    assert ledger.state_of("china-uat") == {}


def test_the_state_is_that_of_the_last_success() -> None:
    ledger, _, _ = filled(1)
    ledger.append("china-uat", record(Event.FAILED, problems=("no",)))
    assert ledger.state_of("china-uat") == STATE
    assert ledger.state_of("china-staging") == {}


def test_entries_read_back_as_they_were_written() -> None:
    ledger, _, _ = filled(1)
    written = ledger.append("china-uat", record(Event.FAILED, problems=("x.cls:3: no",), seconds={"validate": 1.5}))
    assert ledger.entries("china-uat")[-1] == written
    assert written.record.seconds == {"validate": 1.5}


def test_a_chain_that_nobody_touched_verifies() -> None:
    ledger, _, _ = filled(5)
    assert ledger.verify() == (5, [])


@given(st.data())
def test_any_altered_byte_is_found(data: st.DataObject) -> None:
    ledger, store, _ = filled(4)
    key = data.draw(st.sampled_from(sorted(store.objects)))
    body = store.objects[key]
    place = data.draw(st.integers(0, len(body) - 1))
    flipped = body[:place] + bytes([body[place] ^ data.draw(st.integers(1, 255))]) + body[place + 1 :]
    store.objects[key] = flipped
    assert ledger.verify()[1]


@given(st.integers(1, 4))
def test_any_missing_entry_is_found_the_newest_too(sequence: int) -> None:
    ledger, store, _ = filled(4)
    del store.objects[f"orgs/china-uat/{sequence:08d}.json"]
    assert ledger.verify()[1]


def test_a_ledger_emptied_as_a_whole_is_found() -> None:
    ledger, store, _ = filled(2)
    store.objects.clear()
    assert ledger.verify()[1]


@given(st.permutations([1, 2, 3, 4]))
def test_any_other_order_is_found(order: list[int]) -> None:
    ledger, store, _ = filled(4)
    bodies = [store.objects[f"orgs/china-uat/{number:08d}.json"] for number in order]
    for number, body in enumerate(bodies, 1):
        store.objects[f"orgs/china-uat/{number:08d}.json"] = body
    assert bool(ledger.verify()[1]) is (order != [1, 2, 3, 4])


def test_an_entry_of_another_org_in_the_chain_is_found() -> None:
    ledger, store, _ = filled(2)
    store.objects["orgs/china-staging/00000001.json"] = store.objects["orgs/china-uat/00000001.json"]
    assert ledger.verify("china-staging")[1]


def test_a_forged_chain_that_is_whole_in_itself_is_found_by_its_head() -> None:
    ledger, store, _ = filled(2)
    _, forged, _ = filled(2)
    forger = Ledger(forged, MemoryStore())
    forger.append("china-uat", record(Event.FAILED))
    store.objects = {key: body for key, body in forged.objects.items() if not key.endswith("3.json")}
    entry = json.loads(store.objects["orgs/china-uat/00000002.json"]) | {"by": "someone else"}
    store.objects["orgs/china-uat/00000002.json"] = json.dumps(entry, indent=1, sort_keys=True).encode()
    assert ledger.verify()[1]


def test_nothing_is_appended_to_a_chain_whose_end_was_cut_off() -> None:
    ledger, store, _ = filled(3)
    del store.objects["orgs/china-uat/00000003.json"]
    with pytest.raises(Refused, match="is missing"):
        ledger.append("china-uat", record())


def test_a_lost_index_refuses_to_say_what_the_org_holds() -> None:
    ledger, store, _ = filled(1)
    for key in [key for key in store.objects if key.startswith("indexes/")]:
        del store.objects[key]
    with pytest.raises(Refused, match="is missing"):
        ledger.state_of("china-uat")


class Racing(MemoryStore):
    """Another run writes the same entry just before we do."""

    rival: bytes | None = b'{"written by": "another run"}'

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        if if_absent and key.startswith("orgs/"):
            self.objects[key] = data if self.rival is None else self.rival
            raise Taken(key)
        super().put(key, data, if_absent=if_absent)


def test_two_runs_that_write_at_the_same_moment_are_told_apart() -> None:
    ledger = Ledger(Racing(), MemoryStore())
    with pytest.raises(Refused, match="another run wrote entry 1"):
        ledger.append("china-uat", record())


def test_who_comes_second_is_told_who_came_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFOA_ACTOR", "lin")
    _, rivals, _ = filled(1)
    store = Racing()
    store.rival = rivals.objects["orgs/china-uat/00000001.json"]
    monkeypatch.setenv("SFOA_ACTOR", "wang")
    with pytest.raises(Overtaken, match="lin@"):
        Ledger(store, MemoryStore()).append("china-uat", record())


def test_an_entry_is_written_only_after_the_one_that_the_run_knows() -> None:
    ledger, _, _ = filled(2)
    with pytest.raises(Overtaken, match="another run wrote entry 2"):
        ledger.append("china-uat", record(), after=1)
    with pytest.raises(Overtaken):
        ledger.append("china-uat", record(), after=0)
    assert ledger.append("china-uat", record(), after=2).sequence == 3


def test_an_index_of_what_the_org_gave_back_that_was_altered_is_found() -> None:
    ledger, store, _ = filled(1)
    held = ledger.put_index({ComponentKey("ApexClass", "A"): "as the org has it"})
    index = ledger.put_index(STATE)
    ledger.append("china-uat", record(Event.SUCCEEDED, index=index, held=held))
    assert ledger.verify()[1] == []
    store.objects[f"indexes/{held}.json"] = b"{}"
    assert ledger.verify()[1]


def test_an_entry_of_before_there_were_snapshots_can_be_read() -> None:
    ledger, store, _ = filled(1)
    (key,) = (key for key in store.objects if key.startswith("orgs/"))
    old = json.loads(store.objects[key])
    for name in ("snapshot", "held", "accepted", "rollback_to", "holder"):
        del old[name]
    store.objects[key] = json.dumps(old).encode()
    (entry,) = ledger.entries("china-uat")
    assert entry.record.snapshot == ""
    assert entry.record.rollback_to is None


def test_a_write_whose_answer_was_lost_and_that_was_repeated_is_our_own() -> None:
    store = Racing()
    store.rival = None
    assert Ledger(store, MemoryStore()).append("china-uat", record()).sequence == 1


def test_a_run_that_died_before_the_head_was_written_leaves_a_chain_that_verifies() -> None:
    ledger, _, heads = filled(2)
    head = heads.objects["heads/china-uat.json"]
    ledger.append("china-uat", record())
    heads.objects["heads/china-uat.json"] = head
    assert ledger.verify() == (3, [])
    assert ledger.append("china-uat", record(Event.FAILED)).sequence == 4


def test_no_secret_of_an_org_s_message_reaches_the_ledger() -> None:
    ledger, store, _ = filled(0)
    token = "00D5e0000000001EAA!AQ4AQPpKz9y1V0uE3mQWnB8c7d6f5g4h3"
    ledger.append("china-uat", record(Event.FAILED, problems=(f"session {token} expired",)))
    assert token.encode() not in store.objects["orgs/china-uat/00000001.json"]
