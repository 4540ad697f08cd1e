"""The Metadata API of an emulated org, over SOAP and REST."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from emulators.coverage import note_action
from emulators.http import Request, Response
from emulators.salesforce.errors import RestError, invalid_session
from emulators.salesforce.metadata import rest
from emulators.salesforce.metadata.answers import deploy_result
from emulators.salesforce.metadata.components import OrgComponents
from emulators.salesforce.metadata.crud import Crud
from emulators.salesforce.metadata.deploys import (
    Deploys,
    NotCancellable,
    NotQuickDeployable,
    UnknownDeploy,
    is_done,
)
from emulators.salesforce.metadata.listing import describe, file_properties, list_type
from emulators.salesforce.metadata.options import InvalidOptions, check_options, read_options
from emulators.salesforce.metadata.package import Manifest, Member, api_version, manifest_of
from emulators.salesforce.metadata.retrieves import Retrieves
from emulators.salesforce.metadata.soap import Call, Fault, Written, answer, fault, read_call
from emulators.salesforce.metadata.types import type_table
from emulators.salesforce.metadata.xmlform import Malformed, elements, find, local, text
from emulators.salesforce.orgs import OrgRecord, Session
from emulators.salesforce.refusals import Kind, refused
from emulators.service import World

PRODUCT = "Salesforce Metadata API"
"""What the API goes by in the list of what is asked for and what is emulated."""

_PATH = re.compile(r"/services/Soap/m/([^/]+)")
_MAX_QUERIES = 3  # Metadata API Developer Guide, `listMetadata()` (excerpt read 2026-11-22)


@dataclass(frozen=True)
class _Ask:
    """One call of an operation: in which org, by whom, with what, in which API version."""

    org: OrgRecord
    session: Session
    call: Call
    version: int


class MetadataApi:
    """The Metadata API of all orgs of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def soap(self, org: OrgRecord, request: Request, session: Session | None) -> Response:
        """Answer a call of `/services/Soap/m/<version>`, whatever follows."""
        try:
            version = _check_version(org, request.path)
            call = read_call(request.body)
            if session is None or session.org_id != org.id:
                message = "Invalid Session ID found in SessionHeader: Illegal Session"
                raise Fault("INVALID_SESSION_ID", message)
            operation = _OPERATIONS.get(call.operation)
            if operation is None:
                note_action(self._world.store, PRODUCT, "", call.operation)
                known = refused("operation", call.operation)
                message = f"The emulated Metadata API has no operation {call.operation}"
                raise Fault("INVALID_OPERATION", known.message if known else message)
            _check_left_out("header", (name for name, is_on in call.headers.items() if is_on))
            Deploys(self._world, org).advance()
            return answer(call.operation, operation(self, _Ask(org, session, call, version)))
        except Fault as problem:
            return fault(problem)

    def rest(self, org: OrgRecord, request: Request, session: Session | None) -> Response:
        """Answer a call of `/services/data/vXX.0/metadata/deployRequest[/<id>]`."""
        try:
            if session is None or session.org_id != org.id:
                raise invalid_session()
            return rest.handle(self._world, org, request, session)
        except RestError as problem:
            return problem.response()

    def _deploy(self, ask: _Ask) -> dict[str, Any]:
        given = ask.call.child("deployOptions")
        values = {local(each): (each.text or "").strip() for each in elements(given)} if given is not None else {}
        tests = [each.text or "" for each in elements(given) if local(each) == "runTests"] if given is not None else []
        try:
            options = read_options(values, tests, ask.version)
            check_options(ask.org, options)
        except InvalidOptions as bad:
            raise Fault("INVALID_OPERATION", str(bad)) from None
        try:
            zipped = base64.b64decode(ask.call.text("zipFile"), validate=False)
        except binascii.Error:
            raise Fault("UNKNOWN_EXCEPTION", "ZipFile is not base64") from None
        job = Deploys(self._world, ask.org).submit(ask.session, zipped, options)
        return {"done": False, "id": job["id"], "state": "Queued"}

    def _check_deploy_status(self, ask: _Ask) -> dict[str, Any]:
        job = _known(Deploys(self._world, ask.org).get, ask.call.text("asyncProcessId"))
        details = ask.call.text("includeDetails").lower() == "true"
        return deploy_result(job, self._world.now(), details=details)

    def _cancel_deploy(self, ask: _Ask) -> dict[str, Any]:
        ident = ask.call.text("String") or ask.call.text("asyncProcessId") or ask.call.text("id")
        try:
            job = Deploys(self._world, ask.org).cancel(ident, ask.session)
        except UnknownDeploy:
            raise Fault("INVALID_ID_FIELD", "Invalid deploy ID") from None
        except NotCancellable:
            raise Fault("INVALID_ID_FIELD", "Deployment already completed") from None
        return {"done": is_done(job), "id": job["id"]}

    def _deploy_recent_validation(self, ask: _Ask) -> str:
        try:
            return str(Deploys(self._world, ask.org).quick(ask.call.text("validationId"), ask.session)["id"])
        except NotQuickDeployable as why:
            raise Fault("INVALID_ID_FIELD", f"Cannot quick deploy: {why}") from None

    def _retrieve(self, ask: _Ask) -> dict[str, Any]:
        # jsforce, and `sf` on top of it, call the parameter `request`; the API goes by its place.
        asked = ask.call.child("retrieveRequest")
        asked = ask.call.child("request") if asked is None else asked
        if asked is None:
            raise Fault("INVALID_OPERATION", "retrieveRequest is missing")
        _check_left_out("parameter", map(local, elements(asked)))
        single = text(asked, "singlePackage").lower() == "true"
        package = text(asked, "packageNames")
        if package:
            return self._retrieve_package(ask, package, text(asked, "apiVersion"), single)
        unpackaged = find(asked, "unpackaged")
        if unpackaged is None:
            raise Fault("INVALID_OPERATION", "Nothing to retrieve: unpackaged is missing")
        try:
            # A name in the manifest says nothing here: what is asked for as unpackaged comes back as that.
            manifest = replace(manifest_of(unpackaged), full_name="")
            # Metadata API Developer Guide, "RetrieveRequest": the version of package.xml comes before the request's.
            manifest = replace(manifest, version=manifest.version or text(asked, "apiVersion"))
        except Malformed as bad:
            raise Fault("INVALID_OPERATION", f"package.xml: {bad.message}") from None
        job = Retrieves(self._world, ask.org).submit(manifest, single_package=single)
        return {"done": False, "id": job["id"], "state": "Queued"}

    def _retrieve_package(self, ask: _Ask, name: str, version: str, single: bool) -> dict[str, Any]:
        keys = Deploys(self._world, ask.org).packaged(name)
        if keys is None:
            raise Fault("INVALID_CROSS_REFERENCE_KEY", f"No package named '{name}' found")
        manifest = Manifest("package.xml", version, tuple(Member(key, 0) for key in keys), name)
        job = Retrieves(self._world, ask.org).submit(manifest, single_package=single)
        return {"done": False, "id": job["id"], "state": "Queued"}

    def _check_retrieve_status(self, ask: _Ask) -> dict[str, Any]:
        retrieves = Retrieves(self._world, ask.org)
        job = _known(retrieves.get, ask.call.text("asyncProcessId"))
        done = retrieves.is_done(job)
        error = job.get("error", "") if done else ""
        result: dict[str, Any] = {"done": done}
        if error:
            result |= {"errorMessage": error, "errorStatusCode": error.partition(":")[0]}
        elif done:
            components = OrgComponents(self._world.store, ask.org.id)
            found = [components.get(*key.split("/", 1)) for key in job["components"]]
            result["fileProperties"] = [file_properties(ask.org, each, job["root"]) for each in found if each]
        result["id"] = job["id"]
        result["messages"] = [{"fileName": name, "problem": why} for name, why in job["messages"]]
        result["status"] = "Failed" if error else "Succeeded" if done else "InProgress"
        result["success"] = done and not error
        if result["success"] and ask.call.text("includeZip", default="true").lower() != "false":
            result["zipFile"] = base64.b64encode(self._world.store.blob(job["zip"])).decode()
        return result

    def _check_status(self, ask: _Ask) -> dict[str, Any]:
        ident = ask.call.text("asyncProcessId")
        if ident.startswith("09S"):
            retrieves = Retrieves(self._world, ask.org)
            done = retrieves.is_done(_known(retrieves.get, ident))
            return {"done": done, "id": ident, "state": "Completed" if done else "InProgress"}
        job = _known(Deploys(self._world, ask.org).get, ident)
        state = "Error" if job["status"] == "Failed" else "Completed" if is_done(job) else "InProgress"
        return {"done": is_done(job), "id": job["id"], "state": state}

    def _list_metadata(self, ask: _Ask) -> list[dict[str, Any]]:
        queries = [each for each in elements(ask.call.body) if local(each) == "queries"]
        if len(queries) > _MAX_QUERIES:
            raise Fault("EXCEEDED_MAX_TYPES_LIMIT", f"The maximum number of queries is {_MAX_QUERIES}")
        components = OrgComponents(self._world.store, ask.org.id)
        found: list[dict[str, Any]] = []
        for query in queries:
            name = text(query, "type")
            if not type_table().knows(name):
                raise Fault("INVALID_TYPE", f"Unknown type:{name}")
            found += list_type(ask.org, components, name, text(query, "folder"))
        return found

    def _describe_metadata(self, ask: _Ask) -> dict[str, Any]:
        return describe(ask.org)

    def _crud(self, ask: _Ask) -> Crud:
        return Crud(self._world, ask.org, ask.session, ask.version)


_OPERATIONS: dict[str, Callable[[MetadataApi, _Ask], Any]] = {
    "deploy": MetadataApi._deploy,
    "checkDeployStatus": MetadataApi._check_deploy_status,
    "cancelDeploy": MetadataApi._cancel_deploy,
    "deployRecentValidation": MetadataApi._deploy_recent_validation,
    "retrieve": MetadataApi._retrieve,
    "checkRetrieveStatus": MetadataApi._check_retrieve_status,
    "checkStatus": MetadataApi._check_status,
    "listMetadata": MetadataApi._list_metadata,
    "describeMetadata": MetadataApi._describe_metadata,
    "readMetadata": lambda api, ask: Written(api._crud(ask).read(ask.call)),
    "createMetadata": lambda api, ask: api._crud(ask).save("create", ask.call),
    "updateMetadata": lambda api, ask: api._crud(ask).save("update", ask.call),
    "upsertMetadata": lambda api, ask: api._crud(ask).save("upsert", ask.call),
    "deleteMetadata": lambda api, ask: api._crud(ask).delete(ask.call),
}


def operations() -> list[str]:
    """Return the operations that are emulated."""
    return list(_OPERATIONS)


def _check_left_out(kind: Kind, names: Iterable[str]) -> None:
    """Raise `Fault` for the first of the names that is left out on purpose."""
    for name in names:
        if known := refused(kind, name):
            raise Fault("INVALID_OPERATION", known.message)


def _check_version(org: OrgRecord, path: str) -> int:
    """Return the API version that a path names. Raises `Fault`."""
    found = _PATH.match(path)
    version = api_version(found.group(1)) if found else None
    if version is None or not org.api_floor <= version <= org.api_ceiling:
        raise Fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    return version


def _known(look: Callable[[str], Any], ident: str) -> Any:
    try:
        return look(ident)
    except UnknownDeploy:
        raise Fault("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {ident}") from None
