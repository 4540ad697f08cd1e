"""The REST resource `metadata/deployRequest`: deploy, look, cancel, and deploy a recent validation.

Source: Metadata API Developer Guide, "Deploy a Recently Validated Component Set Without Tests" (REST; excerpt read
2026-11-22); the rest from knowledge of the API.
"""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from emulators.http import Request, Response
from emulators.salesforce.errors import RestError, bad_json, not_found, wrong_method
from emulators.salesforce.metadata.answers import deploy_result
from emulators.salesforce.metadata.deploys import Deploys, NotCancellable, NotQuickDeployable, UnknownDeploy
from emulators.salesforce.metadata.options import DeployOptions, InvalidOptions, check_options, read_options
from emulators.salesforce.orgs import OrgRecord, Session
from emulators.service import World
from emulators.store import Document

_QUICK = "validatedDeployRequestId"


def handle(world: World, org: OrgRecord, request: Request, session: Session) -> Response:
    """Answer a call of `…/metadata/deployRequest[/id]`. Raises `RestError`."""
    deploys = Deploys(world, org)
    ident = request.path.partition("/metadata/deployRequest")[2].strip("/")
    if request.method == "POST":
        return _post(org, request, session, deploys, ident)
    if not ident:
        raise wrong_method(request.method, "POST")
    if request.method == "GET":
        job = _found(deploys, ident)
        details = request.query.get("includeDetails", "").lower() == "true"
        return Response.of_json({**_reference(job), "deployResult": deploy_result(job, world.now(), details=details)})
    if request.method == "PATCH":
        return _cancel(world, request, session, deploys, ident)
    raise wrong_method(request.method, "GET,PATCH,POST")


def _post(org: OrgRecord, request: Request, session: Session, deploys: Deploys, ident: str) -> Response:
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        validation = _json(request).get(_QUICK)
        if not isinstance(validation, str) or ident not in ("", _QUICK):
            raise bad_json(f"Expected multipart/form-data, or a JSON object with {_QUICK}")
        try:
            job = deploys.quick(validation, session)
        except NotQuickDeployable as why:
            raise RestError(404, "NOT_FOUND", f"Cannot quick deploy: {why}") from None
        return _created(org, request, job)
    options_json, zipped = _parts(kind, request.body)
    options = _options(org, options_json)
    return _created(org, request, deploys.submit(session, zipped, options))


def _options(org: OrgRecord, values: dict[str, Any]) -> DeployOptions:
    tests = values.get("runTests") or []
    try:
        options = read_options(values, tests if isinstance(tests, list) else [str(tests)])
        check_options(org, options)
    except InvalidOptions as bad:
        raise RestError(400, "INVALID_OPERATION", str(bad)) from None
    return options


def _cancel(world: World, request: Request, session: Session, deploys: Deploys, ident: str) -> Response:
    wanted = _json(request).get("deployResult")
    if not isinstance(wanted, dict) or wanted.get("status") != "Canceling":
        raise bad_json('Expected {"deployResult": {"status": "Canceling"}}')
    try:
        job = deploys.cancel(ident, session)
    except UnknownDeploy:
        raise not_found() from None
    except NotCancellable:
        raise RestError(400, "INVALID_ID_FIELD", "Deployment already completed") from None
    return Response.of_json({**_reference(job), "deployResult": deploy_result(job, world.now(), details=False)}, 202)


def _found(deploys: Deploys, ident: str) -> Document:
    try:
        return deploys.get(ident)
    except UnknownDeploy:
        raise not_found() from None


def _created(org: OrgRecord, request: Request, job: Document) -> Response:
    base = request.path.partition("/metadata/")[0]
    body = {**_reference(job), "deployOptions": _shown(job)}
    body["url"] = f"{org.instance_url}{base}/metadata/deployRequest/{job['id']}"
    return Response.of_json(body, 201)


def _reference(job: Document) -> dict[str, Any]:
    return {"id": job["id"], _QUICK: job["validated"] or None}


def _shown(job: Document) -> dict[str, object]:
    return DeployOptions(**job["options"]).as_json()


def _json(request: Request) -> dict[str, Any]:
    try:
        body = request.json
    except ValueError as bad:
        raise bad_json(str(bad)) from None
    if not isinstance(body, dict):
        raise bad_json("Expected a JSON object")
    return body


def _parts(kind: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """Return (deploy options, zip) of a multipart body: the JSON part first, whatever its name, then the file."""
    options: dict[str, Any] | None = None
    zipped = b""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    for part in message.iter_parts():
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        if part.get_content_type() == "application/json":
            try:
                loaded = json.loads(data)
            except ValueError as bad:
                raise bad_json(str(bad)) from None
            found = loaded.get("deployOptions") if isinstance(loaded, dict) else None
            options = found if isinstance(found, dict) else None
        else:
            zipped = data
    if options is None or not zipped:
        raise bad_json("Expected a JSON part with deployOptions and a zip file")
    return options, zipped
