"""Which orgs there are: read from the world file, kept in the store, found by host or id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.salesforce import ids
from emulators.service import World
from kit.problems import Problem, refuse_if_any

_KIND = "salesforce.org"


@dataclass(frozen=True)
class OrgUser:
    """A user of an org. `profile` is the name of its profile; `id` is the 18-character 005… id."""

    id: str
    username: str
    profile: str
    active: bool = True
    frozen: bool = False


@dataclass(frozen=True)
class OrgLogin:
    """A login that the world file tells of: what the login history of the org shows. `at` is ISO 8601 in UTC."""

    username: str
    at: str
    kind: str
    address: str
    status: str = "Success"


@dataclass(frozen=True)
class ConnectedApp:
    """An app that may get tokens. `certificate` is the PEM whose key signs its assertions, "" for none.

    One that was `deployed` as metadata lets in whom an administrator approved: by permission set or profile.
    """

    client_id: str
    certificate: str
    client_secret: str = ""
    deployed: bool = False
    admin_approved: bool = False
    permission_sets: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrgRecord:
    """An org as the world file declares it. `id` has 18 characters; API versions are whole numbers (67);
    `created` is when it was first seeded, in seconds since the epoch."""

    id: str
    name: str
    edition: str
    kind: str
    my_domain_host: str
    login_host: str
    audience: str
    instance: str
    language: str
    api_floor: int
    api_ceiling: int
    users: tuple[OrgUser, ...]
    connected_apps: tuple[ConnectedApp, ...]
    created: float = 0.0
    logins: tuple[OrgLogin, ...] = ()

    @property
    def instance_url(self) -> str:
        """The base URL of the org's APIs."""
        return f"https://{self.my_domain_host}"

    @property
    def is_sandbox(self) -> bool:
        """Whether the org is a sandbox."""
        return self.kind == "sandbox"

    def user(self, username: str) -> OrgUser | None:
        """Return a user by name, whose case does not count."""
        return next((user for user in self.users if user.username.lower() == username.lower()), None)

    def app(self, client_id: str) -> ConnectedApp | None:
        """Return a connected app by its consumer key."""
        return next((app for app in self.connected_apps if app.client_id == client_id), None)


@dataclass(frozen=True)
class Session:
    """Who is calling, and until when (seconds since the epoch)."""

    user_id: str
    username: str
    org_id: str
    expires: float


class Orgs:
    """The orgs of a world."""

    def __init__(self, world: World) -> None:
        self._store, self._now = world.store, world.now

    def seed(self, world_json: Mapping[str, Any]) -> list[OrgRecord]:
        """Store the orgs of a world file and return them. What an existing org holds stays as it is.

        Raises `Refused` with every problem of the file before anything is stored.
        """
        items = world_json.get("orgs")
        refuse_if_any(_problems(items, [_SHAPE], "orgs"), "the world file does not describe orgs")
        orgs = [_parse(item) for item in items or ()]
        with self._store.transaction():
            for item, org in zip(items or (), orgs, strict=True):
                before = self._store.get(_KIND, org.my_domain_host) or {"created": self._now()}
                self._store.put(_KIND, org.my_domain_host, {**item, "created": before["created"]})
        return orgs

    def __iter__(self) -> Iterator[OrgRecord]:
        return (_parse(document) for _, document in self._store.all(_KIND))

    def by_host(self, host: str) -> OrgRecord | None:
        """Return the org whose My Domain is `host`, or None."""
        document = self._store.get(_KIND, host)
        return _parse(document) if document else None

    def by_id(self, ident: str) -> OrgRecord | None:
        """Return the org of a 15- or 18-character id, or None."""
        full = ids.normal(ident)
        return next((org for org in self if org.id == full), None)

    def declared(self, org: OrgRecord) -> Mapping[str, Any]:
        """Return the world file's own entry of an org, with what only one part reads (`apex_tests`)."""
        return self._store.get(_KIND, org.my_domain_host) or {}

    def by_login_host(self, host: str) -> list[OrgRecord]:
        """Return the orgs whose users log in at `host`."""
        return [org for org in self if org.login_host == host]


def _parse(item: Mapping[str, Any]) -> OrgRecord:
    host = item["my_domain_host"].lower()
    return OrgRecord(
        id=ids.derived("00D", host),
        name=item["name"],
        edition=item["edition"],
        kind=item["kind"],
        my_domain_host=host,
        login_host=item["login_host"].lower(),
        audience=item["audience"],
        instance=item["instance"],
        language=item["language"],
        api_floor=item["api_versions"]["floor"],
        api_ceiling=item["api_versions"]["ceiling"],
        users=tuple(
            OrgUser(
                ids.derived("005", host, user["username"].lower()),
                user["username"],
                user["profile"],
                bool(user.get("active", True)),
                bool(user.get("frozen", False)),
            )
            for user in item["users"]
        ),
        connected_apps=tuple(
            ConnectedApp(app["client_id"], app.get("certificate") or "", app.get("client_secret") or "")
            for app in item["connected_apps"]
        ),
        created=float(item.get("created", 0.0)),
        logins=tuple(OrgLogin(**login) for login in item.get("logins", ())),
    )


# What an org of the world file must hold; a list stands for "a list of such objects".
_SHAPE: Mapping[str, Any] = {
    **dict.fromkeys(("name", "edition", "kind", "my_domain_host", "login_host", "audience"), str),
    **dict.fromkeys(("instance", "language"), str),
    "api_versions": {"floor": int, "ceiling": int},
    "users": [{"username": str, "profile": str}],
    "connected_apps": [{"client_id": str}],
}


def _problems(item: object, shape: Any, where: str) -> Iterator[Problem]:
    """Yield everything in which `item` is not of the shape that a world file's org has."""
    kind = list if isinstance(shape, list) else dict if isinstance(shape, Mapping) else shape
    if not isinstance(item, kind) or isinstance(item, bool):
        rule = f"a JSON {_JSON_NAMES[kind]}"
        yield Problem(f"{where} is wrong", rule, _FIX, value=repr(item)[:80])
    elif isinstance(item, list):
        for place, inner in enumerate(item):
            yield from _problems(inner, shape[0], f"{where}[{place}]")
    elif isinstance(item, dict):
        for key, inner_shape in shape.items():
            if key in item:
                yield from _problems(item[key], inner_shape, f"{where}.{key}")
            else:
                yield Problem(
                    f"{where}.{key} is missing", "every org has one", "make the file with: sfoa federation world"
                )


_FIX = "make the file with: sfoa federation world"
_JSON_NAMES = {list: "list", dict: "object", str: "string", int: "whole number"}
