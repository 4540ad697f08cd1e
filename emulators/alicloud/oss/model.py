"""Buckets and object versions, as they are kept in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.oss import xml
from emulators.alicloud.oss.errors import OssError
from emulators.service import World

ACCOUNT = "oss.account"
BUCKETS = "oss.bucket"
OBJECTS = "oss.object"
UPLOADS = "oss.upload"
NULL_VERSION = "null"
"""The id of a version that was written while versioning was off or suspended."""


@dataclass(frozen=True)
class Worm:
    """A bucket's retention policy. `state` is "InProgress" or "Locked"; an unlocked one ends a day after `created`."""

    ident: str
    days: int
    created: float
    state: str = "InProgress"


@dataclass(frozen=True)
class Bucket:
    """A bucket. `config` holds the document of each configured sub-resource as text."""

    name: str
    region: str
    created: float
    acl: str = "private"
    storage_class: str = "Standard"
    redundancy: str = "LRS"
    config: Mapping[str, str] = field(default_factory=dict)
    worm: Worm | None = None

    def configured(self, sub_resource: str, path: str) -> str:
        """Return the text at a path of a configured sub-resource; "" when there is none."""
        body = self.config.get(sub_resource)
        top = xml.parse(body.encode()) if body else None
        return xml.text(top, path) if top is not None else ""

    @property
    def versioning(self) -> str:
        """Return "Enabled", "Suspended", or "" where it was never on."""
        return self.configured("versioning", "Status")


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker. `digest` finds its bytes; `modified` is seconds since the epoch;
    `headers` are those that reading gives back (content type and the like, and x-oss-meta-…)."""

    ident: str
    modified: float
    marker: bool = False
    digest: str = ""
    size: int = 0
    etag: str = ""
    crc64: str = "0"
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "Standard"
    acl: str = "default"
    kind: str = "Normal"


class Shelf:
    """Buckets and objects in the store."""

    def __init__(self, world: World) -> None:
        self._store = world.store
        self.now = world.now

    def bucket(self, name: str) -> Bucket:
        """Return a bucket. Raises `OssError` NoSuchBucket."""
        found = self.find_bucket(name)
        if found is None:
            raise OssError("NoSuchBucket", BucketName=name)
        return found

    def find_bucket(self, name: str) -> Bucket | None:
        """Return a bucket, or None."""
        document = self._store.get(BUCKETS, name)
        return _bucket(document) if document else None

    def buckets(self) -> list[Bucket]:
        """Return all buckets by name."""
        return sorted((_bucket(document) for _, document in self._store.all(BUCKETS)), key=lambda b: b.name)

    def keep_bucket(self, bucket: Bucket) -> None:
        """Create or replace a bucket."""
        self._store.put(BUCKETS, bucket.name, asdict(bucket))

    def drop_bucket(self, name: str) -> None:
        """Delete a bucket."""
        self._store.delete(BUCKETS, name)

    def account(self) -> dict[str, str]:
        """Return the account's own sub-resource documents."""
        return self._store.get(ACCOUNT, ACCOUNT_ID) or {}

    def keep_account(self, config: Mapping[str, str]) -> None:
        """Replace the account's own sub-resource documents."""
        self._store.put(ACCOUNT, ACCOUNT_ID, dict(config))

    def versions(self, bucket: str, key: str) -> list[Version]:
        """Return the versions of an object, newest first; [] when there is none."""
        document = self._store.get(OBJECTS, f"{bucket}/{key}")
        return [Version(**version) for version in document["versions"]] if document else []

    def keep_versions(self, bucket: str, key: str, versions: list[Version]) -> None:
        """Replace the versions of an object; none deletes it."""
        if versions:
            self._store.put(OBJECTS, f"{bucket}/{key}", {"versions": [asdict(one) for one in versions]})
        else:
            self._store.delete(OBJECTS, f"{bucket}/{key}")

    def objects(self, bucket: str, prefix: str = "") -> list[tuple[str, list[Version]]]:
        """Return (key, versions) of a bucket in the order of the keys' UTF-8 bytes."""
        skip = len(bucket) + 1
        found = [
            (ident[skip:], [Version(**version) for version in document["versions"]])
            for ident, document in self._store.all(OBJECTS, f"{bucket}/{prefix}")
        ]
        return sorted(found, key=lambda item: item[0].encode())

    def keep_bytes(self, body: bytes) -> str:
        """Keep bytes; return by what `bytes_of` finds them."""
        return self._store.put_blob(body)

    def bytes_of(self, version: Version) -> bytes:
        """Return the content of a version."""
        return self._store.blob(version.digest)

    def new_version_id(self) -> str:
        """Return an id for a version; later ones sort after earlier ones."""
        return f"CAEQ{self._store.next('oss.version'):016X}"

    def uploads(self, bucket: str) -> list[tuple[str, dict[str, Any]]]:
        """Return (id, document) of the multipart uploads under way in a bucket, oldest first."""
        return [item for item in self._store.all(UPLOADS) if item[1]["bucket"] == bucket]

    def upload(self, bucket: str, key: str, ident: str) -> dict[str, Any]:
        """Return a multipart upload under way. Raises `OssError` NoSuchUpload."""
        document = self._store.get(UPLOADS, ident)
        if document is None or (document["bucket"], document["key"]) != (bucket, key):
            raise OssError("NoSuchUpload", UploadId=ident)
        return document

    def keep_upload(self, ident: str, document: dict[str, Any]) -> None:
        """Create or replace a multipart upload."""
        self._store.put(UPLOADS, ident, document)

    def drop_upload(self, ident: str) -> None:
        """Forget a multipart upload."""
        self._store.delete(UPLOADS, ident)

    def new_upload_id(self) -> str:
        """Return an id for a multipart upload."""
        return f"{self._store.next('oss.upload'):032X}"


def owner() -> xml.Value:
    """Return the owner of everything here, as XML content."""
    return {"ID": ACCOUNT_ID, "DisplayName": ACCOUNT_ID}


def _bucket(document: dict[str, Any]) -> Bucket:
    worm = document["worm"]
    return Bucket(**{**document, "worm": Worm(**worm) if worm else None})
