"""OSS at its hosts: which bucket, which object, which operation; who asks; how errors come back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

from emulators.alicloud.account import AccessKey
from emulators.alicloud.oss import (
    access,
    buckets,
    errors,
    listing,
    multipart,
    objects,
    replication,
    signature,
    subresources,
    worm,
)
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import Bucket, Shelf, Version
from emulators.coverage import note_action, note_call
from emulators.http import Request, Response
from emulators.service import World

PRODUCT, VERSION = "Oss", "2019-05-17"
"""What OSS goes by in the list of what is asked for and what is emulated; the version is the one of its API."""

_HOST = re.compile(
    r"(?:(?P<bucket>[^.]+)\.)?oss-(?P<region>[a-z]{2,}-[a-z0-9-]+?)(?P<internal>-internal)?\.aliyuncs\.com"
)
_PLAIN_PREFIXES = ("x-oss-", "response-")
_Object = Callable[[Shelf, Bucket, str, Request], Response]
_Bucket = Callable[[Shelf, Bucket, Request], Response]

_ON_OBJECT: dict[tuple[str, str], tuple[str, _Object]] = {
    ("GET", ""): ("GetObject", objects.read),
    ("HEAD", ""): ("GetObject", objects.read),
    ("PUT", ""): ("PutObject", objects.put),
    ("DELETE", ""): ("DeleteObject", objects.delete),
    ("HEAD", "objectMeta"): ("GetObject", objects.show_meta),
    ("GET", "acl"): ("GetObjectAcl", objects.show_acl),
    ("PUT", "acl"): ("PutObjectAcl", objects.put_acl),
    ("GET", "tagging"): ("GetObjectTagging", objects.tagging),
    ("PUT", "tagging"): ("PutObjectTagging", objects.tagging),
    ("DELETE", "tagging"): ("DeleteObjectTagging", objects.tagging),
    ("POST", "uploads"): ("PutObject", multipart.begin),
    ("PUT", "uploadId"): ("PutObject", multipart.put_part),
    ("GET", "uploadId"): ("ListParts", multipart.show_parts),
    ("POST", "uploadId"): ("PutObject", multipart.complete),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", multipart.abort),
}
_ON_BUCKET: dict[tuple[str, str], tuple[str, _Bucket]] = {
    ("DELETE", ""): ("DeleteBucket", lambda shelf, bucket, _: buckets.delete(shelf, bucket)),
    ("GET", "bucketInfo"): ("GetBucketInfo", lambda _, bucket, __: buckets.show_info(bucket)),
    ("GET", "location"): ("GetBucketLocation", lambda _, bucket, __: buckets.show_location(bucket)),
    ("GET", "stat"): ("GetBucketStat", lambda shelf, bucket, _: buckets.show_stat(shelf, bucket)),
    ("GET", "acl"): ("GetBucketAcl", lambda _, bucket, __: buckets.show_acl(bucket)),
    ("PUT", "acl"): ("PutBucketAcl", buckets.put_acl),
    ("GET", "versions"): ("ListObjectVersions", listing.versions),
    ("GET", "uploads"): ("ListMultipartUploads", listing.uploads),
    ("POST", "delete"): ("DeleteMultipleObjects", objects.delete_many),
    ("GET", "policyStatus"): (
        "GetBucketPolicyStatus",
        lambda _, bucket, __: subresources.show_policy_status(bucket),
    ),
    ("POST", "replication"): ("PutBucketReplication", replication.change),
    ("GET", "replicationProgress"): ("GetBucketReplicationProgress", replication.show_progress),
    ("GET", "inventory"): ("GetBucketInventory", replication.show_inventory),
    ("PUT", "inventory"): ("PutBucketInventory", replication.put_inventory),
    ("DELETE", "inventory"): ("DeleteBucketInventory", replication.delete_inventory),
    ("GET", "worm"): ("GetBucketWorm", worm.show),
    ("POST", "worm"): ("InitiateBucketWorm", worm.initiate),
    ("DELETE", "worm"): ("AbortBucketWorm", worm.abort),
    ("POST", "wormId"): ("CompleteBucketWorm", worm.complete),
    ("POST", "wormExtend"): ("ExtendBucketWorm", worm.extend),
}


class ObjectStorage:
    """The OSS of every region. Buckets live in the region of the host at which they were made."""

    name = "OSS"

    def __init__(self, world: World) -> None:
        self._world = world
        self._shelf = Shelf(world)

    def owns(self, host: str) -> bool:
        """Return whether `host` is an OSS endpoint or a bucket's host."""
        return _HOST.fullmatch(host) is not None

    def handle(self, request: Request) -> Response:
        """Answer one request, errors in OSS's own XML."""
        request_id = secrets.token_hex(12).upper()
        try:
            response = self._answer(request)
        except OssError as error:
            if isinstance(error, NotEmulated):
                note_action(self._world.store, PRODUCT, VERSION, error.asked)
            response = errors.answer(error, request, request_id)
        headers = {"Server": "AliyunOSS", "x-oss-request-id": request_id, **response.headers}
        return replace(response, headers=headers)

    def _answer(self, request: Request) -> Response:
        place = _HOST.fullmatch(request.host)
        if place is None:
            raise OssError("InvalidArgument", f"{request.host} is no OSS host.")
        name, region, key = place["bucket"] or "", place["region"], request.path[1:]
        if not name and key:
            raise OssError("SecondLevelDomainForbidden")
        caller = signature.authenticate(
            request, signature.Resource(name, key), region, self._world.store, self._world.now()
        )
        return self.perform(request, name, region, caller)

    def perform(self, request: Request, name: str, region: str, caller: AccessKey | None) -> Response:
        """Answer a request of a caller who is known, for the bucket `name` ("" for the service). Raises `OssError`."""
        key = request.path[1:]
        if not name:
            return self._on_service(request, caller)
        sub_resource = _sub_resource(request)
        if (request.method, sub_resource, key) == ("PUT", "", ""):
            access.authorize_on_service(
                self._world.store, caller, "oss:PutBucket", secure=request.secure, bucket=name, region=region
            )
            note_call(PRODUCT, VERSION, "PutBucket")
            return buckets.create(self._shelf, name, region, request)
        bucket = self._shelf.bucket(name)
        if bucket.region != region:
            raise OssError(
                "AccessDenied",
                "The bucket you are attempting to access must be addressed using the specified endpoint. "
                "Please send all future requests to this endpoint.",
                Bucket=name,
                Endpoint=f"oss-{bucket.region}.aliyuncs.com",
            )
        operation, perform = self._operation(bucket, key, sub_resource, request)
        version = self._asked_version(bucket, key, request)
        store, secure = self._world.store, request.secure
        access.authorize(store, caller, bucket, key, f"oss:{operation}", secure=secure, version=version)
        if caller and "x-oss-copy-source" in request.headers:
            source, copied = objects.copy_source(self._shelf, request)
            path = unquote(request.headers["x-oss-copy-source"].partition("?")[0]).lstrip("/")
            read = path.partition("/")[2]
            access.authorize(store, caller, source, read, "oss:GetObject", secure=secure, version=copied)
        note_call(PRODUCT, VERSION, operation)
        return perform()

    def _on_service(self, request: Request, caller: AccessKey | None) -> Response:
        sub_resource = _sub_resource(request)
        listing_all = (request.method, sub_resource) == ("GET", "")
        action = "ListBuckets" if listing_all else f"{request.method.title()}PublicAccessBlock"
        access.authorize_on_service(self._world.store, caller, f"oss:{action}", secure=request.secure)
        note_call(PRODUCT, VERSION, action)
        if listing_all:
            return buckets.show_all(self._shelf, request)
        if sub_resource == "publicAccessBlock":
            return subresources.handle(self._shelf, subresources.account(self._shelf), sub_resource, request)
        raise NotEmulated(request, sub_resource, "the service")

    def _operation(
        self, bucket: Bucket, key: str, sub_resource: str, request: Request
    ) -> tuple[str, Callable[[], Response]]:
        """Return an operation's name, as policies know it, and what performs it."""
        shelf = self._shelf
        if key:
            if (request.method, sub_resource) == ("PUT", "") and "x-oss-copy-source" in request.headers:
                return "PutObject", lambda: objects.copy(shelf, bucket, key, request)
            found = _ON_OBJECT.get((request.method, sub_resource))
            if found is None:
                raise NotEmulated(request, sub_resource, "an object")
            operation, on_object = found
            return operation, lambda: on_object(shelf, bucket, key, request)
        if (request.method, sub_resource) == ("GET", ""):
            list_them = listing.objects_v2 if request.query.get("list-type") == "2" else listing.objects
            return "ListObjects", lambda: list_them(shelf, bucket, request)
        if (request.method, sub_resource) in _ON_BUCKET:
            operation, on_bucket = _ON_BUCKET[request.method, sub_resource]
            return operation, lambda: on_bucket(shelf, bucket, request)
        row = subresources.table().get(sub_resource)
        if row is None:
            raise NotEmulated(request, sub_resource, "a bucket")
        operation = request.method.title() + row.operation
        return operation, lambda: subresources.handle(shelf, bucket, sub_resource, request)

    def _asked_version(self, bucket: Bucket, key: str, request: Request) -> Version | None:
        """Return the version whose ACL decides about a request of the public."""
        ident = request.query.get("versionId")
        found = self._shelf.versions(bucket.name, key) if key else []
        return next((one for one in found if ident in (None, one.ident)), None)


def _sub_resource(request: Request) -> str:
    """Return the sub-resource that a query names: the first key that is no plain parameter; "" for none."""
    known = subresources.parameters()
    names = [name for name in request.query if name not in known and not name.startswith(_PLAIN_PREFIXES)]
    names += [name for name in ("x-oss-process", "x-oss-async-process") if name in request.query]
    # ?wormExtend&wormId=… comes in either order; it is the extension that is asked for.
    return "wormExtend" if "wormExtend" in names else subresources.canonical(next(iter(names), ""))


def operations() -> list[str]:
    """Return the operations that are emulated, as policies name them."""
    rows = subresources.table().values()
    named = {name for name, _ in (*_ON_OBJECT.values(), *_ON_BUCKET.values())}
    configured = {method.title() + row.operation for row in rows for method in row.methods}
    return sorted(named | configured | {"PutBucket", "ListBuckets", "ListObjects"})


class NotEmulated(OssError):
    """Something that OSS may have and the emulator has not; `asked` names it."""

    def __init__(self, request: Request, sub_resource: str, subject: str) -> None:
        what = f"{request.method} ?{sub_resource}" if sub_resource else request.method
        self.asked = f"{what} on {subject}"
        super().__init__(
            "NotImplemented",
            f"The emulator does not implement {self.asked}.",
            Header=sub_resource or request.method,
        )
