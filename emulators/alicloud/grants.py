"""What temporary AccessKeys may do: the policies of their role, cut to the session's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulators.alicloud.account import ACCOUNT_ID, AccessKey
from emulators.alicloud.kinds import POLICY, ROLE
from emulators.alicloud.permissions import allows
from emulators.alicloud.tables import table
from emulators.store import Store


def may(store: Store, caller: AccessKey, action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Return whether `caller` may do `action` on `resource` ("acs:…").

    Who holds no role may do everything: an account's own AccessKey can, and the policies of RAM users aren't enforced.
    """
    if not caller.role:
        return True
    cut = [json.loads(caller.policy)] if caller.policy else []
    return allows(_documents(store, caller.role), action, resource, context) and (
        not cut or allows(cut, action, resource, context)
    )


def bucket_resource(bucket: str, key: str = "", region: str = "") -> str:
    """Return the name by which policies know a bucket, or an object in it ("*" for the service)."""
    return f"acs:oss:{region}:{ACCOUNT_ID}:{bucket or '*'}" + (f"/{key}" if key else "")


def _documents(store: Store, role: str) -> list[dict[str, Any]]:
    holder = store.get(ROLE.place, role) or {"policies": []}
    documents: list[dict[str, Any]] = []
    for item in holder["policies"]:
        if item["type"] == "System":
            actions = table("system_policies")["policies"][item["name"]]
            documents.append({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
        elif policy := store.get(POLICY.place, item["name"]):
            documents.append(json.loads(policy["versions"][policy["default"]]["document"]))
    return documents
