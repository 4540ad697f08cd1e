"""What `sfoa explain` and `sfoa policy` make of a preview."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.commands import explain, policy

STACK = "urn:pulumi:local::p::sfoa:index:LandingZone$"
NETWORK = f"{STACK}sfoa:network:Network::network"
EIP = f"{STACK}sfoa:network:Network$alicloud:ecs/eipAddress:EipAddress::network-egress-1"
BINDING = f"{STACK}sfoa:network:Network$alicloud:ecs/eipAssociation:EipAssociation::network-egress-1"
BUCKET = f"{STACK}sfoa:storage:Storage$alicloud:oss/bucketAcl:BucketAcl::storage-ledger"
GROUP = f"{STACK}sfoa:network:Network$alicloud:ecs/securityGroup:SecurityGroup::network-app"
SECRET = "correct-horse-battery-staple"  # planted, to be looked for


def state(urn: str, inputs: dict[str, Any], needs: tuple[str, ...] = (), protect: bool = False) -> dict[str, Any]:
    return {
        "urn": urn,
        "custom": True,
        "type": urn.split("::")[2].rpartition("$")[2],
        "inputs": inputs,
        "parent": NETWORK,
        "dependencies": list(needs),
        "protect": protect,
    }


def preview(to: Path, *steps: dict[str, Any]) -> str:
    file = to / "preview.json"
    file.write_text(json.dumps({"steps": list(steps)}), encoding="utf-8")
    return str(file)


@pytest.fixture
def dangerous(tmp_path: Path) -> str:
    old, new = state(EIP, {"isp": "BGP", "note": SECRET}, protect=True), state(EIP, {"isp": "BGP_PRO", "note": SECRET})
    why = {"detailedDiff": {"isp": {"kind": "update-replace"}}, "replaceReasons": ["isp"]}
    binding = state(BINDING, {}, (EIP,))
    before, after = state(GROUP, {"description": "a"}), state(GROUP, {"description": SECRET})
    return preview(
        tmp_path,
        {"op": "create-replacement", "urn": EIP, "oldState": old, "newState": new, **why},
        {"op": "replace", "urn": EIP, "oldState": old, "newState": new, **why},
        {"op": "delete-replaced", "urn": EIP, "oldState": old},
        {"op": "same", "urn": BINDING, "oldState": binding, "newState": binding},
        {"op": "update", "urn": GROUP, "oldState": before, "newState": after, "detailedDiff": {"description": {}}},
        {"op": "delete", "urn": BUCKET, "oldState": state(BUCKET, {"acl": "public-read"})},
    )


def test_a_replacement_says_what_forces_it_what_depends_on_it_and_why_it_is_dangerous(dangerous: str) -> None:
    done = CliRunner().invoke(explain, ["--preview", dangerous, "--json"])
    result = json.loads(done.output)["result"]
    change = next(change for change in result["changes"] if change["does"] == "replaces")
    assert change["replaced_by"] == ["isp"]
    assert change["dependents"] == ["ecs.EipAssociation network-egress-1"]
    assert change["component"] == "network"
    for reason in ("bears state", "orgs trust", "protected"):
        assert reason in change["danger"]
    assert [c["does"] for c in result["changes"]].count("replaces") == 1
    assert result["dangers"] == 1


def test_markdown_puts_the_danger_first(dangerous: str) -> None:
    text = CliRunner().invoke(explain, ["--preview", dangerous, "--format", "markdown"]).output
    assert text.startswith("### ")
    assert "Updates 1, replaces 1, deletes 1." in text
    assert text.index("**Danger**") < text.index("#### network")
    assert "forced by `isp`; on it depend `ecs.EipAssociation network-egress-1`" in text


@pytest.mark.parametrize("form", [["--format", "text"], ["--format", "markdown"], ["--json"]])
def test_no_value_is_shown_so_no_secret_is(dangerous: str, form: list[str]) -> None:
    assert SECRET in Path(dangerous).read_text(encoding="utf-8")
    done = CliRunner().invoke(explain, ["--preview", dangerous, *form])
    assert done.exit_code == 0
    assert "description" in done.output
    assert SECRET not in done.output


def test_a_preview_without_changes_says_so(tmp_path: Path) -> None:
    same = state(GROUP, {})
    file = preview(tmp_path, {"op": "same", "urn": GROUP, "oldState": same, "newState": same})
    assert CliRunner().invoke(explain, ["--preview", file]).output == "Nothing changes.\n"


@pytest.mark.parametrize("command", [explain, policy])
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"steps": [{"op": "create"}]}', '{"steps": [1]}'])
def test_what_is_no_preview_is_refused(command: Any, text: str, tmp_path: Path) -> None:
    file = tmp_path / "preview.json"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(command, ["--preview", str(file)])
    assert done.exit_code == 1
    assert "pulumi preview --json" in done.output


def test_policy_refuses_a_mandatory_violation_and_lets_an_advisory_one_through(tmp_path: Path) -> None:
    open_bucket = state(BUCKET, {"acl": "public-read"})
    done = CliRunner().invoke(
        policy, ["--preview", preview(tmp_path, {"op": "create", "urn": BUCKET, "newState": open_bucket}), "--json"]
    )
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["status"]) == (1, 1)
    assert [found["rule"] for found in answer["result"]["violations"]] == ["SFOA-ACC-001"]
    assert answer["problems"][0]["fix_zh"]
    free = state(GROUP, {"innerAccessPolicy": "Accept", "tags": {}})
    done = CliRunner().invoke(
        policy, ["--preview", preview(tmp_path, {"op": "create", "urn": GROUP, "newState": free})]
    )
    assert done.exit_code == 0
    assert "SFOA-NET-003" in done.output


def test_policy_says_how_many_unchanged_resources_it_did_not_see(tmp_path: Path) -> None:
    """`pulumi preview --json` leaves them out: no violation among two is no word on the other hundred and fifty."""
    same = {"op": "same", "urn": GROUP, "newState": state(GROUP, {})}
    file = tmp_path / "preview.json"
    file.write_text(json.dumps({"steps": [same], "changeSummary": {"same": 153}}), encoding="utf-8")
    done = CliRunner().invoke(policy, ["--preview", str(file)])
    assert "Not judged: 152 unchanged resources" in done.stderr
    assert "--show-sames" in done.stderr
    assert json.loads(CliRunner().invoke(policy, ["--preview", str(file), "--json"]).stdout)["result"]["unseen"] == 152
    file.write_text(json.dumps({"steps": [same], "changeSummary": {"same": 1}}), encoding="utf-8")
    assert "Not judged" not in CliRunner().invoke(policy, ["--preview", str(file)]).stderr


def test_what_goes_breaks_no_rule(tmp_path: Path) -> None:
    file = preview(tmp_path, {"op": "delete", "urn": BUCKET, "oldState": state(BUCKET, {"acl": "public-read"})})
    assert CliRunner().invoke(policy, ["--preview", file]).exit_code == 0
