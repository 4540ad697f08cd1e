"""What one call to FC works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.call import iso
from emulators.alicloud.fc.errors import wrong
from emulators.http import Request
from emulators.store import Document, Store

FUNCTION, CODE, TRIGGER, DOMAIN = "fc.function", "fc.code", "fc.trigger", "fc.domain"


@dataclass(frozen=True)
class Desk:
    """The store, the time (seconds since the epoch), and the region of the host that was asked."""

    store: Store
    now: float
    region: str
    request: Request

    @property
    def stamp(self) -> str:
        """The time as FC prints it."""
        return iso(self.now)

    def body(self) -> Document:
        """Return the body, a JSON object. Raises `FunctionError` when it is none."""
        try:
            data = self.request.json
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise wrong("the body is no JSON object")
        return data

    def arn(self, path: str) -> str:
        """Return the ARN of something of this account and region."""
        return f"acs:fc:{self.region}:{ACCOUNT_ID}:{path}"

    def find(self, kind: str, name: str) -> Document | None:
        """Return what a kind has by this name in the region, or None."""
        return self.store.get(kind, f"{self.region}/{name}")

    def save(self, kind: str, name: str, document: Document) -> Any:
        """Keep a document, and return it."""
        self.store.put(kind, f"{self.region}/{name}", document)
        return document

    def delete(self, kind: str, name: str) -> None:
        """Forget a document."""
        self.store.delete(kind, f"{self.region}/{name}")
