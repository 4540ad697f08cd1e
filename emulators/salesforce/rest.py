"""The REST API of one org: versions, resources, limits, queries; hands on to sobjects, composite and tooling."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from emulators.coverage import note_action
from emulators.http import Request, Response
from emulators.salesforce import bulk2, composite, credentials, errors, sobject_tree, sobjects, tooling
from emulators.salesforce.columns import columns_of
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError, UnknownResource
from emulators.salesforce.oauth import identity_url
from emulators.salesforce.orgs import OrgRecord, Session
from emulators.salesforce.refusals import refused_path
from emulators.service import World

_VERSIONED = re.compile(r"/services/data/v(\d{1,3})\.0(?:/(.*))?")
_CURSOR = "salesforce.cursor"
# REST API Developer Guide, "Query Options Header" (read 2026-11-22): 200 to 2,000 records a batch, 2,000 by default.
_BATCH = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
_LEAST, _MOST = 200, 2000

PRODUCT = "Salesforce REST API"
"""What the API goes by in the list of what is asked for and what is emulated."""

Metadata = Callable[[OrgRecord, Request, Session], Response]


class Rest:
    """Answers `/services/data`. `metadata` answers what lies below `/metadata`."""

    def __init__(self, world: World, metadata: Metadata) -> None:
        self._world, self._metadata = world, metadata

    def handle(self, org: OrgRecord, request: Request, session: Session | None) -> Response:
        """Answer one request; what is refused is answered in Salesforce's shape."""
        try:
            return self._answer(org, request, session)
        except UnknownResource as error:
            self._note(request)
            known = refused_path(request.path)
            message = (
                known.message if known else f"{error.message}: the emulated org has no {request.method} {request.path}"
            )
            return UnknownResource(message).response()
        except RestError as error:
            return error.response()

    def _answer(self, org: OrgRecord, request: Request, session: Session | None) -> Response:
        if request.path.rstrip("/") == "/services/data":
            return Response.of_json([_version(number) for number in range(org.api_floor, org.api_ceiling + 1)])
        match = _VERSIONED.fullmatch(request.path)
        if match is None:
            raise UnknownResource
        if session is None:
            raise errors.invalid_session()
        version = int(match.group(1))
        if not org.api_floor <= version <= org.api_ceiling:
            raise errors.not_found()
        path = [part for part in (match.group(2) or "").split("/") if part]
        ctx = Context(self._world, org, session, request, version)
        bulk2.advance(ctx)
        if path[:1] == ["metadata"]:
            return self._metadata(org, request, session)
        if path[:1] == ["tooling"]:
            return self._resource(replace(ctx, api="tooling"), path[1:])
        return self._resource(ctx, path)

    def _resource(self, ctx: Context, path: list[str]) -> Response:
        match path:
            case []:
                names = _TOOLING if ctx.api == "tooling" else _RESOURCES
                listed = {name: f"{ctx.base}/{name}" for name in names}
                identity = {} if ctx.api == "tooling" else {"identity": identity_url(ctx.org, ctx.session.user_id)}
                return Response.of_json(listed | identity)
            case ["limits"] if ctx.api == "data":
                limits = {name: {"Max": most, "Remaining": most} for name, most in _limits().items()}
                return Response.of_json(limits)
            case ["recent"] if ctx.api == "data":
                # What users look at in the user interface, which an emulated org lacks.
                return Response.of_json([])
            case ["limits", "recordCount"] if ctx.api == "data":
                return self._record_count(ctx)
            case ["query" | "queryAll"]:
                return self._query(ctx, deleted=path[0] == "queryAll")
            case ["query" | "queryAll", locator]:
                return self._more(ctx, locator)
            case ["named-credentials", "credential"] if ctx.api == "data":
                return credentials.handle(ctx)
            case ["jobs", *rest] if ctx.api == "data":
                return bulk2.handle(ctx, rest)
            case ["sobjects", *rest]:
                return sobjects.handle(ctx, rest)
            case ["composite", "sobjects", *rest] if len(rest) <= 2:
                return composite.collection(ctx, rest)
            case ["composite", "tree", name] if ctx.method == "POST" and ctx.api == "data":
                return sobject_tree.plant(ctx, ctx.object(name))
            case ["composite", "graph"] if ctx.method == "POST" and ctx.api == "data":
                return composite.graph(ctx, lambda request: self.handle(ctx.org, request, ctx.session))
            case ["composite"] if ctx.method == "POST":
                return composite.composite(ctx, lambda request: self.handle(ctx.org, request, ctx.session))
            case ["composite", "batch"] if ctx.method == "POST":
                return composite.batch(ctx, lambda request: self.handle(ctx.org, request, ctx.session))
            case [name] if ctx.api == "tooling" and name in tooling.CALLS:
                return tooling.CALLS[name](ctx)
        raise UnknownResource

    def _record_count(self, ctx: Context) -> Response:
        """Answer `limits/recordCount`: of the objects named in `sObjects`, else of all; unknown ones are left out."""
        asked = [name.strip() for name in ctx.request.query.get("sObjects", "").split(",") if name.strip()]
        found = [ctx.schema.object(name) for name in asked] if asked else list(ctx.schema.objects.values())
        counts = [{"count": len(ctx.records.rows(obj)), "name": obj.name} for obj in found if obj]
        return Response.of_json({"sObjects": sorted(counts, key=lambda count: str(count["name"]))})

    def _query(self, ctx: Context, *, deleted: bool) -> Response:
        text = ctx.request.query.get("q")
        if text is None:
            raise RestError(400, "MALFORMED_QUERY", "SOQL query is required: q")
        result = ctx.engine(deleted=deleted).run(text)
        if ctx.request.query.get("columns", "").lower() == "true":
            return Response.of_json(columns_of(ctx.schema, text, ctx.api))
        asked = _BATCH.search(ctx.request.headers.get("sforce-query-options", ""))
        size = min(max(int(asked.group(1)), _LEAST), _MOST) if asked else _MOST
        if len(result.records) <= size:
            return Response.of_json({"totalSize": result.total, "done": True, "records": result.records})
        cursor = f"01g5g{self._world.store.next(_CURSOR):010}AAA"
        digest = self._world.store.put_blob(json.dumps(result.records).encode())
        owner = {"org_id": ctx.org.id, "user_id": ctx.session.user_id, "digest": digest, "size": size}
        self._world.store.put(_CURSOR, cursor, owner)
        return _batch_of(ctx, cursor, result.records, 0, size)

    def _more(self, ctx: Context, locator: str) -> Response:
        cursor, _, start = locator.partition("-")
        kept = self._world.store.get(_CURSOR, cursor)
        if kept is None or not start.isdigit() or kept["user_id"] != ctx.session.user_id:
            raise RestError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        records = json.loads(self._world.store.blob(kept["digest"]))
        return _batch_of(ctx, cursor, records, int(start), kept["size"])

    def _note(self, request: Request) -> None:
        """Record a call that the emulator does not know, for the coverage table."""
        what = re.sub(r"v\d+\.0", "vXX.0", request.path)
        what = re.sub(r"\b[a-zA-Z0-9]{3}5g[a-zA-Z0-9]{10,13}\b", "{id}", what)
        note_action(self._world.store, PRODUCT, "", f"{request.method} {what}")


def resources() -> list[str]:
    """Return the paths of the resources that are emulated, below `/services/data/vXX.0`."""
    return [*_RESOURCES, *(f"tooling/{name}" for name in _TOOLING)]


def _batch_of(ctx: Context, cursor: str, records: list[Any], start: int, size: int) -> Response:
    batch, end = records[start : start + size], start + size
    answer: dict[str, Any] = {"totalSize": len(records), "done": end >= len(records)}
    if not answer["done"]:
        answer["nextRecordsUrl"] = f"{ctx.base}/query/{cursor}-{end}"
    return Response.of_json(answer | {"records": batch})


def _version(number: int) -> dict[str, str]:
    """Return a row of the version list. Three releases a year, of which 60.0 was Spring '24."""
    year, season = divmod(number - 60, 3)
    name = ("Spring", "Summer", "Winter")[season]
    label = f"{name} '{(24 + year + (season == 2)) % 100:02}"
    return {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}


@cache
def _limits() -> dict[str, int]:
    text = (files("emulators.salesforce") / "limits.json").read_text(encoding="utf-8")
    limits: dict[str, int] = json.loads(text)["limits"]
    return limits


_RESOURCES = (
    "composite",
    "jobs",
    "limits",
    "metadata",
    "named-credentials",
    "query",
    "queryAll",
    "recent",
    "sobjects",
    "tooling",
)
_TOOLING = ("executeAnonymous", "query", "runTestsAsynchronous", "runTestsSynchronous", "sobjects")
