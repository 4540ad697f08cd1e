"""Asks an org who can log in, and from where it sees the runner: the live facts of the lock-out guard.

Objects of the Salesforce object reference: User, Profile, UserLogin, LoginHistory. What the org refuses to answer is
not known, and None.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flows.components import ComponentKey
from flows.ledger import Event, Ledger
from flows.lockout import Administrator
from flows.metadata_api import ApiRefused, MetadataApi
from flows.render.profiles import may_be

SAML_LOGINS = ("SAML Idp Initiated SSO", "SAML Sfdc Initiated SSO")
"""What LoginHistory calls a login with an assertion (Salesforce object reference, LoginHistory, LoginType)."""


def administrators(api: MetadataApi, named: Iterable[str]) -> tuple[Administrator, ...] | None:
    """Return the users of these names that the org has, by name."""
    names = ", ".join(map(_quoted, named))
    if not names:
        return ()
    users = _records(
        api,
        "SELECT Id, Username, IsActive, Profile.PermissionsManageUsers, "  # noqa: S608  names are quoted
        "Profile.PermissionsIsSsoEnabled FROM User "
        f"WHERE Username IN ({names}) ORDER BY Username",
    )
    if users is None:
        return None
    ids = ", ".join(_quoted(str(user["Id"])) for user in users)
    about = f"SELECT UserId, IsFrozen FROM UserLogin WHERE UserId IN ({ids})"  # noqa: S608  ids of the org's own
    logins = _records(api, about) if ids else []
    if logins is None:
        return None
    frozen = {login["UserId"] for login in logins if login["IsFrozen"]}
    return tuple(
        Administrator(
            str(user["Username"]),
            active=bool(user["IsActive"]),
            frozen=user["Id"] in frozen,
            manages=bool(user["Profile"]["PermissionsManageUsers"]),
            sso_only=bool(user["Profile"]["PermissionsIsSsoEnabled"]),
        )
        for user in users
    )


def runner_address(api: MetadataApi) -> str | None:
    """Return the address from which the org saw the runner log in last."""
    user = api.session.identity.rstrip("/").rpartition("/")[2]
    where = f"WHERE UserId = {_quoted(user)} ORDER BY LoginTime DESC LIMIT 1"
    rows = _records(api, f"SELECT SourceIp FROM LoginHistory {where}")  # noqa: S608  the runner's own id
    return str(rows[0]["SourceIp"]) if rows else None


def runner_profile(api: MetadataApi) -> str | None:
    """Return the label of the runner's profile, in the language of the runner's user."""
    user = api.session.identity.rstrip("/").rpartition("/")[2]
    rows = _records(api, f"SELECT Profile.Name FROM User WHERE Id = {_quoted(user)}")  # noqa: S608  the runner's own id
    return str(rows[0]["Profile"]["Name"]) if rows else None


def runner_addresses(api: MetadataApi, profile: str) -> tuple[str, ...] | None:
    """Return the addresses from which the runner logs in as a user of a profile: none when it has another profile, None
    when the org doesn't say."""
    if not may_be(profile, runner_profile(api)):
        return ()
    address = runner_address(api)
    return (address,) if address else None


def assertion_accepted(api: MetadataApi, since: str) -> str | None:
    """Return when the org first let somebody in by an assertion after `since` (ISO 8601, UTC), None if never."""
    kinds = ", ".join(map(_quoted, SAML_LOGINS))
    where = f"WHERE LoginType IN ({kinds}) AND Status = 'Success' AND LoginTime > {since}"
    soql = f"SELECT LoginTime FROM LoginHistory {where} ORDER BY LoginTime LIMIT 1"  # noqa: S608  a time of ours
    rows = _records(api, soql)
    return str(rows[0]["LoginTime"]) if rows else None


def trusted_since(ledger: Ledger, org: str, configs: frozenset[ComponentKey]) -> str | None:
    """Return when an org last came to hold all of these SAML configurations, by the ledger; None when it doesn't."""
    since = None
    for entry in ledger.entries(org):
        if entry.record.event is not Event.SUCCEEDED:
            continue
        holds = configs <= ledger.index(entry.record.index).keys()
        since = (since or entry.at) if holds else None
    return since


def _records(api: MetadataApi, soql: str) -> list[dict[str, Any]] | None:
    try:
        return api.records(soql)
    except ApiRefused:
        return None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
