"""Ids of RAM's users, groups and roles: long numbers."""

from __future__ import annotations

import hashlib

from emulators.alicloud.call import Call


def entity_id(call: Call, kind: str) -> str:
    """Return an id of 18 digits, the same in every run."""
    number = call.store.next(f"alicloud.ram_id.{kind}")
    digest = hashlib.sha256(f"{kind} {number}".encode()).digest()
    return f"3{int.from_bytes(digest) % 10**17:017d}"
