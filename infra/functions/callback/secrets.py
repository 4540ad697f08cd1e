"""The function's secret: one JSON object in KMS, read with the credentials of the function's role.

`{"channels": {"wecom": {"token": …, "aes_key": …, "receiver": …}}, "salesforce": {"client_id": …, "username": …,
"private_key": …}}`; a receiver is the AppId or CorpId. The call is signed by ACS3-HMAC-SHA256 (Alibaba Cloud, "V3
request structure and signature").
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

VERSION = "2016-01-20"
TIMEOUT_SECONDS = 4


@dataclass(frozen=True)
class Credentials:
    """An AccessKey; `token` belongs to a temporary one."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def read_secret(name: str, region: str, credentials: Credentials) -> dict[str, Any]:
    """Return the object that a KMS secret holds. Raises `urllib.error.URLError` when KMS gives none."""
    host = f"kms.{region}.aliyuncs.com"
    query = urllib.parse.urlencode({"SecretName": name}, quote_via=urllib.parse.quote, safe="~")
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": "GetSecretValue",
        "x-acs-content-sha256": empty,
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-version": VERSION,
    }
    if credentials.token:
        headers["x-acs-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{key}:{headers[key]}\n" for key in sorted(headers))
    asked = f"GET\n/\n{query}\n{lines}\n{names}\n{empty}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(asked.encode()).hexdigest()}"
    signature = hmac.new(credentials.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={credentials.key_id},SignedHeaders={names},Signature={signature}"
    )
    request = urllib.request.Request(f"https://{host}/?{query}", headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
        value: dict[str, Any] = json.loads(json.load(response)["SecretData"])
    return value
