"""The configuration of a bucket, one document a sub-resource: subresources.json says which, this module what holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from emulators.alicloud.oss import access, worm, xml
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import Bucket, Shelf
from emulators.http import Request, Response

MOST_TAGS = 20
MOST_RULES = 1000
_ENCRYPTIONS = ("AES256", "KMS", "SM4")


@dataclass(frozen=True)
class SubResource:
    """A row of the table. `root` "" means JSON; without `missing` the service always has a `default`."""

    operation: str
    methods: tuple[str, ...]
    root: str = ""
    missing: str = ""
    default: str = ""


@cache
def table() -> dict[str, SubResource]:
    """Return the sub-resources that are kept as documents, by the name they have in a query."""
    return {
        name: SubResource(
            row["operation"],
            tuple(row["methods"]),
            row.get("root", ""),
            row.get("missing", ""),
            row.get("default", ""),
        )
        for name, row in _data()["bucket"].items()
    }


@cache
def parameters() -> frozenset[str]:
    """Return the query parameters that name no sub-resource."""
    return frozenset(_data()["parameters"])


def canonical(name: str) -> str:
    """Return a sub-resource's own name: the Go SDK writes one of them otherwise, and the service takes it."""
    return str(_data()["aliases"].get(name, name))


def handle(shelf: Shelf, bucket: Bucket, name: str, request: Request) -> Response:
    """Answer GET, PUT or DELETE of a sub-resource in the table."""
    row = table()[name]
    if request.method not in row.methods:
        raise OssError("MethodNotAllowed", Method=request.method, ResourceType=name)
    if request.method == "GET":
        return _show(row, bucket.config.get(name, ""))
    config = {kept: text for kept, text in bucket.config.items() if kept != name}
    if request.method == "PUT":
        config[name] = _checked(shelf, bucket, name, row, request.body)
    if bucket.name:
        shelf.keep_bucket(replace(bucket, config=config))
    else:
        shelf.keep_account(config)
    return Response(204 if request.method == "DELETE" else 200)


def account(shelf: Shelf) -> Bucket:
    """Return what the account has configured for all its buckets, as a bucket without a name."""
    return Bucket("", "", 0, config=shelf.account())


def show_policy_status(bucket: Bucket) -> Response:
    """Answer `GET ?policyStatus`: whether the bucket policy opens the bucket to the public."""
    public = access.is_public(bucket.config.get("policy", ""))
    return _xml(xml.render("PolicyStatus", {"IsPublic": public}))


def encryption_document(algorithm: str, key_id: str = "", data_encryption: str = "") -> str:
    """Return the document of a default encryption. Raises `OssError` for an algorithm that there is not."""
    if algorithm not in _ENCRYPTIONS:
        raise OssError("InvalidEncryptionAlgorithmError", ArgumentValue=algorithm)
    rule = {
        "SSEAlgorithm": algorithm,
        "KMSMasterKeyID": key_id or None,
        "KMSDataEncryption": data_encryption or None,
    }
    return xml.render("ServerSideEncryptionRule", {"ApplyServerSideEncryptionByDefault": rule}).decode()


def _show(row: SubResource, kept: str) -> Response:
    if not kept and row.missing:
        raise OssError(row.missing)
    if not row.root:
        return Response(200, kept.encode(), {"Content-Type": "application/json"})
    return _xml((kept or row.default).encode())


def _xml(body: bytes) -> Response:
    top = xml.parse(body)
    return Response(200, xml.document(top) if top is not None else body, {"Content-Type": "application/xml"})


def _checked(shelf: Shelf, bucket: Bucket, name: str, row: SubResource, body: bytes) -> str:
    if not row.root:
        return _checked_policy(shelf, bucket, body)
    top = xml.parse(body)
    if top is None or top.tag != row.root:
        raise OssError("MalformedXML", Expected=row.root)
    check = _CHECKS.get(name)
    if check:
        check(shelf, bucket, top)
    return xml.document(top).decode()


def _checked_policy(shelf: Shelf, bucket: Bucket, body: bytes) -> str:
    text = body.decode("utf-8", errors="replace")
    try:
        good = isinstance(json.loads(text), dict) and bool(access.statements(text))
        good = good and all(
            isinstance(statement, dict)
            and statement.get("Effect") in ("Allow", "Deny")
            and {"Action", "Principal", "Resource"} <= statement.keys()
            for statement in access.statements(text)
        )
    except (ValueError, TypeError):
        good = False
    if not good:
        raise OssError("InvalidPolicyDocument")
    if access.is_public(text) and blocks_public(shelf, bucket):
        raise OssError("AccessDenied", "Put public bucket policy is not allowed")
    return text


def blocks_public(shelf: Shelf, bucket: Bucket) -> bool:
    """Return whether the bucket, or the account for all of them, blocks public access."""
    return any(one.configured("publicAccessBlock", "BlockPublicAccess") == "true" for one in (bucket, account(shelf)))


def _check_versioning(shelf: Shelf, bucket: Bucket, top: etree._Element) -> None:
    status = xml.text(top, "Status")
    if status not in ("Enabled", "Suspended"):
        raise OssError("MalformedXML", Status=status)
    if status == "Suspended" and worm.policy_of(bucket, shelf.now()):
        raise OssError("InvalidArgument", "The bucket has a retention policy.", ArgumentName="Status")


def _check_encryption(_: Shelf, __: Bucket, top: etree._Element) -> None:
    algorithm = xml.text(top, "ApplyServerSideEncryptionByDefault/SSEAlgorithm")
    if algorithm not in _ENCRYPTIONS:
        raise OssError("InvalidEncryptionAlgorithmError", ArgumentValue=algorithm)


def _check_logging(shelf: Shelf, bucket: Bucket, top: etree._Element) -> None:
    target = xml.text(top, "LoggingEnabled/TargetBucket")
    found = shelf.find_bucket(target) if target else None
    if target and (found is None or found.region != bucket.region):
        raise OssError("InvalidTargetBucketForLogging", TargetBucket=target)


def _check_public_access_block(_: Shelf, __: Bucket, top: etree._Element) -> None:
    if xml.text(top, "BlockPublicAccess") not in ("true", "false"):
        raise OssError("MalformedXML")


def _check_tagging(_: Shelf, __: Bucket, top: etree._Element) -> None:
    keys = [xml.text(tag, "Key") for tag in top.iterfind("TagSet/Tag")]
    if len(keys) > MOST_TAGS or len(keys) != len(set(keys)) or not all(keys):
        raise OssError("InvalidArgument", f"Tags: at most {MOST_TAGS}, each key once and not empty.")


def _check_cors(_: Shelf, __: Bucket, top: etree._Element) -> None:
    rules = top.findall("CORSRule")
    if not rules or any(rule.find(name) is None for rule in rules for name in ("AllowedOrigin", "AllowedMethod")):
        raise OssError("MalformedXML")


def _check_lifecycle(_: Shelf, __: Bucket, top: etree._Element) -> None:
    rules = top.findall("Rule")
    if not 1 <= len(rules) <= MOST_RULES:
        raise OssError("InvalidArgument", f"A lifecycle has 1 to {MOST_RULES} rules.")
    taken = {xml.text(rule, "ID") for rule in rules}
    for number, rule in enumerate(rules):
        if xml.text(rule, "Status") not in ("Enabled", "Disabled"):
            raise OssError("MalformedXML")
        if not xml.text(rule, "ID"):
            # The service names such a rule; the same names each time keep a second look equal to the first.
            names = (f"rule-{n}" for n in range(number, number + 2 * MOST_RULES))
            _set_first(rule, "ID", next(name for name in names if name not in taken))
            taken.add(xml.text(rule, "ID"))


def _set_first(parent: etree._Element, name: str, text: str) -> None:
    child = parent.find(name)
    if child is None:
        child = etree.Element(name)
        parent.insert(0, child)
    child.text = text


_CHECKS: dict[str, Callable[[Shelf, Bucket, etree._Element], None]] = {
    "cors": _check_cors,
    "encryption": _check_encryption,
    "lifecycle": _check_lifecycle,
    "logging": _check_logging,
    "publicAccessBlock": _check_public_access_block,
    "tagging": _check_tagging,
    "versioning": _check_versioning,
}


@cache
def _data() -> dict[str, Any]:
    text = (files("emulators.alicloud.oss") / "subresources.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data
