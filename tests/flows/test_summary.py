from __future__ import annotations

import json

from flows.ledger import Event, Ledger, Record
from flows.objectstore import MemoryStore
from flows.summary import areas_of, lines_of


def resource(urn: str, kind: str, parent: str = "", custom: bool = True) -> dict[str, object]:
    return {"urn": urn, "type": kind, "parent": parent, "custom": custom}


EXPORT = json.dumps(
    {
        "deployment": {
            "resources": [
                resource("stack", "pulumi:pulumi:Stack", custom=False),
                resource("provider", "pulumi:providers:alicloud"),
                resource("zone", "sfoa:landing:LandingZone", "stack", custom=False),
                resource("net", "sfoa:network:Network", "zone", custom=False),
                resource("vpc", "alicloud:vpc/network:Network", "net"),
                resource("a", "alicloud:vpc/switch:Switch", "vpc"),
                resource("b", "alicloud:vpc/switch:Switch", "net"),
                resource("loose", "alicloud:kms/key:Key", "stack"),
            ]
        }
    }
)


def test_a_resource_counts_for_the_nearest_component_above_it() -> None:
    assert [(area.name, dict(area.resources)) for area in areas_of(EXPORT)] == [
        ("Network", {"Switch": 2, "Network": 1}),
        ("Stack", {"Key": 1}),
    ]


def test_a_stack_without_resources_has_no_components() -> None:
    assert areas_of('{"deployment": null}') == []


def test_an_org_is_shown_by_how_its_last_run_ended_not_by_one_under_way() -> None:
    ledger = Ledger(MemoryStore(), MemoryStore())
    for event in (Event.STARTED, Event.SUCCEEDED, Event.STARTED):
        ledger.append("china-uat", Record(event, "run", "bundle", "plan"))
    shown, none = lines_of(ledger, ["china-uat", "china-staging"])
    assert shown.entry
    assert shown.entry.record.event is Event.SUCCEEDED
    assert none.entry is None
