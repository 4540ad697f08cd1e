"""The calls that read and write single components without a zip: `readMetadata`, `createMetadata` and their kin.

Source: Metadata API Developer Guide, "createMetadata()", "upsertMetadata()" (47.0 to 68.0, excerpts read 2026-11-22):
the components of a call are of one type, and in force when it returns; each succeeds or fails alone, unless
AllOrNoneHeader says otherwise or the API version is 33.0 or earlier. The rest from knowledge. Types whose components
have content of their own (classes, static resources, bundles) have none of these calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from xml.sax.saxutils import escape

from lxml import etree

from emulators.salesforce.metadata.components import Key, OrgComponents
from emulators.salesforce.metadata.deployment import Outcome, apply, evaluate
from emulators.salesforce.metadata.options import DeployOptions
from emulators.salesforce.metadata.package import Manifest, Member, root_name
from emulators.salesforce.metadata.retrieves import package_xml, retrieve, zip_of
from emulators.salesforce.metadata.soap import Call, Fault
from emulators.salesforce.metadata.types import MetadataType, type_table
from emulators.salesforce.metadata.xmlform import document, elements, fragment, local, parse, text
from emulators.salesforce.orgs import OrgRecord, Session
from emulators.service import World

Verb = Literal["create", "update", "upsert"]

_MOST = 10
_MOST_OF = {"CustomMetadata": 200, "CustomApplication": 200}
_ALL_OR_NONE_TO = 33  # API version
_HEADER = "AllOrNoneHeader"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


class _TakenBack(Exception):
    """A component of a call that is all or none failed."""


@dataclass(frozen=True)
class Crud:
    """The calls of one user of one org."""

    world: World
    org: OrgRecord
    session: Session
    version: int

    @property
    def _components(self) -> OrgComponents:
        return OrgComponents(self.world.store, self.org.id)

    def read(self, call: Call) -> str:
        """Return the `records` of a ReadResult, as XML; one that the org lacks is nil. Raises `Fault`."""
        type_name = _readable(call.text("type"))
        names = _names(call)
        _limit(type_name, len(names))
        return f"<result>{''.join(self._record(Key(type_name, name)) for name in names)}</result>"

    def save(self, verb: Verb, call: Call) -> list[dict[str, Any]]:
        """Create, update or upsert the components of a call; return a SaveResult of each. Raises `Fault`."""
        given = [each for each in elements(call.body) if local(each) == "metadata"]
        keys = [
            Key(_readable(str(each.get(f"{{{_XSI}}}type", "")).rpartition(":")[2]), text(each, "fullName"))
            for each in given
        ]
        types = {key.type for key in keys}
        if len(types) > 1:
            why = f"All components of a call must be of the same type, not {', '.join(sorted(types))}"
            raise Fault("INVALID_TYPE_FOR_OPERATION", why)
        for type_name in types:
            _limit(type_name, len(keys))
        return self._carried(call, (partial(self._save, verb, *pair) for pair in zip(keys, given, strict=True)))

    def delete(self, call: Call) -> list[dict[str, Any]]:
        """Delete the named components of a type; return a DeleteResult of each. Raises `Fault`."""
        type_name = _readable(call.text("type"))
        names = _names(call)
        _limit(type_name, len(names))
        return self._carried(call, (partial(self._delete, Key(type_name, name)) for name in names))

    def _carried(self, call: Call, changes: Iterable[Callable[[], dict[str, Any]]]) -> list[dict[str, Any]]:
        """Make the changes of a call, each by itself or all or none, and return the result of each."""
        if not call.headers.get(_HEADER, self.version <= _ALL_OR_NONE_TO):
            return [change() for change in changes]
        results: list[dict[str, Any]] = []
        with suppress(_TakenBack), self.world.store.transaction():
            results += [change() for change in changes]
            if not all(each["success"] for each in results):
                raise _TakenBack
            return results
        return [_taken_back(each) if each["success"] else each for each in results]

    def _record(self, key: Key) -> str:
        if self._components.get(*key) is None:
            return f'<records xmlns:xsi="{_XSI}" xsi:nil="true"/>'
        got = retrieve(self._components, Manifest("", f"{self.org.api_ceiling}.0", (Member(key, 0),)))
        root = parse(next(iter(got.files.values())))
        kind = type_table().parents.get(key.type)
        if kind is not None:
            tags = {tag for tag, name in kind.children.items() if name == key.type}
            own = key.full_name if kind.children_named_alone else key.full_name.partition(".")[2]
            root = next(each for each in elements(root) if local(each) in tags and text(each, "fullName") == own)
        parts = [fragment(each, 0) for each in elements(root) if local(each) != "fullName"]
        name = f"<fullName>{escape(key.full_name)}</fullName>"
        shown = root_name(key)[0]
        return f'<records xmlns:xsi="{_XSI}" xsi:type="{shown}">{name}{"".join(parts)}</records>'

    def _save(self, verb: Verb, key: Key, given: etree._Element) -> dict[str, Any]:
        exists = self._components.get(*key) is not None
        result: dict[str, Any] = {"created": not exists} if verb == "upsert" else {}
        if not key.full_name:
            return _result(result, key, ("REQUIRED_FIELD_MISSING", "Required field is missing: fullName"))
        if verb == "create" and exists:
            message = f"There is already a {key.type} named {key.full_name}"
            return _result(result, key, ("DUPLICATE_DEVELOPER_NAME", message))
        if verb == "update" and not exists:
            message = f"no {key.type} named {key.full_name} found"
            return _result(result, key, ("INVALID_CROSS_REFERENCE_KEY", message))
        path, content = _file(key, given)
        return _result(result, key, self._carried_out({path: content, "package.xml": self._manifest([key])}))

    def _delete(self, key: Key) -> dict[str, Any]:
        if self._components.get(*key) is None:
            message = f"no {key.type} named {key.full_name} found"
            return _result({}, key, ("INVALID_CROSS_REFERENCE_KEY", message))
        files = {"package.xml": self._manifest([]), "destructiveChanges.xml": self._manifest([key])}
        return _result({}, key, self._carried_out(files))

    def _manifest(self, keys: Iterable[Key]) -> bytes:
        return package_xml({key.type: [key.full_name] for key in keys}, f"{self.org.api_ceiling}.0")

    def _carried_out(self, files: dict[str, bytes]) -> tuple[str, str] | None:
        """Check and carry out a change of one component; return what is wrong with it (code, message)."""
        # The tests of a production deploy are not run by these calls, which take no Apex.
        options = DeployOptions(single_package=True, test_level="NoTestRun")
        outcome: Outcome = evaluate(self.org, self._components, zip_of(files), options, {})
        if outcome.error:
            return outcome.error
        if outcome.failures:
            return "INVALID_FIELD_OR_REFERENCE", "; ".join(message.problem for message in outcome.failures)
        assert outcome.state is not None
        apply(outcome.state, self.world.now(), self.session.username)
        return None


def _file(key: Key, given: etree._Element) -> tuple[str, bytes]:
    """Return path and content of the file that would bring a component."""
    table = type_table()
    inner = [each for each in elements(given) if local(each) != "fullName"]
    parent = table.parents.get(key.type)
    if parent is None:
        kind = table.types[key.type]
        return _path(kind, key.full_name), document(root_name(key)[0], [fragment(each) for each in inner])
    owner, _, own = key.full_name.rpartition(".") if not parent.children_named_alone else ("", "", key.full_name)
    tag = next(tag for tag, name in parent.children.items() if name == key.type)
    child = etree.Element(tag)
    name = etree.SubElement(child, "fullName")
    name.text = own
    child.extend(inner)
    owner = owner or parent.name
    return _path(parent, owner), document(parent.name, [fragment(child)])


def _path(kind: MetadataType, full_name: str) -> str:
    return f"{kind.directory}/{full_name}.{kind.suffix}"


def _readable(type_name: str) -> str:
    """Return a type that has these calls. Raises `Fault`."""
    table = type_table()
    kind = table.types.get(type_name) or table.parents.get(type_name)
    if kind is None:
        raise Fault("INVALID_TYPE", f"Unknown type:{type_name}")
    if kind.content != "xml":
        raise Fault("INVALID_TYPE", f"This type of metadata is not available for this operation: {type_name}")
    return type_name


def _names(call: Call) -> list[str]:
    return [(each.text or "").strip() for each in elements(call.body) if local(each) == "fullNames"]


def _limit(type_name: str, number: int) -> None:
    most = _MOST_OF.get(type_name, _MOST)
    if number > most:
        message = f"record limit reached. cannot submit more than {most} records in this operation"
        raise Fault("EXCEEDED_ID_LIMIT", message)


def _taken_back(result: dict[str, Any]) -> dict[str, Any]:
    why = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    errors = {"message": why, "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK"}
    # In the order of the API's schema: created, errors, fullName, success.
    return {key: value for key, value in result.items() if key == "created"} | {
        "errors": errors,
        "fullName": result["fullName"],
        "success": False,
    }


def _result(result: dict[str, Any], key: Key, wrong: tuple[str, str] | None) -> dict[str, Any]:
    errors = {"errors": {"message": wrong[1], "statusCode": wrong[0]}} if wrong else {}
    return {**result, **errors, "fullName": key.full_name, "success": wrong is None}
