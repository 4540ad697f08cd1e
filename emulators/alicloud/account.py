"""The one Alibaba Cloud account that is emulated, and the AccessKeys that open it."""

from __future__ import annotations

from dataclasses import dataclass

from emulators.store import Store

ACCOUNT_ID = "1234567890123456"
ACCESS_KEY_ID = "LTAIemulatorEXAMPLE00001"
ACCESS_KEY_SECRET = "emulator-secret-not-for-production"  # noqa: S105 - public on purpose, opens nothing real
REGION = "cn-shanghai"
ZONES = tuple(f"cn-shanghai-{zone}" for zone in "befglm")

ACCESS_KEY_KIND = "alicloud.access_key"
"""Kind of the store's documents of further AccessKeys, by AccessKey id: what RAM and STS hand out.

Fields: `secret`; for temporary ones also `token` (the security token) and `expires` (seconds since the epoch);
optional `status` ("Active" or "Inactive"), `role` (name of the role) and `policy` (the session's own, JSON).
"""


@dataclass(frozen=True)
class AccessKey:
    """An AccessKey. `expires` is in seconds since the epoch, 0 for never; `role` and `policy` are a session's."""

    ident: str
    secret: str
    token: str = ""
    expires: float = 0
    active: bool = True
    role: str = ""
    policy: str = ""


def access_key(store: Store, ident: str) -> AccessKey | None:
    """Return the AccessKey of an id: the account's own, or one that RAM or STS handed out; None for none."""
    if ident == ACCESS_KEY_ID:
        return AccessKey(ident, ACCESS_KEY_SECRET)
    found = store.get(ACCESS_KEY_KIND, ident)
    if found is None:
        return None
    return AccessKey(
        ident,
        found["secret"],
        found.get("token", ""),
        found.get("expires", 0),
        found.get("status", "Active") == "Active",
        found.get("role", ""),
        found.get("policy", ""),
    )
