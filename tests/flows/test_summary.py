from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows import handover
from flows.ledger import Event, Ledger, Record
from flows.objectstore import Buckets, MemoryStore
from flows.summary import areas_of, lines_of
from tests.flows.test_handover import engine
from tests.landed import OUTPUTS


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


def test_one_screen_says_what_stands_what_was_released_and_what_to_type_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "export.json").write_text(EXPORT)
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS))
    engine(tmp_path, f"cat {tmp_path}/export.json", monkeypatch)
    monkeypatch.setenv(handover.OUTPUTS_FILE, str(tmp_path / "outputs.json"))
    buckets = Buckets(MemoryStore("releases"), MemoryStore("acme-ledger"), MemoryStore("backups"))
    counts = {"created": 241, "changed": 0, "deleted": 0}
    done = Record(Event.SUCCEEDED, "run", "bundle", "plan", counts, tests={"run": 20, "failed": 0})
    Ledger.of(buckets).append("china-uat", done)
    module = importlib.import_module("flows.commands.summary")
    monkeypatch.setattr(module, "buckets_of", lambda _outputs: buckets)
    shown = CliRunner().invoke(module.summary, [])
    assert shown.exit_code == 0, shown.output
    for words in ("2 Switch", "241", "20 passed", "oss://acme-ledger/orgs/", "cci flow run promote"):
        assert words in shown.output
    assert max(map(len, shown.output.splitlines())) < 160
    machines = json.loads(CliRunner().invoke(module.summary, ["--json"]).stdout)["result"]
    assert {org["org"]: org["event"] for org in machines["orgs"]}["china-uat"] == "succeeded"
