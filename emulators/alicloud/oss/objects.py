"""Objects: write, read, copy, delete, with versions, conditions, retention and checksums."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import crcmod

from emulators.alicloud.oss import access, worm, xml
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import NULL_VERSION, Bucket, Shelf, Version, owner
from emulators.http import Request, Response

MOST_KEY_BYTES = 1023
MOST_TAGS = 10
MOST_DELETES = 1000
_KEPT_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_OVERRIDES = (
    "content-type",
    "content-language",
    "expires",
    "cache-control",
    "content-disposition",
    "content-encoding",
)
_ENCRYPTION_HEADERS = {
    "SSEAlgorithm": "x-oss-server-side-encryption",
    "KMSMasterKeyID": "x-oss-server-side-encryption-key-id",
    "KMSDataEncryption": "x-oss-server-side-data-encryption",
}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def put(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `PUT /key`."""
    refuse_wrong_digest(request)
    version = write(shelf, bucket, key, request.headers, request.body, etag=_md5(request.body).hex().upper())
    return Response(200, headers={**_proof(version), **version_header(bucket, version)})


def write(
    shelf: Shelf,
    bucket: Bucket,
    key: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    etag: str,
    kind: str = "Normal",
    tags: Mapping[str, str] | None = None,
) -> Version:
    """Keep bytes as the newest version of an object and return it.

    Raises `OssError` FileAlreadyExists (x-oss-forbid-overwrite), FileImmutable, InvalidObjectName, InvalidArgument.
    """
    if not 1 <= len(key.encode()) <= MOST_KEY_BYTES or key[0] in "/\\":
        raise OssError("InvalidObjectName", ObjectName=key)
    found = shelf.versions(bucket.name, key)
    refuse_overwrite(shelf, bucket, found, headers)
    acl = headers.get("x-oss-object-acl", "default")
    if acl not in access.OBJECT_ACLS:
        raise OssError("InvalidArgument", ArgumentName="x-oss-object-acl", ArgumentValue=acl)
    version = Version(
        shelf.new_version_id() if bucket.versioning == "Enabled" else NULL_VERSION,
        shelf.now(),
        digest=shelf.keep_bytes(body),
        size=len(body),
        etag=etag,
        crc64=crc64(body),
        headers=_kept(headers, bucket),
        tags=_tags_of_header(headers) if tags is None else tags,
        storage_class=headers.get("x-oss-storage-class", bucket.storage_class),
        acl=acl,
        kind=kind,
    )
    shelf.keep_versions(bucket.name, key, _with_newest(bucket, found, version))
    return version


def refuse_overwrite(shelf: Shelf, bucket: Bucket, found: list[Version], headers: Mapping[str, str]) -> None:
    """Raise `OssError` when a write would replace what must stay.

    Where versioning is or was on, nothing is replaced, and OSS ignores x-oss-forbid-overwrite
    (OSS API reference, from knowledge: pages not opened).
    """
    if bucket.versioning == "Enabled" or not found:
        return
    if not bucket.versioning and headers.get("x-oss-forbid-overwrite", "").lower() == "true":
        raise OssError("FileAlreadyExists")
    for version in found:
        if version.ident == NULL_VERSION:
            worm.refuse_change(bucket, version, shelf.now())


def read(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `GET /key` and `HEAD /key`."""
    version = current(shelf, bucket, key, request.query.get("versionId"))
    headers = {**_proof(version), **version_header(bucket, version), **described(version)}
    headers |= {name: request.query[f"response-{name}"] for name in _OVERRIDES if f"response-{name}" in request.query}
    refuse_unmet(request.headers, version)
    if request.method == "HEAD":
        return Response(200, headers={**headers, "Content-Length": str(version.size)})
    body = shelf.bytes_of(version)
    wanted = span(request.headers.get("range", ""), version.size)
    if wanted is None:
        return Response(200, body, headers)
    first, last = wanted
    headers["Content-Range"] = f"bytes {first}-{last}/{version.size}"
    return Response(206, body[first : last + 1], headers)


def show_meta(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `HEAD /key?objectMeta`."""
    version = current(shelf, bucket, key, request.query.get("versionId"))
    headers = {
        "ETag": f'"{version.etag}"',
        "Last-Modified": formatdate(version.modified, usegmt=True),
        "Content-Length": str(version.size),
        "x-oss-hash-crc64ecma": version.crc64,
    }
    return Response(200, headers={**headers, **version_header(bucket, version)})


def current(shelf: Shelf, bucket: Bucket, key: str, ident: str | None) -> Version:
    """Return a version of an object, the newest one without `ident`. Raises `OssError` NoSuchKey, NoSuchVersion."""
    found = shelf.versions(bucket.name, key)
    if ident is None:
        if not found or found[0].marker:
            raise OssError("NoSuchKey", Key=key)
        return found[0]
    version = next((one for one in found if one.ident == ident), None)
    if version is None:
        raise OssError("NoSuchVersion", Key=key, VersionId=ident)
    if version.marker:
        raise OssError("MethodNotAllowed", Method="GET", ResourceType="DeleteMarker")
    return version


def copy(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `PUT /key` with x-oss-copy-source."""
    source, version = copy_source(shelf, request)
    replaced = request.headers.get("x-oss-metadata-directive", "COPY").upper() == "REPLACE"
    headers = dict(request.headers)
    if not replaced:
        headers = {name: text for name, text in headers.items() if name not in _KEPT_HEADERS}
        headers = {name: text for name, text in headers.items() if not name.startswith("x-oss-meta-")}
        headers |= {name.lower(): text for name, text in version.headers.items()} | _encryption_asked(request)
    tagged = request.headers.get("x-oss-tagging-directive", "COPY").upper() == "REPLACE"
    made = write(
        shelf,
        bucket,
        key,
        headers,
        shelf.bytes_of(version),
        etag=version.etag,
        kind=version.kind,
        tags=None if tagged else version.tags,
    )
    content: xml.Value = {"LastModified": xml.timestamp(made.modified), "ETag": f'"{made.etag}"'}
    more = {"x-oss-copy-source-version-id": version.ident} if source.versioning else {}
    return Response(
        200,
        xml.render("CopyObjectResult", content),
        {"Content-Type": "application/xml", **_proof(made), **version_header(bucket, made), **more},
    )


def copy_source(shelf: Shelf, request: Request) -> tuple[Bucket, Version]:
    """Return bucket and version that x-oss-copy-source names, its conditions met."""
    path, _, query = request.headers["x-oss-copy-source"].partition("?")
    name, _, key = unquote(path).lstrip("/").partition("/")
    source = shelf.bucket(name)
    version = current(shelf, source, key, dict(parse_qsl(query)).get("versionId"))
    prefix = "x-oss-copy-source-"
    conditions = {
        header.removeprefix(prefix): text
        for header, text in request.headers.items()
        if header.startswith(f"{prefix}if-")
    }
    refuse_unmet(conditions, version)
    return source, version


def delete(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `DELETE /key`: 204, also where there was nothing."""
    removed = remove(shelf, bucket, key, request.query.get("versionId"))
    headers = version_header(bucket, removed) if removed else {}
    if removed and removed.marker:
        headers["x-oss-delete-marker"] = "true"
    return Response(204, headers=headers)


def remove(shelf: Shelf, bucket: Bucket, key: str, ident: str | None) -> Version | None:
    """Delete a version, or without `ident` the object: under versioning that puts a delete marker on top.

    Returns the version that went or the marker that came; None where there was nothing. Raises FileImmutable.
    """
    found = shelf.versions(bucket.name, key)
    if ident is None and bucket.versioning:
        null = NULL_VERSION if bucket.versioning == "Suspended" else shelf.new_version_id()
        marker = Version(null, shelf.now(), marker=True)
        if null == NULL_VERSION:
            for version in found:
                if version.ident == NULL_VERSION:
                    worm.refuse_change(bucket, version, shelf.now())
        shelf.keep_versions(bucket.name, key, _with_newest(bucket, found, marker))
        return marker
    gone = next((one for one in found if ident is None or one.ident == ident), None)
    if gone:
        worm.refuse_change(bucket, gone, shelf.now())
        shelf.keep_versions(bucket.name, key, [one for one in found if one is not gone])
    return gone


def delete_many(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `POST ?delete`. What is retained stays, and is missing from the answer's list."""
    refuse_wrong_digest(request)
    top = xml.parse(request.body)
    asked = top.findall("Object") if top is not None and top.tag == "Delete" else []
    if top is None or not 1 <= len(asked) <= MOST_DELETES:
        raise OssError("MalformedXML")
    encoded = request.query.get("encoding-type") == "url"
    done: list[xml.Value] = []
    for item in asked:
        # Keys are taken as they stand: leading and trailing blanks belong to them.
        key, ident = item.findtext("Key") or "", xml.text(item, "VersionId") or None
        try:
            removed = remove(shelf, bucket, key, ident)
        except OssError:
            continue
        came = removed is not None and removed.marker and removed.ident
        done.append(
            {
                "Key": quote(key, safe="") if encoded else key,
                "VersionId": ident,
                "DeleteMarker": True if came else None,
                "DeleteMarkerVersionId": came or None,
            }
        )
    content: dict[str, xml.Value] = {"EncodingType": "url" if encoded else None}
    if xml.text(top, "Quiet") != "true":
        content["Deleted"] = done
    return Response(200, xml.render("DeleteResult", content), {"Content-Type": "application/xml"})


def show_acl(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `GET /key?acl`."""
    version = current(shelf, bucket, key, request.query.get("versionId"))
    content: xml.Value = {"Owner": owner(), "AccessControlList": {"Grant": version.acl}}
    return Response(
        200,
        xml.render("AccessControlPolicy", content),
        {"Content-Type": "application/xml", **version_header(bucket, version)},
    )


def put_acl(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `PUT /key?acl`."""
    acl = request.headers.get("x-oss-object-acl", "")
    if acl not in access.OBJECT_ACLS:
        raise OssError("InvalidArgument", ArgumentName="x-oss-object-acl", ArgumentValue=acl)
    return _change(shelf, bucket, key, request, 200, acl=acl)


def tagging(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer GET, PUT and DELETE of `/key?tagging`."""
    if request.method == "GET":
        version = current(shelf, bucket, key, request.query.get("versionId"))
        tags: xml.Value = {"Tag": [{"Key": name, "Value": text} for name, text in version.tags.items()]}
        return Response(
            200,
            xml.render("Tagging", {"TagSet": tags}),
            {"Content-Type": "application/xml", **version_header(bucket, version)},
        )
    if request.method == "DELETE":
        return _change(shelf, bucket, key, request, 204, tags={})
    top = xml.parse(request.body)
    if top is None or top.tag != "Tagging":
        raise OssError("MalformedXML", Expected="Tagging")
    pairs = [(xml.text(tag, "Key"), xml.text(tag, "Value")) for tag in top.iterfind("TagSet/Tag")]
    return _change(shelf, bucket, key, request, 200, tags=_checked_tags(pairs))


def version_header(bucket: Bucket, version: Version) -> dict[str, str]:
    """Return the header that names a version; none in a bucket that never had versioning."""
    return {"x-oss-version-id": version.ident} if bucket.versioning else {}


def described(version: Version) -> dict[str, str]:
    """Return the headers that describe an object to its readers."""
    headers = {
        "Content-Type": "application/octet-stream",
        **version.headers,
        "Last-Modified": formatdate(version.modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "x-oss-object-type": version.kind,
        "x-oss-storage-class": version.storage_class,
    }
    if version.tags:
        headers["x-oss-tagging-count"] = str(len(version.tags))
    return headers


def refuse_wrong_digest(request: Request) -> None:
    """Raise `OssError` InvalidDigest when Content-MD5 doesn't fit the body."""
    given = request.headers.get("content-md5")
    if given and given != base64.b64encode(_md5(request.body)).decode():
        raise OssError("InvalidDigest")


def refuse_unmet(headers: Mapping[str, str], version: Version) -> None:
    """Raise `OssError` PreconditionFailed or NotModified when a condition in `headers` doesn't hold."""
    modified = int(version.modified)
    tag = version.etag
    if "if-match" in headers and not _names(headers["if-match"], tag):
        raise OssError("PreconditionFailed", Condition="If-Match")
    if (since := _date(headers.get("if-unmodified-since"))) is not None and modified > since:
        raise OssError("PreconditionFailed", Condition="If-Unmodified-Since")
    if "if-none-match" in headers and _names(headers["if-none-match"], tag):
        raise OssError("NotModified")
    if (since := _date(headers.get("if-modified-since"))) is not None and modified <= since:
        raise OssError("NotModified")


def _change(shelf: Shelf, bucket: Bucket, key: str, request: Request, status: int, **changes: Any) -> Response:
    version = current(shelf, bucket, key, request.query.get("versionId"))
    changed = replace(version, **changes)
    found = shelf.versions(bucket.name, key)
    shelf.keep_versions(bucket.name, key, [changed if one == version else one for one in found])
    return Response(status, headers=version_header(bucket, version))


def _with_newest(bucket: Bucket, found: list[Version], newest: Version) -> list[Version]:
    if bucket.versioning:
        return [newest, *(one for one in found if one.ident != newest.ident)]
    return [newest]


def _proof(version: Version) -> dict[str, str]:
    """Return the headers by which a client checks what it sent or got, and learns how it is encrypted."""
    headers = {"ETag": f'"{version.etag}"', "x-oss-hash-crc64ecma": version.crc64}
    if version.kind == "Normal":
        headers["Content-MD5"] = base64.b64encode(bytes.fromhex(version.etag)).decode()
    encryption = {name: version.headers[name] for name in _ENCRYPTION_HEADERS.values() if name in version.headers}
    return headers | encryption


def _kept(headers: Mapping[str, str], bucket: Bucket) -> dict[str, str]:
    """Return what reading gives back: content headers, user metadata, encryption asked for or the bucket's own."""
    kept = {name.title(): headers[name] for name in _KEPT_HEADERS if name in headers}
    kept["Content-Type"] = headers.get("content-type", "application/octet-stream")
    kept |= {name: text for name, text in headers.items() if name.startswith("x-oss-meta-")}
    asked = {name: headers[name] for name in _ENCRYPTION_HEADERS.values() if name in headers}
    rule = "ApplyServerSideEncryptionByDefault"
    usual = {
        header: text
        for element, header in _ENCRYPTION_HEADERS.items()
        if (text := bucket.configured("encryption", f"{rule}/{element}"))
    }
    return kept | (asked or usual)


def _encryption_asked(request: Request) -> dict[str, str]:
    return {name: request.headers[name] for name in _ENCRYPTION_HEADERS.values() if name in request.headers}


def _tags_of_header(headers: Mapping[str, str]) -> dict[str, str]:
    return _checked_tags(parse_qsl(headers.get("x-oss-tagging", ""), keep_blank_values=True))


def _checked_tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    tags = dict(pairs)
    if len(tags) != len(pairs) or len(tags) > MOST_TAGS or "" in tags:
        raise OssError("InvalidArgument", f"Tags: at most {MOST_TAGS}, each key once and not empty.")
    return tags


def span(header: str, size: int) -> tuple[int, int] | None:
    """Return first and last byte that a Range header asks for; None for the whole: OSS ignores a range that is none."""
    match = _RANGE.fullmatch(header.strip())
    if not match or not any(match.groups()):
        return None
    begin, end = match.groups()
    first = int(begin) if begin else max(0, size - int(end))
    last = min(int(end), size - 1) if begin and end else size - 1
    return (first, last) if first <= last else None


def _names(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in (part.strip().strip('"') for part in header.split(","))


def _date(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None


def _md5(body: bytes) -> bytes:
    return hashlib.md5(body, usedforsecurity=False).digest()


def crc64(body: bytes) -> str:
    """Return the checksum that OSS computes of every object: CRC-64/XZ (ECMA-182, reflected), in decimal."""
    return str(_crc64_function()(body))


@cache
def _crc64_function() -> Any:
    return crcmod.mkCrcFun(0x142F0E1EBA9EA3693, initCrc=0, xorOut=0xFFFFFFFFFFFFFFFF)
