"""What the emulated orgs leave out on purpose: asked for, each is an error that names it, and says what to do."""

from __future__ import annotations

import json

import pytest
from lxml import etree

from emulators.http import Request
from emulators.salesforce.refusals import Refusal, refusals
from tests.emulated_org import PAGE, citations, documents, engine, page
from tests.emulators.salesforce.salesforce_world import Caller

METADATA = "http://soap.sforce.com/2006/04/metadata"


def ask(caller: Caller, refusal: Refusal) -> tuple[int, str]:
    """Ask an emulated org for something that it leaves out; return HTTP status and answer."""
    if refusal.kind in ("path", "tooling"):
        name = (
            refusal.name.replace("vXX.0", "v64.0").replace("{object}", "Account").replace("{id}", "005000000000001AAA")
        )
        query = "?anonymousBody=System.debug(1);"
        path = name if name.startswith("/") else f"/services/data/v64.0/tooling/{name}{query}"
        response = caller("POST" if "Soap" in path else "GET", path)
        return response.status, response.body.decode()
    if refusal.kind == "bulk":
        jobs = "/services/data/v64.0/jobs"
        if refusal.name == "resultPages":
            response = caller("GET", f"{jobs}/query/7505g000000000001AAA/{refusal.name}")
        else:
            caller.headers["content-type"] = refusal.name
            response = caller("POST", f"{jobs}/ingest", {"object": "Account", "operation": "insert", refusal.name: "x"})
        return response.status, response.body.decode()
    operation = refusal.name if refusal.kind == "operation" else "describeMetadata"
    inner = f"<{refusal.name}>x</{refusal.name}>"
    header = f"<{refusal.name}><allOrNone>true</allOrNone></{refusal.name}>" if refusal.kind == "header" else ""
    body = f"<{operation} xmlns='{METADATA}'/>"
    if refusal.kind == "parameter":
        body = f"<retrieve xmlns='{METADATA}'><retrieveRequest>{inner}</retrieveRequest></retrieve>"
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    envelope = f"<e:Envelope xmlns:e='{soap}'><e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    headers = {"authorization": f"Bearer {caller.token}", "content-type": "text/xml"}
    request = Request("POST", caller.host, "/services/Soap/m/64.0", headers, envelope.encode())
    response = caller.salesforce.handle(request)
    return response.status, response.body.decode()


@pytest.mark.parametrize(
    "refusal", [each for each in refusals() if each.kind not in ("tooling", "streaming")], ids=lambda each: each.name
)
def test_what_is_left_out_is_refused_by_name_with_the_reason(caller: Caller, refusal: Refusal) -> None:
    status, text = ask(caller, refusal)
    assert status >= 400
    assert refusal.name in text
    assert refusal.why in text.replace("&amp;", "&")


def test_apex_that_is_not_executed_is_answered_as_apex_that_does_not_compile(caller: Caller) -> None:
    """`executeAnonymous` has no other way to say no: clients look at `compiled`."""
    (refusal,) = [each for each in refusals() if each.kind == "tooling"]
    status, text = ask(caller, refusal)
    answer = json.loads(text)
    assert (status, answer["compiled"], answer["success"]) == (200, False, False)
    assert "does not execute Apex" in answer["compileProblem"]


@pytest.mark.parametrize("host", ["", "login.salesforce.com", "test.sfcrmproducts.cn"])
def test_a_soap_client_is_refused_by_a_fault_that_it_can_read(host: str, caller: Caller) -> None:
    """simple-salesforce and jsforce sign in by password like this; they show what the fault says, and no JSON."""
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    login = "<n1:login xmlns:n1='urn:partner.soap.sforce.com'><n1:username>u</n1:username></n1:login>"
    envelope = f"<env:Envelope xmlns:env='{soap}'><env:Body>{login}</env:Body></env:Envelope>"
    request = Request("POST", host or caller.host, "/services/Soap/u/64.0", {}, envelope.encode())
    response = caller.salesforce.handle(request)
    fault = etree.fromstring(response.body).find(f"{{{soap}}}Body/{{{soap}}}Fault")
    assert response.status == 500
    assert fault is not None
    assert fault.findtext("faultcode") == "sf:INVALID_OPERATION"
    said = fault.findtext(".//{urn:fault.partner.soap.sforce.com}exceptionMessage")
    assert said is not None
    assert said.startswith("The emulated org deliberately has no /services/Soap/u: ")
    assert said.endswith("(it was asked for login)")


def test_a_client_of_the_streaming_api_is_told_not_to_try_again(caller: Caller) -> None:
    """The client of CometD that gets an HTTP error tries again for ever; one whose handshake is denied says so."""
    (refusal,) = [each for each in refusals() if each.kind == "streaming"]
    response = caller("POST", f"{refusal.name}/64.0/handshake", [{"channel": "/meta/handshake"}])
    (answer,) = json.loads(response.body)
    assert (response.status, answer["successful"], answer["advice"]) == (200, False, {"reconnect": "none"})
    assert refusal.why in answer["error"]


@pytest.mark.parametrize(
    "target", ["/services/data/v64.0/licensing", "/services/nonsense", "/services/data/v64.0/tooling/x"]
)
def test_what_nobody_thought_of_is_refused_by_name_too(target: str, caller: Caller) -> None:
    status, code, message = caller.refused("GET", target)
    assert (status, code) == (404, "NOT_FOUND")
    assert message == f"The requested resource does not exist: the emulated org has no GET {target}"


def test_a_header_that_is_off_is_no_reason_to_refuse(caller: Caller) -> None:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    off = "<AllOrNoneHeader><allOrNone>false</allOrNone></AllOrNoneHeader>"
    body = f"<describeMetadata xmlns='{METADATA}'/>"
    envelope = f"<e:Envelope xmlns:e='{soap}'><e:Header>{off}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    headers = {"authorization": f"Bearer {caller.token}", "content-type": "text/xml"}
    request = Request("POST", caller.host, "/services/Soap/m/64.0", headers, envelope.encode())
    assert caller.salesforce.handle(request).status == 200


def test_the_page_is_what_the_tests_cite_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(citations()), "write it anew: python -m tests.emulated_org"


@pytest.mark.parametrize("topic", engine())
def test_what_the_release_engine_relies_on_is_tested_and_cited(topic: str) -> None:
    cited = {each.test: each.documents for each in citations()}
    tests = engine()[topic]
    assert not [name for name in tests if name not in cited]
    assert {document for name in tests for document in cited[name]} - {"knowledge"}


def test_every_document_of_the_table_is_cited() -> None:
    assert {name for each in citations() for name in each.documents} == set(documents())
