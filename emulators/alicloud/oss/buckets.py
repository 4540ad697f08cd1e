"""Buckets themselves: create, list, describe, open and close, delete."""

from __future__ import annotations

import re
from dataclasses import replace

from emulators.alicloud.oss import access, replication, subresources, xml
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import Bucket, Shelf, owner
from emulators.http import Request, Response

MOST_BUCKETS = 100
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_STORAGE_CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
_REDUNDANCIES = ("LRS", "ZRS")


def create(shelf: Shelf, name: str, region: str, request: Request) -> Response:
    """Answer `PUT /` of a bucket host."""
    if not _NAME.fullmatch(name):
        raise OssError("InvalidBucketName", BucketName=name)
    if shelf.find_bucket(name):
        raise OssError("BucketAlreadyExists", BucketName=name)
    if len(shelf.buckets()) >= MOST_BUCKETS:
        raise OssError("TooManyBuckets")
    top = xml.parse(request.body) if request.body.strip() else None
    if request.body.strip() and (top is None or top.tag != "CreateBucketConfiguration"):
        raise OssError("MalformedXML")
    headers = request.headers
    config = {}
    if algorithm := headers.get("x-oss-server-side-encryption"):
        config["encryption"] = subresources.encryption_document(
            algorithm,
            headers.get("x-oss-server-side-encryption-key-id", ""),
            headers.get("x-oss-server-side-data-encryption", ""),
        )
    if group := headers.get("x-oss-resource-group-id"):
        root = "BucketResourceGroupConfiguration"
        config["resourceGroup"] = xml.render(root, {"ResourceGroupId": group}).decode()
    bucket = Bucket(
        name,
        region,
        shelf.now(),
        acl=_one_of(headers.get("x-oss-acl") or "private", access.BUCKET_ACLS, "x-oss-acl"),
        storage_class=_one_of(
            (xml.text(top, "StorageClass") if top is not None else "") or "Standard",
            _STORAGE_CLASSES,
            "StorageClass",
        ),
        redundancy=_one_of(
            (xml.text(top, "DataRedundancyType") if top is not None else "") or "LRS",
            _REDUNDANCIES,
            "DataRedundancyType",
        ),
        config=config,
    )
    if bucket.acl in access.PUBLIC_ACLS and subresources.blocks_public(shelf, bucket):
        raise OssError("AccessDenied", "Put public bucket acl is not allowed")
    shelf.keep_bucket(bucket)
    return Response(200, headers={"Location": f"/{name}"})


def delete(shelf: Shelf, bucket: Bucket) -> Response:
    """Answer `DELETE /`: only an empty bucket goes. Versions, delete markers and unfinished uploads count."""
    if shelf.objects(bucket.name) or shelf.uploads(bucket.name):
        raise OssError("BucketNotEmpty", BucketName=bucket.name)
    shelf.drop_bucket(bucket.name)
    return Response(204)


def show_all(shelf: Shelf, request: Request) -> Response:
    """Answer `GET /` of the service host: the account's buckets, of every region."""
    query = request.query
    prefix, marker = query.get("prefix", ""), query.get("marker", "")
    limit = query.get("max-keys", "100")
    if not limit.isdecimal() or not 1 <= int(limit) <= 1000:
        raise OssError("InvalidArgument", "max-keys must be 1 to 1000.", ArgumentValue=limit)
    found = [bucket for bucket in shelf.buckets() if bucket.name.startswith(prefix) and bucket.name > marker]
    shown, more = found[: int(limit)], len(found) > int(limit)
    content: xml.Value = {
        "Owner": owner(),
        "Buckets": {"Bucket": [_entry(bucket) for bucket in shown]},
        "Prefix": prefix,
        "Marker": marker,
        "MaxKeys": limit,
        "IsTruncated": more,
        "NextMarker": shown[-1].name if more else None,
    }
    return Response(200, xml.render("ListAllMyBucketsResult", content), {"Content-Type": "application/xml"})


def show_info(bucket: Bucket) -> Response:
    """Answer `GET ?bucketInfo`."""
    rule = "ApplyServerSideEncryptionByDefault"
    encryption = {
        name: text
        for name in ("SSEAlgorithm", "KMSMasterKeyID", "KMSDataEncryption")
        if (text := bucket.configured("encryption", f"{rule}/{name}"))
    }
    group = bucket.configured("resourceGroup", "ResourceGroupId")
    default_group = xml.parse(subresources.table()["resourceGroup"].default.encode())
    if not group and default_group is not None:
        group = xml.text(default_group, "ResourceGroupId")
    content: xml.Value = {
        **_entry(bucket),
        "AccessMonitor": bucket.configured("accessMonitor", "Status") or "Disabled",
        "DataRedundancyType": bucket.redundancy,
        "ResourceGroupId": group,
        "Owner": owner(),
        "AccessControlList": {"Grant": bucket.acl},
        "BlockPublicAccess": bucket.configured("publicAccessBlock", "BlockPublicAccess") == "true",
        "CrossRegionReplication": "Enabled" if replication.replicates(bucket) else "Disabled",
        "TransferAcceleration": "Enabled"
        if bucket.configured("transferAcceleration", "Enabled") == "true"
        else "Disabled",
        "ServerSideEncryptionRule": encryption or {"SSEAlgorithm": "None"},
        "Versioning": bucket.versioning or None,
        "BucketPolicy": {
            "LogBucket": bucket.configured("logging", "LoggingEnabled/TargetBucket"),
            "LogPrefix": bucket.configured("logging", "LoggingEnabled/TargetPrefix"),
        },
    }
    return Response(200, xml.render("BucketInfo", {"Bucket": content}), {"Content-Type": "application/xml"})


def show_location(bucket: Bucket) -> Response:
    """Answer `GET ?location`."""
    body = xml.render("LocationConstraint", f"oss-{bucket.region}")
    return Response(200, body, {"Content-Type": "application/xml"})


def show_stat(shelf: Shelf, bucket: Bucket) -> Response:
    """Answer `GET ?stat`."""
    everything = [version for _, versions in shelf.objects(bucket.name) for version in versions]
    objects = [version for version in everything if not version.marker]
    size = sum(version.size for version in objects)
    content: xml.Value = {
        "Storage": size,
        "ObjectCount": len(objects),
        "MultipartUploadCount": len(shelf.uploads(bucket.name)),
        "LiveChannelCount": 0,
        "LastModifiedTime": int(max((v.modified for v in everything), default=bucket.created)),
        "StandardStorage": size,
        "StandardObjectCount": len(objects),
        "DeleteMarkerCount": len(everything) - len(objects),
    }
    return Response(200, xml.render("BucketStat", content), {"Content-Type": "application/xml"})


def show_acl(bucket: Bucket) -> Response:
    """Answer `GET ?acl`."""
    content: xml.Value = {"Owner": owner(), "AccessControlList": {"Grant": bucket.acl}}
    return Response(200, xml.render("AccessControlPolicy", content), {"Content-Type": "application/xml"})


def put_acl(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `PUT ?acl`, which has the ACL in a header."""
    acl = _one_of(request.headers.get("x-oss-acl", ""), access.BUCKET_ACLS, "x-oss-acl")
    if acl in access.PUBLIC_ACLS and subresources.blocks_public(shelf, bucket):
        raise OssError("AccessDenied", "Put public bucket acl is not allowed")
    shelf.keep_bucket(replace(bucket, acl=acl))
    return Response(200)


def _entry(bucket: Bucket) -> dict[str, xml.Value]:
    location = f"oss-{bucket.region}"
    return {
        "Name": bucket.name,
        "CreationDate": xml.timestamp(bucket.created),
        "Location": location,
        "Region": bucket.region,
        "StorageClass": bucket.storage_class,
        "ExtranetEndpoint": f"{location}.aliyuncs.com",
        "IntranetEndpoint": f"{location}-internal.aliyuncs.com",
    }


def _one_of(value: str, known: tuple[str, ...], name: str) -> str:
    if value not in known:
        raise OssError("InvalidArgument", f"no such {name}", ArgumentName=name, ArgumentValue=value)
    return value
