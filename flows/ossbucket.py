"""Buckets of Alibaba Cloud OSS, through the official SDK."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from alibabacloud_oss_v2 import client as oss_client
from alibabacloud_oss_v2 import config as oss_config
from alibabacloud_oss_v2 import exceptions as oss_errors
from alibabacloud_oss_v2 import models
from alibabacloud_oss_v2.credentials import StaticCredentialsProvider

from flows.objectstore import Absent, Buckets, Taken
from infra.outputs import LandingZoneOutputs
from kit.problems import Problem, Refused

PAGE = 1000
"""How many keys one listing asks for: the most that OSS gives."""


class OssBucket:
    """A bucket of Alibaba Cloud OSS, through the official SDK (signature V4, retries of its own)."""

    def __init__(self, name: str, client: oss_client.Client) -> None:
        self.name = name
        self._client = client

    def get(self, key: str) -> bytes:
        """Return the object. Raises `Absent`."""
        with self._errors(key):
            answer = self._client.get_object(models.GetObjectRequest(bucket=self.name, key=key))
            return bytes(answer.body.read())

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        """Write the object. With `if_absent`, raises `Taken` when there is one already."""
        request = models.PutObjectRequest(
            bucket=self.name, key=key, body=data, forbid_overwrite="true" if if_absent else None
        )
        # Over a retained object, OSS may name the retention before the condition: either way it is there already.
        taken = {"FileAlreadyExists", "FileImmutable"} if if_absent else set()
        with self._errors(key, taken):
            self._client.put_object(request)

    def list(self, prefix: str = "") -> list[str]:
        """Return the keys that start with `prefix`, sorted."""
        keys: list[str] = []
        token: str | None = None
        while True:
            request = models.ListObjectsV2Request(
                bucket=self.name, prefix=prefix, max_keys=PAGE, continuation_token=token
            )
            with self._errors(prefix):
                page = self._client.list_objects_v2(request)
            keys.extend(item.key for item in page.contents or [])
            if not page.is_truncated:
                return sorted(keys)
            token = page.next_continuation_token

    def head(self, key: str) -> int | None:
        """Return the object's size in bytes, or None when there is none."""
        try:
            with self._errors(key):
                answer = self._client.head_object(models.HeadObjectRequest(bucket=self.name, key=key))
                return int(answer.content_length)
        except Absent:
            return None

    @contextmanager
    def _errors(self, key: str, taken: Collection[str] = ()) -> Iterator[None]:
        try:
            yield
        except oss_errors.BaseError as error:
            cause: BaseException = error.unwrap() if hasattr(error, "unwrap") else error
            if isinstance(cause, oss_errors.ServiceError):
                # A HEAD has no body, so its 404 names no code.
                if cause.code == "NoSuchKey" or (cause.status_code == 404 and cause.code != "NoSuchBucket"):
                    raise Absent(key) from error
                if cause.code in taken:
                    raise Taken(key) from error
                raise Refused(_refusal(self.name, key, cause)) from error
            raise Refused(
                Problem(
                    f"bucket {self.name} cannot be reached: {cause}",
                    "the OSS endpoint that the stack's outputs name answers from here",
                    "see network and HTTPS_PROXY (`sfoa emulators run -- …` for the emulators)",
                )
            ) from error


def connect(outputs: LandingZoneOutputs) -> Buckets:
    """Return the buckets that the outputs name, as `flows.objectstore.buckets_of` says."""
    config = oss_config.load_default()
    config.region = outputs.region
    config.endpoint = outputs.storage_endpoint
    config.credentials_provider = _credentials()
    client = oss_client.Client(config)
    return Buckets(
        OssBucket(outputs.storage_releases_bucket, client),
        OssBucket(outputs.storage_ledger_bucket, client),
        OssBucket(outputs.storage_backups_bucket, client),
    )


def _credentials() -> StaticCredentialsProvider:
    for prefix, token in (("OSS", "OSS_SESSION_TOKEN"), ("ALIBABA_CLOUD", "ALIBABA_CLOUD_SECURITY_TOKEN")):
        ident = os.environ.get(f"{prefix}_ACCESS_KEY_ID")
        secret = os.environ.get(f"{prefix}_ACCESS_KEY_SECRET")
        if ident and secret:
            return StaticCredentialsProvider(ident, secret, os.environ.get(token))
    raise Refused(
        Problem(
            "there are no credentials for OSS",
            "bundles and ledger are read and written with an AccessKey or an STS token of the environment",
            "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET "
            "(and ALIBABA_CLOUD_SECURITY_TOKEN for STS)",
        )
    )


def _refusal(bucket: str, key: str, error: oss_errors.ServiceError) -> Problem:
    rules = {
        "NoSuchBucket": ("the bucket exists", "run `pulumi up`, then try again"),
        "AccessDenied": ("the runner's role may use the bucket", "see the policies of the runner's RAM role"),
        "FileImmutable": (
            "objects under the retention policy are never changed",
            "nothing: the ledger is append-only",
        ),
    }
    rule, fix = rules.get(
        error.code or "", ("OSS takes the request", f"see request {error.request_id} in the service's log")
    )
    return Problem(f"OSS refused {bucket}/{key}: {error.code}: {error.message}", rule, fix)
