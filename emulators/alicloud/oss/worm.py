"""Retention policies (write once, read many): in progress for a day, then locked for good or gone."""

from __future__ import annotations

import secrets
from dataclasses import replace

from lxml import etree

from emulators.alicloud.oss import xml
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import Bucket, Shelf, Version, Worm
from emulators.http import Request, Response

DAY_SECONDS = 24 * 3600
MOST_DAYS = 25550  # 70 years (OSS API reference, InitiateBucketWorm; excerpt read 2026-11-22)


def policy_of(bucket: Bucket, now: float) -> Worm | None:
    """Return the policy in force; None where there is none or it was not locked within its day."""
    worm = bucket.worm
    if worm and worm.state == "InProgress" and now > worm.created + DAY_SECONDS:
        return None
    return worm


def refuse_change(bucket: Bucket, version: Version, now: float) -> None:
    """Raise `OssError` FileImmutable while a version is retained: neither its bytes nor the version may go."""
    worm = policy_of(bucket, now)
    if worm and not version.marker and now < version.modified + worm.days * DAY_SECONDS:
        raise OssError("FileImmutable")


def initiate(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `POST ?worm`: the new policy's id comes in a header, the body is empty."""
    if policy_of(bucket, shelf.now()):
        raise OssError("WORMConfigurationAlreadyExists")
    if bucket.versioning == "Suspended":
        raise OssError("InvalidWORMConfiguration", "Versioning of the bucket is suspended.")
    worm = Worm(secrets.token_hex(16).upper(), _days(request, "InitiateWormConfiguration"), shelf.now())
    shelf.keep_bucket(replace(bucket, worm=worm))
    return Response(200, headers={"x-oss-worm-id": worm.ident})


def complete(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `POST ?wormId=…`: lock the policy."""
    worm = _policy(shelf, bucket, request.query["wormId"])
    if worm.state == "Locked":
        raise OssError("WORMConfigurationLocked")
    shelf.keep_bucket(replace(bucket, worm=replace(worm, state="Locked")))
    return Response(200)


def extend(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `POST ?wormExtend&wormId=…`: lengthen a locked policy; it never gets shorter."""
    worm = _policy(shelf, bucket, request.query.get("wormId", ""))
    days = _days(request, "ExtendWormConfiguration")
    if worm.state != "Locked":
        raise OssError("InvalidWORMConfiguration", "The WORM Configuration is not locked.")
    if days < worm.days:
        raise OssError("InvalidWORMConfiguration", "The retention period cannot be shortened.")
    shelf.keep_bucket(replace(bucket, worm=replace(worm, days=days)))
    return Response(200)


def abort(shelf: Shelf, bucket: Bucket, _: Request) -> Response:
    """Answer `DELETE ?worm`: drop a policy that is not locked."""
    if _policy(shelf, bucket).state == "Locked":
        raise OssError("WORMConfigurationLocked")
    shelf.keep_bucket(replace(bucket, worm=None))
    return Response(204)


def show(shelf: Shelf, bucket: Bucket, _: Request) -> Response:
    """Answer `GET ?worm`."""
    worm = bucket.worm
    if worm is None:
        raise OssError("NoSuchWORMConfiguration")
    content: xml.Value = {
        "WormId": worm.ident,
        "State": worm.state if policy_of(bucket, shelf.now()) else "Expired",
        "RetentionPeriodInDays": worm.days,
        "CreationDate": xml.timestamp(worm.created),
        "ExpirationDate": xml.timestamp(worm.created + DAY_SECONDS) if worm.state == "InProgress" else None,
    }
    return Response(200, xml.render("WormConfiguration", content), {"Content-Type": "application/xml"})


def _policy(shelf: Shelf, bucket: Bucket, ident: str | None = None) -> Worm:
    worm = policy_of(bucket, shelf.now())
    if worm is None or ident not in (None, worm.ident):
        raise OssError("NoSuchWORMConfiguration")
    return worm


def _days(request: Request, root: str) -> int:
    top: etree._Element | None = xml.parse(request.body)
    if top is None or top.tag != root:
        raise OssError("MalformedXML")
    days = xml.text(top, "RetentionPeriodInDays")
    if not days.isdecimal() or not 1 <= int(days) <= MOST_DAYS:
        raise OssError("InvalidArgument", f"RetentionPeriodInDays must be 1 to {MOST_DAYS}.", ArgumentValue=days)
    return int(days)
