"""Replication of a bucket into another, and inventories of what it holds: kept as told, never carried out.

Shapes: terraform-provider-alicloud 1.285.0 (`resource_alicloud_oss_bucket_replication.go`, `…_inventory.go`) and
aliyun-oss-go-sdk. Rules: help.aliyun.com, OSS, "PutBucketReplication" and "PutBucketInventory"; from knowledge.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from lxml import etree

from emulators.alicloud.oss import xml
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import Bucket, Shelf
from emulators.http import Request, Response

ACTIONS = ("ALL", "PUT")
INVENTORIES_MOST = 1000
_RULES, _INVENTORY = "replication", "inventory/"


def change(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `POST ?replication&comp=add|delete`: the new rule's id comes in a header."""
    comp = request.query.get("comp", "")
    if comp == "add":
        return _add(shelf, bucket, request)
    if comp == "delete":
        return _delete(shelf, bucket, request)
    raise OssError("InvalidArgument", "comp is add or delete.", ArgumentName="comp", ArgumentValue=comp)


def show_progress(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `GET ?replicationProgress&rule-id=…`: all is done, as nothing is to be carried out."""
    rule = _rule(bucket, request.query.get("rule-id", ""))
    known = ("ID", "PrefixSet", "Action", "Destination", "Status", "HistoricalObjectReplication")
    top = etree.Element("ReplicationProgress")
    shown = etree.SubElement(top, "Rule")
    shown.extend(child for child in rule if child.tag in known)
    progress = etree.SubElement(shown, "Progress")
    etree.SubElement(progress, "HistoricalObject").text = "1"
    etree.SubElement(progress, "NewObject").text = xml.timestamp(shelf.now())
    return _document(top)


def put_inventory(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `PUT ?inventory&inventoryId=…`."""
    top, ident = xml.parse(request.body), request.query.get("inventoryId", "")
    if top is None or top.tag != "InventoryConfiguration" or not ident or xml.text(top, "Id") != ident:
        raise OssError("MalformedXML", Expected="InventoryConfiguration with the Id that is asked for")
    place = "Destination/OSSBucketDestination"
    target = xml.text(top, f"{place}/Bucket")
    found = shelf.find_bucket(target.removeprefix("acs:oss:::"))
    if not target.startswith("acs:oss:::") or found is None or found.region != bucket.region:
        raise OssError("InvalidArgument", "The destination is a bucket of the same region.", ArgumentValue=target)
    for path, allowed in (
        ("Schedule/Frequency", ("Daily", "Weekly")),
        ("IncludedObjectVersions", ("All", "Current")),
        (f"{place}/Format", ("CSV",)),
    ):
        if xml.text(top, path) not in allowed:
            raise OssError("MalformedXML", Expected=f"{path}: {' or '.join(allowed)}")
    if not xml.text(top, f"{place}/RoleArn"):
        raise OssError("MalformedXML", Expected=f"{place}/RoleArn")
    name = _INVENTORY + ident
    if name not in bucket.config and len(_inventories(bucket)) >= INVENTORIES_MOST:
        raise OssError("InvalidArgument", f"A bucket has at most {INVENTORIES_MOST} inventories.")
    shelf.keep_bucket(replace(bucket, config={**bucket.config, name: xml.document(top).decode()}))
    return Response(200)


def show_inventory(_: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `GET ?inventory`, for one by its id or for all."""
    ident = request.query.get("inventoryId", "")
    if ident:
        return _document(_parsed(_kept_inventory(bucket, ident)))
    top = etree.Element("ListInventoryConfigurationsResult")
    top.extend(_parsed(text) for text in _inventories(bucket))
    etree.SubElement(top, "IsTruncated").text = "false"
    return _document(top)


def delete_inventory(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `DELETE ?inventory&inventoryId=…`."""
    ident = request.query.get("inventoryId", "")
    _kept_inventory(bucket, ident)
    kept = {name: text for name, text in bucket.config.items() if name != _INVENTORY + ident}
    shelf.keep_bucket(replace(bucket, config=kept))
    return Response(204)


def replicates(bucket: Bucket) -> bool:
    """Return whether a bucket is replicated into another."""
    return bool(bucket.config.get(_RULES))


def _add(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    top = xml.parse(request.body)
    rule = top.find("Rule") if top is not None and top.tag == "ReplicationConfiguration" else None
    if rule is None:
        raise OssError("MalformedXML", Expected="ReplicationConfiguration")
    _check(shelf, bucket, rule)
    for sibling in _rules(bucket):
        if xml.text(sibling, "Destination/Bucket") == xml.text(rule, "Destination/Bucket"):
            raise OssError("BucketReplicationAlreadyExist")
    ident = str(uuid.uuid4())
    for name, text in (("ID", ident), ("Status", "doing")):
        child = rule.find(name)
        (etree.SubElement(rule, name) if child is None else child).text = text
    for name, default in (("Action", "ALL"), ("HistoricalObjectReplication", "enabled")):
        if not xml.text(rule, name):
            etree.SubElement(rule, name).text = default
    _keep(shelf, bucket, [*_rules(bucket), rule])
    return Response(200, headers={"x-oss-replication-rule-id": ident})


def _check(shelf: Shelf, bucket: Bucket, rule: etree._Element) -> None:
    name, location = xml.text(rule, "Destination/Bucket"), xml.text(rule, "Destination/Location")
    target = shelf.find_bucket(name)
    if target is None or name == bucket.name or location != f"oss-{target.region}":
        raise OssError("InvalidTargetBucket", TargetBucket=name, TargetLocation=location)
    if bool(target.versioning) != bool(bucket.versioning):
        raise OssError("InvalidTargetBucket", "Both buckets are versioned, or neither is.", TargetBucket=name)
    for action in xml.text(rule, "Action").split(",") if xml.text(rule, "Action") else ():
        if action not in ACTIONS:
            raise OssError("MalformedXML", Expected=f"Action: {' or '.join(ACTIONS)}")
    encrypted = xml.text(rule, "SourceSelectionCriteria/SseKmsEncryptedObjects/Status") == "Enabled"
    key, role = xml.text(rule, "EncryptionConfiguration/ReplicaKmsKeyID"), xml.text(rule, "SyncRole")
    if encrypted and not (key and role):
        raise OssError("InvalidArgument", "Objects encrypted by KMS need SyncRole and ReplicaKmsKeyID.")


def _delete(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    top = xml.parse(request.body)
    if top is None or top.tag != "ReplicationRules":
        raise OssError("MalformedXML", Expected="ReplicationRules")
    gone = xml.text(_rule(bucket, xml.text(top, "ID")), "ID")
    _keep(shelf, bucket, [rule for rule in _rules(bucket) if xml.text(rule, "ID") != gone])
    return Response(200)


def _rules(bucket: Bucket) -> list[etree._Element]:
    kept = bucket.config.get(_RULES, "")
    return _parsed(kept).findall("Rule") if kept else []


def _rule(bucket: Bucket, ident: str) -> etree._Element:
    if not replicates(bucket):
        raise OssError("NoSuchReplicationConfiguration")
    found = next((rule for rule in _rules(bucket) if xml.text(rule, "ID") == ident), None)
    if found is None:
        raise OssError("NoSuchReplicationRule")
    return found


def _keep(shelf: Shelf, bucket: Bucket, rules: list[etree._Element]) -> None:
    config = {name: text for name, text in bucket.config.items() if name != _RULES}
    if rules:
        top = etree.Element("ReplicationConfiguration")
        top.extend(rules)
        config[_RULES] = xml.document(top).decode()
    shelf.keep_bucket(replace(bucket, config=config))


def _inventories(bucket: Bucket) -> list[str]:
    return [text for name, text in sorted(bucket.config.items()) if name.startswith(_INVENTORY)]


def _kept_inventory(bucket: Bucket, ident: str) -> str:
    text = bucket.config.get(_INVENTORY + ident)
    if text is None:
        raise OssError("NoSuchInventoryConfiguration" if ident else "InvalidArgument")
    return text


def _parsed(text: str) -> etree._Element:
    top = xml.parse(text.encode())
    if top is None:
        raise ValueError("a kept document is no XML")
    return top


def _document(top: etree._Element) -> Response:
    return Response(200, xml.document(top), {"Content-Type": "application/xml"})
