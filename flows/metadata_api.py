"""A client of the Metadata API: deploy, quick deploy and cancel over REST; retrieve and list over SOAP.

Metadata API Developer Guide, "Deploy with the Metadata REST API" and "File-Based Calls".
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import requests
from lxml import etree

from flows.components import ComponentKey
from flows.metadata_results import DeployResult, FileProperties, Retrieved, parse_deploy, unzip
from flows.package import manifest
from flows.plan import Tests
from flows.tokens import Session
from kit.problems import Problem, Refused
from kit.redaction import redact

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
REQUEST_SECONDS = 120
RETRIES = 4
LIST_QUERIES_PER_CALL = 3  # Metadata API Developer Guide, "listMetadata()": at most three queries a call

Progress = Callable[[DeployResult], None]


class Unreachable(Refused):
    """The org gave no answer. What it was asked to do may still be going on."""


class ApiRefused(Refused):
    """The org answered with an error. `code` is the org's error code."""

    def __init__(self, problem: Problem, code: str) -> None:
        super().__init__(problem)
        self.code = code


class TimedOut(Refused):
    """A deployment took longer than it may. `id` is the deploy request's id."""

    def __init__(self, problem: Problem, ident: str) -> None:
        super().__init__(problem)
        self.id = ident


class MetadataApi:
    """The Metadata API of one org. `renew` mints a new session when the org says that the old one has expired."""

    def __init__(
        self,
        session: Session,
        api_version: str,
        renew: Callable[[], Session] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = session
        self.api_version = api_version
        self._renew = renew
        self._sleep = sleep
        self._clock = clock
        self._http = requests.Session()

    def deploy(self, package: bytes, tests: Tests | None, *, check_only: bool) -> str:
        """Ask for a deployment of a zip (all or nothing) and return its id. Without `tests`, none run."""
        options: dict[str, object] = {
            "allowMissingFiles": False,
            "autoUpdatePackage": False,
            "checkOnly": check_only,
            "ignoreWarnings": True,
            "performRetrieve": False,
            "purgeOnDelete": False,
            "rollbackOnError": True,
            "singlePackage": True,
            "testLevel": tests.level.value if tests else "NoTestRun",
        }
        if tests and tests.classes:
            options["runTests"] = list(tests.classes)
        files = {
            "json": (None, json.dumps({"deployOptions": options}), "application/json"),
            "file": ("deploy.zip", package, "application/zip"),
        }
        return str(self._rest("POST", "", files=files)["id"])

    def quick_deploy(self, validation: str) -> str:
        """Ask for the deployment of what was validated, without running its tests again; return its id.

        Raises `ApiRefused` when the org takes that validation no more (it ran no tests, is older than ten days,
        or was deployed already).
        """
        return str(self._rest("POST", "", json={"validatedDeployRequestId": validation})["id"])

    def deployed_from(self, validation: str, timeout: float = 3600) -> str:
        """Return the id of the deployment that was asked for of what was validated, once it is done: what a run that
        died may have asked for without hearing the answer. "" when there is none, or it failed.

        The Tooling API lists deployments, and doesn't say which validation one comes from: it is the same user's, after
        the validation, of the same components. Raises `ApiRefused` when the user may not list them.
        """
        # ids and times come from the org itself, none from users
        about = f"SELECT CreatedById, CompletedDate FROM DeployRequest WHERE Id = '{validation}'"  # noqa: S608
        rows = self._query(about)
        if not rows or not rows[0]["CompletedDate"]:
            return ""
        later = self._query(
            "SELECT Id FROM DeployRequest WHERE CheckOnly = false "  # noqa: S608
            f"AND CreatedById = '{rows[0]['CreatedById']}' AND CreatedDate >= {rows[0]['CompletedDate']} "
            "ORDER BY CreatedDate DESC LIMIT 20"
        )
        wanted = self.status(validation).components if later else frozenset()
        for row in later:
            result = self.wait(str(row["Id"]), lambda _: None, timeout)
            if result.success and result.components == wanted:
                return result.id
        return ""

    def status(self, ident: str) -> DeployResult:
        """Return how a deployment stands."""
        answer = self._rest("GET", f"/{ident}?includeDetails=true")
        return parse_deploy({"id": ident, **answer["deployResult"]})

    def cancel(self, ident: str) -> None:
        """Ask that a deployment be cancelled."""
        self._rest("PATCH", f"/{ident}", json={"deployResult": {"status": "Canceling"}})

    def wait(self, ident: str, progress: Progress, timeout: float) -> DeployResult:
        """Wait until a deployment is done and return it, telling `progress` of every change.

        After `timeout` seconds it is cancelled and `TimedOut` raised.
        """
        start, seen = self._clock(), None
        for pause in _pauses():
            result = self.status(ident)
            if result != seen:
                progress(result)
            if result.done:
                return result
            if self._clock() - start > timeout:
                self.cancel(ident)
                raise TimedOut(
                    Problem(
                        f"{self.session.org}: deployment {ident} was not done after {timeout:.0f} seconds; "
                        f"it stood at {result.status} and was cancelled",
                        "a deployment ends within the time that the promote gives it",
                        "see Deployment Status in the org's setup; raise the option timeout",
                    ),
                    ident,
                )
            seen = result
            self._sleep(pause)
        raise AssertionError("pauses never end")

    def retrieve(self, keys: Iterable[ComponentKey], timeout: float = 600) -> Retrieved:
        """Return the files of the components that the org has of `keys`, waiting up to `timeout` seconds."""
        wanted = "".join(
            etree.tostring(child, encoding="unicode")
            for child in etree.fromstring(manifest(keys, self.api_version), _parser())
        )
        body = (
            f"<retrieveRequest><apiVersion>{self.api_version}</apiVersion><singlePackage>true</singlePackage>"
            f"<unpackaged>{wanted}</unpackaged></retrieveRequest>"
        )
        ident = _text(self._soap("retrieve", body), "id")
        start = self._clock()
        for pause in _pauses():
            check = f"<asyncProcessId>{ident}</asyncProcessId><includeZip>true</includeZip>"
            answer = self._soap("checkRetrieveStatus", check)
            if _text(answer, "done") == "true":
                return self._retrieved(answer)
            if self._clock() - start > timeout:
                raise Unreachable(
                    Problem(
                        f"{self.session.org}: retrieve {ident} was not done after {timeout:.0f} seconds",
                        "a retrieve ends within its time",
                        "try again",
                    )
                )
            self._sleep(pause)
        raise AssertionError("pauses never end")

    def records(self, soql: str) -> list[dict[str, Any]]:
        """Return the records of a SOQL query that fit into its first page. Raises `ApiRefused` when the org doesn't
        have what it asks for, or doesn't show it to this user."""
        found: list[dict[str, Any]] = self._answer("GET", "query", params={"q": soql})["records"]
        return found

    def call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Return the JSON object that a REST resource below the API version ("sobjects/Account") answers with. Raises
        `ApiRefused`."""
        return self._answer(method, path, **request)

    def list_metadata(self, types: Sequence[str]) -> list[FileProperties]:
        """Return every component that the org lists of `types`, sorted by type and name."""
        found = []
        for start in range(0, len(types), LIST_QUERIES_PER_CALL):
            some = types[start : start + LIST_QUERIES_PER_CALL]
            queries = "".join(f"<queries><type>{escape(kind)}</type></queries>" for kind in some)
            answer = self._soap("listMetadata", f"{queries}<asOfVersion>{self.api_version}</asOfVersion>")
            found += [_properties(element) for element in answer.findall("result")]
        return sorted(found, key=lambda each: (each.type, each.full_name))

    def highest_version(self) -> str | None:
        """Return the highest API version that the org answers, such as "67.0"; None when it doesn't say."""
        answer = self._send("GET", "/services/data", repeatable=True)
        try:
            return max((str(each["version"]) for each in answer.json()), key=float, default=None)
        except (ValueError, KeyError, TypeError):
            return None

    def known_types(self) -> frozenset[str]:
        """Return the types that the org knows in the API version of this client, without those of children."""
        answer = self._soap("describeMetadata", f"<asOfVersion>{self.api_version}</asOfVersion>")
        return frozenset(_text(each, "xmlName") for each in answer.findall("metadataObjects"))

    def _retrieved(self, answer: etree._Element) -> Retrieved:
        result = answer.find("result")
        node = answer if result is None else result
        if _text(node, "success") == "false" or _text(node, "status") == "Failed":
            raise Refused(
                Problem(
                    f"{self.session.org}: the retrieve failed: {_text(node, 'errorMessage')}",
                    "the org retrieves what it lists",
                    "try again; if it fails again, retrieve less at a time",
                )
            )
        zipped = _text(node, "zipFile")
        messages = tuple(_text(each, "problem") for each in node.findall("messages"))
        return Retrieved(unzip(base64.b64decode(zipped)) if zipped else {}, messages)

    def _query(self, soql: str) -> list[dict[str, Any]]:
        """Return the records of a query of the Tooling API that fit into its first page."""
        records: list[dict[str, Any]] = self._answer("GET", "tooling/query", params={"q": soql})["records"]
        return records

    def _rest(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return self._answer(method, f"metadata/deployRequest{path}", **request)

    def _answer(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Return the JSON object that a REST resource answers with."""
        url = f"/services/data/v{self.api_version}/{path}"
        answer = self._send(method, url, repeatable=method == "GET", **request)
        try:
            data = answer.json() if answer.content else {}
        except requests.JSONDecodeError:
            data = {}
        if answer.status_code >= requests.codes.server_error:
            raise self._unreachable(f"HTTP {answer.status_code} {answer.reason}")
        if not answer.ok or not isinstance(data, dict):
            errors = data if isinstance(data, list) and data else [{}]
            code = str(errors[0].get("errorCode", f"HTTP {answer.status_code}"))
            words = "; ".join(str(each.get("message", answer.reason)) for each in errors)
            raise ApiRefused(self._problem(code, words), code)
        return data

    def _soap(self, action: str, body: str) -> etree._Element:
        """Return the response element of a call, its children without namespace."""
        answer = self._send(
            "POST",
            f"/services/Soap/m/{self.api_version}/{self.session.org_id}",
            repeatable=True,  # every SOAP call that this client makes reads only
            soap=(action, body),
        )
        try:
            root = etree.fromstring(answer.content, _parser())
        except etree.XMLSyntaxError as error:
            code = f"HTTP {answer.status_code}"
            raise ApiRefused(self._problem(code, f"no XML came back for {action}"), code) from error
        for element in root.iter(etree.Element):
            element.tag = etree.QName(element).localname
        fault = root.find(".//Fault")
        if fault is not None:
            code = _text(fault, "faultcode").removeprefix("sf:")
            words = _text(fault, "faultstring").removeprefix(f"{code}: ")  # Salesforce says the code there too
            raise ApiRefused(self._problem(code, words), code)
        response = root.find(f"Body/{action}Response")
        if response is None:
            raise ApiRefused(self._problem("no answer", f"{action} was answered with something else"), "")
        # Most calls wrap what they return in one <result>; listMetadata repeats it.
        results = response.findall("result")
        return results[0] if len(results) == 1 and action != "listMetadata" else response

    def _send(
        self, method: str, path: str, *, repeatable: bool, soap: tuple[str, str] | None = None, **request: Any
    ) -> requests.Response:
        renewed = False
        for attempt in range(RETRIES + 1):
            extra = {**request, **(_envelope(soap, self.session.token) if soap else {})}
            headers = {"Authorization": f"Bearer {self.session.token}", **extra.pop("headers", {})}
            url, limit = self.session.url + path, REQUEST_SECONDS
            try:
                answer = self._http.request(method, url, headers=headers, timeout=limit, allow_redirects=False, **extra)
            except requests.RequestException as error:
                if not repeatable or attempt == RETRIES:
                    raise self._unreachable(error) from error
            else:
                if _expired(answer) and self._renew and not renewed:
                    self.session, renewed = self._renew(), True
                    continue
                busy = answer.status_code in {429, 502, 503, 504}
                if not busy or attempt == RETRIES or (not repeatable and answer.status_code != 429):
                    return answer
            self._sleep(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _unreachable(self, error: object) -> Unreachable:
        return Unreachable(
            Problem(
                f"{self.session.org}: {self.session.host} gave no answer: {redact(str(error))}",
                "the org answers",
                "run the same command again: a promote that was under way goes on where it stood",
            )
        )

    def _problem(self, code: str, words: str) -> Problem:
        return Problem(
            f"{self.session.org}: {redact(code)}: {redact(words)}",
            "the org's Metadata API takes the request",
            "give the runner's user the permissions API Enabled and Modify Metadata; see that the API version "
            f"{self.api_version} is one that the org has",
        )


def _expired(answer: requests.Response) -> bool:
    return answer.status_code == requests.codes.unauthorized or b"INVALID_SESSION_ID" in answer.content[:2000]


def _pauses() -> Iterator[float]:
    """Yield seconds between two looks: short at first, since most deployments of a delta are. Half a second after the
    start it is looked twice a second, after half a minute every five."""
    pause = 0.05
    while True:
        yield pause
        pause = min(pause * 1.5, 5.0)


def _envelope(soap: tuple[str, str], token: str) -> Mapping[str, Any]:
    action, body = soap
    envelope = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<env:Header><SessionHeader xmlns="{NAMESPACE}"><sessionId>{escape(token)}</sessionId></SessionHeader>'
        f'</env:Header><env:Body><{action} xmlns="{NAMESPACE}">{body}</{action}></env:Body></env:Envelope>'
    )
    return {
        "data": envelope.encode(),
        "headers": {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": action},
    }


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


def _text(element: etree._Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _properties(element: etree._Element) -> FileProperties:
    return FileProperties(
        type=_text(element, "type"),
        full_name=_text(element, "fullName"),
        file=_text(element, "fileName"),
        changed_by=_text(element, "lastModifiedByName"),
        changed_at=_text(element, "lastModifiedDate"),
        namespace=_text(element, "namespacePrefix"),
    )
