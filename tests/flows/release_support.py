"""Bundles out of thin air, and an org in memory that takes deployments: for tests of plan, ledger and promote."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st
from lxml import etree

from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey, Fragment, MdapiFile
from flows.metadata_api import ApiRefused
from flows.metadata_results import ComponentFailure, DeployResult, Retrieved, TestResult, unzip
from flows.package import DESTRUCTIVE_POST, lay_out
from flows.plan import Tests
from flows.xmltext import NAMESPACE
from kit.problems import Place, Problem


def apex(name: str, body: str = "{}", test: bool = False) -> Component:
    """Return an Apex class."""
    if test:
        body = "{ @IsTest static void works() {} }"
    data = f"{'@IsTest ' if test else ''}public class {name} {body}".encode()
    digest = hashlib.sha256(data).hexdigest()
    file = MdapiFile(f"classes/{name}.cls", data)
    return Component(ComponentKey("ApexClass", name), digest, "core", Place(f"{name}.cls", 1), files=(file,))


def custom_field(container: str, name: str, label: str) -> Component:
    """Return a custom field of an object."""
    xml = f"<fields><fullName>{name}</fullName><label>{label}</label></fields>".encode()
    return Component(
        ComponentKey("CustomField", f"{container}.{name}"),
        hashlib.sha256(xml).hexdigest(),
        "core",
        Place(f"{name}.field-meta.xml", 2),
        parent=ComponentKey("CustomObject", container),
        fragment=Fragment(f"objects/{container}.object", "CustomObject", "fields", xml),
    )


def bundle_of(*components: Component) -> Bundle:
    """Return the bundle of the components, for API version 62.0."""
    return build_bundle(components, "62.0")


names = st.sampled_from([f"C{number}" for number in range(8)])
components = st.one_of(
    st.builds(apex, names, st.sampled_from(["{}", "{ }", "{ int a; }"]), st.booleans()),
    st.builds(
        custom_field, st.sampled_from(["Account", "Case"]), names.map("{}__c".format), st.sampled_from(["A", "B"])
    ),
)
bundles = st.lists(components, max_size=12, unique_by=lambda each: each.key).map(lambda many: bundle_of(*many))


def state_of(bundle: Bundle) -> dict[ComponentKey, str]:
    """Return what an org holds that received the bundle."""
    return {key: component.digest for key, component in bundle.components.items()}


def _result(ident: str, status: str, failures: tuple[ComponentFailure, ...] = (), tests: int = 1) -> DeployResult:
    return DeployResult(
        id=ident,
        status=status,
        done=True,
        success=status == "Succeeded",
        check_only=False,
        components_total=1,
        components_deployed=1 - len(failures),
        components_failed=len(failures),
        tests_total=tests,
        tests_completed=tests,
        tests_failed=0,
        state="",
        error="",
        failures=failures,
        tests=TestResult(run=tests),
    )


@dataclass
class OrgInMemory:
    """Takes what `MetadataApi` asks for, and holds classes (`files`) and `fields` of objects.

    `fail` refuses the next validation; `before` is called before each call; `untested` were deployed quickly.
    `unlisted` is the error that the list of deployments is refused with.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    fields: dict[tuple[str, str], bytes] = field(default_factory=dict)
    deploys: list[str] = field(default_factory=list)
    fail: tuple[ComponentFailure, ...] = ()
    quick: bool = True
    lose: str = ""
    before: Callable[[str], None] = lambda _call: None
    requests: dict[str, tuple[bytes, bool]] = field(default_factory=dict)
    untested: set[str] = field(default_factory=set)
    unlisted: str = ""

    def deploy(self, package: bytes, tests: Tests | None, *, check_only: bool) -> str:
        self.before("validate" if check_only else "deploy")
        assert tests is not None, "a validation without tests can't be deployed quickly"
        return self._add(package, check_only)

    def quick_deploy(self, validation: str) -> str:
        self.before("quick")
        if not self.quick:
            raise ApiRefused(Problem("no", "no", "no"), "INVALID_ID_FIELD")
        ident = self._add(self.requests[validation][0], False)
        self.untested.add(ident)  # a quick deploy runs no tests
        self.before("quick answered")
        return ident

    def status(self, ident: str) -> DeployResult:
        return _result(ident, "Succeeded")

    def deployed_from(self, validation: str) -> str:
        if self.unlisted:
            raise ApiRefused(Problem(f"{self.unlisted}: no", "no", "no"), self.unlisted)
        asked = list(self.requests)
        later = asked[asked.index(validation) + 1 :]
        same = [ident for ident in later if self.requests[ident] == (self.requests[validation][0], False)]
        return same[-1] if same else ""

    def cancel(self, ident: str) -> None:
        raise ApiRefused(Problem(f"{ident} is over", "", ""), "INVALID_STATE")

    def wait(self, ident: str, progress: Callable[[DeployResult], None], timeout: float) -> DeployResult:
        self.before(f"wait {'validation' if self.requests[ident][1] else 'deployment'}")
        tests = 0 if ident in self.untested else 1
        result = _result(ident, "Failed", self.fail) if self.fail else _result(ident, "Succeeded", tests=tests)
        progress(result)
        return result

    def retrieve(self, keys: Iterable[ComponentKey]) -> Retrieved:
        self.before("retrieve")
        wanted = set(keys)
        found = {
            path: data
            for path, data in self.files.items()
            if path != self.lose and ComponentKey("ApexClass", path.removeprefix("classes/")[:-4]) in wanted
        }
        for container in sorted({container for container, _ in self.fields}):
            xml = [
                data
                for (owner, name), data in sorted(self.fields.items())
                if owner == container and ComponentKey("CustomField", f"{owner}.{name}") in wanted
            ]
            if xml:
                found[f"objects/{container}.object"] = (
                    f'<?xml version="1.0" encoding="UTF-8"?><CustomObject xmlns="{NAMESPACE}">'.encode()
                    + b"".join(xml)
                    + b"</CustomObject>"
                )
        return Retrieved(found, ())

    @property
    def holds(self) -> tuple[dict[str, bytes], dict[tuple[str, str], bytes]]:
        """All that the org holds."""
        return dict(self.files), dict(self.fields)

    def _add(self, package: bytes, check_only: bool) -> str:
        ident = f"0Af{len(self.requests):015d}"
        self.requests[ident] = (package, check_only)
        if not check_only:
            self.deploys.append(ident)
            self._apply(unzip(package))
        return ident

    def _apply(self, package: Mapping[str, bytes]) -> None:
        for path, data in package.items():
            if path.startswith("classes/"):
                self.files[path] = data
            elif path.startswith("objects/"):
                owner = path.removeprefix("objects/").removesuffix(".object")
                for element in etree.fromstring(data):
                    name = element.findtext(f"{{{NAMESPACE}}}fullName") or ""
                    xml = etree.tostring(element, method="c14n", with_tail=False)
                    self.fields[owner, name] = xml.replace(f' xmlns="{NAMESPACE}"'.encode(), b"")
        for kind in etree.fromstring(package.get(DESTRUCTIVE_POST, b"<none/>")).iterfind("{*}types"):
            for member in kind.iterfind("{*}members"):
                if kind.findtext("{*}name") == "ApexClass":
                    self.files.pop(f"classes/{member.text}.cls", None)
                else:
                    owner, _, name = str(member.text).partition(".")
                    self.fields.pop((owner, name), None)


def package_files(bundle: Bundle) -> Mapping[str, bytes]:
    """Return the files of everything in the bundle."""
    return lay_out(bundle.components.values()).files
