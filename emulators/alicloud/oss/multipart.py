"""Multipart uploads: begin, parts, list, complete, abort."""

from __future__ import annotations

import hashlib

from emulators.alicloud.oss import objects, xml
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import Bucket, Shelf, Version
from emulators.http import Request, Response

MOST_PARTS = 10_000
LEAST_PART_BYTES = 100 * 1024  # every part but the last (OSS API reference, from knowledge)


def begin(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `POST /key?uploads`."""
    objects.refuse_overwrite(shelf, bucket, shelf.versions(bucket.name, key), request.headers)
    ident = shelf.new_upload_id()
    headers = {name: text for name, text in request.headers.items() if name not in ("authorization", "content-length")}
    document = {"bucket": bucket.name, "key": key, "began": shelf.now(), "headers": headers, "parts": {}}
    shelf.keep_upload(ident, document)
    content: xml.Value = {"Bucket": bucket.name, "Key": key, "UploadId": ident}
    return _answer("InitiateMultipartUploadResult", content)


def put_part(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `PUT /key?uploadId&partNumber`, with a body or as a copy of a range of another object."""
    ident, number = request.query["uploadId"], request.query.get("partNumber", "")
    upload = shelf.upload(bucket.name, key, ident)
    if not number.isdecimal() or not 1 <= int(number) <= MOST_PARTS:
        raise OssError("InvalidArgument", f"Part number must be 1 to {MOST_PARTS}.", ArgumentValue=number)
    objects.refuse_wrong_digest(request)
    copied = "x-oss-copy-source" in request.headers
    body = _copied(shelf, request) if copied else request.body
    etag = hashlib.md5(body, usedforsecurity=False).hexdigest().upper()
    part = {
        "digest": shelf.keep_bytes(body),
        "size": len(body),
        "etag": etag,
        "modified": shelf.now(),
    }
    shelf.keep_upload(ident, {**upload, "parts": {**upload["parts"], number: part}})
    if copied:
        return _answer("CopyPartResult", {"LastModified": xml.timestamp(shelf.now()), "ETag": f'"{etag}"'})
    return Response(200, headers={"ETag": f'"{etag}"', "x-oss-hash-crc64ecma": objects.crc64(body)})


def show_parts(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `GET /key?uploadId`."""
    ident = request.query["uploadId"]
    parts = sorted(shelf.upload(bucket.name, key, ident)["parts"].items(), key=lambda item: int(item[0]))
    content: xml.Value = {
        "Bucket": bucket.name,
        "Key": key,
        "UploadId": ident,
        "NextPartNumberMarker": parts[-1][0] if parts else 0,
        "MaxParts": MOST_PARTS,
        "IsTruncated": False,
        "Part": [
            {
                "PartNumber": number,
                "LastModified": xml.timestamp(part["modified"]),
                "ETag": f'"{part["etag"]}"',
                "Size": part["size"],
            }
            for number, part in parts
        ],
    }
    return _answer("ListPartsResult", content)


def complete(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `POST /key?uploadId`: the parts that the body lists (or all) become the object."""
    ident = request.query["uploadId"]
    upload = shelf.upload(bucket.name, key, ident)
    parts = upload["parts"]
    numbers = _asked(request, parts)
    chosen = [parts[str(number)] for number in numbers]
    if any(part["size"] < LEAST_PART_BYTES for part in chosen[:-1]):
        raise OssError("EntityTooSmall")
    joined = hashlib.md5(b"".join(bytes.fromhex(part["etag"]) for part in chosen), usedforsecurity=False)
    etag = f"{joined.hexdigest().upper()}-{len(chosen)}"
    body = b"".join(shelf.bytes_of(Version("", 0, digest=part["digest"])) for part in chosen)
    headers = upload["headers"] | {
        name: text for name, text in request.headers.items() if name == "x-oss-forbid-overwrite"
    }
    made = objects.write(shelf, bucket, key, headers, body, etag=etag, kind="Multipart")
    shelf.drop_upload(ident)
    content: xml.Value = {
        "Location": f"https://{request.host}/{key}",
        "Bucket": bucket.name,
        "Key": key,
        "ETag": f'"{etag}"',
    }
    more = {"ETag": f'"{etag}"', "x-oss-hash-crc64ecma": made.crc64, **objects.version_header(bucket, made)}
    return _answer("CompleteMultipartUploadResult", content, more)


def abort(shelf: Shelf, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer `DELETE /key?uploadId`."""
    ident = request.query["uploadId"]
    shelf.upload(bucket.name, key, ident)
    shelf.drop_upload(ident)
    return Response(204)


def _asked(request: Request, parts: dict[str, dict[str, str]]) -> list[int]:
    if request.headers.get("x-oss-complete-all", "").lower() == "yes":
        return sorted(map(int, parts))
    top = xml.parse(request.body)
    if top is None or top.tag != "CompleteMultipartUpload":
        raise OssError("MalformedXML")
    numbers = []
    for part in top.iterfind("Part"):
        number, etag = xml.text(part, "PartNumber"), xml.text(part, "ETag").strip('"').upper()
        if number not in parts or (etag and parts[number]["etag"] != etag):
            raise OssError("InvalidPart", PartNumber=number, ETag=etag)
        numbers.append(int(number))
    if not numbers or numbers != sorted(set(numbers)):
        raise OssError("InvalidPartOrder")
    return numbers


def _copied(shelf: Shelf, request: Request) -> bytes:
    _, version = objects.copy_source(shelf, request)
    span = objects.span(request.headers.get("x-oss-copy-source-range", ""), version.size)
    body = shelf.bytes_of(version)
    return body if span is None else body[span[0] : span[1] + 1]


def _answer(root: str, content: xml.Value, headers: dict[str, str] | None = None) -> Response:
    return Response(200, xml.render(root, content), {"Content-Type": "application/xml", **(headers or {})})
