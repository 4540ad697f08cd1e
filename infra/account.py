"""Asks the account, with the credentials of the environment: single reads, each answered or refused with its code."""

from __future__ import annotations

import base64
import hmac
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Protocol

TIMEOUT_MS = 10_000
KEY_ID = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY")
KEY_SECRET = ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECRET_KEY")
TOKEN = ("ALIBABA_CLOUD_SECURITY_TOKEN", "ALICLOUD_SECURITY_TOKEN")
AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class CallFailed(Exception):
    """A read that wasn't answered. `code` is the service's, or empty where nobody answered."""

    code: str
    message: str


class Account(Protocol):
    """What can be read of an account."""

    def read(self, host: str, version: str, action: str, path: str = "/", **parameters: str) -> dict[str, Any]:
        """Return the answer of a read, or raise `CallFailed`. A path of its own makes it a GET of that (ROA)."""
        ...

    def buckets(self) -> list[str]:
        """Return the names of the buckets that OSS lists (a page of them), or raise `CallFailed`."""
        ...

    def log_projects(self) -> list[str]:
        """Return the names of the region's projects of SLS (a page of them), or raise `CallFailed`."""
        ...


def has_credentials(environ: Mapping[str, str]) -> bool:
    """Return whether the environment holds an AccessKey, whole."""
    return bool(first_of(environ, KEY_ID) and first_of(environ, KEY_SECRET))


class LiveAccount:
    """The account of the environment's AccessKey, through the official SDK's generic client and any proxy."""

    def __init__(self, region: str, environ: Mapping[str, str] = os.environ) -> None:
        self._region = region
        self._environ = environ

    def read(self, host: str, version: str, action: str, path: str = "/", **parameters: str) -> dict[str, Any]:
        """Return the body of the answer. Raises `CallFailed`, also for an answer that says it is none."""
        from alibabacloud_tea_openapi.client import Client
        from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
        from darabonba.runtime import RuntimeOptions

        config = Config(
            access_key_id=first_of(self._environ, KEY_ID),
            access_key_secret=first_of(self._environ, KEY_SECRET),
            security_token=first_of(self._environ, TOKEN) or None,
            region_id=self._region,
            endpoint=host,
            ca=first_of(self._environ, AUTHORITIES) or None,
            connect_timeout=TIMEOUT_MS,
            read_timeout=TIMEOUT_MS,
        )
        params = Params(
            action=action,
            version=version,
            protocol="HTTPS",
            pathname=path,
            method="POST" if path == "/" else "GET",
            auth_type="AK",
            style="RPC" if path == "/" else "ROA",
            req_body_type="formData" if path == "/" else "json",
            body_type="json",
        )
        try:
            answer = Client(config).call_api(params, OpenApiRequest(query=dict(parameters)), RuntimeOptions())
        except Exception as failed:
            # The SDK lets its transport's own errors through: of those, only the kind says anything.
            code = getattr(failed, "code", None) if hasattr(failed, "data") or hasattr(failed, "status_code") else None
            message = getattr(failed, "message", None) or str(failed)
            raise CallFailed(str(code or ""), f"{message}" if code else f"{type(failed).__name__}: {message}") from None
        body: dict[str, Any] = answer["body"]
        if body.get("Success") is False:  # EventBridge refuses so, with status 200
            raise CallFailed(str(body.get("Code", "")), str(body.get("Message", "")))
        return body

    def log_projects(self) -> list[str]:
        """Return the names of the region's projects. Raises `CallFailed`."""
        return projects(
            self._region,
            first_of(self._environ, KEY_ID),
            first_of(self._environ, KEY_SECRET),
            first_of(self._environ, TOKEN),
        )

    def buckets(self) -> list[str]:
        """Return the names of the buckets that OSS lists. Raises `CallFailed`."""
        import alibabacloud_oss_v2 as oss

        config = oss.config.load_default()
        config.region = self._region
        config.retry_max_attempts = 1
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(
            first_of(self._environ, KEY_ID), first_of(self._environ, KEY_SECRET), first_of(self._environ, TOKEN) or None
        )
        try:
            listed = oss.Client(config).list_buckets(oss.ListBucketsRequest()).buckets or []
            return [str(bucket.name) for bucket in listed]
        except oss.exceptions.BaseError as failed:
            cause: BaseException = failed.unwrap() if hasattr(failed, "unwrap") else failed
            code, message = getattr(cause, "code", ""), getattr(cause, "message", "")
            raise CallFailed(str(code or ""), str(message or cause)) from None


def projects(region: str, ident: str, secret: str, token: str) -> list[str]:
    """Return the names of a region's SLS projects. Raises `CallFailed`.

    SLS, "Request signature", version 1: its own SDK, which alone speaks it, is no dependency of the kit's.
    """
    target, date = "/?offset=0&size=500", formatdate(usegmt=True)
    own = {"x-log-apiversion": "0.6.0", "x-log-bodyrawsize": "0", "x-log-signaturemethod": "hmac-sha1"}
    own |= {"x-acs-security-token": token} if token else {}
    lines = "\n".join(f"{name}:{own[name]}" for name in sorted(own))
    text = f"GET\n\n\n{date}\n{lines}\n{target}"
    signature = base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()
    headers = {"Date": date, "Authorization": f"LOG {ident}:{signature}", **own}
    request = urllib.request.Request(f"https://{region}.log.aliyuncs.com{target}", headers=headers)
    try:
        # An opener of its own: the one that urllib shares keeps the proxy of the first call.
        with urllib.request.build_opener().open(request, timeout=TIMEOUT_MS / 1000) as answer:
            return [str(project["projectName"]) for project in json.loads(answer.read())["projects"]]
    except urllib.error.HTTPError as refused:
        said = json.loads(refused.read() or b"{}")
        raise CallFailed(str(said.get("errorCode", "")), str(said.get("errorMessage", ""))) from None
    except (OSError, ValueError) as failed:
        raise CallFailed("", f"{type(failed).__name__}: {failed}") from None


def first_of(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the value of the first of these variables that has one, or nothing."""
    return next((environ[name] for name in names if environ.get(name)), "")
