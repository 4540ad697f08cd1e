"""Alert contacts of CloudMonitor and their groups. Nobody is written to; a contact's addresses count as confirmed."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.resources import Kind, page, shown
from emulators.store import Document

_cms = product("Cms")

CONTACT = Kind("cms_contact", "", "ContactNotExists", regional=False)
CONTACT_GROUP = Kind("cms_contact_group", "", "ContactNotExists", regional=False)
DONE: Answer = {"Code": "200", "Success": True, "Message": ""}
_CHANNELS = ("Mail", "SMS", "AliIM", "DingWebHook")


@_cms("PutContact")
def put_contact(call: Call) -> Answer:
    name = call.need("ContactName")
    channels = {channel: call.get(f"Channels.{channel}") for channel in _CHANNELS}
    if not any(channels.values()):
        raise ApiError("MissingParameter", name="Channels.Mail")
    fields: Document = {
        "Name": name,
        "Desc": call.need("Describe"),
        "Lang": call.get("Lang", "zh-cn"),
        "Channels": channels,
        "ChannelsState": {channel: "OK" for channel, value in channels.items() if value},
        "UpdateTime": int(call.now * 1000),
    }
    before = CONTACT.find(call, name)
    if before:
        CONTACT.save(call, before | fields)
    else:
        CONTACT.create(call, ident=name, CreateTime=int(call.now * 1000), **fields)
    return DONE


@_cms("DescribeContactList")
def describe_contact_list(call: Call) -> Answer:
    wanted = call.get("ContactName")
    found = [contact for contact in CONTACT.all(call) if wanted in ("", contact["id"])]
    groups = CONTACT_GROUP.all(call)
    rows = [
        shown(contact)
        | {"ContactGroups": {"ContactGroup": [group["id"] for group in groups if contact["id"] in group["contacts"]]}}
        for contact in found
    ]
    shown_rows, counts = page(call, rows, most=100)
    return DONE | {"Contacts": {"Contact": list(shown_rows)}, "Total": counts["TotalCount"]}


@_cms("DeleteContact")
def delete_contact(call: Call) -> Answer:
    contact = CONTACT.named(call, "ContactName")
    for group in CONTACT_GROUP.all(call):
        kept = [name for name in group["contacts"] if name != contact["id"]]
        CONTACT_GROUP.save(call, group | {"contacts": kept})
    CONTACT.delete(call, contact)
    return DONE


@_cms("PutContactGroup")
def put_contact_group(call: Call) -> Answer:
    name, contacts = call.need("ContactGroupName"), call.strings("ContactNames")
    for contact in contacts:
        CONTACT.get(call, contact)
    fields: Document = {
        "Name": name,
        "Describe": call.get("Describe"),
        "EnableSubscribed": call.flag("EnableSubscribed"),
        "EnabledWeeklyReport": False,
        "UpdateTime": int(call.now * 1000),
        "contacts": sorted(contacts),
    }
    before = CONTACT_GROUP.find(call, name)
    if before:
        CONTACT_GROUP.save(call, before | fields)
    else:
        CONTACT_GROUP.create(call, ident=name, CreateTime=int(call.now * 1000), **fields)
    return DONE


@_cms("DescribeContactGroupList")
def describe_contact_group_list(call: Call) -> Answer:
    groups = CONTACT_GROUP.all(call)
    rows, counts = page(
        call, [shown(group) | {"Contacts": {"Contact": group["contacts"]}} for group in groups], most=100
    )
    return DONE | {
        "ContactGroupList": {"ContactGroup": list(rows)},
        "ContactGroups": {"ContactGroup": [row["Name"] for row in rows]},
        "Total": counts["TotalCount"],
    }


@_cms("DeleteContactGroup")
def delete_contact_group(call: Call) -> Answer:
    CONTACT_GROUP.delete(call, CONTACT_GROUP.named(call, "ContactGroupName"))
    return DONE
