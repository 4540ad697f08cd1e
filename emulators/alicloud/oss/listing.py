"""What a bucket holds, page by page: objects (both versions of the call), object versions, uploads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from emulators.alicloud.oss import xml
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import Bucket, Shelf, Version, owner
from emulators.http import Request, Response

_MOST_KEYS = 1000
_USUAL_KEYS = 100


@dataclass(frozen=True)
class _Page:
    """Entries and common prefixes of one page; `last` is the key or prefix at which it stopped, "" at the end."""

    entries: tuple[tuple[str, Version, bool], ...]
    prefixes: tuple[str, ...]
    last: str = ""
    last_version: str = ""

    @property
    def truncated(self) -> bool:
        return bool(self.last)


def objects(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `GET /`."""
    query, encode = request.query, _encoder(request)
    page = _page(_current(shelf, bucket, request), request, query.get("marker", ""))
    content: xml.Value = {
        **_head(bucket, request, encode),
        "Marker": encode(query.get("marker", "")),
        "NextMarker": encode(page.last) if page.truncated else None,
        "IsTruncated": page.truncated,
        "Contents": [_content(key, version, encode, with_owner=True) for key, version, _ in page.entries],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }
    return _answer("ListBucketResult", content)


def objects_v2(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `GET /?list-type=2`."""
    query, encode = request.query, _encoder(request)
    token = query.get("continuation-token", "")
    page = _page(_current(shelf, bucket, request), request, _key_of(token) if token else query.get("start-after", ""))
    with_owner = query.get("fetch-owner") == "true"
    content: xml.Value = {
        **_head(bucket, request, encode),
        "StartAfter": encode(query["start-after"]) if "start-after" in query else None,
        "ContinuationToken": token or None,
        "NextContinuationToken": _token_of(page.last) if page.truncated else None,
        "IsTruncated": page.truncated,
        "KeyCount": len(page.entries) + len(page.prefixes),
        "Contents": [_content(key, version, encode, with_owner=with_owner) for key, version, _ in page.entries],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }
    return _answer("ListBucketResult", content)


def versions(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `GET ?versions`: every version and delete marker, newest of a key first."""
    query, encode = request.query, _encoder(request)
    everything = (
        (key, version, place == 0)
        for key, found in shelf.objects(bucket.name, query.get("prefix", ""))
        for place, version in enumerate(found)
    )
    page = _page(everything, request, query.get("key-marker", ""), query.get("version-id-marker", ""))
    content: xml.Value = {
        **_head(bucket, request, encode),
        "KeyMarker": encode(query.get("key-marker", "")),
        "VersionIdMarker": query.get("version-id-marker", ""),
        "NextKeyMarker": encode(page.last) if page.truncated else None,
        "NextVersionIdMarker": (page.last_version or None) if page.truncated else None,
        "IsTruncated": page.truncated,
        "Version": [
            {"VersionId": version.ident, "IsLatest": latest, **_content(key, version, encode, with_owner=True)}
            for key, version, latest in page.entries
            if not version.marker
        ],
        "DeleteMarker": [
            {
                "Key": encode(key),
                "VersionId": version.ident,
                "IsLatest": latest,
                "LastModified": xml.timestamp(version.modified),
                "Owner": owner(),
            }
            for key, version, latest in page.entries
            if version.marker
        ],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }
    return _answer("ListVersionsResult", content)


def uploads(shelf: Shelf, bucket: Bucket, request: Request) -> Response:
    """Answer `GET ?uploads`: the multipart uploads under way."""
    encode, prefix = _encoder(request), request.query.get("prefix", "")
    content: xml.Value = {
        "Bucket": bucket.name,
        "Prefix": encode(prefix),
        "KeyMarker": "",
        "UploadIdMarker": "",
        "MaxUploads": _MOST_KEYS,
        "IsTruncated": False,
        "EncodingType": request.query.get("encoding-type"),
        "Upload": [
            {"Key": encode(document["key"]), "UploadId": ident, "Initiated": xml.timestamp(document["began"])}
            for ident, document in shelf.uploads(bucket.name)
            if document["key"].startswith(prefix)
        ],
    }
    return _answer("ListMultipartUploadsResult", content)


def _current(shelf: Shelf, bucket: Bucket, request: Request) -> Iterable[tuple[str, Version, bool]]:
    for key, found in shelf.objects(bucket.name, request.query.get("prefix", "")):
        if not found[0].marker:
            yield key, found[0], True


def _page(
    everything: Iterable[tuple[str, Version, bool]], request: Request, after: str, after_version: str = ""
) -> _Page:
    """Return the page that begins behind a key, or behind one version of it."""
    query = request.query
    prefix, delimiter, limit = query.get("prefix", ""), query.get("delimiter", ""), _limit(query.get("max-keys"))
    entries: list[tuple[str, Version, bool]] = []
    prefixes: list[str] = []
    last, last_version, waiting = "", "", bool(after_version)
    for key, version, latest in everything:
        if key.encode() < after.encode() or (key == after and not after_version):
            continue
        if key == after and waiting:  # up to and with the marker's own version
            waiting = version.ident != after_version
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        group = key[: end + len(delimiter)] if end >= 0 else ""
        if group and (group == after or group in prefixes[-1:]):
            continue
        if len(entries) + len(prefixes) == limit:
            return _Page(tuple(entries), tuple(prefixes), last, last_version)
        if group:
            prefixes.append(group)
            last, last_version = group, ""
        else:
            entries.append((key, version, latest))
            last, last_version = key, version.ident
    return _Page(tuple(entries), tuple(prefixes))


def _head(bucket: Bucket, request: Request, encode: Callable[[str], str]) -> dict[str, xml.Value]:
    query = request.query
    return {
        "Name": bucket.name,
        "Prefix": encode(query.get("prefix", "")),
        "MaxKeys": _limit(query.get("max-keys")),
        "Delimiter": encode(query.get("delimiter", "")),
        "EncodingType": query.get("encoding-type"),
    }


def _content(key: str, version: Version, encode: Callable[[str], str], *, with_owner: bool) -> dict[str, xml.Value]:
    return {
        "Key": encode(key),
        "LastModified": xml.timestamp(version.modified),
        "ETag": f'"{version.etag}"',
        "Type": version.kind,
        "Size": version.size,
        "StorageClass": version.storage_class,
        "Owner": owner() if with_owner else None,
    }


def _limit(text: str | None) -> int:
    if text is None:
        return _USUAL_KEYS
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_KEYS:
        raise OssError("InvalidArgument", f"max-keys must be 1 to {_MOST_KEYS}.", ArgumentValue=text)
    return int(text)


def _encoder(request: Request) -> Callable[[str], str]:
    if request.query.get("encoding-type") == "url":
        return lambda text: quote(text, safe="")
    return lambda text: text


def _token_of(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


def _key_of(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise OssError("InvalidArgument", "The continuation token is invalid.", ArgumentValue=token) from error


def _answer(root: str, content: xml.Value) -> Response:
    return Response(200, xml.render(root, content), {"Content-Type": "application/xml"})
