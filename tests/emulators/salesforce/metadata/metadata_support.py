"""An emulated org without a socket: packages in, answers out, and a clock that the test holds."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from emulators.http import Request, Response
from emulators.salesforce.metadata.api import MetadataApi
from emulators.salesforce.metadata.components import OrgComponents
from emulators.salesforce.orgs import OrgRecord, Orgs, Session
from emulators.service import World
from emulators.store import Store

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


def xml(root: str, inner: str) -> str:
    """Return a metadata file."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">\n{inner}\n</{root}>\n'


def manifest(types: Mapping[str, list[str]], version: str = "64.0") -> str:
    """Return a package.xml."""
    rows = "".join(
        "<types>" + "".join(f"<members>{name}</members>" for name in names) + f"<name>{kind}</name></types>\n"
        for kind, names in types.items()
    )
    return xml("Package", f"{rows}<version>{version}</version>")


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


CUSTOM_OBJECT = (
    "<deploymentStatus>Deployed</deploymentStatus><label>Store</label>"
    "<nameField><label>Name</label><type>Text</type></nameField>"
    "<pluralLabel>Stores</pluralLabel><sharingModel>ReadWrite</sharingModel>"
)


def text_field(name: str, extra: str = "") -> str:
    """Return a text field of an object's file."""
    return (
        f"<fields>\n<fullName>{name}</fullName>\n<label>{name[:-3]}</label>\n<length>80</length>\n"
        f"<type>Text</type>{extra}\n</fields>\n"
    )


APEX_META = xml("ApexClass", "<apiVersion>64.0</apiVersion><status>Active</status>")


def apex(name: str, body: str = "") -> dict[str, str]:
    """Return an Apex class and its metadata."""
    return {
        f"classes/{name}.cls": body or f"public class {name} {{ Integer a = 1; }}",
        f"classes/{name}.cls-meta.xml": APEX_META,
    }


def apex_tests(name: str = "HelloTest", *methods: str) -> dict[str, str]:
    """Return an Apex test class with empty test methods."""
    inner = " ".join(f"@isTest static void {method}() {{ }}" for method in methods or ("works",))
    return apex(name, f"@isTest private class {name} {{ {inner} }}")


def store(*fields: str, extra: str = "") -> dict[str, str]:
    """Return the custom object Store__c with text fields; `extra` is put into its file."""
    return {"objects/Store__c.object": xml("CustomObject", CUSTOM_OBJECT + "".join(map(text_field, fields)) + extra)}


def one(kind: str, name: str, path: str, inner: str, root: str = "") -> dict[str, str]:
    """Return a package of one component."""
    return {"package.xml": manifest({kind: [name]}), path: xml(root or kind, inner)}


def layout(field: str) -> str:
    """Return a layout with one field."""
    items = f"<layoutItems>\n<behavior>Edit</behavior>\n<field>{field}</field>\n</layoutItems>"
    return xml("Layout", f"<layoutSections><layoutColumns>{items}</layoutColumns></layoutSections>")


def apex_package(*parts: dict[str, str]) -> dict[str, str]:
    """Return a package of the Apex classes in `parts`."""
    files = {path: data for part in parts for path, data in part.items()}
    names = [path[len("classes/") : -len(".cls")] for path in files if path.endswith(".cls")]
    return {"package.xml": manifest({"ApexClass": names}), **files}


FLOW = "<label>F</label><processType>AutoLaunchedFlow</processType><recordLookups><name>Get</name>{}</recordLookups>"


@dataclass
class Clock:
    """A clock that stands still until told."""

    seconds: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class EmulatedOrg:
    """One org, and the calls that tests make of it."""

    kind: str = "sandbox"
    declared: Mapping[str, Any] = field(default_factory=dict)
    store: Store = field(default_factory=lambda: Store(":memory:"))
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.world = World(self.store, self.clock)
        host = f"acme-{self.kind}.my.sfcrmproducts.cn"
        entry = {
            "name": f"china-{self.kind}",
            "edition": "alibaba",
            "kind": self.kind,
            "my_domain_host": host,
            "login_host": "test.sfcrmproducts.cn",
            "audience": "https://test.sfcrmproducts.cn",
            "instance": "CHN3S",
            "language": "zh_CN",
            "api_versions": {"floor": 31, "ceiling": 67},
            "users": [{"username": "runner@acme.example", "profile": "System Administrator"}],
            "connected_apps": [],
            **self.declared,
        }
        self.record: OrgRecord = Orgs(self.world).seed({"orgs": [entry]})[0]
        user = self.record.users[0]
        self.session = Session(user.id, user.username, self.record.id, self.clock() + 1e9)
        self.api = MetadataApi(self.world)

    @property
    def components(self) -> OrgComponents:
        """What the org holds."""
        return OrgComponents(self.store, self.record.id)

    def soap(
        self, operation: str, inner: str, version: str = "64.0", session: bool = True, headers: str = ""
    ) -> etree._Element:
        """Call an operation and return the body of the answer."""
        response = self.send(operation, inner, version, session, headers)
        return etree.fromstring(response.body, etree.XMLParser(huge_tree=True))[-1]

    def send(
        self, operation: str, inner: str, version: str = "64.0", session: bool = True, headers: str = ""
    ) -> Response:
        """Call an operation as CumulusCI does: a bare SOAPAction, the call in the default namespace."""
        head = f"<soap:Header>{headers}</soap:Header>" if headers else ""
        body = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">{head}<soap:Body>'
            f'<{operation} xmlns="{NAMESPACE}">{inner}</{operation}></soap:Body></soap:Envelope>'
        )
        sent = {"content-type": "text/xml; charset=UTF-8", "soapaction": operation}
        path = f"/services/Soap/m/{version}/{self.record.id}"
        request = Request("POST", self.record.my_domain_host, path, sent, body.encode())
        with self.store.transaction():
            return self.api.soap(self.record, request, self.session if session else None)

    def rest(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Response:
        """Call `/services/data/v64.0/metadata/deployRequest` + path."""
        target = f"/services/data/v64.0/metadata/deployRequest{path}"
        request = Request(method, self.record.my_domain_host, target, {"content-type": kind}, body)
        with self.store.transaction():
            return self.api.rest(self.record, request, self.session)

    def submit(self, files: Mapping[str, str | bytes], version: str = "64.0", **options: object) -> str:
        """Submit a deploy over SOAP and return its id."""
        chosen = {"rollbackOnError": True, "singlePackage": True, "ignoreWarnings": True, **options}
        tags = ""
        for name, value in chosen.items():
            for each in value if isinstance(value, list) else [value]:
                text = str(each).lower() if isinstance(each, bool) else str(each)
                tags += f"<{name}>{text}</{name}>"
        data = base64.b64encode(zipped(files)).decode()
        body = self.soap("deploy", f"<ZipFile>{data}</ZipFile><DeployOptions>{tags}</DeployOptions>", version)
        ident = body.findtext(".//{*}id")
        assert ident, etree.tostring(body).decode()
        return ident

    def status(self, ident: str) -> dict[str, Any]:
        """Return a deploy's result over REST, with details."""
        response = self.rest("GET", f"/{ident}?includeDetails=true")
        assert response.status == 200, response.body
        result: dict[str, Any] = Request("GET", "", "", {}, response.body).json["deployResult"]
        return result

    def deploy(self, files: Mapping[str, str | bytes], **options: Any) -> dict[str, Any]:
        """Deploy, let the time go by, and return the result."""
        ident = self.submit(files, **options)
        self.clock.seconds += 600
        return self.status(ident)

    def problems(self, files: Mapping[str, str | bytes], **options: Any) -> list[str]:
        """Return `file:line type name: problem` of each failure of a deploy."""
        return [
            f"{m['fileName']}:{m.get('lineNumber', 0)} {m['componentType']} {m['fullName']}: {m['problem']}"
            for m in self.deploy(files, **options)["details"]["componentFailures"]
        ]

    def retrieve(self, types: Mapping[str, list[str]], version: str = "64.0") -> dict[str, bytes]:
        """Retrieve and return the files, without the `unpackaged/` before their paths."""
        rows = manifest(types, version).partition(">\n")[2].partition(">\n")[2].replace("</Package>", "")
        body = self.soap(
            "retrieve",
            f"<retrieveRequest><apiVersion>64.0</apiVersion><unpackaged>{rows}</unpackaged></retrieveRequest>",
        )
        ident = body.findtext(".//{*}id")
        self.clock.seconds += 5
        answer = self.soap("checkRetrieveStatus", f"<asyncProcessId>{ident}</asyncProcessId>")
        data = base64.b64decode(answer.findtext(".//{*}zipFile") or "")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name.removeprefix("unpackaged/"): archive.read(name) for name in archive.namelist()}

    def snapshot(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return everything that the org holds, by digest."""
        return {(each.key[0], each.key[1]): dict(each.files) for each in self.components}


def with_store(org: EmulatedOrg, *fields: str, extra: str = "") -> None:
    """Deploy the custom object Store__c."""
    files = {"package.xml": manifest({"CustomObject": ["Store__c"]}), **store(*fields, extra=extra)}
    assert org.deploy(files)["status"] == "Succeeded"
