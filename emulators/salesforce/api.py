"""Salesforce, both editions: answers for every host of theirs, and says which part answers what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from emulators.http import Request, Response
from emulators.salesforce import errors
from emulators.salesforce.bulk import Bulk
from emulators.salesforce.hosts import Host, classify, lightning_host
from emulators.salesforce.metadata.api import MetadataApi
from emulators.salesforce.oauth import OAuth
from emulators.salesforce.orgs import OrgRecord, Orgs
from emulators.salesforce.other_apis import refuse
from emulators.salesforce.rest import Rest
from emulators.salesforce.sessions import Sessions
from emulators.service import World

# Beside its endpoint (the org id may follow the version) the paths to which simple_salesforce posts deploys.
_METADATA_SOAP = re.compile(r"/services/Soap/m/\d{1,3}(?:\.\d)?(?:/deployRequest)?(?:/\w{15,18})?/?")


class Salesforce:
    """The emulated Salesforce."""

    name = "salesforce"

    def __init__(self, world: World) -> None:
        self._world = world
        self.orgs = Orgs(world)
        self.sessions = Sessions(world)
        self._oauth = OAuth(world, self.orgs, self.sessions)
        self._metadata = MetadataApi(world)
        self._rest = Rest(world, self._metadata.rest)
        self._bulk = Bulk(world)

    def owns(self, host: str) -> bool:
        """Return whether `host` is a Salesforce host of either edition."""
        return classify(host) is not None

    def seed(self, world_json: Mapping[str, Any]) -> list[OrgRecord]:
        """Store the orgs of a world file; see `Orgs.seed`."""
        return self.orgs.seed(world_json)

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        host = classify(request.host)
        if host is None:
            return errors.not_found().response()
        org = self.orgs.by_host(host.my_domain)
        if host.purpose != "login" and org is None:
            return _no_such_org(host)
        if host.purpose != "lightning":
            answer = self._oauth.handle(request)
            if answer is not None:
                return answer
        if org is None:
            if (refusal := refuse(self._world, request)) is not None:
                return refusal
            return _page(f"Log in to Salesforce at {host.name}", "This emulator takes tokens, not passwords.")
        if host.purpose == "lightning":
            return Response(302, b"", {"Location": f"{org.instance_url}/?startURL={quote(request.target)}"})
        return self._of_org(org, request)

    def _of_org(self, org: OrgRecord, request: Request) -> Response:
        path = request.path
        if path == "/secur/frontdoor.jsp":
            return self._front_door(org, request)
        session = self.sessions.of_request(request)
        if session is not None and session.org_id != org.id:
            session = None
        if _METADATA_SOAP.fullmatch(path):
            return self._metadata.soap(org, request, session)
        if (refusal := refuse(self._world, request)) is not None:
            return refusal
        if path.startswith("/services/async/"):
            return self._bulk.handle(org, request, session)
        if path.startswith("/services/"):
            return self._rest.handle(org, request, session)
        return _page(f"Log in to {org.name}", f"{org.my_domain_host} is an emulated org: it has APIs and no pages.")

    def _front_door(self, org: OrgRecord, request: Request) -> Response:
        """Let a browser in with a session id: on to Lightning, or back to the login page when it is not valid."""
        given = request.query | request.form
        token = given.get("sid", "")
        session = self.sessions.find(token)
        wanted = given.get("retURL", "/lightning/page/home")
        if session is None or session.org_id != org.id:
            return Response(302, b"", {"Location": f"{org.instance_url}/?ec=302&startURL={quote(wanted)}"})
        # Only a path of this org: a front door that leads to any address would be an open redirect.
        path = wanted if wanted.startswith("/") and not wanted.startswith("//") else "/lightning/page/home"
        cookie = f"sid={token}; Path=/; Secure; HttpOnly"
        location = f"https://{lightning_host(org.my_domain_host)}{path}"
        return Response(302, b"", {"Location": location, "Set-Cookie": cookie})


def _no_such_org(host: Host) -> Response:
    return _page(
        "URL No Longer Exists",
        f"There is no Salesforce org at {host.my_domain}. Check the My Domain name; "
        "an emulated org comes from the world file (sfoa emulators seed).",
        404,
    )


def _page(title: str, text: str, status: int = 200) -> Response:
    head, text = escape(title), escape(text)
    html = f"<!DOCTYPE html><html><head><title>{head}</title></head><body><h1>{head}</h1><p>{text}</p></body></html>\n"
    return Response(status, html.encode(), {"Content-Type": "text/html;charset=UTF-8"})
