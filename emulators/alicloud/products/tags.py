"""Tags of VPC, ECS, KMS and RAM resources: one behaviour, four spellings."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import TAGGED
from emulators.alicloud.resources import Kind
from emulators.alicloud.tables import limit
from emulators.store import Document

_vpc, _ecs, _kms, _ram = product("Vpc"), product("Ecs"), product("Kms"), product("Ram")
_cbn, _pvtz = product("Cbn"), product("Pvtz")


@_vpc("TagResources")
@_ecs("TagResources")
@_kms("TagResources")
@_ram("TagResources")
@_cbn("TagResources")
@_pvtz("TagResources")
def tag_resources(call: Call) -> Answer:
    kind, documents = _targets(call)
    tags = call.tags()
    if not tags:
        raise ApiError("MissingParameter", name="Tag")
    if any(len(document["tags"] | tags) > limit("tags_per_resource") for document in documents):
        raise ApiError("NumberExceed.Tags")
    for document in documents:
        document["tags"] |= tags
        kind.save(call, document)
    return {}


@_vpc("UnTagResources")
@_ecs("UntagResources")
@_kms("UntagResources")
@_ram("UntagResources")
@_cbn("UntagResources")
@_pvtz("UnTagResources")
def untag_resources(call: Call) -> Answer:
    kind, documents = _targets(call)
    everything = call.flag("All")
    keys = call.strings("TagKey") or call.strings("TagKeys")
    for document in documents:
        document["tags"] = {key: value for key, value in document["tags"].items() if not everything and key not in keys}
        kind.save(call, document)
    return {}


@_vpc("ListTagResources")
@_ecs("ListTagResources")
@_kms("ListTagResources")
@_cbn("ListTagResources")
def list_tag_resources(call: Call) -> Answer:
    # No NextToken: everything fits, and clients loop for as long as there is one, even an empty one.
    return {"TagResources": {"TagResource": _rows(call)}}


@_ram("ListTagResources")
@_pvtz("ListTagResources")
def list_ram_tag_resources(call: Call) -> Answer:
    return {"TagResources": _rows(call), "IsTruncated": False}


def _rows(call: Call) -> list[Answer]:
    kind = _kind(call)
    idents = _idents(call)
    keys = {key for record in call.records("Tag") if (key := record.get("Key") or record.get("TagKey"))}
    return [
        {
            "ResourceId": document["id"],
            "ResourceName": document["id"],
            "ResourceType": call.get("ResourceType"),
            "TagKey": key,
            "TagValue": value,
        }
        for document in kind.all(call)
        if not idents or document["id"] in idents
        for key, value in document["tags"].items()
        if not keys or key in keys
    ]


def _targets(call: Call) -> tuple[Kind, list[Document]]:
    kind, idents = _kind(call), _idents(call)
    if not idents:
        raise ApiError("MissingParameter", name="ResourceId")
    return kind, [kind.get(call, ident) for ident in idents]


def _idents(call: Call) -> list[str]:
    return call.strings("ResourceId") or call.strings("ResourceNames")


def _kind(call: Call) -> Kind:
    kind = TAGGED.get((call.product, call.need("ResourceType").upper()))
    if kind is None:
        raise ApiError("InvalidResourceType.NotFound", kind=call.get("ResourceType"))
    return kind
