from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable

import pytest
import requests
from requests.adapters import BaseAdapter

from flows.components import ComponentKey
from flows.metadata_api import ApiRefused, MetadataApi, TimedOut, Unreachable
from flows.metadata_results import DeployResult, Retrieved
from flows.plan import TestLevel, Tests
from flows.tokens import Session

SESSION = Session("china-uat", "acme-cn.my.sfcrmproducts.cn", "runner@example.com", "https://x/id/00D1/0051", "t0")
TESTS = Tests(TestLevel.SPECIFIED, ("ATest",))


def sent(request: requests.PreparedRequest) -> str:
    body = request.body or ""
    return body if isinstance(body, str) else body.decode()


Handler = Callable[[requests.PreparedRequest], tuple[int, bytes] | Exception]


class Org(BaseAdapter):
    """Answers each request with the next of its handlers; the last one answers all that follow."""

    def __init__(self, *handlers: Handler) -> None:
        super().__init__()
        self.handlers = list(handlers)
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *args: object, **options: object) -> requests.Response:
        self.requests.append(request)
        handler = self.handlers.pop(0) if len(self.handlers) > 1 else self.handlers[0]
        answer = handler(request)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, response._content = answer
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        """Nothing to close."""


def says(data: object, status: int = 200) -> Handler:
    return lambda _request: (status, data if isinstance(data, bytes) else json.dumps(data).encode())


def api(org: Org, renew: Callable[[], Session] | None = None, clock: Callable[[], float] = lambda: 0.0) -> MetadataApi:
    client = MetadataApi(SESSION, "62.0", renew, sleep=lambda _seconds: None, clock=clock)
    client._http.mount("https://", org)
    return client


def running(status: str = "InProgress", **more: object) -> Handler:
    return says({"id": "0Af1", "deployResult": {"status": status, "done": status != "InProgress", **more}})


def soap(action: str, inner: str) -> Handler:
    return says(
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns="http://soap.sforce.com/2006/04/metadata"><soapenv:Body>'
        f"<{action}Response>{inner}</{action}Response></soapenv:Body></soapenv:Envelope>".encode()
    )


def ignore(_result: DeployResult) -> None:
    """Nobody is told."""


def test_a_deployment_is_all_or_nothing_with_the_plan_s_tests() -> None:
    org = Org(says({"id": "0Af1"}, 201))
    assert api(org).deploy(b"zip bytes", TESTS, check_only=True) == "0Af1"
    (request,) = org.requests
    body = request.body or b""
    assert isinstance(body, bytes)
    options = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])["deployOptions"]
    assert options["rollbackOnError"] is True
    assert options["checkOnly"] is True
    assert options["singlePackage"] is True
    assert (options["testLevel"], options["runTests"]) == ("RunSpecifiedTests", ["ATest"])
    assert b"zip bytes" in body
    assert request.url == "https://acme-cn.my.sfcrmproducts.cn/services/data/v62.0/metadata/deployRequest"
    assert request.headers["Authorization"] == "Bearer t0"


def test_a_deployment_asked_for_is_not_asked_for_again_when_the_answer_is_lost() -> None:
    org = Org(lambda _request: requests.ConnectionError("reset"))
    with pytest.raises(Unreachable):
        api(org).deploy(b"", TESTS, check_only=False)
    assert len(org.requests) == 1


def test_looking_is_repeated_until_the_org_answers() -> None:
    org = Org(lambda _request: requests.ConnectionError("reset"), says([], 503), running("Succeeded"))
    assert api(org).status("0Af1").success


def test_a_server_error_means_that_nothing_is_known() -> None:
    with pytest.raises(Unreachable):
        api(Org(says(b"oops", 500))).deploy(b"", TESTS, check_only=True)


def test_an_expired_session_is_renewed_once() -> None:
    org = Org(says([{"errorCode": "INVALID_SESSION_ID", "message": "expired"}], 401), running("Succeeded"))
    fresh = Session("china-uat", SESSION.host, SESSION.username, SESSION.identity, "t1")
    assert api(org, lambda: fresh).status("0Af1").success
    assert [request.headers["Authorization"] for request in org.requests] == ["Bearer t0", "Bearer t1"]


def test_a_refusal_carries_the_org_s_code_and_words() -> None:
    org = Org(says([{"errorCode": "INVALID_ID_FIELD", "message": "no recent validation"}], 400))
    with pytest.raises(ApiRefused, match="INVALID_ID_FIELD: no recent validation") as refused:
        api(org).quick_deploy("0Af1")
    assert refused.value.code == "INVALID_ID_FIELD"


def test_waiting_tells_every_change_once() -> None:
    org = Org(running(), running(), running(numberComponentsDeployed=3), running("Succeeded"))
    seen: list[DeployResult] = []
    assert api(org).wait("0Af1", seen.append, 60).success
    assert [(result.status, result.components_deployed) for result in seen] == [
        ("InProgress", 0),
        ("InProgress", 3),
        ("Succeeded", 0),
    ]


def test_a_deployment_that_takes_too_long_is_cancelled() -> None:
    org = Org(running(), running(), says({"deployResult": {"status": "Canceling"}}, 202))
    times = iter([0.0, 30.0, 90.0])
    with pytest.raises(TimedOut, match="after 60 seconds"):
        api(org, clock=lambda: next(times)).wait("0Af1", ignore, 60)
    assert org.requests[-1].method == "PATCH"
    assert json.loads(org.requests[-1].body or b"") == {"deployResult": {"status": "Canceling"}}


def test_failures_are_parsed_with_file_line_and_tests() -> None:
    failure = {
        "componentType": "CustomField",
        "fullName": "Case.X__c",
        "problem": "bad",
        "fileName": "objects/Case.object",
        "lineNumber": 7,
        "columnNumber": "3",
    }
    test = {"name": "ATest", "methodName": "works", "message": "Assert", "time": 12.0,
            "stackTrace": "Class.ATest.works: line 9, column 1"}  # fmt: skip
    result = api(
        Org(
            running(
                "Failed",
                numberComponentErrors=1,
                numberTestErrors=1,
                details={
                    "componentFailures": failure,
                    "runTestResult": {"numTestsRun": 1, "totalTime": "12.0", "failures": [test]},
                },
            )
        )
    ).status("0Af1")
    assert (result.failures[0].file, result.failures[0].line) == ("objects/Case.object", 7)
    assert (result.tests.failures[0].line, result.tests.seconds) == (9, 0.012)
    assert not result.success


def test_a_retrieve_names_what_it_wants_and_gives_its_files() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("unpackaged/classes/A.cls", "class A {}")
    data = base64.b64encode(packed.getvalue()).decode()
    org = Org(
        soap("retrieve", "<result><done>false</done><id>09S1</id></result>"),
        soap("checkRetrieveStatus", "<result><done>false</done></result>"),
        soap(
            "checkRetrieveStatus",
            "<result><done>true</done><status>Succeeded</status><success>true</success>"
            f"<messages><problem>B is not there</problem></messages><zipFile>{data}</zipFile></result>",
        ),
    )
    retrieved = api(org).retrieve([ComponentKey("ApexClass", "A"), ComponentKey("ReportFolder", "Sales")])
    assert retrieved.files == {"classes/A.cls": b"class A {}"}
    assert retrieved.messages == ("B is not there",)
    body = org.requests[0].body
    assert isinstance(body, bytes)
    assert b"<name>ApexClass</name>" in body
    assert b"<name>ReportFolder</name>" not in body
    assert org.requests[0].url == "https://acme-cn.my.sfcrmproducts.cn/services/Soap/m/62.0/00D1"


def test_at_most_three_types_are_listed_in_a_call() -> None:
    org = Org(
        soap("listMetadata", "<result><type>ApexClass</type><fullName>B</fullName></result>"
             "<result><type>ApexClass</type><fullName>A</fullName></result>"),
        soap("listMetadata", ""),
    )  # fmt: skip
    listed = api(org).list_metadata(["ApexClass", "Layout", "Flow", "Profile"])
    assert [each.full_name for each in listed] == ["A", "B"]
    assert [sent(request).count("<queries>") for request in org.requests] == [3, 1]


def test_an_org_is_asked_which_types_it_knows_in_the_version_that_is_spoken() -> None:
    listed = "<metadataObjects><childXmlNames>CustomField</childXmlNames><xmlName>%s</xmlName></metadataObjects>"
    org = Org(soap("describeMetadata", f"<result>{listed % 'CustomObject'}{listed % 'Report'}</result>"))
    assert api(org).known_types() == {"CustomObject", "Report"}
    assert "<asOfVersion>62.0</asOfVersion>" in sent(org.requests[0])


def test_a_soap_fault_is_a_refusal_with_its_code() -> None:
    fault = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
        b"<faultcode>sf:INVALID_TYPE</faultcode><faultstring>%b</faultstring></e:Fault></e:Body></e:Envelope>"
    )
    for words in (b"no such type", b"INVALID_TYPE: no such type"):
        with pytest.raises(ApiRefused) as refused:
            api(Org(says(fault % words, 500))).list_metadata(["Nonsense"])
        assert str(refused.value).count("INVALID_TYPE") == 1
        assert "INVALID_TYPE: no such type" in str(refused.value)


def test_what_was_asked_for_by_name_and_is_not_there_is_told_apart() -> None:
    here, gone, strange = (ComponentKey.parse(each) for each in ("ApexClass:A", "CustomField:Account.B__c", "Nope:A"))
    said = ("Entity of type 'CustomField' named 'Account.B__c' cannot be found", "Entity type: 'Nope' is unknown")
    assert Retrieved({}, said).lacks([here, gone, strange]) == [gone, strange]


@pytest.mark.parametrize(
    ("answer", "highest"),
    [([{"version": "9.0"}, {"version": "67.0"}], "67.0"), ([], None), ({"error": "no"}, None), (b"<html>", None)],
)
def test_the_highest_version_is_what_the_org_answers_counted_as_numbers(answer: object, highest: str | None) -> None:
    assert api(Org(says(answer))).highest_version() == highest
