"""The course of a deploy: queued, at work, done, taken back, cancelled."""

from __future__ import annotations

import json

import pytest
from tests.emulators.salesforce.metadata.metadata_support import EmulatedOrg, apex, apex_package, layout, manifest, one, store, text_field, with_store, xml, zipped

from tests.emulated_org import cites


@cites("deploy result")
def test_a_deploy_waits_then_works_then_is_done(sandbox: EmulatedOrg) -> None:
    """A deploy is Pending, then InProgress with counts, then Succeeded and `done`."""
    files = {"package.xml": manifest({"ApexClass": [f"C{n}" for n in range(400)]})}
    for n in range(400):
        files |= apex(f"C{n}")
    ident = sandbox.submit(files)
    seen = [sandbox.status(ident)]
    for _ in range(8):
        sandbox.clock.seconds += 0.2
        seen.append(sandbox.status(ident))
    statuses = [each["status"] for each in seen]
    assert [s for n, s in enumerate(statuses) if s not in statuses[:n]] == ["Pending", "InProgress", "Succeeded"]
    under_way = [each["numberComponentsDeployed"] for each in seen if each["status"] == "InProgress"]
    assert under_way == sorted(under_way)
    assert under_way[-1] > under_way[0]
    assert (seen[-1]["numberComponentsDeployed"], seen[-1]["numberComponentsTotal"]) == (400, 400)
    assert all("componentSuccesses" in each["details"] for each in seen)


@cites("deploy result", "deployment queue")
def test_deploys_to_one_org_are_carried_out_one_after_the_other(sandbox: EmulatedOrg) -> None:
    """Deploys to one org are queued: one at a time is InProgress, the others stay Pending."""
    first = sandbox.submit({"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")})
    second = sandbox.submit({"package.xml": manifest({"ApexClass": ["B"]}), **apex("B")})
    sandbox.clock.seconds += 0.5
    assert [sandbox.status(i)["status"] for i in (first, second)] == ["InProgress", "Pending"]
    sandbox.clock.seconds += 60
    done, after = (sandbox.status(i) for i in (first, second))
    assert (done["status"], after["status"]) == ("Succeeded", "Succeeded")
    assert after["startDate"] >= done["completedDate"]


def test_the_deploys_of_one_org_do_not_wait_for_those_of_another_nor_are_seen_by_it(sandbox: EmulatedOrg) -> None:
    other = EmulatedOrg("production", store=sandbox.store, clock=sandbox.clock)
    first = sandbox.submit({"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")})
    second = other.submit({"package.xml": manifest({}), "destructiveChanges.xml": manifest({})})
    sandbox.clock.seconds += 0.5
    assert [sandbox.status(first)["status"], other.status(second)["status"]] == ["InProgress", "InProgress"]
    assert other.rest("GET", f"/{first}").status == 404
    sandbox.session, other.session = other.session, sandbox.session
    assert b"INVALID_SESSION_ID" in sandbox.send("describeMetadata", "").body
    assert b"INVALID_SESSION_ID" in other.rest("GET", f"/{second}").body


@cites("deploy message", "knowledge")
def test_a_component_is_created_then_changed_then_left_alone(sandbox: EmulatedOrg) -> None:
    """`created` and `changed` say what became of a component; white space is no change."""

    def flags(body: str) -> tuple[bool, bool]:
        result = sandbox.deploy(one("CustomPermission", "Open", "customPermissions/Open.customPermission", body))
        message = next(m for m in result["details"]["componentSuccesses"] if m["componentType"])
        return message["created"], message["changed"]

    assert flags("<label>Open</label>") == (True, True)
    assert flags("\n\n   <label>Open</label>\n") == (False, False)
    assert flags("<label>Opened</label>") == (False, True)


@cites("deploy message", "deploy answers")
def test_a_message_has_the_fields_of_the_documented_type(sandbox: EmulatedOrg) -> None:
    """A DeployMessage has the documented fields: the id of what succeeded; line, column and problem of what failed."""
    always = {"changed", "componentType", "created", "createdDate", "deleted", "fileName", "fullName", "success"}
    files = {"package.xml": manifest({"ApexClass": ["A"], "Layout": ["Account-L"]}), **apex("A")}
    details = sandbox.deploy(files | {"layouts/Account-L.layout": layout("No__c")}, rollbackOnError=False)["details"]
    (failure,) = details["componentFailures"]
    assert set(failure) == always | {"columnNumber", "lineNumber", "problem", "problemType"}
    assert (failure["problemType"], failure["success"], failure["fileName"]) == ("Error", False, "layouts/Account-L.layout")
    success = next(each for each in details["componentSuccesses"] if each["componentType"])
    assert set(success) == always | {"id"}


@cites("deploy result", "deploy options")
def test_a_validation_changes_nothing(sandbox: EmulatedOrg) -> None:
    """A deploy with checkOnly changes nothing."""
    before = sandbox.snapshot()
    files = {"package.xml": manifest({"CustomObject": ["Store__c"]}), **store("Area__c")}
    assert sandbox.deploy(files, checkOnly=True)["status"] == "Succeeded"
    assert sandbox.snapshot() == before


@cites("rollback")
def test_one_error_takes_everything_back(sandbox: EmulatedOrg) -> None:
    """With rollbackOnError one error takes the whole deploy back."""
    with_store(sandbox)
    before = sandbox.snapshot()
    files = {
        "package.xml": manifest({"ApexClass": ["Fine"], "Layout": ["Store__c-L"]}),
        **apex("Fine"),
        "layouts/Store__c-L.layout": layout("Gone__c"),
    }
    assert sandbox.deploy(files)["status"] == "Failed"
    assert sandbox.snapshot() == before


@cites("deploy result", "rollback", "deploy answers")
def test_a_sandbox_keeps_what_succeeded_when_asked_to(sandbox: EmulatedOrg) -> None:
    """Without rollbackOnError a sandbox keeps what succeeded (SucceededPartial); what needs a failed component fails too."""
    files = {
        "package.xml": manifest({"ApexClass": ["Fine"], "CustomObject": ["Store__c"], "Layout": ["Store__c-L"]}),
        **apex("Fine"),
        "objects/Store__c.object": xml("CustomObject", "<label>No name field</label>" + text_field("Area__c")),
        "layouts/Store__c-L.layout": layout("Area__c"),
    }
    result = sandbox.deploy(files, rollbackOnError=False)
    assert result["status"] == "SucceededPartial"
    failed = {m["fullName"]: m["problem"] for m in result["details"]["componentFailures"]}
    assert failed["Store__c.Area__c"] == "Parent entity failed to deploy"
    assert {"Store__c", "Store__c.Area__c", "Store__c-L"} == set(failed)
    assert sandbox.components.get("ApexClass", "Fine")
    assert not sandbox.components.get("CustomField", "Store__c.Area__c")


@cites("deploy request")
def test_rollback_on_error_is_off_unless_it_is_asked_for(sandbox: EmulatedOrg) -> None:
    """A deploy that doesn't say rollbackOnError keeps what succeeded; production refuses it therefore."""
    files = {"package.xml": manifest({"ApexClass": ["Fine", "Gone"]}), **apex("Fine")}
    assert sandbox.deploy(files, rollbackOnError=[])["status"] == "SucceededPartial"
    assert sandbox.components.get("ApexClass", "Fine")
    with pytest.raises(AssertionError, match="must set rollbackOnError to true"):
        EmulatedOrg("production").submit(files, rollbackOnError=[])


@cites("rollback", "deploy options", "knowledge")
def test_production_refuses_partial_deploys_and_deploys_without_tests(production: EmulatedOrg) -> None:
    """Production refuses rollbackOnError=false and NoTestRun at once."""
    files = {"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")}
    for options in ({"rollbackOnError": False}, {"testLevel": "NoTestRun"}):
        with pytest.raises(AssertionError, match="INVALID_OPERATION"):
            production.submit(files, **options)


@cites("cancelDeploy", "deploy result")
def test_a_deploy_can_be_cancelled_while_it_waits_or_works(sandbox: EmulatedOrg) -> None:
    """A pending deploy is Canceled at once; one at work is Canceling, then Canceled."""
    files = {"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")}
    waiting = sandbox.submit(files)
    body = sandbox.soap("cancelDeploy", f"<String>{waiting}</String>")
    assert body.findtext(".//{*}done") == "true"
    working = sandbox.submit(files)
    sandbox.clock.seconds += 0.5
    answer = sandbox.rest("PATCH", f"/{working}", b'{"deployResult":{"status":"Canceling"}}')
    assert (answer.status, json.loads(answer.body)["deployResult"]["status"]) == (202, "Canceling")
    sandbox.clock.seconds += 60
    assert [sandbox.status(i)["status"] for i in (waiting, working)] == ["Canceled", "Canceled"]
    assert not sandbox.components.get("ApexClass", "A")
    again = sandbox.rest("PATCH", f"/{working}", b'{"deployResult":{"status":"Canceling"}}')
    assert again.status == 400


@cites("cancelDeploy")
def test_a_long_deploy_that_is_cancelled_is_over_soon() -> None:
    """A deploy at work that is cancelled ends soon, however long it would have taken; the next one takes its place."""
    sandbox = EmulatedOrg(declared={"deploy_seconds": 600.0})
    first, second = (
        sandbox.submit({"package.xml": manifest({"ApexClass": [name]}), **apex(name)}) for name in ("A", "B")
    )
    sandbox.clock.seconds += 60
    assert sandbox.status(first)["numberComponentsDeployed"] < sandbox.status(first)["numberComponentsTotal"]
    assert sandbox.soap("cancelDeploy", f"<String>{first}</String>").findtext(".//{*}done") == "false"
    assert [sandbox.status(i)["status"] for i in (first, second)] == ["Canceling", "Pending"]
    sandbox.clock.seconds += 2
    assert [sandbox.status(i)["status"] for i in (first, second)] == ["Canceled", "InProgress"]
    sandbox.clock.seconds += 600
    assert sandbox.status(second)["status"] == "Succeeded"
    assert not sandbox.components.get("ApexClass", "A")


@cites("cancelDeploy")
def test_what_cannot_be_cancelled_is_told(sandbox: EmulatedOrg) -> None:
    """Cancelling a deploy that is over, or none, is the fault INVALID_ID_FIELD."""
    over = sandbox.submit({"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")})
    sandbox.clock.seconds += 60
    for ident, why in ((over, "Deployment already completed"), ("0Af000000000000", "Invalid deploy ID")):
        text = sandbox.soap("cancelDeploy", f"<String>{ident}</String>").findtext(".//faultstring")
        assert text == f"INVALID_ID_FIELD: {why}"


@cites("deploy options")
def test_a_deploy_over_rest_is_a_multipart_form(sandbox: EmulatedOrg) -> None:
    """Over REST a deploy is a multipart form: a JSON part with deployOptions, then the zip."""
    options = json.dumps({"deployOptions": {"rollbackOnError": True, "singlePackage": True, "testLevel": "NoTestRun"}})
    data = zipped(apex_package(apex("Hello")))
    body = (
        b'--b\r\nContent-Disposition: form-data; name="json"\r\nContent-Type: application/json\r\n\r\n'
        + options.encode()
        + b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="d.zip"\r\n'
        + b"Content-Type: application/zip\r\n\r\n"
        + data
        + b"\r\n--b--\r\n"
    )
    answer = sandbox.rest("POST", "", body, "multipart/form-data; boundary=b")
    created = json.loads(answer.body)
    assert answer.status == 201
    assert created["url"].endswith(f"/services/data/v64.0/metadata/deployRequest/{created['id']}")
    sandbox.clock.seconds += 60
    assert sandbox.status(created["id"])["status"] == "Succeeded"
    assert sandbox.rest("GET", "/0Af000000000000AAA").status == 404


@cites("purge in production", "deploy options")
def test_only_a_sandbox_takes_purge_on_delete(sandbox: EmulatedOrg, production: EmulatedOrg) -> None:
    """Production refuses purgeOnDelete; a sandbox takes it."""
    files = {"package.xml": manifest({}), "destructiveChanges.xml": manifest({"ApexClass": ["A"]})}
    sandbox.deploy({"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")})
    assert sandbox.deploy(files, purgeOnDelete=True)["status"] == "Succeeded"
    assert not sandbox.components.get("ApexClass", "A")
    with pytest.raises(AssertionError, match="purgeOnDelete option can only be used on a non-active org"):
        production.submit(files, purgeOnDelete=True)


@cites("deploy result")
def test_a_result_has_the_fields_of_the_documented_type(sandbox: EmulatedOrg) -> None:
    """A DeployResult has the documented fields; who cancelled it and what went wrong only when there is such a thing."""
    result = sandbox.deploy({"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")})
    always = (
        "checkOnly completedDate createdBy createdByName createdDate details done id ignoreWarnings lastModifiedDate "
        "numberComponentErrors numberComponentsDeployed numberComponentsTotal numberTestErrors numberTestsCompleted "
        "numberTestsTotal rollbackOnError runTestsEnabled startDate status success"
    )
    assert set(result) == set(always.split())
    assert set(result["details"]) == {"componentFailures", "componentSuccesses", "runTestResult"}
    failed = sandbox.deploy({"package.xml": "no xml"})
    assert (failed["success"], failed["done"], failed["status"]) == (False, True, "Failed")
