"""The `/sobjects` resources: describe, and create, read, update, upsert and delete of records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emulators.http import Response
from emulators.salesforce import describe, errors, ids, packages, replication
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError, UnknownResource
from emulators.salesforce.schema import ObjectType

Row = dict[str, Any]


def handle(ctx: Context, path: list[str]) -> Response:
    """Answer a call below `/sobjects`. Raises `RestError`."""
    match path:
        case []:
            _methods(ctx, "GET", "HEAD")
            return Response.of_json(describe.describe_global(ctx.schema, ctx.base, ctx.api))
        case [name]:
            _methods(ctx, "GET", "HEAD", "POST")
            obj = ctx.object(name)
            if ctx.method == "POST":
                return _created(ctx.records.insert(obj, ctx.json_object()), obj, ctx)
            basic = {"objectDescribe": describe.summary(obj, ctx.base), "recentItems": []}
            return Response.of_json(basic)
        case [name, "describe"]:
            _methods(ctx, "GET", "HEAD")
            return Response.of_json(_describe(ctx, ctx.object(name)))
        case [name, "deleted" | "updated" as what]:
            _methods(ctx, "GET")
            return (
                replication.deleted(ctx, ctx.object(name))
                if what == "deleted"
                else replication.updated(ctx, ctx.object(name))
            )
        case [_, "describe", *_] | [_, "listviews" | "quickActions" | "defaultValues"] | ["User", _, "password"]:
            raise UnknownResource
        case [name, ident]:
            return _record(ctx, ctx.object(name), ident)
        case [name, field, value]:
            return _external(ctx, ctx.object(name), field, value)
    raise UnknownResource


def _describe(ctx: Context, obj: ObjectType) -> dict[str, Any]:
    record_type = ctx.schema.objects["recordtype"]
    rows = [row for row in ctx.records.rows(record_type) if row.get("SobjectType") == obj.name]
    return describe.describe(ctx.schema, obj, ctx.base, list(rows))


def _record(ctx: Context, obj: ObjectType, ident: str) -> Response:
    match ctx.method:
        case "GET" | "HEAD":
            fields = ctx.request.query.get("fields")
            return Response.of_json(shown(ctx, obj, ctx.records.get(obj, ident), fields.split(",") if fields else None))
        case "PATCH":
            _update(ctx, obj, ident, ctx.json_object())
            return Response(204)
        case "DELETE":
            ctx.records.delete(obj, ident)
            return Response(204)
    raise errors.wrong_method(ctx.method, "DELETE,GET,HEAD,PATCH")


def _external(ctx: Context, obj: ObjectType, field_name: str, value: str) -> Response:
    """Read, upsert or delete the record that an external id names."""
    field, row = ctx.records.by_external_id(obj, field_name, value)
    if ctx.method == "PATCH":
        given = {k: v for k, v in ctx.json_object().items() if k.lower() != field.name.lower()}
        if row is None:
            own = {} if field.type == "id" else {field.name: value}
            return _created(ctx.records.insert(obj, given | own), obj, ctx)
        _update(ctx, obj, row["Id"], given)
        return Response.of_json({"id": row["Id"], "success": True, "errors": [], "created": False})
    if row is None:
        raise errors.not_found()
    return _record(ctx, obj, row["Id"])


def _update(ctx: Context, obj: ObjectType, ident: str, values: Row) -> None:
    if obj.name == "FlowDefinition":
        values = values | _activation(ctx, ident, values)
        row = ctx.records.get(obj, ident)
        ctx.records.put(obj, {"Id": row["Id"], **{k: v for k, v in values.items() if obj.field(k)}})
        return
    ctx.records.update(obj, ident, values)


def _activation(ctx: Context, ident: str, values: Row) -> Row:
    """Return what changes when a flow's active version is set: `{"Metadata": {"activeVersionNumber": 1}}`."""
    definition = ctx.records.get(ctx.object("FlowDefinition"), ident)
    wanted = (values.get("Metadata") or {}).get("activeVersionNumber")
    if not wanted:
        return {"ActiveVersionId": None}
    for row in ctx.records.rows(ctx.of_tooling("Flow")):
        if row["DefinitionId"] == definition["Id"] and row["VersionNumber"] == wanted:
            return {"ActiveVersionId": row["Id"]}
    message = f"The flow version {wanted} of {definition['DeveloperName']} doesn't exist."
    raise RestError(400, "FIELD_INTEGRITY_EXCEPTION", message, ["Metadata"])


def shown(ctx: Context, obj: ObjectType, row: Row, wanted: Iterable[str] | None) -> Row:
    """Return a record as it is read: `wanted` fields and its id, or all. Raises `RestError` for an unknown field."""
    fields = list(obj.fields.values())
    if wanted is not None:
        fields = []
        for name in wanted:
            field = obj.field(name.strip())
            if field is None:
                raise RestError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {obj.name}")
            fields.append(field)
        if not any(field.name == "Id" for field in fields):
            fields.append(obj.fields["id"])
    url = f"{ctx.base}/sobjects/{obj.name}/{row['Id']}"
    return {"attributes": {"type": obj.name, "url": url}} | {f.name: row.get(f.name) for f in fields}


def _created(ident: str, obj: ObjectType, ctx: Context) -> Response:
    if obj.name == "PackageInstallRequest":
        _install_package(ctx, obj, ident)
    location = f"{ctx.base}/sobjects/{obj.name}/{ident}"
    return Response.of_json({"id": ident, "success": True, "errors": []}, 201, Location=location)


def _install_package(ctx: Context, obj: ObjectType, ident: str) -> None:
    """Carry out an install request at once: install the version that it names, or end it with what is wrong."""
    row = ctx.records.get(obj, ident)
    wanted = ids.normal(str(row["SubscriberPackageVersionKey"]))
    version = next((each for each in ctx.packages if each.id == wanted), None)
    why: str | None = f"Unable to find package version {row['SubscriberPackageVersionKey']}."
    if version is not None:
        held = [each for _, each in packages.installed(ctx.components, ctx.packages)]
        why = packages.refusal(version.namespace, version.version, ctx.packages, held)
    if version is not None and why is None:
        packages.install(ctx.components, version, ctx.world.now(), ctx.session.username)
        ctx.records.put(obj, row | {"Status": "SUCCESS"})
        return
    ctx.records.put(obj, row | {"Status": "ERROR", "Errors": {"errors": [{"message": why}]}})


def _methods(ctx: Context, *allowed: str) -> None:
    if ctx.method not in allowed:
        raise errors.wrong_method(ctx.method, ",".join(sorted(allowed)))
