"""Who may do what: ACLs, bucket policies as far as they bear on transport and the public, public access block."""

from __future__ import annotations

import json
from typing import Any

from emulators.alicloud.account import ACCOUNT_ID, AccessKey
from emulators.alicloud.grants import bucket_resource, may
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import Bucket, Version
from emulators.alicloud.permissions import applies, many, statements_of
from emulators.store import Store

PUBLIC_ACLS = ("public-read", "public-read-write")
BUCKET_ACLS = ("private", *PUBLIC_ACLS)
OBJECT_ACLS = ("default", *BUCKET_ACLS)


def authorize(
    store: Store,
    caller: AccessKey | None,
    bucket: Bucket,
    key: str,
    action: str,
    *,
    secure: bool,
    version: Version | None,
) -> None:
    """Raise `OssError` AccessDenied unless `caller` may do `action` (such as "oss:GetObject").

    A Deny of the bucket policy stops everyone. A role's temporary AccessKey then needs an Allow of the role's policies
    or of the bucket's; every other AccessKey of the account may do anything. `None` is the public: it may what ACLs or
    an Allow for "*" give it. Requests come from no VPC.
    """
    resource = bucket_resource(bucket.name, key, bucket.region)
    context = {"acs:SecureTransport": "true" if secure else "false", "acs:AccessId": caller.ident if caller else ""}
    effects = {
        statement.get("Effect")
        for statement in statements(bucket.config.get("policy", ""))
        if _is_about(statement, caller) and applies(statement, action, resource, context)
    }
    if "Deny" in effects:
        raise OssError("AccessDenied", "You have no right to access this object because of bucket policy.")
    if "Allow" in effects:
        return
    if caller:
        if may(store, caller, action, resource, context):
            return
        raise OssError("AccessDenied", "You have no right to access this object.")
    acl = version.acl if version and version.acl != "default" else bucket.acl
    if acl == "public-read-write" and action in ("oss:GetObject", "oss:PutObject", "oss:ListObjects"):
        return
    if acl == "public-read" and action in ("oss:GetObject", "oss:ListObjects"):
        return
    if not key:
        raise OssError("AccessDenied", "Anonymous access is forbidden for this operation.")
    raise OssError("AccessDenied")


def authorize_on_service(
    store: Store, caller: AccessKey | None, action: str, *, secure: bool, bucket: str = "", region: str = ""
) -> None:
    """Raise `OssError` AccessDenied unless `caller` may do what is about no bucket that there is yet."""
    if caller is None:
        raise OssError("AccessDenied", "Anonymous access is forbidden for this operation.")
    context = {"acs:SecureTransport": "true" if secure else "false"}
    if not may(store, caller, action, bucket_resource(bucket, region=region), context):
        raise OssError("AccessDenied", f"You have no right to {action}.")


def statements(policy: str) -> list[dict[str, Any]]:
    """Return the statements of a bucket policy; [] for none."""
    return statements_of(json.loads(policy)) if policy else []


def is_public(policy: str) -> bool:
    """Return whether a policy allows the public something without a condition."""
    return any(
        statement.get("Effect") == "Allow"
        and "*" in many(statement.get("Principal"))
        and not statement.get("Condition")
        for statement in statements(policy)
    )


def _is_about(statement: dict[str, Any], caller: AccessKey | None) -> bool:
    principals = many(statement.get("Principal"))
    return "*" in principals or (caller is not None and ACCOUNT_ID in principals)
