"""Platform events, published in an org by REST under a JWT bearer token."""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TIMEOUT_SECONDS = 4  # the platforms wait five
ASSERTION_SECONDS = 180
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class NotPublished(Exception):
    """The org didn't take an event. Its text holds a status, never a body."""


@dataclass
class Org:
    """An org that takes events. `url` is its My Domain, `audience` its login host's, both without a path."""

    url: str
    audience: str
    version: str
    client_id: str
    username: str
    private_key: str = field(repr=False)
    _token: str = field(default="", repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def publish(self, event: str, fields: Mapping[str, object]) -> None:
        """Publish one event; a token that has ended is renewed once. Raises `NotPublished`."""
        body = json.dumps(fields).encode()
        path = f"/services/data/v{self.version}/sobjects/{event}"
        for last in (False, True):
            token = self._valid_token(renew=last)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            status, _ = _post(self.url + path, body, headers)
            if status == 201:
                return
            if status != 401 or last:
                raise NotPublished(f"the org answered {status}")

    def _valid_token(self, renew: bool) -> str:
        with self._lock:
            if renew or not self._token:
                self._token = self._fetch_token()
            return self._token

    def _fetch_token(self) -> str:
        form = urllib.parse.urlencode({"grant_type": BEARER, "assertion": self._assertion()}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, body = _post(f"{self.url}/services/oauth2/token", form, headers)
        if status != 200:
            raise NotPublished(f"the org gave no token: {status}")
        return str(json.loads(body)["access_token"])

    def _assertion(self) -> str:
        key = serialization.load_pem_private_key(self.private_key.encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise NotPublished("the org's key is no RSA key")
        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.audience,
            "exp": int(time.time()) + ASSERTION_SECONDS,
        }
        said = ".".join(_text(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        return f"{said}.{_text(key.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310 - https by the settings
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except (urllib.error.URLError, OSError) as error:
        raise NotPublished(f"the org can't be reached: {type(error).__name__}") from None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
